package schema

import (
	"strconv"
	"time"
)

// Schedule imports a file, or the files of a folder, at times by the clock on somebody's wall. Whoever made
// it has agreed to its claims once, for at most MaxClaims a run (R13).
type Schedule struct {
	ID               int64
	OrganizationID   string // the claiming one
	Name             string // one of its kind in the organization
	Cron             string // when it is due: five fields, or a name such as @daily
	Zone             string // whose clock Cron means, by its IANA name
	File, Dir        string // the one or the other, as an absolute path
	MaxClaims        int
	AcceptEdits      bool  // whoever made it accepts that many accounts get another name (R17)
	AllOrNothing     bool  // one problem in a file, and nobody of it is claimed
	ActivationEmails *bool // nil: as the organization has it (R18)
	Notify           []string
	Reading          Reading // how its files are to be read where that is not certain
	Confined         bool    // it may only name what lies below the folders of the service
	Paused           bool
	ConsentedBy      string // who agreed, as in terminal:root
	ConsentedAt      time.Time

	NextRunAt time.Time    // zero: never
	LastRun   *ScheduleRun // nil: it has not run yet

	Run       int64     // the number of the run that began last
	RunSince  time.Time // when it began; zero: it has ended
	RunClaims int       // how many claims it has agreed to

	Runner     string // names the process that works on it, or did last
	Epoch      int64  // grows with every change of hands
	LeaseUntil time.Time
}

// By names the schedule as imports do that it makes and agrees to.
func (s Schedule) By() string { return "schedule:" + s.Name }

// Owned reports whether a process works on the schedule.
func (s Schedule) Owned(now time.Time) bool { return s.LeaseUntil.After(now) }

// Take gives the schedule to a runner, until the lease runs out. Refused with CodeScheduleRunning while
// another has it.
func (s Schedule) Take(now time.Time, runner string, lease time.Duration) (Schedule, error) {
	if s.Owned(now) {
		return s, s.running()
	}
	s.Runner, s.LeaseUntil = runner, leaseEnd(now, lease)
	s.Epoch++
	return s, nil
}

func (s Schedule) running() error {
	return Refuse(CodeScheduleRunning, "The schedule %q is running.", s.Name).
		WithFix("Wait until its run has ended: claimline schedule runs %q.", s.Name)
}

// Hasten makes the schedule due at a time. Refused with CodeScheduleInvalid where it is paused, and with
// CodeScheduleRunning while a process works on it, or goes on with a run at once: that would take the
// request for its own.
func (s Schedule) Hasten(now, at time.Time) (Schedule, error) {
	switch {
	case s.Paused:
		return s, Refuse(CodeScheduleInvalid, "The schedule %q is paused.", s.Name).WithFix("Let it go on: claimline schedule unpause %q.", s.Name)
	case s.Owned(now), !s.RunSince.IsZero() && !s.NextRunAt.After(at):
		return s, s.running()
	}
	s.NextRunAt = at.UTC().Truncate(time.Second)
	return s, nil
}

// Renew prolongs the lease.
func (s Schedule) Renew(now time.Time, lease time.Duration) Schedule {
	s.LeaseUntil = leaseEnd(now, lease)
	return s
}

// RunState is how a run of a schedule ended.
type RunState string

// The states of a run.
const (
	RunRunning RunState = "running" // it has not ended
	RunDone    RunState = "done"    // its import is completed
	RunNothing RunState = "nothing" // there was no new file
	RunWaiting RunState = "waiting" // its import waits for somebody's consent
	RunFailed  RunState = "failed"  // no import came of it, or none that was completed
)

// ScheduleRun is what became of one file in a run of a schedule, or of a run that found none.
type ScheduleRun struct {
	ID         int64
	ScheduleID int64
	Number     int64 // of the run; its files share it
	At         time.Time
	State      RunState
	File       string
	SHA256     string // of the file's bytes, in hex; empty where it could not be read
	ImportID   int64  // 0: none
	Code       Code   // why it waits, or failed
	Message    string
	Open       bool // what becomes of the import is still to be noted
	Told       bool // there is nothing to tell of it, or it has been told
}

const wasInterrupted Word = "The import was interrupted."

// After returns the run as what has become of its import makes it. One that runs is about to agree to an
// import that waits for consent. An import that trouble has stopped waits for a person, which no run does.
func (r ScheduleRun) After(imp Import) ScheduleRun {
	was := r.State
	r.ImportID = imp.ID
	switch {
	case imp.Completed():
		r.State, r.Code, r.Message = RunDone, "", ""
	case imp.State == StateAwaitingConsent && r.State == RunRunning:
	case imp.State == StateAwaitingConsent:
		r.State = RunWaiting
	case imp.State == StateInterrupted && imp.Attended:
		r = r.Failed(CodeInterrupted, string(wasInterrupted))
	case imp.State == StateFailed:
		r = r.Failed(CodeImportIncomplete, CodeImportIncomplete.Message(""))
	case imp.State.Ended():
		r = r.Failed(imp.Reason, string(notCompleted(imp.Reason)))
	default:
		r.State, r.Code, r.Message = RunRunning, "", ""
	}
	r.Open = r.State == RunRunning || r.State == RunWaiting
	if r.State != was {
		r.Told = r.State == RunRunning
	}
	return r
}

// notCompleted says of an import why it ended before it was completed, where codes say so of its rows.
func notCompleted(reason Code) Word {
	switch reason {
	case CodeCancelled:
		return "The import was cancelled."
	case CodeAllOrNothing:
		return "A row has a problem, and the import was all or nothing."
	}
	return Word(reason.Message(""))
}

// Failed returns the run where it has failed.
func (r ScheduleRun) Failed(code Code, message string) ScheduleRun {
	r.State, r.Code, r.Message, r.Open, r.Told = RunFailed, code, message, false, false
	return r
}

// Completed reports whether the import has done all that it was to do. One that a setting stopped in the
// middle has not (R10).
func (imp Import) Completed() bool {
	return imp.State == StateCompleted || imp.State == StateCompletedWithErrors && imp.Reason == ""
}

// ScheduleView is a schedule as lists show it. What there is nothing of is null.
type ScheduleView struct {
	Name         string     `json:"name"`
	Cron         string     `json:"cron"`
	Zone         string     `json:"zone"`
	File         *string    `json:"file"`
	Dir          *string    `json:"dir"`
	MaxClaims    int        `json:"max_claims"`
	AllOrNothing bool       `json:"all_or_nothing"`
	Notify       []string   `json:"notify"`
	Paused       bool       `json:"paused"`
	NextRunAt    *time.Time `json:"next_run_at"` // null: paused
	LastRun      *LastRun   `json:"last_run"`    // null: it has not run yet
}

// ScheduleDetails is all of a schedule, with what was agreed to. What there is nothing of is null.
type ScheduleDetails struct {
	ScheduleView
	AcceptEdits      bool       `json:"accept_edits"`
	ActivationEmails *bool      `json:"activation_emails"` // null: as the organization has it
	Encoding         *string    `json:"encoding"`          // null: it has to be certain
	Sheet            *string    `json:"sheet"`             // of workbooks; null: it has to be certain
	Column           []string   `json:"column"`
	IgnoreColumn     []string   `json:"ignore_column"`
	EveryRow         bool       `json:"every_row"`
	NoEdits          bool       `json:"no_edits"`
	ConsentedBy      string     `json:"consented_by"`
	ConsentedAt      *time.Time `json:"consented_at"`
}

// LastRun is the newest run as ScheduleView shows it.
type LastRun struct {
	At     time.Time `json:"at"`
	State  RunState  `json:"state"`
	Import *string   `json:"import"`
	Code   *Code     `json:"code"`
}

// RunView is a run as lists show it. What there is nothing of is null.
type RunView struct {
	At      time.Time `json:"at"`
	State   RunState  `json:"state"`
	File    *string   `json:"file"`
	Import  *string   `json:"import"`
	Code    *Code     `json:"code"`
	Message *string   `json:"message"`
}

// View returns the schedule as lists show it.
func (s Schedule) View() ScheduleView {
	view := ScheduleView{
		Name: s.Name, Cron: s.Cron, Zone: s.Zone, File: filled(s.File), Dir: filled(s.Dir), MaxClaims: s.MaxClaims, AllOrNothing: s.AllOrNothing,
		Notify: append([]string{}, s.Notify...), Paused: s.Paused, NextRunAt: Moment(s.NextRunAt),
	}
	if s.LastRun != nil {
		run := s.LastRun.View()
		view.LastRun = &LastRun{At: run.At, State: run.State, Import: run.Import, Code: run.Code}
	}
	return view
}

// Details returns all of the schedule.
func (s Schedule) Details() ScheduleDetails {
	return ScheduleDetails{
		ScheduleView: s.View(), AcceptEdits: s.AcceptEdits, ActivationEmails: s.ActivationEmails, Encoding: filled(s.Reading.Encoding), Sheet: filled(s.Reading.Sheet),
		Column: append([]string{}, s.Reading.Columns...), IgnoreColumn: append([]string{}, s.Reading.IgnoreColumns...), EveryRow: s.Reading.EveryRow,
		NoEdits: s.Reading.NoEdits, ConsentedBy: s.ConsentedBy, ConsentedAt: Moment(s.ConsentedAt),
	}
}

// View returns the run as lists show it.
func (r ScheduleRun) View() RunView {
	view := RunView{At: r.At.UTC(), State: r.State, File: filled(r.File), Code: filled(r.Code), Message: filled(r.Message)}
	if r.ImportID != 0 {
		view.Import = filled(strconv.FormatInt(r.ImportID, 10))
	}
	return view
}

// filled returns text as JSON has it: null where it is empty.
func filled[T ~string](text T) *T {
	if text == "" {
		return nil
	}
	return &text
}
