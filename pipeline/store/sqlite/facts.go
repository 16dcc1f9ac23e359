package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// Facts implements store.Store.
func (s *Store) Facts(ctx context.Context, external string, keys []string) (facts claim.Facts, err error) {
	lookup := newLookup(keys)
	err = s.reading(ctx, "look up accounts", func(tx *sql.Tx) error {
		id, claiming, err := organization(ctx, tx, external)
		if err != nil {
			return err
		}
		if facts, err = lookup.facts(ctx, tx, id, claiming, &s.organizations); err != nil {
			return err
		}
		facts.Version, err = factsVersion(ctx, tx)
		return err
	})
	return facts, err
}

// lookup is a set of address keys made ready to be looked up: sorted, because an index walked in its own order is read
// once and not all over.
type lookup struct {
	keys    []string // sorted
	order   []int    // where the caller wants each of them
	domains []string
}

func newLookup(keys []string) lookup {
	l := lookup{keys: make([]string, len(keys)), order: make([]int, len(keys))}
	for i := range l.order {
		l.order[i] = i
	}
	slices.SortFunc(l.order, func(a, b int) int { return cmp.Compare(keys[a], keys[b]) })
	seen := map[string]struct{}{}
	for i, at := range l.order {
		l.keys[i] = keys[at]
		domain := schema.KeyDomain(keys[at])
		if _, ok := seen[domain]; !ok {
			seen[domain] = struct{}{}
			l.domains = append(l.domains, domain)
		}
	}
	return l
}

// facts looks everything up.
func (l lookup) facts(ctx context.Context, q querier, id int64, claiming schema.Organization, cache *organizationCache) (claim.Facts, error) {
	facts := claim.Facts{Claiming: claiming}
	var err error
	if facts.Domains, err = domainFacts(ctx, q, id, l.domains); err != nil {
		return facts, err
	}
	if facts.Licenses, err = licenses(ctx, q, id, claiming.ID); err != nil {
		return facts, err
	}
	facts.Accounts, err = l.accounts(ctx, q, cache)
	return facts, err
}

// accounts looks the accounts up, one per key as the caller ordered them. The database puts all of them into one text:
// a row handed over by the driver costs as much as finding it. What few accounts have, an open claim or a time since when they are
// inactive, is read in a second step.
func (l lookup) accounts(ctx context.Context, q querier, cache *organizationCache) ([]claim.Account, error) {
	accounts := make([]claim.Account, len(l.order))
	if len(accounts) == 0 {
		return accounts, nil
	}
	text, err := l.packed(ctx, q)
	if err != nil {
		return nil, err
	}
	reader := newAccountReader(len(l.order))
	reader.cache = cache
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
	if err := reader.finish(ctx, q); err != nil || len(special) == 0 {
		return accounts, err
	}
	found, err := accountsByID(ctx, q, special)
	if err != nil {
		return nil, err
	}
	for i := range found {
		accounts[places[found[i].ID]] = found[i]
	}
	return accounts, nil
}

// packed is the accounts with these keys, as one text. Where the keys are most of those that lie between the first and the
// last of them, as they are in a file that was exported, the index is walked from one to the other, which is twice as
// fast as finding every key by itself, and others may be among the accounts.
func (l lookup) packed(ctx context.Context, q querier) (string, error) {
	first, last := l.keys[0], l.keys[len(l.keys)-1]
	var between int
	if err := q.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 FROM users INDEXED BY users_key WHERE key BETWEEN ? AND ? LIMIT ?)",
		first, last, 2*len(l.keys)).Scan(&between); err != nil {
		return "", err
	}
	var text sql.NullString
	var row *sql.Row
	if between < 2*len(l.keys) {
		row = q.QueryRowContext(ctx, "SELECT group_concat("+packedAccount+", char(30)) FROM users u INDEXED BY users_key "+openClaim+
			" WHERE u.key BETWEEN ? AND ?", first, last)
	} else {
		row = q.QueryRowContext(ctx, "SELECT group_concat("+packedAccount+", char(30)) FROM json_each(?) j CROSS JOIN users u INDEXED BY users_key ON u.key = j.value "+
			openClaim, encode(l.keys))
	}
	err := row.Scan(&text)
	return text.String, err
}

// packedAccount is one account as text: its key, its number, that of its organization, a number that holds the rest of what
// is one, and the text columns.
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

// accountsByID reads accounts by our own numbers, in their order.
func accountsByID(ctx context.Context, q querier, ids []int64) ([]claim.Account, error) {
	accounts := make([]claim.Account, 0, len(ids))
	reader := newAccountReader(len(ids))
	err := collect(ctx, q, func(rows *sql.Rows) error {
		if _, err := reader.scan(rows); err != nil {
			return err
		}
		accounts = append(accounts, claim.Account{})
		return reader.fill(&accounts[len(accounts)-1])
	}, "SELECT NULL, "+accountColumns+" FROM json_each(?) j CROSS JOIN users u ON u.id = j.value "+openClaim, encode(ids))
	if err != nil {
		return nil, err
	}
	return accounts, reader.finish(ctx, q)
}

// Text columns are fetched as one, and a claim, which few have, as another: the driver's cost is by the column.
// No value holds a unit separator, for control characters are refused wherever data comes in.
const (
	separator   = "\x1f"
	accountText = `u.email, u.status, u.first_name, u.last_name, u.display_name, u.title, u.department, u.phone, u.preferred_language,
		u.services`
	accountColumns = "u.id, u.organization, u.inactive_since, u.last_sign_in, u.conversations, concat_ws(char(31), " + accountText + `),
		CASE WHEN c.id IS NOT NULL THEN json_object('id', c.id, 'organization', c.organization, 'delayed', c.delayed,
			'claimed_at', c.claimed_at, 'signed_in_at', c.signed_in_at, 'status_before', c.status_before, 'status', c.status,
			'inactive_since', c.inactive_since, 'edits', json(c.edits), 'services', json(c.services), 'import', c.import, 'line', c.line)
		END`
	openClaim = "LEFT JOIN claims c ON c.user = u.id AND c.closed_at IS NULL"
)

// openClaimRow is an open claim as accountColumns fetches it.
type openClaimRow struct {
	ID            int64          `json:"id"`
	Organization  int64          `json:"organization"`
	Delayed       int            `json:"delayed"`
	ClaimedAt     int64          `json:"claimed_at"`
	SignedInAt    *int64         `json:"signed_in_at"`
	StatusBefore  schema.Status  `json:"status_before"`
	Status        *schema.Status `json:"status"`
	InactiveSince *int64         `json:"inactive_since"`
	Edits         schema.Profile `json:"edits"`
	Services      []string       `json:"services"`
	Import        int64          `json:"import"`
	Line          int            `json:"line"`
}

// accountReader turns rows into accounts, and finds their organizations when all are read.
type accountReader struct {
	// The driver's values as they are: what database/sql would do to convert them costs more than all the rest.
	row  [8]any
	into [8]any // pointers to them

	refs     []accountRef
	services map[string][]string // decoded; few differ
	cache    *organizationCache  // nil: organizations may have been changed by this very transaction
}

// accountRef names the organizations of an account.
type accountRef struct {
	account      *claim.Account
	organization int64
	claiming     int64 // 0: no open claim
}

// newAccountReader returns a reader of about n accounts.
func newAccountReader(n int) *accountReader {
	r := &accountReader{refs: make([]accountRef, 0, n), services: map[string][]string{}}
	for i := range r.row {
		r.into[i] = &r.row[i]
	}
	return r
}

// scan reads one row: a column of the caller's, which it returns, then accountColumns.
func (r *accountReader) scan(rows *sql.Rows) (first any, err error) {
	err = rows.Scan(r.into[:]...)
	return r.row[0], err
}

// fill makes the row an account, except for its organizations. The account must stay where it is until finish.
func (r *accountReader) fill(a *claim.Account) error {
	ref := accountRef{account: a, organization: integer(r.row[2]).Int64}
	a.ID = integer(r.row[1]).Int64
	a.User.InactiveSince, a.User.LastSignIn = timeOf(integer(r.row[3])), timeOf(integer(r.row[4]))
	a.User.Conversations = schema.UnknownConversations
	if known := integer(r.row[5]); known.Valid {
		a.User.Conversations = int(known.Int64)
	}
	text, _ := r.row[6].(string)
	if err := r.text(&a.User, text); err != nil {
		return err
	}
	if open, ok := r.row[7].(string); ok {
		var err error
		if a.Claim, ref.claiming, err = decodeClaim(open); err != nil {
			return err
		}
	}
	r.refs = append(r.refs, ref)
	return nil
}

// integer is a column's value as the driver has it.
func integer(value any) sql.NullInt64 {
	n, ok := value.(int64)
	return sql.NullInt64{Int64: n, Valid: ok}
}

// text takes the text columns apart.
func (r *accountReader) text(u *schema.User, text string) error {
	var status, services string
	for _, field := range []*string{&u.Email, &status, &u.FirstName, &u.LastName, &u.DisplayName, &u.Title, &u.Department, &u.Phone, &u.PreferredLanguage, &services} {
		*field, text, _ = strings.Cut(text, separator)
	}
	u.Status = schema.Status(status)
	if services == "" {
		return nil
	}
	list, ok := r.services[services]
	if !ok {
		if err := json.Unmarshal([]byte(services), &list); err != nil {
			return fmt.Errorf("services of a user: %w", err)
		}
		r.services[services] = list
	}
	u.Services = list
	return nil
}

func decodeClaim(text string) (*schema.Claim, int64, error) {
	var row openClaimRow
	if err := json.Unmarshal([]byte(text), &row); err != nil {
		return nil, 0, fmt.Errorf("open claim of a user: %w", err)
	}
	c := &schema.Claim{
		ID: row.ID, Type: schema.Immediate, ClaimedAt: timeOf(sql.NullInt64{Int64: row.ClaimedAt, Valid: true}),
		StatusBefore: row.StatusBefore, Status: row.StatusBefore, Edits: row.Edits, Services: row.Services,
		ImportID: row.Import, Line: row.Line,
	}
	if row.Delayed != 0 {
		c.Type = schema.Delayed
	}
	if row.SignedInAt != nil {
		c.SignedInAt = timeOf(sql.NullInt64{Int64: *row.SignedInAt, Valid: true})
	}
	if row.Status != nil {
		c.Status = *row.Status
	}
	if row.InactiveSince != nil {
		c.InactiveSince = timeOf(sql.NullInt64{Int64: *row.InactiveSince, Valid: true})
	}
	return c, row.Organization, nil
}

// finish gives the accounts that were read their organizations, and starts anew.
func (r *accountReader) finish(ctx context.Context, q querier) error {
	seen := map[int64]struct{}{}
	for _, ref := range r.refs {
		seen[ref.organization] = struct{}{}
		if ref.claiming != 0 {
			seen[ref.claiming] = struct{}{}
		}
	}
	organizations, err := r.cache.find(ctx, q, slices.Sorted(maps.Keys(seen)))
	if err != nil {
		return err
	}
	for _, ref := range r.refs {
		a := ref.account
		a.Organization = organizations[ref.organization]
		a.User.OrganizationID = a.Organization.ID
		if a.Claim != nil {
			a.Claiming = organizations[ref.claiming]
			a.Claim.OrganizationID = a.Claiming.ID
		}
	}
	r.refs = r.refs[:0]
	return nil
}

// organizationCache remembers organizations between look-ups, of which each names thousands, mostly the same. It is of no
// use to a transaction that may have changed some itself.
type organizationCache struct {
	mu      sync.Mutex
	version int64 // of the settings that byID holds
	byID    map[int64]*schema.Organization
}

// find returns organizations by our own numbers, as they are in the state that q reads.
func (c *organizationCache) find(ctx context.Context, q querier, ids []int64) (map[int64]*schema.Organization, error) {
	if c == nil {
		return organizationsByID(ctx, q, ids)
	}
	var version int64
	if err := q.QueryRowContext(ctx, "SELECT settings FROM versions").Scan(&version); err != nil {
		return nil, err
	}
	c.mu.Lock()
	if c.byID == nil || c.version < version {
		c.version, c.byID = version, map[int64]*schema.Organization{}
	}
	current := c.version == version // q may read an older state than somebody else has meanwhile
	found := make(map[int64]*schema.Organization, len(ids))
	missing := ids[:0:0]
	for _, id := range ids {
		if o, ok := c.byID[id]; ok && current {
			found[id] = o
		} else {
			missing = append(missing, id)
		}
	}
	c.mu.Unlock()
	if len(missing) == 0 {
		return found, nil
	}
	more, err := organizationsByID(ctx, q, missing)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, o := range more {
		found[id] = o
		if c.version == version {
			c.byID[id] = o
		}
	}
	return found, nil
}

// batchSize is how many accounts a listing hands over at a time.
const batchSize = 2000

// Candidates implements store.Store.
func (s *Store) Candidates(ctx context.Context, external, domain string, each func(store.Batch) error) error {
	return s.reading(ctx, "list candidates", func(tx *sql.Tx) error {
		id, claiming, err := organization(ctx, tx, external)
		if err != nil {
			return err
		}
		domains, err := ownDomains(ctx, tx, id, domain)
		if err != nil {
			return err
		}
		facts := claim.Facts{Claiming: claiming}
		if facts.Domains, err = domainFacts(ctx, tx, id, domains); err != nil {
			return err
		}
		if facts.Licenses, err = licenses(ctx, tx, id, external); err != nil {
			return err
		}
		return candidates(ctx, tx, id, facts, domains, each)
	})
}

// ownDomains lists the domains an organization has verified or claimed, or the one of them that is asked for.
func ownDomains(ctx context.Context, q querier, id int64, only string) ([]string, error) {
	domains := []string{}
	err := collect(ctx, q, func(rows *sql.Rows) error {
		var domain string
		err := rows.Scan(&domain)
		domains = append(domains, domain)
		return err
	}, "SELECT domain FROM domains WHERE organization = ? AND status <> 'pending' AND ? IN ('', domain) ORDER BY domain", id, only)
	return domains, err
}

// candidates walks the index of addresses from end to end: it is in the order wanted, and holds the domain, so that only
// the accounts asked for are read. An account that is ours, or under our claim, is one more candidate where time may have
// changed that.
func candidates(ctx context.Context, tx *sql.Tx, id int64, facts claim.Facts, domains []string, each func(store.Batch) error) error {
	if len(domains) == 0 {
		return nil
	}
	reader := newAccountReader(batchSize)
	keys := make([]string, 0, batchSize)
	accounts := make([]claim.Account, batchSize)
	flush := func() error {
		if len(keys) == 0 {
			return nil
		}
		if err := reader.finish(ctx, tx); err != nil {
			return err
		}
		batch := store.Batch{Keys: keys, Facts: facts}
		batch.Facts.Accounts = accounts[:len(keys)]
		err := each(batch)
		keys = keys[:0]
		clear(accounts)
		return err
	}
	err := collect(ctx, tx, func(rows *sql.Rows) error {
		key, err := reader.scan(rows)
		if err != nil {
			return err
		}
		if err := reader.fill(&accounts[len(keys)]); err != nil {
			return err
		}
		text, _ := key.(string)
		if keys = append(keys, text); len(keys) < batchSize {
			return nil
		}
		return flush()
	}, "SELECT u.key, "+accountColumns+" FROM users u INDEXED BY users_key "+openClaim+`
		WHERE substr(u.key, instr(u.key, '@') + 1) IN (SELECT value FROM json_each(?))
		AND (u.organization <> ? OR c.delayed) AND (c.organization IS NULL OR c.organization <> ? OR c.inactive_since IS NOT NULL)
		ORDER BY u.key`, encode(domains), id, id)
	if err != nil {
		return err
	}
	return flush()
}
