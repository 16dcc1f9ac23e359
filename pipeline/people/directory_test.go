package people

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// FuzzDirectory reads whatever somebody calls a directory's list: it is refused, or every row of it is an
// address, in order.
func FuzzDirectory(f *testing.F) {
	for _, seed := range []string{
		"email\nann@acme.example\n", "\ufeffMAIL;x\r\nAnn@acme.example;1\r\n", "id,userPrincipalName\n1,å@åkeri.example\n2\n", "email", "",
		"email,email\na@b.example,a@b.example\n", "mail\n\"a@b.example", "\"User ID/Email (Required)\"\n'+a@b.example\n\nA@B.example\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, list []byte) {
		path := filepath.Join(t.TempDir(), "list.csv")
		require.NoError(t, os.WriteFile(path, list, 0o600))
		source, err := dialect.OpenFile(path)
		require.NoError(t, err)
		defer func() { require.NoError(t, source.Close()) }()
		d, err := (&People{Limits: dialect.Limits{BlockRows: 2}}).readDirectory(t.Context(), source, "")
		if err != nil {
			var refused *schema.Error
			require.ErrorAs(t, err, &refused)
			return
		}
		require.NotEmpty(t, d.entries)
		for _, entry := range d.entries {
			key, problem := schema.ParseAddress(entry.email)
			require.Empty(t, problem)
			require.Equal(t, key, entry.key)
		}
		require.True(t, slices.IsSortedFunc(d.entries, func(a, b directoryEntry) int { return strings.Compare(a.key, b.key) }))
	})
}

func TestWalk(t *testing.T) {
	w := walk{rest: []directoryEntry{{"a", "A"}, {"a", "a"}, {"b", "b"}, {"d", "D"}, {"d", "d"}, {"e", "e"}, {"f", "F"}, {"f", "f"}}}
	var skipped []string
	skip := func(entry directoryEntry) { skipped = append(skipped, entry.email) }
	require.Equal(t, []string{"b"}, w.upTo("b", skip))
	require.Empty(t, w.upTo("c", skip))
	require.Equal(t, []string{"D", "d"}, w.upTo("d", skip))
	w.end(skip)
	require.Equal(t, []string{"A", "e", "F"}, skipped)
}
