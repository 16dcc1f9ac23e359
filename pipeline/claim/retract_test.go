package claim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

const days14 = 14 * 24 * time.Hour

var madeAt = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// after returns the rules as they are so long after the claim was made.
func after(since time.Duration) claim.Rules {
	return claim.Rules{Now: madeAt.Add(since), Policy: schema.DefaultPolicy()}
}

// claimedCase returns an account of a personal organization under an open claim of acme, which asks.
func claimedCase(t schema.ClaimType) claim.View {
	acme := &schema.Organization{ID: "acme", Kind: schema.Enterprise, RetentionDays: 90}
	home := &schema.Organization{ID: "home", Kind: schema.Personal, RetentionDays: 7}
	return claim.View{
		Key: "ann@acme.example", Organization: acme,
		Account: claim.Account{
			ID: 1, Organization: home, Claiming: acme,
			User: schema.User{
				ID: "u1", Email: "Ann@acme.example", OrganizationID: "home", Status: schema.Verified, Conversations: 3, Services: []string{"Chat"},
				Profile: schema.Profile{FirstName: "Ann", Title: "Clerk"},
			},
			Claim: &schema.Claim{
				ID: 7, OrganizationID: "acme", Type: t, ClaimedAt: madeAt, StatusBefore: schema.Verified, Status: schema.Verified,
				Edits: schema.Profile{Title: "Boss"}, Services: []string{"Calling"}, ImportID: 2,
			},
		},
		Domain: claim.Domain{Ours: true},
	}
}

// What the article's table 1 says, row by row and column by column. The third column of conditions, that the
// user has signed in without choosing, is its FAQ's; the fourth, the claimed domain, its note's.
func TestTheArticlesTableOfRetracts(t *testing.T) {
	const yes, no = true, false
	chose := func(k *claim.View, _ *time.Duration) {
		made := *k.Account.Claim
		made.SignedInAt, made.ClosedAt, made.ClosedBy = madeAt.Add(time.Hour), madeAt.Add(time.Hour), schema.Closing(schema.ChangeEmail)
		k.Closed, k.Account.Claim, k.Account.Claiming = &made, nil, nil
	}
	for _, row := range []struct {
		condition          string
		given              func(k *claim.View, since *time.Duration)
		delayed, immediate bool
	}{
		{"The user has signed in and chosen an option.", chose, no, no},
		{"The user has not signed in. 14 days have passed since the claim.", func(_ *claim.View, since *time.Duration) { *since = days14 }, no, no},
		{"The user has not signed in. 14 days have not passed yet since the claim.", func(_ *claim.View, since *time.Duration) { *since = days14 - time.Second }, yes, yes},
		{"The user has signed in and not chosen.", func(k *claim.View, _ *time.Duration) { k.Account.Claim.SignedInAt = madeAt }, no, no},
		{"The organization has claimed the user's domain.", func(k *claim.View, _ *time.Duration) { k.Domain.ClaimedBy = "acme" }, no, no},
		{"Another organization has claimed it.", func(k *claim.View, _ *time.Duration) { k.Domain.ClaimedBy = "globex" }, yes, yes},
		{"Another organization asks.", func(k *claim.View, _ *time.Duration) { k.Organization = k.Account.Organization }, no, no},
	} {
		t.Run(row.condition, func(t *testing.T) {
			for claimType, want := range map[schema.ClaimType]bool{schema.Delayed: row.delayed, schema.Immediate: row.immediate} {
				k, since := claimedCase(claimType), time.Hour
				row.given(&k, &since)
				k = after(since).ViewAsOf(k)
				assert.Equal(t, want, after(since).Retract(&k) == "", claimType)
			}
		})
	}
}

func TestRetractIsRefusedInThisOrder(t *testing.T) {
	// Everything is wrong at once; one thing after the other is put right.
	k := claim.View{Organization: &schema.Organization{ID: "acme"}, Domain: claim.Domain{ClaimedBy: "acme"}}
	rules := after(days14)
	refused := func(want schema.Code) {
		t.Helper()
		assert.Equal(t, want, rules.Retract(&k))
	}
	refused(schema.CodeUserNotFound)
	full := claimedCase(schema.Immediate)
	k.Account = full.Account
	k.Account.Claim = nil
	refused(schema.CodeNotClaimed)
	closed := *full.Account.Claim
	closed.OrganizationID, closed.SignedInAt, closed.ClosedAt = "globex", madeAt, madeAt
	k.Closed = &closed
	refused(schema.CodeNotClaimingOrg)
	closed.OrganizationID = "acme"
	refused(schema.CodeClaimClosed)
	open := closed
	open.ClosedAt = time.Time{}
	k.Account.Claim = &open
	refused(schema.CodeUserSignedIn)
	open.SignedInAt = time.Time{}
	refused(schema.CodeRetractWindowPassed)
	rules = after(days14 - time.Nanosecond)
	refused(schema.CodeDomainClaimed)
	k.Domain.ClaimedBy = ""
	refused("")
}

func TestFourteenDaysToTheSecond(t *testing.T) {
	for _, policyDays := range []int{1, 14, 90} {
		span := time.Duration(policyDays) * 24 * time.Hour
		for _, claimType := range []schema.ClaimType{schema.Immediate, schema.Delayed} {
			for _, early := range []time.Duration{time.Second, 0, -time.Second} {
				rules := after(span - early)
				rules.Policy.DecisionDays = policyDays
				k := rules.ViewAsOf(claimedCase(claimType))
				want := schema.Code("")
				switch {
				case early > 0:
				case claimType == schema.Delayed:
					want = schema.CodeClaimClosed
					assert.Equal(t, "acme", k.Account.User.OrganizationID)
					assert.Equal(t, schema.ClosedCompleted, k.Closed.ClosedBy)
					assert.Equal(t, madeAt.Add(span), k.Closed.ClosedAt)
				default:
					want = schema.CodeRetractWindowPassed
					assert.NotNil(t, k.Account.Claim, "an immediate claim stays open")
				}
				assert.Equal(t, want, rules.Retract(&k), "%s, %s early", claimType, early)
			}
		}
	}
}

func TestASignInBeforeTheClaimIsNone(t *testing.T) {
	k := claimedCase(schema.Immediate)
	k.Account.Claim.SignedInAt = madeAt.Add(-time.Second)
	assert.Empty(t, after(time.Hour).Retract(&k))
	effect, refused := after(time.Hour).SignIn(&k)
	assert.Empty(t, refused)
	assert.Equal(t, madeAt.Add(time.Hour), effect.Claim.SignedInAt)
	k.Account.Claim = effect.Claim
	effect, _ = after(2 * time.Hour).SignIn(&k)
	assert.Equal(t, madeAt.Add(time.Hour), effect.Claim.SignedInAt, "the first one stays")
}

func TestAnImportRetractsItsOwnClaimsOnly(t *testing.T) {
	k := claimedCase(schema.Immediate)
	rules := after(time.Hour)
	assert.Empty(t, rules.RetractMade(&k, 2))
	assert.Equal(t, schema.CodeNotClaimed, rules.RetractMade(&k, 3), "another import has claimed it since")
	closed := *k.Account.Claim
	closed.ClosedAt = madeAt
	k.Closed, k.Account.Claim = &closed, nil
	assert.Equal(t, schema.CodeClaimClosed, rules.RetractMade(&k, 2))
	k.Closed = nil
	assert.Equal(t, schema.CodeNotClaimed, rules.RetractMade(&k, 2))
	assert.Equal(t, schema.CodeUserNotFound, rules.RetractMade(&claim.View{Organization: k.Organization}, 2))
}

func TestARetractTouchesTheClaimAlone(t *testing.T) {
	k := claimedCase(schema.Delayed)
	effect := after(time.Hour).Retracted(&k)
	made := *k.Account.Claim
	made.ClosedAt, made.ClosedBy = madeAt.Add(time.Hour), schema.ClosedRetracted
	assert.Equal(t, claim.Effect{Before: k.Account, At: madeAt.Add(time.Hour), Claim: &made, Mails: []claim.Mail{claim.MailRetracted}}, effect)
}
