package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

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

// Accounts implements store.Accounts. The database puts all of them into one text: a row handed over by the
// driver costs as much as finding it. What few accounts have, an open claim or a time since when they are
// inactive, is read in a second step.
func (t *tx) Accounts(ctx context.Context, keys []string, _ bool) ([]claim.Account, error) {
	l := newLookup(keys)
	accounts := make([]claim.Account, len(l.order))
	if len(accounts) == 0 {
		return accounts, nil
	}
	text, err := t.packed(ctx, l)
	if err != nil {
		return nil, err
	}
	reader := newAccountReader(len(l.order))
	var special []int64
	places := map[int64]int{} // of special ones
	next := 0                 // key that comes next, if the database goes by their order
	for text != "" {
		var record, key string
		record, text, _ = strings.Cut(text, recordSeparator)
		key, record, _ = strings.Cut(record, separator)
		if next >= len(l.keys) || l.keys[next] != key {
			var wanted bool
			if next, wanted = slices.BinarySearch(l.keys, key); !wanted {
				continue
			}
		}
		place := l.order[next]
		next++
		id, isSpecial, err := reader.unpack(record, &accounts[place])
		if err != nil {
			return nil, err
		}
		if isSpecial {
			special = append(special, id)
			places[id] = place
		}
	}
	if err := reader.finish(ctx, t); err != nil || len(special) == 0 {
		return accounts, err
	}
	found, err := t.AccountsByID(ctx, special, false)
	if err != nil {
		return nil, err
	}
	for i := range found {
		accounts[places[found[i].ID]] = found[i]
	}
	return accounts, nil
}

// packed returns the accounts with these keys as one text. Where the keys are most of those that lie between
// the first and the last of them, as they are in a file that was exported, the index is walked from one to
// the other, which is twice as fast as finding every key by itself, and others may be among the accounts.
func (t *tx) packed(ctx context.Context, l lookup) (string, error) {
	from, args := "json_each(?) j CROSS JOIN users u INDEXED BY users_key ON u.key = j.value "+openClaim, []any{encode(l.keys)}
	few := l.keys[:1+len(l.keys)/16] // these tell of a shuffled file at once
	dense, err := t.dense(ctx, few)
	if err == nil && dense {
		dense, err = t.dense(ctx, l.keys)
	}
	if err != nil {
		return "", err
	}
	if dense {
		from, args = "users u INDEXED BY users_key "+openClaim+" WHERE u.key BETWEEN ? AND ?", []any{l.keys[0], l.keys[len(l.keys)-1]}
	}
	var text sql.NullString
	err = t.QueryRowContext(ctx, "SELECT group_concat("+packedAccount+", char(30)) FROM "+from, args...).Scan(&text)
	return text.String, err
}

// dense reports whether sorted keys are most of those that lie between the first and the last of them.
func (t *tx) dense(ctx context.Context, keys []string) (bool, error) {
	var between int
	err := t.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 FROM users INDEXED BY users_key WHERE key BETWEEN ? AND ? LIMIT ?)",
		keys[0], keys[len(keys)-1], 2*len(keys)).Scan(&between)
	return between < 2*len(keys), err
}

// packedAccount is one account as text: its key, its number, that of its organization, a number that holds
// the rest of what is one, and the text columns.
const (
	recordSeparator = "\x1e"
	packedAccount   = `concat_ws(char(31), u.key, u.id, u.organization,
		(ifnull(u.conversations, -1) + 1) << 1 | (c.id IS NOT NULL OR u.inactive_since IS NOT NULL),
		ifnull(u.last_sign_in, ''), ` + accountText + ")"
)

// unpack reads one packed account, behind its key. A special one is only named: it must be read in full.
func (r *accountReader) unpack(record string, a *claim.Account) (id int64, special bool, err error) {
	var numbers [4]int64
	for i := range numbers {
		var text string
		text, record, _ = strings.Cut(record, separator)
		if text == "" {
			continue
		}
		if numbers[i], err = strconv.ParseInt(text, 10, 64); err != nil {
			return 0, false, fmt.Errorf("unpack an account: %w", err)
		}
	}
	id, rest := numbers[0], numbers[2]
	if rest&1 == 1 {
		return id, true, nil
	}
	a.ID = id
	a.User.Conversations = int(rest>>1) - 1
	if numbers[3] != 0 {
		a.User.LastSignIn = time.Unix(numbers[3], 0).UTC()
	}
	r.refs = append(r.refs, accountRef{account: a, organization: numbers[1]})
	return id, false, r.text(&a.User, record)
}

// HoldSeen implements store.Accounts. Stamp has said it.
func (*tx) HoldSeen(context.Context, []store.Seen) (bool, error) { return true, nil }

// AccountsByID implements store.Accounts.
func (t *tx) AccountsByID(ctx context.Context, ids []int64, _ bool) ([]claim.Account, error) {
	accounts := make([]claim.Account, 0, len(ids))
	reader := newAccountReader(len(ids))
	err := t.collect(ctx, func(rows *sql.Rows) error {
		if _, err := reader.scan(rows); err != nil {
			return err
		}
		accounts = append(accounts, claim.Account{})
		return reader.fill(&accounts[len(accounts)-1])
	}, "SELECT NULL, "+accountColumns+" FROM json_each(?) j CROSS JOIN users u ON u.id = j.value "+openClaim, encodeNumbers(ids))
	if err != nil {
		return nil, err
	}
	return accounts, reader.finish(ctx, t)
}
