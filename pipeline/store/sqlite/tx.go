package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/claimline/claimline/schema"
)

// querier is what reads need, inside a transaction and outside.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// writing runs do in a transaction of the one writer that may change what a rule looks at: it sees what is true now, and
// nobody changes anything until it has ended. What do returns undoes everything where it is an error.
func (s *Store) writing(ctx context.Context, doing string, do func(tx *sql.Tx) error) error {
	return s.bookkeeping(ctx, doing, func(tx *sql.Tx) error {
		if err := do(tx); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "UPDATE versions SET facts = facts + 1")
		return err
	})
}

// factsVersion counts the transactions that may have changed what a rule looks at.
func factsVersion(ctx context.Context, q querier) (version int64, err error) {
	err = q.QueryRowContext(ctx, "SELECT facts FROM versions").Scan(&version)
	return version, err
}

// bookkeeping is writing for what no rule looks at.
func (s *Store) bookkeeping(ctx context.Context, doing string, do func(tx *sql.Tx) error) error {
	if s.write == nil {
		return wrap(&schema.Error{Code: schema.CodeDatabaseReadOnly}, doing)
	}
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return wrap(err, doing)
	}
	return wrap(finish(tx, do), doing)
}

// reading runs do on one consistent state of the database.
func (s *Store) reading(ctx context.Context, doing string, do func(tx *sql.Tx) error) error {
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return wrap(err, doing)
	}
	return wrap(finish(tx, do), doing)
}

func finish(tx *sql.Tx, do func(tx *sql.Tx) error) error {
	done := false
	defer func() {
		if !done { // do has panicked
			_ = tx.Rollback()
		}
	}()
	err := do(tx)
	done = true
	if err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	return tx.Commit()
}

// ignoreDone drops the error of a roll-back that has already happened, because the context has ended.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// collect runs a query and hands every row to scan.
func collect(ctx context.Context, q querier, scan func(rows *sql.Rows) error, query string, args ...any) (err error) {
	rows, err := q.QueryContext(ctx, query, args...)
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
