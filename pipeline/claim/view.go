package claim

import (
	"time"

	"github.com/claimline/claimline/schema"
)

// View is one account as an organization sees it, with all that is asked about before anything is done to its
// claim (R15, R16, R20 to R23).
type View struct {
	Key          string               // the address key
	Organization *schema.Organization // who asks
	Account      Account              // the zero Account: there is none
	Former       schema.Status        // of the account before a directory run made it inactive; empty: unknown
	Closed       *schema.Claim        // the last claim that a choice or completion closed; nil: none
	Domain       Domain               // of the address, as Organization sees it
}

// ViewAsOf returns the view as it stands now, with everything done that time has made due.
func (r Rules) ViewAsOf(v View) View {
	for _, e := range r.Due(v.Account) {
		if e.Moves {
			v.Closed = e.Claim
		}
		v.Account = e.After()
	}
	return v
}

// whyNotOpen says why there is no open claim of the organization that asks; empty where there is one.
func (v *View) whyNotOpen() schema.Code {
	switch made := v.Account.Claim; {
	case v.Account.ID == 0:
		return schema.CodeUserNotFound
	case made == nil:
		return schema.CodeNotClaimed
	case made.OrganizationID != v.Organization.ID:
		return schema.CodeNotClaimingOrg
	}
	return ""
}

// relevant returns the claim that questions about the account are about: the open one, else the last one that
// closed.
func (v *View) relevant() *schema.Claim {
	if v.Account.Claim != nil {
		return v.Account.Claim
	}
	return v.Closed
}

// closed returns the claim, closed at a time.
func closed(made *schema.Claim, at time.Time, by schema.Closing) *schema.Claim {
	after := *made
	after.ClosedAt, after.ClosedBy = at, by
	return &after
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

// Belongs reports whether the account belongs to the organization that asks, or is under its open claim.
func (v *View) Belongs() bool {
	a := &v.Account
	return a.ID != 0 && (a.User.OrganizationID == v.Organization.ID || a.Claim != nil && a.Claim.OrganizationID == v.Organization.ID)
}
