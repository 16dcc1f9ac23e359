package pipeline_test

import (
	"cmp"
	"flag"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the table of packages into README.md")

// longest is how many lines of code a package has at most that gives no reason: some 1,500, for a wall that a
// few lines more put up stands where nobody looks for it. A line counts that has code on it. Comments, blank
// lines and imports do not count, and neither do tests nor files that are generated.
const longest = 1600

// room is a package of the module.
type room struct {
	name     string   // of the package
	sentence string   // the first of its comment
	imports  []string // packages of the module, as paths below it
	lines    int
	above    int // how many packages stand on one another below it
}

const module = "github.com/claimline/claimline/"

// readRooms parses every package of the module, and returns them by their paths.
func readRooms(t *testing.T) map[string]*room {
	t.Helper()
	rooms := map[string]*room{}
	for _, floor := range []string{"schema", "pipeline", "cmd"} {
		require.NoError(t, filepath.WalkDir(filepath.Join("..", floor), func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
				return err
			}
			at, err := filepath.Rel("..", filepath.Dir(file))
			if err != nil {
				return err
			}
			at = filepath.ToSlash(at)
			if rooms[at] == nil {
				rooms[at] = &room{}
			}
			return rooms[at].read(file)
		}))
	}
	for _, r := range rooms {
		r.rise(rooms)
	}
	return rooms
}

// read adds a file.
func (r *room) read(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, text, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return err
	}
	r.name = file.Name.Name
	if file.Doc != nil {
		r.sentence = strings.TrimSpace(r.sentence + " " + new(doc.Package).Synopsis(file.Doc.Text()))
	}
	for _, imported := range file.Imports {
		of, err := strconv.Unquote(imported.Path.Value)
		if err != nil {
			return err
		}
		if below, ours := strings.CutPrefix(of, module); ours && !slices.Contains(r.imports, below) {
			r.imports = append(r.imports, below)
		}
	}
	if !ast.IsGenerated(file) {
		begin := file.Name.End()
		if len(file.Decls) > 0 {
			begin = file.Decls[len(file.Decls)-1].End()
		}
		r.lines += countLines(text, files.Position(begin).Offset)
	}
	return nil
}

// countLines counts the lines with code on them, behind a place.
func countLines(text []byte, behind int) int {
	files := token.NewFileSet()
	file := files.AddFile("", -1, len(text))
	var s scanner.Scanner
	s.Init(file, text, nil, 0)
	lines := map[int]bool{}
	for {
		at, kind, literal := s.Scan()
		switch {
		case kind == token.EOF:
			return len(lines)
		case file.Offset(at) < behind, kind == token.SEMICOLON && literal == "\n":
			continue
		}
		for i := range 1 + strings.Count(literal, "\n") {
			lines[file.Line(at)+i] = true
		}
	}
}

// rise finds out how far up a package stands.
func (r *room) rise(rooms map[string]*room) int {
	if r.above == 0 {
		r.above = 1
		for _, below := range r.imports {
			if rooms[below] != nil {
				r.above = max(r.above, 1+rooms[below].rise(rooms))
			}
		}
	}
	return r.above
}

// TestRooms holds the table of packages in README.md against the packages: each says in a sentence what it
// is, stands below those that it imports, and gives a reason where it is long.
func TestRooms(t *testing.T) {
	const begin, end = "<!-- packages -->\n", "<!-- end of packages -->"
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(readme), begin)
	require.True(t, found)
	table, after, found := strings.Cut(rest, end)
	require.True(t, found)
	reasons := map[string]string{} // written by hand
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| .* \\| (.*) \\|$").FindAllStringSubmatch(table, -1) {
		reasons[row[1]] = strings.TrimSpace(row[2])
	}

	rooms := readRooms(t)
	paths := slices.SortedFunc(func(yield func(string) bool) {
		for at := range rooms {
			if !yield(at) {
				return
			}
		}
	}, func(a, b string) int { return cmp.Or(rooms[a].above-rooms[b].above, strings.Compare(a, b)) })
	var want strings.Builder
	want.WriteString("| package | what it is | why it is longer |\n|---|---|---|\n")
	for _, at := range paths {
		r, named := rooms[at], "Package "+rooms[at].name+" "
		if r.name == "main" {
			named = "Command " + path.Base(at) + " "
		}
		sentence, ok := strings.CutPrefix(r.sentence, named)
		assert.True(t, ok, "%s: its comment begins: %q", at, r.sentence)
		assert.Regexp(t, `^[^.].*[^.]\.$`, sentence, "%s: its comment begins with one sentence", at)
		if r.lines > longest {
			assert.NotEmpty(t, reasons[at], "%s has %d lines of code: split it where there is a seam, or say in README.md why not", at, r.lines)
		} else {
			assert.Empty(t, reasons[at], "%s has %d lines of code, and needs no reason any more", at, r.lines)
		}
		fmt.Fprintf(&want, "| `%s` | %s | %s |\n", at, strings.ReplaceAll(sentence, "|", `\|`), reasons[at])
	}
	if *update {
		require.NoError(t, os.WriteFile("README.md", []byte(before+begin+want.String()+end+after), 0o644))
		return
	}
	for row := range strings.Lines(want.String()) {
		if !strings.Contains(table, row) {
			t.Errorf("README.md lacks: %s", row) // without all the others in the message
		}
	}
	if want.String() != table {
		t.Error("run: go test ./pipeline -run TestRooms -update")
	}
}

// TestRoomsHaveTheirPlace finds in the configuration of the linter a rule for every package that says what it
// may import, but for commands, what is generated, and what only tests import.
func TestRoomsHaveTheirPlace(t *testing.T) {
	config, err := os.ReadFile(filepath.Join("..", ".golangci.yml"))
	require.NoError(t, err)
	var globs []string
	for _, files := range regexp.MustCompile(`files: \["\*\*/([^"]+)"`).FindAllStringSubmatch(string(config), -1) {
		globs = append(globs, files[1])
	}
	rooms := readRooms(t)
	imported := map[string]bool{}
	for _, r := range rooms {
		for _, below := range r.imports {
			imported[below] = true
		}
	}
	for at, r := range rooms {
		if r.name == "main" || r.lines == 0 || !imported[at] {
			continue
		}
		assert.True(t, slices.ContainsFunc(globs, func(glob string) bool {
			if folder, itself := strings.CutSuffix(glob, "/*.go"); itself {
				return folder == at
			}
			folder := strings.TrimSuffix(glob, "/**")
			parts := strings.Split(at, "/")
			fits, _ := path.Match(folder, strings.Join(parts[:min(len(parts), 1+strings.Count(folder, "/"))], "/"))
			return fits && strings.Contains(folder, "/") // what holds for a whole floor gives nobody a place
		}), "%s has no rule of depguard in .golangci.yml", at)
	}
}
