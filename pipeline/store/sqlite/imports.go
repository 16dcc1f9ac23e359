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

// InsertImport implements store.Imports.
func (t *tx) InsertImport(ctx context.Context, row store.ImportRow) (id int64, err error) {
	number, err := t.number(ctx, row.OrganizationID)
	if err != nil {
		return 0, err
	}
	done, err := t.ExecContext(ctx, `INSERT INTO imports (organization, file, sha256, state, all_or_nothing, activation_emails, options,
		created_by, version, started_at, runner, epoch, lease_until) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		number, row.File, row.SHA256, row.State, row.AllOrNothing, row.ActivationEmails, null(string(row.Options)), row.CreatedBy, row.Version,
		seconds(row.StartedAt), row.Runner, row.Epoch, seconds(row.LeaseUntil))
	if err != nil {
		return 0, err
	}
	return done.LastInsertId()
}

const importQuery = `SELECT i.id, i.file, i.sha256, o.external_id, i.state, i.reason, i.all_or_nothing, i.activation_emails, i.options,
	i.created_by, i.version, i.consented_at, i.consented_by, i.cancel_requested, i.started_at, i.finished_at, i.lease_until, i.rows_removed,
	i.plan IS NOT NULL, i.runner, i.epoch FROM imports i JOIN organizations o ON o.id = i.organization `

func scanImport(scanner interface{ Scan(...any) error }) (row store.ImportRow, err error) {
	var consented, started, finished, lease sql.NullInt64
	err = scanner.Scan(&row.ID, &row.File, &row.SHA256, &row.OrganizationID, &row.State, &row.Reason, &row.AllOrNothing, &row.ActivationEmails, &row.Options,
		&row.CreatedBy, &row.Version, &consented, &row.ConsentedBy, &row.CancelRequested, &started, &finished, &lease, &row.RowsRemoved,
		&row.Planned, &row.Runner, &row.Epoch)
	row.ConsentedAt, row.StartedAt, row.FinishedAt, row.LeaseUntil = timeOf(consented), timeOf(started), timeOf(finished), timeOf(lease)
	return row, err
}

// FindImport implements store.Imports.
func (t *tx) FindImport(ctx context.Context, id int64, _ bool) (row store.ImportRow, found bool, err error) {
	row, err = scanImport(t.QueryRowContext(ctx, importQuery+"WHERE i.id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return store.ImportRow{}, false, nil
	}
	return row, err == nil, err
}

// ListImports implements store.Imports.
func (t *tx) ListImports(ctx context.Context, organization string, limit int) (list []store.ImportRow, err error) {
	number, err := t.number(ctx, organization)
	if err != nil {
		return nil, err
	}
	err = t.collect(ctx, func(rows *sql.Rows) error {
		row, err := scanImport(rows)
		list = append(list, row)
		return err
	}, importQuery+"WHERE i.organization = ? ORDER BY i.id DESC LIMIT ?", number, noLimit(limit))
	return list, err
}

// UpdateImport implements store.Imports.
func (t *tx) UpdateImport(ctx context.Context, row store.ImportRow) error {
	return t.exec(ctx, `UPDATE imports SET sha256 = ?, state = ?, reason = ?, consented_at = ?, consented_by = ?, cancel_requested = ?,
		finished_at = ?, lease_until = ?, rows_removed = ?, runner = ?, epoch = ? WHERE id = ?`,
		row.SHA256, row.State, row.Reason, seconds(row.ConsentedAt), row.ConsentedBy, row.CancelRequested,
		seconds(row.FinishedAt), seconds(row.LeaseUntil), row.RowsRemoved, row.Runner, row.Epoch, row.ID)
}

// DeleteImport implements store.Imports.
func (t *tx) DeleteImport(ctx context.Context, id int64) error {
	return t.exec(ctx, "DELETE FROM imports WHERE id = ?", id)
}

// PutPlan implements store.Imports.
func (t *tx) PutPlan(ctx context.Context, id int64, plan []byte) error {
	return t.exec(ctx, "UPDATE imports SET plan = ? WHERE id = ?", blob(plan), id)
}

// Plans implements store.Imports.
func (t *tx) Plans(ctx context.Context, ids []int64) (map[int64][]byte, error) {
	plans := map[int64][]byte{}
	err := t.collect(ctx, func(rows *sql.Rows) error {
		var id int64
		var plan []byte
		err := rows.Scan(&id, &plan)
		plans[id] = plan
		return err
	}, "SELECT i.id, i.plan FROM json_each(?) j CROSS JOIN imports i ON i.id = j.value WHERE i.plan IS NOT NULL", encodeNumbers(ids))
	return plans, err
}

// Tallies implements store.Imports.
func (t *tx) Tallies(ctx context.Context, ids []int64) (map[int64][]schema.Tally, error) {
	tallies := map[int64][]schema.Tally{}
	err := t.collect(ctx, func(rows *sql.Rows) error {
		var id int64
		var text string
		if err := rows.Scan(&id, &text); err != nil {
			return err
		}
		part, err := decodeTally(text)
		tallies[id] = append(tallies[id], part)
		return err
	}, "SELECT c.import, ifnull(c.applied, c.planned) FROM json_each(?) j CROSS JOIN import_chunks c ON c.import = j.value", encodeNumbers(ids))
	return tallies, err
}

func decodeTally(text string) (t schema.Tally, err error) {
	if err = json.Unmarshal([]byte(text), &t); err != nil {
		err = fmt.Errorf("tally of a chunk: %w", err)
	}
	return t, err
}

// OldImports implements store.Imports.
func (t *tx) OldImports(ctx context.Context, before time.Time) ([]int64, error) {
	return list[int64](ctx, t, "SELECT id FROM imports WHERE NOT rows_removed AND coalesce(finished_at, lease_until, started_at) < ?", before.Unix())
}

// DeleteRows implements store.Imports.
func (t *tx) DeleteRows(ctx context.Context, id int64) error {
	if err := t.exec(ctx, "DELETE FROM chunk_rows WHERE import = ?", id); err != nil {
		return err
	}
	return t.exec(ctx, "DELETE FROM chunk_results WHERE import = ?", id)
}
