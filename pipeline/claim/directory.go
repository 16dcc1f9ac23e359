package claim

import (
	"slices"
	"time"

	"github.com/claimline/claimline/schema"
)

// Remove returns the effect of an administrator removing the account from the organization, or why it is
// refused. An account under the organization's own open claim is uncovered: in its source organization it is
// what it was (R15, R16, R23).
func (r Rules) Remove(v *View) (Effect, schema.Code) {
	made := v.Account.Claim
	switch {
	case v.Account.ID == 0:
		return Effect{}, schema.CodeUserNotFound
	case made != nil && made.OrganizationID == v.Organization.ID && made.Type == schema.Delayed:
		return Effect{}, schema.CodeClaimPending
	case made != nil && made.OrganizationID == v.Organization.ID:
		return Effect{Before: v.Account, At: r.Now, Claim: closed(made, r.Now, schema.ClosedRemoved)}, ""
	case v.Account.User.OrganizationID != v.Organization.ID:
		return Effect{}, schema.CodeNotMember
	case made != nil:
		return Effect{}, schema.CodeClaimedElsewhere
	}
	return Effect{Before: v.Account, At: r.Now, Gone: true}, ""
}

// Member reports whether a directory run compares the account with the list: the organization's own, and
// those it has claimed immediately (R23).
func (v *View) Member() bool {
	if made := v.Account.Claim; made != nil && made.OrganizationID == v.Organization.ID {
		return made.Type == schema.Immediate
	}
	return v.Account.ID != 0 && v.Account.User.OrganizationID == v.Organization.ID
}

// Sync says what a directory run does to an account: listed is every spelling the list has of its address,
// none where the list lacks it. It is empty for an account that does not concern the run: no member, and not
// in the list. An account of ours under somebody else's open claim is left alone: after a retract it must be
// what it was (R22).
func (r Rules) Sync(v *View, listed []string) schema.SyncEffect {
	made := v.Account.Claim
	claiming := made != nil && made.OrganizationID == v.Organization.ID
	inactive := v.status() == schema.Inactive
	switch present := len(listed) > 0; {
	case !v.Member() && !present:
		return ""
	case !v.Member() && claiming:
		return schema.SyncDelayedClaim
	case !v.Member():
		return schema.SyncNotInOrganization
	case made != nil && !claiming && !present:
		return schema.SyncKeep
	case !present && inactive:
		return schema.SyncInactive
	case !present:
		return schema.SyncDeactivate
	case inactive && (made == nil || claiming):
		return schema.SyncReactivate
	case !slices.Contains(listed, v.Account.User.Email):
		return schema.SyncCaseMismatch
	}
	return schema.SyncKeep
}

// Synced returns what the effect of a directory run writes.
func (r Rules) Synced(v *View, effect schema.SyncEffect) Effect {
	var status, former schema.Status
	var since time.Time
	switch effect {
	case schema.SyncDeactivate:
		status, former, since = schema.Inactive, v.status(), r.Now
	case schema.SyncReactivate:
		status = v.former()
	default:
		return Effect{}
	}
	if v.Account.Claim != nil {
		made := *v.Account.Claim
		made.Status, made.InactiveSince = status, since
		return Effect{Before: v.Account, At: r.Now, Claim: &made}
	}
	user := v.Account.User
	user.Status, user.InactiveSince = status, since
	return Effect{Before: v.Account, At: r.Now, User: &user, Former: former}
}

// status returns the account's status in the organization that asks; of a delayed claim, the account's own.
func (v *View) status() schema.Status {
	if made := v.Account.Claim; made != nil && made.OrganizationID == v.Organization.ID {
		return made.Status
	}
	return v.Account.User.Status
}

// former returns the status of an inactive member before it was inactive; active where that is not known.
func (v *View) former() schema.Status {
	former := v.Former
	if made := v.Account.Claim; made != nil {
		former = made.StatusBefore
	}
	if former == "" || former == schema.Inactive {
		return schema.Active
	}
	return former
}

// CheckMayClaim refuses, with CodeDirectorySyncEnabled, an organization that can claim nobody now (R10).
func CheckMayClaim(o *schema.Organization) error {
	if !o.DirectorySync {
		return nil
	}
	return schema.Refuse(schema.CodeDirectorySyncEnabled, "Directory synchronization is on in %s, so nobody can be claimed.", o.Name)
}

// CheckDirectorySync refuses, with CodeDirectorySyncDisabled, an organization for which no directory run can
// be made (R23).
func CheckDirectorySync(o *schema.Organization) error {
	if o.DirectorySync {
		return nil
	}
	return schema.Refuse(schema.CodeDirectorySyncDisabled, "Directory synchronization is off in %s.", o.Name)
}
