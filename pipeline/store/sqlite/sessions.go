package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// FindSession implements store.Sessions.
func (t *tx) FindSession(ctx context.Context, digest string, now time.Time) (data []byte, found bool, err error) {
	err = t.QueryRowContext(ctx, "SELECT data FROM sessions WHERE digest = ? AND expires_at > ?", digest, now.Unix()).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	return data, err == nil, err
}

// PutSession implements store.Sessions.
func (t *tx) PutSession(ctx context.Context, digest string, data []byte, expires time.Time) error {
	return t.exec(ctx, `INSERT INTO sessions (digest, data, expires_at) VALUES (?, ?, ?)
		ON CONFLICT (digest) DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at`, digest, data, expires.Unix())
}

// DeleteSession implements store.Sessions.
func (t *tx) DeleteSession(ctx context.Context, digest string) error {
	return t.exec(ctx, "DELETE FROM sessions WHERE digest = ?", digest)
}

// DeleteExpiredSessions implements store.Sessions.
func (t *tx) DeleteExpiredSessions(ctx context.Context, now time.Time, limit int) error {
	return t.exec(ctx, "DELETE FROM sessions WHERE digest IN (SELECT digest FROM sessions WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)", now.Unix(), limit)
}
