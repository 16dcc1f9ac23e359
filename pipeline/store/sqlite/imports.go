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
func (t *tx) InsertImport(ctx context.Context, imp schema.Import) (id int64, err error) {
	number, err := t.number(ctx, imp.OrganizationID)
	if err != nil {
		return 0, err
	}
	done, err := t.ExecContext(ctx, `INSERT INTO imports (organization, file, sha256, state, all_or_nothing, activation_emails, options,
		created_by, version, started_at, attended, runner, epoch, lease_until, request_key, request_digest, notify)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		number, imp.File, imp.SHA256, imp.State, imp.AllOrNothing, imp.ActivationEmails, null(string(imp.Options)), imp.CreatedBy, imp.Version,
		seconds(imp.StartedAt), imp.Attended, imp.Runner, imp.Epoch, seconds(imp.LeaseUntil), null(imp.RequestKey), imp.RequestDigest, encodeList(imp.Notify))
	if err != nil {
		return 0, twice(err)
	}
	return done.LastInsertId()
}

const importQuery = `SELECT i.id, i.file, i.sha256, o.external_id, i.state, i.reason, i.all_or_nothing, i.activation_emails, i.options,
	i.created_by, i.notify, i.version, i.consented_at, i.consented_by, i.edits_accepted, i.cancel_requested, i.started_at, i.finished_at, i.rows_removed,
	i.plan IS NOT NULL, i.attended, i.runner, i.epoch, i.lease_until, i.own_from, i.own_to
	FROM imports i JOIN organizations o ON o.id = i.organization `

func scanImport(scanner interface{ Scan(...any) error }) (imp schema.Import, err error) {
	var consented, started, finished, lease sql.NullInt64
	var notify sql.NullString
	err = scanner.Scan(&imp.ID, &imp.File, &imp.SHA256, &imp.OrganizationID, &imp.State, &imp.Reason, &imp.AllOrNothing, &imp.ActivationEmails, &imp.Options,
		&imp.CreatedBy, &notify, &imp.Version, &consented, &imp.ConsentedBy, &imp.EditsAccepted, &imp.CancelRequested, &started, &finished, &imp.RowsRemoved,
		&imp.Planned, &imp.Attended, &imp.Runner, &imp.Epoch, &lease, &imp.OwnFrom, &imp.OwnTo)
	imp.ConsentedAt, imp.StartedAt, imp.FinishedAt, imp.LeaseUntil = timeOf(consented), timeOf(started), timeOf(finished), timeOf(lease)
	if err == nil && notify.Valid {
		err = json.Unmarshal([]byte(notify.String), &imp.Notify)
	}
	return imp, err
}

// FindImport implements store.Imports.
func (t *tx) FindImport(ctx context.Context, id int64, _ bool) (imp schema.Import, found bool, err error) {
	imp, err = scanImport(t.QueryRowContext(ctx, importQuery+"WHERE i.id = ?", id))
	if errors.Is(err, sql.ErrNoRows) {
		return schema.Import{}, false, nil
	}
	return imp, err == nil, err
}

// FindRequest implements store.Imports.
func (t *tx) FindRequest(ctx context.Context, organization, key string, hold bool) (imp schema.Import, found bool, err error) {
	number, err := t.number(ctx, organization)
	if err != nil {
		return imp, false, err
	}
	var id int64
	var digest []byte
	err = t.QueryRowContext(ctx, "SELECT id, request_digest FROM imports WHERE organization = ? AND request_key = ?", number, key).Scan(&id, &digest)
	if errors.Is(err, sql.ErrNoRows) {
		return imp, false, nil
	}
	if err == nil {
		imp, found, err = t.FindImport(ctx, id, hold)
		imp.RequestKey, imp.RequestDigest = key, digest
	}
	return imp, found, err
}

// DropRequest implements store.Imports.
func (t *tx) DropRequest(ctx context.Context, id int64) error {
	return t.exec(ctx, "UPDATE imports SET request_key = NULL, request_digest = NULL WHERE id = ?", id)
}

// ListImports implements store.Imports.
func (t *tx) ListImports(ctx context.Context, organization string, before int64, limit int) (list []schema.Import, err error) {
	number, err := t.number(ctx, organization)
	if err != nil {
		return nil, err
	}
	err = t.collect(ctx, func(rows *sql.Rows) error {
		imp, err := scanImport(rows)
		list = append(list, imp)
		return err
	}, importQuery+"WHERE i.organization = ?1 AND (?2 = 0 OR i.id < ?2) ORDER BY i.id DESC LIMIT ?3", number, before, noLimit(limit))
	return list, err
}

// UpdateImport implements store.Imports.
func (t *tx) UpdateImport(ctx context.Context, imp schema.Import) error {
	return t.exec(ctx, `UPDATE imports SET sha256 = ?, state = ?, reason = ?, activation_emails = ?, consented_at = ?, consented_by = ?,
		edits_accepted = ?, cancel_requested = ?, finished_at = ?, rows_removed = ?, attended = ?, runner = ?, epoch = ?, lease_until = ?,
		own_from = ?, own_to = ? WHERE id = ?`,
		imp.SHA256, imp.State, imp.Reason, imp.ActivationEmails, seconds(imp.ConsentedAt), imp.ConsentedBy,
		imp.EditsAccepted, imp.CancelRequested, seconds(imp.FinishedAt), imp.RowsRemoved, imp.Attended, imp.Runner, imp.Epoch, seconds(imp.LeaseUntil),
		imp.OwnFrom, imp.OwnTo, imp.ID)
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
	}, "SELECT c.import, ifnull(c.applied, c.planned) FROM json_each(?) j CROSS JOIN import_chunks c ON c.import = j.value ORDER BY j.key, c.number",
		encodeNumbers(ids))
	return tallies, err
}

func decodeTally(text string) (t schema.Tally, err error) {
	if err = json.Unmarshal([]byte(text), &t); err != nil {
		err = fmt.Errorf("tally of a chunk: %w", err)
	}
	return t, err
}

// CountImports implements store.Imports.
func (t *tx) CountImports(ctx context.Context) (counts []store.ImportCount, err error) {
	err = t.collect(ctx, func(rows *sql.Rows) error {
		var c store.ImportCount
		var oldest sql.NullInt64
		err := rows.Scan(&c.State, &c.Count, &oldest)
		c.Oldest = timeOf(oldest)
		counts = append(counts, c)
		return err
	}, "SELECT state, count(*), min(coalesce(consented_at, started_at)) FROM imports GROUP BY state ORDER BY state")
	return counts, err
}

// OpenImports implements store.Imports.
func (t *tx) OpenImports(ctx context.Context) (open []store.OpenImport, err error) {
	err = t.collect(ctx, func(rows *sql.Rows) error {
		var o store.OpenImport
		var lease, turn sql.NullInt64
		err := rows.Scan(&o.ID, &o.Organization, &o.Epoch, &o.Rows, &o.Runner, &lease, &turn)
		o.LeaseUntil = timeOf(lease)
		if turn.Valid {
			o.Turn = time.UnixMilli(turn.Int64).UTC()
		}
		open = append(open, o)
		return err
	}, `SELECT i.id, o.external_id, i.epoch, (SELECT ifnull(sum(c.planned ->> 'rows'), 0) FROM import_chunks c WHERE c.import = i.id),
		i.runner, i.lease_until, t.taken_at
		FROM imports i JOIN organizations o ON o.id = i.organization LEFT JOIN turns t ON t.organization = i.organization
		WHERE i.state IN ('queued', 'applying') AND NOT i.attended ORDER BY i.id`)
	return open, err
}

// PutTurn implements store.Imports.
func (t *tx) PutTurn(ctx context.Context, organization string, at time.Time) error {
	number, err := t.number(ctx, organization)
	if err != nil {
		return err
	}
	return t.exec(ctx, "INSERT INTO turns VALUES (?, ?) ON CONFLICT DO UPDATE SET taken_at = excluded.taken_at", number, at.UnixMilli())
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
