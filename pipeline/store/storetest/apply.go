package storetest

import (
	"errors"
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

var applyTests = map[string]func(*suite){
	"apply/many claims, in any order": func(s *suite) {
		var users []store.LoadUser
		for i := range 1100 {
			users = append(users, user(i, numbered(i), "free"))
		}
		s.load(world(users...))
		keys := keysOf(users)
		c := s.apply(s.importing("acme", keys), 1, keys, "Meetings")
		require.Len(s, c.ids, len(keys))
		for i, a := range s.accounts("acme", keys...) {
			require.Equal(s, c.ids[i], a.Claim.ID, "ids are in the order of the claims")
			require.Equal(s, i+2, a.Claim.Line)
		}
		require.Equal(s, len(keys), s.held("acme")["Meetings"])
	},

	"apply/a chunk that is done is not asked about": func(s *suite) {
		keys := []string{"a@acme.example"}
		s.load(world(user(1, keys[0], "free")))
		owner := s.importing("acme", keys)
		s.apply(owner, 1, keys, "Calling")
		before := s.imported(owner.ImportID)
		again := s.apply(owner, 1, keys, "Calling")
		require.Nil(s, again.outcomes)
		require.Equal(s, before, s.imported(owner.ImportID))
		require.Equal(s, 1, s.held("acme")["Calling"])
	},

	"apply/an error of decide writes nothing": func(s *suite) {
		keys := []string{"a@acme.example"}
		s.load(world(user(1, keys[0], "free")))
		owner := s.importing("acme", keys)
		before := s.imported(owner.ImportID)
		broken := errors.New("broken")
		err := s.ApplyChunk(s.ctx(), owner, s.rules(), 1, store.Known{}, asked(keys...), func(claim.Facts) (store.Applied, error) { return store.Applied{}, broken })
		require.ErrorIs(s, err, broken)
		require.Equal(s, before, s.imported(owner.ImportID))
		require.Equal(s, []int{1}, s.chunks(owner.ImportID, true))
		require.Nil(s, s.account(keys[0]).Claim)
	},

	"apply/a second claim on an account undoes the chunk": func(s *suite) {
		keys := []string{"a@acme.example", "b@acme.example"}
		s.load(world(user(1, keys[0], "free"), user(2, keys[1], "free")))
		s.claimed("umbrella", keys[1])
		owner := s.importing("acme", keys)
		before := s.imported(owner.ImportID)
		require.Error(s, s.ApplyChunk(s.ctx(), owner, s.rules(), 1, store.Known{}, asked(keys...), func(facts claim.Facts) (store.Applied, error) {
			applied := store.Applied{Results: func([]int64) []byte { return []byte("r") }}
			for i, a := range facts.Accounts {
				applied.Claims = append(applied.Claims, store.NewClaim{AccountID: a.ID, Type: schema.Immediate, StatusBefore: schema.Active, Line: i, Services: []string{"Calling"}})
			}
			return applied, nil
		}))
		require.Equal(s, before, s.imported(owner.ImportID))
		require.Nil(s, s.account(keys[0]).Claim)
		require.Zero(s, s.held("acme")["Calling"])
	},

	"apply/only what may be applied": func(s *suite) {
		keys := []string{"a@acme.example"}
		s.load(world(user(1, keys[0], "free")))
		c := &claimer{rules: s.rules(), keys: keys}
		waiting := s.planning("acme", keys)
		s.seal(waiting)
		require.Error(s, s.ApplyChunk(s.ctx(), waiting, s.rules(), 1, store.Known{}, asked(keys...), c.decide), "no consent")
		require.Error(s, s.ApplyChunk(s.ctx(), s.importing("acme", keys), s.rules(), 2, store.Known{}, asked(keys...), c.decide), "no such chunk")
		require.Nil(s, c.outcomes)
		require.Nil(s, s.account(keys[0]).Claim)
	},

	"apply/nothing to claim": func(s *suite) {
		keys := []string{"x@acme.example"}
		s.load(world())
		owner := s.importing("acme", keys, nil)
		c := s.apply(owner, 1, keys)
		require.Equal(s, schema.Ineligible, c.outcomes[keys[0]])
		require.NoError(s, s.ApplyChunk(s.ctx(), owner, s.rules(), 2, store.Known{}, asked(), func(claim.Facts) (store.Applied, error) { return store.Applied{}, nil }))
		require.Empty(s, s.chunks(owner.ImportID, true))
		kept, err := s.Chunk(s.ctx(), "acme", owner.ImportID, 2)
		require.NoError(s, err)
		require.Nil(s, kept.Results)
	},

	"apply/what is known stands while nobody else changes anything": func(s *suite) {
		keys := []string{"a@acme.example", "b@acme.example", "c@acme.example", "d@acme.example"}
		in := world(user(1, keys[0], "home"), user(2, keys[1], "home"), user(3, keys[2], "home"), user(4, keys[3], "home"))
		s.load(in)
		owner := s.importing("acme", keys[:1], keys[1:2], keys[2:3], keys[3:])
		known, err := s.Facts(s.ctx(), "acme", keys)
		require.NoError(s, err)
		apply := func(number int) (facts claim.Facts) {
			asked := false
			require.NoError(s, s.ApplyChunk(s.ctx(), owner, s.rules(), number, knownOf(known, number-1),
				func() ([]string, error) { asked = true; return keys[number-1 : number], nil },
				func(f claim.Facts) (store.Applied, error) {
					facts = f
					return store.Applied{Claims: []store.NewClaim{{
						AccountID: known.Accounts[number-1].ID, Type: schema.Delayed, StatusBefore: schema.Active, Line: number, Services: []string{},
					}}, Results: func([]int64) []byte { return nil }}, nil
				}))
			require.NotEqual(s, facts.Unchanged, asked)
			require.Equal(s, !facts.Unchanged, len(facts.Accounts) == 1)
			require.Equal(s, "acme", facts.Claiming.ID)
			require.NotEmpty(s, facts.Licenses)
			return facts
		}
		if known.Version != 0 { // a store that cannot be sure looks everything up
			require.True(s, apply(1).Unchanged)
			require.True(s, apply(2).Unchanged, "its own chunks change nothing for the others")
		}
		in.organizations[0].BringConversations = false
		s.load(in)
		facts := apply(3)
		require.False(s, facts.Unchanged)
		require.False(s, facts.Claiming.BringConversations)
		require.False(s, apply(4).Unchanged, "what has changed stays changed")
	},

	"apply/what is known does not survive another import": func(s *suite) {
		keys := []string{"a@acme.example", "b@acme.example", "c@acme.example"}
		s.load(world(user(1, keys[0], "home"), user(2, keys[1], "home"), user(3, keys[2], "home")))
		owner := s.importing("acme", keys[:1], keys[2:])
		known, err := s.Facts(s.ctx(), "acme", keys)
		require.NoError(s, err)
		apply := func(number int, key string) *claimer {
			c := &claimer{rules: s.rules(), keys: []string{key}}
			i := slices.Index(keys, key)
			require.NoError(s, s.ApplyChunk(s.ctx(), owner, s.rules(), number, knownOf(known, i), asked(key), func(f claim.Facts) (store.Applied, error) {
				if f.Unchanged {
					f.Accounts, f.Domains = known.Accounts[i:i+1], known.Domains
				}
				return c.decide(f)
			}))
			return c
		}
		require.Equal(s, schema.Claimed, apply(1, keys[0]).outcomes[keys[0]])
		s.claimed("umbrella", keys[2])
		require.Equal(s, schema.Ineligible, apply(2, keys[2]).outcomes[keys[2]])
	},

	"apply/facts are those of the moment": func(s *suite) {
		keys := []string{"b@acme.example", "a@acme.example"}
		in := world(user(1, keys[1], "free"), user(2, keys[0], "home"))
		s.load(in)
		owner := s.importing("acme", keys)
		in.organizations[0].BringConversations = false
		in.domains = append(in.domains, schema.Domain{Domain: "acme.example", OrganizationID: "free", Status: schema.DomainClaimed})
		s.load(in)
		c := s.apply(owner, 1, keys)
		require.Equal(s, "free", c.facts.Domains["acme.example"].ClaimedBy)
		require.False(s, c.facts.Claiming.BringConversations)
		require.Equal(s, map[string]schema.Outcome{keys[0]: schema.Ineligible, keys[1]: schema.Ineligible}, c.outcomes)
		require.True(s, slices.ContainsFunc(c.facts.Accounts, func(a claim.Account) bool { return a.Organization.ID == "home" }))
	},
}

// knownOf returns what a caller knows of one account of the facts.
func knownOf(facts claim.Facts, i int) store.Known {
	a := &facts.Accounts[i]
	return store.Known{Version: facts.Version, Accounts: []store.Seen{{Account: a.ID, Version: a.Version}}}
}
