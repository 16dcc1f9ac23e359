package claim

import (
	"time"

	"github.com/claimline/claimline/schema"
)

// Retract says why the organization that asks cannot take its claim back, the first reason that applies; empty where it
// can (R22).
func (c Clock) Retract(k *Case) schema.Code {
	made := k.relevant()
	switch {
	case k.Account.ID == 0:
		return schema.CodeUserNotFound
	case made == nil:
		return schema.CodeNotClaimed
	case made.OrganizationID != k.Organization.ID:
		return schema.CodeNotClaimingOrg
	case !made.Open():
		return schema.CodeClaimClosed
	case signedIn(made):
		return schema.CodeUserSignedIn
	case !c.Now.Before(c.RetractableUntil(made)):
		return schema.CodeRetractWindowPassed
	case k.Domain.ClaimedBy == k.Organization.ID:
		return schema.CodeDomainClaimed
	}
	return ""
}

// RetractMade is Retract for the claim that one import made: where that claim is gone, another one does not count.
func (c Clock) RetractMade(k *Case, importID int64) schema.Code {
	if made := k.relevant(); k.Account.ID != 0 && (made == nil || made.ImportID != importID) {
		return schema.CodeNotClaimed
	}
	return c.Retract(k)
}

// RetractableUntil is when a claim can no longer be retracted.
func (c Clock) RetractableUntil(made *schema.Claim) time.Time {
	return made.ClaimedAt.Add(c.Policy.DecisionTime())
}

// Retracted is what a retract does: the claim is lifted off the account, which is what it was.
func (c Clock) Retracted(k *Case) Effect {
	return Effect{Claim: c.close(k.Account.Claim, schema.ClosedRetracted)}
}
