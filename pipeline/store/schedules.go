package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/claimline/claimline/schema"
)

// A schedule is worked on by one process at a time, as an import is: TakeSchedule, NoteRun for each file,
// ReleaseSchedule. Methods that take a schedule that was taken refuse with CodeScheduleRunning, changing
// nothing, once somebody else has it; those that take an organization refuse with CodeScheduleNotFound a
// schedule that is not the organization's. What has become of the imports of runs is looked up whenever runs
// are read; SettleRuns writes it down, so that it can be told once.

// AddSchedule adds a schedule. Refused with CodeOrganizationUnknown, and with CodeScheduleExists where the
// organization has one of this name.
func (s *Store) AddSchedule(ctx context.Context, schedule schema.Schedule) error {
	exists := schema.Refuse(schema.CodeScheduleExists, "There is a schedule %q already.", schedule.Name)
	err := s.write(ctx, "add the schedule", func(tx Tx) error {
		if _, err := organization(ctx, tx, schedule.OrganizationID); err != nil {
			return err
		}
		_, found, err := tx.FindSchedule(ctx, schedule.OrganizationID, schedule.Name, false)
		switch {
		case err != nil:
			return err
		case found:
			return exists
		}
		_, err = tx.InsertSchedule(ctx, schedule)
		return err
	})
	if errors.Is(err, ErrTwice) { // somebody else was faster
		return exists
	}
	return err
}

// findSchedule finds a schedule of an organization.
func findSchedule(ctx context.Context, tx Tx, organization, name string, hold bool) (schema.Schedule, error) {
	schedule, found, err := tx.FindSchedule(ctx, organization, name, hold)
	if err == nil && !found {
		err = schema.Refuse(schema.CodeScheduleNotFound, "There is no schedule %q.", schema.Shorten(name))
	}
	return schedule, err
}

// Schedule finds a schedule, with its last run.
func (s *Store) Schedule(ctx context.Context, organization, name string) (schedule schema.Schedule, err error) {
	err = s.read(ctx, "find the schedule", func(tx Tx) error {
		if schedule, err = findSchedule(ctx, tx, organization, name, false); err != nil {
			return err
		}
		schedule.LastRun, err = lastRun(ctx, tx, schedule.ID)
		return err
	})
	return schedule, err
}

// Schedules lists an organization's schedules by name, with their last runs. Refused with
// CodeOrganizationUnknown.
func (s *Store) Schedules(ctx context.Context, id string) (list []schema.Schedule, err error) {
	err = s.read(ctx, "list schedules", func(tx Tx) error {
		if _, err := organization(ctx, tx, id); err != nil {
			return err
		}
		if list, err = tx.ListSchedules(ctx, id); err != nil {
			return err
		}
		for i := range list {
			if list[i].LastRun, err = lastRun(ctx, tx, list[i].ID); err != nil {
				return err
			}
		}
		return nil
	})
	return list, err
}

// lastRun finds the newest run of a schedule; nil: there is none.
func lastRun(ctx context.Context, tx Tx, id int64) (*schema.ScheduleRun, error) {
	runs, err := currentRuns(ctx, tx, RunFilter{Schedule: id, Limit: 1})
	if err != nil || len(runs) == 0 {
		return nil, err
	}
	return &runs[0], nil
}

// ChangeSchedule changes a schedule, also while it runs: what runs is not affected. Refused as change says,
// which is told the time by which leases run out.
func (s *Store) ChangeSchedule(ctx context.Context, organization, name string, change func(*schema.Schedule, time.Time) error) (schedule schema.Schedule, err error) {
	err = s.write(ctx, "change the schedule", func(tx Tx) error {
		if schedule, err = findSchedule(ctx, tx, organization, name, true); err != nil {
			return err
		}
		now, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		if err := change(&schedule, now); err != nil {
			return err
		}
		if err := tx.UpdateSchedule(ctx, schedule); err != nil {
			return err
		}
		schedule.LastRun, err = lastRun(ctx, tx, schedule.ID)
		return err
	})
	return schedule, err
}

// RemoveSchedule removes a schedule with its runs; the imports stay. Refused with CodeScheduleRunning while a
// process works on it.
func (s *Store) RemoveSchedule(ctx context.Context, organization, name string) error {
	return s.write(ctx, "remove the schedule", func(tx Tx) error {
		schedule, err := findSchedule(ctx, tx, organization, name, true)
		if err != nil {
			return err
		}
		now, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		if _, err := schedule.Take(now, "", 0); err != nil {
			return err
		}
		return tx.DeleteSchedule(ctx, schedule.ID)
	})
}

// Runs lists the runs of a schedule, the newest first, up to limit of those before an id; 0: all.
func (s *Store) Runs(ctx context.Context, organization, name string, before int64, limit int) (list []schema.ScheduleRun, err error) {
	err = s.read(ctx, "list the runs of a schedule", func(tx Tx) error {
		schedule, err := findSchedule(ctx, tx, organization, name, false)
		if err != nil {
			return err
		}
		list, err = currentRuns(ctx, tx, RunFilter{Schedule: schedule.ID, Before: before, Limit: limit})
		return err
	})
	return list, err
}

// currentRuns finds runs as what has become of their imports makes them.
func currentRuns(ctx context.Context, tx Tx, filter RunFilter) ([]schema.ScheduleRun, error) {
	runs, err := tx.ListRuns(ctx, filter)
	if err != nil {
		return nil, err
	}
	return current(ctx, tx, runs)
}

// current makes of runs what has become of their imports.
func current(ctx context.Context, tx Tx, runs []schema.ScheduleRun) ([]schema.ScheduleRun, error) {
	now, err := tx.Now(ctx)
	if err != nil {
		return nil, err
	}
	for i, run := range runs {
		if !run.Open {
			continue
		}
		imp, found, err := tx.FindImport(ctx, run.ImportID, false)
		switch {
		case err != nil:
			return nil, err
		case found:
			runs[i] = run.After(imp.At(now))
		case run.State == schema.RunWaiting: // somebody discarded it
			runs[i] = run.Failed(schema.CodeConsentDeclined, schema.CodeConsentDeclined.Message(""))
		}
	}
	return runs, nil
}

// DueSchedules lists the schedules that are due and on which nobody works, the first due first: neither a
// process has one of them, nor is an import of theirs under way.
func (s *Store) DueSchedules(ctx context.Context, at time.Time) (list []schema.Schedule, err error) {
	err = s.read(ctx, "find schedules that are due", func(tx Tx) error {
		list = nil
		due, err := tx.DueSchedules(ctx, at)
		if err != nil || len(due) == 0 {
			return err
		}
		now, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		for _, schedule := range due {
			running, err := underWay(ctx, tx, schedule.ID)
			if err != nil {
				return err
			}
			if running == 0 && !schedule.Owned(now) {
				list = append(list, schedule)
			}
		}
		return nil
	})
	return list, err
}

// underWay finds an import of a schedule that is under way; 0: there is none. One that nobody has agreed to
// is not: who was about to has the schedule, or has died.
func underWay(ctx context.Context, tx Tx, id int64) (int64, error) {
	runs, err := currentRuns(ctx, tx, RunFilter{Schedule: id, Open: true})
	if err != nil {
		return 0, err
	}
	for _, run := range runs {
		if run.State != schema.RunRunning {
			continue
		}
		imp, found, err := tx.FindImport(ctx, run.ImportID, false)
		if err != nil {
			return 0, err
		}
		if found && imp.State != schema.StateAwaitingConsent {
			return imp.ID, nil
		}
	}
	return 0, nil
}

// TakeSchedule makes the runner the owner of a schedule, until lease runs out. What it returns beside the
// schedule are imports of a runner that died before it agreed to them, which are to be discarded. Refused
// with CodeScheduleRunning where another has the schedule, or where an import of it is under way.
func (s *Store) TakeSchedule(ctx context.Context, organization, name, runner string, lease time.Duration) (schedule schema.Schedule, left []int64, err error) {
	err = s.write(ctx, "take the schedule", func(tx Tx) error {
		if schedule, err = findSchedule(ctx, tx, organization, name, true); err != nil {
			return err
		}
		now, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		if schedule, err = schedule.Take(now, runner, lease); err != nil {
			return err
		}
		if err := tx.UpdateSchedule(ctx, schedule); err != nil {
			return err
		}
		if left, err = leftBehind(ctx, tx, schedule, now); err != nil {
			return err
		}
		running, err := underWay(ctx, tx, schedule.ID)
		if err == nil && running != 0 {
			err = schema.Refuse(schema.CodeScheduleRunning, "Import %d of the schedule %q is running.", running, name).
				WithFix("Wait until it has ended: claimline status %d --watch.", running)
		}
		return err
	})
	return schedule, left, err
}

// leftBehind finds the imports to which a runner was about to agree when it died, and forgets that it was.
func leftBehind(ctx context.Context, tx Tx, schedule schema.Schedule, now time.Time) ([]int64, error) {
	left, err := tx.UnnotedImports(ctx, schedule)
	if err != nil {
		return nil, err
	}
	runs, err := tx.ListRuns(ctx, RunFilter{Schedule: schedule.ID, Open: true})
	if err != nil {
		return nil, err
	}
	for _, run := range runs {
		if run.State != schema.RunRunning {
			continue
		}
		imp, found, err := tx.FindImport(ctx, run.ImportID, false)
		if err != nil {
			return nil, err
		}
		if found && imp.At(now).State != schema.StateAwaitingConsent {
			continue
		}
		if found {
			left = append(left, imp.ID)
		}
		if err := tx.DeleteRun(ctx, run.ID); err != nil {
			return nil, err
		}
	}
	return left, nil
}

// ownedSchedule runs do in a transaction in which the schedule is still its owner's, and writes what do makes
// of it.
func (s *Store) ownedSchedule(ctx context.Context, taken schema.Schedule, doing string, do func(Tx, *schema.Schedule) error) error {
	return s.write(ctx, doing, func(tx Tx) error {
		schedule, found, err := tx.FindSchedule(ctx, taken.OrganizationID, taken.Name, true)
		switch {
		case err != nil:
			return err
		case !found || schedule.ID != taken.ID || schedule.Epoch != taken.Epoch:
			return schema.Refuse(schema.CodeScheduleRunning, "Another process has taken the schedule %q over.", taken.Name)
		}
		if err := do(tx, &schedule); err != nil {
			return err
		}
		return tx.UpdateSchedule(ctx, schedule)
	})
}

// RenewSchedule prolongs the lease.
func (s *Store) RenewSchedule(ctx context.Context, taken schema.Schedule, lease time.Duration) error {
	return s.ownedSchedule(ctx, taken, "renew the lease of the schedule", func(tx Tx, schedule *schema.Schedule) error {
		now, err := tx.Now(ctx)
		*schedule = schedule.Renew(now, lease)
		return err
	})
}

// BeginRun begins a run of the schedule: the next number, and no claims yet.
func (s *Store) BeginRun(ctx context.Context, taken schema.Schedule, at time.Time) (schedule schema.Schedule, err error) {
	err = s.ownedSchedule(ctx, taken, "begin the run", func(_ Tx, found *schema.Schedule) error {
		found.Run++
		found.RunSince, found.RunClaims = at, 0
		schedule = *found
		return nil
	})
	return schedule, err
}

// NoteRun notes what became of a file in the run that is under way: a new one where it has no id. claims is
// how many claims the run is about to agree to.
func (s *Store) NoteRun(ctx context.Context, taken schema.Schedule, run schema.ScheduleRun, claims int) (schema.ScheduleRun, error) {
	err := s.ownedSchedule(ctx, taken, "note the run", func(tx Tx, schedule *schema.Schedule) error {
		schedule.RunClaims += claims
		if run.ID != 0 {
			return tx.UpdateRun(ctx, run)
		}
		noted := run
		noted.ScheduleID, noted.Number = schedule.ID, schedule.Run
		id, err := tx.InsertRun(ctx, noted)
		if err == nil {
			noted.ID = id
			run = noted
		}
		return err
	})
	return run, err
}

// RepeatWaiting notes, for each import of the schedule that waits for consent, that it still does, now in the
// run that is under way: that has been told. It returns these runs, the first first.
func (s *Store) RepeatWaiting(ctx context.Context, taken schema.Schedule, at time.Time) (waiting []schema.ScheduleRun, err error) {
	err = s.ownedSchedule(ctx, taken, "note what waits", func(tx Tx, schedule *schema.Schedule) error {
		waiting = nil
		runs, err := currentRuns(ctx, tx, RunFilter{Schedule: schedule.ID, Open: true, Hold: true})
		if err != nil {
			return err
		}
		for _, run := range slices.Backward(runs) {
			if run.State != schema.RunWaiting {
				continue
			}
			earlier := run
			earlier.Open = false // the new one is told what becomes of the import
			if err := tx.UpdateRun(ctx, earlier); err != nil {
				return err
			}
			run.Number, run.At, run.Told = schedule.Run, at, true
			if run.ID, err = tx.InsertRun(ctx, run); err != nil {
				return err
			}
			waiting = append(waiting, run)
		}
		return nil
	})
	return waiting, err
}

// ReleaseSchedule gives the schedule back. Its run is under way still, or it has ended; next says when to
// look at the schedule, as it is now, again.
func (s *Store) ReleaseSchedule(ctx context.Context, taken schema.Schedule, ended bool, next func(schema.Schedule) time.Time) error {
	return s.ownedSchedule(ctx, taken, "release the schedule", func(_ Tx, schedule *schema.Schedule) error {
		schedule.LeaseUntil = time.Time{}
		if ended {
			schedule.RunSince = time.Time{}
		}
		if !schedule.Paused {
			schedule.NextRunAt = next(*schedule)
		}
		return nil
	})
}

// Content is what runs of a schedule have made of a file's bytes.
type Content struct {
	Completed bool        // an import of them is
	Taken     bool        // in the run that is under way
	Refused   schema.Code // how they were refused last; empty: they were not
}

// Content finds out what the schedule has made of bytes with this SHA-256.
func (s *Store) Content(ctx context.Context, schedule schema.Schedule, sha256 string) (content Content, err error) {
	err = s.read(ctx, "look the file up", func(tx Tx) error {
		content = Content{}
		runs, err := tx.ListRuns(ctx, RunFilter{Schedule: schedule.ID, SHA256: sha256})
		if err != nil {
			return err
		}
		for _, run := range runs {
			content.Taken = content.Taken || run.Number == schedule.Run
			if run.ImportID == 0 {
				if content.Refused == "" {
					content.Refused = run.Code
				}
				continue
			}
			imp, found, err := tx.FindImport(ctx, run.ImportID, false)
			if err != nil {
				return err
			}
			content.Completed = content.Completed || found && imp.Completed()
		}
		return nil
	})
	return content, err
}

// RunSoFar lists what the run of the schedule that is under way has noted, the newest first.
func (s *Store) RunSoFar(ctx context.Context, schedule schema.Schedule) (runs []schema.ScheduleRun, err error) {
	err = s.read(ctx, "list what the run has done", func(tx Tx) error {
		runs, err = currentRuns(ctx, tx, RunFilter{Schedule: schedule.ID, Number: schedule.Run})
		return err
	})
	return runs, err
}

// SettleRuns writes down what has become of the imports of all schedules since it was noted last. Who has a
// schedule does so for its runs.
func (s *Store) SettleRuns(ctx context.Context) error {
	open := RunFilter{Open: true}
	changed := func(tx Tx) (list []schema.ScheduleRun, err error) {
		was, err := tx.ListRuns(ctx, open)
		if err != nil {
			return nil, err
		}
		is, err := current(ctx, tx, slices.Clone(was))
		if err != nil {
			return nil, err
		}
		now, err := tx.Now(ctx)
		if err != nil {
			return nil, err
		}
		for i := range is {
			if is[i] == was[i] {
				continue
			}
			schedule, found, err := tx.ScheduleByID(ctx, is[i].ScheduleID)
			if err != nil {
				return nil, err
			}
			if found && !schedule.Owned(now) {
				list = append(list, is[i])
			}
		}
		return list, nil
	}
	settle := false
	err := s.read(ctx, "look at open runs", func(tx Tx) error {
		runs, err := changed(tx)
		settle = len(runs) > 0
		return err
	})
	if err != nil || !settle {
		return err
	}
	open.Hold = true
	return s.write(ctx, "note how runs ended", func(tx Tx) error {
		runs, err := changed(tx)
		if err != nil {
			return err
		}
		for _, run := range runs {
			if err := tx.UpdateRun(ctx, run); err != nil {
				return err
			}
		}
		return nil
	})
}

// runsAtOnce is how many entries of runs are removed in one transaction.
const runsAtOnce = 1000

// RemoveRuns removes what was noted of runs before a time, so that a schedule that is due often does not grow
// for ever. What the next run needs to know stays: of each import its newest entry, which says what became of
// its content; of each file that no import came of the newest one, so that it is not told again; and the last
// two runs. It returns how many entries it removed.
func (s *Store) RemoveRuns(ctx context.Context, before time.Time) (removed int, err error) {
	for {
		n := 0
		err := s.write(ctx, "remove old runs", func(tx Tx) error {
			n, err = tx.DeleteOldRuns(ctx, before, runsAtOnce)
			return err
		})
		removed += n
		if err != nil || n < runsAtOnce {
			return removed, err
		}
	}
}

// TellRuns hands up to limit runs that ended, wait or failed, and of which nothing has been told, to tell,
// the first first, and notes that they have been: in one transaction with what tell writes. It returns how
// many.
func (s *Store) TellRuns(ctx context.Context, limit int, tell func(Tx, schema.Schedule, schema.ScheduleRun) error) (told int, err error) {
	untold := RunFilter{Untold: true, Limit: limit}
	err = s.read(ctx, "look for runs to tell", func(tx Tx) error {
		runs, err := tx.ListRuns(ctx, untold)
		told = len(runs)
		return err
	})
	if err != nil || told == 0 {
		return 0, err
	}
	untold.Hold = true
	err = s.write(ctx, "tell of runs", func(tx Tx) error {
		runs, err := tx.ListRuns(ctx, untold)
		if err != nil {
			return err
		}
		told = len(runs)
		for _, run := range slices.Backward(runs) {
			schedule, found, err := tx.ScheduleByID(ctx, run.ScheduleID)
			if err != nil {
				return err
			}
			if found {
				if err := tell(tx, schedule, run); err != nil {
					return err
				}
			}
			run.Told = true
			if err := tx.UpdateRun(ctx, run); err != nil {
				return err
			}
		}
		return nil
	})
	return told, err
}
