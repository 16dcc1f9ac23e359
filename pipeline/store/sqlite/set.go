package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// The settings lock is the one writer: a transaction that writes is alone.

// SetOrganization implements store.Settings.
func (s *Store) SetOrganization(ctx context.Context, clock claim.Clock, external string, change func(*schema.Organization) error) (o schema.Organization, err error) {
	id, _, err := organization(ctx, s.read, external)
	if err != nil {
		return o, wrap(err, "find the organization")
	}
	if s.write == nil {
		return o, &schema.Error{Code: schema.CodeDatabaseReadOnly}
	}
	if err := s.settleOrganization(ctx, clock, id); err != nil {
		return o, err
	}
	err = s.writing(ctx, "change the organization", func(tx *sql.Tx) error {
		if _, o, err = organizationByID(ctx, tx, id); err != nil {
			return err
		}
		if err := change(&o); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE organizations SET bring_conversations = ?, directory_sync = ?, activation_emails = ?,
			retention_days = ? WHERE id = ?`, o.BringConversations, o.DirectorySync, o.ActivationEmails, o.RetentionDays, id)
		return err
	})
	return o, err
}

// SetDomain implements store.Settings.
func (s *Store) SetDomain(ctx context.Context, external, domain string, change func(*schema.Domain, string) error) (held schema.Domain, err error) {
	err = s.writing(ctx, "change the domain", func(tx *sql.Tx) error {
		id, _, err := organization(ctx, tx, external)
		if err != nil {
			return err
		}
		held = schema.Domain{Domain: domain, OrganizationID: external}
		err = tx.QueryRowContext(ctx, "SELECT status, token FROM domains WHERE domain = ? AND organization = ?", domain, id).
			Scan(&held.Status, &held.Token)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		facts, err := domainFacts(ctx, tx, id, []string{domain})
		if err != nil {
			return err
		}
		if err := change(&held, facts[domain].ClaimedBy); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO domains (domain, organization, status, token) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET status = excluded.status, token = excluded.token`, domain, id, held.Status, held.Token)
		return err
	})
	return held, err
}
