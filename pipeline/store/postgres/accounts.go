package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
)

// Locks on accounts are taken by number, so that two transactions that want the same never wait for each
// other. A lock that was waited for shows the row as others have left it; everything else is read by a
// statement of its own, which sees what they have committed.
const lockOrder = " ORDER BY u.id FOR NO KEY UPDATE OF u"

// maxRounds is how often accounts are locked that have come by an address while they were.
const maxRounds = 3

// Accounts implements store.Accounts.
func (t *tx) Accounts(ctx context.Context, keys []string, hold bool) ([]claim.Account, error) {
	places := make(map[string]int, len(keys))
	for i, key := range keys {
		places[key] = i
	}
	if !hold || !t.writes {
		return t.byKey(ctx, keys, places)
	}
	locked := map[int64]struct{}{}
	lock := "SELECT u.id FROM users u WHERE u.key = ANY($1)"
	for range maxRounds {
		ids, err := list[int64](ctx, t, lock+lockOrder, keys)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			locked[id] = struct{}{}
		}
		accounts, err := t.byKey(ctx, keys, places)
		if err != nil || !slices.ContainsFunc(accounts, func(a claim.Account) bool {
			_, is := locked[a.ID]
			return a.ID != 0 && !is
		}) {
			return accounts, err
		}
	}
	return nil, fmt.Errorf("%w: addresses change hands", store.ErrConflict)
}

// byKey finds accounts by address key, in the places given.
func (t *tx) byKey(ctx context.Context, keys []string, places map[string]int) ([]claim.Account, error) {
	accounts := make([]claim.Account, len(keys))
	if len(keys) == 0 {
		return accounts, nil
	}
	var key string
	reader := newAccountReader(&key)
	var found claim.Account
	err := t.collect(ctx, func(rows pgx.Rows) error {
		if err := reader.read(rows, &found); err != nil {
			return err
		}
		place := places[key]
		accounts[place] = found
		reader.refs[len(reader.refs)-1].account = &accounts[place]
		return nil
	}, "SELECT u.key, "+accountColumns+" FROM users u "+openClaim+" WHERE u.key = ANY($1)", keys)
	if err != nil {
		return nil, err
	}
	return accounts, reader.finish(ctx, t)
}

// AccountsByID implements store.Accounts.
func (t *tx) AccountsByID(ctx context.Context, ids []int64, hold bool) ([]claim.Account, error) {
	if hold && t.writes {
		if err := t.exec(ctx, "SELECT FROM users u WHERE u.id = ANY($1)"+lockOrder, ids); err != nil {
			return nil, err
		}
	}
	accounts := make([]claim.Account, len(ids))
	n := 0
	reader := newAccountReader()
	err := t.collect(ctx, func(rows pgx.Rows) error {
		n++
		return reader.read(rows, &accounts[n-1])
	}, "SELECT "+accountColumns+" FROM unnest($1::bigint[]) WITH ORDINALITY w (id, place) JOIN users u ON u.id = w.id "+openClaim+" ORDER BY w.place", ids)
	if err != nil {
		return nil, err
	}
	return accounts[:n], reader.finish(ctx, t)
}

// HoldSeen implements store.Accounts.
func (t *tx) HoldSeen(ctx context.Context, seen []store.Seen) (bool, error) {
	ids, versions := make([]int64, len(seen)), make([]int64, len(seen))
	for i, s := range seen {
		ids[i], versions[i] = s.Account, s.Version
	}
	var same int
	err := t.QueryRow(ctx, `SELECT count(*) FROM (SELECT FROM unnest($1::bigint[], $2::bigint[]) s (id, version)
		JOIN users u ON u.id = s.id AND u.version = s.version`+lockOrder+") held", ids, versions).Scan(&same)
	return same == len(seen), err
}
