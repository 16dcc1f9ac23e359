package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/store/postgres"
	"github.com/claimline/claimline/pipeline/store/postgres/postgrestest"
	"github.com/claimline/claimline/pipeline/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStore(t *testing.T) {
	// The schema is created once: that takes longer than most tests.
	template := postgrestest.Empty(t)
	require.NoError(t, open(t, template, postgres.Options{Create: true}).Close())
	storetest.Run(t, func(t *testing.T) func() store.DB {
		t.Helper()
		address := postgrestest.Copy(t, template)
		return func() store.DB { return open(t, address, postgres.Options{Create: true}) }
	})
}

func open(t *testing.T, address string, options postgres.Options) *postgres.DB {
	t.Helper()
	if options.Now == nil {
		options.Now = time.Now
	}
	db, err := postgres.Open(t.Context(), address, options)
	require.NoError(t, err)
	return db
}
