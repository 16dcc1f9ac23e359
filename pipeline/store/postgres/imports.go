package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// InsertImport implements store.Imports.
func (t *tx) InsertImport(ctx context.Context, row store.ImportRow) (id int64, err error) {
	number, err := t.number(ctx, row.OrganizationID)
	if err != nil {
		return 0, err
	}
	err = t.QueryRow(ctx, `INSERT INTO imports (organization, file, sha256, state, all_or_nothing, activation_emails, options,
		created_by, version, started_at, runner, epoch, lease_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING id`,
		number, []byte(row.File), row.SHA256, string(row.State), row.AllOrNothing, row.ActivationEmails, null(string(row.Options)), row.CreatedBy,
		row.Version, seconds(row.StartedAt), row.Runner, row.Epoch, seconds(row.LeaseUntil)).Scan(&id)
	return id, err
}

const importQuery = `SELECT i.id, i.file, i.sha256, o.external_id, i.state, i.reason, i.all_or_nothing, i.activation_emails, i.options,
	i.created_by, i.version, i.consented_at, i.consented_by, i.cancel_requested, i.started_at, i.finished_at, i.lease_until, i.rows_removed,
	i.plan IS NOT NULL, i.runner, i.epoch FROM imports i JOIN organizations o ON o.id = i.organization `

func scanImport(scanner pgx.Row) (row store.ImportRow, err error) {
	var consented, started, finished, lease *int64
	var file, options []byte
	err = scanner.Scan(&row.ID, &file, &row.SHA256, &row.OrganizationID, &row.State, &row.Reason, &row.AllOrNothing, &row.ActivationEmails, &options,
		&row.CreatedBy, &row.Version, &consented, &row.ConsentedBy, &row.CancelRequested, &started, &finished, &lease, &row.RowsRemoved,
		&row.Planned, &row.Runner, &row.Epoch)
	row.File, row.Options = string(file), options
	row.ConsentedAt, row.StartedAt, row.FinishedAt, row.LeaseUntil = timeOf(consented), timeOf(started), timeOf(finished), timeOf(lease)
	return row, err
}

// FindImport implements store.Imports.
func (t *tx) FindImport(ctx context.Context, id int64, hold bool) (row store.ImportRow, found bool, err error) {
	query := importQuery + "WHERE i.id = $1"
	if hold && t.writes {
		query += " FOR NO KEY UPDATE OF i"
	}
	row, err = scanImport(t.QueryRow(ctx, query, id))
	if errors.Is(err, pgx.ErrNoRows) {
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
	err = t.collect(ctx, func(rows pgx.Rows) error {
		row, err := scanImport(rows)
		list = append(list, row)
		return err
	}, importQuery+"WHERE i.organization = $1 ORDER BY i.id DESC LIMIT $2", number, noLimit(limit))
	return list, err
}

// UpdateImport implements store.Imports.
func (t *tx) UpdateImport(ctx context.Context, row store.ImportRow) error {
	return t.exec(ctx, `UPDATE imports SET sha256 = $1, state = $2, reason = $3, consented_at = $4, consented_by = $5, cancel_requested = $6,
		finished_at = $7, lease_until = $8, rows_removed = $9, runner = $10, epoch = $11 WHERE id = $12`,
		row.SHA256, string(row.State), string(row.Reason), seconds(row.ConsentedAt), row.ConsentedBy, row.CancelRequested,
		seconds(row.FinishedAt), seconds(row.LeaseUntil), row.RowsRemoved, row.Runner, row.Epoch, row.ID)
}

// DeleteImport implements store.Imports.
func (t *tx) DeleteImport(ctx context.Context, id int64) error {
	return t.exec(ctx, "DELETE FROM imports WHERE id = $1", id)
}

// PutPlan implements store.Imports.
func (t *tx) PutPlan(ctx context.Context, id int64, plan []byte) error {
	return t.exec(ctx, "UPDATE imports SET plan = $1 WHERE id = $2", blob(plan), id)
}

// Plans implements store.Imports.
func (t *tx) Plans(ctx context.Context, ids []int64) (map[int64][]byte, error) {
	plans := map[int64][]byte{}
	err := t.collect(ctx, func(rows pgx.Rows) error {
		var id int64
		var plan []byte
		err := rows.Scan(&id, &plan)
		plans[id] = plan
		return err
	}, "SELECT id, plan FROM imports WHERE id = ANY($1) AND plan IS NOT NULL", ids)
	return plans, err
}

// Tallies implements store.Imports.
func (t *tx) Tallies(ctx context.Context, ids []int64) (map[int64][]schema.Tally, error) {
	tallies := map[int64][]schema.Tally{}
	err := t.collect(ctx, func(rows pgx.Rows) error {
		var id int64
		var text string
		if err := rows.Scan(&id, &text); err != nil {
			return err
		}
		part, err := decodeTally(text)
		tallies[id] = append(tallies[id], part)
		return err
	}, "SELECT import, coalesce(applied, planned) FROM import_chunks WHERE import = ANY($1)", ids)
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
	return list[int64](ctx, t, "SELECT id FROM imports WHERE NOT rows_removed AND coalesce(finished_at, lease_until, started_at) < $1 ORDER BY id", before.Unix())
}

// DeleteRows implements store.Imports.
func (t *tx) DeleteRows(ctx context.Context, id int64) error {
	if err := t.exec(ctx, "DELETE FROM chunk_rows WHERE import = $1", id); err != nil {
		return err
	}
	return t.exec(ctx, "DELETE FROM chunk_results WHERE import = $1", id)
}
