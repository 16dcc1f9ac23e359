package store

import (
	"context"
	"slices"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// Batch is one part of a listing of accounts.
type Batch struct {
	Keys  []string // address keys, one per account of Facts
	Facts claim.Facts
}

// Candidates hands over, in batches ordered by address key, every account whose domain the organization has verified or
// claimed and that is neither its own nor under its claim, with the facts to decide on: all who could be eligible. Members and
// claimed accounts for whom time may have changed that are among them. A domain, where given, leaves only the addresses in it.
// An error of each ends the listing and is returned. Refused with CodeOrganizationUnknown.
func (s *Store) Candidates(ctx context.Context, id, domain string, each func(Batch) error) error {
	return s.read(ctx, "list candidates", func(tx Tx) error {
		facts, names, err := eligibleIn(ctx, tx, id, domain)
		if err != nil || len(names) == 0 {
			return err
		}
		for after := ""; ; {
			batch, err := candidates(ctx, tx, facts, names, after, batchSize)
			if err != nil || len(batch.Keys) == 0 {
				return err
			}
			if err := each(batch); err != nil {
				return err
			}
			if len(batch.Keys) < batchSize {
				return nil
			}
			after = batch.Keys[len(batch.Keys)-1]
		}
	})
}

// CandidatesAfter returns up to limit candidates behind an address key, as Candidates does; fewer: there are no more.
func (s *Store) CandidatesAfter(ctx context.Context, id, domain, after string, limit int) (batch Batch, err error) {
	err = s.read(ctx, "list candidates", func(tx Tx) error {
		facts, names, err := eligibleIn(ctx, tx, id, domain)
		if err != nil || len(names) == 0 {
			return err
		}
		batch, err = candidates(ctx, tx, facts, names, after, limit)
		return err
	})
	return batch, err
}

// eligibleIn returns the facts common to all candidates, and the domains in which they are.
func eligibleIn(ctx context.Context, tx Tx, id, only string) (facts claim.Facts, names []string, err error) {
	if facts.Claiming, err = organization(ctx, tx, id); err != nil {
		return facts, nil, err
	}
	own, err := tx.Domains(ctx, id)
	if err != nil {
		return facts, nil, err
	}
	for _, d := range own {
		if d.Status != schema.DomainPending && (only == "" || only == d.Domain) {
			names = append(names, d.Domain)
		}
	}
	if facts.Domains, err = domains(ctx, tx, id, names); err != nil {
		return facts, nil, err
	}
	facts.Licenses, err = tx.Licenses(ctx, false, id)
	return facts, names, err
}

func candidates(ctx context.Context, tx Tx, facts claim.Facts, names []string, after string, limit int) (Batch, error) {
	list, err := tx.Candidates(ctx, facts.Claiming.ID, names, after, limit)
	batch := Batch{Keys: make([]string, len(list)), Facts: facts}
	batch.Facts.Accounts = make([]claim.Account, len(list))
	for i := range list {
		batch.Keys[i], batch.Facts.Accounts[i] = list[i].Key, list[i].Account
	}
	return batch, err
}

// Members hands over, in batches ordered by address key, the view of every account that belongs to the organization or is
// under its open claim. An error of each ends the listing and is returned. Refused with CodeOrganizationUnknown.
func (s *Store) Members(ctx context.Context, rules claim.Rules, id string, each func([]claim.View) error) error {
	return s.read(ctx, "list members", func(tx Tx) error {
		m, err := membersOf(ctx, tx, rules, id)
		if err != nil {
			return err
		}
		for after := ""; ; {
			page, next, err := m.page(ctx, after, batchSize)
			if err != nil {
				return err
			}
			if len(page) > 0 {
				if err := each(page); err != nil {
					return err
				}
			}
			if next == "" {
				return nil
			}
			after = next
		}
	})
}

// MembersAfter returns members behind an address key, as Members does, out of limit accounts looked at; next is the key
// to go on behind, blank where there are no more.
func (s *Store) MembersAfter(ctx context.Context, rules claim.Rules, id, after string, limit int) (page []claim.View, next string, err error) {
	err = s.read(ctx, "list members", func(tx Tx) error {
		m, err := membersOf(ctx, tx, rules, id)
		if err != nil {
			return err
		}
		page, next, err = m.page(ctx, after, limit)
		return err
	})
	return page, next, err
}

// members lists the members of one organization as they stand now.
type members struct {
	tx           Tx
	rules        claim.Rules
	organization *schema.Organization
	services     map[int64][]string // of accounts that have joined, though that is not written
}

func membersOf(ctx context.Context, tx Tx, rules claim.Rules, id string) (members, error) {
	o, err := organization(ctx, tx, id)
	if err != nil {
		return members{}, err
	}
	effects, _, err := due{tx: tx, rules: rules}.find(ctx, id)
	m := members{tx: tx, rules: rules, organization: &o, services: map[int64][]string{}}
	for i := range effects {
		if e := &effects[i]; e.Moves {
			m.services[e.Before.ID] = e.User.Services
		}
	}
	return m, err
}

// page lists the members among so many accounts behind an address key.
func (m members) page(ctx context.Context, after string, limit int) (views []claim.View, next string, err error) {
	views, err = m.tx.Members(ctx, m.organization.ID, after, limit)
	if err != nil || len(views) == 0 {
		return nil, "", err
	}
	if len(views) == limit {
		next = views[len(views)-1].Key
	}
	if err := complete(ctx, m.tx, m.organization, views); err != nil {
		return nil, "", err
	}
	for i := range views {
		views[i] = m.asOf(views[i])
	}
	return slices.DeleteFunc(views, func(v claim.View) bool { return !v.Belongs() }), next, nil
}

// asOf returns a view as it stands now.
func (m members) asOf(v claim.View) claim.View {
	v = m.rules.ViewAsOf(v)
	if services, joined := m.services[v.Account.ID]; joined && v.Account.ID != 0 {
		v.Account.User.Services = services
	}
	return v
}

// ImportClaim is a claim that an import made, with the view of the account it is on; no Key where that is gone.
type ImportClaim struct {
	Line int // of the row in the import's file
	Case claim.View
}

// ImportClaims hands over, in batches in the order of the file, the claims that an import made. An error of each ends the
// listing and is returned. Refused with CodeImportNotFound.
func (s *Store) ImportClaims(ctx context.Context, rules claim.Rules, importID int64, each func([]ImportClaim) error) error {
	return s.read(ctx, "list the claims of an import", func(tx Tx) error {
		row, err := findImport(ctx, tx, importID, false)
		if err != nil {
			return err
		}
		m, err := membersOf(ctx, tx, rules, row.OrganizationID)
		if err != nil {
			return err
		}
		for line := -1; ; {
			made, err := tx.ImportClaims(ctx, importID, line, batchSize)
			if err != nil || len(made) == 0 {
				return err
			}
			line = made[len(made)-1].Line
			batch, err := m.made(ctx, made)
			if err != nil {
				return err
			}
			if err := each(batch); err != nil {
				return err
			}
		}
	})
}

// made returns the claims with the views of their accounts.
func (m members) made(ctx context.Context, claims []MadeClaim) ([]ImportClaim, error) {
	ids := make([]int64, len(claims))
	for i := range claims {
		ids[i] = claims[i].Account
	}
	views, err := m.tx.ViewsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	if err := complete(ctx, m.tx, m.organization, views); err != nil {
		return nil, err
	}
	byID := make(map[int64]claim.View, len(views))
	for _, v := range views {
		byID[v.Account.ID] = v
	}
	batch := make([]ImportClaim, len(claims))
	for i := range claims {
		v, ok := byID[claims[i].Account]
		if !ok {
			v.Organization = m.organization
		}
		batch[i] = ImportClaim{Line: claims[i].Line, Case: m.asOf(v)}
	}
	return batch, nil
}
