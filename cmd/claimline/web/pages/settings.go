package pages

import (
	"net/http"
	"strconv"

	"github.com/claimline/claimline/cmd/claimline/web/desk"
	"github.com/claimline/claimline/pipeline/domains"
	"github.com/claimline/claimline/schema"
)

func (p *Pages) registerSettings() {
	p.page("GET /settings", schema.RoleViewer, func(e *exchange) error { return p.showSettings(e, http.StatusOK, nil) })
	p.page("POST /settings", schema.RoleAdmin, p.setOrganization)
	p.page("POST /settings/domains", schema.RoleAdmin, p.onDomain)
	p.page("GET /directory", schema.RoleViewer, func(e *exchange) error { return e.show(http.StatusOK, "directory", directoryPage{}) })
	p.page("POST /directory", schema.RoleViewer, p.previewDirectory)
	p.page("GET /schedules", schema.RoleViewer, p.listSchedules)
}

// settingsPage is how an organization is set up.
type settingsPage struct {
	schema.Organization
	Domains  []domainView
	Licenses []schema.License
	Tokens   []schema.Token // for admins
	Refused  *refusal
}

// domainView is a domain with the TXT record to publish; blank: none.
type domainView struct {
	schema.Domain
	Record string
}

func (p *Pages) showSettings(e *exchange, status int, refused *refusal) error {
	ctx, id := e.r.Context(), e.organization.ID
	page := settingsPage{Organization: e.organization, Refused: refused}
	held, err := p.Flow.Store.Domains(ctx, id)
	if err != nil {
		return err
	}
	for _, d := range held {
		v := domainView{Domain: d}
		if d.Status == schema.DomainPending {
			v.Record = domains.TXTRecord(d)
		}
		page.Domains = append(page.Domains, v)
	}
	if page.Licenses, err = p.Flow.Store.Licenses(ctx, p.People.Rules(), id); err != nil {
		return err
	}
	if e.token.Role.May(schema.RoleAdmin) {
		if page.Tokens, err = p.Flow.Store.Tokens(ctx, id); err != nil {
			return err
		}
	}
	return e.show(status, "settings", page)
}

func (p *Pages) settingsRefused(e *exchange, err error) error {
	said := e.words.refusalOf(err)
	if said.Status >= http.StatusInternalServerError && said.Code != schema.CodeDNSFailed {
		return err
	}
	return p.showSettings(e, said.Status, &said)
}

// setOrganization changes the settings to what the form says.
func (p *Pages) setOrganization(e *exchange) error {
	form := e.r.PostForm
	const longest = 36500
	days, err := strconv.Atoi(form.Get("retention_days"))
	if err != nil || days < 0 || days > longest {
		return p.settingsRefused(e, schema.Refuse(schema.CodeRequestInvalid, "%s", e.words.say("The number of days is not one from 0 to %d.", longest)))
	}
	_, err = p.Flow.Store.SetOrganization(e.r.Context(), p.People.Rules(), e.organization.ID, func(o *schema.Organization) error {
		o.BringConversations, o.DirectorySync, o.ActivationEmails = form.Get("bring_conversations") != "", form.Get("directory_sync") != "", form.Get("activation_emails") != ""
		o.RetentionDays = days
		return nil
	})
	if err != nil {
		return p.settingsRefused(e, err)
	}
	return e.redirect("/settings")
}

// onDomain verifies, claims or releases a domain (see R24).
func (p *Pages) onDomain(e *exchange) error {
	ctx, id := e.r.Context(), e.organization.ID
	key, ok := schema.DomainKey(e.r.PostFormValue("domain"))
	if !ok {
		return p.settingsRefused(e, &schema.Error{Code: schema.CodeDomainInvalid})
	}
	var err error
	switch e.r.PostFormValue("do") {
	case "claim":
		_, err = domains.Claim(ctx, p.Flow.Store, id, key)
	case "release":
		_, err = domains.Release(ctx, p.Flow.Store, id, key)
	default:
		var held schema.Domain
		if held, err = domains.BeginVerification(ctx, p.Flow.Store, id, key); err == nil && held.Status == schema.DomainPending && e.r.PostFormValue("do") == "verify" {
			_, err = domains.Verify(ctx, p.Flow.Store, held, p.Resolver)
		}
	}
	if err != nil {
		return p.settingsRefused(e, err)
	}
	return e.redirect("/settings#domains")
}

// directoryPage is what a run over a directory's list would do.
type directoryPage struct {
	File    string
	Effects []effectCount
	Rows    []schema.SyncRow
	More    int
	Refused *refusal
}

// effectCount is on how many users a run would have this effect.
type effectCount struct {
	Effect schema.SyncEffect
	Count  int
}

var effects = []schema.SyncEffect{
	schema.SyncDeactivate, schema.SyncReactivate, schema.SyncCaseMismatch, schema.SyncInactive, schema.SyncDelayedClaim, schema.SyncNotInOrganization, schema.SyncKeep,
}

const effectsShown = 200

func (p *Pages) previewDirectory(e *exchange) error {
	page := directoryPage{}
	err := p.Receive(e.w, e.r, "", []string{"address"}, func(file desk.Upload) error {
		page.File = file.Name()
		plan, err := p.People.PreviewSync(e.r.Context(), e.organization.ID, file, file.Fields.Get("address"))
		if err != nil {
			return err
		}
		for _, effect := range effects {
			if n := plan.Counts[effect]; n > 0 {
				page.Effects = append(page.Effects, effectCount{effect, n})
			}
		}
		page.Rows = plan.Rows[:min(len(plan.Rows), effectsShown)]
		page.More = len(plan.Rows) - len(page.Rows)
		return nil
	})
	status := http.StatusOK
	if err != nil {
		said := e.words.refusalOf(err)
		if said.Status >= http.StatusInternalServerError || said.Status == http.StatusTooManyRequests {
			return err
		}
		status, page.Refused = said.Status, &said
	}
	return e.show(status, "directory", page)
}

// scheduleView is a schedule with its last runs.
type scheduleView struct {
	schema.Schedule
	Runs []schema.ScheduleRun
}

func (p *Pages) listSchedules(e *exchange) error {
	found, err := p.Flow.Store.Schedules(e.r.Context(), e.organization.ID)
	if err != nil {
		return err
	}
	const runsShown = 10
	var list []scheduleView
	for i := range found {
		v := scheduleView{Schedule: found[i]}
		if v.Runs, err = p.Flow.Store.Runs(e.r.Context(), e.organization.ID, found[i].Name, 0, runsShown); err != nil {
			return err
		}
		list = append(list, v)
	}
	return e.show(http.StatusOK, "schedules", list)
}
