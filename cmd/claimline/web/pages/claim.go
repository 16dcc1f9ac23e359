package pages

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/claimline/claimline/cmd/claimline/web/desk"
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
	Users     []people.Eligible // the first of them
	Total     int               // that there are
	More      bool              // there are more than Total: not all were counted
	All       bool              // all of Users are chosen
	Domains   []string
	Domain    string
	Type      schema.ClaimType
	Search    string
	Filtered  bool
	Export    string // query of the file with those who are listed
	Addresses []string
	Carried   []string // chosen ones that are not listed
	Services  []string // that there are
	Given     []string // that were chosen
	Plan      *schema.Plan
	Ready     int
	Immediate int
	Delayed   int
	Stays     int       // whose content stays behind
	Until     time.Time // by when the claims can be retracted, if they are made now
	Problems  []problem
	Sync      bool // directory synchronization is on, so nobody can be claimed
	Refused   *refusal

	Asked   string // address of which somebody asks why it is not in the list
	Answer  *people.Eligibility
	Reasons []counted

	chosen map[string]bool // keys of Addresses
	listed map[string]bool // and of Users
}

// Chosen reports whether an address is among those that were chosen.
func (c *claiming) Chosen(address string) bool {
	key := keyOf(address)
	return c.chosen[key] || c.All && c.listed[key]
}

// keyOf returns the key of an address as it was typed; of what is none, the text.
func keyOf(address string) string {
	if key, problem := schema.ParseAddress(address); problem == "" {
		return key
	}
	return address
}

// carry tells those who are chosen and not listed from the others.
func (c *claiming) carry() {
	c.listed, c.chosen = map[string]bool{}, map[string]bool{}
	for i := range c.Users {
		c.listed[keyOf(c.Users[i].User.Email)] = true
	}
	for _, address := range c.Addresses {
		key := keyOf(address)
		if !c.listed[key] && !c.chosen[key] {
			c.Carried = append(c.Carried, address)
		}
		c.chosen[key] = true
	}
}

// What is done in the first step, beside going on to the second: others are listed, and who was chosen stays
// so.
const (
	stepFilter    = "filter"
	stepEverybody = "everybody"
	stepAll       = "all"
	stepWhy       = "why"
	stepChoose    = "choose"
)

// chooseUsers shows the first step.
func (p *Pages) chooseUsers(e *exchange, status int, refused *refusal) error {
	ctx, id := e.r.Context(), e.organization.ID
	c := &claiming{Refused: refused, Sync: e.organization.DirectorySync, Addresses: e.r.PostForm["address"], All: e.r.FormValue("step") == stepAll}
	held, err := p.Flow.Store.Domains(ctx, id)
	if err != nil {
		return err
	}
	for _, d := range held {
		if d.Status != schema.DomainPending {
			c.Domains = append(c.Domains, d.Domain)
		}
	}
	if e.r.FormValue("step") != stepEverybody {
		c.Search = strings.TrimSpace(e.r.FormValue("search"))
		if domain := e.r.FormValue("domain"); slices.Contains(c.Domains, domain) {
			c.Domain = domain
		}
		if t := schema.ClaimType(e.r.FormValue("type")); t == schema.Immediate || t == schema.Delayed {
			c.Type = t
		}
	}
	c.Filtered = c.Domain != "" || c.Type != "" || c.Search != ""
	if err := p.eligible(e, c); err != nil {
		return err
	}
	c.carry()
	if c.Asked = strings.TrimSpace(e.r.FormValue("why")); c.Asked != "" {
		answers, err := p.People.Explain(ctx, id, []string{c.Asked})
		if err != nil {
			return err
		}
		c.Answer = &answers[0]
		for _, code := range answers[0].Reasons {
			r := counted{Code: code}
			detail := ""
			if code == schema.CodeDomainVerifiedElsewhere {
				detail = answers[0].Elsewhere
			}
			r.Message, r.Fix = e.words.problem(code, detail)
			c.Reasons = append(c.Reasons, r)
		}
	}
	return e.show(status, "claim", c)
}

// eligible finds the first users that can be claimed and that are asked for, and how many there are.
func (p *Pages) eligible(e *exchange, c *claiming) error {
	ctx, id := e.r.Context(), e.organization.ID
	selection := people.Selection{Domain: c.Domain, Type: c.Type, Search: c.Search}
	c.Export = url.Values{"domain": {c.Domain}, "type": {string(c.Type)}, "search": {c.Search}}.Encode()
	var err error
	if c.Users, c.More, err = p.People.FirstEligible(ctx, id, selection, p.Flow.Policy.ScreenLimit); err != nil {
		return err
	}
	if c.Total = len(c.Users); !c.More || c.Search != "" { // to count what a search finds, everybody is looked at
		return nil
	}
	stands, err := p.Stands(ctx, id)
	if n := stands.Ready(selection); n > c.Total { // else it was counted a while ago
		c.Total, c.More = n, false
	}
	return err
}

// claim shows the second step and the third, and claims. All can be sent at once, too: the addresses, the
// services, and the box that says that claims are permanent.
func (p *Pages) claim(e *exchange) error {
	ctx, form := e.r.Context(), e.r.PostForm
	c := &claiming{Addresses: form["address"], Given: form["service"], Sync: e.organization.DirectorySync}
	persons := usersfile.ParsePeople(c.Addresses...)
	if len(persons) > p.Flow.Policy.ScreenLimit {
		return p.claimRefused(e, &schema.Error{Code: schema.CodeTooManyAddresses})
	}
	switch e.r.FormValue("step") {
	case stepFilter, stepEverybody, stepAll, stepWhy, stepChoose:
		return p.chooseUsers(e, http.StatusOK, nil)
	}
	services, err := p.People.FindServices(ctx, e.organization.ID, c.Given, "")
	if err == nil && len(persons) == 0 {
		err = schema.Refuse(schema.CodeRequestInvalid, "%s", e.words.say("Nobody was chosen.")).WithFix("%s", e.words.say("Choose at least one user."))
	}
	if err != nil {
		return p.claimRefused(e, err)
	}
	order := schema.Order{Organization: e.organization.ID, By: e.token.Name}
	_, numbered := form["claims"] // as in the last form
	accepts := form.Get("accept_permanent") != ""
	if form.Get("step") == "" && len(c.Given) == 0 && !numbered && !accepts {
		if c.Services, err = p.People.Services(ctx, e.organization.ID); err != nil {
			return err
		}
		return e.show(http.StatusOK, "services", c)
	}
	if accepts {
		return p.claimNow(e, c, persons, services, order)
	}
	if numbered {
		said := e.words.refusalOf(&schema.Error{Code: schema.CodeConsentMissing})
		c.Refused = &said
	}
	return p.confirmClaim(e, c, persons, services, order)
}

// claimNow claims, where that is what the number says that the form bears; a form without a number takes as
// many as there are.
func (p *Pages) claimNow(e *exchange, c *claiming, persons []usersfile.Person, services []string, order schema.Order) error {
	form := e.r.PostForm
	consent := schema.Consent{By: e.token.Name, Claims: desk.AnyNumber, AcceptEdits: form.Get("accept_edits") != ""}
	var err error
	if _, numbered := form["claims"]; numbered {
		consent.Claims, err = parseCount(e, form.Get("claims"))
	}
	var imp schema.Import
	if err == nil {
		imp, err = p.ClaimByHand(e.r.Context(), persons, services, order, consent)
	}
	if err == nil {
		return e.redirect(importPath(imp.ID))
	}
	switch said := e.words.refusalOf(err); said.Code {
	case schema.CodePlanChanged, schema.CodeEditsNotAccepted, schema.CodeRequestInvalid: // the plan, as it is now, is asked about again
		c.Refused = &said
		return p.confirmClaim(e, c, persons, services, order)
	}
	return p.claimRefused(e, err)
}

// confirmClaim shows what a claim would do, and asks for agreement.
func (p *Pages) confirmClaim(e *exchange, c *claiming, persons []usersfile.Person, services []string, order schema.Order) (err error) {
	if c.Plan, err = p.foresee(e, persons, services, order); err != nil {
		return p.claimRefused(e, err)
	}
	c.Ready, c.Immediate, c.Delayed = c.Plan.Tally.Outcomes[schema.Ready], c.Plan.Types[schema.Immediate], c.Plan.Types[schema.Delayed]
	c.Stays, c.Until = c.Plan.Tally.Foreseen[schema.CodeContentNotTransferred], p.Flow.Now().Add(p.Flow.Policy.DecisionTime())
	for _, counted := range e.words.counts(c.Plan.Reasons) {
		found := problem{counted: counted}
		for _, line := range c.Plan.Problems[counted.Code] {
			const first = 2 // behind the header
			if i := line - first; i >= 0 && i < len(persons) {
				found.Who = append(found.Who, persons[i].Email)
			}
		}
		c.Problems = append(c.Problems, found)
	}
	status := http.StatusOK
	if c.Refused != nil {
		status = c.Refused.Status
	}
	return e.show(status, "confirmclaim", c)
}

// foresee plans a claim by hand, and keeps nothing.
func (p *Pages) foresee(e *exchange, persons []usersfile.Person, services []string, order schema.Order) (plan *schema.Plan, err error) {
	source, err := usersfile.HandSource(schema.ByHand, persons, services)
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
