package storetest

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

var importTests = map[string]func(*suite){
	"imports/from plan to end": func(s *suite) {
		s.load(world(user(1, "a@acme.example", "free"), user(2, "b@acme.example", "acme")))
		owner, err := s.CreateImport(s.ctx(), schema.Import{OrganizationID: "acme", File: "users.csv", AllOrNothing: true, ActivationEmails: true}, "first", s.now, lease)
		require.NoError(s, err)
		require.Equal(s, "first", owner.Runner)
		want := schema.Import{
			ID: owner.ImportID, File: "users.csv", OrganizationID: "acme", State: schema.StatePlanning, AllOrNothing: true,
			ActivationEmails: true, StartedAt: s.now, LeaseUntil: s.now.Add(lease),
		}
		require.Equal(s, want, s.imported(owner.ImportID))

		chunks := []store.Chunk{
			{Number: 1, Data: []byte("rows"), Verdicts: []byte("verdicts"), Planned: tallyOf(schema.Ready, 2)},
			{Number: 2, Data: []byte("more"), Verdicts: []byte{}, Planned: tallyOf(schema.Skipped, 1), Done: true},
		}
		for _, chunk := range chunks {
			require.NoError(s, s.KeepChunk(s.ctx(), owner, chunk))
		}
		require.Error(s, s.KeepChunk(s.ctx(), owner, chunks[0]), "each once")
		require.NoError(s, s.SealPlan(s.ctx(), owner, "abc", []byte("plan")))
		want.State, want.SHA256, want.Plan = schema.StateAwaitingConsent, "abc", []byte("plan")
		want.Tally = schema.Tally{Rows: 3, Outcomes: map[schema.Outcome]int{schema.Ready: 2, schema.Skipped: 1}}
		require.Equal(s, want, s.imported(owner.ImportID))
		require.Equal(s, []int{1, 2}, s.chunks(owner.ImportID, false))
		require.Equal(s, []int{1}, s.chunks(owner.ImportID, true))
		kept, err := s.Chunk(s.ctx(), owner.ImportID, 1)
		require.NoError(s, err)
		require.Equal(s, chunks[0], kept)
		kept, err = s.Chunk(s.ctx(), owner.ImportID, 2)
		require.NoError(s, err)
		require.Nil(s, kept.Results)
		require.Equal(s, kept.Planned, kept.Applied)

		require.NoError(s, s.Consent(s.ctx(), owner, s.now.Add(time.Second), "ann"))
		want.State, want.ConsentedAt, want.ConsentedBy = schema.StateApplying, s.now.Add(time.Second), "ann"
		require.Equal(s, want, s.imported(owner.ImportID))
		c := s.apply(owner, 1, []string{"a@acme.example", "b@acme.example"})
		want.Tally = schema.Tally{
			Rows: 3, Outcomes: map[schema.Outcome]int{schema.Claimed: 1, schema.Unchanged: 1, schema.Skipped: 1},
			Reasons: map[schema.Code]int{schema.CodeAlreadyMember: 1},
		}
		require.Equal(s, want, s.imported(owner.ImportID))
		kept, err = s.Chunk(s.ctx(), owner.ImportID, 1)
		require.NoError(s, err)
		require.True(s, kept.Done)
		require.Equal(s, []byte("rows"), kept.Data)
		require.Equal(s, []byte(fmt.Sprint(c.ids)), kept.Results)
		require.Equal(s, map[schema.Outcome]int{schema.Claimed: 1, schema.Unchanged: 1}, kept.Applied.Outcomes)
		require.Equal(s, tallyOf(schema.Ready, 2), kept.Planned)
		require.Empty(s, s.chunks(owner.ImportID, true))

		end := store.ImportEnd{State: schema.StateCompleted, Reason: schema.CodeCancelled, At: s.now.Add(time.Minute)}
		want.State, want.Reason, want.FinishedAt, want.LeaseUntil = end.State, end.Reason, end.At, time.Time{}
		for range 2 {
			require.NoError(s, s.FinishImport(s.ctx(), owner, end))
			require.Equal(s, want, s.imported(owner.ImportID))
			end.At = end.At.Add(time.Hour)
		}
	},

	"imports/unknown ones": func(s *suite) {
		s.load(world())
		_, err := s.Import(s.ctx(), 99, s.now)
		s.refused(err, schema.CodeImportNotFound)
		_, err = s.AcquireImport(s.ctx(), 99, "x", s.now, lease)
		s.refused(err, schema.CodeImportNotFound)
		s.refused(s.RequestCancel(s.ctx(), 99, s.now), schema.CodeImportNotFound)
		_, err = s.Chunk(s.ctx(), 99, 1)
		s.refused(err, schema.CodeImportNotFound)
		_, err = s.CreateImport(s.ctx(), schema.Import{OrganizationID: "nobody"}, "x", s.now, lease)
		s.refused(err, schema.CodeOrganizationUnknown)
		_, err = s.ListImports(s.ctx(), "nobody", s.now, 0)
		s.refused(err, schema.CodeOrganizationUnknown)
	},

	"imports/the newest first": func(s *suite) {
		s.load(world())
		one, two, other := s.planned("acme", []string{"a@acme.example"}), s.planned("acme"), s.planned("umbrella")
		require.Equal(s, []int64{two.ImportID, one.ImportID}, s.listed("acme", 0))
		require.Equal(s, []int64{two.ImportID}, s.listed("acme", 1))
		require.Equal(s, []int64{other.ImportID}, s.listed("umbrella", 5))
		list, err := s.ListImports(s.ctx(), "acme", s.now, 0)
		require.NoError(s, err)
		require.Equal(s, 1, list[1].Tally.Rows)
		require.Equal(s, s.imported(one.ImportID), list[1])
	},

	"imports/dropped without a trace": func(s *suite) {
		s.load(world())
		owner := s.planned("acme", []string{"a@acme.example"})
		require.NoError(s, s.DropImport(s.ctx(), owner))
		_, err := s.Import(s.ctx(), owner.ImportID, s.now)
		s.refused(err, schema.CodeImportNotFound)
		require.Empty(s, s.chunks(owner.ImportID, false))
		require.Greater(s, s.planned("acme").ImportID, owner.ImportID, "an id is not used twice")
		require.Error(s, s.DropImport(s.ctx(), owner))
	},

	"imports/interrupted when the lease runs out": func(s *suite) {
		s.load(world())
		owner := s.importing("acme", []string{"a@acme.example"})
		s.now = s.now.Add(lease - time.Second)
		require.Equal(s, schema.StateApplying, s.imported(owner.ImportID).State)
		_, err := s.AcquireImport(s.ctx(), owner.ImportID, "second", s.now, lease)
		s.refused(err, schema.CodeImportRunning)
		s.now = s.now.Add(time.Second)
		require.Equal(s, schema.StateInterrupted, s.imported(owner.ImportID).State)
		list, err := s.ListImports(s.ctx(), "acme", s.now, 0)
		require.NoError(s, err)
		require.Equal(s, schema.StateInterrupted, list[0].State)

		require.NoError(s, s.RenewImport(s.ctx(), owner, s.now, lease), "nobody has taken it")
		require.Equal(s, s.now.Add(lease), s.imported(owner.ImportID).LeaseUntil)
		require.Equal(s, schema.StateApplying, s.imported(owner.ImportID).State)
	},

	"imports/taken over": func(s *suite) {
		keys := []string{"a@acme.example"}
		s.load(world(user(1, keys[0], "free")))
		old := s.importing("acme", keys)
		s.now = s.now.Add(lease)
		owner, err := s.AcquireImport(s.ctx(), old.ImportID, "second", s.now, lease)
		require.NoError(s, err)
		require.Equal(s, "second", owner.Runner)
		require.Greater(s, owner.Epoch, old.Epoch)
		before := s.imported(old.ImportID)

		c := &claimer{rules: s.rules(), keys: keys}
		for _, err := range []error{
			s.KeepChunk(s.ctx(), old, store.Chunk{Number: 9}),
			s.DropChunks(s.ctx(), old),
			s.SealPlan(s.ctx(), old, "x", nil),
			s.Consent(s.ctx(), old, s.now, "ann"),
			s.RenewImport(s.ctx(), old, s.now, time.Hour),
			s.ApplyChunk(s.ctx(), old, s.rules(), 1, store.Known{}, asked(keys...), c.decide),
			s.FinishImport(s.ctx(), old, store.ImportEnd{State: schema.StateFailed, At: s.now, RemoveRows: true}),
			s.DropImport(s.ctx(), old),
		} {
			s.refused(err, schema.CodeImportTakenOver)
		}
		require.Nil(s, c.outcomes, "not even asked")
		require.Equal(s, before, s.imported(old.ImportID))
		require.Nil(s, s.account(keys[0]).Claim)
		require.Equal(s, schema.Claimed, s.apply(owner, 1, keys).outcomes[keys[0]])
	},

	"imports/taken over in every state": func(s *suite) {
		keys := []string{"a@acme.example"}
		s.load(world(user(1, keys[0], "free"), user(2, "b@acme.example", "free")))
		acquire := func(id int64) (store.Owner, error) { return s.AcquireImport(s.ctx(), id, "second", s.now, lease) }

		planning, err := s.CreateImport(s.ctx(), schema.Import{OrganizationID: "acme"}, "first", s.now, lease)
		require.NoError(s, err)
		waiting, applying, applied := s.planned("acme", keys), s.importing("acme", keys), s.importing("acme", []string{"b@acme.example"})
		s.apply(applied, 1, []string{"b@acme.example"})
		s.now = s.now.Add(lease)
		_, err = acquire(planning.ImportID)
		s.refused(err, schema.CodeImportIncomplete)
		_, err = acquire(waiting.ImportID)
		require.NoError(s, err)
		require.Equal(s, schema.StateAwaitingConsent, s.imported(waiting.ImportID).State)

		// All was done but the end.
		owner, err := acquire(applied.ImportID)
		require.NoError(s, err)
		require.NoError(s, s.FinishImport(s.ctx(), owner, store.ImportEnd{State: schema.StateCompleted, At: s.now}))
		_, err = acquire(applied.ImportID)
		s.refused(err, schema.CodeImportFinished)

		// Ended with something left to do.
		owner, err = acquire(applying.ImportID)
		require.NoError(s, err)
		require.NoError(s, s.FinishImport(s.ctx(), owner, store.ImportEnd{State: schema.StateCancelled, Reason: schema.CodeCancelled, At: s.now}))
		owner, err = acquire(applying.ImportID)
		require.NoError(s, err)
		again := s.imported(applying.ImportID)
		require.Equal(s, schema.StateApplying, again.State)
		require.Zero(s, again.FinishedAt)
		require.Empty(s, again.Reason)
		require.NoError(s, s.FinishImport(s.ctx(), owner, store.ImportEnd{State: schema.StateRejected, At: s.now}))
		_, err = acquire(applying.ImportID)
		s.refused(err, schema.CodeImportFinished)
	},

	"imports/cancelled while somebody works": func(s *suite) {
		keys := []string{"a@acme.example"}
		s.load(world(user(1, keys[0], "free"), user(2, "b@acme.example", "free")))
		owner := s.importing("acme", keys, []string{"b@acme.example"})
		s.apply(owner, 1, keys)
		require.NoError(s, s.RequestCancel(s.ctx(), owner.ImportID, s.now))
		imp := s.imported(owner.ImportID)
		require.Equal(s, schema.StateApplying, imp.State)
		require.True(s, imp.CancelRequested)
		c := &claimer{rules: s.rules(), keys: []string{"b@acme.example"}}
		s.refused(s.ApplyChunk(s.ctx(), owner, s.rules(), 2, store.Known{}, asked(c.keys...), c.decide), schema.CodeCancelled)
		require.NoError(s, s.FinishImport(s.ctx(), owner, store.ImportEnd{State: schema.StateCancelled, Reason: schema.CodeCancelled, At: s.now}))
		s.refused(s.RequestCancel(s.ctx(), owner.ImportID, s.now), schema.CodeImportFinished)

		owner, err := s.AcquireImport(s.ctx(), owner.ImportID, "second", s.now, lease)
		require.NoError(s, err)
		require.Equal(s, []int{2}, s.chunks(owner.ImportID, true))
		require.Equal(s, schema.Claimed, s.apply(owner, 2, c.keys).outcomes["b@acme.example"])
	},

	"imports/cancelled while nobody works": func(s *suite) {
		keys := []string{"a@acme.example"}
		s.load(world(user(1, keys[0], "free")))
		old := s.importing("acme", keys)
		s.now = s.now.Add(lease)
		require.NoError(s, s.RequestCancel(s.ctx(), old.ImportID, s.now))
		imp := s.imported(old.ImportID)
		require.Equal(s, schema.StateCancelled, imp.State)
		require.Equal(s, schema.CodeCancelled, imp.Reason)
		require.Equal(s, s.now, imp.FinishedAt)
		require.False(s, imp.CancelRequested)

		c := &claimer{rules: s.rules(), keys: keys} // it was only asleep
		require.Error(s, s.ApplyChunk(s.ctx(), old, s.rules(), 1, store.Known{}, asked(keys...), c.decide))
		require.Nil(s, c.outcomes)
		require.Equal(s, imp, s.imported(old.ImportID))
		s.refused(s.RequestCancel(s.ctx(), old.ImportID, s.now), schema.CodeImportFinished)
	},

	"imports/who, with what, and how": func(s *suite) {
		s.load(world())
		imp := schema.Import{OrganizationID: "acme", File: "users.csv", CreatedBy: "ann, at a terminal", Version: "1.2.3", Options: []byte(`{"encoding":"macintosh"}`)}
		owner, err := s.CreateImport(s.ctx(), imp, "first", s.now, lease)
		require.NoError(s, err)
		require.NoError(s, s.SealPlan(s.ctx(), owner, "abc", nil))
		require.NoError(s, s.Consent(s.ctx(), owner, s.now, "bo, by the service"))
		found := s.imported(owner.ImportID)
		require.Equal(s, imp.CreatedBy, found.CreatedBy)
		require.Equal(s, imp.Version, found.Version)
		require.JSONEq(s, string(imp.Options), string(found.Options))
		require.Equal(s, "bo, by the service", found.ConsentedBy)
		require.Nil(s, s.imported(s.planned("acme").ImportID).Options)
	},

	"imports/planning begins again": func(s *suite) {
		keys := []string{"a@acme.example"}
		s.load(world(user(1, keys[0], "free")))
		owner, err := s.CreateImport(s.ctx(), schema.Import{OrganizationID: "acme"}, "first", s.now, lease)
		require.NoError(s, err)
		for range 2 {
			for number := range 3 {
				require.NoError(s, s.KeepChunk(s.ctx(), owner, store.Chunk{Number: number, Data: []byte("rows"), Results: []byte("r"), Planned: tallyOf(schema.Ready, 1)}))
			}
			require.NoError(s, s.DropChunks(s.ctx(), owner))
			require.Empty(s, s.chunks(owner.ImportID, false))
			require.Zero(s, s.imported(owner.ImportID).Tally)
		}
		planned := s.planned("acme", keys)
		s.refused(s.DropChunks(s.ctx(), planned), schema.CodeImportFinished)
		require.Len(s, s.chunks(planned.ImportID, false), 1)
	},

	"imports/a declined import keeps its rows": func(s *suite) {
		owner := s.declined()
		_, err := s.Chunk(s.ctx(), owner.ImportID, 1)
		require.NoError(s, err)
		imp := s.imported(owner.ImportID)
		require.Equal(s, schema.StateRejected, imp.State)
		require.Equal(s, schema.CodeConsentDeclined, imp.Reason)
		require.False(s, imp.RowsRemoved)
		_, err = s.AcquireImport(s.ctx(), owner.ImportID, "second", s.now, lease)
		s.refused(err, schema.CodeImportFinished)
	},

	"imports/rows are removed, summaries stay": func(s *suite) {
		keys := []string{"a@acme.example"}
		s.load(world(user(1, keys[0], "free"), user(2, "b@acme.example", "free")))
		finish := func(owner store.Owner, at time.Time, removeRows bool) schema.Import {
			require.NoError(s, s.FinishImport(s.ctx(), owner, store.ImportEnd{State: schema.StateCancelled, At: at, RemoveRows: removeRows}))
			return s.imported(owner.ImportID)
		}
		old := s.importing("acme", keys, []string{"b@acme.example"})
		s.apply(old, 1, keys)
		left, err := s.CreateImport(s.ctx(), schema.Import{OrganizationID: "acme"}, "first", s.now, lease)
		require.NoError(s, err)
		require.NoError(s, s.KeepChunk(s.ctx(), left, store.Chunk{Number: 1, Data: []byte("rows")}))
		oldEnd, recentEnd := s.now, s.now.Add(90*day)
		before := finish(old, oldEnd, false)
		recent := s.planned("acme", keys)
		finish(recent, recentEnd, false)
		s.now = recentEnd
		running := s.planned("acme", keys)

		for _, want := range []int{2, 0} {
			n, err := s.RemoveImports(s.ctx(), oldEnd.Add(time.Minute))
			require.NoError(s, err)
			require.Equal(s, want, n)
		}
		before.RowsRemoved = true
		require.Equal(s, before, s.imported(old.ImportID))
		require.Equal(s, 2, before.Tally.Rows)
		_, err = s.Chunk(s.ctx(), old.ImportID, 1)
		s.refused(err, schema.CodeImportRemoved)
		_, err = s.AcquireImport(s.ctx(), old.ImportID, "second", s.now, lease)
		s.refused(err, schema.CodeImportRemoved)
		require.True(s, s.imported(left.ImportID).RowsRemoved)
		s.refused(s.KeepChunk(s.ctx(), left, store.Chunk{Number: 2}), schema.CodeImportTakenOver)
		for _, owner := range []store.Owner{recent, running} {
			_, err = s.Chunk(s.ctx(), owner.ImportID, 1)
			require.NoError(s, err)
			require.False(s, s.imported(owner.ImportID).RowsRemoved)
		}

		require.True(s, finish(running, s.now, true).RowsRemoved)
		_, err = s.Chunk(s.ctx(), running.ImportID, 1)
		s.refused(err, schema.CodeImportRemoved)
	},
}

// declined is an import that nobody agreed to.
func (s *suite) declined() store.Owner {
	s.Helper()
	s.load(world(user(1, "a@acme.example", "free")))
	owner := s.planned("acme", []string{"a@acme.example"})
	require.NoError(s, s.FinishImport(s.ctx(), owner, store.ImportEnd{State: schema.StateRejected, Reason: schema.CodeConsentDeclined, At: s.now}))
	return owner
}

func (s *suite) imported(id int64) schema.Import {
	s.Helper()
	imp, err := s.Import(s.ctx(), id, s.now)
	require.NoError(s, err)
	return imp
}

func (s *suite) chunks(id int64, pending bool) []int {
	s.Helper()
	numbers, err := s.Chunks(s.ctx(), id, pending)
	require.NoError(s, err)
	return numbers
}

func (s *suite) listed(organization string, limit int) []int64 {
	s.Helper()
	list, err := s.ListImports(s.ctx(), organization, s.now, limit)
	require.NoError(s, err)
	ids := make([]int64, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	return ids
}

func tallyOf(outcome schema.Outcome, n int) schema.Tally {
	return schema.Tally{Rows: n, Outcomes: map[schema.Outcome]int{outcome: n}}
}
