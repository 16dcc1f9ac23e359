package claim

import (
	"time"

	"github.com/claimline/claimline/schema"
)

// Effect is what becomes of one account: by a choice, a retract, a removal, a directory run, or by time. It
// is complete: whoever writes it decides nothing. What is nil or zero stays as it is; the zero Effect changes
// nothing.
type Effect struct {
	Before Account   // the account as it was
	At     time.Time // when it happens
	// Claim is the claim on Before as it is afterwards, open or closed.
	Claim  *schema.Claim
	User   *schema.User  // the account as it is afterwards
	Key    string        // the address key of User, where it got another address
	Former schema.Status // of User, as in View
	Moves  bool          // User joins the claiming organization, with its content
	Pinned bool          // a closed claim changed the account: a snapshot leaves it where it is from now on
	Gone   bool          // the account is removed, and does not come back
	Joins  *schema.User  // a new account joins the claiming organization and takes the claim over; it has no id yet
	Mails  []Mail        // to the owner, about the claim
}

// Empty reports whether nothing happens.
func (e *Effect) Empty() bool {
	return e.Claim == nil && e.User == nil && e.Joins == nil && !e.Gone && len(e.Mails) == 0
}

// After returns the account as it is after an effect of time. The zero Account means that there is none.
func (e *Effect) After() Account {
	if e.Gone {
		return Account{}
	}
	a := e.Before
	if e.User != nil {
		a.User = *e.User
	}
	if e.Moves {
		a.Organization = a.Claiming
	}
	if e.Claim != nil && !e.Claim.Open() {
		a.Claim, a.Claiming = nil, nil
	}
	return a
}

// joined returns the account that has joined the claiming organization; nil: none has.
func (e *Effect) joined() *schema.User {
	if e.Moves {
		return e.User
	}
	return e.Joins
}
