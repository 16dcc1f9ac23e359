package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/knadh/koanf/providers/structs"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const top = "../.."

// readmes returns the text of every README, by its path from the top.
func readmes(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, pattern := range []string{"README.md", "*/README.md", "*/*/README.md"} {
		paths, err := filepath.Glob(filepath.Join(top, pattern))
		require.NoError(t, err)
		for _, path := range paths {
			name, err := filepath.Rel(top, path)
			require.NoError(t, err)
			if name = filepath.ToSlash(name); !strings.HasPrefix(name, "out/") {
				texts[name] = readFile(t, path)
			}
		}
	}
	require.Contains(t, texts, "README.md")
	require.Contains(t, texts, "cmd/claimline-bench/README.md")
	return texts
}

func TestReadmeIsShort(t *testing.T) {
	lines := strings.Count(readmes(t)["README.md"], "\n")
	assert.LessOrEqual(t, lines, 250, "what is too long for the README belongs into those that it links to")
}

var link = regexp.MustCompile(`\]\(([^)#]+)[^)]*\)`)

func TestReadmeLinks(t *testing.T) {
	for name, text := range readmes(t) {
		for _, found := range link.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(found[1], "://") {
				_, err := os.Stat(filepath.Join(top, filepath.Dir(name), found[1]))
				assert.NoError(t, err, name)
			}
		}
	}
}

var (
	span       = regexp.MustCompile("`([^`\n]+)`")
	fence      = regexp.MustCompile("(?s)```(?:console|sh|cron)\n(.*?)```")
	makeTarget = regexp.MustCompile(`^make ([a-z]+)`)
)

// TestReadmeCommandsParse holds every command in a README against the commands and the make targets that
// there are.
func TestReadmeCommandsParse(t *testing.T) {
	makefile := readFile(t, filepath.Join(top, "Makefile"))
	for name, text := range readmes(t) {
		var commands []string
		for _, found := range fence.FindAllStringSubmatch(text, -1) {
			console := strings.Contains(found[0], "```console")
			for line := range strings.Lines(found[1]) {
				if command, typed := strings.CutPrefix(line, "$ "); typed || !console {
					commands = append(commands, command)
				}
			}
		}
		for _, found := range span.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			commands = append(commands, strings.ReplaceAll(found[1], `\|`, "|"))
		}
		for _, command := range commands {
			command, _, _ = strings.Cut(command, " # ")
			if found := makeTarget.FindStringSubmatch(command); found != nil {
				assert.Contains(t, makefile, "\n"+found[1]+":", "%s: %s", name, command)
			}
			_, arguments, ours := strings.Cut(" "+command, " claimline ")
			if words := shellWords(arguments); ours && words[0] != "COMMAND" {
				assertParses(t, name, words)
			}
		}
	}
}

// assertParses finds the command that the words name, and asserts that it has these flags.
func assertParses(t *testing.T, name string, words []string) {
	t.Helper()
	a := &app{env: func(string) string { return "" }}
	root := a.rootCommand()
	cmd, rest, err := root.Find(words)
	require.NoError(t, err, "%s: %q", name, words)
	require.NotSame(t, root, cmd, "%s: there is no command %q", name, words)
	if err := cmd.ParseFlags(rest); !errors.Is(err, pflag.ErrHelp) {
		assert.NoError(t, err, "%s: %q", name, words)
	}
	for _, value := range cmd.Flags().Args() {
		assert.False(t, cmd.HasSubCommands(), "%s: there is no command %q in %q", name, value, words)
	}
}

// TestReadmeOnConfiguration holds the table of keys, in the README of the commands, against the
// configuration's defaults.
func TestReadmeOnConfiguration(t *testing.T) {
	words := map[string]string{
		"org": "none", "resolver": "the system's", "workers": "one per processor", "policy.max_rows": "none", "service.zone": "the system's", "service.folders": "none",
		"service.base_url": "none", "service.metrics_listen": "none", "service.trusted_proxies": "none", "tls.certificate": "none", "tls.key": "none",
		"service.templates": "none", "service.webhooks": "none", "smtp.host": "none", "smtp.port": "as usual", "smtp.user": "none",
		"smtp.password_file": "none", "smtp.from": "none", "smtp.reply_to": "none",
	}
	k := koanf.New(".")
	require.NoError(t, k.Load(structs.Provider(defaults(), "koanf"), nil))
	want := map[string]string{}
	for key, value := range k.All() {
		want[key] = fmt.Sprint(value)
		if word, ok := words[key]; ok {
			want[key] = word
		}
	}
	got := map[string]string{}
	_, table, found := strings.Cut(readmes(t)["cmd/claimline/README.md"], "| key | default | what it is |\n|---|---|---|\n")
	require.True(t, found)
	for line := range strings.Lines(table) {
		cells := strings.Split(line, " | ")
		if len(cells) < 3 {
			break
		}
		got[strings.Trim(cells[0], "|` ")] = strings.Trim(cells[1], "`")
	}
	assert.Equal(t, want, got)
}

// changing is what differs from one run of a command to the next.
var changing = map[*regexp.Regexp]string{
	regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d [A-Z0-9+:-]+`):                "WHEN",
	regexp.MustCompile(`\d{1,2} [A-Z][a-z]{2} \d{4}( \d\d:\d\d [A-Z0-9+:-]+)?`): "WHEN",
	regexp.MustCompile(` in [0-9.,]+ (ms|s|min)`):                               " in TIME",
	regexp.MustCompile(`terminal:[^ ,.]+`):                                      "terminal:NAME",
	regexp.MustCompile(` +`):                                                    " ",
}

// same returns a line without what differs from one run to the next.
func same(line string) string {
	for what, word := range changing {
		line = what.ReplaceAllString(line, word)
	}
	return strings.TrimSpace(line)
}

// TestReadmeTour plays the tour of README.md, and finds its output in it. Of an output with a line "…" there
// are only so many first and last lines. go test ./cmd/claimline -run TestReadme -update writes the output as
// it is now.
func TestReadmeTour(t *testing.T) {
	path, err := filepath.Abs(filepath.Join(top, "README.md"))
	require.NoError(t, err)
	text := readFile(t, path)
	folder := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(folder, "samples"), os.DirFS(samples)))
	t.Chdir(folder)
	played := regexp.MustCompile("(?s)```console\n(.*?)```").ReplaceAllStringFunc(text, func(block string) string {
		var b strings.Builder
		b.WriteString("```console\n")
		body := strings.TrimSuffix(strings.TrimPrefix(block, "```console\n"), "```")
		for step := range strings.SplitSeq("\n"+body, "\n$ ") {
			if step = strings.TrimSuffix(step, "\n"); step != "" {
				b.WriteString(play(t, step))
			}
		}
		return strings.TrimSuffix(b.String(), "\n") + "```"
	})
	if *update && !t.Failed() && played != text {
		require.NoError(t, os.WriteFile(path, []byte(played), 0o644))
	}
}

// play plays one command with its output below, and returns both as they are now, with a blank line behind.
func play(t *testing.T, step string) string {
	t.Helper()
	lines := strings.Split(strings.TrimRight(step, "\n"), "\n")
	command, shown := lines[0], lines[1:]
	if assignments, found := strings.CutPrefix(command, "export "); found {
		for _, assignment := range shellWords(assignments) {
			name, value, _ := strings.Cut(assignment, "=")
			t.Setenv(name, value)
		}
		return "$ " + command + "\n\n"
	}
	words := shellWords(command)
	require.Equal(t, "claimline", words[0], command)
	var out bytes.Buffer
	code := run(t.Context(), words[1:], strings.NewReader(""), &out, &out)
	if code != exitDone {
		fmt.Fprintf(&out, "(exit code %d)\n", code)
	}
	var got []string
	if text := strings.TrimRight(out.String(), "\n"); text != "" {
		got = strings.Split(text, "\n")
	}
	if cut := slices.Index(shown, "…"); cut >= 0 {
		head, tail := cut, len(shown)-cut-1
		require.Less(t, head+tail, len(got), "%s: nothing is left out", command)
		got = slices.Concat(got[:head], []string{"…"}, got[len(got)-tail:])
	}
	differs := len(got) != len(shown)
	for i := range min(len(got), len(shown)) {
		differs = differs || same(got[i]) != same(shown[i])
	}
	if !differs {
		return "$ " + strings.Join(lines, "\n") + "\n\n"
	}
	if !*update {
		assert.Equal(t, strings.Join(shown, "\n"), strings.Join(got, "\n"),
			"%s: run: go test ./cmd/claimline -run TestReadme -update", command)
	}
	return "$ " + strings.Join(append([]string{command}, got...), "\n") + "\n\n"
}
