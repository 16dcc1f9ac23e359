package pipeline_test

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/pipeline/people"
	"github.com/claimline/claimline/schema"
)

// Stopped anywhere, the retract of an import tells what it did, and a new one goes on with the rest: together
// they are what one would have been.
func TestRetractOfAnImportThatIsStopped(t *testing.T) {
	base, came := t.TempDir(), countsOf("stopped")
	checkUntil(t, 20, came, func(t *rapid.T) {
		w := drawWorld(t)
		file := drawUsersFile(t, w, 30)
		if len(file.rows) == 0 {
			return
		}
		run := newRun(t, base, w)
		imp, _ := run.importing(file.bytes, file.order())
		if imp.ID == 0 || imp.Tally.Outcomes[schema.Claimed] == 0 {
			return
		}
		dry := retracts(t, peopleOf(run.Flow), imp, true, -1)
		require.Equal(t, dry, resumed(t, peopleOf(run.Flow), imp), "in steps it is the same")
		after := choices{t}.upTo(len(dry))
		first := retracts(t, peopleOf(run.Flow), imp, false, after)
		require.True(t, slices.Equal(dry[:len(first)], first), "what was done is what was foretold")
		rest := retracts(t, peopleOf(run.Flow), imp, false, -1)
		require.Len(t, rest, len(dry))
		for i, planned := range dry {
			if done := i < len(first) && first[i].Retracted; done {
				require.Equal(t, schema.Retraction{Email: planned.Email, Reason: schema.CodeNotClaimed}, rest[i])
				continue
			}
			require.Equal(t, planned, rest[i])
		}
		if len(first) < len(dry) {
			came["stopped"]++
		}
	})
}

// resumed foretells what retracting an import does in steps of their own, which may end in the middle of a
// page.
func resumed(t *rapid.T, p *people.People, imp schema.Import) (all []schema.Retraction) {
	ctx := context.Background()
	run, err := p.PlanRetract(ctx, imp.OrganizationID, imp.ID)
	require.NoError(t, err)
	for {
		run.Limit = 1 + choices{t}.upTo(5)
		page, err := run.Next(ctx, true)
		require.NoError(t, err)
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
		run, err = p.ResumeRetract(ctx, imp.OrganizationID, imp.ID, run.Mark(), run.Plan.Domains)
		require.NoError(t, err)
	}
}

// retracts takes an import back, and stops before more than so many claims are taken back; less than 0: all
// are.
func retracts(t require.TestingT, p *people.People, imp schema.Import, dryRun bool, most int) (done []schema.Retraction) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	persist, taken := p.Persist, 0
	p.Persist = func(ctx context.Context, do func() error) error {
		if taken == most {
			stop()
		}
		taken++
		return persist(ctx, do)
	}
	run, err := p.PlanRetract(ctx, imp.OrganizationID, imp.ID)
	require.NoError(t, err)
	for {
		page, err := run.Next(ctx, dryRun)
		done = append(done, page...)
		if ctx.Err() != nil {
			require.ErrorIs(t, err, context.Canceled)
			return done
		}
		require.NoError(t, err)
		if len(page) == 0 {
			return done
		}
	}
}
