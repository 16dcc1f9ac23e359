package storetest

import (
	"errors"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

var loadTests = map[string]func(*suite){
	"load/settings come back": func(s *suite) {
		in := world()
		s.load(in)
		list, err := s.Organizations(s.ctx())
		require.NoError(s, err)
		require.Equal(s, []schema.Organization{in.organizations[0], in.organizations[2], in.organizations[3], in.organizations[1]}, list)
		one, err := s.Organization(s.ctx(), "acme")
		require.NoError(s, err)
		require.Equal(s, in.organizations[0], one)
		_, err = s.Organization(s.ctx(), "nobody")
		s.refused(err, schema.CodeOrganizationUnknown)

		licenses, err := s.Licenses(s.ctx(), s.rules(), "acme")
		require.NoError(s, err)
		require.Equal(s, in.licenses[:2], licenses)
		_, err = s.Licenses(s.ctx(), s.rules(), "nobody")
		s.refused(err, schema.CodeOrganizationUnknown)

		domains, err := s.Domains(s.ctx(), "umbrella")
		require.NoError(s, err)
		require.Equal(s, in.domains[2:], domains)
		_, err = s.Domains(s.ctx(), "nobody")
		s.refused(err, schema.CodeOrganizationUnknown)
	},

	"load/users come back": func(s *suite) {
		full := user(1, "Åsa@ACME.example", "free", "Calling", "Meetings")
		full.Status, full.InactiveSince, full.LastSignIn = schema.Inactive, s.now.Add(-day), s.now.Add(-2*day)
		full.Conversations = 7
		full.Profile = schema.Profile{FirstName: "Åsa", LastName: `Öst "x"`, DisplayName: "Å; Ö", Title: "CEO", Department: "D", Phone: "+46701234567", PreferredLanguage: "sv-SE"}
		s.load(world(full, user(2, "bo@acme.example", "home")))

		accounts := s.accounts("acme", "bo@acme.example", "nobody@acme.example", "åsa@acme.example")
		want := full.User
		want.ID = ""
		require.NotZero(s, accounts[2].ID)
		accounts[2].User.ID = ""
		require.Equal(s, want, accounts[2].User)
		require.Equal(s, "Free", accounts[2].Organization.Name)
		require.Nil(s, accounts[2].Claim)
		require.Zero(s, accounts[1])
		require.Equal(s, schema.UnknownConversations, accounts[0].User.Conversations)
		require.Equal(s, schema.Personal, accounts[0].Organization.Kind)
	},

	"load/twice changes nothing": func(s *suite) {
		in := world(user(1, "ann@acme.example", "free", "Calling"), user(2, "bo@acme.example", "home"), user(3, "cy@acme.example", "acme", "Calling"))
		in.claims = []store.LoadClaim{
			restored(2, "ann@acme.example", "acme", schema.Immediate, s.now.Add(-3*day)),
			restored(3, "bo@acme.example", "umbrella", schema.Delayed, s.now.Add(-3*day)),
		}
		s.load(in)
		keys := []string{"ann@acme.example", "bo@acme.example", "cy@acme.example"}
		before, held := s.accounts("acme", keys...), s.held("acme")
		require.Equal(s, map[string]int{"Calling": 1, "Meetings": 0}, held)
		require.Equal(s, schema.Active, before[0].Claim.StatusBefore)
		require.Equal(s, "acme", before[0].Claim.OrganizationID)
		require.Equal(s, schema.Delayed, before[1].Claim.Type)
		require.Equal(s, s.now.Add(-3*day), before[1].Claim.ClaimedAt)
		require.Equal(s, "umbrella", before[1].Claiming.ID)
		s.load(in)
		require.Equal(s, before, s.accounts("acme", keys...))
		require.Equal(s, held, s.held("acme"))
	},

	"load/again updates": func(s *suite) {
		in := world(user(1, "ann@acme.example", "free", "Calling"), user(2, "bo@acme.example", "free"))
		in.claims = []store.LoadClaim{restored(2, "bo@acme.example", "acme", schema.Immediate, s.now.Add(-3*day))}
		s.load(in)
		id := s.account("ann@acme.example").ID

		in.organizations[0].DirectorySync = true
		in.licenses[0].Quantity = 9
		in.domains[1].Status = schema.DomainVerified
		in.users[0] = user(1, "Ann2@acme.example", "acme", "Calling")
		in.users = append(in.users, user(3, "new@acme.example", "home"))
		in.claims[0].SignedInAt = s.now.Add(-day)
		s.load(in)

		require.Zero(s, s.account("ann@acme.example"))
		moved := s.account("ann2@acme.example")
		require.Equal(s, id, moved.ID)
		require.Equal(s, "Ann2@acme.example", moved.User.Email)
		require.Equal(s, "acme", moved.User.OrganizationID)
		require.NotZero(s, s.account("new@acme.example"))
		require.Equal(s, s.now.Add(-day), s.account("bo@acme.example").Claim.SignedInAt)
		require.Equal(s, map[string]int{"Calling": 1, "Meetings": 0}, s.held("acme"))
		facts, err := s.Facts(s.ctx(), "acme", []string{"x@claimed.example"})
		require.NoError(s, err)
		require.True(s, facts.Claiming.DirectorySync)
		require.Equal(s, 9, facts.Licenses[0].Quantity)
		require.Empty(s, facts.Domains["claimed.example"].ClaimedBy)
	},

	"load/addresses can be exchanged": func(s *suite) {
		s.load(world(user(1, "a@acme.example", "free"), user(2, "b@acme.example", "free"), user(3, "c@acme.example", "free")))
		before := s.accounts("acme", "a@acme.example", "b@acme.example", "c@acme.example")
		s.load(world(user(1, "b@acme.example", "free"), user(2, "c@acme.example", "free"), user(3, "a@acme.example", "free")))
		after := s.accounts("acme", "b@acme.example", "c@acme.example", "a@acme.example")
		for i := range before {
			require.Equal(s, before[i].ID, after[i].ID)
		}
	},

	"load/an address of somebody else is refused": func(s *suite) {
		s.load(world(user(1, "a@acme.example", "free"), user(2, "b@acme.example", "free")))
		refusal := s.refusal(s.tryLoad(world(user(5, "new@acme.example", "free"), user(3, "b@acme.example", "free"))), schema.CodeEmailDuplicate)
		require.Equal(s, "users.csv", refusal.File)
		require.Equal(s, 4, refusal.Line)
		require.Zero(s, s.account("new@acme.example"))
	},

	"load/doubles in the snapshot are refused": func(s *suite) {
		for range 2 { // into an empty store, and into one with users
			refusal := s.refusal(s.tryLoad(world(user(1, "a@acme.example", "free"), user(8, "b@acme.example", "free"), user(9, "A@ACME.example", "free"))), schema.CodeEmailDuplicate)
			require.Equal(s, "users.csv", refusal.File)
			require.Equal(s, 10, refusal.Line)
			same := user(1, "b@acme.example", "free")
			same.Line = 7
			refusal = s.refusal(s.tryLoad(world(user(1, "a@acme.example", "free"), same)), schema.CodeIDDuplicate)
			require.Equal(s, 7, refusal.Line)
			s.load(world(user(1, "a@acme.example", "free")))
		}
	},

	"load/unknown organizations are refused": func(s *suite) {
		refusal := s.refusal(s.tryLoad(world(user(1, "a@acme.example", "free"), user(4, "b@acme.example", "nobody"))), schema.CodeOrganizationUnknown)
		require.Equal(s, "users.csv", refusal.File)
		require.Equal(s, 5, refusal.Line)
		in := world(user(1, "a@acme.example", "free"))
		in.claims = []store.LoadClaim{restored(3, "a@acme.example", "nobody", schema.Immediate, s.now)}
		refusal = s.refusal(s.tryLoad(in), schema.CodeOrganizationUnknown)
		require.Equal(s, "claims.csv", refusal.File)
		require.Equal(s, 3, refusal.Line)
		in = world()
		in.licenses[0].OrganizationID = "nobody"
		require.Equal(s, "licenses.csv", s.refusal(s.tryLoad(in), schema.CodeOrganizationUnknown).File)
		in = world()
		in.domains[0].OrganizationID = "nobody"
		require.Equal(s, "domains.csv", s.refusal(s.tryLoad(in), schema.CodeOrganizationUnknown).File)
		list, err := s.Organizations(s.ctx())
		require.NoError(s, err)
		require.Empty(s, list, "all or nothing")
	},

	"load/a domain has one claimant": func(s *suite) {
		in := world()
		in.domains = append(in.domains, schema.Domain{Domain: "claimed.example", OrganizationID: "umbrella", Status: schema.DomainClaimed})
		require.Equal(s, "domains.csv", s.refusal(s.tryLoad(in), schema.CodeDomainClaimedElsewhere).File)
		s.load(world())
		in.domains[1].Status = schema.DomainVerified // it changes hands
		s.load(in)
		domains, err := s.Domains(s.ctx(), "acme")
		require.NoError(s, err)
		require.Equal(s, schema.DomainVerified, domains[1].Status)
	},

	"load/claims that cannot be restored are refused": func(s *suite) {
		in := world(user(1, "a@acme.example", "free"))
		in.claims = []store.LoadClaim{restored(2, "nobody@acme.example", "acme", schema.Immediate, s.now)}
		refusal := s.refusal(s.tryLoad(in), schema.CodeUserNotFound)
		require.Equal(s, "claims.csv", refusal.File)
		require.Equal(s, 2, refusal.Line)
		in.claims = []store.LoadClaim{restored(2, "a@acme.example", "acme", schema.Immediate, s.now), restored(3, "a@acme.example", "acme", schema.Delayed, s.now)}
		require.Equal(s, 3, s.refusal(s.tryLoad(in), schema.CodeIDDuplicate).Line)

		s.load(world(user(1, "a@acme.example", "free")))
		s.claimed("umbrella", "a@acme.example")
		in.claims = in.claims[:1]
		require.Equal(s, 2, s.refusal(s.tryLoad(in), schema.CodeClaimedElsewhere).Line)
		require.Equal(s, "umbrella", s.account("a@acme.example").Claim.OrganizationID)
	},

	"load/a claim on a member is left out": func(s *suite) {
		in := world(user(1, "a@acme.example", "acme"))
		in.claims = []store.LoadClaim{restored(2, "a@acme.example", "acme", schema.Immediate, s.now)}
		s.load(in)
		require.Nil(s, s.account("a@acme.example").Claim)
	},

	"load/a claim made here stays as it is": func(s *suite) {
		in := world(user(1, "a@acme.example", "free"))
		s.load(in)
		made := s.claimed("acme", "a@acme.example", "Calling")
		in.claims = []store.LoadClaim{restored(2, "a@acme.example", "acme", schema.Immediate, s.now.Add(-9*day))}
		s.now = s.now.Add(time.Hour)
		s.load(in)
		require.Equal(s, made, s.account("a@acme.example").Claim)
		require.Equal(s, map[string]int{"Calling": 1, "Meetings": 0}, s.held("acme"))
	},

	"load/an error of the source undoes everything": func(s *suite) {
		broken := errors.New("broken")
		err := s.Load(s.ctx(), s.rules(), func(into store.Loader) error {
			require.NoError(s, into.Organizations(s.ctx(), loadOrganizations(world().organizations)))
			require.NoError(s, into.Users(s.ctx(), []store.LoadUser{user(1, "a@acme.example", "free")}))
			return broken
		})
		require.ErrorIs(s, err, broken)
		list, err := s.Organizations(s.ctx())
		require.NoError(s, err)
		require.Empty(s, list)
		s.load(world(user(1, "a@acme.example", "free"))) // and can be done again
	},

	"load/nothing done here is undone": func(s *suite) {
		in := world(user(1, "late@acme.example", "home", "Calling"), user(2, "gone@acme.example", "acme", "Calling"), user(3, "other@acme.example", "free"))
		in.users[1].Status, in.users[1].InactiveSince = schema.Inactive, s.now.Add(-40*day)
		in.claims = []store.LoadClaim{
			restored(2, "late@acme.example", "acme", schema.Delayed, s.now.Add(-15*day)),
			restored(3, "gone@acme.example", "umbrella", schema.Delayed, s.now.Add(-15*day)),
		}
		in.users[1].InactiveSince = s.now.Add(-60 * day)
		in.claims = in.claims[:1]
		s.load(in)
		late := s.account("late@acme.example")
		require.Equal(s, "acme", late.User.OrganizationID, "completed, though nobody has written it")
		require.Zero(s, s.account("gone@acme.example"))

		in.users[0].Key, in.users[0].Email = "elsewhere@acme.example", "elsewhere@acme.example"
		in.users[0].Status = schema.Pending
		in.claims[0] = restored(2, "elsewhere@acme.example", "acme", schema.Delayed, s.now.Add(-15*day))
		for range 2 {
			s.load(in)
			require.Equal(s, late, s.account("late@acme.example"))
			require.Zero(s, s.account("elsewhere@acme.example"))
			require.Zero(s, s.account("gone@acme.example"))
			require.Equal(s, map[string]int{"Calling": 0, "Meetings": 0}, s.held("acme"))
		}
	},
}
