package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// tx is a store.Tx.
type tx struct {
	pgx.Tx
	db      *DB
	writes  bool
	numbers map[string]int64 // of organizations that were named
	changed bool             // settings
	staging bool             // a snapshot is being taken in
	staged  bool             // all of it is in its table
	few     map[string]bool  // what fewOf has found
}

var _ store.Tx = (*tx)(nil)

// How a transaction begins. One that reads may take its time, as somebody does who reads page by page: it
// locks nothing.
const (
	beginReading = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL idle_in_transaction_session_timeout = '1h'"
	beginWriting = "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE"
)

const (
	maxTries     = 20                    // of a transaction that others conflict with
	longestPause = 50 * time.Millisecond // before it is tried again
)

// Read implements store.DB.
func (db *DB) Read(ctx context.Context, do func(store.Tx) error) error {
	t, err := db.begin(ctx, false)
	if err != nil {
		return db.wrap(err)
	}
	defer t.end(ctx)
	if err := do(t); err != nil {
		return db.wrap(err)
	}
	return db.wrap(t.Commit(ctx))
}

// Write implements store.DB.
func (db *DB) Write(ctx context.Context, do func(store.Tx) error) error {
	if db.reads {
		return refused(schema.CodeDatabaseReadOnly)
	}
	for try := 1; ; try++ {
		err := db.writeOnce(ctx, do)
		if !conflicting(err) || try == maxTries {
			return db.wrap(err)
		}
		if err := pause(ctx, rand.N(longestPause)); err != nil {
			return err
		}
	}
}

func (db *DB) begin(ctx context.Context, writes bool) (*tx, error) {
	query := beginReading
	if writes {
		query = beginWriting
	}
	begun, err := db.pool.BeginTx(ctx, pgx.TxOptions{BeginQuery: query})
	if err != nil {
		return nil, err
	}
	return &tx{Tx: begun, db: db, writes: writes, numbers: map[string]int64{}}, nil
}

// end undoes what has not been committed.
func (t *tx) end(ctx context.Context) { _ = t.Rollback(context.WithoutCancel(ctx)) }

func (db *DB) writeOnce(ctx context.Context, do func(store.Tx) error) error {
	t, err := db.begin(ctx, true)
	if err != nil {
		return err
	}
	defer t.end(ctx)
	if err := do(t); err != nil {
		return err
	}
	var id *string // NULL: nothing has been written
	if err := t.QueryRow(ctx, "SELECT pg_current_xact_id_if_assigned()::text").Scan(&id); err != nil {
		return err
	}
	err = t.Commit(ctx)
	if err != nil && id != nil && lost(err) {
		return db.ask(ctx, *id, err)
	}
	return err
}

// ask finds out what has become of a transaction whose connection was lost while it was committed. A server
// that is started again answers within seconds.
func (db *DB) ask(ctx context.Context, id string, why error) error {
	const tries, between = 60, 250 * time.Millisecond
	for range tries {
		var status *string
		err := db.pool.QueryRow(ctx, "SELECT pg_xact_status($1::text::xid8)", id).Scan(&status)
		switch {
		case err == nil && status != nil && *status == "committed":
			return nil
		case err == nil && (status == nil || *status == "aborted"):
			return why
		}
		if err := pause(ctx, between); err != nil {
			return errors.Join(err, why)
		}
	}
	return fmt.Errorf("nobody knows whether the transaction was committed: %w", why)
}

// pause waits.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// LockSettings implements store.Tx.
func (t *tx) LockSettings(ctx context.Context, exclusive bool) error {
	if exclusive {
		return t.exec(ctx, "SELECT pg_advisory_xact_lock($1)", settingsLock)
	}
	return t.exec(ctx, "SELECT pg_advisory_xact_lock_shared($1)", settingsLock)
}

// Stamp implements store.Tx. It counts the changes of settings; each account has a version of its own.
func (t *tx) Stamp(ctx context.Context) (stamp int64, err error) {
	err = t.QueryRow(ctx, "SELECT settings FROM versions").Scan(&stamp)
	return stamp, err
}

// Now implements store.Tx.
func (t *tx) Now(ctx context.Context) (now time.Time, err error) {
	err = t.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&now)
	return now.UTC(), err
}

// changes notes that this transaction changes settings.
func (t *tx) changes(ctx context.Context) error {
	if t.changed {
		return nil
	}
	t.changed = true
	return t.exec(ctx, "UPDATE versions SET settings = settings + 1")
}

// exec runs a statement that returns nothing.
func (t *tx) exec(ctx context.Context, statement string, args ...any) error {
	_, err := t.Exec(ctx, statement, args...)
	return err
}

// all runs many statements, sent at once, one after the other.
func (t *tx) all(ctx context.Context, batch *pgx.Batch) error {
	if batch.Len() == 0 {
		return nil
	}
	return t.SendBatch(ctx, batch).Close()
}

// within runs do so that what it has done is undone, and no more, where it fails.
func (t *tx) within(ctx context.Context, do func() error) error {
	outer := t.Tx
	inner, err := outer.Begin(ctx)
	if err != nil {
		return err
	}
	t.Tx = inner
	err = do()
	t.Tx = outer
	if err != nil {
		return errors.Join(err, ignoreClosed(inner.Rollback(ctx)))
	}
	return inner.Commit(ctx)
}

// collect runs a query and hands every row to scan.
func (t *tx) collect(ctx context.Context, scan func(rows pgx.Rows) error, query string, args ...any) error {
	rows, err := t.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// list runs a query of one column.
func list[V any](ctx context.Context, t *tx, query string, args ...any) (values []V, err error) {
	err = t.collect(ctx, func(rows pgx.Rows) error {
		var value V
		err := rows.Scan(&value)
		values = append(values, value)
		return err
	}, query, args...)
	return values, err
}

// noLimit returns a limit of 0 as PostgreSQL takes it.
func noLimit(limit int) *int {
	if limit <= 0 {
		return nil
	}
	return &limit
}
