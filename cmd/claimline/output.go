package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/pipeline/words"
	"github.com/claimline/claimline/schema"
)

// target is where an answer goes: to stdout, to a file that appears whole or not at all, or into something
// that is no file.
type target struct {
	name   string // as the user gave it; blank: stdout
	path   string // of the file, with symbolic links followed
	direct bool   // a device or a pipe: written to, not replaced
}

// findTarget looks at the file called name, and refuses what cannot be written to, as far as that can be
// known before: a folder, a file in a folder that is not there or may not be written to; and whatever must
// not be written over, which is the files given, the configuration and the database.
func (a *app) findTarget(name string, inputs ...string) (target, error) {
	t := target{name: name}
	if t.stdout() {
		return t, nil
	}
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir() || strings.HasSuffix(name, "/") || strings.HasSuffix(name, string(os.PathSeparator)):
		return t, schema.Refuse(schema.CodeOutputUnwritable, "%s could not be written: it is a folder.", name).
			WithFix("Name a file in it: %s.", filepath.Join(name, "report.csv"))
	case err == nil && !info.Mode().IsRegular():
		t.direct = true
		return t, nil
	case err == nil:
		if t.path, err = filepath.EvalSymlinks(name); err != nil {
			return t, unwritable(name, err)
		}
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Lstat(name); err == nil {
			return t, schema.Refuse(schema.CodeOutputUnwritable, "%s could not be written: it is a link to a file that is not there.", name).
				WithFix("Name the file itself.")
		}
		t.path = name
	default:
		return t, unwritable(name, err)
	}
	if kept := a.keptFrom(t.path, info, inputs); kept != "" {
		return t, schema.Refuse(schema.CodeOutputUnwritable, "%s could not be written: it is %s.", name, kept).WithFix("Choose another name.")
	}
	return t, nil
}

// checkTarget refuses the file called name where writeOutput would, before the work is done.
func (a *app) checkTarget(name string, inputs ...string) error {
	t, err := a.findTarget(name, inputs...)
	if err != nil || t.direct {
		return err
	}
	return t.probe()
}

// keptFrom says what a file is that must not be written over; blank: it may be. info is nil where there is no
// file yet.
func (a *app) keptFrom(path string, info fs.FileInfo, inputs []string) schema.Word {
	is := func(other string) bool {
		if other == "" || other == "-" {
			return false
		}
		if info == nil {
			mine, errMine := filepath.Abs(path)
			theirs, errTheirs := filepath.Abs(other)
			return errMine == nil && errTheirs == nil && mine == theirs
		}
		there, err := os.Stat(other)
		return err == nil && os.SameFile(info, there)
	}
	if db, isFile := a.databaseFile(); isFile && slices.ContainsFunc([]string{db, db + "-wal", db + "-shm", db + "-journal"}, is) {
		return "the database"
	}
	if is(a.configFile()) {
		return "the configuration"
	}
	if slices.ContainsFunc(inputs, is) {
		return "the file that is read"
	}
	return ""
}

func (t target) stdout() bool { return t.name == "" || t.name == "-" }

// probe makes a file where one will be made, and removes it.
func (t target) probe() error {
	file, err := t.create()
	if err != nil {
		return err
	}
	file.remove()
	return nil
}

// create makes the file that is written first: next to the target, so that it can take its place, or, where
// the answer goes somewhere else in the end, in the folder for temporary files.
func (t target) create() (*unfinished, error) {
	folder, pattern := filepath.Dir(t.path), "."+filepath.Base(t.path)+"-*"
	if t.path == "" {
		folder, pattern = "", "claimline-*"
	}
	file, err := os.CreateTemp(folder, pattern)
	switch {
	case err != nil && t.path == "":
		return nil, schema.Refuse(schema.CodeOutputUnwritable, "There is no room for temporary files in %s: %s.", os.TempDir(), cause(err)).
			WithFix("Set %s to a folder that you may write to.", tempVariable).Because(err)
	case err != nil:
		return nil, unwritable(t.name, err)
	}
	u := &unfinished{File: file}
	if t.path == "" && os.Remove(file.Name()) == nil { // where the system lets it go at once, nothing can leave it behind
		return u, nil
	}
	unfinishedFiles.Store(u, true)
	return u, nil
}

// unfinished is a file that is being written.
type unfinished struct{ *os.File }

// unfinishedFiles are those that have a name, and names of folders.
var unfinishedFiles sync.Map

// remove closes the file and takes its name away.
func (u *unfinished) remove() {
	_ = u.Close()
	if _, named := unfinishedFiles.LoadAndDelete(u); named {
		_ = os.Remove(u.Name())
	}
}

// removeUnfinished removes what a process that ends at once would leave behind.
func removeUnfinished() {
	unfinishedFiles.Range(func(what, _ any) bool {
		switch u := what.(type) {
		case *unfinished:
			_ = os.Remove(u.Name())
		case string:
			_ = os.RemoveAll(u)
		}
		return true
	})
}

// writeFolder lets work fill a folder that only its owner may read, and that appears whole under its name or
// not at all. Refused with CodeFileExists where there is something of that name.
func (a *app) writeFolder(name string, work func(folder string) error) error {
	name = filepath.Clean(name)
	if err := mayMakeFolder(name); err != nil {
		return err
	}
	folder, err := os.MkdirTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return unwritable(name, err)
	}
	unfinishedFiles.Store(folder, true)
	defer func() {
		unfinishedFiles.Delete(folder)
		_ = os.RemoveAll(folder) // nothing, once it has its name
	}()
	if err := work(folder); err != nil {
		return workError(name, err)
	}
	if err := mayMakeFolder(name); err != nil { // somebody was faster
		return err
	}
	if err := os.Rename(folder, name); err != nil {
		return unwritable(name, err)
	}
	return nil
}

// mayMakeFolder refuses, with CodeFileExists, a name that something has.
func mayMakeFolder(name string) error {
	if _, err := os.Lstat(name); err == nil {
		return schema.Refuse(schema.CodeFileExists, "%s is there already.", name).WithFix("Choose another name: what has been made is never written over.")
	}
	return nil
}

// writeOutput lets work write to the file called name, or to stdout where that is blank or "-". A file
// appears whole or not at all, readable by its owner only: it holds people's data. Stdout, too, gets nothing
// of a work that failed. What must not be written over, besides the configuration and the database, are the
// inputs.
func (a *app) writeOutput(name string, work func(io.Writer) error, inputs ...string) error {
	t, err := a.findTarget(name, inputs...)
	if err != nil {
		return err
	}
	file, err := t.create()
	if err != nil {
		return err
	}
	defer file.remove()
	what := any(name)
	if name == "" {
		what = schema.Word("The output")
	}
	if err := work(file); err != nil {
		return workError(what, err)
	}
	if err := a.deliver(file, t); err != nil {
		return unwritable(what, err)
	}
	return nil
}

// workError returns why a work failed that writes: a file operation that nobody has put into words is that of
// the output.
func workError(name any, err error) error {
	_, told := errors.AsType[*schema.Error](err)
	if _, path := errors.AsType[*os.PathError](err); path && !told {
		return unwritable(name, err)
	}
	return err
}

// deliver brings what was written to where it is to go.
func (a *app) deliver(file *unfinished, t target) (err error) {
	if t.path != "" {
		if err := file.Close(); err != nil {
			return err
		}
		if err := os.Rename(file.Name(), t.path); err != nil {
			return err
		}
		unfinishedFiles.Delete(file)
		return nil
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	to := a.stdout
	if t.direct {
		device, openErr := os.OpenFile(t.name, os.O_WRONLY, 0)
		if openErr != nil {
			return openErr
		}
		defer func() { err = errors.Join(err, device.Close()) }()
		to = device
	}
	_, err = io.Copy(to, file)
	return err
}

// mayCreate refuses, with CodeFileExists, a file that is there already: somebody may be editing it.
func mayCreate(name string, force bool) error {
	if name == "" || name == "-" || force {
		return nil
	}
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return nil //nolint:nilerr // what is wrong with it is told when it is written
	}
	return schema.Refuse(schema.CodeFileExists, "%s is there already, and somebody may be editing it.", name)
}

// reportFlags are the flags of commands that report rows.
type reportFlags struct {
	format, reason, output string
	only                   []string
	outcomes               []schema.Outcome // that rows can have; nil: those of an import
}

// The forms of an answer that are not forms of a report.
const (
	formatText = "text"
	formatJSON = "json"
)

// onlyValues returns what --only can be, where rows have these outcomes.
func onlyValues(outcomes []schema.Outcome) []string {
	values := []string{report.OnlyProblems, report.OnlyEdits, report.OnlyWarnings}
	for _, outcome := range outcomes {
		values = append(values, string(outcome))
	}
	return values
}

func (f *reportFlags) check(json bool, formats ...string) error {
	if f.format == "" {
		f.format = formatText
		if isWorkbookName(f.output) {
			f.format = string(report.XLSX)
		}
		if json {
			f.format = formatJSON
		}
	}
	if !slices.Contains(formats, f.format) {
		return notOneOf("--format", f.format, formats)
	}
	outcomes := f.outcomes
	if outcomes == nil {
		outcomes = schema.Outcomes
	}
	for i, only := range f.only {
		if f.only[i] = strings.TrimSpace(only); !slices.Contains(onlyValues(outcomes), f.only[i]) {
			return notOneOf("--only", only, onlyValues(outcomes))
		}
	}
	if code := schema.Code(f.reason); f.reason != "" && code.Outcome() == "" && (f.outcomes == nil || !code.Known()) {
		var reasons []string
		for _, known := range schema.RowReasons() {
			reasons = append(reasons, string(known))
		}
		return notOneOf("--reason", f.reason, reasons)
	}
	return nil
}

// isWorkbookName reports whether a file that is to be written is called as workbooks are.
func isWorkbookName(name string) bool { return strings.EqualFold(filepath.Ext(name), ".xlsx") }

// narrows reports whether rows are asked for, and not all.
func (f *reportFlags) narrows() bool { return len(f.only) > 0 || f.reason != "" }

func notOneOf(flag, value string, values []string) error {
	refused := usage("%s %q is not one of %s.", flag, value, strings.Join(values, ", "))
	if near, ok := schema.Nearest([]string{value}, values); ok {
		return refused.WithFix("Did you mean %s %s?", flag, near)
	}
	return refused.WithFix("Write %s with one of: %s.", flag, strings.Join(values, ", "))
}

func (f *reportFlags) report(to io.Writer, l words.Language) *report.Report {
	return &report.Report{To: to, Format: report.Format(f.format), Only: f.only, Reason: schema.Code(f.reason), Language: l}
}

// words returns the flags as somebody would write them to have the same rows again.
func (f *reportFlags) words() (words []string) {
	for _, flag := range [][2]string{{"format", f.format}, {"only", strings.Join(f.only, ",")}, {"reason", f.reason}} {
		if flag[1] != "" {
			words = append(words, "--"+flag[0], flag[1])
		}
	}
	return words
}
