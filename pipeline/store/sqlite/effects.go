package sqlite

import (
	"context"
	"database/sql"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// WriteEffects implements store.Claims.
func (t *tx) WriteEffects(ctx context.Context, effects []claim.Effect) error {
	if err := t.changes(ctx); err != nil {
		return err
	}
	for i := range effects {
		if err := t.writeEffect(ctx, &effects[i]); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) writeEffect(ctx context.Context, e *claim.Effect) error {
	if e.Claim != nil { // first: it remembers the address that the account has now
		if err := t.writeClaim(ctx, e.Claim); err != nil {
			return err
		}
	}
	if e.User != nil {
		if err := t.writeUser(ctx, e); err != nil {
			return err
		}
	}
	if e.Gone {
		if err := t.removeUser(ctx, e.Before.ID); err != nil {
			return err
		}
	}
	if e.Joins == nil {
		return nil
	}
	joined, err := t.insertJoining(ctx, e)
	if err != nil {
		return err
	}
	return t.exec(ctx, "UPDATE claims SET user = ? WHERE id = ?", joined, e.Claim.ID)
}

// writeClaim writes what a claim has become. The subqueries see the account as it was.
func (t *tx) writeClaim(ctx context.Context, made *schema.Claim) error {
	status := made.Status
	if status == made.StatusBefore {
		status = ""
	}
	return t.exec(ctx, `UPDATE claims SET delayed = ?1, claimed_at = ?2, signed_in_at = ?3, status = ?4, inactive_since = ?5, closed_at = ?6,
		closed_by = ?7, key = CASE WHEN ?6 IS NOT NULL THEN (SELECT u.key FROM users u WHERE u.id = user) END,
		source = CASE WHEN ?1 THEN (SELECT u.organization FROM users u WHERE u.id = user AND u.services IS NOT NULL) END
		WHERE id = ?8`, made.Type == schema.Delayed, seconds(made.ClaimedAt), seconds(made.SignedInAt), null(string(status)),
		seconds(made.InactiveSince), seconds(made.ClosedAt), null(string(made.ClosedBy)), made.ID)
}

// writeUser writes what an account has become.
func (t *tx) writeUser(ctx context.Context, e *claim.Effect) error {
	u := e.User
	number, err := t.number(ctx, u.OrganizationID)
	if err != nil {
		return err
	}
	return t.exec(ctx, `UPDATE users SET key = ifnull(nullif(?, ''), key), email = ?, organization = ?, status = ?, inactive_since = ?,
		former_status = ?, first_name = ?, last_name = ?, display_name = ?, title = ?, department = ?, phone = ?, preferred_language = ?,
		services = ?, bigrams = ?, pinned = pinned OR ? WHERE id = ?`,
		e.Key, u.Email, number, u.Status, seconds(u.InactiveSince), null(string(e.Former)), u.FirstName, u.LastName, u.DisplayName, u.Title,
		u.Department, u.Phone, u.PreferredLanguage, encodeList(u.Services), bigramsOf(u), e.Pinned, e.Before.ID)
}

// removeUser deletes an account; the tombstone keeps a snapshot from bringing it back.
func (t *tx) removeUser(ctx context.Context, id int64) error {
	if err := t.exec(ctx, "INSERT OR IGNORE INTO removed_users SELECT external_id FROM users WHERE id = ?", id); err != nil {
		return err
	}
	return t.exec(ctx, "DELETE FROM users WHERE id = ?", id)
}

// insertJoining adds the account that joins under the address that the claim was on, and returns its number.
func (t *tx) insertJoining(ctx context.Context, e *claim.Effect) (int64, error) {
	u := e.Joins
	number, err := t.number(ctx, u.OrganizationID)
	if err != nil {
		return 0, err
	}
	done, err := t.ExecContext(ctx, `INSERT INTO users (external_id, key, email, organization, status, conversations,
			first_name, last_name, display_name, title, department, phone, preferred_language, services, bigrams, pinned, joined_at)
		SELECT ?, c.key, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ? FROM claims c WHERE c.id = ?`,
		u.ID, u.Email, number, u.Status, known(u.Conversations), u.FirstName, u.LastName, u.DisplayName, u.Title, u.Department,
		u.Phone, u.PreferredLanguage, encodeList(u.Services), bigramsOf(u), seconds(e.At), e.Claim.ID)
	if err != nil {
		return 0, err
	}
	return done.LastInsertId()
}

// known returns a number of conversations, NULL where nobody knows it.
func known(conversations int) sql.NullInt64 {
	return sql.NullInt64{Int64: int64(conversations), Valid: conversations >= 0}
}
