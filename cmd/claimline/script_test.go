package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	testscript.Main(tests{m}, map[string]func(){"claimline": main})
}

// tests runs all tests, and then removes what they shared.
type tests struct{ *testing.M }

// shared is a folder that all tests share; empty until one has made it.
var shared string

func (m tests) Run() int {
	defer func() { _ = os.RemoveAll(shared) }()
	return m.M.Run()
}

// TestScript plays the scripts in testdata/script, each in a folder of its own with the files that stand below it.
// SAMPLES is the folder of the samples; "exits CODE COMMAND" insists on an exit code.
func TestScript(t *testing.T) {
	samples, err := filepath.Abs(samples)
	require.NoError(t, err)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
		Setup: func(env *testscript.Env) error {
			env.Setenv("SAMPLES", samples)
			return nil
		},
	})
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
