package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
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
func (s *Store) ApplyChunk(ctx context.Context, owner store.Owner, clock claim.Clock, number int, known int64, keys func() ([]string, error), decide func(claim.Facts) (store.Applied, error)) error {
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
		facts, err := s.factsFor(ctx, tx, clock, id, keys, s.runs.holds(owner, known, current))
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

// factsFor is the facts of a chunk, in the transaction that writes; unchanged says that what the caller knows still holds.
func (s *Store) factsFor(ctx context.Context, tx *sql.Tx, clock claim.Clock, id int64, keys func() ([]string, error), unchanged bool) (claim.Facts, error) {
	if !unchanged {
		wanted, err := keys()
		if err != nil {
			return claim.Facts{}, err
		}
		return newLookup(wanted).settled(ctx, tx, clock, id, &s.organizations)
	}
	_, claiming, err := organizationByID(ctx, tx, id)
	if err != nil {
		return claim.Facts{}, err
	}
	facts := claim.Facts{Claiming: claiming, Unchanged: true}
	facts.Licenses, err = licenses(ctx, tx, id, claiming.ID)
	return facts, err
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
	ids, err := insertClaims(ctx, tx, newClaims{
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
	first, last := slices.Min(ids), slices.Max(ids)
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

// claimGroup is claims of a batch that have more in common: one statement inserts all of them. What differs is handed
// over as JSON, because binding values one by one costs more than inserting them.
type claimGroup struct {
	claimKind
	rows []claimRow
}

// claimKind is what the claims of a group have in common.
type claimKind struct {
	delayed  bool
	status   schema.Status
	services string // as stored; empty: none
	edited   bool
}

type claimRow struct {
	packed int64 // account and line
	index  int   // in the batch
}

// The claims of a group. The first statement takes packed rows, the second pairs of a packed row and edits. The limit, which
// is none, keeps SQLite from parsing a value again wherever it is used. Ids are left out: they go on from the largest, as
// the documentation of the database has it, and finding that this one is free would cost a search of the table.
const (
	insertPlain = `INSERT INTO claims (organization, claimed_at, import, delayed, status_before, services, user, line)
		SELECT ?1, ?2, ?3, ?4, ?5, ?6, packed >> 32, packed & 4294967295 FROM (SELECT value AS packed FROM json_each(?7) LIMIT -1 OFFSET 0)`
	insertEdited = `INSERT INTO claims (organization, claimed_at, import, delayed, status_before, services, user, line, edits)
		SELECT ?1, ?2, ?3, ?4, ?5, ?6, packed >> 32, packed & 4294967295, edits
		FROM (SELECT value ->> 0 AS packed, value ->> 1 AS edits FROM json_each(?7) LIMIT -1 OFFSET 0)`
)

// insertClaims inserts claims and returns their ids, in the order of the claims. An account with an open claim breaks
// the index claims_open: that is an error.
func insertClaims(ctx context.Context, tx *sql.Tx, batch newClaims) ([]int64, error) {
	if len(batch.claims) == 0 {
		return nil, nil
	}
	var next int64
	if err := tx.QueryRowContext(ctx, "SELECT ifnull(max(id), 0) + 1 FROM claims").Scan(&next); err != nil {
		return nil, err
	}
	ids := make([]int64, len(batch.claims))
	for _, group := range groupClaims(batch.claims) {
		for n, row := range group.rows {
			ids[row.index] = next + int64(n)
		}
		statement := insertPlain
		if group.edited {
			statement = insertEdited
		}
		services := sql.NullString{String: group.services, Valid: group.services != ""}
		if _, err := tx.ExecContext(ctx, statement, batch.organization, batch.at, batch.importID,
			group.delayed, string(group.status), services, group.json(batch.claims)); err != nil {
			return nil, err
		}
		next += int64(len(group.rows))
	}
	return ids, nil
}

// groupClaims puts together what one statement can insert, ordered by account: the index of open claims is in that order.
func groupClaims(claims []store.NewClaim) []*claimGroup {
	byKind := map[claimKind]*claimGroup{}
	var groups []*claimGroup
	var services []string // of the claim before, and as stored: most are alike
	var stored string
	for i := range claims {
		c := &claims[i]
		if i == 0 || !slices.Equal(c.Services, services) {
			services, stored = c.Services, encodeList(c.Services).String
		}
		kind := claimKind{delayed: c.Type == schema.Delayed, status: c.StatusBefore, services: stored, edited: c.Edits != nil}
		group := byKind[kind]
		if group == nil {
			group = &claimGroup{claimKind: kind}
			byKind[kind] = group
			groups = append(groups, group)
		}
		group.rows = append(group.rows, claimRow{packed: c.AccountID<<32 | int64(c.Line), index: i})
	}
	for _, group := range groups {
		slices.SortFunc(group.rows, func(a, b claimRow) int { return cmp.Compare(a.packed, b.packed) })
	}
	return groups
}

// json is the rows of the group as its statement takes them.
func (g *claimGroup) json(claims []store.NewClaim) string {
	list := make([]byte, 0, 20*len(g.rows))
	for n, row := range g.rows {
		list = append(list, "[,"[min(n, 1)])
		if g.edited {
			list = append(list, '[')
		}
		list = strconv.AppendInt(list, row.packed, 10)
		if g.edited {
			list = append(append(list, ','), encode(encode(claims[row.index].Edits))...)
			list = append(list, ']')
		}
	}
	return string(append(list, ']'))
}
