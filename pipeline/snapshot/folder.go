package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// survey looks at all that is in the folder: opens the files that are there, and refuses those that may be
// one of them. The problems are those of the folder and of the headers; no row has been read.
func (l *loading) survey(ctx context.Context) error {
	entries, err := os.ReadDir(l.folder)
	if err != nil {
		why := schema.Word("the system refused to read it")
		switch {
		case errors.Is(err, fs.ErrNotExist):
			why = "there is none of this name"
		case errors.Is(err, fs.ErrPermission):
			why = "you are not allowed to read it"
		}
		if info, statErr := os.Stat(l.folder); statErr == nil && !info.IsDir() {
			why = "it is a file, not a folder"
		}
		return l.add(0, schema.Refuse(schema.CodeFileUnreadable, "The folder cannot be read: %s.", why).At(l.folder, 0, 0).
			WithFix("Give the folder with %s and the other files of the snapshot.", describe()[0].name).Because(err))
	}
	there := make(map[string]bool, len(entries)) // by name, as the folder has it: some systems find claims.csv where Claims.csv is
	for _, entry := range entries {
		there[entry.Name()] = true
	}
	all := describe()
	var have [tables]string // the names under which the folder has them; blank: not at all
	for i, t := range all {
		if have[i], err = l.find(t.name, there); err != nil {
			return err
		}
	}
	for _, entry := range entries {
		if !entry.IsDir() {
			l.checkFile(entry.Name(), all, have)
		}
	}
	for i, t := range all {
		if have[i] != "" {
			if err := l.open(ctx, t, i, filepath.Join(l.folder, have[i])); err != nil {
				return err
			}
			continue
		}
		if !t.optional && !slices.ContainsFunc(l.problems, func(p problem) bool { return p.Code == schema.CodeFileUnclear && mayBe(filepath.Base(p.File), t.name) }) {
			refused := schema.Refuse(schema.CodeFileUnreadable, "The folder has no file %s.", t.name).At(filepath.Join(l.folder, t.name), 0, 0).
				WithFix("Add the file to the folder, or give the folder that has it.")
			l.problems = append(l.problems, problem{refused, i})
		}
	}
	return nil
}

// find returns under which name the folder has a file: its own, or where there is none that of a workbook.
// What is only called a workbook is none, and one that is left out is nobody's. Blank: not at all.
func (l *loading) find(name string, there map[string]bool) (string, error) {
	if there[name] {
		return name, nil
	}
	for _, other := range workbooks(name) {
		if !there[other] || l.ignores(other) {
			continue
		}
		file, err := dialect.OpenFile(filepath.Join(l.folder, other))
		if err != nil {
			continue // checkFile refuses it
		}
		is, err := dialect.IsWorkbook(file)
		if err := errors.Join(err, file.Close()); err != nil {
			return "", fmt.Errorf("look into %s: %w", other, err)
		}
		if is {
			return other, nil
		}
	}
	return "", nil
}

// ignores reports whether a file is to be left out.
func (l *loading) ignores(name string) bool {
	return l.passes(func(ignored string) bool { return norm.NFC.String(ignored) == norm.NFC.String(name) })
}

// checkFile refuses a file that is none of the five and may be meant to be one: any CSV file, and a table of
// another kind that is called like one of the five which is not there. Hidden files are nobody's tables.
func (l *loading) checkFile(name string, all [tables]table, have [tables]string) {
	if strings.HasPrefix(name, ".") || slices.Contains(have[:], name) {
		return
	}
	i := slices.IndexFunc(all[:], func(t table) bool { return mayBe(name, t.name) })
	folded := strings.ToLower(name)
	if !strings.Contains(folded, ".csv") {
		stem, extension, _ := strings.Cut(folded, ".")
		i = slices.IndexFunc(all[:], func(t table) bool { return stem+".csv" == t.name })
		second := i >= 0 && have[i] != all[i].name && slices.Contains(workbooks(all[i].name), name) // where none is the CSV file
		if i < 0 || have[i] != "" && !second || !slices.Contains([]string{"", "txt", "tsv", "tab", "xls", "xlsx", "xlsm", "ods", "numbers"}, extension) {
			return
		}
	}
	if l.ignores(name) {
		return
	}
	refused := schema.Refuse(schema.CodeFileUnclear, "%q is none of the files of a snapshot: %s.", name, strings.Join(Files(), ", "))
	switch {
	case i >= 0 && have[i] != "":
		refused = schema.Refuse(schema.CodeFileUnclear, "%q may be %s, which stands beside it.", name, have[i])
	case i >= 0:
		refused = schema.Refuse(schema.CodeFileUnclear, "%q may be %s, which the folder does not have.", name, all[i].name)
	}
	refused = refused.At(filepath.Join(l.folder, name), 0, 0).WithFix("Take it out of the folder, or leave it out: --ignore %q.", name)
	if i >= 0 && have[i] == "" {
		refused = refused.WithFix("Call it %s if that is what it is, and save it as CSV UTF-8. Or leave it out: --ignore %q.", all[i].name, name)
	}
	l.problems = append(l.problems, problem{refused, -1})
}

// mayBe reports whether a file may be meant for the one that is called name.
func mayBe(file, name string) bool {
	file, _, _ = strings.Cut(strings.ToLower(file), ".")
	name = strings.TrimSuffix(name, ".csv")
	const letters = 2
	return schema.Distance(file, name) <= letters || strings.Contains(file, name) || strings.Contains(file, strings.TrimSuffix(name, "s"))
}
