package claim

import (
	"time"

	"github.com/claimline/claimline/schema"
)

// List is the account as the organization that asks lists it; ok is false where it does not (R15, R16, R19).
func (c Clock) List(k *Case) (l schema.Listing, ok bool) {
	a, made := &k.Account, k.relevant()
	claiming := a.Claim != nil && a.Claim.OrganizationID == k.Organization.ID
	if a.ID == 0 || !claiming && a.User.OrganizationID != k.Organization.ID {
		return l, false
	}
	l = schema.Listing{
		Email: a.User.Email, Name: a.User.FullName(), Status: k.status(), Conversations: known(a.User.Conversations), RetentionDays: k.Organization.RetentionDays,
		Licenses: a.User.Services,
	}
	if made != nil && (made.Open() || made.OrganizationID == k.Organization.ID) {
		at := made.ClaimedAt
		l.ClaimType, l.ClaimedAt = made.Type, &at
	}
	if a.Claim != nil {
		l.DaysLeft = c.daysLeft(a.Claim)
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
	l.RetractReason = c.Retract(k)
	l.Retractable = l.RetractReason == ""
	if l.Licenses == nil {
		l.Licenses = []string{}
	}
	return l, true
}

// daysLeft is whole days, rounded up, until an open claim completes or can no longer be retracted.
func (c Clock) daysLeft(open *schema.Claim) *int {
	const day = 24 * time.Hour
	left := max(0, c.CompletesAt(open.ClaimedAt).Sub(c.Now))
	days := int((left + day - 1) / day)
	return &days
}

func known(conversations int) *int {
	if conversations < 0 {
		return nil
	}
	return &conversations
}

// Deadlines is what time will make due of the account in the organization that asks (R21 to R23).
func (c Clock) Deadlines(k *Case) []schema.Deadline {
	a, made := &k.Account, k.Account.Claim
	status, since := a.User.Status, a.User.InactiveSince
	switch {
	case a.ID == 0, made == nil && a.User.OrganizationID != k.Organization.ID:
		return nil
	case made != nil && made.OrganizationID != k.Organization.ID:
		return nil // the other organization's claim lies over it
	case made != nil && made.Type == schema.Delayed:
		return []schema.Deadline{{Email: a.User.Email, Kind: schema.DeadlineDecision, DueAt: c.CompletesAt(made.ClaimedAt)}}
	case made != nil:
		status, since = made.Status, made.InactiveSince
	}
	var list []schema.Deadline
	if made != nil && c.Retract(k) == "" {
		list = append(list, schema.Deadline{Email: a.User.Email, Kind: schema.DeadlineRetract, DueAt: c.RetractableUntil(made)})
	}
	if status == schema.Inactive && !since.IsZero() {
		list = append(list, schema.Deadline{Email: a.User.Email, Kind: schema.DeadlineRemoval, DueAt: since.Add(c.Policy.InactiveTime())})
	}
	return list
}
