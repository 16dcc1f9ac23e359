package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// viewColumns is what a view has beside accountColumns: the address key, the former status, and the last
// claim that a choice or completion closed.
const viewColumns = `u.key, u.former_status, (
		SELECT json_build_object('organization', o.external_id, 'delayed', k.delayed, 'claimed_at', k.claimed_at, 'import', k.import,
			'closed_at', k.closed_at, 'closed_by', k.closed_by)::text
		FROM claims k JOIN organizations o ON o.id = k.organization
		WHERE k.account = u.id AND k.closed_at IS NOT NULL AND k.closed_by NOT IN ('retracted', 'removed')
		ORDER BY k.closed_at DESC, k.id DESC LIMIT 1)`

// closedClaimRow is a closed claim as viewColumns fetches it.
type closedClaimRow struct {
	Organization string         `json:"organization"`
	Delayed      bool           `json:"delayed"`
	ClaimedAt    int64          `json:"claimed_at"`
	Import       int64          `json:"import"`
	ClosedAt     int64          `json:"closed_at"`
	ClosedBy     schema.Closing `json:"closed_by"`
}

func (r *closedClaimRow) claim() *schema.Claim {
	made := &schema.Claim{
		OrganizationID: r.Organization, Type: schema.Immediate, ClaimedAt: timeOf(&r.ClaimedAt), ImportID: r.Import,
		ClosedAt: timeOf(&r.ClosedAt), ClosedBy: r.ClosedBy,
	}
	if r.Delayed {
		made.Type = schema.Delayed
	}
	return made
}

// views runs a query for viewColumns and accountColumns.
func (t *tx) views(ctx context.Context, query string, args ...any) ([]claim.View, error) {
	var key string
	var former, closed *string
	var views []claim.View
	var accounts []*claim.Account // they must stay where they are, and views grow
	reader := newAccountReader(&key, &former, &closed)
	err := t.collect(ctx, func(rows pgx.Rows) error {
		account := new(claim.Account)
		if err := reader.read(rows, account); err != nil {
			return err
		}
		v := claim.View{Key: key}
		if former != nil {
			v.Former = schema.Status(*former)
		}
		if closed != nil {
			var row closedClaimRow
			if err := json.Unmarshal([]byte(*closed), &row); err != nil {
				return fmt.Errorf("closed claim of a user: %w", err)
			}
			v.Closed = row.claim()
		}
		views, accounts = append(views, v), append(accounts, account)
		return nil
	}, "SELECT "+viewColumns+", "+accountColumns+" FROM "+query, args...)
	if err != nil {
		return nil, err
	}
	err = reader.finish(ctx, t)
	for i := range views {
		views[i].Account = *accounts[i]
	}
	return views, err
}

// Views implements store.Accounts.
func (t *tx) Views(ctx context.Context, keys []string) ([]claim.View, error) {
	return t.views(ctx, "users u "+openClaim+" WHERE u.key = ANY($1)", keys)
}

// ViewsByID implements store.Accounts.
func (t *tx) ViewsByID(ctx context.Context, ids []int64) ([]claim.View, error) {
	return t.views(ctx, "users u "+openClaim+" WHERE u.id = ANY($1)", ids)
}

// manyAccounts is from how many accounts on a listing walks the index of addresses, in which one of them
// comes soon. Up to there it finds all of them.
const manyAccounts = 20_000

// fewOf reports whether these selections, each of account numbers, find few accounts together. They are about
// the organization $1, or the domains $1.
func (t *tx) fewOf(ctx context.Context, selections []string, about any) (bool, error) {
	union := strings.Join(selections, " UNION ALL ")
	name := union + fmt.Sprint(about)
	if is, known := t.few[name]; known {
		return is, nil
	}
	var n int
	err := t.QueryRow(ctx, "SELECT count(*) FROM ("+union+" LIMIT $2) few", about, t.db.many).Scan(&n)
	if t.few == nil {
		t.few = map[string]bool{}
	}
	t.few[name] = n < t.db.many
	return t.few[name], err
}

// Where the members of an organization ($1) are found: its own accounts, and those under its open claims.
const (
	ownAccounts      = "SELECT id FROM users WHERE organization = $1"
	immediatelyTaken = "SELECT account FROM claims WHERE organization = $1 AND NOT delayed AND closed_at IS NULL"
	tobeTaken        = "SELECT account FROM claims WHERE organization = $1 AND delayed AND closed_at IS NULL"
)

// filterMembers returns where members can be found that a filter might leave in, and what is asked of them.
// An account has the status it had before once its claim has completed, and one that has come by a claim
// shows its type.
func filterMembers(f store.MemberFilter) (selections []string, conditions string) {
	selections, conditions = []string{ownAccounts, immediatelyTaken, tobeTaken}, "(u.organization = $1 OR c.organization = $1)"
	switch {
	case f.Unclaimed:
		selections, conditions = []string{ownAccounts}, "u.organization = $1 AND (c.organization IS NULL OR c.organization <> $1)"
		if f.Status == schema.DelayedClaim || f.Retractable { // which only who is claimed is
			conditions += " AND FALSE"
		}
	case f.Status == schema.DelayedClaim:
		selections, conditions = []string{tobeTaken}, "c.organization = $1 AND c.delayed"
	case f.Retractable:
		selections = []string{immediatelyTaken, tobeTaken}
		conditions = "c.organization = $1 AND (c.signed_in_at IS NULL OR c.signed_in_at < c.claimed_at)"
	}
	if f.Status != "" && f.Status != schema.DelayedClaim {
		conditions += " AND $4 IN (u.status, c.status, c.status_before)"
	}
	if f.ClaimType != "" {
		conditions += ` AND (c.delayed = $5 OR EXISTS (SELECT 1 FROM claims k
			WHERE k.account = u.id AND k.closed_at IS NOT NULL AND k.delayed = $5))`
	}
	return selections, conditions
}

// search returns a condition that every word of a search, the parameters from this number on, is in an
// address or a name, edited or not. Letters that no accents can be taken from are left to the program.
func search(text string, parameter int) (conditions string) {
	const (
		texts = `concat_ws(E'\n', u.email, u.first_name, u.last_name, u.display_name,
		c.edits::json ->> 'first_name', c.edits::json ->> 'last_name', c.edits::json ->> 'display_name')`
		plain = `regexp_replace(normalize(` + texts + `, NFKD), '[\u0300-\u036f]', '', 'g')`
	)
	for i := range strings.Fields(text) {
		conditions += fmt.Sprintf(` AND CASE WHEN octet_length(%s) = char_length(%[1]s) THEN strpos(lower(%[1]s COLLATE "C"), $%[3]d) > 0
			ELSE strpos(lower(%[2]s COLLATE "C"), $%[3]d) > 0 OR octet_length(%[2]s) <> char_length(%[2]s) END`, texts, plain, parameter+i)
	}
	return conditions
}

// Members implements store.Accounts.
func (t *tx) Members(ctx context.Context, organization string, filter store.MemberFilter, after string, limit int) ([]claim.View, error) {
	number, err := t.number(ctx, organization)
	if err != nil {
		return nil, err
	}
	selections, conditions := filterMembers(filter)
	conditions += search(filter.Search, 6)
	isFew, err := t.fewOf(ctx, selections, number)
	if err != nil {
		return nil, err
	}
	if isFew {
		conditions += " AND u.id IN (" + strings.Join(selections, " UNION ALL ") + ")"
	}
	args := []any{number, after, limit, string(filter.Status), filter.ClaimType == schema.Delayed}
	for word := range strings.FieldsSeq(filter.Search) {
		args = append(args, word)
	}
	return t.views(ctx, "users u "+openClaim+" WHERE u.key > $2 AND $4::text IS NOT NULL AND $5::boolean IS NOT NULL AND "+conditions+
		" ORDER BY u.key LIMIT $3", args...)
}

// claimsOf are the open claims of an organization ($1) by type, each in the order of its index.
var claimsOf = map[schema.ClaimType]string{
	schema.Immediate: "claims c JOIN users u ON u.id = c.account WHERE c.organization = $1 AND NOT c.delayed AND c.closed_at IS NULL",
	schema.Delayed:   "claims c JOIN users u ON u.id = c.account WHERE c.organization = $1 AND c.delayed AND c.closed_at IS NULL",
}

// MembersByClaim implements store.Accounts.
func (t *tx) MembersByClaim(ctx context.Context, organization string, filter store.MemberFilter, after store.ClaimMark, limit int, newest bool) (list []store.MarkedAccount, err error) {
	number, err := t.number(ctx, organization)
	if err != nil {
		return nil, err
	}
	_, conditions := filterMembers(filter)
	conditions += search(filter.Search, 7)
	behind, order := ">", ""
	if newest {
		behind, order = "<", " DESC"
		if after == (store.ClaimMark{}) {
			after = store.ClaimMark{ClaimedAt: time.Unix(math.MaxInt64, 0)}
		}
	}
	var queries []string
	for kind, from := range claimsOf {
		if filter.ClaimType != "" && kind != filter.ClaimType || filter.Status == schema.DelayedClaim && kind != schema.Delayed {
			continue
		}
		queries = append(queries, "SELECT * FROM (SELECT c.claimed_at, c.id, u.id AS account FROM "+from+" AND $4::text IS NOT NULL AND $5::boolean IS NOT NULL AND (c.claimed_at, c.id) "+behind+" ($2, $6) AND "+conditions+
			" ORDER BY c.claimed_at"+order+", c.id"+order+" LIMIT $3) "+string(kind))
	}
	if len(queries) == 0 {
		return nil, nil
	}
	args := []any{number, after.ClaimedAt.Unix(), limit, string(filter.Status), filter.ClaimType == schema.Delayed, after.Claim}
	for word := range strings.FieldsSeq(filter.Search) {
		args = append(args, word)
	}
	err = t.collect(ctx, func(rows pgx.Rows) error {
		var m store.MarkedAccount
		var at *int64
		err := rows.Scan(&at, &m.Claim, &m.Account)
		m.ClaimedAt = timeOf(at)
		list = append(list, m)
		return err
	}, strings.Join(queries, " UNION ALL ")+" ORDER BY 1"+order+", 2"+order+" LIMIT $3", args...)
	return list, err
}

// CountMembers implements store.Accounts.
func (t *tx) CountMembers(ctx context.Context, organization string) (n int, err error) {
	number, err := t.number(ctx, organization)
	if err != nil {
		return 0, err
	}
	err = t.QueryRow(ctx, "SELECT (SELECT count(*) FROM ("+ownAccounts+") a) + (SELECT count(*) FROM ("+immediatelyTaken+
		") a) + (SELECT count(*) FROM ("+tobeTaken+") a)", number).Scan(&n)
	return n, err
}

// keyDomain is the domain of an account's address, as the index users_domain has it.
const keyDomain = "substr(u.key, strpos(u.key, '@') + 1)"

// Candidates implements store.Accounts. Where there are many it walks the index of addresses, which is in the
// order wanted.
func (t *tx) Candidates(ctx context.Context, organization string, filter store.CandidateFilter, after string, limit int) ([]store.Candidate, error) {
	number, err := t.number(ctx, organization)
	if err != nil {
		return nil, err
	}
	isFew, err := t.fewOf(ctx, []string{"SELECT u.id FROM users u WHERE " + keyDomain + " = ANY($1::text[])"}, filter.Domains)
	if err != nil {
		return nil, err
	}
	from := "WHERE " + keyDomain + " = ANY($2::text[])"
	if isFew {
		from = "WHERE u.id IN (SELECT u.id FROM users u WHERE " + keyDomain + " = ANY($2::text[]))"
	}
	if filter.Sources != nil {
		from += " AND (u.organization " + filter.SourcesIn() + " (SELECT id FROM organizations WHERE external_id = ANY($5::text[])) OR c.delayed)"
	} else {
		from += " AND $5::text[] IS NULL"
	}
	from += search(filter.Search, 6)
	args := []any{number, filter.Domains, after, limit, filter.Sources}
	for word := range strings.FieldsSeq(filter.Search) {
		args = append(args, word)
	}
	candidates := make([]store.Candidate, 0, limit) // accounts must stay where they are
	var key string
	reader := newAccountReader(&key)
	err = t.collect(ctx, func(rows pgx.Rows) error {
		candidates = append(candidates, store.Candidate{})
		found := &candidates[len(candidates)-1]
		err := reader.read(rows, &found.Account)
		found.Key = key
		return err
	}, "SELECT u.key, "+accountColumns+" FROM users u "+openClaim+" "+from+` AND u.key > $3
		AND (u.organization <> $1 OR c.delayed) AND (c.organization IS NULL OR c.organization <> $1 OR c.inactive_since IS NOT NULL)
		ORDER BY u.key LIMIT $4`, args...)
	if err != nil {
		return nil, err
	}
	return candidates, reader.finish(ctx, t)
}

// CountUnclaimed implements store.Accounts.
func (t *tx) CountUnclaimed(ctx context.Context, domains []string) (groups []store.Unclaimed, err error) {
	numbers := map[int64]struct{}{}
	var organizations []int64
	err = t.collect(ctx, func(rows pgx.Rows) error {
		var g store.Unclaimed
		var organization int64
		err := rows.Scan(&g.Domain, &organization, &g.All, &g.Accounts)
		groups, organizations = append(groups, g), append(organizations, organization)
		numbers[organization] = struct{}{}
		return err
	}, "SELECT "+keyDomain+`, u.organization, count(*), count(*) FILTER (WHERE c.id IS NULL)
		FROM users u LEFT JOIN claims c ON c.account = u.id AND c.closed_at IS NULL
		WHERE `+keyDomain+" = ANY($1) GROUP BY 1, 2", domains)
	if err != nil {
		return nil, err
	}
	found, err := t.organizations(ctx, numbers)
	for i, number := range organizations {
		groups[i].Organization = found[number]
	}
	return groups, err
}

// CountClaimed implements store.Accounts.
func (t *tx) CountClaimed(ctx context.Context, organization string) (map[string]int, error) {
	number, err := t.number(ctx, organization)
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	err = t.collect(ctx, func(rows pgx.Rows) error {
		var domain string
		var n int
		err := rows.Scan(&domain, &n)
		counts[domain] = n
		return err
	}, "SELECT "+keyDomain+", count(*) FROM claims c JOIN users u ON u.id = c.account WHERE c.organization = $1 AND c.closed_at IS NULL GROUP BY 1", number)
	return counts, err
}

// dueQueries find what is due for an organization ($1), by decided ($2) or inactive ($3): each kind in its
// own index, in the order in which it falls due. Whether somebody is inactive is not asked: only who is has a
// time since when.
var dueQueries = []string{
	// Its delayed claims complete.
	`SELECT c.account, true, c.claimed_at, coalesce(c.import, 0), coalesce(c.line, 0) FROM claims c
		WHERE c.organization = $1 AND c.delayed AND c.closed_at IS NULL AND c.claimed_at <= $2 AND $3::bigint IS NOT NULL
		ORDER BY c.claimed_at, c.import NULLS FIRST, c.line NULLS FIRST LIMIT $4`,
	// Its members with licences leave, by a delayed claim of another that completes.
	`SELECT c.account, true, c.claimed_at, coalesce(c.import, 0), coalesce(c.line, 0) FROM claims c
		WHERE c.source = $1 AND c.closed_at IS NULL AND c.claimed_at <= $2 AND $3::bigint IS NOT NULL
		ORDER BY c.claimed_at, c.import NULLS FIRST, c.line NULLS FIRST LIMIT $4`,
	// Its immediate claims end, for the account is removed.
	`SELECT c.account, false, c.inactive_since, 0, 0 FROM claims c
		WHERE c.organization = $1 AND c.inactive_since <= $3 AND c.closed_at IS NULL AND NOT c.delayed AND $2::bigint IS NOT NULL
		ORDER BY c.inactive_since, c.account LIMIT $4`,
	// Its members are removed.
	`SELECT u.id, false, u.inactive_since, 0, 0 FROM users u
		WHERE u.organization = $1 AND u.inactive_since <= $3 AND $2::bigint IS NOT NULL
		AND NOT EXISTS (SELECT 1 FROM claims c WHERE c.account = u.id AND c.closed_at IS NULL)
		ORDER BY u.inactive_since, u.id LIMIT $4`,
	// Its members are uncovered, by an immediate claim of another that ends, and removed at once.
	`SELECT u.id, false, c.inactive_since, 0, 0 FROM users u JOIN claims c ON c.account = u.id AND c.closed_at IS NULL
		WHERE u.organization = $1 AND u.inactive_since <= $3 AND c.inactive_since <= $3 AND NOT c.delayed AND $2::bigint IS NOT NULL
		ORDER BY c.inactive_since, u.id LIMIT $4`,
}

// Due implements store.Accounts.
func (t *tx) Due(ctx context.Context, organization string, decided, inactive time.Time, limit int) (due []store.Due, err error) {
	number, err := t.number(ctx, organization)
	if err != nil {
		return nil, err
	}
	for _, query := range dueQueries {
		err := t.collect(ctx, func(rows pgx.Rows) error {
			var d store.Due
			var since *int64
			err := rows.Scan(&d.Account, &d.Delayed, &since, &d.Import, &d.Line)
			d.Since = timeOf(since)
			due = append(due, d)
			return err
		}, query, number, decided.Unix(), inactive.Unix(), noLimit(limit))
		if err != nil {
			return nil, err
		}
	}
	return due, nil
}

// upcomingQueries find what has begun in an organization ($1) from a time ($2) and an address key ($4) on,
// each in the order of its index, and what began at one time by address key.
var upcomingQueries = map[store.Upcoming]string{
	store.UpcomingDecision: upcomingClaims + "c.delayed" + upcomingFirst,
	store.UpcomingRetract:  upcomingClaims + "NOT c.delayed AND (c.signed_in_at IS NULL OR c.signed_in_at < c.claimed_at)" + upcomingFirst,
	store.UpcomingJoined:   upcomingClaims + "c.delayed AND c.status_before = 'inactive'" + upcomingFirst,
	store.UpcomingRemoval: `SELECT * FROM (SELECT id, inactive_since, key FROM users
			WHERE organization = $1 AND (inactive_since, key) >= ($2, $4) ORDER BY inactive_since, key LIMIT $3) u
		UNION ALL SELECT * FROM (SELECT u.id, c.inactive_since, u.key FROM claims c JOIN users u ON u.id = c.account
			WHERE c.organization = $1 AND c.inactive_since >= $2 AND (c.inactive_since > $2 OR u.key >= $4) AND c.closed_at IS NULL AND NOT c.delayed
			ORDER BY c.inactive_since, u.key LIMIT $3) c
		ORDER BY inactive_since, key LIMIT $3`,
}

const (
	upcomingClaims = "SELECT u.id, c.claimed_at, u.key FROM claims c JOIN users u ON u.id = c.account WHERE "
	upcomingFirst  = ` AND c.organization = $1 AND c.claimed_at >= $2 AND (c.claimed_at > $2 OR u.key >= $4) AND c.closed_at IS NULL
		ORDER BY c.claimed_at, u.key LIMIT $3`
)

// Upcoming implements store.Accounts.
func (t *tx) Upcoming(ctx context.Context, organization string, kind store.Upcoming, from store.BegunMark, limit int) (list []store.BegunAccount, err error) {
	number, err := t.number(ctx, organization)
	if err != nil {
		return nil, err
	}
	err = t.collect(ctx, func(rows pgx.Rows) error {
		var b store.BegunAccount
		var since *int64
		err := rows.Scan(&b.Account, &since, &b.Key)
		b.Since = timeOf(since)
		list = append(list, b)
		return err
	}, upcomingQueries[kind], number, from.Since.Unix(), limit, from.Key)
	return list, err
}

// countQueries count what has begun in an organization ($1) after a time ($2) and before another ($3); those
// that can be retracted in no claimed domain ($4).
var countQueries = map[store.Upcoming]string{
	store.UpcomingDecision: "SELECT claimed_at, count(*) FROM claims WHERE delayed AND " + countedClaims,
	store.UpcomingRetract: `SELECT claimed_at, count(*) FROM claims WHERE NOT delayed AND (signed_in_at IS NULL OR signed_in_at < claimed_at)
		AND (cardinality($4::text[]) = 0 OR NOT EXISTS (SELECT 1 FROM users u WHERE u.id = account AND ` + keyDomain + ` = ANY($4))) AND ` + countedClaims,
	store.UpcomingRemoval: `SELECT inactive_since, count(*) FROM (
			SELECT u.inactive_since FROM users u WHERE u.organization = $1 AND u.inactive_since > $2 AND u.inactive_since < $3
				AND NOT EXISTS (SELECT 1 FROM claims c WHERE c.account = u.id AND c.closed_at IS NULL)
			UNION ALL SELECT inactive_since FROM claims
				WHERE organization = $1 AND inactive_since > $2 AND inactive_since < $3 AND closed_at IS NULL AND NOT delayed
		) i GROUP BY inactive_since`,
}

const countedClaims = "organization = $1 AND claimed_at > $2 AND claimed_at < $3 AND closed_at IS NULL GROUP BY claimed_at"

// CountUpcoming implements store.Accounts.
func (t *tx) CountUpcoming(ctx context.Context, organization string, kind store.Upcoming, after, before time.Time, claimed []string) (counts []store.Begun, err error) {
	number, err := t.number(ctx, organization)
	if err != nil {
		return nil, err
	}
	args := []any{number, after.Unix(), before.Unix()}
	if kind == store.UpcomingRetract {
		args = append(args, claimed)
	}
	err = t.collect(ctx, func(rows pgx.Rows) error {
		var b store.Begun
		var since *int64
		err := rows.Scan(&since, &b.Count)
		b.Since = timeOf(since)
		counts = append(counts, b)
		return err
	}, countQueries[kind], args...)
	return counts, err
}

// DueOrganizations implements store.Accounts.
func (t *tx) DueOrganizations(ctx context.Context, decided, inactive time.Time) ([]string, error) {
	return list[string](ctx, t, `SELECT external_id FROM organizations WHERE id IN (
		SELECT c.organization FROM claims c WHERE c.delayed AND c.closed_at IS NULL AND c.claimed_at <= $1
		UNION SELECT c.organization FROM claims c
			WHERE c.inactive_since IS NOT NULL AND c.inactive_since <= $2 AND c.closed_at IS NULL AND NOT c.delayed
		UNION SELECT u.organization FROM users u WHERE u.inactive_since IS NOT NULL AND u.inactive_since <= $2
			AND NOT EXISTS (SELECT 1 FROM claims c WHERE c.account = u.id AND c.closed_at IS NULL)
		) ORDER BY external_id`, decided.Unix(), inactive.Unix())
}

// Given implements store.Accounts.
func (t *tx) Given(ctx context.Context) (given []store.Given, err error) {
	err = t.collect(ctx, func(rows pgx.Rows) error {
		var g store.Given
		err := rows.Scan(&g.Organization, &g.Services, &g.Accounts)
		given = append(given, g)
		return err
	}, `SELECT o.external_id, h.services, sum(h.n)::bigint FROM (
			SELECT organization, services, count(*) AS n FROM users WHERE services IS NOT NULL GROUP BY organization, services
			UNION ALL SELECT organization, services, count(*) FROM claims
				WHERE services IS NOT NULL AND closed_at IS NULL AND NOT delayed GROUP BY organization, services
		) h JOIN organizations o ON o.id = h.organization GROUP BY o.external_id, h.services`)
	return given, err
}
