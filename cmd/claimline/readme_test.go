package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/schema"
)

// TestReadmeOnCodes holds the tables of the README against the table of codes.
func TestReadmeOnCodes(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	rows := regexp.MustCompile("(?m)^\\| `([a-z_0-9]+)` \\|.*\\| ([^|]+) \\|$").FindAllStringSubmatch(string(readme), -1)
	listed := 0
	for _, row := range rows {
		code := schema.Code(row[1])
		if !code.Known() {
			continue // an outcome, or a column
		}
		listed++
		assert.Equal(t, code.Fix(), row[2], code)
		assert.Contains(t, row[0], code.Message(""))
	}
	source, err := os.ReadFile("../../schema/code.go")
	require.NoError(t, err)
	assert.Equal(t, strings.Count(string(source), " Code = \""), listed, "every code is in the README")
}
