package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// FindSession implements store.Sessions.
func (t *tx) FindSession(ctx context.Context, digest string, now time.Time) (data []byte, found bool, err error) {
	err = t.QueryRow(ctx, "SELECT data FROM sessions WHERE digest = $1 AND expires_at > $2", digest, now.Unix()).Scan(&data)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, false, nil
	}
	return data, err == nil, err
}

// PutSession implements store.Sessions.
func (t *tx) PutSession(ctx context.Context, digest string, data []byte, expires time.Time) error {
	return t.exec(ctx, `INSERT INTO sessions (digest, data, expires_at) VALUES ($1, $2, $3)
		ON CONFLICT (digest) DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at`, digest, data, expires.Unix())
}

// DeleteSession implements store.Sessions.
func (t *tx) DeleteSession(ctx context.Context, digest string) error {
	return t.exec(ctx, "DELETE FROM sessions WHERE digest = $1", digest)
}

// DeleteExpiredSessions implements store.Sessions. Those that another process is deleting are left to it.
func (t *tx) DeleteExpiredSessions(ctx context.Context, now time.Time, limit int) error {
	return t.exec(ctx, `DELETE FROM sessions WHERE digest IN
		(SELECT digest FROM sessions WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)`, now.Unix(), limit)
}
