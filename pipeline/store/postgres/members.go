package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// viewColumns is what a view has beside accountColumns: the address key, the former status, and the last claim that a choice
// or completion closed.
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

// Members implements store.Accounts. It walks the index of addresses, which is in the order wanted.
func (t *tx) Members(ctx context.Context, organization, after string, limit int) ([]claim.View, error) {
	number, err := t.number(ctx, organization)
	if err != nil {
		return nil, err
	}
	return t.views(ctx, "users u "+openClaim+` WHERE u.key > $2 AND (u.organization = $1 OR c.organization = $1)
		ORDER BY u.key LIMIT $3`, number, after, limit)
}

// Candidates implements store.Accounts. It walks the index of addresses, which is in the order wanted.
func (t *tx) Candidates(ctx context.Context, organization string, domains []string, after string, limit int) ([]store.Candidate, error) {
	number, err := t.number(ctx, organization)
	if err != nil {
		return nil, err
	}
	candidates := make([]store.Candidate, limit) // accounts must stay where they are
	n := 0
	var key string
	reader := newAccountReader(&key)
	err = t.collect(ctx, func(rows pgx.Rows) error {
		n++
		err := reader.read(rows, &candidates[n-1].Account)
		candidates[n-1].Key = key
		return err
	}, "SELECT u.key, "+accountColumns+" FROM users u "+openClaim+`
		WHERE u.key > $3 AND substr(u.key, strpos(u.key, '@') + 1) = ANY($2)
		AND (u.organization <> $1 OR c.delayed) AND (c.organization IS NULL OR c.organization <> $1 OR c.inactive_since IS NOT NULL)
		ORDER BY u.key LIMIT $4`, number, domains, after, limit)
	if err != nil {
		return nil, err
	}
	return candidates[:n], reader.finish(ctx, t)
}

// dueQueries find what is due for an organization ($1), by decided ($2) or inactive ($3): each kind in its own index, in the order
// in which it falls due. Whether somebody is inactive is not asked: only who is has a time since when.
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
