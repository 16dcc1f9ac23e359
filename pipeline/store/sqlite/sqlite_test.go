package sqlite_test

import (
	"context"
	"database/sql"
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
		t.Cleanup(func() { requireSpans(t, path) })
		return func() store.DB {
			s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			require.NoError(t, err)
			return s
		}
	})
}

// requireSpans requires every open claim to be in one span, and every span to count its open claims, which
// one import made.
func requireSpans(t *testing.T, path string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // which is over when the test has ended
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	var claims, found, counted int
	require.NoError(t, db.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM claims WHERE closed_at IS NULL),
		(SELECT count(*) FROM claim_spans s JOIN claims c ON c.id BETWEEN s.first AND s.last AND c.organization = s.organization
			AND c.delayed = s.delayed AND c.claimed_at = s.claimed_at AND c.closed_at IS NULL),
		(SELECT ifnull(sum(open), 0) FROM claim_spans)`).Scan(&claims, &found, &counted))
	require.Equal(t, claims, found)
	require.Equal(t, claims, counted)
	var wrong int
	require.NoError(t, db.QueryRowContext(ctx, `SELECT count(*) FROM claim_spans s WHERE open <> (SELECT count(*) FROM claims c
		WHERE c.id BETWEEN s.first AND s.last AND c.organization = s.organization AND c.delayed = s.delayed AND c.claimed_at = s.claimed_at
		AND c.closed_at IS NULL)`).Scan(&wrong))
	require.Zero(t, wrong)
	require.NoError(t, db.QueryRowContext(ctx, `SELECT count(*) FROM claim_spans s JOIN claims f ON f.id = s.first JOIN claims c ON c.id BETWEEN s.first AND s.last
		AND c.organization = s.organization AND c.delayed = s.delayed AND c.claimed_at = s.claimed_at AND c.closed_at IS NULL
		WHERE c.import IS NOT f.import`).Scan(&wrong))
	require.Zero(t, wrong, "the claims of a span are those of one import")
}
