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
func (t *tx) InsertImport(ctx context.Context, imp schema.Import) (id int64, err error) {
	number, err := t.number(ctx, imp.OrganizationID)
	if err != nil {
		return 0, err
	}
	err = t.QueryRow(ctx, `INSERT INTO imports (organization, file, sha256, state, all_or_nothing, activation_emails, options,
		created_by, version, started_at, attended, runner, epoch, lease_until, request_key, request_digest, notify)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) RETURNING id`,
		number, []byte(imp.File), imp.SHA256, string(imp.State), imp.AllOrNothing, imp.ActivationEmails, null(string(imp.Options)), imp.CreatedBy,
		imp.Version, seconds(imp.StartedAt), imp.Attended, imp.Runner, imp.Epoch, seconds(imp.LeaseUntil), null(imp.RequestKey), imp.RequestDigest,
		array(imp.Notify)).Scan(&id)
	return id, twice(err)
}

const importQuery = `SELECT i.id, i.file, i.sha256, o.external_id, i.state, i.reason, i.all_or_nothing, i.activation_emails, i.options,
	i.created_by, i.version, i.consented_at, i.consented_by, i.edits_accepted, i.cancel_requested, i.started_at, i.finished_at, i.rows_removed,
	i.plan IS NOT NULL, i.attended, i.runner, i.epoch, i.lease_until, i.own_from, i.own_to, i.notify FROM imports i JOIN organizations o ON o.id = i.organization `

func scanImport(scanner pgx.Row) (imp schema.Import, err error) {
	var consented, started, finished, lease *int64
	var file, options []byte
	err = scanner.Scan(&imp.ID, &file, &imp.SHA256, &imp.OrganizationID, &imp.State, &imp.Reason, &imp.AllOrNothing, &imp.ActivationEmails, &options,
		&imp.CreatedBy, &imp.Version, &consented, &imp.ConsentedBy, &imp.EditsAccepted, &imp.CancelRequested, &started, &finished, &imp.RowsRemoved,
		&imp.Planned, &imp.Attended, &imp.Runner, &imp.Epoch, &lease, &imp.OwnFrom, &imp.OwnTo, &imp.Notify)
	imp.File, imp.Options = string(file), options
	imp.ConsentedAt, imp.StartedAt, imp.FinishedAt, imp.LeaseUntil = timeOf(consented), timeOf(started), timeOf(finished), timeOf(lease)
	return imp, err
}

// FindImport implements store.Imports.
func (t *tx) FindImport(ctx context.Context, id int64, hold bool) (imp schema.Import, found bool, err error) {
	query := importQuery + "WHERE i.id = $1"
	if hold && t.writes {
		query += " FOR NO KEY UPDATE OF i"
	}
	imp, err = scanImport(t.QueryRow(ctx, query, id))
	if errors.Is(err, pgx.ErrNoRows) {
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
	err = t.QueryRow(ctx, "SELECT id, request_digest FROM imports WHERE organization = $1 AND request_key = $2", number, key).Scan(&id, &digest)
	if errors.Is(err, pgx.ErrNoRows) {
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
	return t.exec(ctx, "UPDATE imports SET request_key = NULL, request_digest = NULL WHERE id = $1", id)
}

// ListImports implements store.Imports.
func (t *tx) ListImports(ctx context.Context, organization string, before int64, limit int) (list []schema.Import, err error) {
	number, err := t.number(ctx, organization)
	if err != nil {
		return nil, err
	}
	err = t.collect(ctx, func(rows pgx.Rows) error {
		imp, err := scanImport(rows)
		list = append(list, imp)
		return err
	}, importQuery+"WHERE i.organization = $1 AND ($2::bigint = 0 OR i.id < $2) ORDER BY i.id DESC LIMIT $3", number, before, noLimit(limit))
	return list, err
}

// UpdateImport implements store.Imports.
func (t *tx) UpdateImport(ctx context.Context, imp schema.Import) error {
	return t.exec(ctx, `UPDATE imports SET sha256 = $1, state = $2, reason = $3, activation_emails = $4, consented_at = $5, consented_by = $6,
		edits_accepted = $7, cancel_requested = $8, finished_at = $9, rows_removed = $10, attended = $11, runner = $12, epoch = $13,
		lease_until = $14, own_from = $15, own_to = $16 WHERE id = $17`,
		imp.SHA256, string(imp.State), string(imp.Reason), imp.ActivationEmails, seconds(imp.ConsentedAt), imp.ConsentedBy,
		imp.EditsAccepted, imp.CancelRequested, seconds(imp.FinishedAt), imp.RowsRemoved, imp.Attended, imp.Runner, imp.Epoch,
		seconds(imp.LeaseUntil), imp.OwnFrom, imp.OwnTo, imp.ID)
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
	}, "SELECT import, coalesce(applied, planned) FROM import_chunks WHERE import = ANY($1) ORDER BY import, number", ids)
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
	err = t.collect(ctx, func(rows pgx.Rows) error {
		var c store.ImportCount
		var oldest *int64
		err := rows.Scan(&c.State, &c.Count, &oldest)
		c.Oldest = timeOf(oldest)
		counts = append(counts, c)
		return err
	}, `SELECT state, count(*), min(coalesce(consented_at, started_at)) FROM imports GROUP BY state ORDER BY state COLLATE "C"`)
	return counts, err
}

// OpenImports implements store.Imports.
func (t *tx) OpenImports(ctx context.Context) (open []store.OpenImport, err error) {
	err = t.collect(ctx, func(rows pgx.Rows) error {
		var o store.OpenImport
		var lease, turn *int64
		err := rows.Scan(&o.ID, &o.Organization, &o.Epoch, &o.Rows, &o.Runner, &lease, &turn)
		o.LeaseUntil = timeOf(lease)
		if turn != nil {
			o.Turn = time.UnixMilli(*turn).UTC()
		}
		open = append(open, o)
		return err
	}, `SELECT i.id, o.external_id, i.epoch,
		(SELECT coalesce(sum((c.planned::json ->> 'rows')::bigint), 0)::bigint FROM import_chunks c WHERE c.import = i.id),
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
	return t.exec(ctx, "INSERT INTO turns VALUES ($1, $2) ON CONFLICT (organization) DO UPDATE SET taken_at = excluded.taken_at", number, at.UnixMilli())
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
