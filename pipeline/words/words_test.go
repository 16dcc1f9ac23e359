package words

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// said tells of functions which of their arguments, from 0, are said to people. -1 is the last.
var said = map[string][]int{
	"Say": {0}, "And": {0}, "SayCount": {1, 2}, "Count": {1, 2}, "count": {1, 2}, "Word": {0}, "Format": {0},
	"Refuse": {1}, "refuse": {1}, "malformed": {1}, "unreadable": {1}, "unanswered": {0}, "RefuseDoubts": {1}, "WithFix": {0}, "usage": {0},
	"say": {0}, "line": {0, 1}, "ask": {1}, "agrees": {2}, "agreesTo": {2}, "notALimit": {1}, "notice": {1}, "showDomain": {1}, "showSchedule": {1}, "oneArg": {0},
	"Whole": {0}, "Numeric": {0}, "Text": {0}, "Address": {0}, "When": {0},
	"fact": {0}, "offer": {0}, "repair": {1, 2},
	"BoolVar": {-1}, "IntVar": {-1}, "StringVar": {-1}, "StringVarP": {-1}, "BoolVarP": {-1}, "StringArrayVar": {-1}, "StringSliceVar": {-1}, "DurationVar": {-1},
}

// composed tells of types which of their fields, by name or place, are said to people.
var composed = map[string][]string{
	"Command": {"Short", "Long"}, "Group": {"Title"}, "entry": {"2", "3"}, "saying": {"0", "1"}, "kind": {"0", "1"}, "Finding": {"Message", "Fix"},
}

// words are types of which every constant in a map or a list of theirs is said to people.
const wordType = "Word"

// inTemplate finds what templates of pages and reports say.
var inTemplate = []*regexp.Regexp{
	regexp.MustCompile(`[({|] ?-? ?(?:\$\.)?t "((?:[^"\\]|\\.)*)"`), regexp.MustCompile(`[({] ?-? ?n [^"{}]*"((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"`),
}

// sentences collects what is said to people, by the files in which it is said.
type sentences map[string]string

func (s sentences) add(text, file string) {
	if !noSentence.MatchString(text) {
		s[text] = file
	}
}

var (
	place      = regexp.MustCompile(`\{=?\d\}`)
	flag       = regexp.MustCompile(`^--[a-z-]+ `)
	noSentence = regexp.MustCompile(`^MST$|^[a-z]+(?:_[a-z]+)+$|Jan|^2006|15[:.]04 \(?MST`)
)

var verb = regexp.MustCompile(`%(?:\[\d+\])?[-+ #0]*(?:\[\d+\]\*|\d+|\*)?(?:\.\d+)?[a-zA-Z%]`)

func unverbed(text string) string {
	text = verb.ReplaceAllString(text, "")
	return flag.ReplaceAllString(place.ReplaceAllString(text, ""), "")
}

// source collects from the Go files of one folder.
type source struct {
	said      sentences
	constants map[string]string // of the folder
	others    map[string]string // of other folders
}

func (s *source) text(e ast.Expr) (string, bool) {
	switch v := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(v.Value)
		return text, v.Kind == token.STRING && err == nil
	case *ast.BinaryExpr:
		left, one := s.text(v.X)
		right, other := s.text(v.Y)
		return left + right, one && other
	case *ast.Ident:
		text, found := s.constants[v.Name]
		return text, found
	case *ast.SelectorExpr:
		text, found := s.others[v.Sel.Name]
		return text, found
	case *ast.ParenExpr:
		return s.text(v.X)
	}
	return "", false
}

// declare notes the constants of a declaration that are texts.
func (s *source) declare(n ast.Node) {
	group, ok := n.(*ast.GenDecl)
	if !ok || group.Tok != token.CONST {
		return
	}
	for _, spec := range group.Specs {
		value := spec.(*ast.ValueSpec)
		for i, name := range value.Names {
			if i < len(value.Values) {
				if text, ok := s.text(value.Values[i]); ok {
					s.constants[name.Name] = text
				}
			}
		}
	}
}

func nameOf(e ast.Expr) string {
	switch v := e.(type) {
	case *ast.Ident:
		return v.Name
	case *ast.SelectorExpr:
		return v.Sel.Name
	case *ast.StarExpr:
		return nameOf(v.X)
	}
	return ""
}

func (s *source) visit(n ast.Node, file string) {
	add := func(e ast.Expr) {
		if text, ok := s.text(e); ok {
			s.said.add(text, file)
		}
	}
	switch v := n.(type) {
	case *ast.CallExpr:
		for _, i := range said[nameOf(v.Fun)] {
			if i < 0 {
				i = len(v.Args) - 1
			}
			if i < len(v.Args) {
				add(v.Args[i])
			}
		}
	case *ast.CompositeLit:
		s.composite(v, add)
	case *ast.ValueSpec:
		if nameOf(v.Type) == wordType {
			for _, value := range v.Values {
				add(value)
			}
		}
	case *ast.AssignStmt: // x := Word("…"), and then x = "…"
		for i, left := range v.Lhs {
			if ident, ok := left.(*ast.Ident); ok && v.Tok == token.ASSIGN && len(v.Lhs) == len(v.Rhs) && s.isWord(ident) {
				add(v.Rhs[i])
			}
		}
	case *ast.FuncDecl:
		if v.Type.Results != nil && len(v.Type.Results.List) == 1 && nameOf(v.Type.Results.List[0].Type) == wordType {
			ast.Inspect(v.Body, func(n ast.Node) bool {
				if result, ok := n.(*ast.ReturnStmt); ok && len(result.Results) == 1 {
					add(result.Results[0])
				}
				return true
			})
		}
	}
}

// isWord reports whether a variable was declared as a Word.
func (*source) isWord(ident *ast.Ident) bool {
	if ident.Obj == nil {
		return false
	}
	switch d := ident.Obj.Decl.(type) {
	case *ast.AssignStmt:
		call, ok := d.Rhs[0].(*ast.CallExpr)
		return ok && nameOf(call.Fun) == wordType
	case *ast.ValueSpec:
		return nameOf(d.Type) == wordType
	case *ast.Field:
		return nameOf(d.Type) == wordType
	}
	return false
}

func (s *source) composite(v *ast.CompositeLit, add func(ast.Expr)) {
	element := ""
	switch t := v.Type.(type) {
	case *ast.MapType:
		element = nameOf(t.Value)
	case *ast.ArrayType:
		element = nameOf(t.Elt)
	}
	if element == wordType {
		for _, e := range v.Elts {
			if pair, ok := e.(*ast.KeyValueExpr); ok {
				e = pair.Value
			}
			add(e)
		}
		return
	}
	fields := func(name string, list []ast.Expr) {
		for i, e := range list {
			at := strconv.Itoa(i)
			if pair, ok := e.(*ast.KeyValueExpr); ok {
				at, e = nameOf(pair.Key), pair.Value
			}
			for _, field := range composed[name] {
				if field == at {
					add(e)
				}
			}
		}
	}
	fields(nameOf(v.Type), v.Elts)
	if list, ok := v.Type.(*ast.ArrayType); ok {
		if anonymous, ok := list.Elt.(*ast.StructType); ok {
			s.anonymous(anonymous, v.Elts, add)
		}
	}
	if composed[element] != nil {
		for _, e := range v.Elts {
			if pair, ok := e.(*ast.KeyValueExpr); ok {
				e = pair.Value
			}
			if inner, ok := e.(*ast.CompositeLit); ok && inner.Type == nil {
				fields(element, inner.Elts)
			}
		}
	}
}

// anonymous collects from a list of structs without a name the fields that are Words.
func (*source) anonymous(t *ast.StructType, list []ast.Expr, add func(ast.Expr)) {
	var isWord []bool
	for _, field := range t.Fields.List {
		for range field.Names {
			isWord = append(isWord, nameOf(field.Type) == wordType)
		}
	}
	for _, e := range list {
		if inner, ok := e.(*ast.CompositeLit); ok {
			for i, value := range inner.Elts {
				if i < len(isWord) && isWord[i] {
					add(value)
				}
			}
		}
	}
}

// everythingSaid reads all that is said to people from the source. What the API says is for programs.
func everythingSaid(t *testing.T) sentences {
	t.Helper()
	all := sentences{}
	folders := map[string]map[string]*ast.File{}
	root := filepath.Join("..", "..")
	for _, top := range []string{"schema", "pipeline", filepath.Join("cmd", "claimline")} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (d.Name() == "testdata" || d.Name() == "api" || d.Name() == "storetest"):
				return filepath.SkipDir
			case strings.HasSuffix(path, ".html") || strings.HasSuffix(path, ".tmpl"):
				text, err := os.ReadFile(path)
				for _, pattern := range inTemplate {
					for _, found := range pattern.FindAllStringSubmatch(string(text), -1) {
						for _, quoted := range found[1:] {
							unquoted, err := strconv.Unquote(`"` + quoted + `"`)
							require.NoError(t, err, path)
							all.add(unquoted, path)
						}
					}
				}
				return err
			case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err == nil {
				folder := filepath.Dir(path)
				if folders[folder] == nil {
					folders[folder] = map[string]*ast.File{}
				}
				folders[folder][path] = file
			}
			return err
		})
		require.NoError(t, err)
	}
	constants := map[string]string{}
	for _, files := range folders {
		s := &source{constants: constants}
		for _, file := range files {
			ast.Inspect(file, func(n ast.Node) bool { s.declare(n); return true })
		}
	}
	for _, files := range folders {
		s := &source{said: all, constants: map[string]string{}, others: constants}
		for _, file := range files {
			ast.Inspect(file, func(n ast.Node) bool { s.declare(n); return true })
		}
		for path, file := range files {
			ast.Inspect(file, func(n ast.Node) bool {
				if n != nil {
					s.visit(n, path)
				}
				return true
			})
		}
	}
	return all
}

// Everything that is said in English is said in Swedish, too, with the same values, once, and nothing else.
func TestTheCatalogueIsWhole(t *testing.T) {
	all := everythingSaid(t)
	require.Greater(t, len(all), 500)
	seen := map[string]bool{}
	for _, part := range swedish {
		for english, translated := range part {
			assert.False(t, seen[english], "%q stands in two parts of the catalogue", english)
			seen[english] = true
			assert.NotEmpty(t, translated, english)
			assert.ElementsMatch(t, places(english), places(translated), "%q and %q have other values", english, translated)
			if all[english] == "" && !derived[english] {
				t.Errorf("nobody says %q", english)
			}
		}
	}
	for english, file := range all {
		if !seen[english] && strings.ContainsFunc(unverbed(english), unicode.IsLetter) {
			t.Errorf("%s: not in the catalogue: %q", file, english)
		}
	}
	for word := range derived {
		assert.True(t, seen[word], "not in the catalogue: %q", word)
	}
}

// places lists the values of a sentence: of a format each by its number and verb.
func places(text string) []string {
	list := place.FindAllString(text, -1)
	n := 0
	for _, found := range verb.FindAllString(text, -1) {
		if found == "%%" {
			list = append(list, found)
			continue
		}
		if open := strings.IndexByte(found, '['); open >= 0 {
			n, _ = strconv.Atoi(found[open+1 : strings.IndexByte(found, ']')])
			found = found[:open] + found[strings.IndexByte(found, ']')+1:]
		} else {
			n++
		}
		list = append(list, strconv.Itoa(n)+found)
	}
	return list
}

// derived are words that are made of codes, and those of which constants are not in sight where they are
// said.
var derived = func() map[string]bool {
	list := map[string]bool{}
	add := func(words ...string) {
		for _, word := range words {
			list[strings.ReplaceAll(word, "_", " ")] = true
		}
	}
	for _, state := range []schema.ImportState{
		schema.StateQueued, schema.StatePlanning, schema.StateAwaitingConsent, schema.StateApplying, schema.StateCompleted,
		schema.StateCompletedWithErrors, schema.StateRejected, schema.StateCancelled, schema.StateInterrupted, schema.StateFailed,
	} {
		add(string(state))
	}
	for _, status := range append([]schema.Status{schema.DelayedClaim}, schema.Statuses...) {
		add(string(status))
	}
	for _, what := range []schema.Closing{schema.ClosedRetracted, schema.ClosedCompleted, schema.ClosedRemoved} {
		add(string(what))
	}
	for _, choice := range []schema.Choice{schema.ChangeEmail, schema.TransferContent, schema.DeleteAccount} {
		add(string(choice))
	}
	add(string(schema.Immediate), string(schema.Delayed), "claimed", "signed_in", "on", "off", "a blank", "an apostrophe", "nothing", schema.ByHand)
	for _, outcome := range slices.Concat(schema.Outcomes, schema.HandoffOutcomes) {
		add(strings.ToUpper(string(outcome[:1])) + string(outcome[1:]))
	}
	for _, delimiter := range []byte(",;\t|") {
		add(dialect.NameDelimiter(delimiter))
	}
	return list
}()
