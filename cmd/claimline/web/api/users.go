package api

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/claimline/claimline/cmd/claimline/calendar"
	"github.com/claimline/claimline/pipeline/people"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/words"
	"github.com/claimline/claimline/pipeline/workbook"
	"github.com/claimline/claimline/schema"
)

const users = "users" // the tag

func (a *API) registerUsers() {
	op := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{users}}
	}
	register(a, schema.RoleViewer, op("list-eligible", http.MethodGet, "/eligible", "List the users that can be claimed: the first, and how many there are"), a.listEligible)
	export := op("export-eligible", http.MethodGet, "/eligible.csv", "Write the users that can be claimed as a CSV file, to be edited and imported")
	export.Responses = files("text/csv")
	register(a, schema.RoleViewer, export, a.exportEligible)
	sheet := op("export-eligible-workbook", http.MethodGet, "/eligible.xlsx", "Write the users that can be claimed as an Excel workbook, to be edited and imported")
	sheet.Responses = files(workbook.Media)
	register(a, schema.RoleViewer, sheet, a.exportWorkbook)
	register(a, schema.RoleViewer, op("explain-eligible", http.MethodGet, "/eligible/{email}", "Tell whether an address can be claimed, and why not"), a.explain)
	claim := op("claim-users", http.MethodPost, "/claims", "Claim a few users by hand, or all that are listed as eligible")
	claim.DefaultStatus = http.StatusCreated
	register(a, schema.RoleOperator, claim, a.claim)

	register(a, schema.RoleViewer, op("list-users", http.MethodGet, "/users", "List the users of the organization, and those it has claimed"), a.listUsers)
	register(a, schema.RoleViewer, op("show-user", http.MethodGet, "/users/{email}", "Show all about one user"), a.showUser)
	register(a, schema.RoleOperator, op("retract-user", http.MethodPost, "/users/{email}/retract", "Take back the claim on a user"), a.retractUser)
	remind := op("remind-user", http.MethodPost, "/users/{email}/remind", "Mail the owner of a delayed claim again")
	remind.DefaultStatus = http.StatusAccepted
	register(a, schema.RoleOperator, remind, a.remindUser)
	remove := op("remove-user", http.MethodDelete, "/users/{email}", "Remove a member, or close the immediate claim on one")
	remove.DefaultStatus = http.StatusNoContent
	register(a, schema.RoleOperator, remove, a.removeUser)

	register(a, schema.RoleViewer, op("list-deadlines", http.MethodGet, "/deadlines", "List what is due, the soonest first"), a.listDeadlines)
	calendar := op("deadlines-calendar", http.MethodGet, "/deadlines.ics", "Write what is due as a calendar")
	calendar.Responses = files("text/calendar")
	register(a, schema.RoleViewer, calendar, a.deadlinesCalendar)
}

// Selection narrows who is eligible.
type Selection struct {
	Domain string `query:"domain" doc:"only addresses in this domain; its subdomains are domains of their own"`
	Type   string `query:"type" enum:"immediate,delayed" doc:"only users whose claim would be so"`
}

// EligibleRequest asks who is eligible.
type EligibleRequest struct {
	Limit
	Selection
}

// Eligible is the first users that can be claimed, and how many there are.
type Eligible struct {
	people.EligibleList
	Next *string `json:"next" doc:"null: for all of them, export a file"`
}

func (a *API) listEligible(ctx context.Context, in *EligibleRequest) (*Answer[Eligible], error) {
	selection, err := selectionOf(in.Domain, in.Type)
	if err != nil {
		return nil, err
	}
	most := a.Flow.Policy.ScreenLimit
	if in.Limit.Limit != 0 {
		most = min(most, in.Limit.Limit)
	}
	list, err := a.People.ListEligible(ctx, organization(ctx), selection, most)
	return answer(Eligible{EligibleList: list}), err
}

// ExportRequest asks for the users file.
type ExportRequest struct{ Selection }

func (a *API) exportEligible(ctx context.Context, in *ExportRequest) (*huma.StreamResponse, error) {
	return a.export(ctx, in, "text/csv; charset=utf-8", "eligible.csv", schema.Format{})
}

func (a *API) exportWorkbook(ctx context.Context, in *ExportRequest) (*huma.StreamResponse, error) {
	return a.export(ctx, in, workbook.Media, "eligible.xlsx", schema.Format{Workbook: true})
}

func (a *API) export(ctx context.Context, in *ExportRequest, media, name string, format schema.Format) (*huma.StreamResponse, error) {
	selection, err := selectionOf(in.Domain, in.Type)
	if err != nil {
		return nil, err
	}
	return download(ctx, media, name, func(to io.Writer) error {
		_, err := a.People.Export(ctx, organization(ctx), selection, format, to, nil)
		return err
	})
}

// UserPath names a user.
type UserPath struct {
	Email string `path:"email" doc:"address of the user"`
}

func (a *API) explain(ctx context.Context, in *UserPath) (*Answer[people.Eligibility], error) {
	answers, err := a.People.Explain(ctx, organization(ctx), []string{in.Email})
	if err != nil {
		return nil, err
	}
	return answer(answers[0]), nil
}

// Users is a list of users.
type Users struct {
	Users []schema.Listing `json:"users"`
	Next  *string          `json:"next"`
}

// UsersRequest asks for users.
type UsersRequest struct {
	Page
	Status      string `query:"status" enum:"delayed_claim,active,verified,not_verified,pending,inactive" doc:"only users listed with this status"`
	ClaimType   string `query:"claim_type" enum:"immediate,delayed" doc:"only users with such a claim"`
	Retractable bool   `query:"retractable" doc:"only users whose claim can be retracted now"`
	Search      string `query:"search" doc:"only users with these words in the address or a name"`
}

func (a *API) listUsers(ctx context.Context, in *UsersRequest) (*Answer[Users], error) {
	after, err := readCursor(in.After, 1)
	if err != nil {
		return nil, err
	}
	filter := people.MemberFilter{
		Status: schema.Status(in.Status), ClaimType: schema.ClaimType(in.ClaimType), Retractable: in.Retractable, Search: in.Search,
	}
	found, next, err := a.People.MembersAfter(ctx, organization(ctx), filter, after[0], in.limit())
	if err != nil {
		return nil, err
	}
	list := Users{Users: append([]schema.Listing{}, found...)}
	if next != "" {
		list.Next = cursor(next)
	}
	return answer(list), nil
}

// listed refuses, as if there were no such account, an address that the organization does not list.
func (a *API) listed(ctx context.Context, in *UserPath) error {
	return a.People.CheckListed(ctx, organization(ctx), in.Email)
}

func (a *API) showUser(ctx context.Context, in *UserPath) (*Answer[schema.AccountView], error) {
	member, err := a.People.Member(ctx, organization(ctx), in.Email)
	return answer(member.AccountView), err
}

// RetractedUser is a user whose claim was taken back.
type RetractedUser struct {
	Email     string `json:"email"`
	Retracted bool   `json:"retracted"`
}

func (a *API) retractUser(ctx context.Context, in *UserPath) (*Answer[RetractedUser], error) {
	if err := a.listed(ctx, in); err != nil {
		return nil, err
	}
	err := a.People.Retract(ctx, organization(ctx), in.Email)
	return answer(RetractedUser{Email: strings.TrimSpace(in.Email), Retracted: true}), err
}

func (a *API) remindUser(ctx context.Context, in *UserPath) (*Answer[schema.Reminder], error) {
	if err := a.listed(ctx, in); err != nil {
		return nil, err
	}
	err := a.People.Remind(ctx, organization(ctx), in.Email)
	return answer(schema.Reminder{Email: strings.TrimSpace(in.Email), Reminded: true}), err
}

func (a *API) removeUser(ctx context.Context, in *UserPath) (*struct{}, error) {
	if err := a.listed(ctx, in); err != nil {
		return nil, err
	}
	_, err := a.People.Remove(ctx, organization(ctx), in.Email)
	return nil, err
}

// retract takes back what an import has claimed, and hands over what became of each claim.
func (a *API) retract(ctx context.Context, imp schema.Import, dryRun bool, each func(schema.Retraction)) error {
	planned, err := a.People.PlanRetract(ctx, imp.OrganizationID, imp.ID)
	if err != nil {
		return err
	}
	for {
		page, err := planned.Next(ctx, dryRun)
		for _, r := range page {
			each(r)
		}
		if err != nil || len(page) == 0 {
			return err
		}
	}
}

// Deadlines is a list of what is due.
type Deadlines struct {
	Deadlines []schema.Deadline `json:"deadlines"`
	Next      *string           `json:"next"`
}

// Within is until when things are due.
type Within struct {
	Within string `query:"within" doc:"only what is due within that time, as 3d or 72h"`
}

func (w *Within) until(now time.Time) (time.Time, error) {
	if w.Within == "" {
		return time.Time{}, nil
	}
	span, ok := schema.ParseSpan(w.Within)
	if !ok {
		return time.Time{}, schema.Refuse(schema.CodeRequestInvalid, "within %s is no length of time.", schema.Quote(w.Within)).
			WithFix("Write days or hours, as in 3d or 72h.")
	}
	return now.Add(span), nil
}

// DeadlinesRequest asks for what is due.
type DeadlinesRequest struct {
	Page
	Within
}

func (a *API) listDeadlines(ctx context.Context, in *DeadlinesRequest) (*Answer[Deadlines], error) {
	until, err := in.until(a.Flow.Now())
	if err != nil {
		return nil, err
	}
	parts, err := readCursor(in.After, 3)
	if err != nil {
		return nil, err
	}
	after := store.DeadlineMark{Key: parts[1], Kind: schema.DeadlineKind(parts[2])}
	if in.After != "" {
		if after.DueAt, err = time.Parse(time.RFC3339, parts[0]); err != nil {
			return nil, badCursor()
		}
	}
	found, last, more, err := a.People.FirstDeadlines(ctx, organization(ctx), after, in.limit())
	if err != nil {
		return nil, err
	}
	list := Deadlines{Deadlines: []schema.Deadline{}}
	for _, d := range found {
		if !until.IsZero() && d.DueAt.After(until) {
			return answer(list), nil
		}
		list.Deadlines = append(list.Deadlines, d)
	}
	if more {
		list.Next = cursor(last.DueAt.UTC().Format(time.RFC3339), last.Key, string(last.Kind))
	}
	return answer(list), nil
}

// CalendarRequest asks for a calendar of what is due.
type CalendarRequest struct{ Within }

func (a *API) deadlinesCalendar(ctx context.Context, in *CalendarRequest) (*huma.StreamResponse, error) {
	until, err := in.until(a.Flow.Now())
	if err != nil {
		return nil, err
	}
	o, err := a.Flow.Store.Organization(ctx, organization(ctx))
	if err != nil {
		return nil, err
	}
	due, err := calendar.Collect(ctx, a.People, o.ID, until)
	if err != nil {
		return nil, err
	}
	defer func() { _ = due.Close() }()
	return download(ctx, "text/calendar; charset=utf-8", "deadlines.ics", func(to io.Writer) error {
		return calendar.Write(to, o, due.Each, a.Flow.Now(), a.Location, words.English)
	})
}
