package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// viewFields is what a view has beside accountFields: the address key, the former status, and the last claim
// that a choice or completion closed.
const viewFields = `u.key, ifnull(u.former_status, ''), ifnull((
		SELECT json_object('organization', o.external_id, 'delayed', k.delayed, 'claimed_at', k.claimed_at, 'import', k.import,
			'closed_at', k.closed_at, 'closed_by', k.closed_by)
		FROM claims k INDEXED BY claims_closed JOIN organizations o ON o.id = k.organization
		WHERE k.user = u.id AND k.closed_at IS NOT NULL AND k.closed_by NOT IN ('retracted', 'removed')
		ORDER BY k.closed_at DESC, k.id DESC LIMIT 1), ''), `

// closedClaimRow is a closed claim as viewFields has it.
type closedClaimRow struct {
	Organization string         `json:"organization"`
	Delayed      int            `json:"delayed"`
	ClaimedAt    int64          `json:"claimed_at"`
	Import       int64          `json:"import"`
	ClosedAt     int64          `json:"closed_at"`
	ClosedBy     schema.Closing `json:"closed_by"`
}

func (r *closedClaimRow) claim() *schema.Claim {
	made := &schema.Claim{
		OrganizationID: r.Organization, Type: schema.Immediate, ClaimedAt: time.Unix(r.ClaimedAt, 0).UTC(), ImportID: r.Import,
		ClosedAt: time.Unix(r.ClosedAt, 0).UTC(), ClosedBy: r.ClosedBy,
	}
	if r.Delayed != 0 {
		made.Type = schema.Delayed
	}
	return made
}

// views returns what a query for viewFields and accountFields, or fields in their place, finds: up to limit
// accounts.
func (t *tx) views(ctx context.Context, limit int, fields, from string, args ...any) ([]claim.View, error) {
	views := make([]claim.View, 0, limit) // accounts must stay where they are
	reader := newAccountReader(limit)
	err := t.unpack(ctx, viewFields+fields, from, args, func(r *record) {
		v := claim.View{Key: r.text(), Former: schema.Status(r.text())}
		if closed := r.text(); closed != "" {
			var row closedClaimRow
			r.decode(closed, &row)
			v.Closed = row.claim()
		}
		views = append(views, v)
		reader.read(r, &views[len(views)-1].Account)
	})
	if err != nil {
		return nil, err
	}
	return views, reader.finish(ctx, t)
}

// Views implements store.Accounts.
func (t *tx) Views(ctx context.Context, keys []string) ([]claim.View, error) {
	return t.views(ctx, len(keys), accountFields, "json_each(?) j CROSS JOIN users u INDEXED BY users_key ON u.key = j.value "+openClaim, encode(newLookup(keys).keys))
}

// ViewsByID implements store.Accounts.
func (t *tx) ViewsByID(ctx context.Context, ids []int64) ([]claim.View, error) {
	return t.views(ctx, len(ids), accountFields, "json_each(?) j CROSS JOIN users u ON u.id = j.value "+openClaim, encodeNumbers(ids))
}

// manyAccounts is from how many accounts on a listing walks the index of addresses, in which one of them
// comes soon. Up to there it finds all of them.
const manyAccounts = 20_000

// fewOf reports whether these selections, each of account numbers, find few accounts together. They are about
// the organization ?1, and ?2.
func (t *tx) fewOf(ctx context.Context, selections []string, organization int64, with string) (bool, error) {
	union := strings.Join(selections, " UNION ALL ")
	name := union + fmt.Sprint(organization) + with
	if is, known := t.few[name]; known {
		return is, nil
	}
	var n int
	err := t.QueryRowContext(ctx, "SELECT count(*) FROM ("+union+" LIMIT ?3)", organization, with, t.many).Scan(&n)
	if t.few == nil {
		t.few = map[string]bool{}
	}
	t.few[name] = n < t.many
	return t.few[name], err
}

// spanned joins the open claims of spans, in their order.
const spanned = `CROSS JOIN claims c ON c.id BETWEEN s.first AND s.last AND c.organization = s.organization AND c.delayed = s.delayed
	AND c.claimed_at = s.claimed_at AND c.closed_at IS NULL`

// Where the members of an organization (?1) are found: its own accounts, and those under its open claims.
const (
	ownAccounts      = "SELECT id FROM users INDEXED BY users_organization WHERE organization = ?1"
	immediatelyTaken = "SELECT c.user FROM claim_spans s " + spanned + " WHERE s.organization = ?1 AND s.delayed = 0"
	tobeTaken        = "SELECT c.user FROM claim_spans s " + spanned + " WHERE s.organization = ?1 AND s.delayed = 1"
)

// filterMembers returns where members can be found that a filter might leave in, and what is asked of them.
// An account has the status it had before once its claim has completed, and one that has come by a claim
// shows its type.
func filterMembers(f store.MemberFilter) (selections []string, conditions string) {
	selections, conditions = []string{ownAccounts, immediatelyTaken, tobeTaken}, "(u.organization = ?1 OR c.organization = ?1)"
	switch {
	case f.Unclaimed:
		selections, conditions = []string{ownAccounts}, "u.organization = ?1 AND (c.organization IS NULL OR c.organization <> ?1)"
		if f.Status == schema.DelayedClaim || f.Retractable { // which only who is claimed is
			conditions += " AND FALSE"
		}
	case f.Status == schema.DelayedClaim:
		selections, conditions = []string{tobeTaken}, "c.organization = ?1 AND c.delayed"
	case f.Retractable:
		selections = []string{immediatelyTaken, tobeTaken}
		conditions = "c.organization = ?1 AND (c.signed_in_at IS NULL OR c.signed_in_at < c.claimed_at)"
	}
	if f.Status != "" && f.Status != schema.DelayedClaim {
		conditions += " AND ?4 IN (u.status, c.status, c.status_before)"
	}
	if f.ClaimType != "" {
		conditions += ` AND (c.delayed IS ?5 OR EXISTS (SELECT 1 FROM claims k INDEXED BY claims_closed
			WHERE k.user = u.id AND k.closed_at IS NOT NULL AND k.delayed = ?5))`
	}
	return selections, conditions
}

// search returns a condition that every word of a search, which is the parameter with this number, is in an
// address or a name, edited or not; blank: nothing is searched for. Most texts are told from their bigrams.
// Edits, which few accounts have, are asked for by themselves: who is not found is left before its claim is
// looked for.
func search(text string, parameter int) string {
	if strings.TrimSpace(text) == "" {
		return ""
	}
	const (
		own    = "u.email, u.first_name, u.last_name, u.display_name"
		edited = "FROM claims e INDEXED BY claims_edited WHERE e.edits IS NOT NULL AND e.closed_at IS NULL"
	)
	return fmt.Sprintf(` AND (u.bigrams & %[4]d = %[4]d AND holds(?%[1]d, concat_ws(char(10), %[2]s))
		OR (SELECT EXISTS (SELECT 1 %[3]s)) AND EXISTS (SELECT 1 %[3]s AND e.user = u.id
		AND holds(?%[1]d, concat_ws(char(10), %[2]s, e.edits ->> 'first_name', e.edits ->> 'last_name', e.edits ->> 'display_name'))))`,
		parameter, own, edited, bigrams(text))
}

// Members implements store.Accounts.
func (t *tx) Members(ctx context.Context, organization string, filter store.MemberFilter, after string, limit int) ([]claim.View, error) {
	number, err := t.number(ctx, organization)
	if err != nil {
		return nil, err
	}
	selections, conditions := filterMembers(filter)
	conditions += search(filter.Search, 6)
	isFew, err := t.fewOf(ctx, selections, number, "")
	if err != nil {
		return nil, err
	}
	query := "users u INDEXED BY users_key " + openClaim + " WHERE u.key > ?2 AND " + conditions + " ORDER BY u.key LIMIT ?3"
	if isFew {
		query = "users u " + openClaim + ` WHERE u.id IN (SELECT u.id FROM users u ` + openClaim + " WHERE u.id IN (" +
			strings.Join(selections, " UNION ALL ") + ") AND u.key > ?2 AND " + conditions + " ORDER BY u.key LIMIT ?3) ORDER BY u.key"
	}
	fields := accountFields
	if filter.NoProfile {
		fields = noProfileFields
	}
	args := []any{number, after, limit, string(filter.Status), filter.ClaimType == schema.Delayed}
	if filter.Search != "" {
		args = append(args, filter.Search)
	}
	return t.views(ctx, limit, fields, query, args...)
}

// delayedOf is how spans tell types apart.
var delayedOf = map[schema.ClaimType]int{schema.Immediate: 0, schema.Delayed: 1}

// MembersByClaim implements store.Accounts. It walks the spans, and the claims in each.
func (t *tx) MembersByClaim(ctx context.Context, organization string, filter store.MemberFilter, after store.ClaimMark, limit int, newest bool) (list []store.MarkedAccount, err error) {
	number, err := t.number(ctx, organization)
	if err != nil {
		return nil, err
	}
	_, conditions := filterMembers(filter)
	conditions += search(filter.Search, 7)
	behind := " AND s.claimed_at >= ?2 AND (s.claimed_at > ?2 OR c.id > ?6)"
	order := ""
	if newest {
		behind, order = " AND s.claimed_at <= ?2 AND (s.claimed_at < ?2 OR c.id < ?6)", " DESC"
		if after == (store.ClaimMark{}) {
			after = store.ClaimMark{ClaimedAt: time.Unix(math.MaxInt64, 0)}
		}
	}
	var queries []string
	for kind, delayed := range delayedOf {
		if filter.ClaimType != "" && kind != filter.ClaimType || filter.Status == schema.DelayedClaim && kind != schema.Delayed {
			continue
		}
		queries = append(queries, fmt.Sprintf(`SELECT * FROM (SELECT s.claimed_at, c.id, u.id FROM claim_spans s `+spanned+` CROSS JOIN users u ON u.id = c.user
			WHERE s.organization = ?1 AND s.delayed = %d`+behind+` AND %s ORDER BY s.claimed_at%[3]s, s.first%[3]s, c.id%[3]s LIMIT ?3)`, delayed, conditions, order))
	}
	if len(queries) == 0 {
		return nil, nil
	}
	args := []any{number, after.ClaimedAt.Unix(), limit, string(filter.Status), filter.ClaimType == schema.Delayed, after.Claim}
	if filter.Search != "" {
		args = append(args, filter.Search)
	}
	err = t.collect(ctx, func(rows *sql.Rows) error {
		var m store.MarkedAccount
		var at sql.NullInt64
		err := rows.Scan(&at, &m.Claim, &m.Account)
		m.ClaimedAt = timeOf(at)
		list = append(list, m)
		return err
	}, strings.Join(queries, " UNION ALL ")+" ORDER BY 1"+order+", 2"+order+" LIMIT ?3", args...)
	return list, err
}

// CountMembers implements store.Accounts.
func (t *tx) CountMembers(ctx context.Context, organization string) (n int, err error) {
	number, err := t.number(ctx, organization)
	if err != nil {
		return 0, err
	}
	err = t.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM ("+ownAccounts+
		")) + (SELECT ifnull(sum(open), 0) FROM claim_spans WHERE organization = ?1)", number).Scan(&n)
	return n, err
}

// keyDomain is the domain of an account's address, as the index users_organization has it.
const keyDomain = "substr(u.key, instr(u.key, '@') + 1)"

// accountsInDomain is the accounts in a domain (?2), looked for in each organization.
const accountsInDomain = "SELECT u.id FROM organizations o CROSS JOIN users u INDEXED BY users_organization ON u.organization = o.id AND " +
	keyDomain + " = ?2"

// Candidates implements store.Accounts. It walks the index of addresses, which is in the order wanted and
// holds the domain, so that only the accounts asked for are read; but those in one small domain it finds
// first.
func (t *tx) Candidates(ctx context.Context, organization string, filter store.CandidateFilter, after string, limit int) ([]store.Candidate, error) {
	number, err := t.number(ctx, organization)
	if err != nil {
		return nil, err
	}
	domains, found := encode(filter.Domains), search(filter.Search, 6)
	from := keyDomain + " IN (SELECT value FROM json_each(?2))"
	if found != "" { // of most accounts it takes less to look at the bigrams than at the domain
		from = "CASE WHEN TRUE" + found + " THEN " + from + " END"
	}
	from = "INDEXED BY users_key " + openClaim + " WHERE " + from
	if len(filter.Domains) == 1 {
		isFew, err := t.fewOf(ctx, []string{accountsInDomain}, number, filter.Domains[0])
		if err != nil {
			return nil, err
		}
		if isFew {
			domains, from = filter.Domains[0], openClaim+" WHERE u.id IN ("+accountsInDomain+")"+found
		}
	}
	var sources any
	if filter.Sources != nil {
		from += " AND (u.organization " + filter.SourcesIn() + " (SELECT o.id FROM json_each(?5) j CROSS JOIN organizations o ON o.external_id = j.value) OR c.delayed)"
		sources = encode(filter.Sources)
	}
	args := []any{number, domains, after, limit, sources}
	if filter.Search != "" {
		args = append(args, filter.Search)
	}
	candidates := make([]store.Candidate, 0, limit) // accounts must stay where they are
	reader := newAccountReader(limit)
	err = t.unpack(ctx, "u.key, "+accountFields, "users u "+from+` AND u.key > ?3
		AND (u.organization <> ?1 OR c.delayed) AND (c.organization IS NULL OR c.organization <> ?1 OR c.inactive_since IS NOT NULL)
		ORDER BY u.key LIMIT ?4`, args, func(r *record) {
		candidates = append(candidates, store.Candidate{Key: r.text()})
		reader.read(r, &candidates[len(candidates)-1].Account)
	})
	if err != nil {
		return nil, err
	}
	return candidates, reader.finish(ctx, t)
}

// CountUnclaimed implements store.Accounts.
func (t *tx) CountUnclaimed(ctx context.Context, domains []string) (groups []store.Unclaimed, err error) {
	numbers := map[int64]struct{}{}
	var organizations []int64
	err = t.collect(ctx, func(rows *sql.Rows) error {
		var g store.Unclaimed
		var organization int64
		err := rows.Scan(&g.Domain, &organization, &g.All, &g.Accounts)
		groups, organizations = append(groups, g), append(organizations, organization)
		numbers[organization] = struct{}{}
		return err
	}, "SELECT "+keyDomain+`, u.organization, count(*), count(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM claims c INDEXED BY claims_open
			WHERE c.user = u.id AND c.closed_at IS NULL))
		FROM users u INDEXED BY users_organization WHERE `+keyDomain+" IN (SELECT value FROM json_each(?)) GROUP BY u.organization, "+keyDomain, encode(domains))
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
	err = t.collect(ctx, func(rows *sql.Rows) error {
		var domain string
		var n int
		err := rows.Scan(&domain, &n)
		counts[domain] = n
		return err
	}, "SELECT "+keyDomain+", count(*) FROM ("+immediatelyTaken+" UNION ALL "+tobeTaken+") c CROSS JOIN users u ON u.id = c.user GROUP BY 1", number)
	return counts, err
}

// dueQueries find what is due for an organization (?1): each kind in its own index, in the order in which it
// falls due. Whether somebody is inactive is not asked: only who is has a time since when.
var dueQueries = []string{
	// Its delayed claims complete.
	`SELECT c.user, 1, s.claimed_at, ifnull(c.import, 0), ifnull(c.line, 0) FROM claim_spans s ` + spanned + `
		WHERE s.organization = ?1 AND s.delayed = 1 AND s.claimed_at <= ?2
		ORDER BY s.claimed_at, c.import, c.line LIMIT ?4`,
	// Its members with licences leave, by a delayed claim of another that completes.
	`SELECT c.user, 1, c.claimed_at, ifnull(c.import, 0), ifnull(c.line, 0) FROM claims c INDEXED BY claims_leaving
		WHERE c.source = ?1 AND c.closed_at IS NULL AND c.claimed_at <= ?2
		ORDER BY c.claimed_at, c.import, c.line LIMIT ?4`,
	// Its immediate claims end, for the account is removed.
	`SELECT c.user, 0, c.inactive_since, 0, 0 FROM claims c INDEXED BY claims_inactive
		WHERE c.organization = ?1 AND c.inactive_since <= ?3 AND c.closed_at IS NULL AND NOT c.delayed
		ORDER BY c.inactive_since, c.user LIMIT ?4`,
	// Its members are removed.
	`SELECT u.id, 0, u.inactive_since, 0, 0 FROM users u INDEXED BY users_inactive
		WHERE u.organization = ?1 AND u.inactive_since <= ?3
		AND NOT EXISTS (SELECT 1 FROM claims c WHERE c.user = u.id AND c.closed_at IS NULL)
		ORDER BY u.inactive_since, u.id LIMIT ?4`,
	// Its members are uncovered, by an immediate claim of another that ends, and removed at once.
	`SELECT u.id, 0, c.inactive_since, 0, 0 FROM users u INDEXED BY users_inactive JOIN claims c ON c.user = u.id AND c.closed_at IS NULL
		WHERE u.organization = ?1 AND u.inactive_since <= ?3 AND c.inactive_since <= ?3 AND NOT c.delayed
		ORDER BY c.inactive_since, u.id LIMIT ?4`,
}

// Due implements store.Accounts.
func (t *tx) Due(ctx context.Context, organization string, decided, inactive time.Time, limit int) (due []store.Due, err error) {
	number, err := t.number(ctx, organization)
	if err != nil {
		return nil, err
	}
	for _, query := range dueQueries {
		err := t.collect(ctx, func(rows *sql.Rows) error {
			var d store.Due
			var since sql.NullInt64
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

// upcomingQueries find what has begun in an organization (?1) from a time (?2) and an address key (?4) on,
// each in the order of its index, and what began at one time by address key.
var upcomingQueries = map[store.Upcoming]string{
	store.UpcomingDecision: upcomingClaims + " WHERE s.delayed = 1" + upcomingFirst,
	store.UpcomingRetract:  upcomingClaims + " WHERE s.delayed = 0 AND (c.signed_in_at IS NULL OR c.signed_in_at < c.claimed_at)" + upcomingFirst,
	store.UpcomingJoined:   upcomingClaims + " WHERE s.delayed = 1 AND c.status_before = 'inactive'" + upcomingFirst,
	store.UpcomingRemoval: `SELECT * FROM (SELECT id, inactive_since, key FROM users INDEXED BY users_inactive
			WHERE organization = ?1 AND inactive_since >= ?2 AND (inactive_since > ?2 OR key >= ?4) ORDER BY inactive_since, key LIMIT ?3)
		UNION ALL SELECT * FROM (SELECT u.id, c.inactive_since, u.key FROM claims c INDEXED BY claims_inactive CROSS JOIN users u ON u.id = c.user
			WHERE c.organization = ?1 AND c.inactive_since >= ?2 AND (c.inactive_since > ?2 OR u.key >= ?4) AND c.closed_at IS NULL AND NOT c.delayed
			ORDER BY c.inactive_since, u.key LIMIT ?3)
		ORDER BY inactive_since, key LIMIT ?3`,
}

const (
	upcomingClaims = "SELECT u.id, s.claimed_at, u.key FROM claim_spans s " + spanned + " CROSS JOIN users u ON u.id = c.user"
	upcomingFirst  = ` AND s.organization = ?1 AND s.claimed_at >= ?2 AND (s.claimed_at > ?2 OR u.key >= ?4)
		ORDER BY s.claimed_at, u.key LIMIT ?3`
)

// upcomingAtOnce finds what upcomingQueries find of the claims of one time (?2) and type (?5), in the index
// of addresses: after a big import a second has so many that the first by address are sooner met there than
// sorted.
var upcomingAtOnce = map[store.Upcoming]string{
	store.UpcomingDecision: claimedAtOnce + upcomingByKey,
	store.UpcomingRetract:  claimedAtOnce + " AND (c.signed_in_at IS NULL OR c.signed_in_at < c.claimed_at)" + upcomingByKey,
}

const (
	claimedAtOnce = `SELECT u.id, c.claimed_at, u.key FROM users u INDEXED BY users_key CROSS JOIN claims c INDEXED BY claims_open ON c.user = u.id
		AND c.closed_at IS NULL WHERE c.organization = ?1 AND c.claimed_at = ?2 AND c.delayed = ?5`
	upcomingByKey = " AND u.key >= ?4 ORDER BY u.key LIMIT ?3"
)

// Upcoming implements store.Accounts.
func (t *tx) Upcoming(ctx context.Context, organization string, kind store.Upcoming, from store.BegunMark, limit int) (list []store.BegunAccount, err error) {
	number, err := t.number(ctx, organization)
	if err != nil {
		return nil, err
	}
	find := func(query string, args ...any) error {
		return t.collect(ctx, func(rows *sql.Rows) error {
			var b store.BegunAccount
			var since sql.NullInt64
			err := rows.Scan(&b.Account, &since, &b.Key)
			b.Since = timeOf(since)
			list = append(list, b)
			return err
		}, query, append([]any{number, from.Since.Unix(), limit - len(list), from.Key}, args...)...)
	}
	if query, isClaims := upcomingAtOnce[kind]; isClaims {
		delayed := kind == store.UpcomingDecision
		first, isMany, err := t.manyAtOnce(ctx, number, delayed, from.Since, limit)
		if err != nil {
			return nil, err
		}
		if isMany {
			if first.After(from.Since) {
				from = store.BegunMark{Since: first}
			}
			if err := find(query, delayed); err != nil || len(list) == limit {
				return list, err
			}
			from = store.BegunMark{Since: first.Add(time.Second)}
		}
	}
	err = find(upcomingQueries[kind])
	return list, err
}

// manyAtOnce returns the first time from one on at which claims of a type were made that are open, and
// whether they are so many that of all accounts, in the order of their addresses, fewer have to be looked at.
func (t *tx) manyAtOnce(ctx context.Context, organization int64, delayed bool, from time.Time, limit int) (first time.Time, isMany bool, err error) {
	var at sql.NullInt64
	var open, accounts float64
	err = t.QueryRowContext(ctx, `SELECT claimed_at, sum(open), (SELECT ifnull(max(id), 0) FROM users) FROM claim_spans
		WHERE organization = ?1 AND delayed = ?2 AND claimed_at >= ?3 GROUP BY claimed_at ORDER BY claimed_at LIMIT 1`,
		organization, delayed, from.Unix()).Scan(&at, &open, &accounts)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, false, nil
	}
	return timeOf(at), open*open > float64(limit)*accounts, err
}

// countQueries count what has begun in an organization (?1) after a time (?2) and before another (?3). The
// spans tell how many open claims there are; those whose owner has signed in are few, or looked for in an
// index, and so are those on accounts in claimed domains (?4).
var countQueries = map[store.Upcoming]string{
	store.UpcomingDecision: "SELECT claimed_at, sum(open) FROM claim_spans WHERE delayed = 1" + countedSpans,
	store.UpcomingRetract: `SELECT claimed_at, sum(n) FROM (
			SELECT claimed_at, sum(open) AS n FROM claim_spans WHERE delayed = 0` + countedSpans + `
			UNION ALL SELECT claimed_at, -count(*) FROM claims INDEXED BY claims_signed_in WHERE organization = ?1 AND claimed_at > ?2 AND claimed_at < ?3
				AND signed_in_at >= claimed_at AND closed_at IS NULL AND NOT delayed GROUP BY claimed_at
			UNION ALL SELECT c.claimed_at, -count(*) FROM json_each(?4) j CROSS JOIN organizations o CROSS JOIN users u INDEXED BY users_organization
				ON u.organization = o.id AND ` + keyDomain + ` = j.value CROSS JOIN claims c ON c.user = u.id AND c.closed_at IS NULL
				WHERE c.organization = ?1 AND c.claimed_at > ?2 AND c.claimed_at < ?3 AND NOT c.delayed AND ifnull(c.signed_in_at < c.claimed_at, TRUE)
				GROUP BY c.claimed_at
		) GROUP BY claimed_at HAVING sum(n) > 0`,
	store.UpcomingRemoval: `SELECT inactive_since, count(*) FROM (
			SELECT u.inactive_since FROM users u INDEXED BY users_inactive WHERE u.organization = ?1 AND u.inactive_since > ?2 AND u.inactive_since < ?3
				AND NOT EXISTS (SELECT 1 FROM claims c WHERE c.user = u.id AND c.closed_at IS NULL)
			UNION ALL SELECT inactive_since FROM claims INDEXED BY claims_inactive
				WHERE organization = ?1 AND inactive_since > ?2 AND inactive_since < ?3 AND closed_at IS NULL AND NOT delayed
		) GROUP BY inactive_since`,
}

const countedSpans = " AND organization = ?1 AND claimed_at > ?2 AND claimed_at < ?3 GROUP BY claimed_at"

// CountUpcoming implements store.Accounts.
func (t *tx) CountUpcoming(ctx context.Context, organization string, kind store.Upcoming, after, before time.Time, claimed []string) (counts []store.Begun, err error) {
	number, err := t.number(ctx, organization)
	if err != nil {
		return nil, err
	}
	args := []any{number, after.Unix(), before.Unix(), encode(claimed)}
	if kind != store.UpcomingRetract {
		args = args[:3]
	}
	err = t.collect(ctx, func(rows *sql.Rows) error {
		var b store.Begun
		var since sql.NullInt64
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
		SELECT o.id FROM organizations o WHERE EXISTS (SELECT 1 FROM claim_spans s
			WHERE s.organization = o.id AND s.delayed = 1 AND s.claimed_at <= ?1)
		UNION SELECT c.organization FROM claims c INDEXED BY claims_inactive
			WHERE c.inactive_since IS NOT NULL AND c.inactive_since <= ?2 AND c.closed_at IS NULL AND NOT c.delayed
		UNION SELECT u.organization FROM users u INDEXED BY users_inactive WHERE u.inactive_since IS NOT NULL AND u.inactive_since <= ?2
			AND NOT EXISTS (SELECT 1 FROM claims c WHERE c.user = u.id AND c.closed_at IS NULL)
		) ORDER BY external_id`, decided.Unix(), inactive.Unix())
}

// Given implements store.Accounts.
func (t *tx) Given(ctx context.Context) (given []store.Given, err error) {
	err = t.collect(ctx, func(rows *sql.Rows) error {
		var g store.Given
		var services string
		if err := rows.Scan(&g.Organization, &services, &g.Accounts); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(services), &g.Services); err != nil {
			return fmt.Errorf("services held: %w", err)
		}
		given = append(given, g)
		return nil
	}, `SELECT o.external_id, h.services, sum(h.n) FROM (
			SELECT organization, services, count(*) AS n FROM users WHERE services IS NOT NULL GROUP BY organization, services
			UNION ALL SELECT organization, services, count(*) FROM claims
				WHERE services IS NOT NULL AND closed_at IS NULL AND NOT delayed GROUP BY organization, services
		) h JOIN organizations o ON o.id = h.organization GROUP BY o.external_id, h.services`)
	return given, err
}
