package pages

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/people"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// Users are claimed from a list in three steps, each a form that bears what was chosen before: users,
// services, and the plan with the box that says that a claim is permanent.
func (p *Pages) registerClaim() {
	p.page("GET /claim", schema.RoleViewer, func(e *exchange) error { return p.chooseUsers(e, http.StatusOK, nil) })
	p.page("POST /claim", schema.RoleOperator, p.claim)
}

// claiming is what is chosen so far.
type claiming struct {
	List      people.EligibleList
	Domains   []string
	Domain    string
	Type      schema.ClaimType
	Search    string
	Addresses []string
	Services  []string // that there are
	Given     []string // that were chosen
	Plan      *schema.Plan
	Ready     int
	Immediate int
	Delayed   int
	Sync      bool // directory synchronization is on, so nobody can be claimed
	Refused   *refusal

	Asked   string // address of which somebody asks why it is not in the list
	Answer  *people.Eligibility
	Reasons []counted
}

// chooseUsers shows the first step.
func (p *Pages) chooseUsers(e *exchange, status int, refused *refusal) error {
	ctx, id := e.r.Context(), e.organization.ID
	c := claiming{Refused: refused, Sync: e.organization.DirectorySync, Search: strings.TrimSpace(e.r.FormValue("search")), Addresses: e.r.PostForm["address"]}
	held, err := p.Flow.Store.Domains(ctx, id)
	if err != nil {
		return err
	}
	for _, d := range held {
		c.Domains = append(c.Domains, d.Domain)
	}
	if domain := e.r.FormValue("domain"); slices.Contains(c.Domains, domain) {
		c.Domain = domain
	}
	if t := schema.ClaimType(e.r.FormValue("type")); t == schema.Immediate || t == schema.Delayed {
		c.Type = t
	}
	if c.List, err = p.People.ListEligible(ctx, id, people.Selection{Domain: c.Domain, Type: c.Type}, p.Flow.Policy.ScreenLimit); err != nil {
		return err
	}
	if c.Search != "" {
		c.List.Users = slices.DeleteFunc(c.List.Users, func(u people.EligibleUser) bool {
			return !strings.Contains(strings.ToLower(u.Email), strings.ToLower(c.Search))
		})
	}
	if c.Asked = strings.TrimSpace(e.r.FormValue("why")); c.Asked != "" {
		answers, err := p.People.Explain(ctx, id, []string{c.Asked})
		if err != nil {
			return err
		}
		c.Answer = &answers[0]
		for _, code := range answers[0].Reasons {
			r := counted{Code: code}
			r.Message, r.Fix = e.words.problem(code)
			if code == schema.CodeDomainVerifiedElsewhere {
				r.Message = strings.TrimSuffix(r.Message, ".") + ": " + answers[0].Elsewhere + "."
			}
			c.Reasons = append(c.Reasons, r)
		}
	}
	return e.show(status, "claim", c)
}

// claim shows the second step and the third, and claims.
func (p *Pages) claim(e *exchange) error {
	ctx, form := e.r.Context(), e.r.PostForm
	c := claiming{Addresses: form["address"], Given: form["service"]}
	persons := usersfile.ParsePeople(c.Addresses...)
	services, err := p.People.FindServices(ctx, e.organization.ID, c.Given, "")
	switch {
	case err != nil:
	case len(persons) == 0:
		err = schema.Refuse(schema.CodeRequestInvalid, "%s", e.words.say("Nobody was chosen.")).WithFix("%s", e.words.say("Choose at least one user."))
	case len(persons) > p.Flow.Policy.ScreenLimit:
		err = &schema.Error{Code: schema.CodeTooManyAddresses}
	}
	if err != nil {
		return p.claimRefused(e, err)
	}
	order := schema.Order{Organization: e.organization.ID, By: e.token.Name}
	if form.Get("step") == "" {
		if c.Services, err = p.People.Services(ctx, e.organization.ID); err != nil {
			return err
		}
		return e.show(http.StatusOK, "services", c)
	}
	if form.Get("step") == "claim" && form.Get("accept_permanent") != "" {
		claims, err := parseCount(e, form.Get("claims"))
		if err != nil {
			return p.claimRefused(e, err)
		}
		imp, err := p.ClaimByHand(ctx, persons, services, order, schema.Consent{By: e.token.Name, Claims: claims, AcceptEdits: form.Get("accept_edits") != ""})
		if err != nil {
			return p.claimRefused(e, err)
		}
		return e.redirect(importPath(imp.ID))
	}
	if form.Get("step") == "claim" {
		said := e.words.refusalOf(&schema.Error{Code: schema.CodeConsentMissing})
		c.Refused = &said
	}
	if c.Plan, err = p.foresee(e, persons, services, order); err != nil {
		return p.claimRefused(e, err)
	}
	c.Ready, c.Immediate, c.Delayed = c.Plan.Tally.Outcomes[schema.Ready], c.Plan.Types[schema.Immediate], c.Plan.Types[schema.Delayed]
	status := http.StatusOK
	if c.Refused != nil {
		status = c.Refused.Status
	}
	return e.show(status, "confirmclaim", c)
}

// foresee plans a claim by hand, and keeps nothing.
func (p *Pages) foresee(e *exchange, persons []usersfile.Person, services []string, order schema.Order) (plan *schema.Plan, err error) {
	source, err := usersfile.HandSource(usersfile.ByHand, persons, services)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	return p.Flow.Validate(e.r.Context(), source, order, nil, pipeline.Watch{})
}

func (p *Pages) claimRefused(e *exchange, err error) error {
	said := e.words.refusalOf(err)
	if said.Status >= http.StatusInternalServerError {
		return err
	}
	return p.chooseUsers(e, said.Status, &said)
}
