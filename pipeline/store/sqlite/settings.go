package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

const organizationColumns = "o.id, o.external_id, o.name, o.kind, o.created, o.sso, o.directory_sync, o.bring_conversations, o.activation_emails, o.retention_days"

func scanOrganization(row interface{ Scan(...any) error }) (id int64, o schema.Organization, err error) {
	var created sql.NullInt64
	err = row.Scan(&id, &o.ID, &o.Name, &o.Kind, &created, &o.SSO, &o.DirectorySync, &o.BringConversations, &o.ActivationEmails, &o.RetentionDays)
	o.Created = timeOf(created)
	return id, o, err
}

// Organizations implements store.Store.
func (s *Store) Organizations(ctx context.Context) ([]schema.Organization, error) {
	var list []schema.Organization
	err := collect(ctx, s.read, func(rows *sql.Rows) error {
		_, o, err := scanOrganization(rows)
		list = append(list, o)
		return err
	}, "SELECT "+organizationColumns+" FROM organizations o ORDER BY o.external_id")
	return list, wrap(err, "list organizations")
}

// Organization implements store.Store.
func (s *Store) Organization(ctx context.Context, id string) (schema.Organization, error) {
	_, o, err := organization(ctx, s.read, id)
	return o, wrap(err, "find the organization")
}

// organization finds an organization by the id that users know.
func organization(ctx context.Context, q querier, external string) (int64, schema.Organization, error) {
	id, o, err := scanOrganization(q.QueryRowContext(ctx, "SELECT "+organizationColumns+" FROM organizations o WHERE o.external_id = ?", external))
	if errors.Is(err, sql.ErrNoRows) {
		return 0, o, schema.Refuse(schema.CodeOrganizationUnknown, "There is no organization %q.", external)
	}
	return id, o, err
}

// organizationByID finds an organization by our own number.
func organizationByID(ctx context.Context, q querier, id int64) (int64, schema.Organization, error) {
	return scanOrganization(q.QueryRowContext(ctx, "SELECT "+organizationColumns+" FROM organizations o WHERE o.id = ?", id))
}

// organizationsByID finds organizations by our own numbers.
func organizationsByID(ctx context.Context, q querier, ids []int64) (map[int64]*schema.Organization, error) {
	found := make(map[int64]*schema.Organization, len(ids))
	err := collect(ctx, q, func(rows *sql.Rows) error {
		id, o, err := scanOrganization(rows)
		found[id] = &o
		return err
	}, "SELECT "+organizationColumns+" FROM json_each(?) j CROSS JOIN organizations o ON o.id = j.value", encode(ids))
	return found, err
}

// Licenses implements store.Store.
func (s *Store) Licenses(ctx context.Context, clock claim.Clock, external string) (list []schema.License, err error) {
	err = s.reading(ctx, "list licences", func(tx *sql.Tx) error {
		id, _, err := organization(ctx, tx, external)
		if err != nil {
			return err
		}
		if list, err = licenses(ctx, tx, id, external); err != nil {
			return err
		}
		return addDue(ctx, tx, clock, id, list)
	})
	return list, err
}

// licenses lists an organization's licences as they are written, by service.
func licenses(ctx context.Context, q querier, id int64, external string) ([]schema.License, error) {
	var list []schema.License
	err := collect(ctx, q, func(rows *sql.Rows) error {
		l := schema.License{OrganizationID: external}
		err := rows.Scan(&l.Service, &l.Quantity, &l.AutoAssign, &l.Held)
		list = append(list, l)
		return err
	}, "SELECT service, quantity, auto_assign, held FROM licenses WHERE organization = ? ORDER BY service", id)
	return list, err
}

// hold counts n more licences of a service as held, which the organization may not have: then there is nothing to count.
func hold(ctx context.Context, tx *sql.Tx, organization int64, service string, n int) error {
	_, err := tx.ExecContext(ctx, "UPDATE licenses SET held = held + ? WHERE organization = ? AND service = ?", n, organization, service)
	return err
}

// Domains implements store.Store.
func (s *Store) Domains(ctx context.Context, external string) (list []schema.Domain, err error) {
	err = s.reading(ctx, "list domains", func(tx *sql.Tx) error {
		id, _, err := organization(ctx, tx, external)
		if err != nil {
			return err
		}
		return collect(ctx, tx, func(rows *sql.Rows) error {
			d := schema.Domain{OrganizationID: external}
			err := rows.Scan(&d.Domain, &d.Status, &d.Token)
			list = append(list, d)
			return err
		}, "SELECT domain, status, token FROM domains WHERE organization = ? ORDER BY domain", id)
	})
	return list, err
}

// domainFacts looks up what the rules want to know about domains (R5, R6).
func domainFacts(ctx context.Context, q querier, claiming int64, domains []string) (map[string]claim.Domain, error) {
	facts := make(map[string]claim.Domain, len(domains))
	for _, domain := range domains {
		facts[domain] = claim.Domain{}
	}
	err := collect(ctx, q, func(rows *sql.Rows) error {
		var domain, holder string
		var ours bool
		var status schema.DomainStatus
		if err := rows.Scan(&domain, &ours, &status, &holder); err != nil {
			return err
		}
		fact := facts[domain]
		fact.Ours = fact.Ours || ours
		if status == schema.DomainClaimed {
			fact.ClaimedBy = holder
		}
		facts[domain] = fact
		return nil
	}, `SELECT d.domain, d.organization = ?, d.status, o.external_id
		FROM json_each(?) j CROSS JOIN domains d ON d.domain = j.value JOIN organizations o ON o.id = d.organization
		WHERE d.status <> 'pending'`, claiming, encode(domains))
	return facts, err
}
