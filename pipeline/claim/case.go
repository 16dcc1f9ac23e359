package claim

import (
	"time"

	"github.com/claimline/claimline/schema"
)

// Case is one account, with all that is asked about before anything is done to its claim (R15, R16, R20 to R23).
type Case struct {
	Key          string               // the address key
	Organization *schema.Organization // who asks
	Account      Account              // the zero Account: there is none
	Former       schema.Status        // of the account before a directory run made it inactive; empty: unknown
	Closed       *schema.Claim        // the last claim that a choice or completion closed; nil: none
	Domain       Domain               // of the address, as Organization sees it
}

// Effect is what becomes of one account. What is nil or zero stays as it is.
type Effect struct {
	Claim  *schema.Claim // the open claim as it is afterwards, closed or not
	User   *schema.User  // the account as it is afterwards
	Key    string        // the address key of User, where it got another address
	Former schema.Status // of User, as in Case
	Gone   bool          // the account is removed, and does not come back
	Joins  *schema.User  // a new account, which joins the claiming organization and takes the claim over; it has no id yet
	Remind bool          // mail the owner again
}

// CaseAsOf is the case as it stands now, with everything done that time has made due.
func (c Clock) CaseAsOf(k Case) Case {
	if c.CompletionDue(k.Account.Claim) {
		completed := *k.Account.Claim
		completed.ClosedAt, completed.ClosedBy = c.CompletesAt(completed.ClaimedAt), schema.ClosedCompleted
		k.Closed = &completed
	}
	k.Account = c.AsOf(k.Account)
	return k
}

// whyNotOpen says why there is no open claim of the organization that asks; empty where there is one.
func (k *Case) whyNotOpen() schema.Code {
	switch made := k.Account.Claim; {
	case k.Account.ID == 0:
		return schema.CodeUserNotFound
	case made == nil:
		return schema.CodeNotClaimed
	case made.OrganizationID != k.Organization.ID:
		return schema.CodeNotClaimingOrg
	}
	return ""
}

// relevant is the claim that questions about the account are about: the open one, else the last one that closed.
func (k *Case) relevant() *schema.Claim {
	if k.Account.Claim != nil {
		return k.Account.Claim
	}
	return k.Closed
}

// close is the claim, closed now.
func (c Clock) close(made *schema.Claim, by schema.Closing) *schema.Claim {
	closed := *made
	closed.ClosedAt, closed.ClosedBy = c.Now, by
	return &closed
}

// signedIn reports whether the owner has signed in since the claim.
func signedIn(made *schema.Claim) bool {
	return !made.SignedInAt.IsZero() && !made.SignedInAt.Before(made.ClaimedAt)
}

// noteSignIn notes the owner's first sign-in since the claim.
func noteSignIn(made *schema.Claim, at time.Time) {
	if !signedIn(made) {
		made.SignedInAt = at
	}
}
