package postgres

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// InsertClaims implements store.Claims. They are copied in the order of the index of open claims.
func (t *tx) InsertClaims(ctx context.Context, batch store.ClaimBatch) ([]int64, error) {
	if len(batch.Claims) == 0 {
		return nil, nil
	}
	number, err := t.number(ctx, batch.Organization)
	if err != nil {
		return nil, err
	}
	ids, err := list[int64](ctx, t, "SELECT nextval('claims_id_seq') FROM generate_series(1, $1)", len(batch.Claims))
	if err != nil {
		return nil, err
	}
	sources, err := t.sources(ctx, batch.Claims)
	if err != nil {
		return nil, err
	}
	order := make([]int, len(batch.Claims))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(batch.Claims[a].AccountID, batch.Claims[b].AccountID) })
	at, importID := batch.At.Unix(), nonzero(batch.ImportID)
	row := make([]any, 11)
	_, err = t.CopyFrom(ctx, pgx.Identifier{"claims"}, []string{
		"id", "account", "organization", "delayed", "claimed_at", "status_before", "edits", "services", "import", "line", "source",
	}, pgx.CopyFromSlice(len(order), func(i int) ([]any, error) {
		place := order[i]
		c := &batch.Claims[place]
		var edits *string
		if c.Edits != nil {
			edits = new(encode(c.Edits))
		}
		return append(row[:0], ids[place], c.AccountID, number, c.Type == schema.Delayed, at, string(c.StatusBefore), edits,
			array(c.Services), importID, int64(c.Line), sources[c.AccountID]), nil
	}))
	return ids, twice(err)
}

// sources returns the organizations whose licences the accounts of delayed claims give back when they move.
func (t *tx) sources(ctx context.Context, claims []store.NewClaim) (map[int64]*int64, error) {
	var accounts []int64
	for i := range claims {
		if claims[i].Type == schema.Delayed && claims[i].Leaving {
			accounts = append(accounts, claims[i].AccountID)
		}
	}
	if len(accounts) == 0 {
		return nil, nil
	}
	sources := map[int64]*int64{}
	err := t.collect(ctx, func(rows pgx.Rows) error {
		var account int64
		var organization *int64
		err := rows.Scan(&account, &organization)
		sources[account] = organization
		return err
	}, "SELECT id, organization FROM users WHERE id = ANY($1) AND services IS NOT NULL", accounts)
	return sources, err
}

// ImportClaims implements store.Claims.
func (t *tx) ImportClaims(ctx context.Context, importID int64, ended bool, after int64, limit int) (made []store.MadeClaim, err error) {
	err = t.collect(ctx, func(rows pgx.Rows) error {
		var m store.MadeClaim
		err := rows.Scan(&m.Claim, &m.Account, &m.Line)
		made = append(made, m)
		return err
	}, "SELECT id, account, line FROM claims WHERE import = $1 AND (closed_at IS NOT NULL OR NOT $2) AND id > $3 ORDER BY id LIMIT $4", importID, ended, after, limit)
	return made, err
}

// openMade finds the open claims of an import ($1), alike ones together. The account is looked at where the
// claim does not say all that is asked: the domains ($2), and since when it is inactive. What claims had
// before tells those apart that were made until long ago ($3).
const openMade = `SELECT CASE WHEN cardinality($2::text[]) > 0 THEN coalesce((SELECT ` + keyDomain + ` FROM users u WHERE u.id = c.account AND ` + keyDomain + ` = ANY($2)), '') ELSE '' END,
		c.delayed, c.claimed_at, CASE WHEN c.signed_in_at >= c.claimed_at THEN c.claimed_at END,
		CASE WHEN c.claimed_at <= $3 OR c.inactive_since IS NOT NULL THEN c.status_before ELSE '' END, c.inactive_since,
		CASE WHEN c.inactive_since IS NOT NULL THEN (SELECT u.inactive_since FROM users u WHERE u.id = c.account) END, count(*)
	FROM claims c WHERE c.import = $1 AND c.closed_at IS NULL GROUP BY 1, 2, 3, 4, 5, 6, 7`

// CountOpen implements store.Claims.
func (t *tx) CountOpen(ctx context.Context, importID int64, domains []string, longAgo time.Time) (open []store.OpenMade, err error) {
	err = t.collect(ctx, func(rows pgx.Rows) error {
		made := store.OpenMade{Claim: schema.Claim{Type: schema.Immediate, ImportID: importID}}
		var delayed bool
		var claimed, signedIn, inactive, accountInactive *int64
		err := rows.Scan(&made.Domain, &delayed, &claimed, &signedIn, &made.Claim.StatusBefore, &inactive, &accountInactive, &made.Claims)
		if delayed {
			made.Claim.Type = schema.Delayed
		}
		if made.Claim.Status = made.Claim.StatusBefore; inactive != nil {
			made.Claim.Status = schema.Inactive
		}
		made.Claim.ClaimedAt, made.Claim.SignedInAt, made.Claim.InactiveSince = timeOf(claimed), timeOf(signedIn), timeOf(inactive)
		made.InactiveSince = timeOf(accountInactive)
		open = append(open, made)
		return err
	}, openMade, importID, domains, longAgo.Unix())
	return open, err
}

// LastClaim implements store.Claims. It asks for the import's own claims: those that it is writing may have
// smaller ids than others' that are there already.
func (t *tx) LastClaim(ctx context.Context, importID int64) (id int64, err error) {
	err = t.QueryRow(ctx, "SELECT coalesce(max(id), 0) FROM claims WHERE import = $1", importID).Scan(&id)
	return id, err
}

// ClosedClaims implements store.Claims.
func (t *tx) ClosedClaims(ctx context.Context, accounts []int64, keys []string) (closed []store.ClosedClaim, err error) {
	err = t.collect(ctx, func(rows pgx.Rows) error {
		var c store.ClosedClaim
		var made, signedIn, closedAt *int64
		err := rows.Scan(&c.ID, &c.Account, &c.Key, &c.Organization, &made, &signedIn, &closedAt, &c.ClosedBy)
		c.ClaimedAt, c.SignedInAt, c.ClosedAt = timeOf(made), timeOf(signedIn), timeOf(closedAt)
		closed = append(closed, c)
		return err
	}, `SELECT c.id, c.account, coalesce(c.key, ''), o.external_id, c.claimed_at, c.signed_in_at, c.closed_at, c.closed_by FROM (
			SELECT * FROM claims WHERE account = ANY($1) AND closed_at IS NOT NULL
			UNION SELECT * FROM claims WHERE key = ANY($2) AND key IS NOT NULL
		) c JOIN organizations o ON o.id = c.organization`, accounts, keys)
	return closed, err
}
