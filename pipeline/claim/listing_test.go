package claim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

func TestList(t *testing.T) {
	rules := after(time.Hour)
	number := func(n int) *int { return &n }
	at := madeAt
	delayed, immediate := claimedCase(schema.Delayed), claimedCase(schema.Immediate)
	source := claimedCase(schema.Immediate)
	source.Organization = source.Account.Organization
	stranger := claimedCase(schema.Immediate)
	stranger.Organization = &schema.Organization{ID: "globex"}
	moved := member(schema.Active)
	moved.Closed = &schema.Claim{OrganizationID: "acme", Type: schema.Delayed, ClaimedAt: madeAt, ClosedAt: rules.Now}
	leaving := member(schema.Active)
	leaving.Closed = &schema.Claim{OrganizationID: "globex", Type: schema.Delayed, ClaimedAt: madeAt, ClosedAt: rules.Now}
	renamed, later := claimedCase(schema.Immediate), claimedCase(schema.Delayed)
	renamed.Account.Claim.Edits = schema.Profile{FirstName: "Anna", LastName: "Lind"}
	later.Account.Claim.Edits = schema.Profile{DisplayName: "Anna Lind"}
	unknown := member(schema.Pending)
	unknown.Account.User.Conversations, unknown.Account.User.Services = schema.UnknownConversations, nil
	for name, c := range map[string]struct {
		k    claim.View
		want schema.Listing
	}{
		"delayed": {delayed, schema.Listing{
			Email: "Ann@acme.example", Name: "Ann", Status: schema.DelayedClaim, ClaimType: schema.Delayed, ClaimedAt: &at, DaysLeft: number(14), Retractable: true,
			Conversations: number(3), RetentionDays: 90, Licenses: []string{"Calling"},
		}},
		"immediate": {immediate, schema.Listing{
			Email: "Ann@acme.example", Name: "Ann", Status: schema.Verified, ClaimType: schema.Immediate, ClaimedAt: &at, DaysLeft: number(14), Retractable: true,
			Conversations: number(0), RetentionDays: 90, Licenses: []string{"Calling"},
		}},
		"with another name at once": {renamed, schema.Listing{
			Email: "Ann@acme.example", Name: "Anna Lind", Status: schema.Verified, ClaimType: schema.Immediate, ClaimedAt: &at, DaysLeft: number(14), Retractable: true,
			Conversations: number(0), RetentionDays: 90, Licenses: []string{"Calling"},
		}},
		"with another name on completion": {later, schema.Listing{
			Email: "Ann@acme.example", Name: "Ann", Status: schema.DelayedClaim, ClaimType: schema.Delayed, ClaimedAt: &at, DaysLeft: number(14), Retractable: true,
			Conversations: number(3), RetentionDays: 90, Licenses: []string{"Calling"},
		}},
		"in the source organization": {source, schema.Listing{
			Email: "Ann@acme.example.convert-user.local", Name: "Ann", Status: schema.Verified, ClaimType: schema.Immediate, ClaimedAt: &at, DaysLeft: number(14),
			RetractReason: schema.CodeNotClaimingOrg, Conversations: number(3), RetentionDays: 7, Licenses: []string{"Chat"},
		}},
		"claim closed": {moved, schema.Listing{
			Email: "Ann@acme.example", Name: "Ann", Status: schema.Active, ClaimType: schema.Delayed, ClaimedAt: &at, RetractReason: schema.CodeClaimClosed,
			Conversations: number(3), RetentionDays: 90, Licenses: []string{"Chat"},
		}},
		"another organization's closed claim": {leaving, schema.Listing{
			Email: "Ann@acme.example", Name: "Ann", Status: schema.Active, RetractReason: schema.CodeNotClaimingOrg, Conversations: number(3), RetentionDays: 90,
			Licenses: []string{"Chat"},
		}},
		"no claim": {unknown, schema.Listing{
			Email: "Ann@acme.example", Name: "Ann", Status: schema.Pending, RetractReason: schema.CodeNotClaimed, RetentionDays: 90, Licenses: []string{},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := rules.List(&c.k)
			assert.True(t, ok)
			assert.Equal(t, c.want, got)
		})
	}
	_, ok := rules.List(&stranger)
	assert.False(t, ok)
	_, ok = rules.List(&claim.View{Organization: delayed.Organization})
	assert.False(t, ok)
}

func TestDaysLeftAreRoundedUp(t *testing.T) {
	for since, want := range map[time.Duration]int{
		0: 14, time.Second: 14, 24*time.Hour - time.Second: 14, 24 * time.Hour: 13, days14 - time.Second: 1, days14: 0, 10 * days14: 0,
	} {
		k := claimedCase(schema.Immediate)
		got, _ := after(since).List(&k)
		assert.Equal(t, want, *got.DaysLeft, since)
	}
}

func TestDeadlines(t *testing.T) {
	rules := after(time.Hour)
	due := func(k claim.View) map[schema.DeadlineKind]time.Time {
		list := map[schema.DeadlineKind]time.Time{}
		for _, d := range rules.Deadlines(&k) {
			assert.Equal(t, "Ann@acme.example", d.Email)
			list[d.Kind] = d.DueAt
		}
		return list
	}
	type deadlines = map[schema.DeadlineKind]time.Time
	inactiveSince := madeAt.Add(-time.Hour)
	removal := inactiveSince.Add(30 * 24 * time.Hour)
	assert.Equal(t, deadlines{schema.DeadlineDecision: madeAt.Add(days14)}, due(claimedCase(schema.Delayed)))
	k := claimedCase(schema.Immediate)
	assert.Equal(t, deadlines{schema.DeadlineRetract: madeAt.Add(days14)}, due(k))
	k.Account.Claim.Status, k.Account.Claim.InactiveSince = schema.Inactive, inactiveSince
	assert.Equal(t, deadlines{schema.DeadlineRetract: madeAt.Add(days14), schema.DeadlineRemoval: removal}, due(k))
	k.Account.Claim.SignedInAt = madeAt
	assert.Equal(t, deadlines{schema.DeadlineRemoval: removal}, due(k))
	k = member(schema.Inactive)
	assert.Empty(t, due(k), "unknown since when")
	k.Account.User.InactiveSince = inactiveSince
	assert.Equal(t, deadlines{schema.DeadlineRemoval: removal}, due(k))
	k = foreign(schema.Inactive)
	k.Account.User.InactiveSince = inactiveSince
	assert.Empty(t, due(k), "the other organization's claim lies over it")
	assert.Empty(t, due(member(schema.Active)))
	k = member(schema.Inactive)
	k.Account.User.OrganizationID = "home"
	assert.Empty(t, due(k))
}
