package pipeline

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/schema"
)

// validated returns everything there is to say about a file when it is validated without a store.
func validated(t *testing.T, path string, strict bool) (said string, plan *schema.Plan, refusal *schema.Error) {
	t.Helper()
	source, err := dialect.OpenFile(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, source.Close()) }()
	p := offline()
	p.Strict = strict
	var out bytes.Buffer
	plan, err = p.Validate(t.Context(), source, schema.Order{Offline: true}, &report.Report{To: &out, Format: report.JSONL}, Watch{})
	if err != nil {
		require.ErrorAs(t, err, &refusal)
		require.True(t, refusal.Code.Known(), refusal.Code)
		return "", nil, refusal
	}
	return out.String(), plan, nil
}

// FuzzFiles shows that whole files are validated in the same way by the fast checks and by the tags, and that
// no file does any harm.
func FuzzFiles(f *testing.F) {
	for _, name := range []string{"good.csv", "utf16.csv", "windows1252.csv"} {
		file, err := os.ReadFile(filepath.Join("..", "samples", name))
		require.NoError(f, err)
		f.Add(file)
	}
	for _, file := range []string{
		"", "\n", "email\na@b.c\n", schema.EmailHeader + "\na@b.c\n", schema.EmailHeader + ";Claim\nA@b.c;t\na@B.C;\n;F\n\"x\ny\";maybe\na;b;c\n",
		schema.EmailHeader + "," + schema.EmailHeader + "\n", "\ufeff" + schema.EmailHeader + "\tNotes\r\na@b.c\t\"\r\n\"\r\n\t\r\n", schema.EmailHeader + ",\"x",
		schema.EmailHeader + "\n\xe5@b.c\nå@b.c\n", "\xe5," + schema.EmailHeader + ",å\n,a@b.c,\n",
	} {
		f.Add([]byte(file))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		path := filepath.Join(t.TempDir(), "f.csv")
		require.NoError(t, os.WriteFile(path, file, 0o600))
		same(t, path)
	})
}

func same(t *testing.T, path string) {
	t.Helper()
	fast, fastPlan, fastRefusal := validated(t, path, false)
	slow, slowPlan, slowRefusal := validated(t, path, true)
	require.Equal(t, slowRefusal, fastRefusal)
	require.Equal(t, slow, fast)
	require.Equal(t, slowPlan, fastPlan)
	if fastPlan != nil {
		assert.Equal(t, fastPlan.Tally.Rows, strings.Count(fast, "\n"))
	}
}

// The fast checks and the tags say the same of every sample.
func TestSamplesAreCheckedAlike(t *testing.T) {
	samples, err := filepath.Glob(filepath.Join("..", "samples", "*.csv"))
	require.NoError(t, err)
	bad, err := filepath.Glob(filepath.Join("..", "samples", "bad", "*.csv"))
	require.NoError(t, err)
	require.NotEmpty(t, samples)
	require.NotEmpty(t, bad)
	for _, path := range append(samples, bad...) {
		t.Run(filepath.Base(path), func(t *testing.T) { same(t, path) })
	}
}

func offline() *Flow {
	return &Flow{Config{Now: fixedNow, Policy: schema.DefaultPolicy(), Workers: 2, Limits: dialect.Limits{BlockRows: 100}}}
}

// fixedNow returns the time in tests.
func fixedNow() time.Time { return time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC) }
