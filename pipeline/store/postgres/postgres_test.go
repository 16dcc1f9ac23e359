package postgres_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/store/postgres"
	"github.com/claimline/claimline/pipeline/store/postgres/postgrestest"
	"github.com/claimline/claimline/pipeline/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// template is an empty database with the schema, which takes longer to create than most tests.
var template = postgrestest.Template{Prepare: func(ctx context.Context, address string) error {
	db, err := postgres.Open(ctx, address, postgres.Options{Create: true})
	if err != nil {
		return err
	}
	return db.Close()
}}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) func() store.DB {
		t.Helper()
		address := template.Copy(t)
		return func() store.DB { return open(t, address, postgres.Options{Create: true}) }
	})
}

func open(t *testing.T, address string, options postgres.Options) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), address, options)
	require.NoError(t, err)
	return db
}
