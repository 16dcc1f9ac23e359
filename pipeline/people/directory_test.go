package people

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/directory"
)

func TestWalk(t *testing.T) {
	w := walk{rest: []directory.Entry{{Key: "a", Email: "A"}, {Key: "a", Email: "a"}, {Key: "b", Email: "b"}, {Key: "d", Email: "D"}, {Key: "d", Email: "d"}, {Key: "e", Email: "e"}, {Key: "f", Email: "F"}, {Key: "f", Email: "f"}}}
	var skipped []string
	skip := func(entry directory.Entry) { skipped = append(skipped, entry.Email) }
	require.Equal(t, []string{"b"}, w.upTo("b", skip))
	require.Empty(t, w.upTo("c", skip))
	require.Equal(t, []string{"D", "d"}, w.upTo("d", skip))
	w.end(skip)
	require.Equal(t, []string{"A", "e", "F"}, skipped)
}
