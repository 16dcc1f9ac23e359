package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// CreateImport implements store.Imports.
func (s *Store) CreateImport(ctx context.Context, imp schema.Import, runner string, now time.Time, lease time.Duration) (owner store.Owner, err error) {
	err = s.bookkeeping(ctx, "create the import", func(tx *sql.Tx) error {
		id, _, err := organization(ctx, tx, imp.OrganizationID)
		if err != nil {
			return err
		}
		owner = store.Owner{Runner: runner}
		return tx.QueryRowContext(ctx, `INSERT INTO imports (organization, file, sha256, state, all_or_nothing, activation_emails, started_at, runner, lease_until)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id, epoch`,
			id, imp.File, imp.SHA256, schema.StatePlanning, imp.AllOrNothing, imp.ActivationEmails, seconds(now), runner, leaseEnd(now, lease)).
			Scan(&owner.ImportID, &owner.Epoch)
	})
	return owner, err
}

// owning runs do in a transaction in which the owner owns the import.
func (s *Store) owning(ctx context.Context, owner store.Owner, doing string, do func(tx *sql.Tx) error) error {
	return s.bookkeeping(ctx, doing, func(tx *sql.Tx) error {
		var owns bool
		err := tx.QueryRowContext(ctx, "SELECT epoch = ? FROM imports WHERE id = ?", owner.Epoch, owner.ImportID).Scan(&owns)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return notFound(owner.ImportID)
		case err != nil:
			return err
		case !owns:
			return &schema.Error{Code: schema.CodeImportTakenOver}
		}
		return do(tx)
	})
}

func notFound(id int64) *schema.Error {
	return schema.Refuse(schema.CodeImportNotFound, "There is no import %d.", id)
}

// SealPlan implements store.Imports.
func (s *Store) SealPlan(ctx context.Context, owner store.Owner, sha256 string, plan []byte) error {
	if plan == nil {
		plan = []byte{} // NULL means that there is no plan yet
	}
	return s.owning(ctx, owner, "keep the plan", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE imports SET state = ?, sha256 = ?, plan = ? WHERE id = ?",
			schema.StateAwaitingConsent, sha256, plan, owner.ImportID)
		return err
	})
}

// DropChunks implements store.Imports.
func (s *Store) DropChunks(ctx context.Context, owner store.Owner) error {
	return s.owning(ctx, owner, "drop the chunks", func(tx *sql.Tx) error {
		for _, table := range []string{"import_chunks", "chunk_rows"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE import = ?", owner.ImportID); err != nil {
				return err
			}
		}
		return nil
	})
}

// DropImport implements store.Imports.
func (s *Store) DropImport(ctx context.Context, owner store.Owner) error {
	return s.owning(ctx, owner, "drop the import", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM imports WHERE id = ?", owner.ImportID)
		return err
	})
}

// Consent implements store.Imports.
func (s *Store) Consent(ctx context.Context, owner store.Owner, at time.Time) error {
	return s.owning(ctx, owner, "record the consent", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE imports SET state = ?, consented_at = ? WHERE id = ?",
			schema.StateApplying, seconds(at), owner.ImportID)
		return err
	})
}

// AcquireImport implements store.Imports.
func (s *Store) AcquireImport(ctx context.Context, id int64, runner string, now time.Time, lease time.Duration) (owner store.Owner, err error) {
	err = s.bookkeeping(ctx, "take the import over", func(tx *sql.Tx) error {
		imp, err := readImport(ctx, tx, id, now)
		if err != nil {
			return err
		}
		var planned, pending bool
		err = tx.QueryRowContext(ctx, `SELECT plan IS NOT NULL, EXISTS (SELECT 1 FROM import_chunks WHERE import = imports.id AND NOT done)
			FROM imports WHERE id = ?`, id).Scan(&planned, &pending)
		if err != nil {
			return err
		}
		switch {
		case imp.LeaseUntil.After(now):
			return schema.Refuse(schema.CodeImportRunning, "Import %d is running.", id).
				WithFix("Wait until it has ended, or cancel it: claimline cancel %d. If its process has died, try again after %s.",
					id, imp.LeaseUntil.Format(time.RFC3339))
		case !planned:
			return &schema.Error{Code: schema.CodeImportIncomplete}
		case imp.State == schema.StateRejected, imp.State.Ended() && !pending:
			return schema.Refuse(schema.CodeImportFinished, "").WithFix("Read its report: claimline report %d.", id)
		case imp.RowsRemoved:
			return &schema.Error{Code: schema.CodeImportRemoved}
		}
		state := schema.StateApplying
		if imp.ConsentedAt.IsZero() {
			state = schema.StateAwaitingConsent
		}
		owner = store.Owner{ImportID: id, Runner: runner}
		return tx.QueryRowContext(ctx, `UPDATE imports SET state = ?, reason = '', cancel_requested = 0, finished_at = NULL,
			runner = ?, epoch = epoch + 1, lease_until = ? WHERE id = ? RETURNING epoch`,
			state, runner, leaseEnd(now, lease), id).Scan(&owner.Epoch)
	})
	return owner, err
}

// RenewImport implements store.Imports.
func (s *Store) RenewImport(ctx context.Context, owner store.Owner, now time.Time, lease time.Duration) error {
	return s.owning(ctx, owner, "renew the lease", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE imports SET lease_until = ? WHERE id = ? AND finished_at IS NULL",
			leaseEnd(now, lease), owner.ImportID)
		return err
	})
}

// FinishImport implements store.Imports.
func (s *Store) FinishImport(ctx context.Context, owner store.Owner, end store.ImportEnd) error {
	return s.owning(ctx, owner, "finish the import", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE imports SET state = ?1, reason = ?2, finished_at = ?3, cancel_requested = 0, lease_until = NULL
			WHERE id = ?4 AND NOT (finished_at IS NOT NULL AND state = ?1)`,
			end.State, end.Reason, seconds(end.At), owner.ImportID)
		if err != nil || !end.RemoveRows {
			return err
		}
		return removeRows(ctx, tx, owner.ImportID)
	})
}

// RequestCancel implements store.Imports.
func (s *Store) RequestCancel(ctx context.Context, id int64, now time.Time) error {
	return s.bookkeeping(ctx, "cancel the import", func(tx *sql.Tx) error {
		imp, err := readImport(ctx, tx, id, now)
		switch {
		case err != nil:
			return err
		case imp.State.Ended():
			return schema.Refuse(schema.CodeImportFinished, "").WithFix("Read its report: claimline report %d.", id)
		case imp.LeaseUntil.After(now):
			_, err = tx.ExecContext(ctx, "UPDATE imports SET cancel_requested = 1 WHERE id = ?", id)
			return err
		}
		// The epoch grows, so that a runner that was only asleep finds that the import is no longer its own.
		_, err = tx.ExecContext(ctx, `UPDATE imports SET state = ?, reason = ?, finished_at = ?, cancel_requested = 0,
			epoch = epoch + 1, lease_until = NULL WHERE id = ?`, schema.StateCancelled, schema.CodeCancelled, seconds(now), id)
		return err
	})
}

// Import implements store.Imports.
func (s *Store) Import(ctx context.Context, id int64, now time.Time) (imp schema.Import, err error) {
	err = s.reading(ctx, "find the import", func(tx *sql.Tx) error {
		imp, err = readImport(ctx, tx, id, now)
		if err != nil {
			return err
		}
		imp.Tally, err = tally(ctx, tx, id)
		return err
	})
	return imp, err
}

// ListImports implements store.Imports.
func (s *Store) ListImports(ctx context.Context, external string, now time.Time, limit int) (list []schema.Import, err error) {
	if limit <= 0 {
		limit = -1 // no limit, to SQLite
	}
	err = s.reading(ctx, "list imports", func(tx *sql.Tx) error {
		id, _, err := organization(ctx, tx, external)
		if err != nil {
			return err
		}
		err = collect(ctx, tx, func(rows *sql.Rows) error {
			imp, err := scanImport(rows, now)
			list = append(list, imp)
			return err
		}, importQuery+"WHERE i.organization = ? ORDER BY i.id DESC LIMIT ?", id, limit)
		for i := range list {
			if err == nil {
				list[i].Tally, err = tally(ctx, tx, list[i].ID)
			}
		}
		return err
	})
	return list, err
}

const importQuery = `SELECT i.id, i.file, i.sha256, o.external_id, i.state, i.reason, i.all_or_nothing, i.activation_emails, i.plan,
	i.consented_at, i.cancel_requested, i.started_at, i.finished_at, i.lease_until, i.rows_removed
	FROM imports i JOIN organizations o ON o.id = i.organization `

// readImport finds an import, without its tally.
func readImport(ctx context.Context, q querier, id int64, now time.Time) (schema.Import, error) {
	imp, err := scanImport(q.QueryRowContext(ctx, importQuery+"WHERE i.id = ?", id), now)
	if errors.Is(err, sql.ErrNoRows) {
		return imp, notFound(id)
	}
	return imp, err
}

func scanImport(row interface{ Scan(...any) error }, now time.Time) (imp schema.Import, err error) {
	var consented, started, finished, lease sql.NullInt64
	err = row.Scan(&imp.ID, &imp.File, &imp.SHA256, &imp.OrganizationID, &imp.State, &imp.Reason, &imp.AllOrNothing, &imp.ActivationEmails, &imp.Plan,
		&consented, &imp.CancelRequested, &started, &finished, &lease, &imp.RowsRemoved)
	imp.ConsentedAt, imp.StartedAt, imp.FinishedAt, imp.LeaseUntil = timeOf(consented), timeOf(started), timeOf(finished), timeOf(lease)
	if !imp.LeaseUntil.IsZero() && !imp.LeaseUntil.After(now) { // whoever worked on it has died
		switch imp.State {
		case schema.StateApplying:
			imp.State = schema.StateInterrupted
		case schema.StatePlanning: // and there is no plan to go on with
			imp.State = schema.StateFailed
		}
	}
	return imp, err
}

// tally adds up the chunks of an import.
func tally(ctx context.Context, q querier, id int64) (sum schema.Tally, err error) {
	err = collect(ctx, q, func(rows *sql.Rows) error {
		var text string
		if err := rows.Scan(&text); err != nil {
			return err
		}
		part, err := decodeTally(text)
		sum.Add(part)
		return err
	}, "SELECT ifnull(applied, planned) FROM import_chunks WHERE import = ?", id)
	return sum, err
}

func decodeTally(text string) (t schema.Tally, err error) {
	if err = json.Unmarshal([]byte(text), &t); err != nil {
		err = fmt.Errorf("tally of a chunk: %w", err)
	}
	return t, err
}

// RemoveImports implements store.Imports. Each import is a transaction of its own.
func (s *Store) RemoveImports(ctx context.Context, endedBefore time.Time) (int, error) {
	var ids []int64
	err := collect(ctx, s.read, func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	}, "SELECT id FROM imports WHERE "+abandoned, seconds(endedBefore))
	if err != nil {
		return 0, wrap(err, "find old imports")
	}
	removed := 0
	for _, id := range ids {
		err := s.bookkeeping(ctx, "remove the rows of an old import", func(tx *sql.Tx) error {
			done, err := tx.ExecContext(ctx, "UPDATE imports SET epoch = epoch + 1 WHERE "+abandoned+" AND id = ?", seconds(endedBefore), id)
			if err != nil {
				return err
			}
			if n, err := done.RowsAffected(); err != nil || n == 0 { // somebody has taken it up again
				return err
			}
			removed++
			return removeRows(ctx, tx, id)
		})
		if err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// abandoned holds for imports that ended before a time, or were left before it by whoever worked on them.
const abandoned = "NOT rows_removed AND coalesce(finished_at, lease_until, started_at) < ?"

// removeRows removes what an import keeps of its file; what was counted stays.
func removeRows(ctx context.Context, tx *sql.Tx, id int64) error {
	for _, statement := range []string{
		"DELETE FROM chunk_rows WHERE import = ?",
		"DELETE FROM chunk_results WHERE import = ?",
		"UPDATE imports SET rows_removed = 1 WHERE id = ?",
	} {
		if _, err := tx.ExecContext(ctx, statement, id); err != nil {
			return err
		}
	}
	return nil
}
