package claim

import (
	"time"

	"github.com/claimline/claimline/schema"
)

// Retract says why the organization that asks cannot take its claim back, the first reason that applies;
// empty where it can (R22).
func (r Rules) Retract(v *View) schema.Code {
	made := v.relevant()
	switch {
	case v.Account.ID == 0:
		return schema.CodeUserNotFound
	case made == nil:
		return schema.CodeNotClaimed
	case made.OrganizationID != v.Organization.ID:
		return schema.CodeNotClaimingOrg
	case !made.Open():
		return schema.CodeClaimClosed
	case signedIn(made):
		return schema.CodeUserSignedIn
	case !r.Now.Before(r.RetractableUntil(made)):
		return schema.CodeRetractWindowPassed
	case v.Domain.ClaimedBy == v.Organization.ID:
		return schema.CodeDomainClaimed
	}
	return ""
}

// RetractMade does what Retract does for the claim that one import made: where that claim is gone, another
// one does not count.
func (r Rules) RetractMade(v *View, importID int64) schema.Code {
	if made := v.relevant(); v.Account.ID != 0 && (made == nil || made.ImportID != importID) {
		return schema.CodeNotClaimed
	}
	return r.Retract(v)
}

// RetractableUntil returns when a claim can no longer be retracted.
func (r Rules) RetractableUntil(made *schema.Claim) time.Time {
	return made.ClaimedAt.Add(r.Policy.DecisionTime())
}

// Retracted returns what a retract does: the claim is lifted off the account, which is what it was.
func (r Rules) Retracted(v *View) Effect {
	return Effect{Before: v.Account, At: r.Now, Claim: closed(v.Account.Claim, r.Now, schema.ClosedRetracted), Mails: []Mail{MailRetracted}}
}
