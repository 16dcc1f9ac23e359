package store_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Accounts and claims change where effects are written and where a snapshot is merged, and nowhere else:
// every change of an account is the effect of a rule.
func TestWhoWritesAccounts(t *testing.T) {
	writes := regexp.MustCompile(`(?i)\b(UPDATE|DELETE FROM|INSERT( OR \w+)? INTO)\s+(users|claims)\b`)
	files, err := filepath.Glob("*/*.go")
	require.NoError(t, err)
	found := map[string]bool{}
	for _, file := range files {
		if ok, err := filepath.Match("*/*_test.go", file); ok || err != nil {
			continue
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		if writes.Match(text) {
			found[filepath.Base(file)] = true
		}
	}
	assert.Equal(t, map[string]bool{"effects.go": true, "claims.go": true, "snapshots.go": true}, found)
}
