package claim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

var home = claim.NewAddress{Email: "Ann@home.example", Key: "ann@home.example"}

// chosen is the claim of a case after a choice made now.
func chosen(k claim.Case, clock claim.Clock, choice schema.Choice) *schema.Claim {
	made := *k.Account.Claim
	made.SignedInAt, made.ClosedAt, made.ClosedBy = clock.Now, clock.Now, schema.Closing(choice)
	return &made
}

// newcomer is who joins acme in place of the account of claimedCase.
var newcomer = schema.User{
	Email: "Ann@acme.example", OrganizationID: "acme", Status: schema.Active, Services: []string{"Calling"},
	Profile: schema.Profile{FirstName: "Ann", Title: "Boss"},
}

func TestChangeEmail(t *testing.T) {
	clock := after(time.Hour)
	for _, claimType := range []schema.ClaimType{schema.Immediate, schema.Delayed} {
		k := claimedCase(claimType)
		effect, refused := clock.Choose(&k, schema.ChangeEmail, home)
		assert.Empty(t, refused)
		old := claimedCase(claimType).Account.User
		old.Email = "Ann@home.example"
		assert.Equal(t, claim.Effect{
			Before: k.Account, At: clock.Now, Claim: chosen(k, clock, schema.ChangeEmail), User: &old, Key: "ann@home.example",
			Pinned: true, Joins: &newcomer,
		}, effect)
		assert.Equal(t, claimedCase(claimType), k, "the case is not changed")
	}
}

func TestAnInactiveAccountThatIsKeptHasTheWholeTimeAgain(t *testing.T) {
	k := claimedCase(schema.Immediate)
	k.Account.User.Status, k.Account.User.InactiveSince, k.Former = schema.Inactive, madeAt.Add(-20*24*time.Hour), schema.Pending
	clock := after(20 * 24 * time.Hour)
	effect, refused := clock.Choose(&k, schema.ChangeEmail, home)
	assert.Empty(t, refused)
	assert.Equal(t, schema.Inactive, effect.User.Status)
	assert.Equal(t, clock.Now, effect.User.InactiveSince)
	assert.Equal(t, schema.Pending, effect.Former)
}

func TestDeleteAccount(t *testing.T) {
	clock := after(time.Hour)
	k := claimedCase(schema.Immediate)
	effect, refused := clock.Choose(&k, schema.DeleteAccount, claim.NewAddress{})
	assert.Empty(t, refused)
	assert.Equal(t, claim.Effect{
		Before: k.Account, At: clock.Now, Claim: chosen(k, clock, schema.DeleteAccount), Gone: true, Pinned: true, Joins: &newcomer,
	}, effect)
}

func TestTransferContent(t *testing.T) {
	clock := after(time.Hour)
	k := claimedCase(schema.Delayed)
	k.Account.User.Status, k.Account.User.InactiveSince = schema.Inactive, madeAt
	effect, refused := clock.Choose(&k, schema.TransferContent, claim.NewAddress{})
	assert.Empty(t, refused)
	moved := schema.User{
		ID: "u1", Email: "Ann@acme.example", OrganizationID: "acme", Status: schema.Active, Conversations: 3, Services: []string{"Calling"},
		Profile: schema.Profile{FirstName: "Ann", Title: "Boss"},
	}
	assert.Equal(t, claim.Effect{
		Before: k.Account, At: clock.Now, Claim: chosen(k, clock, schema.TransferContent), User: &moved, Moves: true, Pinned: true,
	}, effect)
	k.Account.Claiming.ActivationEmails = true
	effect, _ = clock.Choose(&k, schema.TransferContent, claim.NewAddress{})
	assert.Equal(t, []claim.Mail{claim.MailActivation}, effect.Mails)

	k = claimedCase(schema.Immediate)
	_, refused = clock.Choose(&k, schema.TransferContent, claim.NewAddress{})
	assert.Equal(t, schema.CodeChoiceNotAvailable, refused)
	_, refused = clock.Choose(&k, "stay", claim.NewAddress{})
	assert.Equal(t, schema.CodeChoiceNotAvailable, refused)
}

func TestChoicesAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(k *claim.Case, to *claim.NewAddress)
		want   schema.Code
	}{
		"no account":                      {func(k *claim.Case, _ *claim.NewAddress) { k.Account = claim.Account{} }, schema.CodeUserNotFound},
		"no open claim":                   {func(k *claim.Case, _ *claim.NewAddress) { k.Account.Claim = nil }, schema.CodeNotClaimed},
		"somebody else's claim":           {func(k *claim.Case, _ *claim.NewAddress) { k.Account.Claim.OrganizationID = "x" }, schema.CodeNotClaimingOrg},
		"no address":                      {func(_ *claim.Case, to *claim.NewAddress) { to.Key = "" }, schema.CodeEmailInvalid},
		"the same address":                {func(k *claim.Case, to *claim.NewAddress) { to.Key, to.Taken = k.Key, true }, schema.CodeEmailUnchanged},
		"somebody's address":              {func(_ *claim.Case, to *claim.NewAddress) { to.Taken, to.Domain.Ours = true, true }, schema.CodeEmailTaken},
		"in a domain of ours":             {func(_ *claim.Case, to *claim.NewAddress) { to.Domain.Ours = true }, schema.CodeEmailDomainTaken},
		"in a third one's claimed domain": {func(_ *claim.Case, to *claim.NewAddress) { to.Domain.ClaimedBy = "globex" }, schema.CodeEmailDomainTaken},
		"in the source's claimed domain":  {func(_ *claim.Case, to *claim.NewAddress) { to.Domain.ClaimedBy = "home" }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			k, to := claimedCase(schema.Delayed), home
			c.change(&k, &to)
			effect, refused := after(time.Hour).Choose(&k, schema.ChangeEmail, to)
			assert.Equal(t, c.want, refused)
			if refused != "" {
				assert.Zero(t, effect)
			}
		})
	}
}

func TestSignInAndRemind(t *testing.T) {
	k := claimedCase(schema.Delayed)
	clock := after(time.Hour)
	effect, refused := clock.SignIn(&k)
	assert.Empty(t, refused)
	assert.True(t, effect.Claim.Open())
	assert.Equal(t, clock.Now, effect.Claim.SignedInAt)
	assert.Nil(t, effect.User)

	effect, refused = clock.Remind(&k)
	assert.Empty(t, refused)
	assert.Equal(t, claim.Effect{Before: k.Account, At: clock.Now, Mails: []claim.Mail{claim.MailReminder}}, effect)

	k = claimedCase(schema.Immediate)
	_, refused = clock.Remind(&k)
	assert.Equal(t, schema.CodeNotDelayed, refused)
	k.Account.Claim.Status, k.Account.Claim.InactiveSince = schema.Inactive, madeAt
	_, refused = clock.SignIn(&k)
	assert.Equal(t, schema.CodeUserInactive, refused)

	k.Account.Claim = nil
	_, refused = clock.SignIn(&k)
	assert.Equal(t, schema.CodeNotClaimed, refused)
	_, refused = clock.Remind(&k)
	assert.Equal(t, schema.CodeNotClaimed, refused)
}
