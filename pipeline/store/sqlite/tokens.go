package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/claimline/claimline/schema"
)

// InsertToken implements store.Tokens.
func (t *tx) InsertToken(ctx context.Context, token schema.Token, digest []byte) error {
	number, err := t.number(ctx, token.OrganizationID)
	if err != nil {
		return err
	}
	return twice(t.exec(ctx, "INSERT INTO tokens (organization, name, role, digest, created_at, created_by, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
		number, token.Name, token.Role, digest, seconds(token.CreatedAt), token.CreatedBy, seconds(token.ExpiresAt)))
}

//nolint:gosec // G101: this is no token, but the statement that finds one
const tokenQuery = `SELECT t.id, o.external_id, t.name, t.role, t.created_at, t.created_by, t.expires_at, t.last_used_at
	FROM tokens t JOIN organizations o ON o.id = t.organization `

func scanToken(row interface{ Scan(...any) error }) (token schema.Token, err error) {
	var created, expires, used sql.NullInt64
	err = row.Scan(&token.ID, &token.OrganizationID, &token.Name, &token.Role, &created, &token.CreatedBy, &expires, &used)
	token.CreatedAt, token.ExpiresAt, token.LastUsedAt = timeOf(created), timeOf(expires), timeOf(used)
	return token, err
}

// ListTokens implements store.Tokens.
func (t *tx) ListTokens(ctx context.Context, organization string) (list []schema.Token, err error) {
	number, err := t.number(ctx, organization)
	if err != nil {
		return nil, err
	}
	err = t.collect(ctx, func(rows *sql.Rows) error {
		token, err := scanToken(rows)
		list = append(list, token)
		return err
	}, tokenQuery+"WHERE t.organization = ? ORDER BY t.name", number)
	return list, err
}

// AnyTokens implements store.Tokens.
func (t *tx) AnyTokens(ctx context.Context) (some bool, err error) {
	err = t.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM tokens)").Scan(&some)
	return some, err
}

// FindToken implements store.Tokens.
func (t *tx) FindToken(ctx context.Context, digest []byte) (token schema.Token, found bool, err error) {
	token, err = scanToken(t.QueryRowContext(ctx, tokenQuery+"WHERE t.digest = ?", digest))
	if errors.Is(err, sql.ErrNoRows) {
		return schema.Token{}, false, nil
	}
	return token, err == nil, err
}

// DeleteToken implements store.Tokens.
func (t *tx) DeleteToken(ctx context.Context, organization, name string) (found bool, err error) {
	number, err := t.number(ctx, organization)
	if err != nil {
		return false, err
	}
	done, err := t.ExecContext(ctx, "DELETE FROM tokens WHERE organization = ? AND name = ?", number, name)
	if err != nil {
		return false, err
	}
	deleted, err := done.RowsAffected()
	return deleted > 0, err
}

// TouchTokens implements store.Tokens.
func (t *tx) TouchTokens(ctx context.Context, used map[int64]time.Time) error {
	for id, at := range used {
		if err := t.exec(ctx, "UPDATE tokens SET last_used_at = ?1 WHERE id = ?2 AND ifnull(last_used_at, 0) < ?1", at.Unix(), id); err != nil {
			return err
		}
	}
	return nil
}
