package claim

import (
	"time"

	"github.com/claimline/claimline/schema"
)

// What time makes due is stated here once: the completion of a delayed claim (R21), the removal of an
// inactive account, and the end of an immediate claim under which the account was inactive (R23). A database
// finds accounts for which NextDue has passed, by its own statement; the conformance suite compares the two.

// CompletesAt returns when a delayed claim completes by itself (R21).
func (r Rules) CompletesAt(made time.Time) time.Time { return made.Add(r.Policy.DecisionTime()) }

// NextDue returns when the next thing falls due of an account as it is written, which AsOf then treats as
// done; it may be past. Zero: nothing will. Under an open claim only the claim falls due: the account below
// is not touched by time. A delayed claim completes, whatever its status: its account is no member yet that
// could be removed.
func (r Rules) NextDue(a Account) time.Time {
	switch made := a.Claim; {
	case a.ID == 0:
		return time.Time{}
	case made == nil:
		return r.removalAt(a.User.Status, a.User.InactiveSince)
	case made.Type == schema.Delayed:
		return r.CompletesAt(made.ClaimedAt)
	default:
		return r.removalAt(made.Status, made.InactiveSince)
	}
}

// removalAt returns when somebody with this status is removed (R23); zero: never.
func (r Rules) removalAt(status schema.Status, since time.Time) time.Time {
	if status != schema.Inactive || since.IsZero() {
		return time.Time{}
	}
	return since.Add(r.Policy.InactiveTime())
}

// AnyDue reports whether anything has fallen due of an account as it is written.
func (r Rules) AnyDue(a *Account) bool {
	at := r.NextDue(*a)
	return !at.IsZero() && !at.After(r.Now)
}

// Due returns what has fallen due of an account as it is written, in the order of time: nothing, one effect,
// or two, where an account that has joined, or is uncovered, is removed afterwards.
func (r Rules) Due(a Account) []Effect {
	if !r.AnyDue(&a) {
		return nil
	}
	at := r.NextDue(a)
	effects := []Effect{r.dueAt(a, at)}
	if a = effects[0].After(); r.AnyDue(&a) {
		next := r.NextDue(a)
		if next.Before(at) { // it had to wait for what lay over it
			next = at
		}
		effects = append(effects, r.dueAt(a, next))
	}
	return effects
}

// dueAt returns what falls due of an account at the time that NextDue names.
func (r Rules) dueAt(a Account, at time.Time) Effect {
	e := Effect{Before: a, At: at}
	switch made := a.Claim; {
	case made == nil:
		e.Gone = true
	case made.Type == schema.Delayed:
		e.Claim = closed(made, at, schema.ClosedCompleted)
		e.Moves, e.Pinned, e.Mails = true, true, joiningMails(&a)
		moved := moved(&a)
		moved.Status = made.StatusBefore
		if made.StatusBefore == schema.Inactive { // the whole time again before being removed
			moved.InactiveSince = at
		}
		e.User = &moved
	default:
		e.Claim = closed(made, at, schema.ClosedRemoved)
	}
	return e
}

// moved returns the account's user as it joins the claiming organization, with content, edits and the
// services asked for.
func moved(a *Account) schema.User {
	u := a.User
	u.OrganizationID = a.Claim.OrganizationID
	u.InactiveSince = time.Time{}
	u.Profile = u.Edit(a.Claim.Edits)
	u.Services = a.Claim.Services
	return u
}

// AsOf returns the account as it stands now, with everything done that time has made due. The zero Account
// means that there is none.
func (r Rules) AsOf(a Account) Account {
	if effects := r.Due(a); len(effects) > 0 {
		return effects[len(effects)-1].After()
	}
	return a
}
