package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"time"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// tx is a store.Tx. It locks nothing: a transaction that writes is alone.
type tx struct {
	*sql.Tx
	numbers map[string]int64   // of organizations that were named
	cache   *organizationCache // nil: this transaction has changed organizations
	changed bool               // what a rule looks at
	stage   *stage             // nil: no snapshot is being taken in
	many    int                // see manyAccounts
	few     map[string]bool    // what fewOf has found
}

var _ store.Tx = (*tx)(nil)

// Read implements store.DB.
func (db *DB) Read(ctx context.Context, do func(store.Tx) error) error {
	begun, err := db.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return wrap(err)
	}
	return wrap(db.finish(begun, do, nil))
}

// Write implements store.DB. There is one writer, so there are no conflicts.
func (db *DB) Write(ctx context.Context, do func(store.Tx) error) error {
	if db.write == nil {
		return refused(schema.CodeDatabaseReadOnly)
	}
	begun, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return wrap(err)
	}
	return wrap(db.finish(begun, do, db.present))
}

// finish runs do, and ends the transaction.
func (db *DB) finish(begun *sql.Tx, do func(store.Tx) error, check func() error) error {
	done := false
	defer func() {
		if !done { // do has panicked
			_ = begun.Rollback()
		}
	}()
	t := &tx{Tx: begun, numbers: map[string]int64{}, cache: &db.organizations, many: db.many}
	err := do(t)
	if err == nil && t.stage != nil {
		_, err = begun.Exec("DROP TABLE temp.load_users") //nolint:noctx // the transaction has one
	}
	if err == nil && check != nil {
		err = check()
	}
	done = true
	if err != nil {
		return errors.Join(err, ignoreDone(begun.Rollback()))
	}
	return begun.Commit()
}

// ignoreDone drops the error of a roll-back that has already happened, because the context has ended.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// present checks that the file is still there: what is written to one that was deleted is lost.
func (db *DB) present() error {
	info, err := os.Stat(db.path)
	if err == nil && os.SameFile(info, db.file) {
		return nil
	}
	return refuse(schema.CodeDatabaseMissing, "The database at %s was deleted or replaced while it was in use.", db.path).
		WithFix("Put it back, or load a snapshot into a new one: claimline load DIR.").Because(err)
}

// LockSettings implements store.Tx.
func (*tx) LockSettings(context.Context, bool) error { return nil }

// Stamp implements store.Tx. It counts the transactions that have changed what a rule looks at.
func (t *tx) Stamp(ctx context.Context) (stamp int64, err error) {
	err = t.QueryRowContext(ctx, "SELECT facts FROM versions").Scan(&stamp)
	return stamp, err
}

// Now implements store.Tx. SQLite's clock is that of the machine, on which everybody is who uses the file.
func (t *tx) Now(ctx context.Context) (time.Time, error) {
	var ms int64
	err := t.QueryRowContext(ctx, "SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER)").Scan(&ms)
	return time.UnixMilli(ms).UTC(), err
}

// changes notes that this transaction changes what a rule looks at.
func (t *tx) changes(ctx context.Context) error {
	if t.changed {
		return nil
	}
	t.changed = true
	return t.exec(ctx, "UPDATE versions SET facts = facts + 1")
}

// exec runs a statement that returns nothing.
func (t *tx) exec(ctx context.Context, statement string, args ...any) error {
	_, err := t.ExecContext(ctx, statement, args...)
	return err
}

// collect runs a query and hands every row to scan.
func (t *tx) collect(ctx context.Context, scan func(rows *sql.Rows) error, query string, args ...any) (err error) {
	rows, err := t.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// list runs a query of one column.
func list[V any](ctx context.Context, t *tx, query string, args ...any) (values []V, err error) {
	err = t.collect(ctx, func(rows *sql.Rows) error {
		var value V
		err := rows.Scan(&value)
		values = append(values, value)
		return err
	}, query, args...)
	return values, err
}

// noLimit returns a limit of 0 as SQLite writes it.
func noLimit(limit int) int {
	if limit <= 0 {
		return -1
	}
	return limit
}
