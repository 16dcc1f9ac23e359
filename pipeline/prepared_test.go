package pipeline_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// What was decided while planning does not stand when time itself has changed an account before somebody
// agreed.
func TestTimePassesBeforeConsent(t *testing.T) {
	for waits, outcome := range map[time.Duration]schema.Outcome{59 * time.Minute: schema.Claimed, time.Hour: schema.Ineligible} {
		p := small(t)
		at := now
		p.Now = func() time.Time { return at }
		require.NoError(t, inactive(t, p, now.Add(time.Hour-p.Policy.InactiveTime()).Format(time.RFC3339))) // removed in an hour

		imp, err := imports(t.Context(), p, source(t, everybody()), schema.Order{Organization: us}, func(_ context.Context, imp schema.Import, _ *schema.Plan) error {
			assert.Equal(t, 10, imp.Tally.Outcomes[schema.Ready])
			at = now.Add(waits)
			return nil
		}, pipeline.Watch{})
		require.NoError(t, err)
		for i, r := range resultsOf(t, p, imp) {
			if i == 4 {
				assert.Equal(t, outcome, r.Outcome, "after %s", waits)
			} else {
				assert.Equal(t, schema.Claimed, r.Outcome)
			}
		}
	}
}

// Nor does it when an import is resumed under another policy.
func TestResumedUnderAnotherPolicy(t *testing.T) {
	for stops, claimed := range []int{0, 3, 6} { // before this chunk
		p := smallOn(t, func(db store.DB) store.DB { return &broken{DB: db, chunk: stops, times: 1, err: context.Canceled} })
		imp, err := imports(t.Context(), p, source(t, everybody()), schema.Order{Organization: us}, agree, pipeline.Watch{})
		require.NoError(t, err)
		require.Equal(t, schema.StateCancelled, imp.State)
		require.Equal(t, claimed, imp.Tally.Outcomes[schema.Claimed])

		p.Policy.DelayedClaims = false
		imp, err = resumes(t.Context(), p, imp.ID, agree, pipeline.Watch{})
		require.NoError(t, err)
		for i, r := range resultsOf(t, p, imp) {
			if i < claimed {
				assert.Equal(t, schema.Claimed, r.Outcome)
			} else {
				assert.Equal(t, schema.CodeStaleClaimType, r.Reason)
			}
		}
	}
}

// An account that is to be removed when all of us are dead is claimed like any other.
func TestInactiveForEver(t *testing.T) {
	for since, refused := range map[string]bool{"9000-12-31": false, "9999-12-31": true} {
		p := small(t)
		err := inactive(t, p, since)
		if refused {
			require.Equal(t, schema.CodeValueInvalid, schema.CodeOf(err))
			continue
		}
		require.NoError(t, err)
		imp, err := imports(t.Context(), p, source(t, everybody()), schema.Order{Organization: us}, agree, pipeline.Watch{})
		require.NoError(t, err)
		require.Equal(t, 10, imp.Tally.Outcomes[schema.Claimed])
	}
}

// inactive loads that the fifth user of small has been inactive since then.
func inactive(t *testing.T, p *pipeline.Flow, since string) error {
	t.Helper()
	_, err := load(t.Context(), p, snapshotOf(t, map[string]string{
		"organizations.csv": organizationsHeader + "hooli,Hooli,personal,2019-01-01,,,,\n",
		"domains.csv":       "domain,organization_id,status\n",
		"users.csv":         "id,email,organization_id,status,inactive_since\nu4,u4@acme.example,hooli,inactive," + since + "\n",
	}))
	return err
}

func resultsOf(t *testing.T, p *pipeline.Flow, imp schema.Import) []schema.Result {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, (&report.Report{To: &out, Format: report.JSONL}).OfImport(t.Context(), p.Store, p.Policy, imp))
	return decodeResults(t, out.String())
}
