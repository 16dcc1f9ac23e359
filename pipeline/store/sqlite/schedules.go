package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// scheduleColumns are those that UpdateSchedule writes.
const scheduleColumns = `cron, zone, file, dir, max_claims, accept_edits, all_or_nothing, activation_emails, notify, reading, confined, paused,
	consented_by, consented_at, next_run_at, run, run_since, run_claims, runner, epoch, lease_until`

func scheduleValues(s schema.Schedule) []any {
	var mails sql.NullBool
	if s.ActivationEmails != nil {
		mails = sql.NullBool{Bool: *s.ActivationEmails, Valid: true}
	}
	return []any{
		s.Cron, s.Zone, s.File, s.Dir, s.MaxClaims, s.AcceptEdits, s.AllOrNothing, mails, encodeList(s.Notify), encode(s.Reading), s.Confined,
		s.Paused, s.ConsentedBy, seconds(s.ConsentedAt), seconds(s.NextRunAt), s.Run, seconds(s.RunSince), s.RunClaims, s.Runner, s.Epoch, seconds(s.LeaseUntil),
	}
}

// marks returns so many parameters for a statement.
func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

// InsertSchedule implements store.Schedules.
func (t *tx) InsertSchedule(ctx context.Context, s schema.Schedule) (int64, error) {
	number, err := t.number(ctx, s.OrganizationID)
	if err != nil {
		return 0, err
	}
	values := append([]any{number, s.Name}, scheduleValues(s)...)
	done, err := t.ExecContext(ctx, "INSERT INTO schedules (organization, name, "+scheduleColumns+") VALUES ("+marks(len(values))+")", values...)
	if err != nil {
		return 0, twice(err)
	}
	return done.LastInsertId()
}

// UpdateSchedule implements store.Schedules.
func (t *tx) UpdateSchedule(ctx context.Context, s schema.Schedule) error {
	values := scheduleValues(s)
	return t.exec(ctx, "UPDATE schedules SET ("+scheduleColumns+") = ("+marks(len(values))+") WHERE id = ?", append(values, s.ID)...)
}

// schedules finds schedules.
func (t *tx) schedules(ctx context.Context, where string, args ...any) (list []schema.Schedule, err error) {
	err = t.collect(ctx, func(rows *sql.Rows) error {
		var s schema.Schedule
		var mails sql.NullBool
		var notify sql.NullString
		var reading string
		var consented, next, since, lease sql.NullInt64
		err := rows.Scan(&s.ID, &s.OrganizationID, &s.Name, &s.Cron, &s.Zone, &s.File, &s.Dir, &s.MaxClaims, &s.AcceptEdits, &s.AllOrNothing, &mails, &notify,
			&reading, &s.Confined, &s.Paused, &s.ConsentedBy, &consented, &next, &s.Run, &since, &s.RunClaims, &s.Runner, &s.Epoch, &lease)
		if err != nil {
			return err
		}
		if mails.Valid {
			s.ActivationEmails = &mails.Bool
		}
		if notify.Valid {
			if err := json.Unmarshal([]byte(notify.String), &s.Notify); err != nil {
				return fmt.Errorf("addresses of a schedule: %w", err)
			}
		}
		if err := json.Unmarshal([]byte(reading), &s.Reading); err != nil {
			return fmt.Errorf("how a schedule reads: %w", err)
		}
		s.ConsentedAt, s.NextRunAt, s.RunSince, s.LeaseUntil = timeOf(consented), timeOf(next), timeOf(since), timeOf(lease)
		list = append(list, s)
		return nil
	}, "SELECT s.id, o.external_id, s.name, "+prefixed("s.", strings.ReplaceAll(scheduleColumns, ",\n\t", ", "))+
		" FROM schedules s JOIN organizations o ON o.id = s.organization "+where, args...)
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

// FindSchedule implements store.Schedules.
func (t *tx) FindSchedule(ctx context.Context, organization, name string, _ bool) (schema.Schedule, bool, error) {
	return t.schedule(ctx, "WHERE o.external_id = ? AND s.name = ?", organization, name)
}

// ScheduleByID implements store.Schedules.
func (t *tx) ScheduleByID(ctx context.Context, id int64) (schema.Schedule, bool, error) {
	return t.schedule(ctx, "WHERE s.id = ?", id)
}

// ListSchedules implements store.Schedules.
func (t *tx) ListSchedules(ctx context.Context, organization string) ([]schema.Schedule, error) {
	return t.schedules(ctx, "WHERE o.external_id = ? ORDER BY s.name", organization)
}

// DueSchedules implements store.Schedules.
func (t *tx) DueSchedules(ctx context.Context, at time.Time) ([]schema.Schedule, error) {
	return t.schedules(ctx, "WHERE NOT s.paused AND s.next_run_at <= ? ORDER BY s.next_run_at, s.id", at.Unix())
}

// DeleteSchedule implements store.Schedules.
func (t *tx) DeleteSchedule(ctx context.Context, id int64) error {
	return t.exec(ctx, "DELETE FROM schedules WHERE id = ?", id)
}

// UnnotedImports implements store.Schedules.
func (t *tx) UnnotedImports(ctx context.Context, s schema.Schedule) ([]int64, error) {
	return list[int64](ctx, t, `SELECT i.id FROM imports i JOIN organizations o ON o.id = i.organization
		WHERE o.external_id = ? AND i.created_by = ? AND i.started_at >= ? AND i.state = ?
		AND NOT EXISTS (SELECT 1 FROM schedule_runs r WHERE r.import = i.id)`, s.OrganizationID, s.By(), s.ConsentedAt.Unix(), schema.StateAwaitingConsent)
}

// InsertRun implements store.Schedules.
func (t *tx) InsertRun(ctx context.Context, r schema.ScheduleRun) (int64, error) {
	done, err := t.ExecContext(ctx, `INSERT INTO schedule_runs (schedule, number, at, file, state, sha256, import, code, message, open, told)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.ScheduleID, r.Number, seconds(r.At), r.File, r.State, r.SHA256, importNumber(r.ImportID), r.Code, r.Message, r.Open, r.Told)
	if err != nil {
		return 0, err
	}
	return done.LastInsertId()
}

// UpdateRun implements store.Schedules.
func (t *tx) UpdateRun(ctx context.Context, r schema.ScheduleRun) error {
	return t.exec(ctx, "UPDATE schedule_runs SET state = ?, sha256 = ?, import = ?, code = ?, message = ?, open = ?, told = ? WHERE id = ?",
		r.State, r.SHA256, importNumber(r.ImportID), r.Code, r.Message, r.Open, r.Told, r.ID)
}

// DeleteRun implements store.Schedules.
func (t *tx) DeleteRun(ctx context.Context, id int64) error {
	return t.exec(ctx, "DELETE FROM schedule_runs WHERE id = ?", id)
}

// DeleteOldRuns implements store.Schedules.
func (t *tx) DeleteOldRuns(ctx context.Context, before time.Time, limit int) (int, error) {
	deleted, err := list[int64](ctx, t, `DELETE FROM schedule_runs WHERE id IN (SELECT r.id FROM (
			SELECT id, schedule, number, at, file, import, open, told, max(id) OVER (PARTITION BY schedule, file, import IS NULL) AS last_of_file,
				max(id) OVER (PARTITION BY schedule, import) AS last_of_import FROM schedule_runs
		) r JOIN schedules s ON s.id = r.schedule
		WHERE r.at < ? AND NOT r.open AND r.told AND r.number < s.run - 1
		AND CASE WHEN r.import IS NOT NULL THEN r.id < r.last_of_import ELSE r.file = '' OR r.id < r.last_of_file END
		LIMIT ?) RETURNING id`, before.Unix(), limit)
	return len(deleted), err
}

// importNumber returns the number of an import, NULL for none.
func importNumber(id int64) sql.NullInt64 { return sql.NullInt64{Int64: id, Valid: id != 0} }

// ListRuns implements store.Schedules.
func (t *tx) ListRuns(ctx context.Context, filter store.RunFilter) (runs []schema.ScheduleRun, err error) {
	where, args := []string{"true"}, []any{}
	only := func(asked bool, condition string, arg ...any) {
		if asked {
			where, args = append(where, condition), append(args, arg...)
		}
	}
	only(filter.Schedule != 0, "schedule = ?", filter.Schedule)
	only(filter.Number != 0, "number = ?", filter.Number)
	only(filter.SHA256 != "", "sha256 <> '' AND sha256 = ?", filter.SHA256)
	only(filter.Open, "open")
	only(filter.Untold, "NOT told")
	only(filter.Before != 0, "id < ?", filter.Before)
	err = t.collect(ctx, func(rows *sql.Rows) error {
		var r schema.ScheduleRun
		var at, imp sql.NullInt64
		err := rows.Scan(&r.ID, &r.ScheduleID, &r.Number, &at, &r.State, &r.File, &r.SHA256, &imp, &r.Code, &r.Message, &r.Open, &r.Told)
		r.At, r.ImportID = timeOf(at), imp.Int64
		runs = append(runs, r)
		return err
	}, "SELECT id, schedule, number, at, state, file, sha256, import, code, message, open, told FROM schedule_runs WHERE "+
		strings.Join(where, " AND ")+" ORDER BY id DESC LIMIT ?", append(args, noLimit(filter.Limit))...)
	return runs, err
}
