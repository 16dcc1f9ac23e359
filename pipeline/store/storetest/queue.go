package storetest

import (
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

var queueTests = map[string]func(*suite){
	"queue/what nobody attends": func(s *suite) {
		s.load(world())
		s.planning("acme")
		s.planned("acme", []string{"a@acme.example"})
		s.importing("acme", []string{"a@acme.example"})
		left := s.importing("acme", []string{"a@acme.example"})
		require.NoError(s, s.ReleaseImport(s.ctx(), left, lease, s.now))
		require.Empty(s, s.due(0))

		queued, running := s.queued("acme", 2), s.queued("acme", 2)
		owner := s.take(running)
		require.Equal(s, []int64{queued}, s.due(0))
		s.now = s.now.Add(lease - time.Second)
		require.Equal(s, []int64{queued}, s.due(0))
		s.now = s.now.Add(time.Second) // whoever had it has died
		require.Equal(s, []int64{queued, running}, s.due(0))
		owner = s.take(owner.ImportID)
		require.Equal(s, []int64{queued}, s.due(0))
		require.NoError(s, s.ReleaseImport(s.ctx(), owner, lease, s.now))
		require.Equal(s, []int64{queued, running}, s.due(0))
		due, err := s.DueImports(s.ctx(), 0)
		require.NoError(s, err)
		require.Equal(s, owner.Epoch, due[1].Epoch)
		require.Equal(s, "acme", due[1].Organization)
		require.Equal(s, 2, due[1].Rows)

		_, err = s.CancelImport(s.ctx(), "acme", queued, s.now)
		require.NoError(s, err)
		require.NoError(s, s.InterruptImport(s.ctx(), s.take(running), s.now))
		s.now = s.now.Add(day)
		require.Empty(s, s.due(0), "it waits for a person")
		_, err = s.ReopenImport(s.ctx(), "acme", running, false, lease)
		require.NoError(s, err)
		require.Equal(s, []int64{running}, s.due(0))
	},

	"queue/small ones first, and by turns": func(s *suite) {
		s.load(world())
		large, medium, second := s.queued("acme", 100_001), s.queued("acme", 1001), s.queued("acme", 100_000)
		theirs, theirLarge := s.queued("umbrella", 50_000), s.queued("umbrella", 200_000)
		small := s.queued("umbrella", 1000)
		require.Equal(s, []int64{small, medium, second, theirs, large, theirLarge}, s.due(0))

		turn := func(id int64) {
			s.now = s.now.Add(time.Second)
			owner, err := s.TakeTurn(s.ctx(), id, "third", lease, 1)
			require.NoError(s, err)
			require.NoError(s, s.ReleaseImport(s.ctx(), owner, lease, s.now))
		}
		turn(medium)
		require.Equal(s, []int64{small, theirs, medium, second, theirLarge, large}, s.due(0))
		turn(theirs)
		require.Equal(s, []int64{small, medium, second, theirs, large, theirLarge}, s.due(0))
	},

	"queue/some of an organization at once": func(s *suite) {
		s.load(world())
		one, two, three, theirs := s.queued("acme", 5), s.queued("acme", 5), s.queued("acme", 5), s.queued("umbrella", 5)
		s.importing("acme", []string{"a@acme.example"}) // at a terminal, which does not count
		take := func(id int64, atOnce int) error {
			_, err := s.another().TakeTurn(s.ctx(), id, "third", lease, atOnce)
			return err
		}
		require.NoError(s, take(one, 1))
		s.refused(take(one, 1), schema.CodeImportRunning)
		s.refused(take(two, 1), schema.CodeImportRunning)
		require.Equal(s, []int64{theirs}, s.due(1))
		require.Equal(s, []int64{theirs, two, three}, s.due(2))
		require.NoError(s, take(theirs, 1))
		require.NoError(s, take(two, 2))
		s.refused(take(three, 2), schema.CodeImportRunning)
		require.Empty(s, s.due(2))
		require.NoError(s, take(three, 0))
		s.now = s.now.Add(lease)
		require.Len(s, s.due(1), 4)
	},

	"queue/several want their turn at the same time": func(s *suite) {
		s.load(world())
		var ids []int64
		for range 8 {
			ids = append(ids, s.queued("acme", 5))
		}
		var taken atomic.Int64
		var g errgroup.Group
		for _, id := range ids {
			process := s.another()
			g.Go(func() error {
				_, err := process.TakeTurn(s.ctx(), id, "third", lease, 2)
				if err == nil {
					taken.Add(1)
				} else if schema.CodeOf(err) != schema.CodeImportRunning {
					return err
				}
				return nil
			})
		}
		require.NoError(s, g.Wait())
		require.EqualValues(s, 2, taken.Load())
	},
}

// queued returns an import of so many rows that nobody attends, agreed to.
func (s *suite) queued(organization string, rows int) int64 {
	s.Helper()
	owner, err := s.CreateImport(s.ctx(), schema.Import{OrganizationID: organization, File: "users.csv", StartedAt: s.now}, "first", lease)
	require.NoError(s, err)
	require.NoError(s, s.KeepChunk(s.ctx(), owner, store.Chunk{Number: 1, Planned: tallyOf(schema.Ready, rows-1)}))
	require.NoError(s, s.KeepChunk(s.ctx(), owner, store.Chunk{Number: 2, Planned: tallyOf(schema.Ready, 1)}))
	s.seal(owner)
	imp, err := s.Agree(s.ctx(), organization, owner.ImportID, lease, schema.Consent{By: "ann", At: s.now, Claims: rows})
	require.NoError(s, err)
	require.Equal(s, schema.StateQueued, imp.State)
	return owner.ImportID
}

// due lists the imports that are due, in their order.
func (s *suite) due(atOnce int) []int64 {
	s.Helper()
	due, err := s.DueImports(s.ctx(), atOnce)
	require.NoError(s, err)
	ids := make([]int64, len(due))
	for i := range due {
		ids[i] = due[i].ID
	}
	return ids
}
