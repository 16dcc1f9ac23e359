package claim_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

func TestBarrier(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rows   map[schema.Outcome]int
		state  schema.ImportState
		reason schema.Code // all or nothing
	}{
		{map[schema.Outcome]int{schema.Ready: 1}, schema.StateAwaitingConsent, ""},
		{map[schema.Outcome]int{schema.Ready: 1, schema.Skipped: 1, schema.Unchanged: 1}, schema.StateAwaitingConsent, ""},
		{map[schema.Outcome]int{schema.Ready: 1, schema.Invalid: 1}, schema.StateAwaitingConsent, schema.CodeAllOrNothing},
		{map[schema.Outcome]int{schema.Ready: 1, schema.Ineligible: 1}, schema.StateAwaitingConsent, schema.CodeAllOrNothing},
		{map[schema.Outcome]int{schema.Unchanged: 2}, schema.StateCompleted, ""},
		{map[schema.Outcome]int{schema.Claimed: 2, schema.Skipped: 1}, schema.StateCompleted, ""},
		{map[schema.Outcome]int{schema.Claimed: 2, schema.Failed: 1}, schema.StateCompletedWithErrors, schema.CodeAllOrNothing},
		{map[schema.Outcome]int{schema.Invalid: 1}, schema.StateCompletedWithErrors, schema.CodeAllOrNothing},
		{nil, schema.StateCompleted, ""},
	} {
		state, reason := claim.Barrier(false, schema.Tally{Outcomes: c.rows})
		assert.Equal(t, c.state, state, c.rows)
		assert.Empty(t, reason)
		state, reason = claim.Barrier(true, schema.Tally{Outcomes: c.rows})
		assert.Equal(t, c.reason, reason, c.rows)
		if c.reason == "" {
			assert.Equal(t, c.state, state)
		} else {
			assert.Equal(t, schema.StateRejected, state)
		}
	}
}
