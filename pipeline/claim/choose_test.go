package claim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

var home = claim.NewAddress{Email: "Ann@home.example", Key: "ann@home.example"}

// chosen returns the claim of a case after a choice made now.
func chosen(k claim.View, rules claim.Rules, choice schema.Choice) *schema.Claim {
	made := *k.Account.Claim
	made.SignedInAt, made.ClosedAt, made.ClosedBy = rules.Now, rules.Now, schema.Closing(choice)
	return &made
}

// newcomer is who joins acme in place of the account of claimedCase.
var newcomer = schema.User{
	Email: "Ann@acme.example", OrganizationID: "acme", Status: schema.Active, Services: []string{"Calling"},
	Profile: schema.Profile{FirstName: "Ann", Title: "Boss"},
}

func TestChangeEmail(t *testing.T) {
	rules := after(time.Hour)
	for _, claimType := range []schema.ClaimType{schema.Immediate, schema.Delayed} {
		k := claimedCase(claimType)
		effect, refused := rules.Choose(&k, schema.ChangeEmail, home)
		assert.Empty(t, refused)
		old := claimedCase(claimType).Account.User
		old.Email = "Ann@home.example"
		assert.Equal(t, claim.Effect{
			Before: k.Account, At: rules.Now, Claim: chosen(k, rules, schema.ChangeEmail), User: &old, Key: "ann@home.example",
			Pinned: true, Joins: &newcomer, Mails: []claim.Mail{claim.MailCompleted},
		}, effect)
		assert.Equal(t, claimedCase(claimType), k, "the case is not changed")
	}
}

func TestAnInactiveAccountThatIsKeptHasTheWholeTimeAgain(t *testing.T) {
	k := claimedCase(schema.Immediate)
	k.Account.User.Status, k.Account.User.InactiveSince, k.Former = schema.Inactive, madeAt.Add(-20*24*time.Hour), schema.Pending
	rules := after(20 * 24 * time.Hour)
	effect, refused := rules.Choose(&k, schema.ChangeEmail, home)
	assert.Empty(t, refused)
	assert.Equal(t, schema.Inactive, effect.User.Status)
	assert.Equal(t, rules.Now, effect.User.InactiveSince)
	assert.Equal(t, schema.Pending, effect.Former)
}

func TestDeleteAccount(t *testing.T) {
	rules := after(time.Hour)
	k := claimedCase(schema.Immediate)
	effect, refused := rules.Choose(&k, schema.DeleteAccount, claim.NewAddress{})
	assert.Empty(t, refused)
	assert.Equal(t, claim.Effect{
		Before: k.Account, At: rules.Now, Claim: chosen(k, rules, schema.DeleteAccount), Gone: true, Pinned: true, Joins: &newcomer,
		Mails: []claim.Mail{claim.MailCompleted},
	}, effect)
}

func TestTransferContent(t *testing.T) {
	rules := after(time.Hour)
	k := claimedCase(schema.Delayed)
	k.Account.User.Status, k.Account.User.InactiveSince = schema.Inactive, madeAt
	effect, refused := rules.Choose(&k, schema.TransferContent, claim.NewAddress{})
	assert.Empty(t, refused)
	moved := schema.User{
		ID: "u1", Email: "Ann@acme.example", OrganizationID: "acme", Status: schema.Active, Conversations: 3, Services: []string{"Calling"},
		Profile: schema.Profile{FirstName: "Ann", Title: "Boss"},
	}
	assert.Equal(t, claim.Effect{
		Before: k.Account, At: rules.Now, Claim: chosen(k, rules, schema.TransferContent), User: &moved, Moves: true, Pinned: true,
		Mails: []claim.Mail{claim.MailCompleted},
	}, effect)
	k.Account.Claiming.ActivationEmails = true
	effect, _ = rules.Choose(&k, schema.TransferContent, claim.NewAddress{})
	assert.Equal(t, []claim.Mail{claim.MailActivation, claim.MailCompleted}, effect.Mails)

	k = claimedCase(schema.Immediate)
	_, refused = rules.Choose(&k, schema.TransferContent, claim.NewAddress{})
	assert.Equal(t, schema.CodeChoiceNotAvailable, refused)
	_, refused = rules.Choose(&k, "stay", claim.NewAddress{})
	assert.Equal(t, schema.CodeChoiceNotAvailable, refused)
}

func TestChoicesAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(k *claim.View, to *claim.NewAddress)
		want   schema.Code
	}{
		"no account":                      {func(k *claim.View, _ *claim.NewAddress) { k.Account = claim.Account{} }, schema.CodeUserNotFound},
		"no open claim":                   {func(k *claim.View, _ *claim.NewAddress) { k.Account.Claim = nil }, schema.CodeNotClaimed},
		"somebody else's claim":           {func(k *claim.View, _ *claim.NewAddress) { k.Account.Claim.OrganizationID = "x" }, schema.CodeNotClaimingOrg},
		"no address":                      {func(_ *claim.View, to *claim.NewAddress) { to.Key = "" }, schema.CodeEmailInvalid},
		"the same address":                {func(k *claim.View, to *claim.NewAddress) { to.Key, to.Taken = k.Key, true }, schema.CodeEmailUnchanged},
		"somebody's address":              {func(_ *claim.View, to *claim.NewAddress) { to.Taken, to.Domain.Ours = true, true }, schema.CodeEmailTaken},
		"in a domain of ours":             {func(_ *claim.View, to *claim.NewAddress) { to.Domain.Ours = true }, schema.CodeEmailDomainTaken},
		"in a third one's claimed domain": {func(_ *claim.View, to *claim.NewAddress) { to.Domain.ClaimedBy = "globex" }, schema.CodeEmailDomainTaken},
		"in the source's claimed domain":  {func(_ *claim.View, to *claim.NewAddress) { to.Domain.ClaimedBy = "home" }, ""},
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
	rules := after(time.Hour)
	effect, refused := rules.SignIn(&k)
	assert.Empty(t, refused)
	assert.True(t, effect.Claim.Open())
	assert.Equal(t, rules.Now, effect.Claim.SignedInAt)
	assert.Nil(t, effect.User)

	effect, refused = rules.Remind(&k)
	assert.Empty(t, refused)
	assert.Equal(t, claim.Effect{Before: k.Account, At: rules.Now, Mails: []claim.Mail{claim.MailReminder}}, effect)

	k = claimedCase(schema.Immediate)
	_, refused = rules.Remind(&k)
	assert.Equal(t, schema.CodeNotDelayed, refused)
	k.Account.Claim.Status, k.Account.Claim.InactiveSince = schema.Inactive, madeAt
	_, refused = rules.SignIn(&k)
	assert.Equal(t, schema.CodeUserInactive, refused)

	k.Account.Claim = nil
	_, refused = rules.SignIn(&k)
	assert.Equal(t, schema.CodeNotClaimed, refused)
	_, refused = rules.Remind(&k)
	assert.Equal(t, schema.CodeNotClaimed, refused)
}
