package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// The mails of the outbox (R18).
const (
	mailClaim      = "claim"
	mailActivation = "activation"
)

// ApplyChunk implements store.Imports.
func (s *Store) ApplyChunk(ctx context.Context, owner store.Owner, clock claim.Clock, number int, keys []string, ahead claim.Facts, decide func(claim.Facts) (store.Applied, error)) error {
	if err := s.settleFor(ctx, owner, clock, number); err != nil {
		return err
	}
	var version int64 // that this transaction makes; 0: none
	err := s.writing(ctx, "apply a chunk", func(tx *sql.Tx) error {
		id, done, err := mayApply(ctx, tx, owner, number)
		if err != nil || done {
			return err
		}
		current, err := factsVersion(ctx, tx)
		if err != nil {
			return err
		}
		facts, err := s.factsFor(ctx, tx, clock, id, keys, ahead, s.runs.holds(owner, ahead.Version, current))
		if err != nil {
			return err
		}
		applied, err := decide(facts)
		if err != nil {
			return err
		}
		version = current + 1
		return s.keep(ctx, tx, owner, clock, id, number, applied)
	})
	if err == nil && version != 0 {
		s.runs.committed(owner, version)
	}
	return err
}

// factsFor is the facts of a chunk, in the transaction that writes: those looked up ahead where they hold, and nothing of
// them has become due meanwhile.
func (s *Store) factsFor(ctx context.Context, tx *sql.Tx, clock claim.Clock, id int64, keys []string, ahead claim.Facts, holds bool) (claim.Facts, error) {
	if !holds || len(dueSteps(clock, ahead.Accounts)) > 0 {
		return newLookup(keys).settled(ctx, tx, clock, id, &s.organizations)
	}
	_, claiming, err := organizationByID(ctx, tx, id)
	if err != nil {
		return claim.Facts{}, err
	}
	ahead.Claiming = claiming
	ahead.Licenses, err = licenses(ctx, tx, id, claiming.ID)
	return ahead, err
}

// ownRun is the latest unbroken run of changes made by one import: since it began, nobody else has changed anything. The
// import's own changes do not concern the accounts of its other chunks, for every account is in one.
type ownRun struct {
	mu          sync.Mutex
	owner       store.Owner
	start, last int64 // versions
}

// holds reports whether facts of one version still hold at another, as far as this import's other chunks go.
func (r *ownRun) holds(owner store.Owner, version, current int64) bool {
	if version == 0 {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return version == current || owner == r.owner && current == r.last && version >= r.start
}

// committed notes a change by the owner that has made this version.
func (r *ownRun) committed(owner store.Owner, version int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if owner != r.owner || version != r.last+1 {
		r.owner, r.start = owner, version-1
	}
	r.last = version
}

// settleFor writes, ahead of a chunk's own transaction, what is due for the organization that imports.
func (s *Store) settleFor(ctx context.Context, owner store.Owner, clock claim.Clock, number int) error {
	id, done, err := mayApply(ctx, s.read, owner, number)
	if err != nil || done {
		return wrap(err, "apply a chunk")
	}
	return s.settleOrganization(ctx, clock, id)
}

// mayApply checks that the owner may apply the chunk now, and returns the number of the claiming organization.
func mayApply(ctx context.Context, q querier, owner store.Owner, number int) (organization int64, done bool, err error) {
	var epoch int64
	var state schema.ImportState
	var cancelled bool
	err = q.QueryRowContext(ctx, `SELECT i.epoch, i.state, i.cancel_requested, i.organization, c.done
		FROM imports i JOIN import_chunks c ON c.import = i.id WHERE i.id = ? AND c.number = ?`, owner.ImportID, number).
		Scan(&epoch, &state, &cancelled, &organization, &done)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		err = schema.Refuse(schema.CodeImportNotFound, "Import %d has no part %d.", owner.ImportID, number)
	case err != nil:
	case epoch != owner.Epoch:
		err = &schema.Error{Code: schema.CodeImportTakenOver}
	case cancelled, state == schema.StateCancelled:
		err = &schema.Error{Code: schema.CodeCancelled}
	case state != schema.StateApplying:
		err = fmt.Errorf("import %d is %s", owner.ImportID, state)
	}
	return organization, done, err
}

// settled looks everything up in a transaction that writes, when what is due has been written.
func (l lookup) settled(ctx context.Context, tx *sql.Tx, clock claim.Clock, id int64, cache *organizationCache) (claim.Facts, error) {
	due, err := dueAccounts(ctx, tx, clock, id, -1)
	if err != nil {
		return claim.Facts{}, err
	}
	if _, err := settle(ctx, tx, clock, due); err != nil {
		return claim.Facts{}, err
	}
	_, claiming, err := organizationByID(ctx, tx, id)
	if err != nil {
		return claim.Facts{}, err
	}
	facts, err := l.facts(ctx, tx, id, claiming, cache)
	if err != nil {
		return facts, err
	}
	due = due[:0]
	for _, a := range facts.Accounts { // claimed by others, and due
		if a.ID != 0 && len(dueSteps(clock, []claim.Account{a})) > 0 {
			due = append(due, a.ID)
		}
	}
	if len(due) == 0 {
		return facts, nil
	}
	if _, err := settle(ctx, tx, clock, due); err != nil {
		return facts, err
	}
	return l.facts(ctx, tx, id, claiming, cache)
}

// keep writes what became of a chunk.
func (s *Store) keep(ctx context.Context, tx *sql.Tx, owner store.Owner, clock claim.Clock, organization int64, number int, applied store.Applied) error {
	ids, err := s.insertClaims(ctx, tx, newClaims{
		organization: organization, at: clock.Now.Unix(), importID: sql.NullInt64{Int64: owner.ImportID, Valid: true}, claims: applied.Claims,
	})
	if err != nil {
		return err
	}
	if err := mail(ctx, tx, ids, applied.ActivationMails); err != nil {
		return err
	}
	for service, n := range applied.Assigned {
		if err := hold(ctx, tx, organization, service, n); err != nil {
			return err
		}
	}
	if applied.Results != nil {
		if results := applied.Results(ids); results != nil {
			if err := keepResults(ctx, tx, owner.ImportID, number, results); err != nil {
				return err
			}
		}
	}
	_, err = tx.ExecContext(ctx, "UPDATE import_chunks SET done = 1, applied = ? WHERE import = ? AND number = ?",
		encode(applied.Tally), owner.ImportID, number)
	return err
}

// mail writes the mails to send for claims just made.
func mail(ctx context.Context, tx *sql.Tx, ids []int64, activation bool) error {
	if len(ids) == 0 {
		return nil
	}
	first, last := ids[0], ids[len(ids)-1]
	_, err := tx.ExecContext(ctx, "INSERT INTO outbox (claim, kind) SELECT id, ? FROM claims WHERE id BETWEEN ? AND ?", mailClaim, first, last)
	if err != nil || !activation {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO outbox (claim, kind) SELECT id, ? FROM claims WHERE id BETWEEN ? AND ? AND NOT delayed", mailActivation, first, last)
	return err
}

// newClaims are claims to insert, with what they have in common.
type newClaims struct {
	organization int64
	at           int64
	importID     sql.NullInt64
	claims       []store.NewClaim
}

const (
	// claimRows is how many claims one statement inserts.
	claimRows = 500

	insertInto = `INSERT INTO claims (organization, claimed_at, import, user, delayed, status_before, edits, services, line) VALUES `
)

// insertStatement inserts n claims; what they have in common is bound once.
func insertStatement(n int) string {
	var b strings.Builder
	b.WriteString(insertInto)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("(?1,?2,?3,?,?,?,?,?,?)")
	}
	return b.String()
}

// insertClaims inserts claims and returns their ids, which follow each other. An account with an open claim breaks the
// index claims_open: that is an error.
func (s *Store) insertClaims(ctx context.Context, tx *sql.Tx, batch newClaims) ([]int64, error) {
	ids := make([]int64, 0, len(batch.claims))
	many := tx.StmtContext(ctx, s.insertMany)
	defer func() { _ = many.Close() }()
	args := make([]any, 0, 3+6*claimRows)
	for rest := batch.claims; len(rest) > 0; rest = rest[min(claimRows, len(rest)):] {
		part := rest[:min(claimRows, len(rest))]
		args = append(args[:0], batch.organization, batch.at, batch.importID)
		for i := range part {
			c := &part[i]
			var edits sql.NullString
			if c.Edits != (schema.Profile{}) {
				edits = sql.NullString{String: encode(c.Edits), Valid: true}
			}
			args = append(args, c.AccountID, c.Type == schema.Delayed, string(c.StatusBefore), edits, encodeList(c.Services), c.Line)
		}
		var done sql.Result
		var err error
		if len(part) == claimRows {
			done, err = many.ExecContext(ctx, args...)
		} else {
			done, err = tx.ExecContext(ctx, insertStatement(len(part)), args...)
		}
		if err != nil {
			return nil, err
		}
		last, err := done.LastInsertId()
		if err != nil {
			return nil, err
		}
		for i := range part {
			ids = append(ids, last-int64(len(part)-1-i))
		}
	}
	return ids, nil
}
