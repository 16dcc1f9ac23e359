package storetest

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

var dueTests = map[string]func(*suite){
	"due/a delayed claim completes": func(s *suite) {
		keys := []string{"a@acme.example", "b@acme.example"}
		in := world(user(1, keys[0], "home"), user(2, keys[1], "home"))
		in.users[0].FirstName, in.users[0].Title = "Ann", "Clerk"
		in.users[1].Status, in.users[1].InactiveSince = schema.Inactive, s.now.Add(-time.Hour)
		s.load(in)
		owner := s.importing("acme", keys)
		c := &claimer{rules: s.rules(), keys: keys, services: []string{"Meetings"}, edits: schema.Profile{Title: "Boss"}}
		require.NoError(s, s.ApplyChunk(s.ctx(), owner, s.rules(), 1, store.Known{}, asked(keys...), c.decide))
		require.Equal(s, schema.Delayed, s.account(keys[0]).Claim.Type)
		id := s.account(keys[0]).ID

		s.now = start.Add(14*day - 1)
		require.Equal(s, "home", s.account(keys[0]).User.OrganizationID)
		s.now = start.Add(14 * day)
		seen := []claim.Account{s.account(keys[0]), s.account(keys[1])}
		for i, a := range seen {
			require.Equal(s, "acme", a.User.OrganizationID)
			require.Nil(s, a.Claim)
			require.Equal(s, "Boss", a.User.Title)
			require.Equal(s, []string{"Meetings"}, a.User.Services)
			require.Equal(s, in.users[i].FirstName, a.User.FirstName)
		}
		require.Equal(s, schema.Inactive, seen[1].User.Status)
		require.Equal(s, s.now, seen[1].User.InactiveSince, "the whole time again")

		// Written by the next chunk that touches them, whosever.
		other := s.apply(s.importing("umbrella", keys), 1, keys)
		require.Equal(s, []claim.Account{seen[0], seen[1]}, withoutPointers(other.facts.Accounts, seen))
		require.Equal(s, map[string]schema.Outcome{keys[0]: schema.Claimed, keys[1]: schema.Claimed}, other.outcomes)
		a := s.accounts("acme", keys[0])[0]
		require.Equal(s, id, a.ID)
		require.Equal(s, "acme", a.User.OrganizationID)
		require.Equal(s, "umbrella", a.Claim.OrganizationID)
		require.Equal(s, 2, s.held("acme")["Meetings"])
	},

	"due/an inactive account is removed": func(s *suite) {
		keys := []string{"a@acme.example", "b@acme.example", "c@acme.example"}
		in := world(user(1, keys[0], "free"), user(2, keys[1], "free"), user(3, keys[2], "free"))
		for i := range in.users {
			in.users[i].Status = schema.Inactive
		}
		in.users[0].InactiveSince, in.users[1].InactiveSince = s.now.Add(-30*day), s.now.Add(-30*day+time.Second)
		s.load(in)
		require.Zero(s, s.account(keys[0]))
		require.NotZero(s, s.account(keys[1]))
		require.NotZero(s, s.account(keys[2]), "unknown since when")
		c := s.apply(s.importing("acme", keys), 1, keys)
		require.Equal(s, map[string]schema.Outcome{keys[0]: schema.Ineligible, keys[1]: schema.Claimed, keys[2]: schema.Claimed}, c.outcomes)
		require.Zero(s, s.accounts("acme", keys[0])[0], "written")
		s.now = s.now.Add(day)
		require.NotZero(s, s.account(keys[1]), "the claim lies over it")
		s.load(in)
		require.Zero(s, s.account(keys[0]), "does not come back")
		require.NotNil(s, s.account(keys[1]).Claim)
	},

	"due/completion, then removal": func(s *suite) {
		in := world(user(1, "a@acme.example", "home"), user(2, "b@acme.example", "free"))
		in.users[0].Status, in.users[0].InactiveSince = schema.Inactive, s.now.Add(-day)
		in.claims = []store.LoadClaim{restored(2, "a@acme.example", "acme", schema.Delayed, s.now)}
		s.load(in)
		s.now = start.Add(44*day - time.Second)
		require.Equal(s, "acme", s.account("a@acme.example").User.OrganizationID)
		s.now = start.Add(44 * day)
		require.Zero(s, s.account("a@acme.example"))
		s.claimed("acme", "b@acme.example")
		require.Zero(s, s.accounts("acme", "a@acme.example")[0])
	},

	"due/much at a time": func(s *suite) {
		in := world(user(0, "last@acme.example", "free"))
		for i := 1; i <= 520; i++ {
			in.users = append(in.users, user(i, fmt.Sprintf("u%d@acme.example", i), "home"))
			in.claims = append(in.claims, restored(i+1, in.users[i].Key, "acme", schema.Delayed, s.now.Add(-15*day)))
		}
		s.load(in)
		s.claimed("acme", "last@acme.example")
		for _, a := range s.accounts("acme", keysOf(in.users[1:])...) {
			require.Equal(s, "acme", a.User.OrganizationID)
			require.Nil(s, a.Claim)
		}
	},
}

// withoutPointers returns got with the versions of want, and its organizations where they are equal, so that
// accounts can be compared as a whole.
func withoutPointers(got, want []claim.Account) []claim.Account {
	for i := range got {
		got[i].Version = want[i].Version
		if *got[i].Organization == *want[i].Organization {
			got[i].Organization = want[i].Organization
		}
	}
	return got
}
