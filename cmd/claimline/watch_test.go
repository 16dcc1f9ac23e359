//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/schema"
)

// An import that another process drives is followed: off a terminal one line per change, and the summary
// once.
func TestAnImportIsWatched(t *testing.T) {
	l := openLab(t)
	s := l.site(t)
	importing := s.start(t, "import", "--accept-permanent", l.users)
	importing.freezeBetweenChunks(t, s, halfway)
	watching, said := s.startWatch(t, "--exit-status")
	other, otherSaid := s.startWatch(t)
	for _, file := range []string{said, otherSaid} {
		eventually(t, "it says how far the import is", func() bool { return strings.Contains(content(t, file), "applying") })
	}

	other.signal(t, syscall.SIGINT)
	left := other.wait(t)
	assert.Equal(t, exitInterrupted, left.code)
	assert.Empty(t, left.stdout)

	importing.thaw(t)
	imported := importing.wait(t)
	require.Equal(t, exitDone, imported.code, imported.stderr)
	watched := watching.wait(t)
	assert.Equal(t, exitDone, watched.code)
	assert.Equal(t, 1, strings.Count(watched.stdout, "Claimed 30,000 of 30,000 users"), watched.stdout)
	lines := strings.Split(strings.TrimSpace(content(t, said)), "\n")
	for i := 1; i < len(lines); i++ {
		assert.NotEqual(t, lines[i-1], lines[i], "one line per change")
	}
}

// startWatch starts status --watch, which says on the file returned what it says on stderr.
func (s *site) startWatch(t *testing.T, flags ...string) (watching *process, said string) {
	t.Helper()
	said = filepath.Join(t.TempDir(), "said")
	file, err := os.Create(said)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, file.Close()) })
	watching = &process{cmd: exec.CommandContext(t.Context(), s.program, append(append(s.global, "status", "--watch"), flags...)...), done: make(chan struct{})}
	watching.cmd.Stdout, watching.cmd.Stderr, watching.cmd.Env = &watching.stdout, file, cleanEnv()
	require.NoError(t, watching.cmd.Start())
	go func() {
		_ = watching.cmd.Wait() // the state says how it ended
		close(watching.done)
	}()
	t.Cleanup(func() {
		_ = watching.cmd.Process.Kill()
		<-watching.done
	})
	return watching, said
}

func content(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(data)
}

// A database that is busy is waited for; what else goes wrong is told.
func TestWatchingWaitsForABusyDatabase(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		last error
		want schema.ImportState
	}{"to its end": {nil, schema.StateCompleted}, "until something breaks": {broken, ""}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			applying := schema.Import{ID: 7, State: schema.StateApplying, Tally: schema.Tally{Outcomes: map[schema.Outcome]int{schema.Claimed: 1, schema.Ready: 2}}}
			answers := []func() (schema.Import, error){
				func() (schema.Import, error) { return applying, nil },
				func() (schema.Import, error) { return schema.Import{}, schema.Refuse(schema.CodeDatabaseBusy, "") },
				func() (schema.Import, error) { return applying, nil },
				func() (schema.Import, error) { return schema.Import{State: test.want}, test.last },
			}
			var said bytes.Buffer
			a := &app{stderr: &said, env: func(string) string { return "" }}
			imp, err := a.watching(t.Context(), func() (schema.Import, error) {
				answer := answers[0]
				answers = answers[1:]
				return answer()
			})()
			require.ErrorIs(t, err, test.last)
			assert.Equal(t, test.want, imp.State)
			assert.Empty(t, answers)
			assert.Equal(t, "Import 7: applying, 1 of 3 users claimed.\n", said.String(), "nothing has changed, so nothing more is said")
		})
	}
}

func TestWatchingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	a := &app{stderr: &bytes.Buffer{}, env: func(string) string { return "" }}
	_, err := a.watching(ctx, func() (schema.Import, error) {
		cancel()
		return schema.Import{State: schema.StateApplying}, nil
	})()
	require.ErrorIs(t, err, context.Canceled)
}

func TestTheExitCodeIsTheImports(t *testing.T) {
	t.Parallel()
	for state, want := range map[schema.ImportState]int{
		schema.StateCompleted: exitDone, schema.StateCompletedWithErrors: exitProblems, schema.StateRejected: exitFailed, schema.StateCancelled: exitFailed,
		schema.StateFailed: exitFailed, schema.StateInterrupted: exitFailed, schema.StateApplying: exitFailed,
	} {
		assert.Equal(t, want, exitOf(state), state)
	}
}
