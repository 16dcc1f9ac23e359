package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/store/sqlite"
	"github.com/claimline/claimline/pipeline/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStore(t *testing.T) {
	// The schema is created once: that takes longer than most tests.
	template := filepath.Join(t.TempDir(), "empty.db")
	s, err := sqlite.Open(t.Context(), template, sqlite.Options{Create: true})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	empty, err := os.ReadFile(template)
	require.NoError(t, err)

	storetest.Run(t, func(t *testing.T) func() store.DB {
		t.Helper()
		path := filepath.Join(t.TempDir(), "claimline.db")
		require.NoError(t, os.WriteFile(path, empty, 0o600))
		return func() store.DB {
			s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			require.NoError(t, err)
			return s
		}
	})
}
