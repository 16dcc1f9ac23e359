package pipeline

import (
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// write writes n records.
func write(t require.TestingT, format schema.Format, n int, record func(int) []string) string {
	var b strings.Builder
	w := dialect.NewWriter(&b, format)
	for i := range n {
		require.NoError(t, w.Write(record(i)))
	}
	require.NoError(t, w.Flush())
	return b.String()
}

// fixedNow is the time in tests.
func fixedNow() time.Time { return time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC) }
