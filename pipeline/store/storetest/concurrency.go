package storetest

import (
	"fmt"
	"slices"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

var concurrencyTests = map[string]func(*suite){
	"concurrency/everybody is claimed once": func(s *suite) {
		in := world()
		for i := range 240 {
			in.users = append(in.users, user(i, fmt.Sprintf("u%03d@acme.example", i), "free"))
		}
		s.load(in)
		keys := keysOf(in.users)
		backwards := slices.Clone(keys)
		slices.Reverse(backwards)

		// Three imports, of two organizations, by three handles, over the same people in different orders.
		type runner struct {
			organization string
			handle       *store.Store
			owner        store.Owner
			chunks       [][]string
			claimed      []string
		}
		var runners []*runner
		for i, organization := range []string{"acme", "acme", "umbrella"} {
			chunks := slices.Collect(slices.Chunk([][]string{keys, backwards, backwards}[i], 20))
			runners = append(runners, &runner{organization: organization, handle: s.another(), owner: s.importing(organization, chunks...), chunks: chunks})
		}
		var g errgroup.Group
		for _, r := range runners {
			g.Go(func() error {
				for i, keys := range r.chunks {
					c := &claimer{rules: s.rules(), keys: keys, services: []string{"Calling"}}
					if err := r.handle.ApplyChunk(s.ctx(), r.owner, s.rules(), i+1, store.Known{}, asked(keys...), c.decide); err != nil {
						return err
					}
					for key, outcome := range c.outcomes {
						if outcome == schema.Claimed {
							r.claimed = append(r.claimed, key)
						}
					}
				}
				return nil
			})
		}
		require.NoError(s, g.Wait())

		var all []string
		for _, r := range runners {
			require.Equal(s, len(r.claimed), s.imported(r.owner.ImportID).Tally.Outcomes[schema.Claimed])
			for _, a := range s.accounts("acme", r.claimed...) {
				require.Equal(s, r.organization, a.Claim.OrganizationID)
				require.Equal(s, r.owner.ImportID, a.Claim.ImportID)
			}
			all = append(all, r.claimed...)
		}
		slices.Sort(all)
		require.Equal(s, keys, all)
		require.LessOrEqual(s, s.held("acme")["Calling"], 2)
		require.LessOrEqual(s, s.held("umbrella")["Calling"], 5)
	},

	"concurrency/one chunk by many": func(s *suite) {
		keys := []string{"a@acme.example"}
		s.load(world(user(1, keys[0], "free")))
		owner := s.importing("acme", keys)
		claimers := make([]*claimer, 4)
		var g errgroup.Group
		for i := range claimers {
			claimers[i] = &claimer{rules: s.rules(), keys: keys}
			handle := s.another()
			g.Go(func() error {
				return handle.ApplyChunk(s.ctx(), owner, s.rules(), 1, store.Known{}, asked(keys...), claimers[i].decide)
			})
		}
		require.NoError(s, g.Wait())
		asked := 0
		for _, c := range claimers {
			if c.outcomes != nil {
				asked++
			}
		}
		require.Equal(s, 1, asked)
	},

	"concurrency/reading beside writing": func(s *suite) {
		in := world()
		for i := range 200 {
			in.users = append(in.users, user(i, fmt.Sprintf("u%03d@acme.example", i), "free"))
		}
		s.load(in)
		keys := keysOf(in.users)
		chunks := slices.Collect(slices.Chunk(keys, 20))
		owner := s.importing("acme", chunks...)
		reader := s.another()
		var g errgroup.Group
		g.Go(func() error {
			for i, keys := range chunks {
				c := &claimer{rules: s.rules(), keys: keys}
				if err := s.ApplyChunk(s.ctx(), owner, s.rules(), i+1, store.Known{}, asked(keys...), c.decide); err != nil {
					return err
				}
			}
			return nil
		})
		g.Go(func() error {
			for range 5 {
				imp, err := reader.Import(s.ctx(), "acme", owner.ImportID)
				if err != nil {
					return err
				}
				if n := imp.Tally.Outcomes[schema.Claimed]; imp.Tally.Rows != 200 || n%20 != 0 || n+imp.Tally.Outcomes[schema.Ready] != 200 {
					return fmt.Errorf("tally %+v", imp.Tally)
				}
				facts, err := reader.Facts(s.ctx(), "acme", keys)
				if err != nil {
					return err
				}
				claimed := 0
				for _, a := range facts.Accounts {
					if a.Claim != nil {
						claimed++
					}
				}
				if claimed%20 != 0 {
					return fmt.Errorf("%d claimed: a part of a chunk", claimed)
				}
			}
			return nil
		})
		require.NoError(s, g.Wait())
	},
}
