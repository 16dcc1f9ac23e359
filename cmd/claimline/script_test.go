//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/store/postgres/postgrestest"
	"github.com/claimline/claimline/pipeline/store/testdb"
)

func TestMain(m *testing.M) {
	for _, locale := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} { // tests are in English, wherever they run
		_ = os.Unsetenv(locale)
	}
	testdb.Without(
		"TestDatabaseOfANewerVersion", "TestEveryExampleWorks", "TestFileSizeLimit", "TestReadOnlyDatabase", "TestServeOnFullDisk", // files
		"TestCommandsThatAreToldCanBeCopied", "TestHelpOfEveryCommand", "TestPulse", "TestReadme.*", "TestTheExitCodeIsTheImports", "TestWatching.*", // no database
		"TestServeWhileTheDatabaseIsAway", "TestWorkers", // PostgreSQL always
		"TestHTMLReport.*", "TestMemory", // what they look at comes from the file and the kept rows
	)
	code := m.Run()
	_ = os.RemoveAll(shared)
	_ = os.RemoveAll(huntFolder)
	os.Exit(code)
}

// shared is a folder that all tests share; empty until one has made it.
var shared string

// TestScript plays the scripts in testdata/script, each in a folder of its own with the files that stand
// below it, with the program as it is built. SAMPLES is the folder of the samples, and TYPED how
// the workbooks begin that LibreOffice made; "exits CODE COMMAND" insists on an exit code.
func TestScript(t *testing.T) {
	samples, err := filepath.Abs(samples)
	require.NoError(t, err)
	typed, err := filepath.Abs("../../pipeline/workbook/testdata/typed")
	require.NoError(t, err)
	l := openLab(t)
	testscript.Run(t, testscript.Params{
		Files:               scripts(t),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
		Condition:           condition,
		Setup: func(env *testscript.Env) error {
			env.Setenv("SAMPLES", samples)
			env.Setenv("TYPED", typed)
			if onPostgres() {
				env.Setenv("CLAIMLINE_DB", postgrestest.Empty(t))
			}
			env.Setenv("PATH", filepath.Dir(l.program)+string(os.PathListSeparator)+env.Getenv("PATH"))
			return nil
		},
	})
}

// scripts lists all scripts; in PostgreSQL, all but those about a database that is a file.
func scripts(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/script/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return slices.DeleteFunc(files, func(file string) bool {
		return onPostgres() && slices.Contains([]string{"config.txtar", "offline.txtar", "worker.txtar"}, filepath.Base(file))
	})
}

// condition knows [file], of lines that are about a database that is a file.
func condition(name string) (bool, error) {
	if name != "file" {
		return false, fmt.Errorf("no such condition: %s", name)
	}
	return !onPostgres(), nil
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	code := 0
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		code = failed.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d instead of %d", code, want)
	}
}
