package pages

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/claimline/claimline/cmd/claimline/web/desk"
	"github.com/claimline/claimline/pipeline/store"
	catalogue "github.com/claimline/claimline/pipeline/words"
	"github.com/claimline/claimline/schema"
)

// home is how it stands: what waits for somebody, what is under way, what is due, and how far each domain is.
type home struct {
	Waiting   []listed   // imports that wait for somebody
	Running   []listed   // imports that are under way, or wait for their turn
	Latest    []listed   // imports that have ended, among the newest
	Any       bool       // there are imports
	Schedules []troubled // whose last run failed, or waits
	Failed    []store.ListedMail
	MoreMails bool // have failed
	Days      []dueDay
	Stands    desk.Stands
	Domains   []domainStands
	Pending   []string // domains that wait for their TXT record

	Yours, Claimable int // accounts in all domains
}

// troubled is a schedule whose last run wants somebody.
type troubled struct {
	Name, Path string
	Run        runView
}

// domainStands is how far a domain is.
type domainStands struct {
	store.Stand
	Ready   int // that can be claimed
	Refused int // that cannot be
	Reasons []counted
	Bar     bar
}

func (p *Pages) registerHome() { p.page("GET /{$}", schema.RoleViewer, p.home) }

const (
	homeImports = 5
	homeDue     = 60
	homeDays    = 7 * 24 * time.Hour
	mailsShown  = 3
)

func (p *Pages) home(e *exchange) error {
	ctx, id, h := e.r.Context(), e.organization.ID, home{}
	var err error
	if h.Waiting, err = p.inStates(e, schema.StateAwaitingConsent, schema.StateInterrupted); err != nil {
		return err
	}
	if h.Running, err = p.inStates(e, schema.StateApplying, schema.StateQueued, schema.StatePlanning); err != nil {
		return err
	}
	found, _, err := p.Flow.Store.ImportsBefore(ctx, id, "", 0, homeImports)
	if err != nil {
		return err
	}
	h.Any = len(found) > 0
	found = slices.DeleteFunc(found, func(imp schema.Import) bool { return !imp.State.Ended() })
	if h.Latest, err = p.listed(e, found); err != nil {
		return err
	}
	if err := p.troubled(e, &h); err != nil {
		return err
	}
	if h.Failed, err = p.Flow.Store.ListMails(ctx, p.People.Rules(), store.MailFilter{Organization: id, State: schema.MailFailed}, 0, mailsShown+1); err != nil {
		return err
	}
	h.MoreMails = len(h.Failed) > mailsShown
	h.Failed = h.Failed[:min(len(h.Failed), mailsShown)]
	due, _, _, err := p.People.FirstDeadlines(ctx, id, store.DeadlineMark{}, homeDue)
	if err != nil {
		return err
	}
	soon := p.Flow.Now().Add(homeDays)
	h.Days = p.days(slices.DeleteFunc(due, func(d schema.Deadline) bool { return d.DueAt.After(soon) }))
	if err := p.stands(e, &h); err != nil {
		return err
	}
	return e.show(http.StatusOK, "home", h)
}

// inStates lists the newest imports in each of these states.
func (p *Pages) inStates(e *exchange, states ...schema.ImportState) (all []listed, err error) {
	for _, state := range states {
		found, _, err := p.Flow.Store.ImportsBefore(e.r.Context(), e.organization.ID, state, 0, homeImports)
		if err != nil {
			return nil, err
		}
		list, err := p.listed(e, found)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}

// troubled fills in the schedules that want somebody. The plan of one that waits stands among the imports,
// unless those are too many.
func (p *Pages) troubled(e *exchange, h *home) error {
	schedules, err := p.Flow.Store.Schedules(e.r.Context(), e.organization.ID)
	if err != nil {
		return err
	}
	for _, s := range schedules {
		run := s.LastRun
		if run == nil || run.State != schema.RunFailed && run.State != schema.RunWaiting {
			continue
		}
		id := strconv.FormatInt(run.ImportID, 10)
		if run.State == schema.RunFailed || !slices.ContainsFunc(h.Waiting, func(imp listed) bool { return imp.ID == id }) {
			view := e.viewRun(*run)
			if run.File != "" && e.words.language != catalogue.English { // else it is named in the message
				view.Why = e.words.fileName(run.File) + ": " + view.Why
			}
			h.Schedules = append(h.Schedules, troubled{s.Name, schedulePath(s.Name), view})
		}
	}
	return nil
}

// stands fills in how far the domains are.
func (p *Pages) stands(e *exchange, h *home) error {
	held, err := p.Flow.Store.Domains(e.r.Context(), e.organization.ID)
	if err != nil {
		return err
	}
	for _, d := range held {
		if d.Status == schema.DomainPending {
			h.Pending = append(h.Pending, d.Domain)
		}
	}
	if h.Stands, err = p.Stands(e.r.Context(), e.organization.ID); err != nil {
		return err
	}
	for _, s := range h.Stands.Domains {
		v := domainStands{Stand: s, Ready: s.Ready(""), Reasons: e.words.counts(s.Cannot)}
		for _, n := range s.Cannot {
			v.Refused += n
		}
		v.Bar = e.words.picture(s.Members+s.Claimed+v.Ready+v.Refused, part{schema.Claimed, e.words.say("yours"), s.Members + s.Claimed},
			part{schema.NotAttempted, e.words.say("can be claimed"), v.Ready}, part{schema.Ineligible, e.words.say("cannot be claimed"), v.Refused})
		h.Domains = append(h.Domains, v)
		h.Yours += s.Members + s.Claimed
		h.Claimable += v.Ready
	}
	return nil
}
