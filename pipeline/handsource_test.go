package pipeline

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// Whatever is written on the command line becomes one row of the file per person, with the address as it is.
func TestHandSourceIsReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lists := rapid.SliceOfN(rapid.String(), 1, 5).Draw(t, "lists")
		for i := range lists { // no command line holds a NUL, and no file both ends with and holds an end mark
			lists[i] = strings.NewReplacer("\x00", "", "\x1a", "").Replace(lists[i])
		}
		people := usersfile.ParsePeople(lists...)
		if len(people) == 0 {
			return
		}
		source, err := usersfile.HandSource("claim by hand", people, []string{"=Meetings"})
		require.NoError(t, err)
		defer func() { require.NoError(t, source.Close()) }()
		p := &Flow{Config{Workers: 1, Now: fixedNow}}
		var out strings.Builder
		plan, err := p.Validate(t.Context(), source, schema.Order{Offline: true, EveryRow: true}, &report.Report{To: &out, Format: report.JSONL}, Watch{})
		require.NoError(t, err)
		assert.Equal(t, len(people), plan.Tally.Rows)
		assert.Equal(t, len(people), strings.Count(out.String(), "\n"))
		require.NoError(t, source.Unchanged())
	})
}
