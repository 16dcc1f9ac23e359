package pipeline_test

import (
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/store/postgres/postgrestest"
	"github.com/claimline/claimline/pipeline/store/testdb"
)

// newDB opens an empty database for a test.
func newDB(t postgrestest.T) store.DB {
	db, err := testdb.Open(t.Context(), testdb.Empty(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}
