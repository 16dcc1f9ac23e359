package claim

import (
	"time"

	"github.com/claimline/claimline/schema"
)

// List returns the account as the organization that asks lists it; ok is false where it does not (R15, R16,
// R19).
func (r Rules) List(v *View) (l schema.Listing, ok bool) {
	a, made := &v.Account, v.relevant()
	claiming := a.Claim != nil && a.Claim.OrganizationID == v.Organization.ID
	if a.ID == 0 || !claiming && a.User.OrganizationID != v.Organization.ID {
		return l, false
	}
	l = schema.Listing{
		Email: a.User.Email, Name: a.User.FullName(), Status: v.status(), Conversations: known(a.User.Conversations), RetentionDays: v.Organization.RetentionDays,
		Licenses: a.User.Services,
	}
	if made != nil && (made.Open() || made.OrganizationID == v.Organization.ID) {
		at := made.ClaimedAt
		l.ClaimType, l.ClaimedAt = made.Type, &at
	}
	if a.Claim != nil {
		l.DaysLeft = r.daysLeft(a.Claim)
	}
	switch {
	case claiming:
		l.Licenses = a.Claim.Services
		if a.Claim.Type == schema.Delayed {
			l.Status = schema.DelayedClaim
		} else {
			l.Name = a.User.Edit(a.Claim.Edits).FullName() // R17: at once
			l.Conversations = new(int)
		}
	case a.Claim != nil:
		l.Email += schema.ConvertSuffix
	}
	l.RetractReason = r.Retract(v)
	l.Retractable = l.RetractReason == ""
	if l.Licenses == nil {
		l.Licenses = []string{}
	}
	return l, true
}

// daysLeft returns whole days, rounded up, until an open claim completes or can no longer be retracted.
func (r Rules) daysLeft(open *schema.Claim) *int {
	const day = 24 * time.Hour
	left := max(0, r.CompletesAt(open.ClaimedAt).Sub(r.Now))
	days := int((left + day - 1) / day)
	return &days
}

func known(conversations int) *int {
	if conversations < 0 {
		return nil
	}
	return &conversations
}

// Deadlines returns what time will make due of the account in the organization that asks (R21 to R23).
func (r Rules) Deadlines(v *View) []schema.Deadline {
	a, made := &v.Account, v.Account.Claim
	status, since := a.User.Status, a.User.InactiveSince
	switch {
	case a.ID == 0, made == nil && a.User.OrganizationID != v.Organization.ID:
		return nil
	case made != nil && made.OrganizationID != v.Organization.ID:
		return nil // the other organization's claim lies over it
	case made != nil && made.Type == schema.Delayed:
		return []schema.Deadline{{Email: a.User.Email, Kind: schema.DeadlineDecision, DueAt: r.CompletesAt(made.ClaimedAt)}}
	case made != nil:
		status, since = made.Status, made.InactiveSince
	}
	var list []schema.Deadline
	if made != nil && r.Retract(v) == "" {
		list = append(list, schema.Deadline{Email: a.User.Email, Kind: schema.DeadlineRetract, DueAt: r.RetractableUntil(made)})
	}
	if status == schema.Inactive && !since.IsZero() {
		list = append(list, schema.Deadline{Email: a.User.Email, Kind: schema.DeadlineRemoval, DueAt: since.Add(r.Policy.InactiveTime())})
	}
	return list
}
