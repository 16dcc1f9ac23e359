package store

import (
	"context"
	"time"
)

// mostExpired is how many sessions that have expired are deleted when one is kept.
const mostExpired = 100

// Session finds what is kept of a browser's session, by the digest of its name.
func (s *Store) Session(ctx context.Context, digest string, now time.Time) (data []byte, found bool, err error) {
	err = s.read(ctx, "find the session", func(tx Tx) error {
		data, found, err = tx.FindSession(ctx, digest, now)
		return err
	})
	return data, found, err
}

// KeepSession keeps what there is to know of a session until it expires, and deletes some that have.
func (s *Store) KeepSession(ctx context.Context, digest string, data []byte, expires, now time.Time) error {
	return s.write(ctx, "keep the session", func(tx Tx) error {
		if err := tx.DeleteExpiredSessions(ctx, now, mostExpired); err != nil {
			return err
		}
		return tx.PutSession(ctx, digest, data, expires)
	})
}

// EndSession deletes a session, where there is one.
func (s *Store) EndSession(ctx context.Context, digest string) error {
	return s.write(ctx, "end the session", func(tx Tx) error { return tx.DeleteSession(ctx, digest) })
}
