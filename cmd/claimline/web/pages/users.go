package pages

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/claimline/claimline/pipeline/people"
	"github.com/claimline/claimline/schema"
)

func (p *Pages) registerUsers() {
	p.page("GET /users", schema.RoleViewer, p.listUsers)
	p.page("GET /users/{email}", schema.RoleViewer, func(e *exchange) error { return p.showUser(e, http.StatusOK, nil, "") })
	p.page("POST /users/{email}/retract", schema.RoleOperator, p.onUser("retracted", p.People.Retract))
	p.page("POST /users/{email}/remind", schema.RoleOperator, p.onUser("reminded", p.People.Remind))
}

// usersPage is a part of the users.
type usersPage struct {
	Users       []schema.Listing
	Status      schema.Status
	Statuses    []schema.Status
	Type        schema.ClaimType
	Retractable bool
	Search      string
	Next        string
}

const usersShown = 50

var statuses = []schema.Status{schema.DelayedClaim, schema.Active, schema.Verified, schema.NotVerified, schema.Pending, schema.Inactive}

func (p *Pages) listUsers(e *exchange) error {
	query := e.r.URL.Query()
	page := usersPage{
		Status: schema.Status(query.Get("status")), Type: schema.ClaimType(query.Get("claim_type")), Retractable: query.Get("retractable") != "",
		Search: query.Get("search"), Statuses: statuses,
	}
	filter := people.MemberFilter{Status: page.Status, ClaimType: page.Type, Retractable: page.Retractable, Search: page.Search}
	found, next, err := p.People.MembersAfter(e.r.Context(), e.organization.ID, filter, query.Get("after"), usersShown)
	if err != nil {
		return err
	}
	page.Users = found
	if next != "" {
		query.Set("after", next)
		page.Next = "/users?" + query.Encode()
	}
	return e.show(http.StatusOK, "users", page)
}

// userPage is all about one user.
type userPage struct {
	schema.AccountView
	Name    string
	Done    string // what has just been done
	Reason  string // why the claim cannot be taken back
	Refused *refusal
}

func (p *Pages) showUser(e *exchange, status int, refused *refusal, done string) error {
	email := e.r.PathValue("email")
	if err := p.People.CheckListed(e.r.Context(), e.organization.ID, email); err != nil {
		return err
	}
	shown, err := p.People.Show(e.r.Context(), e.organization.ID, email)
	if err != nil {
		return err
	}
	page := userPage{AccountView: shown, Name: shown.Name, Refused: refused, Done: done}
	if page.Done == "" {
		page.Done = e.r.URL.Query().Get("done")
	}
	if c := shown.Claim; c != nil && c.RetractReason != "" {
		page.Reason, _ = e.words.problem(c.RetractReason)
	}
	return e.show(status, "user", page)
}

// onUser does something with the claim on a user.
func (p *Pages) onUser(what string, do func(ctx context.Context, organization, email string) error) handler {
	return func(e *exchange) error {
		email := e.r.PathValue("email")
		err := p.People.CheckListed(e.r.Context(), e.organization.ID, email)
		if err != nil {
			return err
		}
		if err = do(e.r.Context(), e.organization.ID, email); err == nil {
			if what == "retracted" { // it may not be listed any more
				return e.redirect("/users?" + url.Values{"done": {what}}.Encode())
			}
			return e.redirect("/users/" + url.PathEscape(email) + "?done=" + what)
		}
		said := e.words.refusalOf(err)
		if said.Status >= http.StatusInternalServerError {
			return err
		}
		return p.showUser(e, said.Status, &said, "")
	}
}

// dueDay is what is due on one day.
type dueDay struct {
	Day time.Time
	Due []schema.Deadline
}

// days puts deadlines together that fall on one day.
func (p *Pages) days(found []schema.Deadline) (days []dueDay) {
	for _, d := range found {
		y, m, day := d.DueAt.In(p.Location).Date()
		at := time.Date(y, m, day, 12, 0, 0, 0, p.Location)
		if len(days) == 0 || !days[len(days)-1].Day.Equal(at) {
			days = append(days, dueDay{Day: at})
		}
		last := &days[len(days)-1]
		last.Due = append(last.Due, d)
	}
	return days
}
