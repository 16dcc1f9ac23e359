package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// Claims implements store.Loader. A restored claim has no licences and sends no mail.
func (l *loader) Claims(ctx context.Context, claims []store.LoadClaim) error {
	if err := l.merge(ctx); err != nil {
		return err
	}
	in := inserter{tx: l.tx, columns: 6, head: "INSERT INTO claims (user, organization, delayed, claimed_at, signed_in_at, status_before)"}
	for part := range slices.Chunk(claims, loadBatch) {
		if err := l.claims(ctx, &in, part); err != nil {
			return wrap(err, "load claims")
		}
	}
	return wrap(in.flush(ctx), "load claims")
}

func (l *loader) claims(ctx context.Context, in *inserter, part []store.LoadClaim) error {
	organizations, err := organizationIDs(ctx, l.tx, part, func(c *store.LoadClaim) string { return c.OrganizationID })
	if err != nil {
		return err
	}
	var keys []string // each once, though a file may name an account twice
	place := map[string]int{}
	for i := range part {
		if _, seen := place[part[i].Key]; !seen {
			place[part[i].Key] = len(keys)
			keys = append(keys, part[i].Key)
		}
	}
	accounts, err := newLookup(keys).accounts(ctx, l.tx, nil)
	if err != nil {
		return err
	}
	closed, err := lastClosed(ctx, l.tx, accounts)
	if err != nil {
		return err
	}
	for i := range part {
		c, a := &part[i], &accounts[place[part[i].Key]]
		organization, ok := organizations[c.OrganizationID]
		if !ok {
			return unknownOrganization(c.OrganizationID).At(fileClaims, c.Line, 0)
		}
		if a.ID == 0 {
			if err := l.checkMissing(ctx, c); err != nil {
				return err
			}
			continue
		}
		if _, twice := l.claimed[a.ID]; twice {
			return schema.Refuse(schema.CodeIDDuplicate, "There is already a claim on this account in the file.").At(fileClaims, c.Line, 0)
		}
		l.claimed[a.ID] = struct{}{}
		last, wasClosed := closed[closedClaim{a.ID, organization}]
		switch {
		case a.Claim != nil && a.Claim.OrganizationID == c.OrganizationID:
			err = l.renewClaim(ctx, a.Claim, c)
		case a.User.OrganizationID == c.OrganizationID, wasClosed && last >= c.ClaimedAt.Unix():
			// It has been completed, chosen or retracted since; others may have claimed the account by now.
		case a.Claim != nil:
			return schema.Refuse(schema.CodeClaimedElsewhere, "Organization %q has an open claim on this account.", a.Claim.OrganizationID).
				WithFix("Delete the row, or name that organization.").At(fileClaims, c.Line, 0)
		default:
			err = in.add(ctx, a.ID, organization, c.Type == schema.Delayed, seconds(c.ClaimedAt), seconds(c.SignedInAt), string(a.User.Status))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// renewClaim updates an open claim: all of it where it came from a snapshot, and otherwise only that the owner has
// signed in. A sign-in that was recorded here stays.
func (l *loader) renewClaim(ctx context.Context, open *schema.Claim, c *store.LoadClaim) error {
	wanted := *open
	if open.ImportID == 0 {
		wanted.Type, wanted.ClaimedAt = c.Type, c.ClaimedAt
	}
	if !c.SignedInAt.IsZero() && (open.ImportID == 0 || open.SignedInAt.IsZero()) {
		wanted.SignedInAt = c.SignedInAt
	}
	if wanted.Type == open.Type && wanted.ClaimedAt.Unix() == open.ClaimedAt.Unix() && wanted.SignedInAt.Unix() == open.SignedInAt.Unix() {
		return nil
	}
	_, err := l.tx.ExecContext(ctx, "UPDATE claims SET delayed = ?, claimed_at = ?, signed_in_at = ? WHERE id = ?",
		wanted.Type == schema.Delayed, seconds(wanted.ClaimedAt), seconds(wanted.SignedInAt), open.ID)
	return err
}

// checkMissing refuses a claim on an address that no account has, unless it had one in this snapshot, which has been
// removed or has another address by now.
func (l *loader) checkMissing(ctx context.Context, c *store.LoadClaim) error {
	var one int
	err := l.tx.QueryRowContext(ctx, "SELECT 1 FROM temp.load_users WHERE key = ?", c.Key).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return (&schema.Error{Code: schema.CodeUserNotFound}).At(fileClaims, c.Line, 0)
	}
	return err
}

// closedClaim names the claims of one organization on one account.
type closedClaim struct{ user, organization int64 }

// lastClosed finds when claims on these accounts were closed, the last time.
func lastClosed(ctx context.Context, q querier, accounts []claim.Account) (map[closedClaim]int64, error) {
	ids := make([]int64, 0, len(accounts))
	for _, a := range accounts {
		if a.ID != 0 {
			ids = append(ids, a.ID)
		}
	}
	slices.Sort(ids)
	closed := map[closedClaim]int64{}
	err := collect(ctx, q, func(rows *sql.Rows) error {
		var key closedClaim
		var at int64
		err := rows.Scan(&key.user, &key.organization, &at)
		closed[key] = max(closed[key], at)
		return err
	}, "SELECT c.user, c.organization, c.closed_at FROM json_each(?) j CROSS JOIN claims c ON c.user = j.value AND c.closed_at IS NOT NULL", encode(ids))
	return closed, err
}
