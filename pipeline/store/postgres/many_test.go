package postgres

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/store/postgres/postgrestest"
	"github.com/claimline/claimline/pipeline/store/storetest"
)

// Many accounts are listed in another way than few: here, any number is many.
func TestListingsOfMany(t *testing.T) {
	storetest.RunListings(t, func(t *testing.T) func() store.DB {
		t.Helper()
		address := postgrestest.Empty(t)
		return func() store.DB {
			db, err := Open(t.Context(), address, Options{Create: true})
			require.NoError(t, err)
			db.many = 1
			return db
		}
	})
}
