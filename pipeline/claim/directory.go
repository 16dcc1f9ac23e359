package claim

import (
	"slices"
	"time"

	"github.com/claimline/claimline/schema"
)

// Remove is what it does that an administrator removes the account from the organization, or why that cannot be. An
// account under the organization's own open claim is uncovered: in its source organization it is what it was (R15, R16,
// R23).
func (c Clock) Remove(k *Case) (Effect, schema.Code) {
	made := k.Account.Claim
	switch {
	case k.Account.ID == 0:
		return Effect{}, schema.CodeUserNotFound
	case made != nil && made.OrganizationID == k.Organization.ID && made.Type == schema.Delayed:
		return Effect{}, schema.CodeClaimPending
	case made != nil && made.OrganizationID == k.Organization.ID:
		return Effect{Claim: c.close(made, schema.ClosedRemoved)}, ""
	case k.Account.User.OrganizationID != k.Organization.ID:
		return Effect{}, schema.CodeNotMember
	case made != nil:
		return Effect{}, schema.CodeClaimedElsewhere
	}
	return Effect{Gone: true}, ""
}

// Member reports whether a directory run compares the account with the list: the organization's own, and those it has
// claimed immediately (R23).
func (k *Case) Member() bool {
	if made := k.Account.Claim; made != nil && made.OrganizationID == k.Organization.ID {
		return made.Type == schema.Immediate
	}
	return k.Account.ID != 0 && k.Account.User.OrganizationID == k.Organization.ID
}

// Sync says what a directory run does to an account: listed is every spelling the list has of its address, none where the
// list lacks it. It is empty for an account that does not concern the run: no member, and not in the list. An account of
// ours under somebody else's open claim is left alone: after a retract it must be what it was (R22).
func (c Clock) Sync(k *Case, listed []string) schema.SyncEffect {
	made := k.Account.Claim
	claiming := made != nil && made.OrganizationID == k.Organization.ID
	inactive := k.status() == schema.Inactive
	switch present := len(listed) > 0; {
	case !k.Member() && !present:
		return ""
	case !k.Member() && claiming:
		return schema.SyncDelayedClaim
	case !k.Member():
		return schema.SyncNotInOrganization
	case made != nil && !claiming && !present:
		return schema.SyncKeep
	case !present && inactive:
		return schema.SyncInactive
	case !present:
		return schema.SyncDeactivate
	case inactive && (made == nil || claiming):
		return schema.SyncReactivate
	case !slices.Contains(listed, k.Account.User.Email):
		return schema.SyncCaseMismatch
	}
	return schema.SyncKeep
}

// Synced is what the effect of a directory run writes.
func (c Clock) Synced(k *Case, effect schema.SyncEffect) Effect {
	var status, former schema.Status
	var since time.Time
	switch effect {
	case schema.SyncDeactivate:
		status, former, since = schema.Inactive, k.status(), c.Now
	case schema.SyncReactivate:
		status = k.former()
	default:
		return Effect{}
	}
	if k.Account.Claim != nil {
		made := *k.Account.Claim
		made.Status, made.InactiveSince = status, since
		return Effect{Claim: &made}
	}
	user := k.Account.User
	user.Status, user.InactiveSince = status, since
	return Effect{User: &user, Former: former}
}

// status is the account's status in the organization that asks; of a delayed claim, the account's own.
func (k *Case) status() schema.Status {
	if made := k.Account.Claim; made != nil && made.OrganizationID == k.Organization.ID {
		return made.Status
	}
	return k.Account.User.Status
}

// former is the status of an inactive member before it was inactive; active where that is not known.
func (k *Case) former() schema.Status {
	former := k.Former
	if made := k.Account.Claim; made != nil {
		former = made.StatusBefore
	}
	if former == "" || former == schema.Inactive {
		return schema.Active
	}
	return former
}
