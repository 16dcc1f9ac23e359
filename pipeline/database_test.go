package pipeline_test

import (
	"context"
	"os"
	"path/filepath"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/store/postgres"
	"github.com/claimline/claimline/pipeline/store/postgres/postgrestest"
	"github.com/claimline/claimline/pipeline/store/sqlite"
)

func onPostgres() bool { return os.Getenv("CLAIMLINE_TEST_ON") == "postgres" }

// newDB opens an empty database for a test: a file in the folder, or one in PostgreSQL where
// CLAIMLINE_TEST_ON says postgres.
func newDB(t postgrestest.T, folder string) (db store.DB) {
	var err error
	if onPostgres() {
		db, err = openPostgres(t.Context(), template.Copy(t))
	} else {
		db, err = sqlite.Open(t.Context(), filepath.Join(folder, "claimline.db"), sqlite.Options{Create: true})
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// template has the schema, which takes longer to create than most tests.
var template = postgrestest.Template{Prepare: func(ctx context.Context, address string) error {
	db, err := openPostgres(ctx, address)
	if err != nil {
		return err
	}
	return db.Close()
}}

func openPostgres(ctx context.Context, address string) (store.DB, error) {
	return postgres.Open(ctx, address, postgres.Options{Create: true})
}
