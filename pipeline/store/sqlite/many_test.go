package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/store/storetest"
	"github.com/stretchr/testify/require"
)

// Many accounts are listed in another way than few: here, any number is many.
func TestListingsOfMany(t *testing.T) {
	storetest.RunListings(t, func(t *testing.T) func() store.DB {
		t.Helper()
		path := filepath.Join(t.TempDir(), "claimline.db")
		return func() store.DB {
			db, err := Open(t.Context(), path, Options{Create: true})
			require.NoError(t, err)
			db.many = 1
			return db
		}
	})
}
