package claim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// member returns an account of acme's own, with nobody's claim on it.
func member(status schema.Status) claim.View {
	k := claimedCase(schema.Immediate)
	k.Account.Claim, k.Account.Claiming = nil, nil
	k.Account.Organization, k.Account.User.OrganizationID, k.Account.User.Status = k.Organization, "acme", status
	return k
}

// foreign returns an account of acme's own under another organization's open claim.
func foreign(status schema.Status) claim.View {
	k := member(status)
	k.Account.Claiming = &schema.Organization{ID: "globex"}
	k.Account.Claim = &schema.Claim{OrganizationID: "globex", Type: schema.Immediate, ClaimedAt: madeAt, StatusBefore: status, Status: status}
	return k
}

func claimedStatus(t schema.ClaimType, before, status schema.Status) claim.View {
	k := claimedCase(t)
	k.Account.Claim.StatusBefore, k.Account.Claim.Status = before, status
	return k
}

func TestSync(t *testing.T) {
	const mail = "Ann@acme.example"
	same, other, both := []string{mail}, []string{"ann@acme.example"}, []string{"ANN@acme.example", mail}
	for name, c := range map[string]struct {
		k      claim.View
		listed []string
		want   schema.SyncEffect
	}{
		"member, listed":                      {member(schema.Pending), same, schema.SyncKeep},
		"member, listed twice":                {member(schema.Pending), both, schema.SyncKeep},
		"member, listed otherwise":            {member(schema.Pending), other, schema.SyncCaseMismatch},
		"member, absent":                      {member(schema.Pending), nil, schema.SyncDeactivate},
		"inactive member, listed":             {member(schema.Inactive), same, schema.SyncReactivate},
		"inactive member, listed otherwise":   {member(schema.Inactive), other, schema.SyncReactivate},
		"inactive member, absent":             {member(schema.Inactive), nil, schema.SyncInactive},
		"immediate claim, listed":             {claimedCase(schema.Immediate), same, schema.SyncKeep},
		"immediate claim, listed otherwise":   {claimedCase(schema.Immediate), other, schema.SyncCaseMismatch},
		"immediate claim, absent":             {claimedCase(schema.Immediate), nil, schema.SyncDeactivate},
		"inactive immediate claim, listed":    {claimedStatus(schema.Immediate, schema.Active, schema.Inactive), same, schema.SyncReactivate},
		"inactive immediate claim, absent":    {claimedStatus(schema.Immediate, schema.Active, schema.Inactive), nil, schema.SyncInactive},
		"delayed claim, listed":               {claimedCase(schema.Delayed), other, schema.SyncDelayedClaim},
		"delayed claim, absent":               {claimedCase(schema.Delayed), nil, ""},
		"claimed by others, absent":           {foreign(schema.Active), nil, schema.SyncKeep},
		"inactive, claimed by others, listed": {foreign(schema.Inactive), same, schema.SyncKeep},
		"nobody, listed":                      {claim.View{Organization: &schema.Organization{ID: "acme"}}, same, schema.SyncNotInOrganization},
	} {
		t.Run(name, func(t *testing.T) {
			before := c.k.Account.User
			got := after(time.Hour).Sync(&c.k, c.listed)
			assert.Equal(t, c.want, got)
			effect := after(time.Hour).Synced(&c.k, got)
			if got != schema.SyncDeactivate && got != schema.SyncReactivate {
				assert.Zero(t, effect)
			}
			if c.k.Account.Claim != nil {
				assert.Nil(t, effect.User, "the account under a claim is not touched")
			}
			assert.Equal(t, before, c.k.Account.User)
		})
	}
}

func TestSyncWritesTheStatus(t *testing.T) {
	rules := after(time.Hour)
	k := member(schema.Pending)
	effect := rules.Synced(&k, schema.SyncDeactivate)
	assert.Equal(t, schema.Inactive, effect.User.Status)
	assert.Equal(t, rules.Now, effect.User.InactiveSince)
	assert.Equal(t, schema.Pending, effect.Former)
	for former, want := range map[schema.Status]schema.Status{schema.Pending: schema.Pending, "": schema.Active, schema.Inactive: schema.Active} {
		k = member(schema.Inactive)
		k.Account.User.InactiveSince, k.Former = madeAt, former
		effect = rules.Synced(&k, schema.SyncReactivate)
		assert.Equal(t, want, effect.User.Status)
		assert.Zero(t, effect.User.InactiveSince)
		assert.Empty(t, effect.Former)

		k = claimedStatus(schema.Immediate, former, schema.Inactive)
		effect = rules.Synced(&k, schema.SyncReactivate)
		assert.Equal(t, want, effect.Claim.Status)
		assert.True(t, effect.Claim.Open())
	}
	k = claimedCase(schema.Immediate)
	effect = rules.Synced(&k, schema.SyncDeactivate)
	assert.Equal(t, schema.Inactive, effect.Claim.Status)
	assert.Equal(t, rules.Now, effect.Claim.InactiveSince)
	assert.Equal(t, schema.Verified, k.Account.Claim.Status, "the case is not changed")
}

func TestRemove(t *testing.T) {
	rules := after(time.Hour)
	for name, c := range map[string]struct {
		k    claim.View
		want schema.Code
	}{
		"a member":                          {member(schema.Active), ""},
		"a member claimed by others":        {foreign(schema.Active), schema.CodeClaimedElsewhere},
		"a delayed claim":                   {claimedCase(schema.Delayed), schema.CodeClaimPending},
		"nobody":                            {claim.View{Organization: &schema.Organization{ID: "acme"}}, schema.CodeUserNotFound},
		"a stranger":                        {func() claim.View { k := claimedCase(schema.Delayed); k.Account.Claim = nil; return k }(), schema.CodeNotMember},
		"a stranger claimed by a third one": {func() claim.View { k := claimedCase(schema.Delayed); k.Account.Claim.OrganizationID = "x"; return k }(), schema.CodeNotMember},
	} {
		t.Run(name, func(t *testing.T) {
			effect, refused := rules.Remove(&c.k)
			assert.Equal(t, c.want, refused)
			if refused == "" {
				assert.Equal(t, claim.Effect{Before: c.k.Account, At: rules.Now, Gone: true}, effect)
			} else {
				assert.Zero(t, effect)
			}
		})
	}
	k := claimedCase(schema.Immediate)
	effect, refused := rules.Remove(&k)
	assert.Empty(t, refused)
	assert.Equal(t, schema.ClosedRemoved, effect.Claim.ClosedBy)
	assert.Nil(t, effect.User)
	assert.False(t, effect.Gone)
}
