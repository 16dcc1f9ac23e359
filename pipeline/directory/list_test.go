package directory

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// FuzzDirectory reads whatever somebody calls a directory's list: it is refused, or every row of it is an
// address.
func FuzzDirectory(f *testing.F) {
	for _, seed := range []string{
		"email\nann@acme.example\n", "\ufeffMAIL;x\r\nAnn@acme.example;1\r\n", "id,userPrincipalName\n1,å@åkeri.example\n2\n", "email", "",
		"email,email\na@b.example,a@b.example\n", "mail\n\"a@b.example", "\"User ID/Email (Required)\"\n'+a@b.example\n\nA@B.example\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "list.csv")
		require.NoError(t, os.WriteFile(path, text, 0o600))
		source, err := dialect.OpenFile(path)
		require.NoError(t, err)
		defer func() { require.NoError(t, source.Close()) }()
		var entries []Entry
		list, err := Read(t.Context(), source, Options{Limits: dialect.Limits{BlockRows: 2}}, func(e Entry) { entries = append(entries, e) })
		if err != nil {
			var refused *schema.Error
			require.ErrorAs(t, err, &refused)
			return
		}
		require.NotEmpty(t, entries)
		require.Contains(t, list.Header, list.Column)
		for _, entry := range entries {
			key, problem := schema.ParseAddress(entry.Email)
			require.Empty(t, problem)
			require.Equal(t, key, entry.Key)
		}
	})
}
