package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/store/sqlite"
	"github.com/claimline/claimline/schema"
)

// A file that others could read is made private, whether it was made beforehand or before this version.
func TestOpenMakesTheFilePrivate(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "claimline.db")
	require.NoError(t, os.WriteFile(empty, nil, 0o644))
	for path, options := range map[string]sqlite.Options{empty: {Create: true}, loaded(t): {}, loaded(t): {ReadOnly: true}} {
		require.NoError(t, os.Chmod(path, 0o664))
		s := open(t, path, options)
		files, err := filepath.Glob(path + "*")
		require.NoError(t, err)
		for _, file := range files {
			info, err := os.Stat(file)
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), file)
		}
		require.NoError(t, s.Close())
	}
}

// Somebody else's file is left as it is.
func TestOpenLeavesOthersFilesAlone(t *testing.T) {
	text := filepath.Join(t.TempDir(), "users.csv")
	require.NoError(t, os.WriteFile(text, bytes.Repeat([]byte("email\n"), 500), 0o644))
	refused(t, text, sqlite.Options{Create: true}, schema.CodeDatabaseInvalid)
	info, err := os.Stat(text)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o644), info.Mode().Perm())
}

// What is written to a file that has been deleted, or replaced, would be lost.
func TestADeletedFileIsNoticed(t *testing.T) {
	for name, lose := range map[string]func(path string) error{
		"deleted":  os.Remove,
		"moved":    func(path string) error { return os.Rename(path, path+".old") },
		"replaced": func(path string) error { return os.Rename(loaded(t), path) },
	} {
		t.Run(name, func(t *testing.T) {
			path := loaded(t)
			s := open(t, path, sqlite.Options{})
			create := func() error {
				_, err := s.CreateImport(t.Context(), schema.Import{OrganizationID: "acme", StartedAt: clock.Now}, "x", time.Minute)
				return err
			}
			require.NoError(t, create())
			require.NoError(t, lose(path))
			err := create()
			require.Equal(t, schema.CodeDatabaseMissing, schema.CodeOf(err), "%v", err)
			require.False(t, store.Passing(err))
			require.NoError(t, s.Close())
		})
	}
}

// What an import kept is gone from the database's files, too, once it is removed.
func TestRemovedRowsAreErased(t *testing.T) {
	path := loaded(t)
	s := open(t, path, sqlite.Options{})
	found := func(secret []byte) (found bool) {
		files, err := filepath.Glob(path + "*")
		require.NoError(t, err)
		for _, file := range files {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			found = found || bytes.Contains(content, secret)
		}
		return found
	}
	var secrets [][]byte
	for i, size := range []int{50, 3000, 200_000} {
		owner, err := s.CreateImport(t.Context(), schema.Import{OrganizationID: "acme", StartedAt: clock.Now}, "x", time.Minute)
		require.NoError(t, err)
		secret := fmt.Appendf(nil, "secret-%d-of-somebody", i)
		require.NoError(t, s.KeepChunk(t.Context(), owner, store.Chunk{
			Number: 1, Data: bytes.Repeat(secret, size/20), Verdicts: append(secret, 'v'), Prepared: append(secret, 'p'), Results: append(secret, 'r'),
		}))
		_, err = s.SealPlan(t.Context(), owner, store.Sealed{State: schema.StateCompleted, At: clock.Now})
		require.NoError(t, err)
		require.True(t, found(secret))
		secrets = append(secrets, secret)
	}
	n, err := s.RemoveImports(t.Context(), clock.Now.Add(time.Second))
	require.NoError(t, err)
	require.Equal(t, 3, n)
	for _, secret := range secrets {
		require.False(t, found(secret), "%s", secret)
	}
	require.NoError(t, s.Close())
}

// Accounts have numbers of any size.
func TestLargeNumbers(t *testing.T) {
	path := loaded(t)
	for _, first := range []int64{1 << 31, 1<<32 - 3, 1<<53 + 1, 1 << 60} {
		change(t, path, fmt.Sprintf("INSERT OR REPLACE INTO sqlite_sequence (rowid, name, seq) VALUES ((SELECT rowid FROM sqlite_sequence WHERE name = 'users'), 'users', %d)", first))
		s := open(t, path, sqlite.Options{})
		var keys []string
		require.NoError(t, s.Load(t.Context(), clock, func(into store.Loader) error {
			require.NoError(t, into.Organizations(t.Context(), []store.LoadOrganization{{Organization: schema.Organization{ID: "acme"}}, {Organization: schema.Organization{ID: "free"}, Line: 3}}))
			var users []store.LoadUser
			for i := range 4 {
				key := fmt.Sprintf("u%d.%d@acme.example", first, i)
				keys = append(keys, key)
				users = append(users, store.LoadUser{Key: key, User: schema.User{ID: key, Email: key, OrganizationID: "free", Status: schema.Active}})
			}
			return into.Users(t.Context(), users)
		}))
		owner, err := s.CreateImport(t.Context(), schema.Import{OrganizationID: "acme", StartedAt: clock.Now}, "x", time.Minute)
		require.NoError(t, err)
		require.NoError(t, s.KeepChunk(t.Context(), owner, store.Chunk{Number: 1}))
		_, err = s.SealPlan(t.Context(), owner, store.Sealed{State: schema.StateAwaitingConsent})
		require.NoError(t, err)
		_, err = s.Agree(t.Context(), "acme", owner.ImportID, time.Minute, schema.Consent{At: clock.Now})
		require.NoError(t, err)
		owner, err = s.TakeImport(t.Context(), owner.ImportID, "x", time.Minute)
		require.NoError(t, err)
		require.NoError(t, s.ApplyChunk(t.Context(), owner, clock, 1, store.Known{}, func() ([]string, error) { return keys, nil }, func(facts claim.Facts) (store.Applied, error) {
			var applied store.Applied
			for i, a := range facts.Accounts {
				require.Greater(t, a.ID, first)
				made := store.NewClaim{AccountID: a.ID, Type: schema.Immediate, StatusBefore: schema.Active, Line: i + 2}
				if i%2 == 0 {
					made.Edits = &schema.Profile{Title: "Boss"}
				}
				applied.Claims = append(applied.Claims, made)
			}
			return applied, nil
		}))
		facts, err := s.Facts(t.Context(), "acme", keys)
		require.NoError(t, err)
		for i, a := range facts.Accounts {
			require.NotNil(t, a.Claim)
			require.Equal(t, i+2, a.Claim.Line)
			require.Equal(t, i%2 == 0, a.Claim.Edits.Title == "Boss")
		}
		require.NoError(t, s.Close())
	}
}

// First loads at the same time wait for each other.
func TestFirstLoadsAtTheSameTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "claimline.db")
	var g errgroup.Group
	for range 8 {
		g.Go(func() error {
			db, err := sqlite.Open(t.Context(), path, sqlite.Options{Create: true})
			if err != nil {
				return err
			}
			s := store.New(db)
			err = s.Load(t.Context(), clock, func(into store.Loader) error {
				return into.Organizations(t.Context(), []store.LoadOrganization{{Organization: schema.Organization{ID: "acme"}}})
			})
			if closing := s.Close(); err == nil {
				err = closing
			}
			return err
		})
	}
	require.NoError(t, g.Wait())
}

// A database of the first version is upgraded, and what was wrong in it is put right.
func TestUpgrade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "claimline.db")
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, os.DirFS("migrations"), goose.WithTableName("schema_versions"), goose.WithLogger(goose.NopLogger()))
	require.NoError(t, err)
	_, err = provider.UpTo(t.Context(), 1)
	require.NoError(t, err)
	at := clock.Now.Unix()
	for _, statement := range []string{
		"INSERT INTO organizations VALUES (1, 'acme', 'Acme', 'enterprise', 0, 0, 0, 1, 0, 0), (2, 'home', 'Home', 'personal', 0, 0, 0, 0, 0, 0)",
		"INSERT INTO licenses VALUES (1, 'Calling', 5, 0, -1), (1, 'calling', 9, 0, 7), (2, 'Mail', -1, 0, 0)",
		fmt.Sprintf(`INSERT INTO users (id, external_id, key, email, organization, status, inactive_since, first_name, last_name, display_name, title, department, phone, preferred_language, services)
			VALUES (1, 'a', 'a@acme.example', 'a@acme.example', 1, 'active', %d, '', '', '', '', '', '', '', '["calling"]'),
				(2, 'b', 'b@acme.example', 'b@acme.example', 2, 'inactive', %d, '', '', '', '', '', '', '', '["Mail"]'),
				(3, 'joined-x', 'c@acme.example', 'c@acme.example', 1, 'active', NULL, '', '', '', '', '', '', '', NULL)`, at-90*86400, at-3*86400),
		fmt.Sprintf(`INSERT INTO claims (id, user, organization, delayed, claimed_at, status_before, services, closed_at, closed_by)
			VALUES (1, 2, 1, 1, %d, 'active', '["Calling"]', NULL, NULL), (2, 3, 1, 0, %d, 'active', NULL, %d, 'delete_account')`, at-13*86400, at-9*86400, at-8*86400),
	} {
		_, err := db.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	require.NoError(t, db.Close())

	// A folder of that name stands in for a missing right to write.
	require.NoError(t, os.Mkdir(path+"-shm", 0o700))
	refused(t, path, sqlite.Options{ReadOnly: true}, schema.CodeDatabaseReadOnly)
	require.NoError(t, os.Remove(path+"-shm"))

	// Who only reads upgrades it too, and then writes nothing more.
	reader := open(t, path, sqlite.Options{ReadOnly: true})
	_, err = reader.Organization(t.Context(), "acme")
	require.NoError(t, err)
	err = reader.Load(t.Context(), clock, func(store.Loader) error { return nil })
	require.Equal(t, schema.CodeDatabaseReadOnly, schema.CodeOf(err))
	require.NoError(t, reader.Close())

	s := open(t, path, sqlite.Options{})
	licenses, err := s.Licenses(t.Context(), clock, "acme")
	require.NoError(t, err)
	require.Equal(t, []schema.License{{OrganizationID: "acme", Service: "Calling", Quantity: 5, Held: 1}}, licenses)
	later := clock
	later.Now = later.Now.Add(24 * time.Hour)
	licenses, err = s.Licenses(t.Context(), later, "home")
	require.NoError(t, err)
	require.Zero(t, licenses[0].Held, "the account has left")
	swept, err := s.Sweep(t.Context(), later)
	require.NoError(t, err)
	require.Equal(t, schema.Swept{Transferred: 1}, swept, "who is active is not removed")
	require.NoError(t, s.Close())
}

// Trouble that may pass is told from what stays, and from what is wrong with a statement.
func TestPassing(t *testing.T) {
	path := loaded(t)
	s := open(t, path, sqlite.Options{})
	big := func() error {
		owner, err := s.CreateImport(t.Context(), schema.Import{OrganizationID: "acme", StartedAt: clock.Now}, "x", time.Minute)
		if err != nil {
			return err
		}
		return s.KeepChunk(t.Context(), owner, store.Chunk{Number: 1, Data: make([]byte, 1<<20)})
	}
	require.NoError(t, big())
	require.NoError(t, s.Close())

	s = open(t, path, sqlite.Options{ReadOnly: true})
	require.True(t, store.Passing(big()))
	require.NoError(t, s.Close())
	for code, passing := range map[schema.Code]bool{
		schema.CodeDatabaseBusy: true, schema.CodeDatabaseFull: true, schema.CodeDatabaseFailing: true, schema.CodeDatabaseReadOnly: true,
		schema.CodeDatabaseInvalid: false, schema.CodeDatabaseMissing: false, schema.CodeDatabaseNewer: false, schema.CodeInternal: false,
		schema.CodeImportTakenOver: false,
	} {
		require.Equal(t, passing, store.Passing(fmt.Errorf("apply: %w", &schema.Error{Code: code})), code)
	}
	require.False(t, store.Passing(context.Canceled))
	require.False(t, store.Passing(nil))
}
