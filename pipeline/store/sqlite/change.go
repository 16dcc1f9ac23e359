package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// mailReminder is the third mail of the outbox, beside those of R18.
const mailReminder = "reminder"

// Change implements store.Claims.
func (s *Store) Change(ctx context.Context, clock claim.Clock, external string, keys []string, decide func([]claim.Case) ([]claim.Effect, error)) error {
	const doing = "change accounts"
	if s.write == nil {
		return wrap(&schema.Error{Code: schema.CodeDatabaseReadOnly}, doing)
	}
	id, err := asking(ctx, s.read, external, keys[0])
	if err != nil {
		return wrap(err, doing)
	}
	if id != 0 {
		if err := s.settleOrganization(ctx, clock, id); err != nil {
			return err
		}
	}
	lookup := newLookup(keys)
	return s.writing(ctx, doing, func(tx *sql.Tx) error {
		id, err := asking(ctx, tx, external, keys[0])
		if err != nil {
			return err
		}
		var organization *schema.Organization
		if id != 0 {
			facts, err := lookup.settled(ctx, tx, clock, id, nil)
			if err != nil {
				return err
			}
			organization = &facts.Claiming
		}
		cases, err := lookup.cases(ctx, tx, id, organization, keys)
		if err != nil {
			return err
		}
		effects, err := decide(cases)
		if err != nil {
			return err
		}
		return writeEffects(ctx, tx, cases, effects)
	})
}

// asking finds the number of the organization that asks; where none is named, the one with an open claim on the address,
// or the one it belongs to, and 0 where there is no such account.
func asking(ctx context.Context, q querier, external, key string) (id int64, err error) {
	if external != "" {
		id, _, err = organization(ctx, q, external)
		return id, err
	}
	err = q.QueryRowContext(ctx, "SELECT ifnull(c.organization, u.organization) FROM users u "+openClaim+" WHERE u.key = ?", key).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return id, err
}

// writeEffects writes what was decided, with the licences and mails that follow.
func writeEffects(ctx context.Context, tx *sql.Tx, cases []claim.Case, effects []claim.Effect) error {
	var touched []step // of which licences may change hands
	for i := range effects {
		if e := &effects[i]; e.Gone || e.Claim != nil && !e.Claim.Open() {
			touched = append(touched, step{before: cases[i].Account})
		}
	}
	var l ledger
	if err := l.take(ctx, tx, touched); err != nil {
		return err
	}
	before := l.held()
	for i := range effects {
		if err := writeEffect(ctx, tx, &cases[i].Account, &effects[i], &l); err != nil {
			return err
		}
	}
	return l.write(ctx, tx, before)
}

func writeEffect(ctx context.Context, tx *sql.Tx, a *claim.Account, e *claim.Effect, l *ledger) error {
	moves := e.User != nil && e.User.OrganizationID != a.User.OrganizationID
	services := l.change(a, e, moves)
	if e.User != nil {
		if err := writeUser(ctx, tx, a, e, moves, services); err != nil {
			return err
		}
	}
	if e.Gone {
		if err := removeUser(ctx, tx, a.ID); err != nil {
			return err
		}
	}
	account := a.ID // the one the claim is on from now on
	if e.Joins != nil {
		var err error
		if account, err = insertJoining(ctx, tx, a, e.Joins, services); err != nil {
			return err
		}
	}
	if e.Claim != nil {
		if err := writeClaim(ctx, tx, e.Claim, account); err != nil {
			return err
		}
	}
	var mail string
	switch {
	case e.Remind:
		mail = mailReminder
	case (moves || e.Joins != nil) && a.Claim.Type == schema.Delayed && a.Claiming.ActivationEmails:
		mail = mailActivation
	default:
		return nil
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO outbox (claim, kind) VALUES (?, ?)", a.Claim.ID, mail)
	return err
}

// change takes one effect, and returns the services of the account that joins.
func (l *ledger) change(a *claim.Account, e *claim.Effect, moves bool) (services []string) {
	made := a.Claim
	switch {
	case (moves || e.Joins != nil) && made.Type == schema.Delayed:
		services = l.assign(made.OrganizationID, made.Services)
	case moves, e.Joins != nil: // held since the claim
		services = made.Services
	case e.Claim != nil && !e.Claim.Open() && made.Type == schema.Immediate:
		l.release(made.OrganizationID, made.Services)
	}
	if e.Gone || moves {
		l.release(a.User.OrganizationID, a.User.Services)
	}
	return services
}

// writeUser writes what an account has become. A closed claim leaves it pinned.
func writeUser(ctx context.Context, tx *sql.Tx, a *claim.Account, e *claim.Effect, moves bool, services []string) error {
	u := e.User
	var joins sql.NullInt64
	if moves {
		joins = sql.NullInt64{Int64: a.Claim.ID, Valid: true}
	} else {
		services = u.Services
	}
	_, err := tx.ExecContext(ctx, `UPDATE users SET key = ifnull(nullif(?, ''), key), email = ?,
		organization = ifnull((SELECT c.organization FROM claims c WHERE c.id = ?), organization),
		status = ?, inactive_since = ?, former_status = nullif(?, ''), first_name = ?, last_name = ?, display_name = ?, title = ?, department = ?,
		phone = ?, preferred_language = ?, services = ?, pinned = pinned OR ? WHERE id = ?`,
		e.Key, u.Email, joins, u.Status, seconds(u.InactiveSince), e.Former, u.FirstName, u.LastName, u.DisplayName, u.Title, u.Department,
		u.Phone, u.PreferredLanguage, encodeList(services), e.Claim != nil, a.ID)
	return err
}

// insertJoining adds the account that joins the organization with the claim, and returns its number. Nobody else can have
// made up the same id.
func insertJoining(ctx context.Context, tx *sql.Tx, a *claim.Account, u *schema.User, services []string) (int64, error) {
	key, _ := schema.ParseAddress(u.Email)
	done, err := tx.ExecContext(ctx, `INSERT INTO users (external_id, key, email, organization, status, conversations,
			first_name, last_name, display_name, title, department, phone, preferred_language, services, pinned)
		SELECT ?, ?, ?, c.organization, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1 FROM claims c WHERE c.id = ?`,
		"joined-"+rand.Text(), key, u.Email, u.Status, u.Conversations,
		u.FirstName, u.LastName, u.DisplayName, u.Title, u.Department, u.Phone, u.PreferredLanguage, encodeList(services), a.Claim.ID)
	if err != nil {
		return 0, err
	}
	return done.LastInsertId()
}

// writeClaim writes what a claim has become, and the account it is on.
func writeClaim(ctx context.Context, tx *sql.Tx, made *schema.Claim, account int64) error {
	var status sql.NullString
	if made.Status != made.StatusBefore {
		status = sql.NullString{String: string(made.Status), Valid: true}
	}
	var closedBy sql.NullString
	if !made.Open() {
		closedBy = sql.NullString{String: string(made.ClosedBy), Valid: true}
	}
	_, err := tx.ExecContext(ctx, `UPDATE claims SET user = ?, signed_in_at = ?, status = ?, inactive_since = ?, closed_at = ?, closed_by = ?
		WHERE id = ?`, account, seconds(made.SignedInAt), status, seconds(made.InactiveSince), seconds(made.ClosedAt), closedBy, made.ID)
	return err
}
