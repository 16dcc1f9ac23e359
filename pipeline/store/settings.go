package store

import (
	"context"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// SetOrganization lets change decide, under the settings lock, on the organization's BringConversations,
// DirectorySync, ActivationEmails and RetentionDays, and returns the organization as it is then. What time
// has made due is written first, under the old settings. change may be called again after a conflict; its
// error is returned, and nothing is changed. Refused with CodeOrganizationUnknown.
func (s *Store) SetOrganization(ctx context.Context, rules claim.Rules, id string, change func(*schema.Organization) error) (o schema.Organization, err error) {
	if _, err := s.Organization(ctx, id); err != nil {
		return o, err
	}
	if _, err := s.settle(ctx, rules, id); err != nil {
		return o, err
	}
	err = s.write(ctx, "change the organization", func(tx Tx) error {
		if err := tx.LockSettings(ctx, true); err != nil {
			return err
		}
		if err := (due{tx: tx, rules: rules}).writeAny(ctx, id); err != nil {
			return err
		}
		if o, err = organization(ctx, tx, id); err != nil {
			return err
		}
		if err := change(&o); err != nil {
			return err
		}
		return tx.PutOrganizations(ctx, []schema.Organization{o})
	})
	return o, err
}

// SetDomain lets change decide, under the settings lock, on the status and token of a domain in the
// organization, and returns the domain as it is then. change is given the domain as the organization holds
// it, its Status blank where it does not, and the id of the organization that has claimed it, blank where
// none has. change may be called again after a conflict; its error is returned, and nothing is changed. The
// domain is named by its key (schema.DomainKey). Refused with CodeOrganizationUnknown.
func (s *Store) SetDomain(ctx context.Context, id, name string, change func(held *schema.Domain, claimedBy string) error) (held schema.Domain, err error) {
	err = s.write(ctx, "change the domain", func(tx Tx) error {
		if err := tx.LockSettings(ctx, true); err != nil {
			return err
		}
		if _, err := organization(ctx, tx, id); err != nil {
			return err
		}
		holders, err := tx.Holders(ctx, []string{name})
		if err != nil {
			return err
		}
		held = schema.Domain{Domain: name, OrganizationID: id}
		for _, holder := range holders {
			if holder.OrganizationID == id {
				held = holder
			}
		}
		if err := change(&held, claim.SeenBy(id, name, holders).ClaimedBy); err != nil {
			return err
		}
		return tx.PutDomains(ctx, []schema.Domain{held})
	})
	return held, err
}
