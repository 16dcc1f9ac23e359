package storetest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

var factsTests = map[string]func(*suite){
	"facts/in the order asked for": func(s *suite) {
		s.load(world(user(1, "c@acme.example", "free"), user(2, "a@acme.example", "home"), user(3, "b@umbrella.example", "umbrella")))
		keys := []string{"c@acme.example", "x@nowhere.example", "a@acme.example", "b@umbrella.example"}
		facts, err := s.Facts(s.ctx(), "acme", keys)
		require.NoError(s, err)
		require.Equal(s, "acme", facts.Claiming.ID)
		require.Equal(s, []string{"c@acme.example", "", "a@acme.example", "b@umbrella.example"}, []string{
			facts.Accounts[0].User.Email, facts.Accounts[1].User.Email, facts.Accounts[2].User.Email, facts.Accounts[3].User.Email,
		})
		require.Equal(s, claim.Domain{Ours: true, Elsewhere: true}, facts.Domains["acme.example"])
		require.Equal(s, claim.Domain{ClaimedBy: "umbrella", Elsewhere: true}, facts.Domains["umbrella.example"])
		require.Equal(s, claim.Domain{}, facts.Domains["nowhere.example"])
		require.Len(s, facts.Licenses, 2)

		facts, err = s.Facts(s.ctx(), "acme", []string{"x@claimed.example"})
		require.NoError(s, err)
		require.Equal(s, map[string]claim.Domain{"claimed.example": {Ours: true, ClaimedBy: "acme"}}, facts.Domains)
		facts, err = s.Facts(s.ctx(), "acme", nil)
		require.NoError(s, err)
		require.Empty(s, facts.Accounts)
		_, err = s.Facts(s.ctx(), "nobody", keys)
		s.refused(err, schema.CodeOrganizationUnknown)
	},

	"facts/domains that others hold, above, below and beside": func(s *suite) {
		in := world()
		held := func(domain, organization string, status schema.DomainStatus) {
			in.domains = append(in.domains, schema.Domain{Domain: domain, OrganizationID: organization, Status: status})
		}
		held("a.acme.example", "acme", schema.DomainVerified)
		held("deep.a.acme.example", "umbrella", schema.DomainClaimed)
		held("other.a.acme.example", "umbrella", schema.DomainVerified)
		held("xacme.example", "umbrella", schema.DomainVerified)
		held("a.acme.example.org", "umbrella", schema.DomainVerified)
		held("new.example", "acme", schema.DomainVerified)
		s.load(in)
		for key, want := range map[string]claim.Domain{
			"x@acme.example":             {Ours: true, Elsewhere: true, Overlapping: "deep.a.acme.example"},
			"x@a.acme.example":           {Ours: true, Overlapping: "acme.example"},
			"x@deep.a.acme.example":      {ClaimedBy: "umbrella", Elsewhere: true, Overlapping: "acme.example"},
			"x@leaf.deep.a.acme.example": {Overlapping: "deep.a.acme.example"},
			"x@b.acme.example":           {Overlapping: "acme.example"},
			"x@example.org":              {Overlapping: "a.acme.example.org"},
			"x@me.example":               {},
			"x@new.example":              {Ours: true},
		} {
			facts, err := s.Facts(s.ctx(), "acme", []string{key})
			require.NoError(s, err)
			require.Equal(s, map[string]claim.Domain{schema.KeyDomain(key): want}, facts.Domains, key)
		}
		// A domain that is set later is found, and one that is only pending is not.
		set := func(domain string, status schema.DomainStatus) {
			_, err := s.SetDomain(s.ctx(), "umbrella", domain, func(d *schema.Domain, _ string) error {
				d.Status = status
				return nil
			})
			require.NoError(s, err)
		}
		seen := func() claim.Domain {
			facts, err := s.Facts(s.ctx(), "acme", []string{"x@new.example", "x@acme.example"})
			require.NoError(s, err)
			return facts.Domains["new.example"]
		}
		set("sub.new.example", schema.DomainPending)
		require.Equal(s, claim.Domain{Ours: true}, seen())
		set("sub.new.example", schema.DomainVerified)
		require.Equal(s, claim.Domain{Ours: true, Overlapping: "sub.new.example"}, seen())
	},

	"facts/of any keys, close together or far apart": func(s *suite) {
		var users []store.LoadUser
		known := map[string]bool{}
		for i := range 60 {
			key := fmt.Sprintf("%s%02d@acme.example", []string{"a", "å", "z"}[i%3], i)
			users = append(users, user(i, key, "free"))
			known[key] = true
		}
		s.load(world(users...))
		for i := 0; i < 60; i += 7 {
			s.claimed("acme", users[i].Key) // those are read another way
		}
		everybody := append(keysOf(users), "00@acme.example", "a00x@acme.example", "zz@acme.example")
		slices.Sort(everybody)
		for first := range everybody {
			for step := 1; step < 5; step++ {
				var keys []string
				for i := first; i < len(everybody) && len(keys) < 9; i += step {
					keys = append(keys, everybody[i])
				}
				slices.Reverse(keys)
				facts, err := s.Facts(s.ctx(), "acme", keys)
				require.NoError(s, err)
				require.Len(s, facts.Accounts, len(keys))
				for i, a := range facts.Accounts {
					require.Equal(s, known[keys[i]], a.ID != 0, keys[i])
					if a.ID != 0 {
						require.Equal(s, keys[i], a.User.Email)
					}
				}
			}
		}
	},

	"facts/the open claim": func(s *suite) {
		s.load(world(user(1, "a@acme.example", "free")))
		owner := s.importing("acme", []string{"a@acme.example"})
		c := &claimer{rules: s.rules(), keys: []string{"a@acme.example"}, services: []string{"Calling"}, edits: schema.Profile{Title: "Boss"}}
		require.NoError(s, s.ApplyChunk(s.ctx(), owner, s.rules(), 1, store.Known{}, asked(c.keys...), c.decide))
		a := s.accounts("umbrella", "a@acme.example")[0]
		require.Equal(s, &schema.Claim{
			ID: c.ids[0], OrganizationID: "acme", Type: schema.Immediate, ClaimedAt: s.now, StatusBefore: schema.Active, Status: schema.Active,
			Edits: schema.Profile{Title: "Boss"}, Services: []string{"Calling"}, ImportID: owner.ImportID, Line: 2,
		}, a.Claim)
		require.Equal(s, "acme", a.Claiming.ID)
		require.Equal(s, "free", a.Organization.ID, "the user's own row is not touched")
		require.Empty(s, a.User.Title)
	},

	"candidates/all who could be eligible": func(s *suite) {
		users := []store.LoadUser{
			user(1, "z@acme.example", "free"), user(2, "a@acme.example", "home"), user(3, "m@claimed.example", "umbrella"),
			user(4, "member@acme.example", "acme"), user(5, "ours@acme.example", "free"), user(6, "theirs@acme.example", "free"),
			user(7, "x@sub.acme.example", "free"), user(8, "x@nowhere.example", "free"), user(9, "x@umbrella.example", "free"),
			user(10, "x@notacme.example", "free"),
		}
		s.load(world(users...))
		s.claimed("acme", "ours@acme.example")
		s.claimed("umbrella", "theirs@acme.example")

		require.Equal(s, []string{"a@acme.example", "m@claimed.example", "theirs@acme.example", "z@acme.example"}, s.candidates("acme", ""))
		require.Equal(s, []string{"m@claimed.example"}, s.candidates("acme", "claimed.example"))
		require.Empty(s, s.candidates("acme", "sub.acme.example"), "a subdomain is a domain of its own")
		require.Empty(s, s.candidates("free", ""))
		s.refused(s.Candidates(s.ctx(), s.rules(), "nobody", store.Selection{}, nil), schema.CodeOrganizationUnknown)
	},

	"candidates/many, with facts": func(s *suite) {
		var users []store.LoadUser
		for i := range 2100 {
			users = append(users, user(i, numbered(i), []string{"free", "home"}[i%2]))
		}
		s.load(world(users...))
		var keys []string
		require.NoError(s, s.Candidates(s.ctx(), s.rules(), "acme", store.Selection{}, func(batch store.Batch) error {
			require.Len(s, batch.Facts.Accounts, len(batch.Keys))
			for i, a := range batch.Facts.Accounts {
				require.Equal(s, batch.Keys[i], a.User.Email)
				require.Equal(s, a.User.OrganizationID, a.Organization.ID)
			}
			require.Equal(s, "acme", batch.Facts.Claiming.ID)
			require.True(s, batch.Facts.Domains["acme.example"].Ours)
			keys = append(keys, batch.Keys...)
			return nil
		}))
		want := keysOf(users)
		slices.Sort(want)
		require.Equal(s, want, keys)

		enough := errors.New("enough")
		calls := 0
		require.ErrorIs(s, s.Candidates(s.ctx(), s.rules(), "acme", store.Selection{}, func(store.Batch) error { calls++; return enough }), enough)
		require.Equal(s, 1, calls)
	},

	"candidates/time makes more": func(s *suite) {
		in := world(user(1, "left@acme.example", "acme"))
		in.claims = []store.LoadClaim{restored(2, "left@acme.example", "umbrella", schema.Delayed, s.now.Add(-14*day))}
		s.load(in)
		require.Equal(s, "umbrella", s.account("left@acme.example").User.OrganizationID)
		require.Equal(s, []string{"left@acme.example"}, s.candidates("acme", ""))
	},
}

// candidates lists the candidates that are neither members nor claimed now.
func (s *suite) candidates(organization, domain string) []string {
	s.Helper()
	var keys []string
	require.NoError(s, s.Candidates(s.ctx(), s.rules(), organization, store.Selection{Domain: domain}, func(batch store.Batch) error {
		for i, a := range batch.Facts.Accounts {
			if a = s.rules().AsOf(a); a.ID != 0 && a.User.OrganizationID != organization && (a.Claim == nil || a.Claim.OrganizationID != organization) {
				keys = append(keys, batch.Keys[i])
			}
		}
		return nil
	}))
	return keys
}
