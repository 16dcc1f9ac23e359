package api

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/claimline/claimline/cmd/claimline/web/auth"
	"github.com/claimline/claimline/cmd/claimline/web/desk"
	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/pipeline/workbook"
	"github.com/claimline/claimline/schema"
)

// imports are the tag of the operations on imports, and what is before their paths.
const imports = "imports"

// ImportPath names an import.
type ImportPath struct {
	ID string `path:"id" doc:"id of the import"`
}

func (a *API) registerImports() {
	op := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: "/imports" + path, Summary: summary, Tags: []string{imports}}
	}
	plan := op("plan-import", http.MethodPost, "", "Plan an import of a file")
	plan.DefaultStatus = http.StatusCreated
	plan.Description = "Plans what a CSV file would claim, and claims nobody: look at the plan, then agree to it. Of a file that is refused nothing is left."
	register(a, schema.RoleOperator, plan, a.planImport)
	register(a, schema.RoleViewer, op("list-imports", http.MethodGet, "", "List the imports, the newest first"), a.listImports)
	register(a, schema.RoleViewer, op("get-import", http.MethodGet, "/{id}", "Show how an import stands"), a.getImport)
	register(a, schema.RoleViewer, op("list-rows", http.MethodGet, "/{id}/rows", "List what became of each row, in the order of the file"), a.listRows)
	reported := op("report-import", http.MethodGet, "/{id}/report", "Write what became of each row, as a file")
	reported.Responses = files("text/csv", workbook.Media, "application/jsonl", "text/html")
	register(a, schema.RoleViewer, reported, a.reportImport)
	agree := op("agree-to-import", http.MethodPost, "/{id}/consent", "Agree to the plan: its claims are permanent")
	agree.DefaultStatus = http.StatusAccepted
	register(a, schema.RoleOperator, agree, a.agree)
	register(a, schema.RoleOperator, op("decline-import", http.MethodPost, "/{id}/decline", "Decline the plan: nobody is claimed"), a.decline)
	register(a, schema.RoleOperator, op("cancel-import", http.MethodPost, "/{id}/cancel", "Stop an import: what it has done stays"), a.cancel)
	register(a, schema.RoleOperator, op("resume-import", http.MethodPost, "/{id}/resume", "Go on with an import where it stopped, under the consent recorded"), a.resume)
	register(a, schema.RoleOperator, op("retract-import", http.MethodPost, "/{id}/retract", "Take back the claims that an import made"), a.retractImport)
}

// find finds an import of the organization for which is asked.
func (a *API) find(ctx context.Context, id string) (schema.Import, error) {
	number, err := pipeline.ParseImportID(id)
	if err != nil {
		return schema.Import{}, err
	}
	return a.Flow.Store.Import(ctx, organization(ctx), number)
}

func (a *API) show(imp schema.Import) (*Answer[desk.Import], error) {
	v, err := a.View(imp)
	return answer(v), err
}

// ReadingQuery says how a file is to be read where that is not certain.
type ReadingQuery struct {
	Encoding     string   `query:"encoding" doc:"of the file, as windows-1252 or macintosh"`
	Sheet        string   `query:"sheet" doc:"of a workbook, its name"`
	Column       []string `query:"column,explode" doc:"what a column is, as Header=Column; may be repeated"`
	IgnoreColumn []string `query:"ignore_column,explode" doc:"header of a column that means nothing; may be repeated"`
	EveryRow     bool     `query:"every_row" doc:"a file without a column Claim claims every row"`
	NoEdits      bool     `query:"no_edits" doc:"leave the accounts' data as it is"`
}

// ImportRequest asks for an import of the file in the body.
type ImportRequest struct {
	File             string       `query:"file" doc:"what the file is called"`
	AllOrNothing     bool         `query:"all_or_nothing" doc:"claim nobody if any row has a problem"`
	ActivationEmails OptionalBool `query:"activation_emails" doc:"mail users when their account joins; as the organization has it where nothing is said"`
	Notify           []string     `query:"notify,explode" doc:"address that is told how it went; may be repeated"`
	ReadingQuery
	Key string `header:"Idempotency-Key" maxLength:"255" doc:"the same key and content again, within a day, gives the same import"`
}

func (in *ImportRequest) order(ctx context.Context) (schema.Order, error) {
	order := schema.Order{
		Organization: organization(ctx), By: auth.Of(ctx).Name, AllOrNothing: in.AllOrNothing, ActivationEmails: in.ActivationEmails.pointer(),
		RequestKey: in.Key,
	}
	for _, address := range in.Notify {
		if _, problem := schema.ParseAddress(address); problem != "" {
			return order, schema.Refuse(schema.CodeRequestInvalid, "notify %s is no address.", schema.Quote(address))
		}
		order.Notify = append(order.Notify, address)
	}
	reading := schema.Reading{
		Encoding: in.Encoding, Sheet: in.Sheet, Columns: in.Column, IgnoreColumns: in.IgnoreColumn, EveryRow: in.EveryRow, NoEdits: in.NoEdits,
	}
	err := reading.Into(&order, "")
	return order, err
}

func (a *API) planImport(ctx context.Context, in *ImportRequest) (out *Stated[desk.Import], err error) {
	order, err := in.order(ctx)
	if err != nil {
		return nil, err
	}
	err = a.receive(ctx, in.File, func(file desk.Upload) error {
		out, err = a.plan(ctx, order, in, file)
		return err
	})
	return out, err
}

// plan plans an import, or finds the one that the same request has made before.
func (a *API) plan(ctx context.Context, order schema.Order, in *ImportRequest, file desk.Upload) (*Stated[desk.Import], error) {
	status := http.StatusCreated
	var imp schema.Import
	var again bool
	var err error
	if order.RequestKey != "" {
		said := *in
		said.File = file.Name()
		if order.RequestDigest, err = digest([]any{said, file.SHA256}); err != nil {
			return nil, err
		}
		if imp, again, err = a.Flow.Store.RepeatedImport(ctx, order.Organization, order.RequestKey, order.RequestDigest); err != nil {
			return nil, err
		}
	}
	if again {
		status = http.StatusOK
	} else if imp, err = a.Flow.Plan(ctx, file, order, pipeline.Watch{}); err != nil {
		return nil, err
	}
	v, err := a.View(imp)
	return &Stated[desk.Import]{Status: status, Location: Prefix + "/imports/" + v.ID, Body: v}, err
}

// Imports is a list of imports.
type Imports struct {
	Imports []desk.Import `json:"imports"`
	Next    *string       `json:"next"`
}

// ImportsRequest asks for a list of imports.
type ImportsRequest struct {
	Page
	State string `query:"state" enum:"queued,planning,awaiting_consent,applying,completed,completed_with_errors,rejected,cancelled,interrupted,failed" doc:"only those in this state"`
}

func (a *API) listImports(ctx context.Context, in *ImportsRequest) (*Answer[Imports], error) {
	var before int64
	if in.After != "" {
		var err error
		if before, err = strconv.ParseInt(in.After, 10, 64); err != nil || before < 1 {
			return nil, badCursor()
		}
	}
	found, next, err := a.Flow.Store.ImportsBefore(ctx, organization(ctx), schema.ImportState(in.State), before, in.limit())
	if err != nil {
		return nil, err
	}
	list := Imports{Imports: make([]desk.Import, len(found))}
	for i := range found {
		if list.Imports[i], err = a.View(found[i]); err != nil {
			return nil, err
		}
	}
	if next != 0 {
		text := strconv.FormatInt(next, 10)
		list.Next = &text
	}
	return answer(list), nil
}

func (a *API) getImport(ctx context.Context, in *ImportPath) (*Answer[desk.Import], error) {
	imp, err := a.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return a.show(imp)
}

// Rows is a part of what became of the rows of an import.
type Rows struct {
	Rows []schema.Result `json:"rows"`
	Next *int            `json:"next" doc:"the line to go on after; null: there are no more"`
}

// RowsFilter leaves some rows.
type RowsFilter struct {
	Only   string `query:"only" enum:"problems,edits,warnings,ready,claimed,unchanged,skipped,invalid,ineligible,failed,not_attempted" doc:"only rows that want somebody's attention, change an account, have a warning, or ended so"`
	Reason string `query:"reason" doc:"only rows that have this code among their reasons"`
}

// RowsRequest asks for rows of an import.
type RowsRequest struct {
	ImportPath
	Limit
	RowsFilter
	Outcome string `query:"outcome" enum:"ready,claimed,unchanged,skipped,invalid,ineligible,failed,not_attempted" doc:"only rows that ended so"`
	After   int    `query:"after" minimum:"0" doc:"only rows behind this line"`
}

// report returns a report of the rows that are wanted.
func (f *RowsFilter) report(outcome string) (*report.Report, error) {
	r := &report.Report{Reason: schema.Code(f.Reason), Outcome: schema.Outcome(outcome)}
	if f.Reason != "" && r.Reason.Outcome() == "" {
		return nil, schema.Refuse(schema.CodeRequestInvalid, "reason %s is no row's reason.", schema.Quote(f.Reason))
	}
	if f.Only != "" {
		r.Only = []string{f.Only}
	}
	return r, nil
}

func (a *API) listRows(ctx context.Context, in *RowsRequest) (*Answer[Rows], error) {
	imp, err := a.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	r, err := in.report(in.Outcome)
	if err != nil {
		return nil, err
	}
	rows, more, err := r.Page(ctx, a.Flow.Store, imp, in.After, in.limit())
	if err != nil {
		return nil, err
	}
	list := Rows{Rows: rows}
	if more {
		list.Next = &rows[len(rows)-1].Line
	}
	return answer(list), nil
}

// ReportRequest asks for the report of an import.
type ReportRequest struct {
	ImportPath
	RowsFilter
	Format string `query:"format" enum:"csv,xlsx,jsonl,html" default:"csv" doc:"csv: the file's own columns and what became of each row; xlsx: the same as a workbook; jsonl: rows as in the list; html: one page"`
}

func (a *API) reportImport(ctx context.Context, in *ReportRequest) (*huma.StreamResponse, error) {
	imp, err := a.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	r, err := in.report("")
	if err != nil {
		return nil, err
	}
	r.Format = report.Format(in.Format)
	return download(ctx, r.Format.Media(), "import-"+in.ID+"."+in.Format, func(to io.Writer) error {
		r.To = to
		return r.OfImport(ctx, a.Flow.Store, a.Flow.Policy, imp)
	})
}

// ConsentRequest agrees to the plan of an import.
type ConsentRequest struct {
	ImportPath
	Body struct {
		AcceptPermanent  bool  `json:"accept_permanent" required:"false" doc:"the claims are permanent"`
		AcceptEdits      bool  `json:"accept_edits" required:"false" doc:"many accounts get another name"`
		ActivationEmails *bool `json:"activation_emails" required:"false" nullable:"true" doc:"mail users when their account joins; null: as planned"`
		Claims           int   `json:"claims" minimum:"0" doc:"how many the plan shows"`
	}
}

func (a *API) agree(ctx context.Context, in *ConsentRequest) (*Answer[desk.Import], error) {
	imp, err := a.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if !in.Body.AcceptPermanent {
		return nil, noConsent()
	}
	imp, err = a.Flow.Agree(ctx, imp.OrganizationID, imp.ID, schema.Consent{
		By: auth.Of(ctx).Name, Claims: in.Body.Claims, ActivationEmails: in.Body.ActivationEmails, AcceptEdits: in.Body.AcceptEdits,
	})
	if err != nil {
		return nil, err
	}
	a.Wake(ctx)
	return a.show(imp)
}

func noConsent() error {
	return (&schema.Error{Code: schema.CodeConsentMissing}).WithFix(`Look at the plan, then say "accept_permanent": true.`)
}

func (a *API) decline(ctx context.Context, in *ImportPath) (*Answer[desk.Import], error) {
	return a.order(ctx, in, a.Flow.Decline)
}

func (a *API) cancel(ctx context.Context, in *ImportPath) (*Answer[desk.Import], error) {
	return a.order(ctx, in, a.Flow.Cancel)
}

func (a *API) resume(ctx context.Context, in *ImportPath) (*Answer[desk.Import], error) {
	return a.order(ctx, in, func(ctx context.Context, organization string, id int64) (schema.Import, error) {
		return a.Flow.Reopen(ctx, organization, id, false)
	})
}

// order gives an order to an import, and answers with what has become of it.
func (a *API) order(ctx context.Context, in *ImportPath, give func(ctx context.Context, organization string, id int64) (schema.Import, error)) (*Answer[desk.Import], error) {
	imp, err := a.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if imp, err = give(ctx, imp.OrganizationID, imp.ID); err != nil {
		return nil, err
	}
	a.Wake(ctx)
	return a.show(imp)
}

// RetractImportRequest takes back what an import has claimed.
type RetractImportRequest struct {
	ImportPath
	Body struct {
		DryRun bool `json:"dry_run" doc:"say what would happen, and change nothing"`
	}
}

// Retracted is what became of the claims of an import.
type Retracted struct {
	Retracted int                 `json:"retracted"`
	Refused   map[schema.Code]int `json:"refused" doc:"by reason"`
	Rows      []schema.Retraction `json:"rows" doc:"the first 1000"`
}

const mostRetracted = 1000 // that are listed

func (a *API) retractImport(ctx context.Context, in *RetractImportRequest) (*Answer[Retracted], error) {
	imp, err := a.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	done := Retracted{Refused: map[schema.Code]int{}, Rows: []schema.Retraction{}}
	err = a.retract(ctx, imp, in.Body.DryRun, func(r schema.Retraction) {
		if r.Retracted {
			done.Retracted++
		} else {
			done.Refused[r.Reason]++
		}
		if len(done.Rows) < mostRetracted {
			done.Rows = append(done.Rows, r)
		}
	})
	return answer(done), err
}

// ClaimRequest claims a few users by hand.
type ClaimRequest struct {
	Body struct {
		Addresses        []string `json:"addresses" required:"false" doc:"as in Ann Lee <ann@x.example>; a name given becomes the account's"`
		Listed           bool     `json:"listed" required:"false" doc:"claim all users that are listed as eligible, instead of addresses"`
		Domain           string   `json:"domain" required:"false" doc:"with listed: only addresses in this domain"`
		Type             string   `json:"type" required:"false" enum:"immediate,delayed" doc:"with listed: only users whose claim would be so"`
		Services         []string `json:"services" required:"false" doc:"to assign to each"`
		ActivationEmails *bool    `json:"activation_emails" required:"false" nullable:"true" doc:"mail users when their account joins; null: as the organization has it"`
		AcceptPermanent  bool     `json:"accept_permanent" required:"false" doc:"the claims are permanent"`
		AcceptEdits      bool     `json:"accept_edits" required:"false" doc:"many accounts get another name"`
		NoEdits          bool     `json:"no_edits" required:"false" doc:"leave the accounts' data as it is"`
	}
}

// claim claims users by hand: it plans, agrees and drives the import, beside whoever else does.
func (a *API) claim(ctx context.Context, in *ClaimRequest) (*Stated[desk.Import], error) {
	token := auth.Of(ctx)
	persons, services, err := a.byHand(ctx, in)
	if err != nil {
		return nil, err
	}
	if !in.Body.AcceptPermanent {
		return nil, noConsent()
	}
	imp, err := a.ClaimByHand(ctx, persons, services, schema.Order{
		Organization: token.OrganizationID, By: token.Name, ActivationEmails: in.Body.ActivationEmails, NoEdits: in.Body.NoEdits,
	}, schema.Consent{By: token.Name, Claims: desk.AnyNumber, AcceptEdits: in.Body.AcceptEdits})
	if err != nil {
		return nil, err
	}
	v, err := a.View(imp)
	return &Stated[desk.Import]{Status: http.StatusCreated, Location: Prefix + "/imports/" + v.ID, Body: v}, err
}

// digest returns what a request says, by which another one is known to say the same.
func digest(request any) ([]byte, error) {
	text, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("encode the request: %w", err)
	}
	sum := sha256.Sum256(text)
	return sum[:], nil
}
