package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strconv"
	"time"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// claimGroup is claims of a batch that have more in common: one statement inserts all of them. What differs
// is handed over as JSON, because binding values one by one costs more than inserting them.
type claimGroup struct {
	claimKind
	rows []int // places in the batch, by account
}

// claimKind is what the claims of a group have in common.
type claimKind struct {
	delayed  bool
	leaving  bool
	status   schema.Status
	services string // as stored; empty: none
	edited   bool
}

// The claims of a group, as an object: lines, which are its keys, with accounts, or with pairs of an account
// and edits. Ids are left out: they go on from the largest, as the documentation of the database has it, and
// finding that this one is free would cost a search of the table. A claim that breaks claims_open ends the
// transaction, so SQLite need not keep what undoing the statement alone would take (OR FAIL); it would all
// the same where a function or a limit stands in the statement.
const (
	insertClaims = "INSERT OR FAIL INTO claims (organization, claimed_at, import, delayed, status_before, services, line, user, edits, source) SELECT ?1, ?2, ?3, ?4, ?5, ?6, CAST(key AS INTEGER), "
	plain        = "value, NULL, "
	edited       = "value ->> 0, value -> 1, "
	fromList     = " FROM json_each(?7)"
	staying      = "NULL"
	leaving      = "(SELECT u.organization FROM users u WHERE u.id = "
)

// insert returns the statement that inserts the claims of a kind.
func (k claimKind) insert() string {
	columns, account := plain, "value)"
	if k.edited {
		columns, account = edited, "value ->> 0)"
	}
	source := staying
	if k.leaving {
		source = leaving + account
	}
	return insertClaims + columns + source + fromList
}

// InsertClaims implements store.Claims. An account with an open claim breaks the index claims_open.
func (t *tx) InsertClaims(ctx context.Context, batch store.ClaimBatch) ([]int64, error) {
	if len(batch.Claims) == 0 {
		return nil, nil
	}
	if err := t.changes(ctx); err != nil {
		return nil, err
	}
	number, err := t.number(ctx, batch.Organization)
	if err != nil {
		return nil, err
	}
	var next int64
	if err := t.QueryRowContext(ctx, "SELECT ifnull(max(id), 0) + 1 FROM claims").Scan(&next); err != nil {
		return nil, err
	}
	ids := make([]int64, len(batch.Claims))
	importID := sql.NullInt64{Int64: batch.ImportID, Valid: batch.ImportID != 0}
	groups := groupClaims(batch.Claims)
	first := next // of the span
	for i, group := range groups {
		for _, place := range group.rows {
			ids[place] = next
			next++
		}
		if err := t.exec(ctx, group.insert(), number, seconds(batch.At), importID, group.delayed, string(group.status), null(group.services),
			group.json(batch.Claims)); err != nil {
			return nil, err
		}
		if i < len(groups)-1 && groups[i+1].delayed == group.delayed {
			continue
		}
		if err := t.exec(ctx, "INSERT INTO claim_spans (organization, delayed, claimed_at, first, last, open) VALUES (?, ?, ?, ?, ?, ?)",
			number, group.delayed, seconds(batch.At), first, next-1, next-first); err != nil {
			return nil, err
		}
		first = next
	}
	return ids, nil
}

// groupClaims puts together what one statement can insert, ordered by account: the index of open claims is in
// that order.
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
		delayed := c.Type == schema.Delayed
		kind := claimKind{delayed: delayed, leaving: delayed && c.Leaving, status: c.StatusBefore, services: stored, edited: c.Edits != nil}
		group := byKind[kind]
		if group == nil {
			group = &claimGroup{claimKind: kind}
			byKind[kind] = group
			groups = append(groups, group)
		}
		group.rows = append(group.rows, i)
	}
	for _, group := range groups {
		slices.SortFunc(group.rows, func(a, b int) int { return cmp.Compare(claims[a].AccountID, claims[b].AccountID) })
	}
	return groups
}

// json returns the rows of the group as its statement takes them.
func (g *claimGroup) json(claims []store.NewClaim) string {
	list := make([]byte, 0, 20*len(g.rows))
	for n, place := range g.rows {
		c := &claims[place]
		list = append(list, "{,"[min(n, 1)], '"')
		list = strconv.AppendInt(list, int64(c.Line), 10)
		list = append(list, '"', ':')
		if g.edited {
			list = append(list, '[')
		}
		list = strconv.AppendInt(list, c.AccountID, 10)
		if g.edited {
			list = append(append(list, ','), encode(c.Edits)...)
			list = append(list, ']')
		}
	}
	return string(append(list, '}'))
}

// ImportClaims implements store.Claims.
func (t *tx) ImportClaims(ctx context.Context, importID int64, ended bool, after int64, limit int) (made []store.MadeClaim, err error) {
	err = t.collect(ctx, func(rows *sql.Rows) error {
		var m store.MadeClaim
		err := rows.Scan(&m.Claim, &m.Account, &m.Line)
		made = append(made, m)
		return err
	}, "SELECT id, user, line FROM claims NOT INDEXED WHERE id > ?1 AND import = ?2 AND (closed_at IS NOT NULL OR NOT ?3) ORDER BY id LIMIT ?4", after, importID, ended, limit)
	return made, err
}

// What counts the open claims of an import (?1). The spans tell how many there are of each kind and time;
// unusual claims are found in indexes, which few are in, and by the domains (?2) of their accounts.
const (
	importSpans = `SELECT s.delayed, s.claimed_at, sum(s.open)
		FROM imports i CROSS JOIN claim_spans s ON s.organization = i.organization CROSS JOIN claims c ON c.id = s.first
		WHERE i.id = ?1 AND c.import = ?1 GROUP BY s.delayed, s.claimed_at`
	unusualClaims = `SELECT c.id FROM imports i CROSS JOIN claims c INDEXED BY claims_signed_in ON c.organization = i.organization
			AND c.signed_in_at >= c.claimed_at AND c.closed_at IS NULL WHERE i.id = ?1
		UNION SELECT c.id FROM imports i CROSS JOIN claims c INDEXED BY claims_inactive ON c.organization = i.organization
			AND c.inactive_since IS NOT NULL AND c.closed_at IS NULL WHERE i.id = ?1
		UNION SELECT c.id FROM imports i CROSS JOIN claim_spans s ON s.organization = i.organization AND s.delayed = 1 AND s.claimed_at <= ?3 ` + spanned + `
			AND c.status_before = 'inactive' WHERE i.id = ?1
		UNION SELECT c.id FROM json_each(?2) j CROSS JOIN organizations o CROSS JOIN users u INDEXED BY users_organization ON u.organization = o.id
			AND ` + keyDomain + ` = j.value CROSS JOIN claims c ON c.user = u.id AND c.closed_at IS NULL`
	unusualMade = "SELECT iif(" + keyDomain + " IN (SELECT value FROM json_each(?2)), " + keyDomain + `, '') AS domain, c.delayed, c.claimed_at,
			CASE WHEN c.signed_in_at >= c.claimed_at THEN c.claimed_at END AS signed_in, c.status_before, c.inactive_since, u.inactive_since, count(*)
		FROM (` + unusualClaims + `) x CROSS JOIN claims c ON c.id = x.id AND c.import = ?1 CROSS JOIN users u ON u.id = c.user
		GROUP BY domain, c.delayed, c.claimed_at, signed_in, c.status_before, c.inactive_since, u.inactive_since`
)

// CountOpen implements store.Claims.
func (t *tx) CountOpen(ctx context.Context, importID int64, domains []string, longAgo time.Time) (open []store.OpenMade, err error) {
	type span struct {
		kind schema.ClaimType
		at   time.Time
	}
	unusual := map[span]int{}
	typeOf := map[bool]schema.ClaimType{false: schema.Immediate, true: schema.Delayed}
	err = t.collect(ctx, func(rows *sql.Rows) error {
		made := store.OpenMade{Claim: schema.Claim{ImportID: importID}}
		var delayed bool
		var claimed, signedIn, inactive, accountInactive sql.NullInt64
		err := rows.Scan(&made.Domain, &delayed, &claimed, &signedIn, &made.Claim.StatusBefore, &inactive, &accountInactive, &made.Claims)
		made.Claim.Type = typeOf[delayed]
		if made.Claim.Status = made.Claim.StatusBefore; inactive.Valid {
			made.Claim.Status = schema.Inactive
		}
		made.Claim.ClaimedAt, made.Claim.SignedInAt, made.Claim.InactiveSince = timeOf(claimed), timeOf(signedIn), timeOf(inactive)
		made.InactiveSince = timeOf(accountInactive)
		open = append(open, made)
		unusual[span{made.Claim.Type, made.Claim.ClaimedAt}] += made.Claims
		return err
	}, unusualMade, importID, encode(domains), longAgo.Unix())
	if err != nil {
		return nil, err
	}
	err = t.collect(ctx, func(rows *sql.Rows) error {
		var delayed bool
		var claimed sql.NullInt64
		var n int
		err := rows.Scan(&delayed, &claimed, &n)
		of := span{typeOf[delayed], timeOf(claimed)}
		if n -= unusual[of]; n > 0 {
			open = append(open, store.OpenMade{Claim: schema.Claim{Type: of.kind, ClaimedAt: of.at, ImportID: importID}, Claims: n})
		}
		return err
	}, importSpans, importID)
	return open, err
}

// LastClaim implements store.Claims. Who writes is alone, so ids come in the order in which they are there.
func (t *tx) LastClaim(ctx context.Context, _ int64) (id int64, err error) {
	err = t.QueryRowContext(ctx, "SELECT ifnull(max(id), 0) FROM claims").Scan(&id)
	return id, err
}

// ClosedClaims implements store.Claims.
func (t *tx) ClosedClaims(ctx context.Context, accounts []int64, keys []string) (closed []store.ClosedClaim, err error) {
	const columns = "SELECT c.id, c.user, ifnull(c.key, ''), o.external_id, c.claimed_at, c.signed_in_at, c.closed_at, c.closed_by FROM json_each(?) j CROSS JOIN claims c "
	for query, wanted := range map[string]string{
		columns + "INDEXED BY claims_closed ON c.user = j.value AND c.closed_at IS NOT NULL": encodeNumbers(accounts),
		columns + "INDEXED BY claims_key ON c.key = j.value AND c.key IS NOT NULL":           encode(keys),
	} {
		err := t.collect(ctx, func(rows *sql.Rows) error {
			var c store.ClosedClaim
			var made, signedIn, closedAt sql.NullInt64
			err := rows.Scan(&c.ID, &c.Account, &c.Key, &c.Organization, &made, &signedIn, &closedAt, &c.ClosedBy)
			c.ClaimedAt, c.SignedInAt, c.ClosedAt = timeOf(made), timeOf(signedIn), timeOf(closedAt)
			closed = append(closed, c)
			return err
		}, query+" JOIN organizations o ON o.id = c.organization", wanted)
		if err != nil {
			return nil, err
		}
	}
	return closed, nil
}
