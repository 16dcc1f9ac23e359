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
		owner, err := s.CreateImport(s.ctx(), schema.Import{OrganizationID: "acme", File: "users.csv", AllOrNothing: true, StartedAt: s.now}, "first", lease)
		require.NoError(s, err)
		require.Equal(s, "first", owner.Runner)
		want := schema.Import{
			ID: owner.ImportID, File: "users.csv", OrganizationID: "acme", State: schema.StatePlanning, AllOrNothing: true,
			StartedAt: s.now, Runner: "first", Epoch: 1, LeaseUntil: s.now.Add(lease),
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
		sealed, err := s.SealPlan(s.ctx(), owner, store.Sealed{SHA256: "abc", Plan: []byte("plan"), State: schema.StateAwaitingConsent, At: s.now})
		require.NoError(s, err)
		want.State, want.SHA256, want.Plan, want.Planned = schema.StateAwaitingConsent, "abc", []byte("plan"), true
		want.Runner, want.LeaseUntil = "", time.Time{}
		want.Tally = schema.Tally{Rows: 3, Outcomes: map[schema.Outcome]int{schema.Ready: 2, schema.Skipped: 1}}
		require.Equal(s, want, sealed)
		require.Equal(s, want, s.imported(owner.ImportID))
		require.Equal(s, []int{1, 2}, s.chunks(owner.ImportID, false))
		require.Equal(s, []int{1}, s.chunks(owner.ImportID, true))
		kept, err := s.Chunk(s.ctx(), "acme", owner.ImportID, 1)
		require.NoError(s, err)
		require.Equal(s, chunks[0], kept)
		kept, err = s.Chunk(s.ctx(), "acme", owner.ImportID, 2)
		require.NoError(s, err)
		require.Nil(s, kept.Results)
		require.Equal(s, kept.Planned, kept.Applied)

		on := true
		agreed, err := s.Agree(s.ctx(), "acme", owner.ImportID, lease, schema.Consent{
			By: "ann", At: s.now.Add(time.Second), Claims: 2, ActivationEmails: &on, AcceptEdits: true,
		})
		require.NoError(s, err)
		want.State, want.ConsentedAt, want.ConsentedBy = schema.StateQueued, s.now.Add(time.Second), "ann"
		want.ActivationEmails, want.EditsAccepted, want.LeaseUntil = true, true, s.now
		require.Equal(s, want, agreed)
		require.Equal(s, want, s.imported(owner.ImportID))
		owner = s.take(owner.ImportID)
		want.State, want.Runner, want.Epoch, want.LeaseUntil = schema.StateApplying, "second", 2, s.now.Add(lease)
		require.Equal(s, want, s.imported(owner.ImportID))
		c := s.apply(owner, 1, []string{"a@acme.example", "b@acme.example"})
		want.Tally = schema.Tally{
			Rows: 3, Outcomes: map[schema.Outcome]int{schema.Claimed: 1, schema.Unchanged: 1, schema.Skipped: 1},
			Reasons: map[schema.Code]int{schema.CodeAlreadyMember: 1},
		}
		applied := s.imported(owner.ImportID)
		want.OwnFrom, want.OwnTo = applied.OwnFrom, applied.OwnTo
		require.Equal(s, want, applied)
		kept, err = s.Chunk(s.ctx(), "acme", owner.ImportID, 1)
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

	"imports/by pages, the newest first": func(s *suite) {
		s.load(world())
		var ids []int64 // the newest first
		for i := range 5 {
			id := s.planned("acme", []string{"a@acme.example"})
			if i%2 == 1 {
				_, err := s.Decline(s.ctx(), "acme", id, s.now)
				require.NoError(s, err)
			}
			ids = append([]int64{id}, ids...)
			s.planned("umbrella", []string{"a@acme.example"})
		}
		pages := func(state schema.ImportState, limit int) (found []int64, calls int) {
			for before := int64(0); calls == 0 || before != 0; calls++ {
				list, next, err := s.ImportsBefore(s.ctx(), "acme", state, before, limit)
				require.NoError(s, err)
				require.LessOrEqual(s, len(list), limit)
				for i := range list {
					require.Equal(s, s.imported(list[i].ID), list[i])
					found = append(found, list[i].ID)
				}
				before = next
			}
			return found, calls
		}
		for limit, want := range map[int]int{1: 5, 2: 3, 4: 2, 5: 1, 6: 1} {
			found, calls := pages("", limit)
			require.Equal(s, ids, found)
			require.Equal(s, want, calls, "limit %d", limit)
		}
		for limit := 1; limit < 4; limit++ {
			found, _ := pages(schema.StateRejected, limit)
			require.Equal(s, []int64{ids[1], ids[3]}, found)
			found, _ = pages(schema.StateApplying, limit)
			require.Empty(s, found)
		}
		_, _, err := s.ImportsBefore(s.ctx(), "nobody", "", 0, 1)
		s.refused(err, schema.CodeOrganizationUnknown)
	},

	"imports/the key of a request stands for one import": func(s *suite) {
		s.load(world())
		asked := func(organization, digest string) schema.Import {
			return schema.Import{OrganizationID: organization, File: "users.csv", StartedAt: s.now, RequestKey: "k", RequestDigest: []byte(digest)}
		}
		repeated := func(digest string) (int64, bool) {
			s.Helper()
			imp, found, err := s.another().RepeatedImport(s.ctx(), "acme", "k", []byte(digest))
			require.NoError(s, err)
			return imp.ID, found
		}
		_, found := repeated("one")
		require.False(s, found)
		owner, err := s.CreateImport(s.ctx(), asked("acme", "one"), "first", lease)
		require.NoError(s, err)

		// while it is planned
		_, _, err = s.RepeatedImport(s.ctx(), "acme", "k", []byte("one"))
		s.refused(err, schema.CodeIdempotencyKeyBusy)
		_, _, err = s.RepeatedImport(s.ctx(), "acme", "k", []byte("two"))
		s.refused(err, schema.CodeIdempotencyKeyReused)
		_, err = s.CreateImport(s.ctx(), asked("acme", "one"), "second", lease)
		s.refused(err, schema.CodeIdempotencyKeyBusy)
		_, err = s.CreateImport(s.ctx(), asked("umbrella", "one"), "first", lease)
		require.NoError(s, err, "another organization has keys of its own")

		// refused: nothing is left of it
		require.NoError(s, s.DropImport(s.ctx(), owner))
		_, found = repeated("one")
		require.False(s, found)
		owner, err = s.CreateImport(s.ctx(), asked("acme", "two"), "first", lease)
		require.NoError(s, err)
		_, err = s.SealPlan(s.ctx(), owner, store.Sealed{SHA256: "abc", Plan: []byte("{}"), State: schema.StateAwaitingConsent, At: s.now})
		require.NoError(s, err)
		id, found := repeated("two")
		require.True(s, found)
		require.Equal(s, owner.ImportID, id)
		_, _, err = s.RepeatedImport(s.ctx(), "acme", "k", []byte("one"))
		s.refused(err, schema.CodeIdempotencyKeyReused)

		// a day later, and where its process died while it was planned, the key is free
		s.now = s.now.Add(day)
		_, found = repeated("two")
		require.False(s, found)
		again, err := s.CreateImport(s.ctx(), asked("acme", "one"), "first", lease)
		require.NoError(s, err)
		s.now = s.now.Add(2 * lease)
		require.Equal(s, schema.StateFailed, s.imported(again.ImportID).State)
		_, found = repeated("one")
		require.False(s, found)
		_, err = s.CreateImport(s.ctx(), asked("acme", "three"), "first", lease)
		require.NoError(s, err)
		require.Equal(s, owner.ImportID, s.imported(owner.ImportID).ID, "the imports themselves stay")
	},

	"imports/are counted by state": func(s *suite) {
		s.load(world())
		require.NoError(s, s.Check(s.ctx()))
		counts, err := s.CountImports(s.ctx())
		require.NoError(s, err)
		require.Empty(s, counts)
		begun := s.now
		s.planned("acme", []string{"a@acme.example"})
		s.now = s.now.Add(time.Hour)
		s.planned("umbrella", []string{"a@acme.example"})
		_, err = s.Decline(s.ctx(), "acme", s.planned("acme", []string{"a@acme.example"}), s.now)
		require.NoError(s, err)
		counts, err = s.CountImports(s.ctx())
		require.NoError(s, err)
		require.Equal(s, []store.ImportCount{
			{State: schema.StateAwaitingConsent, Count: 2, Oldest: begun}, {State: schema.StateRejected, Count: 1, Oldest: s.now},
		}, counts)
	},

	"imports/unknown ones": func(s *suite) {
		s.load(world())
		theirs := s.planned("umbrella", []string{"a@acme.example"})
		for _, id := range []int64{99, theirs} {
			for _, look := range []func() error{
				func() error { _, err := s.Import(s.ctx(), "acme", id); return err },
				func() error {
					_, err := s.Agree(s.ctx(), "acme", id, lease, schema.Consent{Claims: 1, At: s.now})
					return err
				},
				func() error { _, err := s.Decline(s.ctx(), "acme", id, s.now); return err },
				func() error { return s.DiscardImport(s.ctx(), "acme", id) },
				func() error { _, err := s.CancelImport(s.ctx(), "acme", id, s.now); return err },
				func() error { _, err := s.ReopenImport(s.ctx(), "acme", id, true, lease); return err },
				func() error { _, err := s.Chunks(s.ctx(), "acme", id, false); return err },
				func() error { _, err := s.Chunk(s.ctx(), "acme", id, 1); return err },
			} {
				s.refused(look(), schema.CodeImportNotFound)
			}
		}
		require.Equal(s, schema.StateAwaitingConsent, s.imported(theirs).State, "nothing has happened to it")
		_, err := s.TakeImport(s.ctx(), 99, "x", lease)
		s.refused(err, schema.CodeImportNotFound)
		_, err = s.CreateImport(s.ctx(), schema.Import{OrganizationID: "nobody", StartedAt: s.now}, "x", lease)
		s.refused(err, schema.CodeOrganizationUnknown)
		_, err = s.ListImports(s.ctx(), "nobody", 0)
		s.refused(err, schema.CodeOrganizationUnknown)
	},

	"imports/the newest first": func(s *suite) {
		s.load(world())
		one, two, other := s.planned("acme", []string{"a@acme.example"}), s.planned("acme"), s.planned("umbrella")
		require.Equal(s, []int64{two, one}, s.listed("acme", 0))
		require.Equal(s, []int64{two}, s.listed("acme", 1))
		require.Equal(s, []int64{other}, s.listed("umbrella", 5))
		list, err := s.ListImports(s.ctx(), "acme", 0)
		require.NoError(s, err)
		require.Equal(s, 1, list[1].Tally.Rows)
		require.Equal(s, s.imported(one), list[1])
	},

	"imports/dropped without a trace": func(s *suite) {
		s.load(world())
		owner := s.planning("acme", []string{"a@acme.example"})
		waiting := s.planned("acme", []string{"a@acme.example"})
		require.NoError(s, s.DropImport(s.ctx(), owner))
		require.NoError(s, s.DiscardImport(s.ctx(), "acme", waiting))
		for _, id := range []int64{owner.ImportID, waiting} {
			_, err := s.Import(s.ctx(), "acme", id)
			s.refused(err, schema.CodeImportNotFound)
			require.Greater(s, s.planned("acme"), id, "an id is not used twice")
		}
		require.Error(s, s.DropImport(s.ctx(), owner))
		running := s.importing("acme", []string{"a@acme.example"})
		s.refused(s.DiscardImport(s.ctx(), "acme", running.ImportID), schema.CodeImportRunning)
	},

	"imports/interrupted when the lease runs out": func(s *suite) {
		s.load(world())
		owner := s.importing("acme", []string{"a@acme.example"})
		s.now = s.now.Add(lease - time.Second)
		require.Equal(s, schema.StateApplying, s.imported(owner.ImportID).State)
		_, err := s.TakeImport(s.ctx(), owner.ImportID, "third", lease)
		s.refused(err, schema.CodeImportRunning)
		s.now = s.now.Add(time.Second)
		require.Equal(s, schema.StateInterrupted, s.imported(owner.ImportID).State)
		list, err := s.ListImports(s.ctx(), "acme", 0)
		require.NoError(s, err)
		require.Equal(s, schema.StateInterrupted, list[0].State)
		_, err = s.TakeImport(s.ctx(), owner.ImportID, "third", lease)
		s.refused(err, schema.CodeInterrupted)

		require.NoError(s, s.RenewImport(s.ctx(), owner, lease), "nobody has taken it")
		require.Equal(s, s.now.Add(lease), s.imported(owner.ImportID).LeaseUntil)
		require.Equal(s, schema.StateApplying, s.imported(owner.ImportID).State)
	},

	"imports/taken over": func(s *suite) {
		keys := []string{"a@acme.example"}
		s.load(world(user(1, keys[0], "free")))
		old := s.importing("acme", keys)
		s.now = s.now.Add(lease)
		_, err := s.ReopenImport(s.ctx(), "acme", old.ImportID, true, lease)
		require.NoError(s, err)
		owner := s.take(old.ImportID)
		require.Greater(s, owner.Epoch, old.Epoch)
		before := s.imported(old.ImportID)

		c := &claimer{rules: s.rules(), keys: keys}
		_, sealing := s.SealPlan(s.ctx(), old, store.Sealed{SHA256: "x", State: schema.StateAwaitingConsent, At: s.now})
		for _, err := range []error{
			sealing,
			s.KeepChunk(s.ctx(), old, store.Chunk{Number: 9}),
			s.DropChunks(s.ctx(), old),
			s.RenewImport(s.ctx(), old, time.Hour),
			s.ReleaseImport(s.ctx(), old, time.Hour, s.now),
			s.InterruptImport(s.ctx(), old, s.now),
			s.ApplyChunk(s.ctx(), old, s.rules(), 1, store.Known{}, asked(keys...), c.decide),
			s.FinishImport(s.ctx(), old, store.ImportEnd{State: schema.StateCompleted, At: s.now}),
			s.DropImport(s.ctx(), old),
		} {
			s.refused(err, schema.CodeImportTakenOver)
		}
		require.Nil(s, c.outcomes, "not even asked")
		require.Equal(s, before, s.imported(old.ImportID))
		require.Nil(s, s.account(keys[0]).Claim)
		require.Equal(s, schema.Claimed, s.apply(owner, 1, keys).outcomes[keys[0]])
	},

	"imports/taken in every state": func(s *suite) {
		keys := []string{"a@acme.example"}
		s.load(world(user(1, keys[0], "free"), user(2, "b@acme.example", "free")))
		take := func(id int64) error { _, err := s.TakeImport(s.ctx(), id, "third", lease); return err }
		reopen := func(id int64) error { _, err := s.ReopenImport(s.ctx(), "acme", id, true, lease); return err }

		planning := s.planning("acme")
		waiting, applying, applied := s.planned("acme", keys), s.importing("acme", keys), s.importing("acme", []string{"b@acme.example"})
		s.apply(applied, 1, []string{"b@acme.example"})
		for _, owner := range []store.Owner{planning, applying, applied} {
			s.refused(take(owner.ImportID), schema.CodeImportRunning)
			s.refused(reopen(owner.ImportID), schema.CodeImportRunning)
		}
		s.now = s.now.Add(lease)
		s.refused(take(planning.ImportID), schema.CodeImportIncomplete)
		s.refused(reopen(planning.ImportID), schema.CodeImportIncomplete)
		s.refused(take(waiting), schema.CodeConsentMissing)
		require.NoError(s, reopen(waiting))
		require.Equal(s, schema.StateAwaitingConsent, s.imported(waiting).State)

		// All was done but the end.
		require.NoError(s, reopen(applied.ImportID))
		owner := s.take(applied.ImportID)
		require.NoError(s, s.FinishImport(s.ctx(), owner, store.ImportEnd{State: schema.StateCompleted, At: s.now}))
		s.refused(take(applied.ImportID), schema.CodeImportFinished)
		s.refused(reopen(applied.ImportID), schema.CodeImportFinished)

		// Ended with something left to do: taking is not reopening.
		require.NoError(s, reopen(applying.ImportID))
		owner = s.take(applying.ImportID)
		require.NoError(s, s.FinishImport(s.ctx(), owner, store.ImportEnd{State: schema.StateCancelled, Reason: schema.CodeCancelled, At: s.now}))
		s.refused(take(applying.ImportID), schema.CodeImportFinished)
		require.NoError(s, reopen(applying.ImportID))
		again := s.imported(applying.ImportID)
		require.Equal(s, schema.StateApplying, again.State)
		require.Zero(s, again.FinishedAt)
		require.Empty(s, again.Reason)
		owner = s.take(applying.ImportID)
		require.NoError(s, s.FinishImport(s.ctx(), owner, store.ImportEnd{State: schema.StateRejected, At: s.now}))
		s.refused(take(applying.ImportID), schema.CodeImportFinished)
		s.refused(reopen(applying.ImportID), schema.CodeImportFinished)
	},

	"imports/released, and gone on with by another": func(s *suite) {
		keys := []string{"a@acme.example", "b@acme.example"}
		s.load(world(user(1, keys[0], "free"), user(2, keys[1], "free")))
		id := s.planned("acme", keys[:1], keys[1:])
		_, err := s.Agree(s.ctx(), "acme", id, lease, schema.Consent{By: "bo", At: s.now, Claims: 2})
		require.NoError(s, err)
		owner := s.take(id)
		s.apply(owner, 1, keys[:1])
		require.NoError(s, s.ReleaseImport(s.ctx(), owner, lease, s.now))
		imp := s.imported(id)
		require.Equal(s, schema.StateApplying, imp.State)
		require.False(s, imp.Owned(s.now))
		owner, err = s.another().TakeImport(s.ctx(), id, "third", lease)
		require.NoError(s, err)
		s.apply(owner, 2, keys[1:])

		require.NoError(s, s.InterruptImport(s.ctx(), owner, s.now))
		require.Equal(s, schema.StateInterrupted, s.imported(id).State)
		_, err = s.TakeImport(s.ctx(), id, "third", lease)
		s.refused(err, schema.CodeInterrupted)
		imp, err = s.ReopenImport(s.ctx(), "acme", id, false, lease)
		require.NoError(s, err)
		require.Equal(s, schema.StateQueued, imp.State)
		s.take(id)
	},

	"imports/left by one that died, and gone on with by another": func(s *suite) {
		s.load(world())
		id := s.planned("acme", []string{"a@acme.example"})
		_, err := s.Agree(s.ctx(), "acme", id, lease, schema.Consent{By: "bo", At: s.now, Claims: 1})
		require.NoError(s, err)
		old := s.take(id)
		s.now = s.now.Add(lease)
		require.Equal(s, schema.StateInterrupted, s.imported(id).State)
		require.Greater(s, s.take(id).Epoch, old.Epoch)
	},

	"imports/agreed to once, and to this plan": func(s *suite) {
		s.load(world())
		id := s.planned("acme", []string{"a@acme.example"})
		agree := func(claims int) error {
			_, err := s.Agree(s.ctx(), "acme", id, lease, schema.Consent{By: "bo", At: s.now, Claims: claims})
			return err
		}
		before := s.imported(id)
		s.refused(agree(2), schema.CodePlanChanged)
		require.Equal(s, before, s.imported(id))

		// The plan is what it was, even for who made it: its number and its size are enough to name it.
		planner := store.Owner{ImportID: id, Runner: "first", Epoch: before.Epoch}
		s.refused(s.KeepChunk(s.ctx(), planner, store.Chunk{Number: 2, Planned: schema.Tally{Rows: 1, Outcomes: map[schema.Outcome]int{schema.Ready: 1}}}), schema.CodeImportFinished)
		s.refused(s.DropChunks(s.ctx(), planner), schema.CodeImportFinished)
		_, err := s.SealPlan(s.ctx(), planner, store.Sealed{SHA256: "other", Plan: []byte("other"), State: schema.StateAwaitingConsent, At: s.now})
		s.refused(err, schema.CodeImportFinished)
		require.Equal(s, before, s.imported(id))

		require.NoError(s, agree(1))
		s.refused(agree(1), schema.CodeImportRunning)
		_, err = s.Decline(s.ctx(), "acme", id, s.now)
		s.refused(err, schema.CodeImportRunning)
		require.Equal(s, "bo", s.imported(id).ConsentedBy)
	},

	"imports/cancelled while somebody works": func(s *suite) {
		keys := []string{"a@acme.example"}
		s.load(world(user(1, keys[0], "free"), user(2, "b@acme.example", "free")))
		owner := s.importing("acme", keys, []string{"b@acme.example"})
		s.apply(owner, 1, keys)
		imp, err := s.CancelImport(s.ctx(), "acme", owner.ImportID, s.now)
		require.NoError(s, err)
		require.Equal(s, schema.StateApplying, imp.State)
		require.True(s, imp.CancelRequested)
		c := &claimer{rules: s.rules(), keys: []string{"b@acme.example"}}
		s.refused(s.ApplyChunk(s.ctx(), owner, s.rules(), 2, store.Known{}, asked(c.keys...), c.decide), schema.CodeCancelled)
		require.NoError(s, s.FinishImport(s.ctx(), owner, store.ImportEnd{State: schema.StateCancelled, Reason: schema.CodeCancelled, At: s.now}))
		_, err = s.CancelImport(s.ctx(), "acme", owner.ImportID, s.now)
		s.refused(err, schema.CodeImportFinished)

		_, err = s.ReopenImport(s.ctx(), "acme", owner.ImportID, true, lease)
		require.NoError(s, err)
		owner = s.take(owner.ImportID)
		require.Equal(s, []int{2}, s.chunks(owner.ImportID, true))
		require.Equal(s, schema.Claimed, s.apply(owner, 2, c.keys).outcomes["b@acme.example"])
	},

	"imports/a cancel is not lost": func(s *suite) {
		s.load(world())
		for name, leave := range map[string]func(store.Owner){
			"released":    func(owner store.Owner) { require.NoError(s, s.ReleaseImport(s.ctx(), owner, lease, s.now)) },
			"interrupted": func(owner store.Owner) { require.NoError(s, s.InterruptImport(s.ctx(), owner, s.now)) },
			"planned":     nil,
		} {
			owner := store.Owner{}
			if leave == nil {
				owner = s.planning("acme", []string{"a@acme.example"})
				leave = func(owner store.Owner) { s.seal(owner) }
			} else {
				owner = s.importing("acme", []string{"a@acme.example"})
			}
			_, err := s.CancelImport(s.ctx(), "acme", owner.ImportID, s.now)
			require.NoError(s, err)
			require.False(s, s.imported(owner.ImportID).State.Ended())
			leave(owner)
			imp := s.imported(owner.ImportID)
			require.Equal(s, schema.StateCancelled, imp.State, name)
			require.Equal(s, schema.CodeCancelled, imp.Reason)
			require.False(s, imp.CancelRequested)
		}
	},

	"imports/cancelled while nobody works": func(s *suite) {
		keys := []string{"a@acme.example"}
		s.load(world(user(1, keys[0], "free")))
		old := s.importing("acme", keys)
		s.now = s.now.Add(lease)
		imp, err := s.CancelImport(s.ctx(), "acme", old.ImportID, s.now)
		require.NoError(s, err)
		require.Equal(s, schema.StateCancelled, imp.State)
		require.Equal(s, schema.CodeCancelled, imp.Reason)
		require.Equal(s, s.now, imp.FinishedAt)
		require.False(s, imp.CancelRequested)

		c := &claimer{rules: s.rules(), keys: keys} // it was only asleep
		require.Error(s, s.ApplyChunk(s.ctx(), old, s.rules(), 1, store.Known{}, asked(keys...), c.decide))
		require.Nil(s, c.outcomes)
		require.Equal(s, imp, s.imported(old.ImportID))
		_, err = s.CancelImport(s.ctx(), "acme", old.ImportID, s.now)
		s.refused(err, schema.CodeImportFinished)
		_, err = s.TakeImport(s.ctx(), old.ImportID, "third", lease)
		s.refused(err, schema.CodeImportFinished)
	},

	"imports/who, with what, and how": func(s *suite) {
		s.load(world())
		imp := schema.Import{OrganizationID: "acme", File: "users.csv", CreatedBy: "ann, at a terminal", Version: "1.2.3", Options: []byte(`{"encoding":"macintosh"}`), StartedAt: s.now}
		owner, err := s.CreateImport(s.ctx(), imp, "first", lease)
		require.NoError(s, err)
		s.seal(owner)
		_, err = s.Agree(s.ctx(), "acme", owner.ImportID, lease, schema.Consent{By: "bo, by the service", At: s.now})
		require.NoError(s, err)
		found := s.imported(owner.ImportID)
		require.Equal(s, imp.CreatedBy, found.CreatedBy)
		require.Equal(s, imp.Version, found.Version)
		require.JSONEq(s, string(imp.Options), string(found.Options))
		require.Equal(s, "bo, by the service", found.ConsentedBy)
		require.Nil(s, s.imported(s.planned("acme")).Options)
	},

	"imports/planning begins again": func(s *suite) {
		keys := []string{"a@acme.example"}
		s.load(world(user(1, keys[0], "free")))
		owner := s.planning("acme")
		for range 2 {
			for number := range 3 {
				require.NoError(s, s.KeepChunk(s.ctx(), owner, store.Chunk{Number: number, Data: []byte("rows"), Results: []byte("r"), Planned: tallyOf(schema.Ready, 1)}))
			}
			require.NoError(s, s.DropChunks(s.ctx(), owner))
			require.Empty(s, s.chunks(owner.ImportID, false))
			require.Zero(s, s.imported(owner.ImportID).Tally)
		}
		planned := s.planning("acme", keys)
		s.seal(planned)
		s.refused(s.DropChunks(s.ctx(), planned), schema.CodeImportFinished)
		require.Len(s, s.chunks(planned.ImportID, false), 1)
	},

	"imports/a declined import keeps its rows": func(s *suite) {
		s.load(world(user(1, "a@acme.example", "free")))
		id := s.planned("acme", []string{"a@acme.example"})
		_, err := s.Decline(s.ctx(), "acme", id, s.now)
		require.NoError(s, err)
		_, err = s.Chunk(s.ctx(), "acme", id, 1)
		require.NoError(s, err)
		imp := s.imported(id)
		require.Equal(s, schema.StateRejected, imp.State)
		require.Equal(s, schema.CodeConsentDeclined, imp.Reason)
		require.False(s, imp.RowsRemoved)
		_, err = s.ReopenImport(s.ctx(), "acme", id, true, lease)
		s.refused(err, schema.CodeImportFinished)
	},

	"imports/rows are removed, summaries stay": func(s *suite) {
		keys := []string{"a@acme.example"}
		s.load(world(user(1, keys[0], "free"), user(2, "b@acme.example", "free")))
		cancel := func(id int64, at time.Time) schema.Import {
			imp, err := s.CancelImport(s.ctx(), "acme", id, at)
			require.NoError(s, err)
			return imp
		}
		old := s.importing("acme", keys, []string{"b@acme.example"})
		s.apply(old, 1, keys)
		require.NoError(s, s.ReleaseImport(s.ctx(), old, lease, s.now))
		left := s.planning("acme")
		require.NoError(s, s.KeepChunk(s.ctx(), left, store.Chunk{Number: 1, Data: []byte("rows")}))
		oldEnd, recentEnd := s.now, s.now.Add(90*day)
		before := cancel(old.ImportID, oldEnd)
		recent := s.planned("acme", keys)
		cancel(recent, recentEnd)
		s.now = recentEnd
		waiting, running := s.planned("acme", keys), s.importing("acme", keys)

		for _, want := range []int{2, 0} {
			n, err := s.RemoveImports(s.ctx(), oldEnd.Add(time.Minute))
			require.NoError(s, err)
			require.Equal(s, want, n)
		}
		before.RowsRemoved, before.Epoch = true, before.Epoch+1
		require.Equal(s, before, s.imported(old.ImportID))
		require.Equal(s, 2, before.Tally.Rows)
		_, err := s.Chunk(s.ctx(), "acme", old.ImportID, 1)
		s.refused(err, schema.CodeImportRemoved)
		_, err = s.ReopenImport(s.ctx(), "acme", old.ImportID, true, lease)
		s.refused(err, schema.CodeImportRemoved)
		require.True(s, s.imported(left.ImportID).RowsRemoved)
		s.refused(s.KeepChunk(s.ctx(), left, store.Chunk{Number: 2}), schema.CodeImportTakenOver)

		// What waits for somebody is kept for a day, however soon rows are removed.
		n, err := s.RemoveImports(s.ctx(), recentEnd.Add(time.Hour))
		require.NoError(s, err)
		require.Equal(s, 1, n, "the recent one")
		for _, id := range []int64{waiting, running.ImportID} {
			_, err = s.Chunk(s.ctx(), "acme", id, 1)
			require.NoError(s, err)
			require.False(s, s.imported(id).RowsRemoved)
		}
	},
}

func (s *suite) imported(id int64) schema.Import {
	s.Helper()
	imp, err := s.Import(s.ctx(), "", id)
	require.NoError(s, err)
	return imp
}

func (s *suite) chunks(id int64, pending bool) []int {
	s.Helper()
	numbers, err := s.Chunks(s.ctx(), "", id, pending)
	require.NoError(s, err)
	return numbers
}

func (s *suite) listed(organization string, limit int) []int64 {
	s.Helper()
	list, err := s.ListImports(s.ctx(), organization, limit)
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
