package pages

import (
	"net/http"
	"strings"
	"time"

	"github.com/claimline/claimline/cmd/claimline/web/auth"
	"github.com/claimline/claimline/pipeline/notify"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// The owner's page. Its link is all that its reader has, and all that is needed: who opens it is asked to
// continue, which is signing in, and then to choose (see R20). Opening it changes nothing, for mail servers
// open links.
func (p *Pages) registerChoices() {
	const pattern = " /choose/{link}"
	p.handle(http.MethodGet+pattern, p.owner(func(e *exchange, c *chooser) error {
		if c.Claim.SignedInAt.IsZero() {
			return e.show(http.StatusOK, "choose", c)
		}
		return e.show(http.StatusOK, "choices", c)
	}))
	p.handle(http.MethodPost+pattern, p.owner(p.choose))
}

// chooser is an owner, and what there is to choose.
type chooser struct {
	store.Chooser
	Organization string // name of the one that has claimed the account
	Source       string // name of the one that the account belongs to; blank: nobody but the owner
	Until        time.Time
	DaysLeft     int // rounded up
	Contact      string

	Choice   schema.Choice
	NewEmail string   // as it was typed
	Refused  *refusal // why that choice was not made
}

// Delayed reports whether the account moves by itself.
func (c *chooser) Delayed() bool { return c.Claim.Type == schema.Delayed }

// Email returns the address of the account.
func (c *chooser) Email() string { return c.Account.User.Email }

// deadTime is how long an answer takes that there is nothing behind a link: it does not tell a link that has
// ended from one that never was.
const deadTime = 250 * time.Millisecond

// owner has a request answered by whoever has a link that is alive. All others have the same answer.
func (p *Pages) owner(do func(*exchange, *chooser) error) handler {
	return func(e *exchange) error {
		dead := time.NewTimer(deadTime)
		defer dead.Stop()
		link := notify.HashLink(e.r.PathValue("link"))
		found, alive, err := p.Flow.Store.FindLink(e.r.Context(), p.People.Rules(), link)
		if err != nil {
			return err
		}
		if alive {
			return do(e, p.chooser(e, found))
		}
		wait := p.failures.Add(p.Guard.Proxies.Client(e.r), string(link))
		select {
		case <-dead.C:
		case <-e.r.Context().Done():
			return e.r.Context().Err()
		}
		if wait > 0 {
			return &schema.Error{Code: schema.CodeTooManyRequests, Err: auth.RetryError(wait)}
		}
		return e.show(http.StatusNotFound, "ended", nil)
	}
}

// chooser returns what a page says to an owner, and has it said in the language of the account.
func (p *Pages) chooser(e *exchange, found store.Chooser) *chooser {
	rules := p.People.Rules()
	c := &chooser{Chooser: found, Organization: nameOf(found.Claiming), Contact: p.Contact}
	if o := found.Account.Organization; o != nil && o.ID != found.Claiming.ID && o.Kind == schema.Enterprise {
		c.Source = nameOf(*o)
	}
	if c.Delayed() {
		const day = 24 * time.Hour
		c.Until = rules.CompletesAt(found.Claim.ClaimedAt)
		c.DaysLeft = int((c.Until.Sub(rules.Now) + day - 1) / day)
	}
	e.words = p.words[languageOf(e.r, found.Account.User.PreferredLanguage)]
	e.brand = c.Organization
	return c
}

// choose signs an owner in, or makes the choice.
func (p *Pages) choose(e *exchange, c *chooser) error {
	c.Choice, c.NewEmail = schema.Choice(e.r.PostFormValue("choice")), strings.TrimSpace(e.r.PostFormValue("new_email"))
	organization, ctx := c.Claiming.ID, e.r.Context()
	switch {
	case c.Choice == "":
		if _, err := p.People.SignIn(ctx, organization, c.Email()); err != nil {
			return c.refused(e, "choose", err)
		}
		return e.redirect(e.r.URL.Path)
	case c.Choice == schema.DeleteAccount && e.r.PostFormValue("confirm") == "":
		return e.show(http.StatusOK, "confirm", c)
	}
	if _, err := p.People.Decide(ctx, organization, c.Email(), c.Choice, c.NewEmail); err != nil {
		return c.refused(e, "choices", err)
	}
	return e.show(http.StatusOK, "chosen", struct {
		*chooser
		At time.Time
	}{c, p.Flow.Now()})
}

// refused shows a sheet again, with why something was not done.
func (c *chooser) refused(e *exchange, sheet string, err error) error {
	said := e.words.refusalOf(err)
	if said.Status >= http.StatusInternalServerError {
		return err
	}
	c.Refused = &said
	return e.show(said.Status, sheet, c)
}
