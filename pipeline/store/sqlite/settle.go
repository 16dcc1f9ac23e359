package sqlite

import (
	"context"
	"database/sql"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// settleOrganization writes what is due and concerns an organization, a few accounts per transaction, so that nobody
// waits for long however much there is.
func (s *Store) settleOrganization(ctx context.Context, clock claim.Clock, organization int64) error {
	_, err := s.sweep(ctx, clock, organization)
	return err
}

// Sweep implements store.Claims.
func (s *Store) Sweep(ctx context.Context, clock claim.Clock) (schema.Swept, error) {
	return s.sweep(ctx, clock, everyOrganization)
}

func (s *Store) sweep(ctx context.Context, clock claim.Clock, organization int64) (swept schema.Swept, err error) {
	for {
		ids, err := dueAccounts(ctx, s.read, clock, organization, dueLimit)
		if err != nil || len(ids) == 0 {
			return swept, wrap(err, "find what is due")
		}
		var steps []step
		err = s.writing(ctx, "settle what is due", func(tx *sql.Tx) (err error) {
			steps, err = settle(ctx, tx, clock, ids)
			return err
		})
		if err != nil {
			return swept, err
		}
		for i := range steps {
			if steps[i].completes() {
				swept.Transferred++
			} else {
				swept.Removed++
			}
		}
	}
}

// settle writes what is due of these accounts: claims completed (R21), accounts removed, claims closed by a removal
// (R23), with the licences and mails that follow. It returns the steps it took.
func settle(ctx context.Context, tx *sql.Tx, clock claim.Clock, ids []int64) ([]step, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	accounts, err := accountsByID(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	steps := dueSteps(clock, accounts)
	var l ledger
	if err := l.take(ctx, tx, steps); err != nil {
		return nil, err
	}
	before := l.held()
	for i := range steps {
		if err := steps[i].write(ctx, tx, l.follow(&steps[i])); err != nil {
			return nil, err
		}
	}
	return steps, l.write(ctx, tx, before)
}

// write writes one step; services are those of the account after it.
func (s *step) write(ctx context.Context, tx *sql.Tx, services []string) error {
	if made := s.before.Claim; made != nil {
		by := schema.ClosedRemoved
		if s.completes() {
			by = schema.ClosedCompleted
			if err := s.move(ctx, tx, services); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, "UPDATE claims SET closed_at = ?, closed_by = ? WHERE id = ?", seconds(s.at), by, made.ID)
		if err != nil {
			return err
		}
	}
	if s.after.ID != 0 {
		return nil
	}
	return removeUser(ctx, tx, s.before.ID)
}

// move lets the account join the organization that claimed it, for good.
func (s *step) move(ctx context.Context, tx *sql.Tx, services []string) error {
	u, made := &s.after.User, s.before.Claim
	_, err := tx.ExecContext(ctx, `UPDATE users SET organization = (SELECT organization FROM claims WHERE id = ?),
		status = ?, inactive_since = ?, first_name = ?, last_name = ?, display_name = ?, title = ?, department = ?, phone = ?,
		preferred_language = ?, services = ?, pinned = 1 WHERE id = ?`,
		made.ID, u.Status, seconds(u.InactiveSince), u.FirstName, u.LastName, u.DisplayName, u.Title, u.Department, u.Phone,
		u.PreferredLanguage, encodeList(services), s.after.ID)
	if err != nil || !s.after.Organization.ActivationEmails {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO outbox (claim, kind) VALUES (?, ?)", made.ID, mailActivation)
	return err
}

// removeUser deletes an account; the tombstone keeps a snapshot from bringing it back.
func removeUser(ctx context.Context, tx *sql.Tx, id int64) error {
	if _, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO removed_users SELECT external_id FROM users WHERE id = ?", id); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM users WHERE id = ?", id)
	return err
}

// license names one organization's licences of a service.
type license struct{ organization, service string }

// held is how many licences of each kind are held now.
func (l *ledger) held() map[license]int {
	held := map[license]int{}
	for organization, list := range l.organizations {
		for _, entry := range list {
			held[license{organization, entry.Service}] = entry.Held
		}
	}
	return held
}

// write writes how many licences are held, where that is not what it was before.
func (l *ledger) write(ctx context.Context, tx *sql.Tx, before map[license]int) error {
	for key, held := range l.held() {
		if held == before[key] {
			continue
		}
		_, err := tx.ExecContext(ctx, `UPDATE licenses SET held = ?
			WHERE organization = (SELECT id FROM organizations WHERE external_id = ?) AND service = ?`, held, key.organization, key.service)
		if err != nil {
			return err
		}
	}
	return nil
}
