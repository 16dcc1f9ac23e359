package pages

import (
	"net/http"
	"slices"
	"time"

	"github.com/claimline/claimline/pipeline/people"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// home is how it stands: what waits for somebody, what is under way, what is due, and how far each domain is.
type home struct {
	Waiting   []listed          // imports that wait for somebody
	Latest    []listed          // the others
	Schedules []schema.Schedule // whose last run failed or waits
	Mails     int               // that have failed, at most mailsCounted
	Days      []dueDay
	Domains   []domainStands
}

// domainStands is how far a domain is.
type domainStands struct {
	schema.Domain
	Claimable int
}

func (p *Pages) registerHome() { p.page("GET /{$}", schema.RoleViewer, p.home) }

const (
	homeImports  = 8
	homeDays     = 7 * 24 * time.Hour
	mailsCounted = 100
)

func (p *Pages) home(e *exchange) error {
	ctx, id, h := e.r.Context(), e.organization.ID, home{}
	for _, state := range []schema.ImportState{schema.StateAwaitingConsent, schema.StateInterrupted} {
		found, _, err := p.Flow.Store.ImportsBefore(ctx, id, state, 0, homeImports)
		if err != nil {
			return err
		}
		list, err := p.listed(e, found)
		if err != nil {
			return err
		}
		h.Waiting = append(h.Waiting, list...)
	}
	found, _, err := p.Flow.Store.ImportsBefore(ctx, id, "", 0, homeImports)
	if err != nil {
		return err
	}
	found = slices.DeleteFunc(found, func(imp schema.Import) bool {
		return imp.State == schema.StateAwaitingConsent || imp.State == schema.StateInterrupted
	})
	if h.Latest, err = p.listed(e, found); err != nil {
		return err
	}
	schedules, err := p.Flow.Store.Schedules(ctx, id)
	if err != nil {
		return err
	}
	for _, s := range schedules {
		if s.LastRun != nil && (s.LastRun.State == schema.RunFailed || s.LastRun.State == schema.RunWaiting) {
			h.Schedules = append(h.Schedules, s)
		}
	}
	failed, err := p.Flow.Store.ListMails(ctx, p.People.Rules(), store.MailFilter{Organization: id, State: schema.MailFailed}, 0, mailsCounted)
	if err != nil {
		return err
	}
	h.Mails = len(failed)
	due, _, _, err := p.People.FirstDeadlines(ctx, id, store.DeadlineMark{}, deadlinesShown)
	if err != nil {
		return err
	}
	soon := p.Flow.Now().Add(homeDays)
	h.Days = p.days(slices.DeleteFunc(due, func(d schema.Deadline) bool { return d.DueAt.After(soon) }))
	held, err := p.Flow.Store.Domains(ctx, id)
	if err != nil {
		return err
	}
	for _, d := range held {
		stands := domainStands{Domain: d}
		if d.Status != schema.DomainPending {
			if stands.Claimable, err = p.People.CountEligible(ctx, id, people.Selection{Domain: d.Domain}); err != nil {
				return err
			}
		}
		h.Domains = append(h.Domains, stands)
	}
	return e.show(http.StatusOK, "home", h)
}
