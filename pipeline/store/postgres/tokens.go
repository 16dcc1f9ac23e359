package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimline/claimline/schema"
)

// InsertToken implements store.Tokens.
func (t *tx) InsertToken(ctx context.Context, token schema.Token, digest []byte) error {
	number, err := t.number(ctx, token.OrganizationID)
	if err != nil {
		return err
	}
	return twice(t.exec(ctx, "INSERT INTO tokens (organization, name, role, digest, created_at, created_by, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		number, token.Name, string(token.Role), digest, seconds(token.CreatedAt), token.CreatedBy, seconds(token.ExpiresAt)))
}

//nolint:gosec // G101: this is no token, but the statement that finds one
const tokenQuery = `SELECT t.id, o.external_id, t.name, t.role, t.created_at, t.created_by, t.expires_at, t.last_used_at
	FROM tokens t JOIN organizations o ON o.id = t.organization `

func scanToken(row pgx.Row) (token schema.Token, err error) {
	var created, expires, used *int64
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
	err = t.collect(ctx, func(rows pgx.Rows) error {
		token, err := scanToken(rows)
		list = append(list, token)
		return err
	}, tokenQuery+`WHERE t.organization = $1 ORDER BY t.name COLLATE "C"`, number)
	return list, err
}

// AnyTokens implements store.Tokens.
func (t *tx) AnyTokens(ctx context.Context) (some bool, err error) {
	err = t.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM tokens)").Scan(&some)
	return some, err
}

// FindToken implements store.Tokens.
func (t *tx) FindToken(ctx context.Context, digest []byte) (token schema.Token, found bool, err error) {
	token, err = scanToken(t.QueryRow(ctx, tokenQuery+"WHERE t.digest = $1", digest))
	if errors.Is(err, pgx.ErrNoRows) {
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
	done, err := t.Exec(ctx, "DELETE FROM tokens WHERE organization = $1 AND name = $2", number, name)
	if err != nil {
		return false, err
	}
	return done.RowsAffected() > 0, nil
}

// TouchTokens implements store.Tokens.
func (t *tx) TouchTokens(ctx context.Context, used map[int64]time.Time) error {
	for id, at := range used {
		if err := t.exec(ctx, "UPDATE tokens SET last_used_at = $1 WHERE id = $2 AND coalesce(last_used_at, 0) < $1", at.Unix(), id); err != nil {
			return err
		}
	}
	return nil
}
