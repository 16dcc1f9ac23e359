package schema

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the table of codes into README.md")

// TestReadmeOnCodes holds the tables of README.md against the table of codes.
func TestReadmeOnCodes(t *testing.T) {
	const begin, end = "<!-- codes -->\n", "<!-- end of codes -->"
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(readme), begin)
	require.True(t, found)
	tables, after, found := strings.Cut(rest, end)
	require.True(t, found)
	if *update {
		require.NoError(t, os.WriteFile("README.md", []byte(before+begin+codeTables(t)+end+after), 0o644))
		return
	}
	assert.Equal(t, codeTables(t), tables, "run: go test ./schema -run TestReadme -update")
}

// codeTables writes a table for each group of codes in code.go, below the group's comment.
func codeTables(t *testing.T) string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "code.go", nil, parser.ParseComments)
	require.NoError(t, err)
	var b strings.Builder
	for _, declared := range file.Decls {
		group, ok := declared.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST || group.Doc == nil {
			continue
		}
		fmt.Fprintf(&b, "\n### %s\n\n| code | outcome | what it means | what to do |\n|---|---|---|---|\n",
			strings.TrimSuffix(strings.Join(strings.Fields(group.Doc.Text()), " "), "."))
		for _, spec := range group.Specs {
			for _, value := range spec.(*ast.ValueSpec).Values {
				text, err := strconv.Unquote(value.(*ast.BasicLit).Value)
				require.NoError(t, err)
				code := Code(text)
				fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", code, code.Outcome(), code.Message(""), code.Fix())
			}
		}
	}
	return b.String() + "\n"
}
