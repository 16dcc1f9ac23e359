package storetest

import (
	"time"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

var licenseTests = map[string]func(*suite){
	"licenses/held by members and immediate claims": func(s *suite) {
		s.load(world(user(1, "a@acme.example", "free", "Calling"), user(2, "b@acme.example", "acme", "Calling", "Unknown"), user(3, "c@acme.example", "home"), user(4, "d@acme.example", "free")))
		require.Equal(s, map[string]int{"Calling": 1, "Meetings": 0}, s.held("acme"))
		keys := []string{"a@acme.example", "c@acme.example", "d@acme.example"}
		c := s.apply(s.importing("acme", keys), 1, keys, "Calling")
		require.Equal(s, 1, c.facts.Licenses[0].Held)
		require.Equal(s, map[string]int{"Calling": 2, "Meetings": 0}, s.held("acme"), "one was left, and nothing is held by a delayed claim")
		accounts := s.accounts("acme", keys...)
		require.Equal(s, []string{"Calling"}, accounts[0].Claim.Services)
		require.Equal(s, []string{"Calling"}, accounts[1].Claim.Services, "asked for")
		require.Empty(s, accounts[2].Claim.Services)
		s.load(world())
		require.Equal(s, map[string]int{"Calling": 2, "Meetings": 0}, s.held("acme"), "counted anew")
	},

	"licenses/due completions count, as far as licences last": func(s *suite) {
		keys := []string{"a@acme.example", "b@acme.example", "c@acme.example"}
		s.load(world(user(1, keys[0], "home", "Calling"), user(2, keys[1], "home"), user(3, keys[2], "home"), user(4, "d@acme.example", "free")))
		for i, key := range keys {
			s.now = start.Add([]time.Duration{day, -day, 3 * day}[i])
			require.Equal(s, schema.Delayed, s.claimed("acme", key, "Calling").Type)
		}
		require.Equal(s, 0, s.held("acme")["Calling"])
		s.now = start.Add(13*day + 1)
		require.Equal(s, 1, s.held("acme")["Calling"])
		s.now = start.Add(20 * day)
		require.Equal(s, 2, s.held("acme")["Calling"], "there are two, and three were asked for")

		// The chunk of an import finds them settled.
		one := []string{"d@acme.example"}
		c := s.apply(s.importing("acme", one), 1, one, "Calling")
		require.Equal(s, 2, c.facts.Licenses[0].Held)
		accounts := s.accounts("acme", keys...)
		require.Equal(s, []string{"Calling"}, accounts[1].User.Services, "the first to complete")
		require.Equal(s, []string{"Calling"}, accounts[0].User.Services)
		require.Empty(s, accounts[2].User.Services, "none was left")
		for _, a := range accounts {
			require.Equal(s, "acme", a.User.OrganizationID)
			require.Nil(s, a.Claim)
		}
		require.Equal(s, 2, s.held("acme")["Calling"])
	},

	"licenses/due removals free them": func(s *suite) {
		in := world(user(1, "a@acme.example", "acme", "Calling"), user(2, "b@acme.example", "free"))
		in.users[0].Status, in.users[0].InactiveSince = schema.Inactive, s.now.Add(-29*day)
		s.load(in)
		require.Equal(s, 1, s.held("acme")["Calling"])
		s.now = s.now.Add(day)
		require.Equal(s, 0, s.held("acme")["Calling"])
		s.claimed("acme", "b@acme.example", "Calling")
		require.Equal(s, 1, s.held("acme")["Calling"])
		require.Zero(s, s.accounts("acme", "a@acme.example")[0])
	},

	"licenses/who is completed away frees them": func(s *suite) {
		in := world(user(1, "a@acme.example", "umbrella", "Calling"))
		in.claims = []store.LoadClaim{restored(2, "a@acme.example", "acme", schema.Delayed, s.now.Add(-13*day))}
		s.load(in)
		require.Equal(s, 1, s.held("umbrella")["Calling"])
		s.now = s.now.Add(day)
		require.Equal(s, 0, s.held("umbrella")["Calling"])
	},
}
