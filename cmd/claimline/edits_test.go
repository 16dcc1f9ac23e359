package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/schema"
)

// TestManyNewNames needs a second agreement where many names would be replaced: more than 20, and more than a
// tenth (R17).
func TestManyNewNames(t *testing.T) {
	for _, c := range []struct {
		edits, ready int
		many         bool
	}{{20, 20, false}, {21, 21, true}, {21, 209, true}, {21, 210, false}, {101, 1009, true}, {0, 0, false}} {
		plan := &schema.Plan{NameEdits: c.edits, Tally: schema.Tally{Outcomes: map[schema.Outcome]int{schema.Ready: c.ready}}}
		assert.Equal(t, c.many, plan.ManyNameEdits(), c)
		for _, accepted := range []bool{false, true} {
			for _, acceptedEdits := range []bool{false, true} {
				a := &app{stdin: strings.NewReader(""), stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{}}
				a.flags.quiet = true
				flags := importFlags{accept: accepted, acceptEdits: acceptedEdits}
				err := a.consent(t.Context(), plan, schema.Organization{}, schema.Order{}, schema.DefaultPolicy(), flags)
				switch {
				case !accepted:
					assert.Equal(t, schema.CodeConsentMissing, schema.CodeOf(err))
					assert.Equal(t, c.many && !acceptedEdits, strings.Contains(err.(*schema.Error).Remedy(), "--accept-edits")) //nolint:errorlint // a refusal
				case c.many && !acceptedEdits:
					assert.Equal(t, schema.CodeEditsNotAccepted, schema.CodeOf(err))
				default:
					require.NoError(t, err)
				}
				if err != nil {
					assert.Equal(t, exitUsage, exitCode(err))
				}
			}
		}
	}
}
