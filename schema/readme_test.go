package schema

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the table of codes into README.md")

// TestReadmeOnCodes holds the tables of README.md against the tables of codes and hints.
func TestReadmeOnCodes(t *testing.T) {
	const begin, end = "<!-- codes -->\n", "<!-- end of codes -->"
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(readme), begin)
	require.True(t, found)
	tables, after, found := strings.Cut(rest, end)
	require.True(t, found)
	if *update {
		require.NoError(t, os.WriteFile("README.md", []byte(before+begin+codeTables(t)+hintTable(t)+end+after), 0o644))
		return
	}
	assert.Equal(t, codeTables(t)+hintTable(t), tables, "run: go test ./schema -run TestReadme -update")
}

// TestReadmeOnFiles holds the hand-written tables of README.md against what they list.
func TestReadmeOnFiles(t *testing.T) {
	content, err := os.ReadFile("README.md")
	require.NoError(t, err)
	readme := string(content)
	for _, column := range slices.Concat(Columns, ReportHeaders) {
		assert.Contains(t, readme, "`"+column+"`")
	}
	assert.Equal(t, Repairs, firstColumn[Repair](readme, "| kind | what is read as if it were right | counted |"))
	assert.ElementsMatch(t, Outcomes, firstColumn[Outcome](readme, "| outcome | the row |"))
}

// firstColumn returns the names in the first column of the table below a header.
func firstColumn[T ~string](readme, header string) (names []T) {
	_, table, _ := strings.Cut(readme, header+"\n")
	for line := range strings.Lines(table) {
		name, found := strings.CutPrefix(line, "| `")
		if !found && !strings.HasPrefix(line, "|-") {
			break
		}
		if found {
			name, _, _ = strings.Cut(name, "`")
			names = append(names, T(name))
		}
	}
	return names
}

// hintTable writes a table of the hints in hint.go, each beside the code it belongs to.
func hintTable(t *testing.T) string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "hint.go", nil, parser.ParseComments)
	require.NoError(t, err)
	var b strings.Builder
	b.WriteString("\n### Hints: what is told instead where it is known what in particular is wrong\n\n" +
		"| code | what it means | what to do |\n|---|---|---|\n")
	code := ""
	for _, declared := range file.Decls {
		group, ok := declared.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			constant := spec.(*ast.ValueSpec)
			if constant.Comment != nil { // the first of those that belong to a code
				code = strings.TrimSpace(constant.Comment.Text())
			}
			text, err := strconv.Unquote(constant.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			require.True(t, Code(code).Known() || code == "any code", code)
			name := "`" + code + "`"
			if code == "any code" {
				name = code
			}
			entry := hints[Hint(text)]
			fmt.Fprintf(&b, "| %s | %s | %s |\n", name, general(entry.message), general(entry.fix))
		}
	}
	return b.String() + "\n"
}

var (
	optional = regexp.MustCompile(`\[[^]]*\]`)
	detail   = regexp.MustCompile(`\{=?\d\}`)
)

// general returns a sentence without the details that fill it.
func general(sentence string) string {
	return detail.ReplaceAllString(optional.ReplaceAllString(sentence, ""), "…")
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
		fmt.Fprintf(&b, "\n### %s\n\n| code | outcome | HTTP | what it means | what to do |\n|---|---|---|---|---|\n",
			strings.TrimSuffix(strings.Join(strings.Fields(group.Doc.Text()), " "), "."))
		for _, spec := range group.Specs {
			for _, value := range spec.(*ast.ValueSpec).Values {
				text, err := strconv.Unquote(value.(*ast.BasicLit).Value)
				require.NoError(t, err)
				code := Code(text)
				fmt.Fprintf(&b, "| `%s` | %s | %d | %s | %s |\n", code, code.Outcome(), code.Status(), code.Message(""), code.Fix())
			}
		}
	}
	return b.String() + "\n"
}
