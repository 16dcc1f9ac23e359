package pages

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/claimline/claimline/cmd/claimline/web/auth"
	"github.com/claimline/claimline/pipeline/domains"
	"github.com/claimline/claimline/schema"
)

func (p *Pages) registerSettings() {
	p.page("GET /settings", schema.RoleViewer, func(e *exchange) error { return p.showSettings(e, settingsPage{}) })
	p.page("POST /settings", schema.RoleAdmin, p.setOrganization)
	p.page("POST /settings/domains", schema.RoleAdmin, p.onDomain)
	p.page("POST /settings/tokens", schema.RoleAdmin, p.createToken)
	p.page("POST /settings/tokens/revoke", schema.RoleAdmin, p.revokeToken)
}

// settingsPage is how an organization is set up, and what was typed last, with what is wrong with it.
type settingsPage struct {
	schema.Organization
	Days     string // of retention, as they were typed
	Domains  []domainView
	Domain   string // that was typed
	Licenses []licenseView
	Tokens   []tokenView // for admins
	Token    tokenForm
	Done     string // what has just been done, and to what
	To       string
	Wrong    mistakes
}

// domainView is a domain with the TXT record to publish; blank: none.
type domainView struct {
	schema.Domain
	Record string
	Field  string // id of what belongs to it
}

// licenseView is what there is of a service.
type licenseView struct {
	schema.License
	Left int
}

// tokenView is a token in a list.
type tokenView struct {
	schema.Token
	Own   bool // the reader has signed in with it
	Ended bool
}

// tokenForm is a token that is to be made.
type tokenForm struct {
	Name    string
	Role    schema.Role
	Expires string // in days; blank: never
}

const (
	fieldRetention = "retention"
	fieldDomain    = "newdomain"
	fieldTokenName = "token_name"
	fieldTokenRole = "token_role"
)

// showSettings shows the settings. What the page has already is what was typed, and what is wrong with it.
func (p *Pages) showSettings(e *exchange, page settingsPage) error {
	ctx, id, query := e.r.Context(), e.organization.ID, e.r.URL.Query()
	if page.Organization.ID == "" {
		page.Organization = e.organization
		page.Days = strconv.Itoa(e.organization.RetentionDays)
	}
	page.Done, page.To = query.Get("done"), query.Get("to")
	held, err := p.Flow.Store.Domains(ctx, id)
	if err != nil {
		return err
	}
	for _, d := range held {
		v := domainView{Domain: d, Field: "domain-" + d.Domain}
		if d.Status == schema.DomainPending {
			v.Record = domains.TXTRecord(d)
		}
		page.Domains = append(page.Domains, v)
	}
	licenses, err := p.Flow.Store.Licenses(ctx, p.People.Rules(), id)
	if err != nil {
		return err
	}
	for _, l := range licenses {
		page.Licenses = append(page.Licenses, licenseView{l, max(0, l.Quantity-l.Held)})
	}
	if e.token.Role.May(schema.RoleAdmin) {
		tokens, err := p.Flow.Store.Tokens(ctx, id)
		if err != nil {
			return err
		}
		for _, t := range tokens {
			page.Tokens = append(page.Tokens, tokenView{t, t.ID == e.token.ID, t.Expired(p.Flow.Now())})
		}
		if page.Token.Role == "" {
			page.Token = tokenForm{Role: schema.RoleViewer, Expires: "90"}
		}
	}
	return e.show(page.Wrong.status(), "settings", page)
}

// settingsDone shows the settings after something was done.
func (e *exchange) settingsDone(what, to, section string) error {
	return e.redirect("/settings?" + url.Values{"done": {what}, "to": {to}}.Encode() + "#" + section)
}

// mistakenly returns what is wrong with one field, where somebody can mend that.
func (e *exchange) mistakenly(field string, err error) (mistakes, error) {
	said := e.words.refusalOf(err)
	if said.Status >= http.StatusInternalServerError && said.Code != schema.CodeDNSFailed {
		return nil, err
	}
	return mistakes{{Field: field, Code: said.Code, Message: e.words.plain(said.Message), Fix: e.words.plain(said.Fix)}}, nil
}

// setOrganization changes the settings to what the form says.
func (p *Pages) setOrganization(e *exchange) error {
	form := e.r.PostForm
	page := settingsPage{Organization: e.organization, Days: strings.TrimSpace(form.Get("retention_days"))}
	set := func(o *schema.Organization) {
		o.BringConversations, o.DirectorySync, o.ActivationEmails = form.Get("bring_conversations") != "", form.Get("directory_sync") != "", form.Get("activation_emails") != ""
	}
	set(&page.Organization)
	const longest = 36500
	days, err := strconv.Atoi(page.Days)
	if err != nil || days < 0 || days > longest {
		page.Wrong = mistakes{{
			Field: fieldRetention, Code: schema.CodeRequestInvalid, Message: e.words.say("The number of days is not one from 0 to %d.", longest),
			Fix: e.words.say("Write 0, if content is kept without a limit."),
		}}
		return p.showSettings(e, page)
	}
	_, err = p.Flow.Store.SetOrganization(e.r.Context(), p.People.Rules(), e.organization.ID, func(o *schema.Organization) error {
		set(o)
		o.RetentionDays = days
		return nil
	})
	if err != nil {
		return err
	}
	return e.settingsDone("saved", "", "organization")
}

// onDomain verifies, claims or releases a domain (see R24). What reaches far is asked about before.
func (p *Pages) onDomain(e *exchange) error {
	ctx, id := e.r.Context(), e.organization.ID
	typed, do, field := strings.TrimSpace(e.r.PostFormValue("domain")), e.r.PostFormValue("do"), fieldDomain
	refused := func(err error) error {
		wrong, err := e.mistakenly(field, err)
		if err != nil {
			return err
		}
		return p.showSettings(e, settingsPage{Domain: typed, Wrong: wrong})
	}
	key, ok := schema.DomainKey(typed)
	if !ok {
		return refused(&schema.Error{Code: schema.CodeDomainInvalid})
	}
	held, err := p.Flow.Store.Domains(ctx, id)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(held, func(d schema.Domain) bool { return d.Domain == key })
	if at >= 0 && do != "begin" {
		field, typed = "domain-"+key, ""
	}
	asked := e.r.PostFormValue("confirm") != ""
	switch do {
	case "claim":
		if at >= 0 && held[at].Status == schema.DomainVerified && !asked {
			return p.askClaimDomain(e, key)
		}
		_, err = domains.Claim(ctx, p.Flow.Store, id, key)
	case "release":
		if at >= 0 && held[at].Status == schema.DomainClaimed && !asked {
			return e.ask(p.releaseQuestion(e, key))
		}
		_, err = domains.Release(ctx, p.Flow.Store, id, key)
	default:
		var now schema.Domain
		if now, err = domains.BeginVerification(ctx, p.Flow.Store, id, key); err == nil && now.Status == schema.DomainPending && do == "verify" {
			now, err = domains.Verify(ctx, p.Flow.Store, now, p.Resolver)
		}
		if do = "verify"; now.Status == schema.DomainPending {
			do = "begin"
		}
	}
	if err != nil {
		return refused(err)
	}
	return e.settingsDone(do, key, "domain-"+key)
}

// askClaimDomain asks whether a domain is to be claimed.
func (p *Pages) askClaimDomain(e *exchange, key string) error {
	ends, err := p.People.RetractableIn(e.r.Context(), e.organization.ID, key)
	if err != nil {
		return err
	}
	q := e.domainQuestion("claim", key)
	q.Title = e.words.say("Do you want to claim %s?", domainName(key))
	q.Says = append(q.Says, e.words.say("No other organization can claim its users then."),
		e.words.say("Claims on its users cannot be taken back for as long as it is claimed."))
	if ends > 0 {
		q.Says = append(q.Says, e.words.count(ends, "%d claim can be taken back now, and cannot be then.", "%d claims can be taken back now, and cannot be then."))
	}
	q.Says = append(q.Says, e.words.say("You can release the domain again later."))
	q.Yes, q.No = e.words.say("Yes, claim the domain"), e.words.say("No, do not claim it")
	return e.ask(q)
}

func (*Pages) releaseQuestion(e *exchange, key string) question {
	q := e.domainQuestion("release", key)
	q.Title = e.words.say("Do you want to release %s?", domainName(key))
	q.Says = append(q.Says, e.words.say("Other organizations that have verified the domain can claim its users then, before you do."),
		e.words.say("The domain stays verified, and your claims stay. Those that are not too old can be taken back again."))
	q.Yes, q.No = e.words.say("Yes, release the domain"), e.words.say("No, keep it claimed")
	return q
}

func (e *exchange) domainQuestion(do, key string) question {
	return question{
		Back: "/settings#domain-" + key, Where: e.words.say("Settings"), Grave: true,
		Action: "/settings/domains", Fields: map[string]string{"domain": key, "do": do, "confirm": "yes"},
	}
}

// tokenPage shows a token that was made, this once.
type tokenPage struct {
	schema.Token
	Secret string
}

// createToken makes a token.
func (p *Pages) createToken(e *exchange) error {
	typed := e.r.PostForm
	form := tokenForm{Name: strings.TrimSpace(typed.Get("name")), Role: schema.Role(typed.Get("role")), Expires: typed.Get("expires")}
	t := schema.Token{OrganizationID: e.organization.ID, Name: form.Name, Role: form.Role, CreatedAt: p.Flow.Now(), CreatedBy: e.token.Name}
	var wrong mistakes
	if !slices.Contains(schema.Roles, form.Role) {
		wrong = append(wrong, mistake{
			Field: fieldTokenRole, Code: schema.CodeRequestInvalid, Message: e.words.say("Nothing says what the token may do."), Fix: e.words.say("Choose one."),
		})
	}
	if form.Expires != "" {
		const longest = 3660
		days, err := strconv.Atoi(form.Expires)
		if err != nil || days < 1 || days > longest {
			return &schema.Error{Code: schema.CodeRequestInvalid}
		}
		t.ExpiresAt = t.CreatedAt.AddDate(0, 0, days)
	}
	secret := ""
	if len(wrong) == 0 {
		var err error
		t, secret, err = auth.Create(e.r.Context(), p.Flow.Store, t)
		switch schema.CodeOf(err) {
		case schema.CodeUsage:
			wrong = mistakes{{
				Field: fieldTokenName, Code: schema.CodeUsage, Message: e.words.say("A token cannot have this name."),
				Fix: e.words.say("Choose a name with at most 64 characters and without colons, as in nightly."),
			}}
		case schema.CodeTokenExists:
			wrong = mistakes{{
				Field: fieldTokenName, Code: schema.CodeTokenExists, Message: e.words.say("There is a token %s already.", form.Name), Fix: e.words.say("Choose another name."),
			}}
		default:
			if err != nil {
				return err
			}
		}
	}
	if len(wrong) > 0 {
		return p.showSettings(e, settingsPage{Token: form, Wrong: wrong})
	}
	return e.show(http.StatusOK, "token", tokenPage{t, secret})
}

// revokeToken asks whether a token is to be revoked, and revokes it.
func (p *Pages) revokeToken(e *exchange) error {
	name := e.r.PostFormValue("token")
	if e.r.PostFormValue("confirm") != "" {
		if err := p.Flow.Store.RevokeToken(e.r.Context(), e.organization.ID, name); err != nil {
			return err
		}
		return e.settingsDone("revoked", name, "tokens")
	}
	tokens, err := p.Flow.Store.Tokens(e.r.Context(), e.organization.ID)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(tokens, func(t schema.Token) bool { return t.Name == name })
	if at < 0 {
		return &schema.Error{Code: schema.CodeTokenNotFound}
	}
	q := question{
		Back: "/settings#tokens", Where: e.words.say("Settings"), Title: e.words.say("Do you want to revoke the token %s?", name), Grave: true,
		Action: "/settings/tokens/revoke", Fields: map[string]string{"token": name, "confirm": "yes"},
		Yes: e.words.say("Yes, revoke the token"), No: e.words.say("No, keep the token"),
	}
	q.Says = append(q.Says, e.words.say("Whoever uses it, a person or a program, is let in no longer, at once. It cannot be made valid again."))
	if tokens[at].ID == e.token.ID {
		q.Says = append(q.Says, e.words.say("You have signed in with this token yourself, so you are signed out."))
	}
	left := slices.ContainsFunc(tokens, func(t schema.Token) bool {
		return t.Name != name && t.Role.May(schema.RoleAdmin) && !t.Expired(p.Flow.Now())
	})
	if tokens[at].Role.May(schema.RoleAdmin) && !left {
		q.Says = append(q.Says, e.words.say("It is the last one that may do everything. Another can then be made at the terminal of the service only."))
	}
	return e.ask(q)
}
