package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/schema"
)

// writeOutput lets work write to the file called name, or to stdout where that is blank or "-". A file appears whole or
// not at all, readable by its owner only: it holds people's data. Stdout, too, gets nothing of a work that failed.
func (a *app) writeOutput(name string, work func(io.Writer) error) (err error) {
	stdout := name == "" || name == "-"
	folder, pattern := filepath.Dir(name), "."+filepath.Base(name)+"-*"
	if stdout {
		folder, pattern = os.TempDir(), "claimline-*"
	}
	file, err := os.CreateTemp(folder, pattern)
	if err != nil {
		return unwritable(first(name, "The output"), err)
	}
	defer func() {
		if err != nil || stdout {
			_ = file.Close()
			_ = os.Remove(file.Name())
		}
	}()
	if err := work(file); err != nil {
		if _, path := errors.AsType[*os.PathError](err); path {
			return unwritable(first(name, "The output"), err)
		}
		return err
	}
	if stdout {
		if _, err = file.Seek(0, io.SeekStart); err == nil {
			_, err = io.Copy(a.stdout, file)
		}
	} else if err = file.Close(); err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		return unwritable(first(name, "The output"), err)
	}
	return nil
}

// reportFlags are the flags of commands that report rows.
type reportFlags struct {
	format, only, output string
}

// The forms of an answer that are not forms of a report.
const (
	formatText = "text"
	formatJSON = "json"
)

// onlyProblems is what --only can be.
const onlyProblems = "problems"

func (f *reportFlags) check(json bool, formats ...string) error {
	if f.format == "" {
		f.format = formatText
		if json {
			f.format = formatJSON
		}
	}
	if !slices.Contains(formats, f.format) {
		return notOneOf("--format", f.format, formats)
	}
	if f.only != "" && f.only != onlyProblems {
		return notOneOf("--only", f.only, []string{onlyProblems})
	}
	return nil
}

func notOneOf(flag, value string, values []string) error {
	refused := usage("%s %q is not one of %s.", flag, value, strings.Join(values, ", "))
	if near, ok := schema.Nearest([]string{value}, values); ok {
		return refused.WithFix("Did you mean %s %s?", flag, near)
	}
	return refused.WithFix("Write %s with one of: %s.", flag, strings.Join(values, ", "))
}

func (f *reportFlags) report(to io.Writer) *pipeline.Report {
	return &pipeline.Report{To: to, Format: pipeline.ReportFormat(f.format), OnlyProblems: f.only == onlyProblems}
}
