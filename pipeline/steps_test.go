package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// consent is asked once a plan waits for it.
type consent func(context.Context, schema.Import, *schema.Plan) error

func agree(context.Context, schema.Import, *schema.Plan) error { return nil }

// imports plans and applies a file, step by step, as a terminal does: to stop is to cancel.
func imports(ctx context.Context, p *pipeline.Flow, file dialect.Source, order schema.Order, ask consent, watch pipeline.Watch) (schema.Import, error) {
	order.Attended, order.By = true, "somebody"
	imp, err := p.Plan(ctx, file, order, watch)
	if err != nil {
		return imp, err
	}
	return drives(ctx, p, imp, ask, watch)
}

// resumes goes on with an import, likewise.
func resumes(ctx context.Context, p *pipeline.Flow, id int64, ask consent, watch pipeline.Watch) (schema.Import, error) {
	imp, err := p.Reopen(ctx, us, id, true)
	if err != nil {
		return imp, err
	}
	return drives(ctx, p, imp, ask, watch)
}

func drives(ctx context.Context, p *pipeline.Flow, imp schema.Import, ask consent, watch pipeline.Watch) (schema.Import, error) {
	whole := context.WithoutCancel(ctx)
	if imp.State == schema.StateAwaitingConsent {
		plan, err := schema.PlanOf(imp)
		if err != nil {
			return imp, err
		}
		switch err := ask(ctx, imp, plan); schema.CodeOf(err) {
		case schema.CodeConsentDeclined:
			declined, declineErr := p.Decline(ctx, imp.OrganizationID, imp.ID)
			return declined, errors.Join(err, declineErr)
		case schema.CodeConsentMissing, schema.CodeEditsNotAccepted:
			return schema.Import{}, errors.Join(err, p.Discard(ctx, imp.OrganizationID, imp.ID))
		default:
			if err != nil {
				return imp, err
			}
		}
		consent := schema.Consent{By: "somebody", Claims: plan.Tally.Outcomes[schema.Ready], AcceptEdits: true, Attended: true}
		if imp, err = p.Agree(ctx, imp.OrganizationID, imp.ID, consent); err != nil {
			return imp, err
		}
	}
	var err error
	for more := !imp.State.Ended(); more && err == nil; {
		more, err = p.Step(ctx, imp.ID, 0, watch)
	}
	if errors.Is(err, context.Canceled) {
		return p.Cancel(whole, imp.OrganizationID, imp.ID)
	}
	found, findErr := p.Store.Import(whole, imp.OrganizationID, imp.ID)
	return found, errors.Join(err, findErr)
}

// process is a flow of its own on the database of small, which counts the look-ups made to decide anew.
type process struct {
	*pipeline.Flow
	store.DB
	looked atomic.Int64
}

func (p *process) Write(ctx context.Context, do func(store.Tx) error) error {
	return p.DB.Write(ctx, func(tx store.Tx) error { return do(countingTx{tx, p}) })
}

type countingTx struct {
	store.Tx
	process *process
}

func (t countingTx) Accounts(ctx context.Context, keys []string, hold bool) ([]claim.Account, error) {
	t.process.looked.Add(1)
	return t.Tx.Accounts(ctx, keys, hold)
}

// processes returns several on one database, with the ten users of small, in four chunks.
func processes(t *testing.T, n int) []*process {
	t.Helper()
	var db store.DB
	first := smallOn(t, func(of store.DB) store.DB { db = of; return of })
	var list []*process
	for i := range n {
		p := &process{DB: db}
		config := first.Config
		config.Store, config.Runner = store.New(p), fmt.Sprint("process ", i)
		p.Flow = newFlow(t, config)
		list = append(list, p)
	}
	return list
}

// queued returns an import of everybody that was handed to a service.
func queued(t *testing.T, p *process) schema.Import {
	t.Helper()
	imp, err := p.Plan(t.Context(), source(t, everybody()), schema.Order{Organization: us, By: "ann"}, pipeline.Watch{})
	require.NoError(t, err)
	require.Equal(t, schema.StateAwaitingConsent, imp.State)
	require.False(t, imp.Owned(time.Now()), "nobody waits under a lease")
	imp, err = p.Agree(t.Context(), us, imp.ID, schema.Consent{By: "bo", Claims: 10})
	require.NoError(t, err)
	require.Equal(t, schema.StateQueued, imp.State)
	require.Equal(t, "ann", imp.CreatedBy)
	require.Equal(t, "bo", imp.ConsentedBy)
	require.Equal(t, now, imp.ConsentedAt)
	return imp
}

// found returns an import as another process sees it.
func (p *process) found(t *testing.T, id int64) schema.Import {
	t.Helper()
	imp, err := p.Store.Import(t.Context(), us, id)
	require.NoError(t, err)
	return imp
}

// allClaimed checks that each row of everybody was claimed, once.
func (p *process) allClaimed(t *testing.T, id int64) {
	t.Helper()
	imp := p.found(t, id)
	require.Equal(t, schema.StateCompleted, imp.State)
	claims := map[string]bool{}
	for _, result := range resultsOf(t, p.Flow, imp) {
		require.Equal(t, schema.Claimed, result.Outcome)
		claims[result.ClaimID] = true
	}
	require.Len(t, claims, 10)
}

// To stop is to give the import back: it stays as it is, and anybody may go on with it, deciding nothing anew
// that was decided while planning.
func TestStopIsNotCancel(t *testing.T) {
	p := processes(t, 3)
	imp := queued(t, p[0])
	ctx, stop := context.WithCancel(t.Context())
	more, err := p[1].Step(ctx, imp.ID, 0, pipeline.Watch{Progress: func(_ pipeline.Phase, done, total int) {
		assert.Equal(t, 10, total)
		if done == 6 {
			stop()
		}
	}})
	require.ErrorIs(t, err, context.Canceled)
	require.True(t, more)
	left := p[0].found(t, imp.ID)
	require.Equal(t, schema.StateApplying, left.State)
	require.Empty(t, left.Runner)
	require.False(t, left.Owned(time.Now()))
	require.Equal(t, 6, left.Tally.Outcomes[schema.Claimed])

	var seen []int
	more, err = p[2].Step(t.Context(), imp.ID, 0, pipeline.Watch{Progress: func(_ pipeline.Phase, done, _ int) { seen = append(seen, done) }})
	require.NoError(t, err)
	require.False(t, more)
	require.Equal(t, []int{9, 10}, seen)
	p[0].allClaimed(t, imp.ID)
	for _, process := range p {
		require.Zero(t, process.looked.Load(), "what was decided stood")
	}
	_, err = p[1].Step(t.Context(), imp.ID, 0, pipeline.Watch{})
	require.Equal(t, schema.CodeImportFinished, schema.CodeOf(err))
}

// A budget ends after a chunk, and steps may be taken by turns. What was decided is decided anew by a process
// with another policy, or another program, and after somebody else has changed something, with the same end.
func TestStepsByTurns(t *testing.T) {
	for name, c := range map[string]struct {
		meddle func(t *testing.T, turn int, p []*process)
		looks  [2]bool
	}{
		"undisturbed":     {func(*testing.T, int, []*process) {}, [2]bool{false, false}},
		"another policy":  {func(_ *testing.T, _ int, p []*process) { p[1].Policy.DecisionDays++ }, [2]bool{false, true}},
		"another program": {func(_ *testing.T, _ int, p []*process) { p[1].Version = "next" }, [2]bool{false, true}},
		"a change in between": {func(t *testing.T, turn int, p []*process) {
			t.Helper()
			if turn == 1 {
				rename(t.Context(), t, p[2].Flow, "Berg")
			}
		}, [2]bool{true, true}},
	} {
		t.Run(name, func(t *testing.T) {
			p := processes(t, 3)
			imp := queued(t, p[2])
			turns := 0
			for more := true; more; turns++ {
				c.meddle(t, turns, p)
				var err error
				more, err = p[turns%2].Step(t.Context(), imp.ID, time.Nanosecond, pipeline.Watch{})
				require.NoError(t, err)
				require.Equal(t, min(10, 3*(turns+1)), p[2].found(t, imp.ID).Tally.Outcomes[schema.Claimed])
			}
			require.Equal(t, 4, turns)
			p[2].allClaimed(t, imp.ID)
			for i, looks := range c.looks {
				require.Equal(t, looks, p[i].looked.Load() > 0, "process %d", i)
			}
		})
	}
}

// A cancel between two steps is not lost on a late wake-up; one in the middle of a step is obeyed before the
// next chunk. A person reopens either.
func TestCancelIsObeyed(t *testing.T) {
	for _, between := range []bool{true, false} {
		p := processes(t, 2)
		imp := queued(t, p[0])
		cancel := func() {
			_, err := p[1].Cancel(t.Context(), us, imp.ID)
			require.NoError(t, err)
		}
		budget, watch := time.Duration(0), pipeline.Watch{Progress: func(pipeline.Phase, int, int) { cancel() }}
		if between {
			budget, watch = time.Nanosecond, pipeline.Watch{}
		}
		more, err := p[0].Step(t.Context(), imp.ID, budget, watch)
		require.NoError(t, err)
		require.Equal(t, between, more)
		if between {
			cancel()
		}
		cancelled := p[0].found(t, imp.ID)
		require.Equal(t, schema.StateCancelled, cancelled.State)
		require.Equal(t, 3, cancelled.Tally.Outcomes[schema.Claimed])
		for _, late := range p {
			_, err = late.Step(t.Context(), imp.ID, 0, pipeline.Watch{})
			require.Equal(t, schema.CodeImportFinished, schema.CodeOf(err))
		}
		require.Equal(t, cancelled, p[0].found(t, imp.ID))

		reopened, err := p[1].Reopen(t.Context(), us, imp.ID, false)
		require.NoError(t, err)
		require.Equal(t, schema.StateQueued, reopened.State)
		more, err = p[0].Step(t.Context(), imp.ID, 0, pipeline.Watch{})
		require.NoError(t, err)
		require.False(t, more)
		p[1].allClaimed(t, imp.ID)
	}
}

// Trouble that lasts interrupts an import: nobody takes it until a person reopens it.
func TestInterruptedWaitsForAPerson(t *testing.T) {
	b := &broken{chunk: 1, times: 1, err: errors.New("disk on fire")}
	p := &process{}
	p.Flow = smallOn(t, b.on)
	imp := queued(t, p)
	b.times = 2 // the chunk, and the look for a row to blame
	more, err := p.Step(t.Context(), imp.ID, 0, pipeline.Watch{})
	require.ErrorContains(t, err, "disk on fire")
	require.False(t, more)
	require.Equal(t, schema.StateInterrupted, p.found(t, imp.ID).State)
	_, err = p.Step(t.Context(), imp.ID, 0, pipeline.Watch{})
	require.Equal(t, schema.CodeInterrupted, schema.CodeOf(err))
	_, err = p.Reopen(t.Context(), us, imp.ID, false)
	require.NoError(t, err)
	_, err = p.Step(t.Context(), imp.ID, 0, pipeline.Watch{})
	require.NoError(t, err)
	p.allClaimed(t, imp.ID)
}

// An agreement is to one plan, of one's own organization, while that may claim, once; and it may choose the
// mails.
func TestAgree(t *testing.T) {
	p := small(t)
	plan := func(file string, order schema.Order) schema.Import {
		order.Organization = us
		imp, err := p.Plan(t.Context(), source(t, file), order, pipeline.Watch{})
		require.NoError(t, err)
		return imp
	}
	imp := plan(everybody(), schema.Order{})
	on := true
	agree := func(organization string, c schema.Consent) (schema.Import, error) {
		return p.Agree(t.Context(), organization, imp.ID, c)
	}
	for code, try := range map[schema.Code]func() error{
		schema.CodePlanChanged:    func() error { _, err := agree(us, schema.Consent{Claims: 9}); return err },
		schema.CodeImportNotFound: func() error { _, err := agree("synced", schema.Consent{Claims: 10}); return err },
	} {
		require.Equal(t, code, schema.CodeOf(try()))
		_, err := p.Step(t.Context(), imp.ID, 0, pipeline.Watch{})
		require.Equal(t, schema.CodeConsentMissing, schema.CodeOf(err))
	}
	require.False(t, imp.ActivationEmails)
	agreed, err := agree(us, schema.Consent{By: "bo", Claims: 10, ActivationEmails: &on})
	require.NoError(t, err)
	require.True(t, agreed.ActivationEmails)
	_, err = agree(us, schema.Consent{Claims: 10})
	require.Equal(t, schema.CodeImportRunning, schema.CodeOf(err))
	_, err = p.Decline(t.Context(), us, imp.ID)
	require.Equal(t, schema.CodeImportRunning, schema.CodeOf(err))

	// While the organization synchronizes its directory, nobody agrees (R10), and the import waits.
	imp = plan(everybody(), schema.Order{})
	directory := func(sync string) {
		_, err := load(t.Context(), p, snapshotOf(t, map[string]string{
			"organizations.csv": organizationsHeader + "acme,Acme AB,enterprise,2015-01-01,," + sync + ",TRUE,\n",
			"domains.csv":       "domain,organization_id,status\n", "users.csv": "id,email,organization_id,status\n",
		}))
		require.NoError(t, err)
	}
	directory("TRUE")
	_, err = agree(us, schema.Consent{Claims: 10})
	require.Equal(t, schema.CodeDirectorySyncEnabled, schema.CodeOf(err))
	directory("FALSE")
	_, err = agree(us, schema.Consent{Claims: 10})
	require.NoError(t, err)
}

// Many new names want an agreement of their own (R17).
func TestAgreeToManyNames(t *testing.T) {
	p := small(t)
	users, file := "id,email,organization_id,status,last_name\n", "Last Name,"+emailColumn+"\n"
	for i := range 30 {
		users += fmt.Sprintf("n%d,n%d@acme.example,hooli,active,Öberg\n", i, i)
		file += fmt.Sprintf("Berg,n%d@acme.example\n", i)
	}
	_, err := load(t.Context(), p, snapshotOf(t, map[string]string{
		"organizations.csv": organizationsHeader + "hooli,Hooli,personal,2019-01-01,,,,\n", "domains.csv": "domain,organization_id,status\n", "users.csv": users,
	}))
	require.NoError(t, err)
	imp, err := p.Plan(t.Context(), source(t, file), schema.Order{Organization: us}, pipeline.Watch{})
	require.NoError(t, err)
	_, err = p.Agree(t.Context(), us, imp.ID, schema.Consent{Claims: 30})
	require.Equal(t, schema.CodeEditsNotAccepted, schema.CodeOf(err))
	agreed, err := p.Agree(t.Context(), us, imp.ID, schema.Consent{Claims: 30, AcceptEdits: true})
	require.NoError(t, err)
	require.True(t, agreed.EditsAccepted)
}

// A plan that claims nobody, or that all-or-nothing forbids, is the end of an import: nobody is asked.
func TestBarrier(t *testing.T) {
	p := small(t)
	for _, c := range []struct {
		file   string
		whole  bool
		state  schema.ImportState
		reason schema.Code
	}{
		{everybody(), true, schema.StateAwaitingConsent, ""},
		{everybody() + "nobody@acme.example\n", false, schema.StateAwaitingConsent, ""},
		{everybody() + "nobody@acme.example\n", true, schema.StateRejected, schema.CodeAllOrNothing},
		{emailColumn + "\nnobody@acme.example\n", false, schema.StateCompletedWithErrors, ""},
		{emailColumn + ",Claim\nu1@acme.example,FALSE\n", false, schema.StateCompleted, ""},
	} {
		imp, err := p.Plan(t.Context(), source(t, c.file), schema.Order{Organization: us, AllOrNothing: c.whole}, pipeline.Watch{})
		require.NoError(t, err)
		require.Equal(t, c.state, imp.State)
		require.Equal(t, c.reason, imp.Reason)
		require.Equal(t, c.state.Ended(), !imp.FinishedAt.IsZero())
		require.Equal(t, strings.Count(c.file, "@"), imp.Tally.Rows)
		if c.state.Ended() {
			_, err := p.Agree(t.Context(), us, imp.ID, schema.Consent{})
			require.Equal(t, schema.CodeImportFinished, schema.CodeOf(err))
		} else {
			require.NoError(t, p.Discard(t.Context(), us, imp.ID))
		}
	}
}

// Two imports in one process report apart.
func TestProgressBelongsToACall(t *testing.T) {
	p := small(t)
	var g errgroup.Group
	for i, n := range []int{4, 6} {
		file := strings.Join(strings.SplitAfter(everybody(), "\n")[:n+1], "")
		if i == 1 { // other people
			file = emailColumn + "\n" + strings.Join(strings.SplitAfter(everybody(), "\n")[5:], "")
		}
		read, claimed := 0, 0
		g.Go(func() error {
			_, err := imports(t.Context(), p, source(t, file), schema.Order{Organization: us}, agree, pipeline.Watch{Progress: func(phase pipeline.Phase, done, total int) {
				if phase == pipeline.Planning {
					read = max(read, done)
					return
				}
				assert.Equal(t, n, total)
				claimed = max(claimed, done)
			}})
			assert.Equal(t, n, read)
			assert.Equal(t, n, claimed)
			return err
		})
	}
	require.NoError(t, g.Wait())
}
