package claim

import (
	"time"

	"github.com/claimline/claimline/schema"
)

// Account is what there is to know of one account: the user, the organization it belongs to, and the open claim on it.
type Account struct {
	ID           int64 // the store's number for it; 0: there is no such account
	User         schema.User
	Organization *schema.Organization // the user's own
	Claim        *schema.Claim        // the open claim, whoever's; nil: none
	Claiming     *schema.Organization // the organization of Claim; nil where Claim is nil
}

// Domain is what is known of one e-mail domain, seen from a claiming organization.
type Domain struct {
	Ours      bool   // the claiming organization has verified or claimed it
	ClaimedBy string // id of the organization that has claimed it; empty: none
}

// Facts are what decisions about a batch of addresses are made on.
type Facts struct {
	Claiming schema.Organization
	Accounts []Account         // one per address key asked for, in that order
	Domains  map[string]Domain // by domain of the keys asked for
	Licenses []schema.License  // of the claiming organization, by service
	Version  int64             // the store's, by which it knows whether they still hold; 0: unknown
	// Unchanged means that the facts looked up before, of the Version named, still hold: Accounts and Domains are left out.
	Unchanged bool
}

// Clock is the moment and the policy under which facts are judged.
type Clock struct {
	Now    time.Time
	Policy schema.Policy
}

// CompletesAt is when a delayed claim completes by itself (R21).
func (c Clock) CompletesAt(made time.Time) time.Time { return made.Add(c.Policy.DecisionTime()) }

// CompletionDue reports whether an open claim is delayed and its time has run out: it is treated as completed by every
// rule and listing, swept or not (R21).
func (c Clock) CompletionDue(open *schema.Claim) bool {
	return open != nil && open.Type == schema.Delayed && !c.Now.Before(c.CompletesAt(open.ClaimedAt))
}

// RemovalDue reports whether an account with this status has been inactive for so long that it is treated as
// removed (R23).
func (c Clock) RemovalDue(status schema.Status, since time.Time) bool {
	return status == schema.Inactive && !since.IsZero() && !c.Now.Before(since.Add(c.Policy.InactiveTime()))
}

// AsOf is the account as it stands now, with everything done that time has made due: a delayed claim completed (R21),
// an inactive account removed, or uncovered again where it was removed under an open claim (R23). The zero Account
// means that there is none.
func (c Clock) AsOf(a Account) Account {
	if a.ID == 0 {
		return a
	}
	if c.CompletionDue(a.Claim) {
		a = c.completed(a)
	}
	if a.Claim != nil && c.RemovalDue(a.Claim.Status, a.Claim.InactiveSince) {
		a.Claim, a.Claiming = nil, nil
	}
	if a.Claim == nil && c.RemovalDue(a.User.Status, a.User.InactiveSince) {
		return Account{}
	}
	return a
}

// NextDue is when the next thing falls due of an account as it is written, which AsOf then treats as done; it may be past.
// Zero: nothing will.
func (c Clock) NextDue(a Account) time.Time {
	status, since := a.User.Status, a.User.InactiveSince
	var completes, removed time.Time
	if a.Claim != nil {
		status, since = a.Claim.Status, a.Claim.InactiveSince
		if a.Claim.Type == schema.Delayed {
			completes = c.CompletesAt(a.Claim.ClaimedAt)
		}
	}
	if status == schema.Inactive && !since.IsZero() {
		removed = since.Add(c.Policy.InactiveTime())
	}
	if completes.IsZero() || !removed.IsZero() && removed.Before(completes) {
		return removed
	}
	return completes
}

// completed is the account after its delayed claim has completed: it has moved, with its content, its edits and the
// status it had (R21). Someone who was inactive has the whole time again before being removed.
func (c Clock) completed(a Account) Account {
	made := a.Claim
	a.User.OrganizationID = made.OrganizationID
	a.User.Status = made.StatusBefore
	a.User.InactiveSince = time.Time{}
	if made.StatusBefore == schema.Inactive {
		a.User.InactiveSince = c.CompletesAt(made.ClaimedAt)
	}
	a.User.Profile = a.User.Edit(made.Edits)
	a.User.Services = made.Services
	a.Organization = a.Claiming
	a.Claim, a.Claiming = nil, nil
	return a
}
