package claim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/schema"
)

const day = 24 * time.Hour

// claimDue reports whether something is due of an account under this claim.
func claimDue(r Rules, made schema.Claim) bool {
	return len(r.Due(Account{ID: 1, Organization: hooli(), Claim: &made, Claiming: acme()})) > 0
}

func TestCompletionDue(t *testing.T) {
	c := rules()
	for _, made := range []struct {
		claimType schema.ClaimType
		ago       time.Duration
		due       bool
	}{
		{schema.Delayed, 0, false}, {schema.Delayed, 14*day - time.Second, false}, {schema.Delayed, 14 * day, true}, {schema.Delayed, 400 * day, true},
		{schema.Immediate, 14 * day, false}, {schema.Immediate, 400 * day, false},
	} {
		assert.Equal(t, made.due, claimDue(c, schema.Claim{Type: made.claimType, ClaimedAt: now.Add(-made.ago)}), "%+v", made)
	}
	c.Policy.DecisionDays = 1
	assert.True(t, claimDue(c, schema.Claim{Type: schema.Delayed, ClaimedAt: now.Add(-day)}))
	assert.Equal(t, now.Add(day), c.CompletesAt(now))
}

func TestRemovalDue(t *testing.T) {
	c := rules()
	due := func(status schema.Status, since time.Time) bool {
		member := c.Due(Account{ID: 1, User: schema.User{Status: status, InactiveSince: since}})
		claimed := claimDue(c, schema.Claim{Type: schema.Immediate, Status: status, InactiveSince: since})
		assert.Equal(t, claimed, len(member) > 0)
		return claimed
	}
	assert.False(t, due(schema.Inactive, time.Time{}), "since when is unknown")
	assert.False(t, due(schema.Inactive, now.Add(-30*day+time.Second)))
	assert.True(t, due(schema.Inactive, now.Add(-30*day)))
	for _, status := range []schema.Status{schema.Active, schema.Verified, schema.NotVerified, schema.Pending} {
		assert.False(t, due(status, now.Add(-400*day)), status)
	}
	c.Policy.InactiveDays = 5
	assert.True(t, due(schema.Inactive, now.Add(-5*day)))
}

// R6: who holds a domain, and one that overlaps with it, as each organization sees it, under each setting.
func TestDomainsElsewhere(t *testing.T) {
	held := func(domain, organization string, status schema.DomainStatus) schema.Domain {
		return schema.Domain{Domain: domain, OrganizationID: organization, Status: status}
	}
	const claimed, verified, pending = schema.DomainClaimed, schema.DomainVerified, schema.DomainPending
	for name, c := range map[string]struct {
		holders []schema.Domain
		want    Domain
		reasons [3]schema.Code // where it takes claimed, verified, overlapping ones
		names   string         // the domain that the message names, where it is another
	}{
		"nobody's":            {nil, Domain{}, [3]schema.Code{}, ""},
		"ours":                {[]schema.Domain{held("b.acme.example", "acme", verified)}, Domain{Ours: true}, [3]schema.Code{}, ""},
		"ours, claimed":       {[]schema.Domain{held("b.acme.example", "acme", claimed)}, Domain{Ours: true, ClaimedBy: "acme"}, [3]schema.Code{}, ""},
		"pending elsewhere":   {[]schema.Domain{held("b.acme.example", "globex", pending), held("acme.example", "globex", pending)}, Domain{}, [3]schema.Code{}, ""},
		"claimed elsewhere":   {[]schema.Domain{held("b.acme.example", "globex", claimed)}, Domain{ClaimedBy: "globex", Elsewhere: true}, [3]schema.Code{"domain_claimed_elsewhere", "domain_claimed_elsewhere", "domain_claimed_elsewhere"}, ""},
		"verified elsewhere":  {[]schema.Domain{held("b.acme.example", "acme", verified), held("b.acme.example", "globex", verified)}, Domain{Ours: true, Elsewhere: true}, [3]schema.Code{"", "domain_verified_elsewhere", "domain_verified_elsewhere"}, ""},
		"ours, two elsewhere": {[]schema.Domain{held("b.acme.example", "acme", claimed), held("b.acme.example", "globex", verified)}, Domain{Ours: true, ClaimedBy: "acme", Elsewhere: true}, [3]schema.Code{"", "domain_verified_elsewhere", "domain_verified_elsewhere"}, ""},
		"parent elsewhere":    {[]schema.Domain{held("acme.example", "globex", verified), held("example", "globex", verified)}, Domain{Overlapping: "acme.example"}, [3]schema.Code{"", "", "domain_verified_elsewhere"}, "acme.example"},
		"sub domain claimed":  {[]schema.Domain{held("z.a.b.acme.example", "globex", verified), held("a.b.acme.example", "globex", claimed)}, Domain{Overlapping: "a.b.acme.example"}, [3]schema.Code{"", "", "domain_verified_elsewhere"}, "a.b.acme.example"},
		"overlapping ours":    {[]schema.Domain{held("acme.example", "acme", claimed), held("a.b.acme.example", "acme", verified)}, Domain{}, [3]schema.Code{}, ""},
		"beside it":           {[]schema.Domain{held("c.acme.example", "globex", verified), held("bb.acme.example", "globex", verified), held("cme.example", "globex", verified)}, Domain{}, [3]schema.Code{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := SeenBy("acme", "b.acme.example", c.holders)
			assert.Equal(t, c.want, d)
			r := rules()
			for i, setting := range []schema.DomainElsewhere{schema.ElsewhereClaimed, schema.ElsewhereVerified, schema.ElsewhereOverlapping} {
				r.Policy.DomainElsewhere = setting
				reason, overlapping := r.Elsewhere(acme(), d)
				assert.Equal(t, c.reasons[i], reason, setting)
				if reason != "" && setting == schema.ElsewhereOverlapping {
					assert.Equal(t, c.names, overlapping)
				}
				s := eligible()
				s.rules, s.domain = r, d
				s.domain.Ours = true
				assert.Equal(t, reason == "", s.decide().Outcome == schema.Ready, setting)
			}
		})
	}
}

// A delayed claim is not ended by a removal: its account is no member yet.
func TestADelayedClaimCompletesWhateverItsStatus(t *testing.T) {
	s := eligible()
	s.claimed("globex", schema.Delayed, now.Add(-14*day))
	s.account.Claim.Status, s.account.Claim.InactiveSince = schema.Inactive, now.Add(-40*day)
	effects := rules().Due(s.account)
	require.Len(t, effects, 1)
	assert.Equal(t, schema.ClosedCompleted, effects[0].Claim.ClosedBy)
}

// A delayed claim that is due moves the account as it was, with the edits and the services asked for (R17,
// R21).
func TestAsOfCompleted(t *testing.T) {
	s := eligible()
	s.account.User.Profile = schema.Profile{FirstName: "Ann", LastName: "Lee"}
	s.account.User.Services = []string{"Old"}
	s.account.User.Status = schema.Pending
	s.claimed("globex", schema.Delayed, now.Add(-14*day))
	s.account.Claim.Edits = schema.Profile{LastName: "Lind"}
	s.account.Claim.Services = []string{"Calling"}

	got := rules().AsOf(s.account)
	assert.Nil(t, got.Claim)
	assert.Nil(t, got.Claiming)
	assert.Equal(t, "globex", got.Organization.ID)
	assert.Equal(t, schema.User{
		OrganizationID: "globex", Status: schema.Pending, Conversations: 3, Services: []string{"Calling"},
		Profile: schema.Profile{FirstName: "Ann", LastName: "Lind"},
	}, got.User)
	assert.Equal(t, "hooli", s.account.User.OrganizationID, "what was given is not changed")
}

// Whoever was inactive when the claim was made has the whole time again from its completion (R21, R23).
func TestAsOfCompletedInactive(t *testing.T) {
	s := eligible()
	s.inactive(300 * day)
	s.claimed("globex", schema.Delayed, now.Add(-44*day+time.Second))
	got := rules().AsOf(s.account)
	assert.Equal(t, schema.Inactive, got.User.Status)
	assert.Equal(t, now.Add(-30*day+time.Second), got.User.InactiveSince)

	s.claimed("globex", schema.Delayed, now.Add(-44*day))
	assert.Equal(t, Account{}, rules().AsOf(s.account))
}

// An account that was removed where it was claimed is what it was in its own organization (R23).
func TestAsOfRemovedUnderAClaim(t *testing.T) {
	s := eligible()
	s.claimed("globex", schema.Immediate, now.Add(-100*day))
	s.account.Claim.Status, s.account.Claim.InactiveSince = schema.Inactive, now.Add(-30*day)
	got := rules().AsOf(s.account)
	assert.Nil(t, got.Claim)
	assert.Equal(t, "hooli", got.User.OrganizationID)
	assert.Equal(t, schema.Active, got.User.Status)
	assert.Equal(t, schema.Ready, s.decide().Outcome)

	s.account.Claim.InactiveSince = now.Add(-30*day + time.Second)
	assert.NotNil(t, rules().AsOf(s.account).Claim)

	s.account.Claim.InactiveSince = now.Add(-30 * day)
	s.inactive(30 * day)
	assert.Equal(t, Account{}, rules().AsOf(s.account), "removed there too")
}

// An open claim lies over an account that would otherwise have been removed.
func TestAsOfInactiveUnderAClaim(t *testing.T) {
	s := eligible()
	s.inactive(300 * day)
	s.claimed("globex", schema.Immediate, now.Add(-100*day))
	assert.Equal(t, s.account, rules().AsOf(s.account))
}

// What has been done because time made it due is not done again, and nothing falls due before its time.
func TestAsOfTwice(t *testing.T) {
	ago := rapid.SampledFrom([]time.Duration{0, day, 14*day - time.Second, 14 * day, 30*day - time.Second, 30 * day, 44*day - time.Second, 44 * day, 400 * day})
	status := rapid.SampledFrom(schema.Statuses)
	since := func(t *rapid.T, s schema.Status, name string) time.Time {
		if s != schema.Inactive || !rapid.Bool().Draw(t, name+" known") {
			return time.Time{}
		}
		return now.Add(-ago.Draw(t, name))
	}
	rapid.Check(t, func(t *rapid.T) {
		s := eligible()
		s.account.User.Status = status.Draw(t, "status")
		s.account.User.InactiveSince = since(t, s.account.User.Status, "inactive since")
		if rapid.Bool().Draw(t, "claimed") {
			made := rapid.SampledFrom([]schema.ClaimType{schema.Immediate, schema.Delayed}).Draw(t, "type")
			s.claimed(rapid.SampledFrom([]string{"acme", "globex"}).Draw(t, "by"), made, now.Add(-ago.Draw(t, "claimed at")))
			if made == schema.Immediate {
				s.account.Claim.Status = status.Draw(t, "status there")
				s.account.Claim.InactiveSince = since(t, s.account.Claim.Status, "inactive there since")
			}
		}
		first := s.rules.AsOf(s.account)
		require.Equal(t, first, s.rules.AsOf(first))
		if first.ID != 0 {
			require.Empty(t, s.rules.Due(first))
			require.Equal(t, first.Claim == nil, first.Claiming == nil)
			require.Equal(t, first.User.OrganizationID, first.Organization.ID)
		}
		require.Equal(t, s.rules.Decide(s.claiming, s.domain, s.account, ""), s.rules.Decide(s.claiming, s.domain, first, ""))
	})
}

// An account is as it is written until the next thing falls due, and then no longer.
func TestNextDue(t *testing.T) {
	ago := rapid.SampledFrom([]time.Duration{0, day, 13 * day, 14 * day, 20 * day, 30 * day, 60 * day})
	status := rapid.SampledFrom(schema.Statuses)
	rapid.Check(t, func(t *rapid.T) {
		s := eligible()
		s.account.User.Status = status.Draw(t, "status")
		if s.account.User.Status == schema.Inactive {
			s.account.User.InactiveSince = now.Add(-ago.Draw(t, "inactive since"))
		}
		if rapid.Bool().Draw(t, "claimed") {
			made := rapid.SampledFrom([]schema.ClaimType{schema.Immediate, schema.Delayed}).Draw(t, "type")
			s.claimed("acme", made, now.Add(-ago.Draw(t, "claimed at")))
			s.account.Claim.Status = status.Draw(t, "status there") // a delayed claim too: a snapshot may have made it one
			if s.account.Claim.Status == schema.Inactive {
				s.account.Claim.InactiveSince = now.Add(-ago.Draw(t, "inactive there since"))
			}
		}
		due := rules().NextDue(s.account)
		if due.IsZero() {
			require.Equal(t, s.account, Rules{Now: now.Add(1000 * day), Policy: rules().Policy}.AsOf(s.account))
			return
		}
		require.Equal(t, s.account, Rules{Now: due.Add(-time.Second), Policy: rules().Policy}.AsOf(s.account))
		require.NotEqual(t, s.account, Rules{Now: due, Policy: rules().Policy}.AsOf(s.account))
	})
}
