package pages

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/claimline/claimline/pipeline/people"
	"github.com/claimline/claimline/schema"
)

func (p *Pages) registerUsers() {
	p.page("GET /users", schema.RoleViewer, p.listUsers)
	p.page("GET /users/{email}", schema.RoleViewer, func(e *exchange) error { return p.showUser(e, http.StatusOK, nil) })
	p.page("GET /users/{email}/retract", schema.RoleOperator, p.askUser(doRetract))
	p.page("POST /users/{email}/retract", schema.RoleOperator, p.onUser(doRetract, p.People.Retract))
	p.page("GET /users/{email}/remove", schema.RoleOperator, p.askUser(doRemove))
	p.page("POST /users/{email}/remove", schema.RoleOperator, p.onUser(doRemove, func(ctx context.Context, organization, email string) error {
		_, err := p.People.Remove(ctx, organization, email)
		return err
	}))
	p.page("POST /users/{email}/remind", schema.RoleOperator, p.onUser(doRemind, p.People.Remind))
}

// What can be done to a user.
const (
	doRetract = "retract"
	doRemove  = "remove"
	doRemind  = "remind"
)

// The orders of the list of users.
const (
	byEmail  = ""
	bySoon   = "days_left"
	byLatest = "-days_left"
)

// usersPage is a part of the users.
type usersPage struct {
	Users       []schema.Listing
	Status      schema.Status
	Statuses    []schema.Status
	Type        schema.ClaimType
	Retractable bool
	Search      string
	Sort        string
	Done        string // what has just been done
	Filtered    bool
	First       bool   // these are the first
	Next        string // where there are more; blank: there are none
}

const usersShown = 50

var statuses = []schema.Status{schema.DelayedClaim, schema.Active, schema.Verified, schema.NotVerified, schema.Pending, schema.Inactive}

func (p *Pages) listUsers(e *exchange) error {
	query := e.r.URL.Query()
	page := usersPage{
		Status: schema.Status(query.Get("status")), Type: schema.ClaimType(query.Get("claim_type")), Retractable: query.Get("retractable") != "",
		Search: query.Get("search"), Statuses: statuses, Sort: query.Get("sort"), Done: query.Get("done"), First: query.Get("after") == "",
	}
	page.Filtered = page.Status != "" || page.Type != "" || page.Retractable || page.Search != ""
	filter := people.MemberFilter{Status: page.Status, ClaimType: page.Type, Retractable: page.Retractable, Search: page.Search}
	next, err := p.findUsers(e, &page, filter, query.Get("after"))
	if err != nil {
		return err
	}
	if next != "" {
		query.Set("after", next)
		query.Del("done")
		page.Next = "/users?" + query.Encode()
	}
	return e.show(http.StatusOK, "users", page)
}

// findUsers fills in the users behind a mark, and returns the mark of the next page; blank: there is none.
// What is no mark of ours begins at the first.
func (p *Pages) findUsers(e *exchange, page *usersPage, filter people.MemberFilter, after string) (next string, err error) {
	ctx, id := e.r.Context(), e.organization.ID
	if page.Sort != bySoon && page.Sort != byLatest {
		page.Sort = byEmail
		page.Users, next, err = p.People.MembersAfter(ctx, id, filter, after, usersShown)
		return next, err
	}
	found, mark, more, err := p.People.MembersByDaysLeft(ctx, id, filter, parseMark(after), usersShown, page.Sort == byLatest)
	if page.Users = found; more {
		next = formatMark(mark)
	}
	return next, err
}

// A mark among users by the days left is "SECONDS CLAIM" among those under a claim, and "KEY" behind them.
func formatMark(m people.DaysLeftMark) string {
	if m.Rest {
		return m.Key
	}
	return fmt.Sprintf("%d %d", m.Claim.ClaimedAt.Unix(), m.Claim.Claim)
}

func parseMark(text string) (m people.DaysLeftMark) {
	var seconds int64
	if n, _ := fmt.Sscanf(text, "%d %d", &seconds, &m.Claim.Claim); n == 2 {
		m.Claim.ClaimedAt = time.Unix(seconds, 0).UTC()
		return m
	}
	return people.DaysLeftMark{Rest: text != "", Key: text}
}

// userPage is all about one user.
type userPage struct {
	people.Member
	Organization string // name of the one that the account belongs to
	Ours         bool   // that is the reader's
	Until        time.Time
	Done         string // what has just been done
	Mailed       bool   // mails are sent
	Reason       string // why the claim cannot be taken back
	NoRemove     string // why the user cannot be removed; blank: it can
	Refused      *refusal
}

// user finds all about the user of a path.
func (p *Pages) user(e *exchange) (page userPage, err error) {
	ctx, id := e.r.Context(), e.organization.ID
	member, err := p.People.Member(ctx, id, e.r.PathValue("email"))
	if err != nil {
		return page, err
	}
	of := member.AccountView.Organization
	page = userPage{Member: member, Mailed: p.Mailed, Organization: of, Ours: of == id}
	if page.Ours {
		page.Organization = nameOf(e.organization)
	} else if o, err := p.Flow.Store.Organization(ctx, of); err == nil {
		page.Organization = nameOf(o)
	} else if schema.CodeOf(err) != schema.CodeOrganizationUnknown {
		return page, err
	}
	if c := member.Claim; c != nil {
		page.Until = p.People.Rules().CompletesAt(c.ClaimedAt)
		if c.RetractReason != "" {
			page.Reason, _ = e.words.problem(c.RetractReason)
		}
	}
	if member.NoRemove != "" {
		page.NoRemove, _ = e.words.problem(member.NoRemove)
	}
	return page, nil
}

func (p *Pages) showUser(e *exchange, status int, refused *refusal) error {
	page, err := p.user(e)
	if err != nil {
		return err
	}
	page.Refused, page.Done = refused, e.r.URL.Query().Get("done")
	return e.show(status, "user", page)
}

// askedUser is a user to whom something is about to be done.
type askedUser struct {
	userPage
	What string
}

// askUser says what doing something to a user means, before it is done.
func (p *Pages) askUser(what string) handler {
	return func(e *exchange) error {
		page, err := p.user(e)
		if err != nil {
			return err
		}
		possible := what == doRetract && page.Claim != nil && page.Claim.Retractable || what == doRemove && page.NoRemove == ""
		if !possible {
			return e.redirect(userPath(e.r.PathValue("email"))) // it says why
		}
		return e.show(http.StatusOK, "askuser", askedUser{page, what})
	}
}

// onUser does something to a user.
func (p *Pages) onUser(what string, do func(ctx context.Context, organization, email string) error) handler {
	return func(e *exchange) error {
		email := e.r.PathValue("email")
		err := p.People.CheckListed(e.r.Context(), e.organization.ID, email)
		if err != nil {
			return err
		}
		if err = do(e.r.Context(), e.organization.ID, email); err == nil {
			if what != doRemind { // the user may not be listed any more
				return e.redirect("/users?done=" + what)
			}
			return e.redirect(userPath(email) + "?done=" + what)
		}
		said := e.words.refusalOf(err)
		if said.Status >= http.StatusInternalServerError {
			return err
		}
		return p.showUser(e, said.Status, &said)
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
