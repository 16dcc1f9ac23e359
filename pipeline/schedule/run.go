package schedule

import (
	"context"
	"errors"
	"time"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// Attendant is a person at a terminal who runs a schedule.
type Attendant struct {
	Watch pipeline.Watch
	// Show is shown an import that is about to be agreed to, or that waits for somebody who does.
	Show func(imp schema.Import) error
	// Apply applies an import that was agreed to, until it has ended or cannot go on.
	Apply func(imp schema.Import) error
	// Told is told what became of a file, or that there was none, with the refusal where it was refused. left
	// is a file that is not taken: somebody may still be writing it, or it was refused before.
	Told func(run schema.ScheduleRun, refused error)
	Left func(path string, why schema.Code)
}

// RunNow runs a schedule now, whether it is due or not, and applies its imports. It returns the error that
// keeps it from going on, once the files before have been done. Refused with CodeScheduleNotFound, and with
// CodeScheduleRunning.
func (s *Scheduler) RunNow(ctx context.Context, organization, name string, attendant Attendant) error {
	return s.run(ctx, organization, name, s.Now(), &attendant)
}

// RunOnce takes one step of the schedules that are due at a time: it plans the next file of one of them, and
// leaves the import agreed to, for whoever drives imports, or waiting for consent. Before, it notes how the
// imports of all schedules have ended. more says that there may be something left to do at once. Trouble with
// the database is an error, and costs no run; it is due still.
func (s *Scheduler) RunOnce(ctx context.Context, now time.Time) (more bool, err error) {
	if err := s.Store.SettleRuns(ctx); err != nil {
		return false, err
	}
	due, err := s.Store.DueSchedules(ctx, now)
	if err != nil {
		return false, err
	}
	for _, d := range due {
		err := s.run(ctx, d.OrganizationID, d.Name, now, nil)
		switch schema.CodeOf(err) {
		case schema.CodeScheduleRunning, schema.CodeScheduleNotFound: // somebody else was faster
			continue
		}
		return err == nil, err
	}
	return false, nil
}

// run is a schedule that is being run.
type run struct {
	*Scheduler
	schedule  schema.Schedule
	when      When
	now       time.Time
	attendant *Attendant // nil: a service runs it
	noted     int        // runs, also by processes before
	left      bool       // a file was left alone because somebody may still be writing it
	again     bool       // it is looked at again soon
}

// run takes a schedule, runs it, or one step of it where there is no attendant, and gives it back.
func (s *Scheduler) run(ctx context.Context, organization, name string, now time.Time, attendant *Attendant) error {
	schedule, stray, err := s.Store.TakeSchedule(ctx, organization, name, s.Runner, s.Lease)
	if err != nil {
		return err
	}
	r := &run{Scheduler: s, schedule: schedule, now: now.UTC().Truncate(time.Second), attendant: attendant}
	renew := func(ctx context.Context) error { return s.Store.RenewSchedule(ctx, schedule, s.Lease) }
	ended := false
	err = s.KeepLease(ctx, renew, func(ctx context.Context) error {
		for _, id := range stray {
			if err := s.Discard(ctx, organization, id); err != nil {
				return err
			}
		}
		if attendant == nil && !due(schedule, r.now) {
			return nil // somebody else was faster, and is done with it
		}
		ended, err = r.work(ctx)
		return err
	})
	next := func(as schema.Schedule) time.Time { return as.NextRunAt } // due still
	if err == nil {
		next = r.next(ended)
	}
	whole := context.WithoutCancel(ctx)
	return errors.Join(err, s.Persist(whole, func() error { return s.Store.ReleaseSchedule(whole, schedule, ended, next) }))
}

// due reports whether a service runs the schedule at a time.
func due(s schema.Schedule, now time.Time) bool {
	return !s.Paused && !s.NextRunAt.IsZero() && !s.NextRunAt.After(now)
}

// next returns when to look at the schedule again.
func (r *run) next(ended bool) func(schema.Schedule) time.Time {
	return func(as schema.Schedule) time.Time {
		when, err := NewWhen(as.Cron, as.Zone)
		switch {
		case err != nil: // it was checked when it was written
			return time.Time{}
		case r.again:
			return r.now.Add(quiet)
		case ended && !as.NextRunAt.After(r.now):
			return when.Next(r.now)
		}
		return as.NextRunAt
	}
}

// work runs the schedule, to its end where ended says so.
func (r *run) work(ctx context.Context) (ended bool, err error) {
	if r.when, err = NewWhen(r.schedule.Cron, r.schedule.Zone); err != nil {
		return true, r.fail(ctx, schema.ScheduleRun{}, err)
	}
	if r.attendant != nil || r.schedule.RunSince.IsZero() || !r.when.Next(r.schedule.RunSince).After(r.now) {
		if err := r.endBefore(ctx); err != nil {
			return false, err
		}
		if r.schedule, err = r.Store.BeginRun(ctx, r.schedule, r.now); err != nil {
			return false, err
		}
		waiting, err := r.Store.RepeatWaiting(ctx, r.schedule, r.now)
		if err != nil || len(waiting) > 0 {
			for _, w := range waiting {
				r.tell(w, waits(w, schema.Say("%s", schema.Word(w.Message))))
			}
			return true, err
		}
	}
	before, err := r.Store.RunSoFar(ctx, r.schedule)
	if err != nil {
		return false, err
	}
	r.noted = len(before)
	files, err := r.files()
	if err != nil {
		return true, r.fail(ctx, schema.ScheduleRun{File: r.schedule.Dir}, err)
	}
	for _, file := range files {
		switch took, err := r.take(ctx, file, before); {
		case schema.CodeOf(err) == schema.CodeDirectorySyncEnabled: // it keeps the others from being claimed, too
			return true, nil
		case err != nil:
			return false, err
		case took && r.attendant == nil:
			return false, nil
		}
	}
	return r.end(ctx)
}

// files lists the files of the schedule, the oldest first.
func (r *run) files() ([]candidate, error) {
	if r.schedule.Confined && r.schedule.Dir != "" {
		if _, err := Confine(r.Folders, r.schedule.Dir); err != nil {
			return nil, err
		}
	}
	return candidates(r.schedule, r.attendant != nil)
}

// end ends a run whose files are all taken. In a service, one that somebody may still be writing is waited
// for, until the schedule is due again.
func (r *run) end(ctx context.Context) (ended bool, err error) {
	if r.left && r.attendant == nil && r.when.Next(r.schedule.RunSince).After(r.now.Add(quiet)) {
		r.again = true
		return false, nil
	}
	if r.noted > 0 {
		return true, nil
	}
	return true, r.note(ctx, schema.ScheduleRun{State: schema.RunNothing, Told: true}, nil)
}

// endBefore ends the run before where it has waited for a file in vain, and not been left by who died.
func (r *run) endBefore(ctx context.Context) error {
	since, look := r.schedule.RunSince, r.schedule.NextRunAt
	if since.IsZero() || !look.After(since) || !look.Before(r.when.Next(since)) {
		return nil
	}
	before, err := r.Store.RunSoFar(ctx, r.schedule)
	if err == nil && len(before) == 0 {
		_, err = r.keep(ctx, schema.ScheduleRun{State: schema.RunNothing, Told: true}, 0)
	}
	return err
}

// take takes a file, where it is new: it plans it, and agrees to the plan as far as the schedule does. took
// says that something was noted. before is what the run has noted so far.
func (r *run) take(ctx context.Context, c candidate, before []schema.ScheduleRun) (took bool, err error) {
	if c.written(r.now) {
		r.leave(c.path, schema.CodeFileChanged)
		return false, nil
	}
	file, sum, err := c.open(ctx, r.schedule, r.Folders)
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case schema.CodeOf(err) == schema.CodeFileChanged:
		r.leave(c.path, schema.CodeFileChanged)
		return false, nil
	case err != nil:
		for _, b := range before {
			if b.File == c.path && b.SHA256 == "" {
				return false, nil
			}
		}
		return true, r.fail(ctx, schema.ScheduleRun{File: c.path}, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	content, err := r.Store.Content(ctx, r.schedule, sum)
	if err != nil || content.Completed || content.Taken {
		return false, err
	}
	return r.plan(ctx, file, schema.ScheduleRun{File: c.path, SHA256: sum}, content)
}

// plan plans a file of which this content is known, and agrees to the plan.
func (r *run) plan(ctx context.Context, file *dialect.File, noted schema.ScheduleRun, content store.Content) (took bool, err error) {
	order := schema.Order{
		Organization: r.schedule.OrganizationID, AllOrNothing: r.schedule.AllOrNothing, ActivationEmails: r.schedule.ActivationEmails,
		By: r.schedule.By(), Attended: r.attendant != nil, Notify: r.schedule.Notify,
	}
	if err := r.schedule.Reading.Into(&order, ""); err != nil {
		return true, r.fail(ctx, noted, err)
	}
	imp, err := r.Plan(ctx, named{file, noted.File}, order, r.watch())
	switch code := schema.CodeOf(err); {
	case err == nil:
	case ctx.Err() != nil:
		return false, ctx.Err()
	case store.Passing(err):
		return false, err
	case code == schema.CodeFileChanged:
		r.leave(noted.File, code)
		return false, nil
	case code == content.Refused:
		r.leave(noted.File, code)
		return false, nil
	default:
		return true, errors.Join(r.fail(ctx, noted, err), only(err, schema.CodeDirectorySyncEnabled))
	}
	noted.SHA256 = imp.SHA256
	noted = noted.After(imp)
	if imp.State != schema.StateAwaitingConsent {
		if err = r.note(ctx, noted, nil); err != nil || r.attendant == nil {
			return true, err
		}
		return true, r.attendant.Apply(imp) // it has ended, and is shown
	}
	if r.attendant != nil {
		if err := r.attendant.Show(imp); err != nil {
			return true, errors.Join(err, r.Discard(context.WithoutCancel(ctx), imp.OrganizationID, imp.ID))
		}
	}
	plan, err := schema.PlanOf(imp)
	if err != nil {
		return true, err
	}
	ready, may := imp.Tally.Outcomes[schema.Ready], r.schedule.MaxClaims-r.schedule.RunClaims
	var why schema.Text
	switch noted.Code = claim.CheckStanding(plan, may, r.schedule.AcceptEdits); noted.Code {
	case schema.CodeConsentMissing:
		would, most := schema.SayCount(ready, "%s user would be claimed", "%s users would be claimed"), schema.Number(r.schedule.MaxClaims)
		why = schema.Say("%s, and the schedule may claim %s in one run.", would, most)
		if r.schedule.RunClaims > 0 {
			why = schema.Say("%s, and of the %s that the schedule may claim in one run, %s are left.", would, most, schema.Number(may))
		}
	case schema.CodeEditsNotAccepted:
		why = schema.Say("%s of %s users would get another name, and the schedule does not accept that.", schema.Number(plan.NameEdits), schema.Number(ready))
	default:
		return true, r.agree(ctx, imp, noted, ready)
	}
	noted.Message = why.String()
	return true, r.note(ctx, noted, waits(noted, why))
}

// waits returns a run that waits for consent as a refusal.
func waits(run schema.ScheduleRun, why schema.Text) error {
	return schema.Refuse(run.Code, "Import %d waits for somebody to agree. %s", run.ImportID, why).
		WithFix("Look at the plan, and agree: claimline resume %[1]d. Or want no more of it: claimline cancel %[1]d.", run.ImportID)
}

// agree agrees to the plan of an import. That it is about to is noted first: who dies then leaves nothing
// that nobody knows of.
func (r *run) agree(ctx context.Context, imp schema.Import, noted schema.ScheduleRun, claims int) error {
	whole := context.WithoutCancel(ctx)
	noted.State, noted.Told = schema.RunRunning, true // Told: not before it has ended
	noted, err := r.keep(ctx, noted, claims)
	if err != nil {
		return err
	}
	imp, err = r.Agree(whole, imp.OrganizationID, imp.ID, schema.Consent{
		By: r.schedule.By(), Claims: claims, AcceptEdits: r.schedule.AcceptEdits, Attended: r.attendant != nil,
	})
	switch _, refused := errors.AsType[*schema.Error](err); {
	case err != nil && (!refused || store.Passing(err)):
		return err // the next to take the schedule discards the import
	case err != nil:
		if discardErr := r.Discard(whole, imp.OrganizationID, noted.ImportID); discardErr != nil {
			return errors.Join(err, discardErr)
		}
		noted.ImportID = 0
		return errors.Join(r.fail(whole, noted, err), only(err, schema.CodeDirectorySyncEnabled))
	case r.attendant == nil:
		return nil
	}
	applyErr := r.attendant.Apply(imp)
	if imp, err = r.Store.Import(whole, imp.OrganizationID, imp.ID); err != nil {
		return errors.Join(applyErr, err)
	}
	if _, err = r.keep(whole, noted.After(imp), 0); err != nil {
		return errors.Join(applyErr, err)
	}
	if applyErr == nil {
		applyErr = ctx.Err()
	}
	return applyErr
}

// only returns the error where it is a refusal with this code.
func only(err error, code schema.Code) error {
	if schema.CodeOf(err) == code {
		return err
	}
	return nil
}

// fail notes that a file was refused, or could not be read.
func (r *run) fail(ctx context.Context, noted schema.ScheduleRun, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	message := schema.CodeInternal.Message("")
	refused, ok := errors.AsType[*schema.Error](err)
	if ok {
		message = refused.Text()
		if place := refused.Place(); place != "" {
			message = place + ": " + message
		}
	} else {
		r.Log.Error().Err(err).Str("schedule", r.schedule.Name).Msg("a file of a schedule could not be planned")
	}
	return r.note(ctx, noted.Failed(schema.CodeOf(err), schema.Printable(message)), err)
}

// note notes what became of a file, and tells who attends.
func (r *run) note(ctx context.Context, noted schema.ScheduleRun, refused error) error {
	noted, err := r.keep(ctx, noted, 0)
	if err == nil {
		r.tell(noted, refused)
	}
	return err
}

// keep writes down what became of a file.
func (r *run) keep(ctx context.Context, noted schema.ScheduleRun, claims int) (schema.ScheduleRun, error) {
	if noted.ID == 0 {
		noted.At = r.Now().UTC().Truncate(time.Second)
		if r.attendant == nil {
			noted.At = r.now
		}
	}
	err := r.Persist(ctx, func() (err error) {
		noted, err = r.Store.NoteRun(ctx, r.schedule, noted, claims)
		return err
	})
	if err == nil {
		r.noted++
		r.schedule.RunClaims += claims
	}
	return noted, err
}

func (r *run) tell(noted schema.ScheduleRun, refused error) {
	if r.attendant != nil {
		r.attendant.Told(noted, refused)
	}
}

// leave leaves a file alone.
func (r *run) leave(path string, why schema.Code) {
	if why == schema.CodeFileChanged {
		r.left = true
	}
	if r.attendant != nil {
		r.attendant.Left(path, why)
	}
}

// watch returns how imports are watched.
func (r *run) watch() pipeline.Watch {
	if r.attendant == nil {
		return pipeline.Watch{}
	}
	return r.attendant.Watch
}

// named is a file under the name by which the schedule has it, which a link may lead to.
type named struct {
	*dialect.File
	name string
}

// Name implements dialect.Source.
func (n named) Name() string { return n.name }
