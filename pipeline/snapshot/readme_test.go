package snapshot

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReadmeOnSnapshots holds the table of files in schema/README.md against the tables that are read.
func TestReadmeOnSnapshots(t *testing.T) {
	readme, err := os.ReadFile("../../schema/README.md")
	require.NoError(t, err)
	for _, table := range describe() {
		columns := make([]string, len(table.columns))
		for i, column := range table.columns {
			columns[i] = "`" + column + "`"
			if slices.Contains(table.needed, column) {
				columns[i] = "**" + columns[i] + "**"
			}
		}
		name := "`" + table.name + "`"
		if table.optional {
			name += ", optional"
		}
		assert.Contains(t, string(readme), fmt.Sprintf("| %s | %s |", name, strings.Join(columns, ", ")))
	}
}
