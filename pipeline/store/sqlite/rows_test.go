package sqlite

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/claim"
)

// A value with a separator in it, however it came in, makes no other account of the one it is of.
func TestSeparatorsInValues(t *testing.T) {
	user := []string{"7", "1", "", "", "3", "ann@acme.example", "active", "Ann", "Li", "Ann Li", "", "", "", "", `["Messaging"]`}
	claimed := []string{"9", "1", "0", "1700000000", "", "", "", "", "active", "", "", `{"title":"Chef"}`}
	for name, fields := range map[string][]string{"no claim": user, "a claim": slices.Concat(user, claimed)} {
		read := func(packed string) (a claim.Account, err error) {
			record := record{rest: packed}
			newAccountReader(1).read(&record, &a)
			return a, record.err
		}
		packed := strings.Join(fields, fieldSeparator)
		a, err := read(packed)
		require.NoError(t, err, name)
		require.Equal(t, "Ann", a.User.FirstName)
		require.Equal(t, len(fields) > len(user), a.Claim != nil)
		_, err = read(strings.Replace(packed, "Ann Li", "Ann"+fieldSeparator+"Li", 1))
		require.Error(t, err, name)
		for n := range fields { // a record separator would leave so much of it
			_, err = read(strings.Join(fields[:n], fieldSeparator))
			require.Equal(t, n == len(user), err == nil, "%s: %d fields", name, n)
		}
	}
}
