package postgres_test

import (
	"context"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/store/postgres"
	"github.com/claimline/claimline/pipeline/store/postgres/postgrestest"
	"github.com/claimline/claimline/schema"
)

var rules = claim.Rules{Now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Policy: schema.DefaultPolicy()}

func load(t *testing.T, s *store.Store) {
	t.Helper()
	require.NoError(t, s.Load(t.Context(), rules, func(into store.Loader) error {
		return into.Organizations(t.Context(), []store.LoadOrganization{{Organization: schema.Organization{ID: "acme", Name: "Acme", Kind: schema.Enterprise}}})
	}))
}

// refused requires that the database is not opened.
func refused(t *testing.T, address string, options postgres.Options, code schema.Code) {
	t.Helper()
	require.NotNil(t, refusal(t, address, options, code))
}

// refusal requires that the database is not opened, and returns why.
func refusal(t *testing.T, address string, options postgres.Options, code schema.Code) *schema.Error {
	t.Helper()
	db, err := postgres.Open(t.Context(), address, options)
	require.Nil(t, db)
	var why *schema.Error
	require.ErrorAs(t, err, &why)
	require.Equal(t, code, why.Code, "%v: %v", err, why.Err)
	return why
}

// change runs a statement on a database behind the store's back.
func change(t *testing.T, address, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), statement)
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))
}

func TestOpenCreates(t *testing.T) {
	t.Parallel()
	address := postgrestest.Empty(t)
	refused(t, address, postgres.Options{}, schema.CodeDatabaseMissing)
	refused(t, address, postgres.Options{Create: true, ReadOnly: true}, schema.CodeDatabaseMissing)
	s := store.New(open(t, address, postgres.Options{Create: true}))
	refused(t, address, postgres.Options{}, schema.CodeDatabaseMissing) // nothing has been loaded
	load(t, s)
	require.NoError(t, s.Close())

	s = store.New(open(t, address, postgres.Options{ReadOnly: true}))
	_, err := s.Organization(t.Context(), "acme")
	require.NoError(t, err)
	err = s.Load(t.Context(), rules, func(store.Loader) error { return nil })
	require.Equal(t, schema.CodeDatabaseReadOnly, schema.CodeOf(err))
	require.NoError(t, s.Close())

	change(t, address, "INSERT INTO schema_versions (version_id, is_applied) VALUES (999, true)")
	refused(t, address, postgres.Options{}, schema.CodeDatabaseNewer)
	refused(t, address, postgres.Options{ReadOnly: true}, schema.CodeDatabaseNewer)
}

func TestOpenWhatIsNotOurs(t *testing.T) {
	t.Parallel()
	address := postgrestest.Empty(t)
	change(t, address, "CREATE TABLE users (name text)")
	refused(t, address, postgres.Options{Create: true}, schema.CodeDatabaseInvalid)
	change(t, address, "INSERT INTO users VALUES ('as it was')")
}

func TestOpenAtTheSameTime(t *testing.T) {
	t.Parallel()
	address := postgrestest.Empty(t)
	var g errgroup.Group
	for range 6 {
		g.Go(func() error {
			db, err := postgres.Open(t.Context(), address, postgres.Options{Create: true})
			if err != nil {
				return err
			}
			return db.Close()
		})
	}
	require.NoError(t, g.Wait())
	s := store.New(open(t, address, postgres.Options{Create: true}))
	load(t, s)
	require.NoError(t, s.Close())
}

// Whoever is not let in, or finds nobody, is told so, and never with the password.
func TestOpenWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	const secret = "n0b0dy-$hould-read"
	there, err := url.Parse(postgrestest.Empty(t))
	require.NoError(t, err)
	nobody := *there
	nobody.User = url.UserPassword("nobody", secret)
	absent := *there
	absent.Path = "/absent"
	absent.User = url.UserPassword(there.User.Username(), secret)
	silent, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	silentAddress := silent.Addr().String()
	require.NoError(t, silent.Close())

	for address, code := range map[string]schema.Code{
		nobody.String(): schema.CodeDatabaseDenied,
		absent.String(): schema.CodeDatabaseMissing,
		"postgres://acme:" + url.QueryEscape(secret) + "@" + silentAddress + "/acme?sslmode=disable": schema.CodeDatabaseUnreachable,
		"postgres://acme:" + secret + "%zz@localhost/acme":                                           schema.CodeUsage,
		"postgres://acme:" + url.QueryEscape(secret) + "@localhost:port/acme":                        schema.CodeUsage,
	} {
		why := refusal(t, address, postgres.Options{}, code)
		for _, told := range []string{why.Error(), why.Text(), why.Remedy()} {
			require.NotContains(t, told, secret)
			require.NotContains(t, told, url.QueryEscape(secret))
		}
		for cause := why.Err; cause != nil; {
			require.NotContains(t, cause.Error(), secret)
			wrapped, _ := cause.(interface{ Unwrap() error })
			if wrapped == nil {
				break
			}
			cause = wrapped.Unwrap()
		}
	}
}

// Who waits for a lock stops waiting when told to.
func TestWaitingEnds(t *testing.T) {
	t.Parallel()
	address := template.Copy(t)
	one := store.New(open(t, address, postgres.Options{Create: true}))
	other := store.New(open(t, address, postgres.Options{Create: true}))
	load(t, one)
	ctx, cancel := context.WithCancel(t.Context())
	require.NoError(t, one.Load(t.Context(), rules, func(store.Loader) error {
		var g errgroup.Group
		g.Go(func() error {
			_, err := other.SetDomain(ctx, "acme", "acme.example", nil)
			return err
		})
		cancel()
		require.ErrorIs(t, g.Wait(), context.Canceled)
		return nil
	}))
	require.NoError(t, one.Close())
	require.NoError(t, other.Close())
}

// A session that is ended, as by a server that is started again, is trouble that passes.
func TestEndedSessionPasses(t *testing.T) {
	t.Parallel()
	address := template.Copy(t)
	s := store.New(open(t, address, postgres.Options{Create: true}))
	load(t, s)
	err := s.Load(t.Context(), rules, func(into store.Loader) error {
		change(t, address, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
		return into.Organizations(t.Context(), []store.LoadOrganization{{Organization: schema.Organization{ID: "lost"}}})
	})
	require.Equal(t, schema.CodeDatabaseUnreachable, schema.CodeOf(err), "%v", err)
	require.True(t, store.Passing(err))
	var list []string
	for { // a pool may hand out one more connection that was ended
		organizations, err := s.Organizations(t.Context())
		if store.Passing(err) {
			continue
		}
		require.NoError(t, err)
		for _, o := range organizations {
			list = append(list, o.ID)
		}
		break
	}
	require.Equal(t, "acme", strings.Join(list, " "))
	require.NoError(t, s.Close())
}
