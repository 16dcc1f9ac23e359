package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/claimline/claimline/cmd/claimline/web/auth"
	"github.com/claimline/claimline/cmd/claimline/web/desk"
	"github.com/claimline/claimline/pipeline/domains"
	"github.com/claimline/claimline/schema"
)

const settings = "settings" // the tag

func (a *API) registerSettings() {
	op := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{settings}}
	}
	register(a, schema.RoleViewer, op("me", http.MethodGet, "/me", "Tell whose token this is, and what it may do"), a.me)
	register(a, schema.RoleViewer, op("get-organization", http.MethodGet, "/organization", "Show the organization and its settings"), a.getOrganization)
	register(a, schema.RoleAdmin, op("set-organization", http.MethodPatch, "/organization", "Change settings, all of those given or none"), a.setOrganization)
	register(a, schema.RoleViewer, op("list-domains", http.MethodGet, "/domains", "List the domains"), a.listDomains)
	register(a, schema.RoleAdmin, op("verify-domain", http.MethodPost, "/domains/{domain}/verify", "Look for the TXT record that proves that a domain is yours"), a.verifyDomain)
	register(a, schema.RoleAdmin, op("claim-domain", http.MethodPost, "/domains/{domain}/claim", "Claim a verified domain, so that no other organization can claim its users"), a.claimDomain)
	register(a, schema.RoleAdmin, op("release-domain", http.MethodPost, "/domains/{domain}/release", "Undo the claim of a domain; it stays verified"), a.releaseDomain)
	register(a, schema.RoleViewer, op("list-licenses", http.MethodGet, "/licenses", "List the licences by service, with what is held and left"), a.listLicenses)
	preview := op("preview-directory", http.MethodPost, "/directory/preview", "Tell what a run over a directory's list would do")
	register(a, schema.RoleViewer, preview, a.previewDirectory)
}

// Me is who asks.
type Me struct {
	Organization OrganizationName `json:"organization"`
	Role         schema.Role      `json:"role" enum:"viewer,operator,admin"`
	Token        string           `json:"token" doc:"the name of the token"`
}

// OrganizationName is an organization in short.
type OrganizationName struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (a *API) me(ctx context.Context, _ *struct{}) (*Answer[Me], error) {
	o, err := a.Flow.Store.Organization(ctx, organization(ctx))
	if err != nil {
		return nil, err
	}
	token := auth.Of(ctx)
	return answer(Me{Organization: OrganizationName{o.ID, o.Name}, Role: token.Role, Token: token.Name}), nil
}

func (a *API) getOrganization(ctx context.Context, _ *struct{}) (*Answer[schema.Organization], error) {
	o, err := a.Flow.Store.Organization(ctx, organization(ctx))
	return answer(o), err
}

// SettingsRequest changes settings of the organization; what is not there stays.
type SettingsRequest struct {
	Body struct {
		BringConversations *bool `json:"bring_conversations,omitempty" doc:"some users bring content (delayed claims)"`
		DirectorySync      *bool `json:"directory_sync,omitempty" doc:"while it is on, nobody can be claimed"`
		ActivationEmails   *bool `json:"activation_emails,omitempty" doc:"users get a mail when their account joins"`
		RetentionDays      *int  `json:"retention_days,omitempty" minimum:"0" maximum:"36500" doc:"days for which content is kept; 0: no limit"`
	}
}

func (a *API) setOrganization(ctx context.Context, in *SettingsRequest) (*Answer[schema.Organization], error) {
	o, err := a.Flow.Store.SetOrganization(ctx, a.People.Rules(), organization(ctx), func(o *schema.Organization) error {
		set(&o.BringConversations, in.Body.BringConversations)
		set(&o.DirectorySync, in.Body.DirectorySync)
		set(&o.ActivationEmails, in.Body.ActivationEmails)
		set(&o.RetentionDays, in.Body.RetentionDays)
		return nil
	})
	return answer(o), err
}

func set[T any](to, value *T) {
	if value != nil {
		*to = *value
	}
}

// Domain is a domain as the organization holds it.
type Domain struct {
	Domain string              `json:"domain"`
	Status schema.DomainStatus `json:"status" enum:"pending,verified,claimed"`
	Record *string             `json:"record" doc:"the TXT record to publish; null: it is verified"`
}

func domainView(held schema.Domain) Domain {
	d := Domain{Domain: held.Domain, Status: held.Status}
	if held.Status == schema.DomainPending {
		record := domains.TXTRecord(held)
		d.Record = &record
	}
	return d
}

// Domains is a list of domains.
type Domains struct {
	Domains []Domain `json:"domains"`
	Next    *string  `json:"next"`
}

// DomainsRequest asks for domains.
type DomainsRequest struct{ Page }

func (a *API) listDomains(ctx context.Context, in *DomainsRequest) (*Answer[Domains], error) {
	held, err := a.Flow.Store.Domains(ctx, organization(ctx))
	if err != nil {
		return nil, err
	}
	part, next, err := paged(held, in.Page)
	list := Domains{Domains: make([]Domain, len(part)), Next: next}
	for i, d := range part {
		list.Domains[i] = domainView(d)
	}
	return answer(list), err
}

// paged returns a page of a list that is short.
func paged[T any](all []T, page Page) (part []T, next *string, err error) {
	after, err := readNumber(page.After)
	if err != nil {
		return nil, nil, err
	}
	begin := int(min(after, int64(len(all))))
	end := min(begin+page.limit(), len(all))
	if end < len(all) {
		next = cursor(strconv.Itoa(end))
	}
	return all[begin:end], next, nil
}

// DomainPath names a domain.
type DomainPath struct {
	Domain string `path:"domain" doc:"the domain, as in example.com"`
}

// Verification is a domain after it was looked for its TXT record.
type Verification struct {
	Domain
	Code    *schema.Code `json:"code" doc:"why it is pending still; null: it is verified"`
	Message *string      `json:"message"`
}

func (a *API) verifyDomain(ctx context.Context, in *DomainPath) (*Answer[Verification], error) {
	key, err := domainKey(in.Domain)
	if err != nil {
		return nil, err
	}
	held, err := domains.BeginVerification(ctx, a.Flow.Store, organization(ctx), key)
	if err != nil {
		return nil, err
	}
	v := Verification{}
	if held.Status == schema.DomainPending {
		held, err = domains.Verify(ctx, a.Flow.Store, held, a.Resolver)
		switch code := schema.CodeOf(err); {
		case err == nil:
		case code == schema.CodeTXTRecordMissing || code == schema.CodeDNSFailed:
			detail := problemOf(err).Detail
			v.Code, v.Message = &code, &detail
		default:
			return nil, err
		}
	}
	v.Domain = domainView(held)
	return answer(v), nil
}

func (a *API) claimDomain(ctx context.Context, in *DomainPath) (*Answer[Domain], error) {
	key, err := domainKey(in.Domain)
	if err != nil {
		return nil, err
	}
	held, err := domains.Claim(ctx, a.Flow.Store, organization(ctx), key)
	return answer(domainView(held)), err
}

func (a *API) releaseDomain(ctx context.Context, in *DomainPath) (*Answer[Domain], error) {
	key, err := domainKey(in.Domain)
	if err != nil {
		return nil, err
	}
	held, err := domains.Release(ctx, a.Flow.Store, organization(ctx), key)
	return answer(domainView(held)), err
}

// License is what the organization has of one service.
type License struct {
	Service  string `json:"service"`
	Quantity *int   `json:"quantity" doc:"null: there is no limit"`
	Held     int    `json:"held"`
	Left     *int   `json:"left" doc:"null: there is no limit"`
}

// Licenses is a list of licences.
type Licenses struct {
	Licenses []License `json:"licenses"`
	Next     *string   `json:"next"`
}

// LicensesRequest asks for licences.
type LicensesRequest struct{ Page }

func (a *API) listLicenses(ctx context.Context, in *LicensesRequest) (*Answer[Licenses], error) {
	all, err := a.Flow.Store.Licenses(ctx, a.People.Rules(), organization(ctx))
	if err != nil {
		return nil, err
	}
	part, next, err := paged(all, in.Page)
	list := Licenses{Licenses: make([]License, len(part)), Next: next}
	for i, l := range part {
		list.Licenses[i] = License{Service: l.Service, Held: l.Held}
		if l.Quantity >= 0 {
			left := max(0, l.Quantity-l.Held)
			list.Licenses[i].Quantity, list.Licenses[i].Left = &part[i].Quantity, &left
		}
	}
	return answer(list), err
}

// DirectoryRequest asks what a run over the list in the body would do.
type DirectoryRequest struct {
	Page
	File    string `query:"file" doc:"what the file is called; LDIF is read under any name that does not end in .csv"`
	Address string `query:"address" doc:"column of the addresses; the first that is known where nothing is said"`
}

// Directory is what a run would do.
type Directory struct {
	Counts map[schema.SyncEffect]int `json:"counts"`
	Rows   []schema.SyncRow          `json:"rows"`
	Next   *string                   `json:"next"`
}

func (a *API) previewDirectory(ctx context.Context, in *DirectoryRequest) (*Answer[Directory], error) {
	var list Directory
	err := a.receive(ctx, in.File, func(file desk.Upload) error {
		plan, err := a.People.PreviewSync(ctx, organization(ctx), file, in.Address)
		if err != nil {
			return err
		}
		list.Counts = plan.Counts
		part, next, err := paged(plan.Rows, in.Page)
		list.Rows, list.Next = append([]schema.SyncRow{}, part...), next
		return err
	})
	return answer(list), err
}
