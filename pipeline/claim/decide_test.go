package claim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/schema"
)

var now = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

func rules() Rules { return Rules{Now: now, Policy: schema.DefaultPolicy()} }

func acme() *schema.Organization {
	return &schema.Organization{ID: "acme", Kind: schema.Enterprise, BringConversations: true, Created: now.AddDate(-9, 0, 0)}
}

func hooli() *schema.Organization {
	return &schema.Organization{ID: "hooli", Kind: schema.Personal, Created: time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC)}
}

// situation is everything a decision depends on.
type situation struct {
	claiming *schema.Organization
	source   *schema.Organization
	account  Account
	domain   Domain
	asked    schema.ClaimType
	rules    Rules
}

// eligible returns a situation in which the account may be claimed, delayed.
func eligible() *situation {
	source := hooli()
	return &situation{
		claiming: acme(), source: source, rules: rules(), domain: Domain{Ours: true},
		account: Account{ID: 1, Organization: source, User: schema.User{OrganizationID: source.ID, Status: schema.Active, Conversations: 3}},
	}
}

func (s *situation) claimed(by string, t schema.ClaimType, at time.Time) {
	s.account.Claim = &schema.Claim{ID: 1, OrganizationID: by, Type: t, ClaimedAt: at, StatusBefore: s.account.User.Status, Status: s.account.User.Status}
	s.account.Claiming = &schema.Organization{ID: by, Kind: schema.Enterprise}
}

func (s *situation) decide() Decision {
	return s.rules.Decide(s.claiming, s.domain, s.account, s.asked)
}

func (s *situation) moveTo(organization string) {
	s.account.User.OrganizationID = organization
	s.account.Organization = &schema.Organization{ID: organization, Kind: schema.Enterprise}
}

// Each rule by itself.
func TestRules(t *testing.T) {
	for name, c := range map[string]struct {
		given   func(*situation)
		outcome schema.Outcome
		reason  schema.Code
	}{
		"R1 no account":                        {func(s *situation) { s.account = Account{} }, "ineligible", "user_not_found"},
		"R2 our claim":                         {func(s *situation) { s.claimed("acme", schema.Immediate, now) }, "unchanged", "already_claimed"},
		"R2 our delayed claim":                 {func(s *situation) { s.claimed("acme", schema.Delayed, now) }, "unchanged", "already_claimed"},
		"R3 our member":                        {func(s *situation) { s.moveTo("acme") }, "unchanged", "already_member"},
		"R3 our member, whose domain is lost":  {func(s *situation) { s.moveTo("acme"); s.domain = Domain{} }, "unchanged", "already_member"},
		"R3 our member, claimed by another":    {func(s *situation) { s.moveTo("acme"); s.claimed("globex", schema.Immediate, now) }, "unchanged", "already_member"},
		"R4 another's claim":                   {func(s *situation) { s.claimed("globex", schema.Immediate, now) }, "ineligible", "claimed_elsewhere"},
		"R4 the claim of the user's own":       {func(s *situation) { s.claimed("hooli", schema.Immediate, now) }, "ineligible", "claimed_elsewhere"},
		"R5 domain not ours":                   {func(s *situation) { s.domain = Domain{} }, "ineligible", "domain_not_verified"},
		"R6 verified here, claimed elsewhere":  {func(s *situation) { s.domain.ClaimedBy = "globex" }, "ineligible", "domain_claimed_elsewhere"},
		"R6 claimed by the source":             {func(s *situation) { s.domain.ClaimedBy = "hooli" }, "ineligible", "domain_claimed_elsewhere"},
		"R6 verified elsewhere, which is fine": {func(s *situation) { s.domain.Elsewhere, s.domain.Overlapping = true, "a.acme.example" }, "ready", ""},
		"R7 single sign-on":                    {func(s *situation) { s.source.SSO = true }, "ineligible", "source_sso"},
		"R8 directory synchronization":         {func(s *situation) { s.source.DirectorySync = true }, "ineligible", "source_directory_sync"},
		"R9 immediate asked, delayed it is":    {func(s *situation) { s.asked = schema.Immediate }, "ineligible", "stale_claim_type"},
		"R9 delayed asked, immediate it is":    {func(s *situation) { s.asked = schema.Delayed; s.claiming.BringConversations = false }, "ineligible", "stale_claim_type"},
		"R12 blank takes what is planned":      {func(*situation) {}, "ready", ""},
		"R12 the type asked for is the type":   {func(s *situation) { s.asked = schema.Delayed }, "ready", ""},
		"R6 claimed by us is no hindrance":     {func(s *situation) { s.domain.ClaimedBy = "acme" }, "ready", ""},
		"single sign-on of ours is none":       {func(s *situation) { s.claiming.SSO = true }, "ready", ""},
		"whatever the status":                  {func(s *situation) { s.account.User.Status = schema.NotVerified }, "ready", ""},
		"inactive, but not for long enough":    {func(s *situation) { s.inactive(30*24*time.Hour - time.Second) }, "ready", ""},
		"R23 inactive for 30 days":             {func(s *situation) { s.inactive(30 * 24 * time.Hour) }, "ineligible", "user_not_found"},
		"inactive, nobody knows since when":    {func(s *situation) { s.account.User.Status = schema.Inactive }, "ready", ""},
		"R21 another's delayed claim, not due": {func(s *situation) { s.claimed("globex", schema.Delayed, now.Add(-14*24*time.Hour+time.Second)) }, "ineligible", "claimed_elsewhere"},
		"R21 another's delayed claim, due":     {func(s *situation) { s.claimed("globex", schema.Delayed, now.Add(-14*24*time.Hour)) }, "ready", ""},
		"R21 our delayed claim, not due":       {func(s *situation) { s.claimed("acme", schema.Delayed, now.Add(-14*24*time.Hour+time.Second)) }, "unchanged", "already_claimed"},
		"R21 our delayed claim, due":           {func(s *situation) { s.claimed("acme", schema.Delayed, now.Add(-14*24*time.Hour)) }, "unchanged", "already_member"},
		"an immediate claim stays open":        {func(s *situation) { s.claimed("acme", schema.Immediate, now.AddDate(-5, 0, 0)) }, "unchanged", "already_claimed"},
	} {
		t.Run(name, func(t *testing.T) {
			s := eligible()
			c.given(s)
			got := s.decide()
			assert.Equal(t, c.outcome, got.Outcome)
			if c.reason == "" {
				assert.Empty(t, got.Reasons)
				assert.NotEmpty(t, got.Type)
				return
			}
			assert.Equal(t, []schema.Code{c.reason}, got.Reasons)
			assert.Equal(t, c.outcome, c.reason.Outcome())
			assert.Empty(t, got.Type)
			assert.Empty(t, got.Warnings)
		})
	}
}

func (s *situation) inactive(since time.Duration) {
	s.account.User.Status, s.account.User.InactiveSince = schema.Inactive, now.Add(-since)
}

// R1 to R3 end the checks; of R4 to R9 all are told that apply, in this order.
func TestReasons(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) bool { return rapid.Bool().Draw(t, name) }
		s := eligible()
		var want []schema.Code
		when := func(applies bool, reason schema.Code, given func()) {
			if applies {
				given()
				want = append(want, reason)
			}
		}
		when(draw("R4"), "claimed_elsewhere", func() { s.claimed("globex", schema.Immediate, now) })
		when(draw("R5"), "domain_not_verified", func() { s.domain.Ours = false })
		s.rules.Policy.DomainElsewhere = rapid.SampledFrom([]schema.DomainElsewhere{"claimed", "verified", "overlapping"}).Draw(t, "elsewhere")
		claimed, elsewhere, overlapping := draw("claimed elsewhere"), draw("verified elsewhere"), draw("overlapping elsewhere")
		if s.domain.Elsewhere = elsewhere || claimed; overlapping {
			s.domain.Overlapping = "sub.acme.example"
		}
		when(claimed, "domain_claimed_elsewhere", func() { s.domain.ClaimedBy = "globex" })
		strict := s.rules.Policy.DomainElsewhere
		when(!claimed && (elsewhere && strict != "claimed" || overlapping && strict == "overlapping"), "domain_verified_elsewhere", func() {})
		when(draw("R7"), "source_sso", func() { s.source.SSO = true })
		when(draw("R8"), "source_directory_sync", func() { s.source.DirectorySync = true })
		when(draw("R9"), "stale_claim_type", func() { s.asked = schema.Immediate })
		outcome := schema.Ready
		if len(want) > 0 {
			outcome = schema.Ineligible
		}

		switch rapid.SampledFrom([]string{"none", "R1", "R2", "R3"}).Draw(t, "ends") {
		case "R1":
			s.account = Account{}
			outcome, want = schema.Ineligible, []schema.Code{"user_not_found"}
		case "R2":
			s.claimed("acme", schema.Immediate, now)
			s.account.User.OrganizationID = rapid.SampledFrom([]string{"hooli", "acme"}).Draw(t, "organization")
			outcome, want = schema.Unchanged, []schema.Code{"already_claimed"}
		case "R3":
			s.account.User.OrganizationID = "acme"
			outcome, want = schema.Unchanged, []schema.Code{"already_member"}
		}
		got := s.decide()
		require.Equal(t, outcome, got.Outcome)
		require.Equal(t, want, got.Reasons)
	})
}

func TestTypeFor(t *testing.T) {
	at := func(text string) time.Time {
		moment, err := time.Parse(time.RFC3339, text)
		require.NoError(t, err)
		return moment
	}
	for name, c := range map[string]struct {
		given func(*situation)
		want  schema.ClaimType
	}{
		"all of it":                          {func(*situation) {}, schema.Delayed},
		"delayed claims do not exist":        {func(s *situation) { s.rules.Policy.DelayedClaims = false }, schema.Immediate},
		"conversations are not brought":      {func(s *situation) { s.claiming.BringConversations = false }, schema.Immediate},
		"the source's setting is not asked":  {func(s *situation) { s.source.BringConversations = false }, schema.Delayed},
		"enterprise":                         {func(s *situation) { s.source.Kind = schema.Enterprise }, schema.Immediate},
		"consumer":                           {func(s *situation) { s.source.Kind = schema.Consumer }, schema.Immediate},
		"created on the last day":            {func(s *situation) { s.source.Created = at("2020-05-05T00:00:00Z") }, schema.Delayed},
		"in its last second":                 {func(s *situation) { s.source.Created = at("2020-05-05T23:59:59Z") }, schema.Delayed},
		"the day after":                      {func(s *situation) { s.source.Created = at("2020-05-06T00:00:00Z") }, schema.Immediate},
		"the day after, but not in UTC":      {func(s *situation) { s.source.Created = at("2020-05-06T01:59:59+02:00") }, schema.Delayed},
		"the last day, but not in UTC":       {func(s *situation) { s.source.Created = at("2020-05-05T19:00:00-05:00") }, schema.Immediate},
		"long ago":                           {func(s *situation) { s.source.Created = at("1999-12-31T00:00:00Z") }, schema.Delayed},
		"another date in the policy":         {func(s *situation) { s.rules.Policy.DelayedCreatedUntil = "2018-12-31" }, schema.Immediate},
		"another date, the source on it":     {func(s *situation) { s.rules.Policy.DelayedCreatedUntil = "2019-01-01" }, schema.Delayed},
		"age of the claiming one is nothing": {func(s *situation) { s.claiming.Created = now }, schema.Delayed},
	} {
		t.Run(name, func(t *testing.T) {
			s := eligible()
			c.given(s)
			assert.Equal(t, c.want, s.rules.TypeFor(s.claiming, s.source))
			got := s.decide()
			assert.Equal(t, schema.Ready, got.Outcome)
			assert.Equal(t, c.want, got.Type)
		})
	}
}

// R11: content stays behind with an immediate claim, where there is any or nobody knows.
func TestContentNotTransferred(t *testing.T) {
	for _, c := range []struct {
		bring         bool
		conversations int
		warned        bool
	}{{true, 3, false}, {true, schema.UnknownConversations, false}, {true, 0, false}, {false, 1, true}, {false, schema.UnknownConversations, true}, {false, 0, false}} {
		s := eligible()
		s.claiming.BringConversations, s.account.User.Conversations = c.bring, c.conversations
		got := s.decide()
		require.Equal(t, schema.Ready, got.Outcome)
		assert.Equal(t, c.warned, len(got.Warnings) == 1 && got.Warnings[0] == schema.CodeContentNotTransferred, "%+v", c)
		assert.Equal(t, c.warned, len(got.Warnings) > 0)
	}
}

// Confirm can make fewer claims of a decision, and no other ones (promise 1, R12).
func TestConfirm(t *testing.T) {
	for _, now := range []schema.ClaimType{schema.Immediate, schema.Delayed} {
		for _, planned := range []schema.ClaimType{schema.Immediate, schema.Delayed} {
			ready := Decision{Outcome: schema.Ready, Type: now, Warnings: []schema.Code{schema.CodeContentNotTransferred}}
			got := ready.Confirm(planned)
			if now == planned {
				assert.Equal(t, ready, got)
			} else {
				assert.Equal(t, Decision{Outcome: schema.Ineligible, Reasons: []schema.Code{schema.CodeStaleClaimType}}, got)
			}
			for _, no := range []Decision{
				{Outcome: schema.Unchanged, Reasons: []schema.Code{schema.CodeAlreadyClaimed}},
				{Outcome: schema.Ineligible, Reasons: []schema.Code{schema.CodeSourceSSO}},
			} {
				assert.Equal(t, no, no.Confirm(planned))
			}
		}
	}
}
