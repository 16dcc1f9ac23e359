package schema

import (
	"slices"
	"time"
)

// Event is something that happens to an import.
type Event string

// The events. Those of its owner, who holds the lease, are seal, release, interrupt and end; the others are
// orders of anybody.
const (
	EventSeal      Event = "seal"      // its file has been read to the end, and the plan stands
	EventAgree     Event = "agree"     // somebody agrees to the plan (R13)
	EventDecline   Event = "decline"   // somebody does not
	EventDiscard   Event = "discard"   // nobody can be asked: nothing is left of it
	EventTake      Event = "take"      // a process begins to work on it, and owns it from then on
	EventRelease   Event = "release"   // that process stops, and gives it back
	EventInterrupt Event = "interrupt" // trouble has lasted too long
	EventCancel    Event = "cancel"    // somebody wants no more of it
	EventEnd       Event = "end"       // nothing is left to do
	EventReopen    Event = "reopen"    // a person goes on with it
)

// life is the life of an import: to which states an event may lead, by the state in which it finds the
// import. What is not there is refused. While somebody owns an import, orders but for a cancel are refused
// with CodeImportRunning.
//
//	                       seal      agree     decline   discard  take      release   interrupt    cancel     end       reopen
//	planning               barrier   –         –         –        –         –         –            told       –         –
//	awaiting_consent       –         begun     rejected  gone     –         –         –            cancelled  –         the same
//	queued                 –         –         –         –        applying  –         –            cancelled  –         begun
//	applying               –         –         –         –        applying  the same  interrupted  told       an end    begun
//	interrupted            –         –         –         –        applying  –         –            cancelled  –         begun
//	cancelled              –         –         –         –        –         –         –            –          –         begun
//	completed_with_errors  –         –         –         –        –         –         –            –          –         begun
//	completed, rejected    –         –         –         –        –         –         –            –          –         –
//	failed                 –         –         –         –        –         –         –            –          –         –
//
// barrier: awaiting_consent, or the end where nobody can be claimed (claim.Barrier). begun: applying where a
// person at a terminal drives it, queued where any process may; reopened and never agreed to,
// awaiting_consent. told: an owner is asked to stop, and the import is cancelled as soon as it is sealed,
// given back or interrupted; cancelled at once where nobody owns it. Taking is not reopening: what has ended,
// or waits for a person, is not taken.
var life = map[ImportState]map[Event][]ImportState{
	StatePlanning: {
		EventSeal:   {StateAwaitingConsent, StateCompleted, StateCompletedWithErrors, StateRejected, StateCancelled},
		EventCancel: {StatePlanning},
	},
	StateAwaitingConsent: {
		EventAgree: {StateApplying, StateQueued}, EventDecline: {StateRejected}, EventDiscard: {""}, EventCancel: {StateCancelled},
		EventReopen: {StateAwaitingConsent},
	},
	StateQueued: {EventTake: {StateApplying}, EventCancel: {StateCancelled}, EventReopen: {StateApplying, StateQueued}},
	StateApplying: {
		EventTake: {StateApplying}, EventRelease: {StateApplying, StateCancelled}, EventInterrupt: {StateInterrupted, StateCancelled},
		EventCancel: {StateApplying, StateCancelled}, EventReopen: {StateApplying, StateQueued},
		EventEnd: {StateCompleted, StateCompletedWithErrors, StateRejected, StateCancelled},
	},
	StateInterrupted:         {EventTake: {StateApplying}, EventCancel: {StateCancelled}, EventReopen: {StateApplying, StateQueued}},
	StateCancelled:           {EventReopen: {StateApplying, StateQueued, StateAwaitingConsent}},
	StateCompletedWithErrors: {EventReopen: {StateApplying, StateQueued, StateAwaitingConsent}},
}

// Consent is what somebody agrees to (R13). The plan of an import stays as it was sealed, so that its number
// names it; Claims keeps somebody from agreeing to another import's.
type Consent struct {
	By               string // as in terminal:root
	At               time.Time
	Claims           int   // how many the plan shows that was agreed to
	ActivationEmails *bool // nil: as planned (R18)
	AcceptEdits      bool  // many accounts get another name (R17)
	Attended         bool  // who agrees drives the import, too
}

// The methods below return the import as it is after an event, or refuse the event. now is the time by the
// database's clock, by which leases are judged; at is the time that people are told.

// At returns the import in the state that it has at a time. Whoever worked on it has died where the lease has
// run out: without a plan, there is nothing to go on with.
func (imp Import) At(now time.Time) Import {
	switch {
	case imp.LeaseUntil.After(now):
	case imp.State == StatePlanning:
		imp.State = StateFailed
	case imp.State == StateApplying && (imp.Runner != "" || imp.Attended):
		imp.State = StateInterrupted
	}
	return imp
}

// Owned reports whether a process works on the import.
func (imp Import) Owned(now time.Time) bool { return imp.Runner != "" && imp.LeaseUntil.After(now) }

// Seal ends the planning in a state that claim.Barrier decides; nobody owns the import then.
func (imp Import) Seal(to ImportState, reason Code, at time.Time) (Import, error) {
	if imp.CancelRequested {
		to, reason = StateCancelled, CodeCancelled
	}
	if to.Ended() {
		return imp.closed(EventSeal, to, reason, at)
	}
	imp.Runner, imp.LeaseUntil = "", time.Time{}
	return imp.moved(EventSeal, to)
}

// Agree begins to apply the plan. Refused with CodePlanChanged where it is another than was agreed to. The
// import is to have its Tally.
func (imp Import) Agree(now time.Time, lease time.Duration, c Consent) (Import, error) {
	if err := imp.free(now); err != nil {
		return imp, err
	}
	imp, err := imp.At(now).begun(EventAgree, now, lease, c.Attended)
	switch ready := imp.Tally.Outcomes[Ready]; {
	case err != nil:
		return imp, err
	case imp.RowsRemoved:
		return imp, &Error{Code: CodeImportRemoved}
	case c.Claims != ready:
		return imp, Refuse(CodePlanChanged, "The plan of import %d would claim %d users, and %d were agreed to.", imp.ID, ready, c.Claims)
	}
	imp.ConsentedAt, imp.ConsentedBy, imp.EditsAccepted = c.At, c.By, c.AcceptEdits
	if c.ActivationEmails != nil {
		imp.ActivationEmails = *c.ActivationEmails
	}
	return imp, nil
}

// Decline ends an import to which somebody did not agree.
func (imp Import) Decline(now, at time.Time) (Import, error) {
	if err := imp.free(now); err != nil {
		return imp, err
	}
	return imp.At(now).closed(EventDecline, StateRejected, CodeConsentDeclined, at)
}

// CheckDiscard refuses to discard an import that does not wait for consent.
func (imp Import) CheckDiscard(now time.Time) error {
	if err := imp.free(now); err != nil {
		return err
	}
	_, err := imp.At(now).moved(EventDiscard, "")
	return err
}

// Take gives the import to a runner, until the lease runs out. A cancel that was asked for stays.
func (imp Import) Take(now time.Time, runner string, lease time.Duration) (Import, error) {
	if err := imp.free(now); err != nil {
		return imp, err
	}
	imp = imp.At(now)
	if imp.State == StateInterrupted && imp.Attended {
		return imp, imp.refused(EventTake)
	}
	imp, err := imp.moved(EventTake, StateApplying)
	imp.Runner, imp.LeaseUntil = runner, leaseEnd(now, lease)
	imp.Epoch++
	return imp, err
}

// Renew prolongs the lease; of an import that has ended there is none.
func (imp Import) Renew(now time.Time, lease time.Duration) Import {
	if imp.FinishedAt.IsZero() {
		imp.LeaseUntil = leaseEnd(now, lease)
	}
	return imp
}

// Release gives the import back, for anybody to go on with; a person at a terminal is waited for as long as a
// lease is.
func (imp Import) Release(now time.Time, lease time.Duration, at time.Time) (Import, error) {
	if imp.CancelRequested {
		return imp.closed(EventRelease, StateCancelled, CodeCancelled, at)
	}
	return imp.handedBack(now, lease).moved(EventRelease, StateApplying)
}

// Interrupt stops the import until a person reopens it.
func (imp Import) Interrupt(now, at time.Time) (Import, error) {
	if imp.CancelRequested {
		return imp.closed(EventInterrupt, StateCancelled, CodeCancelled, at)
	}
	imp.Attended = true
	return imp.handedBack(now, 0).moved(EventInterrupt, StateInterrupted)
}

// Cancel cancels an import that nobody owns at once, and it no longer belongs to who had it: that may only
// have been asleep. Whoever owns it is asked to stop.
func (imp Import) Cancel(now, at time.Time) (Import, error) {
	if imp.Owned(now) {
		imp.CancelRequested = true
		return imp.moved(EventCancel, imp.State)
	}
	imp.Epoch++
	return imp.At(now).closed(EventCancel, StateCancelled, CodeCancelled, at)
}

// End ends an import in one of the states that have Ended; ending it again in the same one changes nothing.
func (imp Import) End(to ImportState, reason Code, at time.Time) (Import, error) {
	if !imp.FinishedAt.IsZero() && imp.State == to {
		return imp, nil
	}
	return imp.closed(EventEnd, to, reason, at)
}

// Reopen opens an import again, for a person who drives it, or for any process. left says whether some chunks
// are not done: without any, what has ended stays so.
func (imp Import) Reopen(now time.Time, lease time.Duration, attended, left bool) (Import, error) {
	if err := imp.free(now); err != nil {
		return imp, err
	}
	imp = imp.At(now)
	switch {
	case !imp.Planned:
		return imp, &Error{Code: CodeImportIncomplete}
	case imp.State.Ended() && !left:
		return imp, imp.refused(EventReopen)
	}
	reopened := imp
	reopened.Reason, reopened.CancelRequested, reopened.FinishedAt = "", false, time.Time{}
	reopened.Epoch++
	var err error
	if imp.ConsentedAt.IsZero() {
		reopened.Runner, reopened.LeaseUntil = "", time.Time{}
		reopened, err = reopened.moved(EventReopen, StateAwaitingConsent)
	} else {
		reopened, err = reopened.begun(EventReopen, now, lease, attended)
	}
	switch {
	case err != nil:
		return imp, imp.refused(EventReopen)
	case imp.RowsRemoved:
		return imp, &Error{Code: CodeImportRemoved}
	}
	return reopened, nil
}

// Left returns when the import ended, or was last seen by whoever worked on it.
func (imp Import) Left() time.Time {
	if !imp.FinishedAt.IsZero() {
		return imp.FinishedAt
	}
	return slices.MaxFunc([]time.Time{imp.StartedAt, imp.ConsentedAt, imp.LeaseUntil}, time.Time.Compare)
}

// moved returns the import in another state, as far as life allows that.
func (imp Import) moved(event Event, to ImportState) (Import, error) {
	if !slices.Contains(life[imp.State][event], to) {
		return imp, imp.refused(event)
	}
	imp.State = to
	return imp, nil
}

// begun returns the import where it is to be applied.
func (imp Import) begun(event Event, now time.Time, lease time.Duration, attended bool) (Import, error) {
	imp.Attended = attended
	to := StateQueued
	if attended {
		to = StateApplying
	}
	return imp.handedBack(now, lease).moved(event, to)
}

// handedBack returns the import without an owner. Attended, somebody is expected to take it at once.
func (imp Import) handedBack(now time.Time, lease time.Duration) Import {
	imp.Runner, imp.LeaseUntil = "", now
	if imp.Attended {
		imp.LeaseUntil = leaseEnd(now, lease)
	}
	return imp
}

// closed returns the import after its end.
func (imp Import) closed(event Event, to ImportState, reason Code, at time.Time) (Import, error) {
	imp, err := imp.moved(event, to)
	if err == nil {
		imp.Reason, imp.FinishedAt, imp.CancelRequested, imp.LeaseUntil = reason, at, false, time.Time{}
	}
	return imp, err
}

// free refuses what cannot be done while somebody owns the import.
func (imp Import) free(now time.Time) error {
	if !imp.Owned(now) {
		return nil
	}
	return Refuse(CodeImportRunning, "Import %d is running.", imp.ID).
		WithFix("Wait until it has ended, or cancel it: claimline cancel %d. If its process has died, try again after %s.",
			imp.ID, imp.LeaseUntil.Format(time.RFC3339))
}

// refused says why an event cannot happen in the state that the import has.
func (imp Import) refused(event Event) error {
	switch imp.State {
	case StatePlanning, StateQueued, StateApplying:
		return Refuse(CodeImportRunning, "Import %d is %s.", imp.ID, imp.State).
			WithFix("Wait until it has ended, or cancel it: claimline cancel %d.", imp.ID)
	case StateAwaitingConsent:
		return Refuse(CodeConsentMissing, "Nobody has agreed to import %d.", imp.ID)
	case StateInterrupted:
		return Refuse(CodeInterrupted, "Import %d was interrupted.", imp.ID).WithFix("Go on with it: claimline resume %d.", imp.ID)
	case StateRejected:
		if event == EventReopen && imp.Reason != "" {
			return Refuse(CodeImportFinished, "Import %d was rejected. %s", imp.ID, imp.Reason.Wrong("")).WithFix("%s", imp.Reason.Cure())
		}
	case StateFailed:
		if event != EventCancel {
			return &Error{Code: CodeImportIncomplete}
		}
	case StateCancelled:
		if event == EventTake || event == EventAgree {
			return Refuse(CodeImportFinished, "Import %d was cancelled.", imp.ID).WithFix("Go on with it: claimline resume %d.", imp.ID)
		}
	}
	return (&Error{Code: CodeImportFinished}).WithFix("Read its report: claimline report %d.", imp.ID)
}

// leaseEnd returns when a lease taken now runs out, in whole seconds; never too early.
func leaseEnd(now time.Time, lease time.Duration) time.Time {
	return now.Add(lease + time.Second - 1).Truncate(time.Second)
}
