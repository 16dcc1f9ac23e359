package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// WriteEffects implements store.Claims.
func (t *tx) WriteEffects(ctx context.Context, effects []claim.Effect) error {
	batch := &pgx.Batch{}
	for i := range effects {
		if err := t.writeEffect(ctx, batch, &effects[i]); err != nil {
			return err
		}
	}
	return t.all(ctx, batch)
}

func (t *tx) writeEffect(ctx context.Context, batch *pgx.Batch, e *claim.Effect) error {
	if e.Claim != nil { // first: it remembers the address that the account has now
		writeClaim(batch, e.Claim)
	}
	if e.User != nil {
		if err := t.writeUser(ctx, batch, e); err != nil {
			return err
		}
	}
	if e.Gone {
		removeUser(batch, e.Before.ID)
	}
	if e.Joins == nil {
		return nil
	}
	return t.insertJoining(ctx, batch, e)
}

// writeClaim writes what a claim has become. The subqueries see the account as it was.
func writeClaim(batch *pgx.Batch, made *schema.Claim) {
	status := made.Status
	if status == made.StatusBefore {
		status = ""
	}
	batch.Queue(`UPDATE claims SET delayed = $1, claimed_at = $2, signed_in_at = $3, status = $4, inactive_since = $5, closed_at = $6,
		closed_by = $7, key = CASE WHEN $6::bigint IS NOT NULL THEN (SELECT u.key FROM users u WHERE u.id = account) END,
		source = CASE WHEN $1 THEN (SELECT u.organization FROM users u WHERE u.id = account AND u.services IS NOT NULL) END
		WHERE id = $8`, made.Type == schema.Delayed, seconds(made.ClaimedAt), seconds(made.SignedInAt), null(status),
		seconds(made.InactiveSince), seconds(made.ClosedAt), null(made.ClosedBy), made.ID)
}

// writeUser writes what an account has become.
func (t *tx) writeUser(ctx context.Context, batch *pgx.Batch, e *claim.Effect) error {
	u := e.User
	number, err := t.number(ctx, u.OrganizationID)
	if err != nil {
		return err
	}
	batch.Queue(`UPDATE users SET version = version + 1, key = coalesce(nullif($1, ''), key), email = $2, organization = $3, status = $4,
		inactive_since = $5, former_status = $6, first_name = $7, last_name = $8, display_name = $9, title = $10, department = $11,
		phone = $12, preferred_language = $13, services = $14, pinned = pinned OR $15 WHERE id = $16`,
		e.Key, u.Email, number, string(u.Status), seconds(u.InactiveSince), null(e.Former), u.FirstName, u.LastName, u.DisplayName, u.Title,
		u.Department, u.Phone, u.PreferredLanguage, array(u.Services), e.Pinned, e.Before.ID)
	return nil
}

// removeUser deletes an account; the tombstone keeps a snapshot from bringing it back.
func removeUser(batch *pgx.Batch, id int64) {
	batch.Queue("INSERT INTO removed_users SELECT external_id FROM users WHERE id = $1 ON CONFLICT DO NOTHING", id)
	batch.Queue("DELETE FROM users WHERE id = $1", id)
}

// insertJoining adds the account that joins under the address that the claim was on, and gives it the claim.
func (t *tx) insertJoining(ctx context.Context, batch *pgx.Batch, e *claim.Effect) error {
	u := e.Joins
	number, err := t.number(ctx, u.OrganizationID)
	if err != nil {
		return err
	}
	batch.Queue(`WITH joined AS (
			INSERT INTO users (external_id, key, email, organization, status, conversations, first_name, last_name, display_name, title,
				department, phone, preferred_language, services, pinned, joined_at)
			SELECT $1, c.key, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, true, $14 FROM claims c WHERE c.id = $15 RETURNING id
		) UPDATE claims SET account = joined.id FROM joined WHERE claims.id = $15`,
		u.ID, u.Email, number, string(u.Status), known(u.Conversations), u.FirstName, u.LastName, u.DisplayName, u.Title, u.Department,
		u.Phone, u.PreferredLanguage, array(u.Services), seconds(e.At), e.Claim.ID)
	return nil
}
