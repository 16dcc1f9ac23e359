package pages

import (
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/claimline/claimline/cmd/claimline/web/desk"
	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/people"
	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

func (p *Pages) registerImports() {
	p.page("GET /imports", schema.RoleViewer, p.listImports)
	p.page("GET /imports/new", schema.RoleOperator, func(e *exchange) error {
		return e.show(http.StatusOK, "new", &newImport{Most: p.UploadBytes >> 20})
	})
	p.page("POST /imports/new", schema.RoleOperator, p.planImport)
	p.page("GET /eligible.csv", schema.RoleViewer, p.exportEligible)
	p.page("GET /eligible.xlsx", schema.RoleViewer, p.exportEligible)
	p.page("GET /imports/{id}", schema.RoleViewer, p.ofImport(func(e *exchange, imp schema.Import) error {
		return p.showImport(e, imp, http.StatusOK, nil)
	}))
	p.page("GET /imports/{id}/events", schema.RoleViewer, p.ofImport(p.followImport))
	p.page("GET /imports/{id}/report", schema.RoleViewer, p.ofImport(p.downloadReport))
	p.page("POST /imports/{id}/consent", schema.RoleOperator, p.ofImport(p.agree))
	p.page("POST /imports/{id}/decline", schema.RoleOperator, p.ofImport(p.order(p.declineImport)))
	p.page("POST /imports/{id}/cancel", schema.RoleOperator, p.ofImport(p.order(p.cancelImport)))
	p.page("POST /imports/{id}/resume", schema.RoleOperator, p.ofImport(p.order(p.resumeImport)))
	p.page("GET /imports/{id}/retract", schema.RoleOperator, p.ofImport(p.askRetract))
	p.page("POST /imports/{id}/retract", schema.RoleOperator, p.ofImport(p.retractImport))
}

// ofImport has a request answered that is about an import of the reader's organization.
func (p *Pages) ofImport(do func(*exchange, schema.Import) error) handler {
	return func(e *exchange) error {
		number, err := pipeline.ParseImportID(e.r.PathValue("id"))
		if err != nil {
			return err
		}
		imp, err := p.Flow.Store.Import(e.r.Context(), e.organization.ID, number)
		if err != nil {
			return err
		}
		return do(e, imp)
	}
}

// listed is an import in a list.
type listed struct {
	desk.Import
	Title template.HTML
	Bar   bar
	At    time.Time
}

// imports is a list of imports.
type imports struct {
	Imports []listed
	Older   string // id to go on before; blank: there are none
}

const importsShown = 25

func (p *Pages) listImports(e *exchange) error {
	before, _ := strconv.ParseInt(e.r.FormValue("before"), 10, 64) // what is no number is the first page
	found, next, err := p.Flow.Store.ImportsBefore(e.r.Context(), e.organization.ID, "", max(before, 0), importsShown)
	if err != nil {
		return err
	}
	list := imports{}
	if next != 0 {
		list.Older = strconv.FormatInt(next, 10)
	}
	if list.Imports, err = p.listed(e, found); err != nil {
		return err
	}
	return e.show(http.StatusOK, "imports", list)
}

func (p *Pages) listed(e *exchange, found []schema.Import) (list []listed, err error) {
	for i := range found {
		l := listed{Title: e.words.state(found[i].State), At: found[i].StartedAt}
		if l.Import, err = p.View(found[i]); err != nil {
			return nil, err
		}
		l.Bar = e.words.bar(&l.Summary)
		list = append(list, l)
	}
	return list, nil
}

// newImport is the page on which a file is chosen.
type newImport struct {
	Most       int64 // MiB that a file may have
	Refused    *refusal
	File       string
	Candidates dialect.CandidatesError // encodings that the file may have
	Sheets     dialect.SheetsError     // of a workbook, one of which is meant
	Doubts     usersfile.DoubtsError   // columns that may be others
	EveryRow   bool                    // it helps to say that every row counts

	// As they were chosen.
	AllOrNothing, NoEdits, Every bool
	Encoding, Notify             string
}

// Chosen reports whether something was chosen that is not asked of everybody.
func (n *newImport) Chosen() bool {
	return n.AllOrNothing || n.NoEdits || n.Every || n.Encoding != "" || n.Notify != ""
}

// choices takes note of what was chosen.
func (n *newImport) choices(fields url.Values) {
	n.AllOrNothing, n.NoEdits, n.Every = fields.Get(fieldAllOrNothing) != "", fields.Get(fieldNoEdits) != "", fields.Get(fieldEveryRow) != ""
	n.Encoding, n.Notify = fields.Get(fieldEncoding), fields.Get(fieldNotify)
}

// The fields of the form with a file. Those of doubts are numbered: a header, what it is.
const (
	fieldAllOrNothing = "all_or_nothing"
	fieldNoEdits      = "no_edits"
	fieldEncoding     = "encoding"
	fieldSheet        = "sheet"
	fieldColumn       = "column"
	fieldEveryRow     = "every_row"
	fieldNotify       = "notify"
)

// planImport plans an import of a file, and goes on to its plan. A file of which something is unclear is
// asked about.
func (p *Pages) planImport(e *exchange) error {
	var imp schema.Import
	page := &newImport{Most: p.UploadBytes >> 20}
	fields := []string{fieldAllOrNothing, fieldNoEdits, fieldEncoding, fieldSheet, fieldColumn, fieldEveryRow, fieldNotify}
	err := p.Receive(e.w, e.r, "", fields, func(file desk.Upload) error {
		page.File = file.Name()
		page.choices(file.Fields)
		if file.Name() == "" || file.Size() == 0 {
			return schema.Refuse(schema.CodeFileEmpty, "%s", e.words.say("No file was chosen, or it is empty."))
		}
		order, err := orderOf(e, file.Fields)
		if err != nil {
			return err
		}
		imp, err = p.Flow.Plan(e.r.Context(), file, order, pipeline.Watch{})
		return err
	})
	if err == nil {
		return e.redirect(importPath(imp.ID))
	}
	said := e.words.refusalOf(err)
	if said.Status != http.StatusUnprocessableEntity && said.Status != http.StatusRequestEntityTooLarge && said.Status != http.StatusConflict {
		return err
	}
	page.Refused = &said
	page.Candidates, _ = errors.AsType[dialect.CandidatesError](err)
	page.Sheets, _ = errors.AsType[dialect.SheetsError](err)
	page.Doubts, _ = errors.AsType[usersfile.DoubtsError](err)
	if len(page.Candidates) > 0 { // what is asked on the page says all that a command says of its options
		said.Message, said.Fix = string(e.words.say("It is not certain in which encoding the file is. Choose below what the cell says.")), ""
	}
	for _, d := range page.Doubts {
		page.EveryRow = page.EveryRow || d.Known == schema.ClaimHeader
	}
	return e.show(said.Status, "new", page)
}

// exportEligible hands out the users who can be claimed, or those of them that are asked for, to be edited
// and imported.
func (p *Pages) exportEligible(e *exchange) error {
	selection := people.Selection{Domain: e.r.FormValue("domain"), Type: schema.ClaimType(e.r.FormValue("type")), Search: e.r.FormValue("search")}
	format := report.CSV
	if strings.HasSuffix(e.r.URL.Path, "."+string(report.XLSX)) {
		format = report.XLSX
	}
	file, err := desk.NewDownload(func(to io.Writer) error {
		_, err := p.People.Export(e.r.Context(), e.organization.ID, selection, schema.Format{Workbook: format == report.XLSX}, to, nil)
		return err
	})
	if err != nil {
		return err
	}
	defer file.Close()
	return file.Send(e.w, e.r, format.Media(), "eligible."+string(format))
}

// orderOf reads how a file is to be imported.
func orderOf(e *exchange, fields url.Values) (schema.Order, error) {
	order := schema.Order{Organization: e.organization.ID, By: e.token.Name, AllOrNothing: fields.Get(fieldAllOrNothing) != ""}
	reading := schema.Reading{Encoding: fields.Get(fieldEncoding), Sheet: fields.Get(fieldSheet), NoEdits: fields.Get(fieldNoEdits) != "", EveryRow: fields.Get(fieldEveryRow) != ""}
	for _, given := range fields[fieldColumn] {
		switch header, ignored := strings.CutPrefix(given, ignoreMark); {
		case ignored:
			reading.IgnoreColumns = append(reading.IgnoreColumns, header)
		case given != "":
			reading.Columns = append(reading.Columns, given)
		}
	}
	for _, address := range addresses(fields.Get(fieldNotify)) {
		if _, problem := schema.ParseAddress(address); problem != "" {
			return order, schema.Refuse(problem, "%s", problem.Wrong(schema.Quote(address)))
		}
		order.Notify = append(order.Notify, address)
	}
	err := reading.Into(&order, "")
	return order, err
}

// ignoreMark is before the header of a column that means nothing.
const ignoreMark = "\x01"

func importPath(id int64) string { return fmt.Sprintf("/imports/%d", id) }

// agree agrees to a plan whose number was typed.
func (p *Pages) agree(e *exchange, imp schema.Import) error {
	claims, err := parseCount(e, e.r.PostFormValue("claims"))
	consent := schema.Consent{By: e.token.Name, Claims: claims, AcceptEdits: e.r.PostFormValue("accept_edits") != ""}
	if said := e.r.PostFormValue("activation_emails"); said != "" {
		consent.ActivationEmails = new(said == "on")
	}
	switch {
	case err != nil:
	case e.r.PostFormValue("accept_permanent") == "":
		err = &schema.Error{Code: schema.CodeConsentMissing}
	default:
		_, err = p.Flow.Agree(e.r.Context(), imp.OrganizationID, imp.ID, consent)
	}
	if err != nil {
		return p.importRefused(e, imp, err)
	}
	p.Wake(e.r.Context())
	return e.redirect(importPath(imp.ID))
}

// parseCount reads a number as people type it, with or without groups of digits.
func parseCount(e *exchange, text string) (int, error) {
	n, err := strconv.Atoi(strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \u00a0\u202f,.'", r) {
			return -1
		}
		return r
	}, text))
	if err != nil {
		return 0, schema.Refuse(schema.CodeRequestInvalid, "%s", e.words.say("The number was not typed.")).
			WithFix("%s", e.words.say("Type the number of users that the plan shows."))
	}
	return n, nil
}

// importRefused shows an import again, with why something was not done.
func (p *Pages) importRefused(e *exchange, imp schema.Import, err error) error {
	said := e.words.refusalOf(err)
	if said.Status >= http.StatusInternalServerError {
		return err
	}
	if imp, err = p.Flow.Store.Import(e.r.Context(), imp.OrganizationID, imp.ID); err != nil {
		return err
	}
	return p.showImport(e, imp, said.Status, &said)
}

// order gives an order to an import.
func (p *Pages) order(give func(*exchange, schema.Import) error) func(*exchange, schema.Import) error {
	return func(e *exchange, imp schema.Import) error {
		if err := give(e, imp); err != nil {
			return p.importRefused(e, imp, err)
		}
		p.Wake(e.r.Context())
		return e.redirect(importPath(imp.ID))
	}
}

func (p *Pages) declineImport(e *exchange, imp schema.Import) error {
	_, err := p.Flow.Decline(e.r.Context(), imp.OrganizationID, imp.ID)
	return err
}

func (p *Pages) cancelImport(e *exchange, imp schema.Import) error {
	_, err := p.Flow.Cancel(e.r.Context(), imp.OrganizationID, imp.ID)
	return err
}

func (p *Pages) resumeImport(e *exchange, imp schema.Import) error {
	_, err := p.Flow.Reopen(e.r.Context(), imp.OrganizationID, imp.ID, false)
	return err
}

// followImport tells how an import stands, again and again.
func (p *Pages) followImport(e *exchange, imp schema.Import) error {
	err := p.Follow(e.w, e.r, imp, func() error { _, err := e.signedIn(); return err })
	if err != nil && e.r.Context().Err() == nil {
		zerolog.Ctx(e.r.Context()).Debug().Err(err).Msg("an import is not followed any more")
	}
	return nil
}

// downloadReport hands out what became of the rows.
func (p *Pages) downloadReport(e *exchange, imp schema.Import) error {
	r := &report.Report{Format: report.Format(e.r.FormValue("format")), Language: e.words.language}
	if !slices.Contains([]report.Format{report.CSV, report.XLSX, report.JSONL, report.HTML}, r.Format) {
		r.Format = report.CSV
	}
	name := fmt.Sprintf("import-%d.%s", imp.ID, r.Format)
	if e.r.FormValue("only") == report.OnlyProblems {
		r.Only = []string{report.OnlyProblems}
		name = "problems-" + name
	}
	file, err := desk.NewDownload(func(to io.Writer) error {
		r.To = to
		return r.OfImport(e.r.Context(), p.Flow.Store, p.Flow.Policy, imp)
	})
	if err != nil {
		return err
	}
	defer file.Close()
	return file.Send(e.w, e.r, r.Format.Media(), name)
}

// retracting is what taking back an import would do, or has done.
type retracting struct {
	Import  listed
	Can     int
	Cannot  []counted
	Domains []string // claimed ones that are all that is in the way
	Begun   bool
	Done    bool     // to its end
	Refused *refusal // why it does not go on
	Mark    string   // where to go on; blank: at the beginning
	Left    int      // claims of which nothing is known yet; nothing more than a measure
	Reasons []string // what Cannot counts, as a form bears it
}

// counted is how many there are of something.
type counted struct {
	Code         schema.Code
	Count        int
	Message, Fix string
}

func (w *words) counts(of map[schema.Code]int) (list []counted) {
	for _, code := range slices.SortedFunc(maps.Keys(of), func(a, b schema.Code) int { return cmp.Or(cmp.Compare(of[b], of[a]), cmp.Compare(a, b)) }) {
		c := counted{Code: code, Count: of[code]}
		c.Message, c.Fix = w.problem(code)
		list = append(list, c)
	}
	return list
}

// askRetract says what taking back the claims of an import would do.
func (p *Pages) askRetract(e *exchange, imp schema.Import) error {
	planned, err := p.People.PlanRetract(e.r.Context(), imp.OrganizationID, imp.ID)
	if err != nil {
		return err
	}
	list, err := p.listed(e, []schema.Import{imp})
	if err != nil {
		return err
	}
	return e.show(http.StatusOK, "retract", retracting{
		Import: list[0], Can: planned.Plan.Can, Cannot: e.words.counts(planned.Plan.Cannot), Domains: planned.Plan.Domains,
	})
}

// For how long claims are taken back before a page is shown: not long where a script goes on from there.
const (
	retractTime   = 10 * time.Second
	retractStep   = 2 * time.Second
	retractAtOnce = 50 // between two looks at the clock
)

// The fields of the form that goes on taking claims back. What was counted is for who reads the page alone.
const (
	fieldMark    = "mark"
	fieldDone    = "done"
	fieldCannot  = "cannot"
	fieldDomains = "domain"
	fieldLeft    = "left"
	fieldSteps   = "steps" // a script goes on
)

// retractImport takes the claims of an import back, as many as can be in a moment; what is left is gone on
// with from the page that is shown.
func (p *Pages) retractImport(e *exchange, imp schema.Import) error {
	ctx, form := e.r.Context(), e.r.PostForm
	shown, cannot := retracting{Begun: true}, map[schema.Code]int{}
	var run *people.ImportRetract
	var err error
	if mark := form.Get(fieldMark); mark == "" {
		if run, err = p.People.PlanRetract(ctx, imp.OrganizationID, imp.ID); err != nil {
			return err
		}
		shown.Left = run.Plan.Can
		for _, n := range run.Plan.Cannot {
			shown.Left += n
		}
	} else {
		if run, err = p.People.ResumeRetract(ctx, imp.OrganizationID, imp.ID, mark, form[fieldDomains]); err != nil {
			return err
		}
		shown.Can, shown.Left = numberOf(form.Get(fieldDone)), numberOf(form.Get(fieldLeft))
		for _, text := range form[fieldCannot] {
			code, n, _ := strings.Cut(text, "=")
			if known := schema.Code(code); known.Status() != 0 {
				cannot[known] = numberOf(n)
			}
		}
	}
	run.Limit = retractAtOnce
	span := retractTime
	if form.Get(fieldSteps) != "" {
		span = retractStep
	}
	for until := time.Now().Add(span); !shown.Done && shown.Refused == nil && time.Now().Before(until); {
		page, err := run.Next(ctx, false)
		for _, r := range page {
			if shown.Left--; r.Retracted {
				shown.Can++
			} else {
				cannot[r.Reason]++
			}
		}
		if err != nil { // what was done before is told all the same
			if ctx.Err() != nil {
				return err
			}
			zerolog.Ctx(ctx).Error().Err(err).Msg("taking claims back was interrupted")
			said := e.words.refusalOf(err)
			shown.Refused = &said
		}
		shown.Done = len(page) == 0 && err == nil
	}
	shown.Domains = run.Plan.Domains
	list, err := p.listed(e, []schema.Import{imp})
	if err != nil {
		return err
	}
	shown.Import, shown.Cannot, shown.Mark, shown.Left = list[0], e.words.counts(cannot), run.Mark(), max(shown.Left, 0)
	for _, c := range shown.Cannot {
		shown.Reasons = append(shown.Reasons, fmt.Sprintf("%s=%d", c.Code, c.Count))
	}
	return e.show(http.StatusOK, "retract", shown)
}

// numberOf reads a number that a form bears; what is none is 0.
func numberOf(text string) int {
	n, _ := strconv.Atoi(text)
	return max(n, 0)
}
