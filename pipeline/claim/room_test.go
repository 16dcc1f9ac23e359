package claim

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	ruleNumber = regexp.MustCompile(`\bR\d{1,2}\b`)
	// pointer names rules as elsewhere: see R17; see R1 to R8; see R15, R16.
	pointer = regexp.MustCompile(`\b[Ss]ee R\d{1,2}(, R\d{1,2})*(,? (to|and|or) R\d{1,2})?`)
)

// commentsOf returns the comments of the program's Go files in a folder and below, each with its place; tests
// are left out.
func commentsOf(t *testing.T, root string) map[string]string {
	t.Helper()
	comments := map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, group := range file.Comments {
			comments[fmt.Sprintf("%s:%d", path, set.Position(group.Pos()).Line)] = strings.Join(strings.Fields(strings.ReplaceAll(group.Text(), "//", " ")), " ")
		}
		return nil
	}))
	return comments
}

// One rule, one room: what applies a rule says its number here, or, where it is a shape, in schema. Whoever
// else has to do with one points to it.
func TestRulesAreAppliedInOneRoom(t *testing.T) {
	t.Parallel()
	applied := map[string]bool{}
	for place, text := range commentsOf(t, ".") {
		if strings.HasPrefix(place, "doc.go:") {
			continue
		}
		for _, number := range ruleNumber.FindAllString(text, -1) {
			applied[number] = true
		}
	}
	for n := range 24 {
		assert.Contains(t, applied, fmt.Sprintf("R%d", n+1), "no comment here says where this rule is applied")
	}
	assert.Len(t, applied, 24, "there are no such rules")

	elsewhere := 0
	for _, root := range []string{"../../pipeline", "../../cmd"} {
		for place, text := range commentsOf(t, root) {
			path := filepath.ToSlash(place)
			if strings.Contains(path, "pipeline/claim/") || strings.Contains(path, "pipeline/store/storetest/") || strings.Contains(path, "cmd/claimline-bench/") {
				continue // the rules, and what holds everything against them
			}
			elsewhere += len(pointer.FindAllString(text, -1))
			assert.Empty(t, ruleNumber.FindString(pointer.ReplaceAllString(text, "")), "%s: %s: a rule is applied in claim; elsewhere write: see R…", place, text)
		}
	}
	assert.NotZero(t, elsewhere)
}
