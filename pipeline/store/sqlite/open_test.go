package sqlite_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/store/sqlite"
	"github.com/claimline/claimline/schema"
)

var clock = claim.Rules{Now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Policy: schema.DefaultPolicy()}

func open(t *testing.T, path string, options sqlite.Options) *store.Store {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path, options)
	require.NoError(t, err)
	return store.New(db)
}

// loaded returns a closed database with an organization in it.
func loaded(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "claimline.db")
	s := open(t, path, sqlite.Options{Create: true})
	load(t, s)
	require.NoError(t, s.Close())
	return path
}

func load(t *testing.T, s *store.Store) {
	t.Helper()
	require.NoError(t, s.Load(t.Context(), clock, func(into store.Loader) error {
		return into.Organizations(t.Context(), []store.LoadOrganization{{Organization: schema.Organization{ID: "acme", Name: "Acme", Kind: schema.Enterprise}}})
	}))
}

func refused(t *testing.T, path string, options sqlite.Options, code schema.Code) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, options)
	require.Nil(t, s)
	var refusal *schema.Error
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, code, refusal.Code, "%v: %v", err, refusal.Err)
}

func TestOpenCreates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "100% odd?name#1.db")
	refused(t, path, sqlite.Options{}, schema.CodeDatabaseMissing)
	refused(t, path, sqlite.Options{Create: true, ReadOnly: true}, schema.CodeDatabaseMissing)
	require.NoFileExists(t, path)

	s := open(t, path, sqlite.Options{Create: true})
	load(t, s)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), suffix)
	}
	require.NoError(t, s.Close())

	s = open(t, path, sqlite.Options{})
	_, err := s.Organization(t.Context(), "acme")
	require.NoError(t, err)
	require.NoError(t, s.Close())
	files, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, files, 1, "nothing is left beside the database")
}

func TestOpenWithoutFolder(t *testing.T) {
	refused(t, filepath.Join(t.TempDir(), "no", "such", "claimline.db"), sqlite.Options{Create: true}, schema.CodeDatabaseMissing)
}

// A process that died while creating the database leaves an empty file: that is no database yet.
func TestOpenEmptyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "claimline.db")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	refused(t, path, sqlite.Options{}, schema.CodeDatabaseMissing)
	refused(t, path, sqlite.Options{ReadOnly: true}, schema.CodeDatabaseMissing)
	require.NoError(t, open(t, path, sqlite.Options{Create: true}).Close())
	require.NoError(t, open(t, path, sqlite.Options{}).Close())
}

func TestOpenWhatIsNotOurs(t *testing.T) {
	folder := t.TempDir()
	refused(t, folder, sqlite.Options{}, schema.CodeDatabaseInvalid)

	text := filepath.Join(folder, "users.csv")
	content := []byte("email\n" + string(make([]byte, 2000)))
	require.NoError(t, os.WriteFile(text, content, 0o600))
	refused(t, text, sqlite.Options{Create: true}, schema.CodeDatabaseInvalid)
	after, err := os.ReadFile(text)
	require.NoError(t, err)
	require.Equal(t, content, after)

	foreign := filepath.Join(folder, "foreign.db")
	change(t, foreign, "CREATE TABLE other (x)")
	before, err := os.ReadFile(foreign)
	require.NoError(t, err)
	refused(t, foreign, sqlite.Options{Create: true}, schema.CodeDatabaseInvalid)
	after, err = os.ReadFile(foreign)
	require.NoError(t, err)
	require.Equal(t, before, after, "somebody else's database is left alone")
}

func TestOpenNewer(t *testing.T) {
	path := loaded(t)
	change(t, path, "INSERT INTO schema_versions (version_id, is_applied) VALUES (999, 1)")
	refused(t, path, sqlite.Options{}, schema.CodeDatabaseNewer)
	refused(t, path, sqlite.Options{ReadOnly: true}, schema.CodeDatabaseNewer)
}

func TestOpenDamaged(t *testing.T) {
	path := loaded(t)
	require.NoError(t, os.Truncate(path, 5000))
	refused(t, path, sqlite.Options{}, schema.CodeDatabaseInvalid)
}

// change runs a statement on a database behind the store's back.
func change(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), statement)
	require.NoError(t, err)
	require.NoError(t, db.Close())
}

func TestReadOnly(t *testing.T) {
	path := loaded(t)
	s := open(t, path, sqlite.Options{ReadOnly: true})
	_, err := s.Organization(t.Context(), "acme")
	require.NoError(t, err)
	err = s.Load(t.Context(), clock, func(store.Loader) error { return nil })
	require.Equal(t, schema.CodeDatabaseReadOnly, schema.CodeOf(err))
	require.NoError(t, s.Close())
}

// Beside one who writes, what has been committed is seen, though it is still in the log only.
func TestReadOnlyBesideWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "claimline.db")
	writer := open(t, path, sqlite.Options{Create: true})
	load(t, writer)
	reader := open(t, path, sqlite.Options{ReadOnly: true})
	_, err := reader.Organization(t.Context(), "acme")
	require.NoError(t, err)
	require.NoError(t, reader.Close())
	require.NoError(t, writer.Close())
}

// Where nothing can be put beside the database, as in a folder that cannot be written to, the file alone is
// read. A folder of that name stands in for the missing right, which the superuser would have.
func TestReadOnlyWithoutIndex(t *testing.T) {
	path := loaded(t)
	require.NoError(t, os.Mkdir(path+"-shm", 0o700))
	s := open(t, path, sqlite.Options{ReadOnly: true})
	_, err := s.Organization(t.Context(), "acme")
	require.NoError(t, err)
	require.NoError(t, s.Close())

	refused(t, path, sqlite.Options{}, schema.CodeDatabaseReadOnly)
}

func TestOpenAtTheSameTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "claimline.db")
	var g errgroup.Group
	for range 6 {
		g.Go(func() error {
			s, err := sqlite.Open(t.Context(), path, sqlite.Options{Create: true})
			if err != nil {
				return err
			}
			return s.Close()
		})
	}
	require.NoError(t, g.Wait())
	s := open(t, path, sqlite.Options{})
	load(t, s)
	require.NoError(t, s.Close())
}

// Who waits for the one writer stops waiting when told to.
func TestWaitingEnds(t *testing.T) {
	path := loaded(t)
	one, other := open(t, path, sqlite.Options{}), open(t, path, sqlite.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	require.NoError(t, one.Load(t.Context(), clock, func(store.Loader) error {
		var g errgroup.Group
		g.Go(func() error {
			_, err := other.CreateImport(ctx, schema.Import{OrganizationID: "acme", StartedAt: clock.Now}, "x", time.Minute)
			return err
		})
		cancel()
		require.ErrorIs(t, g.Wait(), context.Canceled)
		return nil
	}))
	require.NoError(t, one.Close())
	require.NoError(t, other.Close())
}
