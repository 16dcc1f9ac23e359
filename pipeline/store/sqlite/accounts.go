package sqlite

import (
	"cmp"
	"context"
	"slices"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
)

// lookup is a set of address keys made ready to be looked up: sorted, because an index walked in its own
// order is read once and not all over.
type lookup struct {
	keys  []string // sorted
	order []int    // where the caller wants each of them
}

func newLookup(keys []string) lookup {
	l := lookup{keys: make([]string, len(keys)), order: make([]int, len(keys))}
	for i := range l.order {
		l.order[i] = i
	}
	slices.SortFunc(l.order, func(a, b int) int { return cmp.Compare(keys[a], keys[b]) })
	for i, at := range l.order {
		l.keys[i] = keys[at]
	}
	return l
}

// Accounts implements store.Accounts.
func (t *tx) Accounts(ctx context.Context, keys []string, _ bool) ([]claim.Account, error) {
	l := newLookup(keys)
	accounts := make([]claim.Account, len(l.order))
	if len(accounts) == 0 {
		return accounts, nil
	}
	from, args, err := t.among(ctx, l)
	if err != nil {
		return nil, err
	}
	reader := newAccountReader(len(l.order))
	next := 0 // key that comes next, if the database goes by their order
	err = t.unpack(ctx, "u.key, "+accountFields, from, args, func(r *record) {
		key := r.text()
		if next >= len(l.keys) || l.keys[next] != key {
			var wanted bool
			if next, wanted = slices.BinarySearch(l.keys, key); !wanted {
				return
			}
		}
		reader.read(r, &accounts[l.order[next]])
		next++
	})
	if err != nil {
		return nil, err
	}
	return accounts, reader.finish(ctx, t)
}

// among returns where the accounts with these keys are. Where the keys are most of those that lie between the
// first and the last of them, as they are in a file that was exported, the index is walked from one to the
// other, which is twice as fast as finding every key by itself, and others may be among the accounts.
func (t *tx) among(ctx context.Context, l lookup) (from string, args []any, err error) {
	few := l.keys[:1+len(l.keys)/16] // these tell of a shuffled file at once
	dense, err := t.dense(ctx, few)
	if err == nil && dense {
		dense, err = t.dense(ctx, l.keys)
	}
	if dense {
		return "users u INDEXED BY users_key " + openClaim + " WHERE u.key BETWEEN ? AND ?", []any{l.keys[0], l.keys[len(l.keys)-1]}, err
	}
	return "json_each(?) j CROSS JOIN users u INDEXED BY users_key ON u.key = j.value " + openClaim, []any{encode(l.keys)}, err
}

// dense reports whether sorted keys are most of those that lie between the first and the last of them.
func (t *tx) dense(ctx context.Context, keys []string) (bool, error) {
	var between int
	err := t.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 FROM users INDEXED BY users_key WHERE key BETWEEN ? AND ? LIMIT ?)",
		keys[0], keys[len(keys)-1], 2*len(keys)).Scan(&between)
	return between < 2*len(keys), err
}

// HoldSeen implements store.Accounts. Stamp has said it.
func (*tx) HoldSeen(context.Context, []store.Seen) (bool, error) { return true, nil }

// AccountsByID implements store.Accounts.
func (t *tx) AccountsByID(ctx context.Context, ids []int64, _ bool) ([]claim.Account, error) {
	accounts := make([]claim.Account, 0, len(ids)) // they must stay where they are
	reader := newAccountReader(len(ids))
	err := t.unpack(ctx, accountFields, "json_each(?) j CROSS JOIN users u ON u.id = j.value "+openClaim, []any{encodeNumbers(ids)}, func(r *record) {
		accounts = append(accounts, claim.Account{})
		reader.read(r, &accounts[len(accounts)-1])
	})
	if err != nil {
		return nil, err
	}
	return accounts, reader.finish(ctx, t)
}
