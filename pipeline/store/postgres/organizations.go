package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/claimline/claimline/schema"
)

const organizationColumns = "o.id, o.external_id, o.name, o.kind, o.created, o.sso, o.directory_sync, o.bring_conversations, o.activation_emails, o.retention_days"

func scanOrganization(row pgx.Row) (number int64, o schema.Organization, err error) {
	var created *int64
	err = row.Scan(&number, &o.ID, &o.Name, &o.Kind, &created, &o.SSO, &o.DirectorySync, &o.BringConversations, &o.ActivationEmails, &o.RetentionDays)
	o.Created = timeOf(created)
	return number, o, err
}

// ListOrganizations implements store.Organizations.
func (t *tx) ListOrganizations(ctx context.Context) (list []schema.Organization, err error) {
	err = t.collect(ctx, func(rows pgx.Rows) error {
		_, o, err := scanOrganization(rows)
		list = append(list, o)
		return err
	}, "SELECT "+organizationColumns+" FROM organizations o ORDER BY o.external_id")
	return list, err
}

// FindOrganization implements store.Organizations.
func (t *tx) FindOrganization(ctx context.Context, id string) (o schema.Organization, found bool, err error) {
	number, o, err := scanOrganization(t.QueryRow(ctx, "SELECT "+organizationColumns+" FROM organizations o WHERE o.external_id = $1", id))
	if errors.Is(err, pgx.ErrNoRows) {
		return schema.Organization{}, false, nil
	}
	t.numbers[id] = number
	return o, err == nil, err
}

// number returns the database's own number of an organization that there is; 0 for the blank id, which is
// nobody's.
func (t *tx) number(ctx context.Context, id string) (int64, error) {
	if number, known := t.numbers[id]; known || id == "" {
		return number, nil
	}
	if err := t.name(ctx, []string{id}); err != nil {
		return 0, err
	}
	number, found := t.numbers[id]
	if !found {
		return 0, fmt.Errorf("there is no organization %q", id)
	}
	return number, nil
}

// name finds the numbers of organizations.
func (t *tx) name(ctx context.Context, ids []string) error {
	return t.collect(ctx, func(rows pgx.Rows) error {
		var id string
		var number int64
		err := rows.Scan(&number, &id)
		t.numbers[id] = number
		return err
	}, "SELECT o.id, o.external_id FROM organizations o WHERE o.external_id = ANY($1)", ids)
}

// KnownOrganizations implements store.Organizations.
func (t *tx) KnownOrganizations(ctx context.Context, ids []string) (map[string]bool, error) {
	missing := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return t.numbers[id] != 0 })
	if len(missing) > 0 {
		if err := t.name(ctx, missing); err != nil {
			return nil, err
		}
	}
	known := map[string]bool{}
	for _, id := range ids {
		if t.numbers[id] != 0 {
			known[id] = true
		}
	}
	return known, nil
}

// PutOrganizations implements store.Organizations.
func (t *tx) PutOrganizations(ctx context.Context, organizations []schema.Organization) error {
	if err := t.changes(ctx); err != nil {
		return err
	}
	batch := &pgx.Batch{}
	for i := range organizations {
		o := &organizations[i]
		batch.Queue(`INSERT INTO organizations (external_id, name, kind, created, sso, directory_sync, bring_conversations, activation_emails, retention_days)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (external_id) DO UPDATE SET name = excluded.name, kind = excluded.kind, created = excluded.created, sso = excluded.sso,
			directory_sync = excluded.directory_sync, bring_conversations = excluded.bring_conversations,
			activation_emails = excluded.activation_emails, retention_days = excluded.retention_days`,
			o.ID, o.Name, string(o.Kind), seconds(o.Created), o.SSO, o.DirectorySync, o.BringConversations, o.ActivationEmails, o.RetentionDays)
	}
	return t.all(ctx, batch)
}

// Licenses implements store.Organizations.
func (t *tx) Licenses(ctx context.Context, hold bool, organizations ...string) (list []schema.License, err error) {
	query := "SELECT o.external_id, l.service, l.quantity, l.auto_assign, l.held FROM licenses l JOIN organizations o ON o.id = l.organization"
	var args []any
	if len(organizations) > 0 {
		query += " WHERE o.external_id = ANY($1)"
		args = append(args, organizations)
	}
	query += " ORDER BY o.external_id, l.service"
	if hold && t.writes {
		query += " FOR NO KEY UPDATE OF l"
	}
	err = t.collect(ctx, func(rows pgx.Rows) error {
		var l schema.License
		err := rows.Scan(&l.OrganizationID, &l.Service, &l.Quantity, &l.AutoAssign, &l.Held)
		list = append(list, l)
		return err
	}, query, args...)
	return list, err
}

// PutLicenses implements store.Organizations.
func (t *tx) PutLicenses(ctx context.Context, licenses []schema.License) error {
	if err := t.changes(ctx); err != nil {
		return err
	}
	batch := &pgx.Batch{}
	for i := range licenses {
		l := &licenses[i]
		number, err := t.number(ctx, l.OrganizationID)
		if err != nil {
			return err
		}
		batch.Queue(`INSERT INTO licenses (organization, service, quantity, auto_assign) VALUES ($1, $2, $3, $4)
			ON CONFLICT (organization, service) DO UPDATE SET quantity = excluded.quantity, auto_assign = excluded.auto_assign`,
			number, l.Service, l.Quantity, l.AutoAssign)
	}
	return t.all(ctx, batch)
}

// PutHeld implements store.Organizations.
func (t *tx) PutHeld(ctx context.Context, licenses []schema.License) error {
	batch := &pgx.Batch{}
	for i := range licenses {
		l := &licenses[i]
		number, err := t.number(ctx, l.OrganizationID)
		if err != nil {
			return err
		}
		batch.Queue("UPDATE licenses SET held = $1 WHERE organization = $2 AND service = $3", l.Held, number, l.Service)
	}
	return t.all(ctx, batch)
}

const domainQuery = "SELECT d.domain, o.external_id, d.status, d.token FROM domains d JOIN organizations o ON o.id = d.organization "

func (t *tx) domains(ctx context.Context, query string, arg any) (list []schema.Domain, err error) {
	err = t.collect(ctx, func(rows pgx.Rows) error {
		var d schema.Domain
		err := rows.Scan(&d.Domain, &d.OrganizationID, &d.Status, &d.Token)
		list = append(list, d)
		return err
	}, query, arg)
	return list, err
}

// Domains implements store.Organizations.
func (t *tx) Domains(ctx context.Context, organization string) ([]schema.Domain, error) {
	return t.domains(ctx, domainQuery+"WHERE o.external_id = $1 ORDER BY d.domain", organization)
}

// Holders implements store.Organizations.
func (t *tx) Holders(ctx context.Context, domains []string) ([]schema.Domain, error) {
	return t.domains(ctx, domainQuery+"WHERE d.domain = ANY($1)", domains)
}

// Below implements store.Organizations. Written backwards, a domain stands right before those below it.
func (t *tx) Below(ctx context.Context, domains []string) ([]schema.Domain, error) {
	return t.domains(ctx, `SELECT d.domain, o.external_id, d.status, d.token FROM (SELECT reverse(unnest($1::text[])) COLLATE "C" AS name) n
		JOIN domains d ON reverse(d.domain) COLLATE "C" > n.name || '.' AND reverse(d.domain) COLLATE "C" < n.name || '/'
		JOIN organizations o ON o.id = d.organization`, domains)
}

// PutDomains implements store.Organizations.
func (t *tx) PutDomains(ctx context.Context, domains []schema.Domain) error {
	if err := t.changes(ctx); err != nil {
		return err
	}
	batch := &pgx.Batch{}
	for i := range domains {
		d := &domains[i]
		number, err := t.number(ctx, d.OrganizationID)
		if err != nil {
			return err
		}
		batch.Queue(`INSERT INTO domains (domain, organization, status, token) VALUES ($1, $2, $3, $4)
			ON CONFLICT (domain, organization) DO UPDATE SET status = excluded.status, token = coalesce(nullif(excluded.token, ''), domains.token)`,
			d.Domain, number, string(d.Status), d.Token)
	}
	return t.all(ctx, batch)
}

// organizations returns organizations by number. Who gets one must not change it.
func (t *tx) organizations(ctx context.Context, numbers map[int64]struct{}) (map[int64]*schema.Organization, error) {
	found := make(map[int64]*schema.Organization, len(numbers))
	if len(numbers) == 0 {
		return found, nil
	}
	err := t.collect(ctx, func(rows pgx.Rows) error {
		number, o, err := scanOrganization(rows)
		found[number] = &o
		return err
	}, "SELECT "+organizationColumns+" FROM organizations o WHERE o.id = ANY($1)", slices.Collect(maps.Keys(numbers)))
	return found, err
}
