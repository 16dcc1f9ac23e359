package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/store/sqlite"
	"github.com/claimline/claimline/schema"
)

// eachCommand visits a command and those below it.
func eachCommand(cmd *cobra.Command, visit func(*cobra.Command)) {
	visit(cmd)
	for _, sub := range cmd.Commands() {
		eachCommand(sub, visit)
	}
}

func everyCommand(visit func(*cobra.Command)) {
	a := &app{env: func(string) string { return "" }, now: time.Now}
	eachCommand(a.rootCommand(), visit)
}

func TestHelpOfEveryCommand(t *testing.T) {
	t.Parallel()
	everyCommand(func(cmd *cobra.Command) {
		path := strings.Fields(cmd.CommandPath())[1:]
		got := claimline(t, append(path, "--help")...)
		assert.Zero(t, got.code, cmd.CommandPath())
		if cmd.HasParent() && !cmd.Parent().HasParent() {
			assert.True(t, cmd.Parent().ContainsGroup(cmd.GroupID) && cmd.GroupID != "", "%s belongs to no group", cmd.CommandPath())
		}
		assert.True(t, strings.HasPrefix(got.stdout, "Examples:\n  claimline "), "%s: help starts with examples", cmd.CommandPath())
		assert.Contains(t, got.stdout, "\nUsage:\n  "+cmd.CommandPath())
		for line := range strings.Lines(got.stdout) {
			line = strings.TrimSuffix(line, "\n")
			assert.LessOrEqual(t, text.StringWidth(line), helpWidth, "%s: %q", cmd.CommandPath(), line)
		}
		help := claimline(t, append([]string{"help"}, path...)...)
		assert.Equal(t, got.stdout, help.stdout, cmd.CommandPath())
		names := make([]string, 0, len(cmd.Commands()))
		for _, sub := range cmd.Commands() {
			names = append(names, sub.Name())
		}
		assert.IsIncreasing(t, append([]string{""}, names...), cmd.CommandPath())
	})
}

// TestEveryExampleWorks runs the examples in the help of every command, each where the sample organization
// has been loaded, its users exported, import 1 has claimed good.csv, import 2 was interrupted in the middle
// of edited.csv, and a hand-off was made. A schedule named nightly imports good.csv. Workers need another
// database, and never end: worker.txtar has them.
func TestEveryExampleWorks(t *testing.T) {
	prepared := demo(t)
	needs := map[string][]string{ // what must be done before
		"claimline sync run":     {"org", "set", "directory_sync=on"},
		"claimline token revoke": {"token", "create", "--role", "operator", "--name", "nightly"},
	}
	everyCommand(func(cmd *cobra.Command) {
		if cmd.Name() == "worker" {
			return
		}
		for example := range strings.SplitSeq(strings.ReplaceAll(cmd.Example, "\\\n", " "), "\n") {
			words := shellWords(example)
			require.NotEmpty(t, words, cmd.CommandPath())
			require.Equal(t, "claimline", words[0], cmd.CommandPath())
			t.Run(strings.Join(words[1:], " "), func(t *testing.T) {
				t.Chdir(t.TempDir())
				require.NoError(t, os.CopyFS(".", os.DirFS(prepared)))
				for command, first := range needs {
					if strings.HasPrefix(strings.TrimSpace(example), command) {
						require.Zero(t, claimline(t, append(first, "--org", "acme")...).code)
					}
				}
				if strings.HasPrefix(strings.TrimSpace(example), "claimline export") { // it is not written over
					require.NoError(t, os.Remove("users.csv"))
				}
				if strings.HasPrefix(strings.TrimSpace(example), "claimline handoff make") { // nor is that
					require.NoError(t, os.RemoveAll("claim-1"))
				}
				if words[1] == "serve" {
					serveExample(t, words[1:])
					return
				}
				got := claimline(t, words[1:]...)
				if got.code == exitUsage { // nobody is there to answer
					assert.Contains(t, got.stderr, "("+string(schema.CodeConsentMissing)+")")
					return
				}
				assert.Contains(t, []int{exitDone, exitProblems}, got.code, got.stderr)
			})
		}
	})
}

// serveExample runs an example of serve, at any port, until it serves.
func serveExample(t *testing.T, words []string) {
	t.Helper()
	for i, word := range words {
		if host, _, found := strings.Cut(word, ":"); found {
			words[i] = host + ":0"
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	serving := &stopAt{stop: cancel, text: "Serving at"}
	code := run(ctx, words, strings.NewReader(""), io.Discard, serving)
	assert.Equal(t, exitDone, code, serving.said.String())
	assert.Contains(t, serving.said.String(), serving.text)
}

// stopAt is written to until a text comes by; then it stops something.
type stopAt struct {
	mu   sync.Mutex
	said strings.Builder
	text string
	stop func()
}

func (s *stopAt) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said.Write(p)
	if strings.Contains(s.said.String(), s.text) {
		s.stop()
	}
	return len(p), nil
}

// demo returns a folder in which examples can be run.
func demo(t *testing.T) string {
	t.Helper()
	here, err := os.Getwd()
	require.NoError(t, err)
	folder := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(folder, "samples"), os.DirFS(filepath.Join(here, samples))))
	require.NoError(t, os.CopyFS(folder, os.DirFS(filepath.Join(here, samples))))
	s := siteAt(filepath.Join(folder, "claimline.db"))
	s.load(t, filepath.Join(folder, "org"))
	require.Zero(t, s.run(t, "export", "-o", filepath.Join(folder, "users.csv")).code)
	require.Zero(t, s.run(t, "import", "--accept-permanent", filepath.Join(folder, "good.csv")).code)
	interruptImport(t, s.db, filepath.Join(folder, "edited.csv"))
	listClaimed(t, s, filepath.Join(folder, "directory.csv"))
	require.Zero(t, s.run(t, "schedule", "add", "nightly", "--cron", "@daily", "--tz", "UTC", "--file", filepath.Join(folder, "good.csv"),
		"--max-claims", "50", "--accept-permanent").code)
	for _, name := range []string{"claimable.csv", "template.csv", "errors.csv"} {
		copyFile(t, filepath.Join(folder, "control-hub", name), filepath.Join(folder, name))
	}
	made := s.run(t, "handoff", "make", filepath.Join(folder, "claimable.csv"), "-o", filepath.Join(folder, "claim-1"), "--template", filepath.Join(folder, "template.csv"))
	require.Equal(t, exitProblems, made.code, made.stderr)
	return folder
}

// listClaimed adds the claimed users to the directory's list: else a run would find too many missing.
func listClaimed(t *testing.T, s *site, directory string) {
	t.Helper()
	missing := filepath.Join(t.TempDir(), "missing.csv")
	require.Zero(t, s.run(t, "sync", "preview", "--missing", missing, directory).code)
	list, err := os.ReadFile(directory)
	require.NoError(t, err)
	claimed, err := os.ReadFile(missing)
	require.NoError(t, err)
	for _, record := range readCSV(t, string(claimed), ',')[1:] {
		list = append(list, (`,"` + record[0] + "\",\n")...)
	}
	require.NoError(t, os.WriteFile(directory, list, 0o600))
}

// interruptImport begins to import a file in small chunks, and dies after the first.
func interruptImport(t *testing.T, path, file string) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	require.NoError(t, err)
	s := store.New(db)
	defer func() { require.NoError(t, s.Close()) }()
	source, err := dialect.OpenFile(file)
	require.NoError(t, err)
	defer func() { require.NoError(t, source.Close()) }()
	p, err := pipeline.New(pipeline.Config{
		Store: s, Now: time.Now, Policy: schema.DefaultPolicy(), Workers: 1, Lease: time.Minute, Log: zerolog.Nop(),
		TransactionRows: 100, Runner: "demo",
	})
	require.NoError(t, err)
	imp, err := p.Plan(t.Context(), source, schema.Order{Organization: "acme"}, pipeline.Watch{})
	require.NoError(t, err)
	imp, err = p.Agree(t.Context(), "acme", imp.ID, schema.Consent{Claims: imp.Tally.Outcomes[schema.Ready], AcceptEdits: true, Attended: true})
	require.NoError(t, err)
	more, err := p.Step(t.Context(), imp.ID, time.Nanosecond, pipeline.Watch{})
	require.NoError(t, err)
	require.True(t, more)
	_, err = s.TakeImport(t.Context(), imp.ID, "demo", -time.Hour) // it died long ago
	require.NoError(t, err)
}

// shellWords splits a command as a shell does, as far as examples go.
func shellWords(command string) []string {
	var words []string
	for i, part := range strings.Split(command, `"`) {
		if i%2 == 1 {
			words = append(words, part)
		} else {
			words = append(words, strings.Fields(part)...)
		}
	}
	return words
}
