package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// scheduleColumns are those that UpdateSchedule writes.
const scheduleColumns = "cron, zone, file, dir, max_claims, accept_edits, all_or_nothing, activation_emails, notify, reading, confined, paused, " +
	"consented_by, consented_at, next_run_at, run, run_since, run_claims, runner, epoch, lease_until"

func scheduleValues(s schema.Schedule) []any {
	return []any{
		s.Cron, s.Zone, []byte(s.File), []byte(s.Dir), s.MaxClaims, s.AcceptEdits, s.AllOrNothing, s.ActivationEmails, array(s.Notify),
		encode(s.Reading), s.Confined, s.Paused, s.ConsentedBy, seconds(s.ConsentedAt), seconds(s.NextRunAt), s.Run, seconds(s.RunSince), s.RunClaims, s.Runner, s.Epoch, seconds(s.LeaseUntil),
	}
}

// marks returns parameters for a statement, by their numbers.
func marks(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = "$" + strconv.Itoa(i+1)
	}
	return strings.Join(list, ", ")
}

// InsertSchedule implements store.Schedules.
func (t *tx) InsertSchedule(ctx context.Context, s schema.Schedule) (id int64, err error) {
	number, err := t.number(ctx, s.OrganizationID)
	if err != nil {
		return 0, err
	}
	values := append(scheduleValues(s), number, s.Name)
	err = t.QueryRow(ctx, "INSERT INTO schedules ("+scheduleColumns+", organization, name) VALUES ("+marks(len(values))+") RETURNING id", values...).Scan(&id)
	return id, twice(err)
}

// UpdateSchedule implements store.Schedules.
func (t *tx) UpdateSchedule(ctx context.Context, s schema.Schedule) error {
	values := scheduleValues(s)
	return t.exec(ctx, "UPDATE schedules SET ("+scheduleColumns+") = ("+marks(len(values))+") WHERE id = $"+strconv.Itoa(len(values)+1), append(values, s.ID)...)
}

// schedules finds schedules.
func (t *tx) schedules(ctx context.Context, where string, args ...any) (list []schema.Schedule, err error) {
	err = t.collect(ctx, func(rows pgx.Rows) error {
		var s schema.Schedule
		var file, dir, reading []byte
		var consented, next, since, lease *int64
		err := rows.Scan(&s.ID, &s.OrganizationID, &s.Name, &s.Cron, &s.Zone, &file, &dir, &s.MaxClaims, &s.AcceptEdits, &s.AllOrNothing, &s.ActivationEmails,
			&s.Notify, &reading, &s.Confined, &s.Paused, &s.ConsentedBy, &consented, &next, &s.Run, &since, &s.RunClaims, &s.Runner, &s.Epoch, &lease)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(reading, &s.Reading); err != nil {
			return fmt.Errorf("how a schedule reads: %w", err)
		}
		s.File, s.Dir = string(file), string(dir)
		s.ConsentedAt, s.NextRunAt, s.RunSince, s.LeaseUntil = timeOf(consented), timeOf(next), timeOf(since), timeOf(lease)
		list = append(list, s)
		return nil
	}, "SELECT s.id, o.external_id, s.name, "+prefixed("s.", scheduleColumns)+" FROM schedules s JOIN organizations o ON o.id = s.organization "+where, args...)
	return list, err
}

// schedule finds one schedule.
func (t *tx) schedule(ctx context.Context, where string, args ...any) (schema.Schedule, bool, error) {
	list, err := t.schedules(ctx, where, args...)
	if err != nil || len(list) == 0 {
		return schema.Schedule{}, false, err
	}
	return list[0], true, nil
}

// FindSchedule implements store.Schedules. A name that is no text is nobody's.
func (t *tx) FindSchedule(ctx context.Context, organization, name string, hold bool) (schema.Schedule, bool, error) {
	where := "WHERE o.external_id = $1 AND convert_to(s.name, 'UTF8') = $2"
	if hold && t.writes {
		where += " FOR UPDATE OF s"
	}
	return t.schedule(ctx, where, organization, []byte(name))
}

// ScheduleByID implements store.Schedules.
func (t *tx) ScheduleByID(ctx context.Context, id int64) (schema.Schedule, bool, error) {
	return t.schedule(ctx, "WHERE s.id = $1", id)
}

// ListSchedules implements store.Schedules.
func (t *tx) ListSchedules(ctx context.Context, organization string) ([]schema.Schedule, error) {
	return t.schedules(ctx, `WHERE o.external_id = $1 ORDER BY s.name COLLATE "C"`, organization)
}

// DueSchedules implements store.Schedules.
func (t *tx) DueSchedules(ctx context.Context, at time.Time) ([]schema.Schedule, error) {
	return t.schedules(ctx, "WHERE NOT s.paused AND s.next_run_at <= $1 ORDER BY s.next_run_at, s.id", at.Unix())
}

// DeleteSchedule implements store.Schedules.
func (t *tx) DeleteSchedule(ctx context.Context, id int64) error {
	return t.exec(ctx, "DELETE FROM schedules WHERE id = $1", id)
}

// UnnotedImports implements store.Schedules.
func (t *tx) UnnotedImports(ctx context.Context, s schema.Schedule) ([]int64, error) {
	return list[int64](ctx, t, `SELECT i.id FROM imports i JOIN organizations o ON o.id = i.organization
		WHERE o.external_id = $1 AND i.created_by = $2 AND i.started_at >= $3 AND i.state = $4
		AND NOT EXISTS (SELECT 1 FROM schedule_runs r WHERE r.import = i.id) ORDER BY i.id`,
		s.OrganizationID, s.By(), s.ConsentedAt.Unix(), string(schema.StateAwaitingConsent))
}

// InsertRun implements store.Schedules.
func (t *tx) InsertRun(ctx context.Context, r schema.ScheduleRun) (id int64, err error) {
	err = t.QueryRow(ctx, `INSERT INTO schedule_runs (schedule, number, at, file, state, sha256, import, code, message, open, told)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id`, r.ScheduleID, r.Number, seconds(r.At), []byte(r.File), string(r.State), r.SHA256,
		nonzero(r.ImportID), string(r.Code), r.Message, r.Open, r.Told).Scan(&id)
	return id, err
}

// UpdateRun implements store.Schedules.
func (t *tx) UpdateRun(ctx context.Context, r schema.ScheduleRun) error {
	return t.exec(ctx, "UPDATE schedule_runs SET state = $1, sha256 = $2, import = $3, code = $4, message = $5, open = $6, told = $7 WHERE id = $8",
		string(r.State), r.SHA256, nonzero(r.ImportID), string(r.Code), r.Message, r.Open, r.Told, r.ID)
}

// DeleteRun implements store.Schedules.
func (t *tx) DeleteRun(ctx context.Context, id int64) error {
	return t.exec(ctx, "DELETE FROM schedule_runs WHERE id = $1", id)
}

// DeleteOldRuns implements store.Schedules.
func (t *tx) DeleteOldRuns(ctx context.Context, before time.Time, limit int) (int, error) {
	deleted, err := list[int64](ctx, t, `DELETE FROM schedule_runs WHERE id IN (SELECT r.id FROM (
			SELECT id, schedule, number, at, file, import, open, told, max(id) OVER (PARTITION BY schedule, file, import IS NULL) AS last_of_file,
				max(id) OVER (PARTITION BY schedule, import) AS last_of_import FROM schedule_runs
		) r JOIN schedules s ON s.id = r.schedule
		WHERE r.at < $1 AND NOT r.open AND r.told AND r.number < s.run - 1
		AND CASE WHEN r.import IS NOT NULL THEN r.id < r.last_of_import ELSE r.file = '' OR r.id < r.last_of_file END
		LIMIT $2) RETURNING id`, before.Unix(), limit)
	return len(deleted), err
}

// ListRuns implements store.Schedules.
func (t *tx) ListRuns(ctx context.Context, filter store.RunFilter) (runs []schema.ScheduleRun, err error) {
	where, args := []string{"true"}, []any{noLimit(filter.Limit)}
	equal := func(asked bool, condition string, arg any) {
		if asked {
			args = append(args, arg)
			where = append(where, condition+" $"+strconv.Itoa(len(args)))
		}
	}
	equal(filter.Schedule != 0, "schedule =", filter.Schedule)
	equal(filter.Number != 0, "number =", filter.Number)
	equal(filter.SHA256 != "", "sha256 <> '' AND sha256 =", filter.SHA256)
	equal(filter.Before != 0, "id <", filter.Before)
	if filter.Open {
		where = append(where, "open")
	}
	if filter.Untold {
		where = append(where, "NOT told")
	}
	query := "SELECT id, schedule, number, at, state, file, sha256, import, code, message, open, told FROM schedule_runs WHERE " +
		strings.Join(where, " AND ") + " ORDER BY id DESC LIMIT $1"
	if filter.Hold && t.writes {
		query += " FOR UPDATE"
	}
	err = t.collect(ctx, func(rows pgx.Rows) error {
		var r schema.ScheduleRun
		var at, imp *int64
		var file []byte
		err := rows.Scan(&r.ID, &r.ScheduleID, &r.Number, &at, &r.State, &file, &r.SHA256, &imp, &r.Code, &r.Message, &r.Open, &r.Told)
		r.At, r.File = timeOf(at), string(file)
		if imp != nil {
			r.ImportID = *imp
		}
		runs = append(runs, r)
		return err
	}, query, args...)
	return runs, err
}
