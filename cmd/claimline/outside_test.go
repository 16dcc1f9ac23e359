package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/store/postgres/postgrestest"
	"github.com/claimline/claimline/pipeline/store/testdb"
	"github.com/claimline/claimline/schema"
)

const samples = "../../samples"

// answer is what one run of the program said.
type answer struct {
	code           int
	stdout, stderr string
}

// claimline runs the program in this process.
func claimline(t *testing.T, args ...string) answer {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, strings.NewReader(""), &stdout, &stderr)
	assertKeepsSecrets(t, stderr.String())
	return answer{code: code, stdout: stdout.String(), stderr: stderr.String()}
}

// secrets are addresses, tokens, personal links, and secrets of webhooks.
var secrets = regexp.MustCompile(`@|clm_|whsec_|/choose/[A-Za-z0-9_-]{20}`)

// assertKeepsSecrets checks that what the program logged on stderr, in any test, has nothing in it that is
// nobody's business. What it says there to a person is not logged.
func assertKeepsSecrets(t *testing.T, stderr string) {
	t.Helper()
	for line := range strings.Lines(stderr) {
		if strings.HasPrefix(line, `{"level"`) {
			assert.NotRegexp(t, secrets, line)
		}
	}
}

// refusal is the error that the program told under --json.
type refusal struct {
	Code    schema.Code `json:"code"`
	Message string      `json:"message"`
	Fix     string      `json:"fix"`
}

func (a answer) refusal(t *testing.T) refusal {
	t.Helper()
	var told struct {
		Error refusal `json:"error"`
	}
	require.NoError(t, json.Unmarshal([]byte(a.stderr), &told), a.stderr)
	assert.Empty(t, a.stdout)
	return told.Error
}

func (a answer) summary(t *testing.T) schema.Summary {
	t.Helper()
	var s schema.Summary
	require.NoError(t, json.Unmarshal([]byte(a.stdout), &s), "%s%s", a.stdout, a.stderr)
	assert.Equal(t, s.Rows, s.Ready+s.Claimed+s.Unchanged+s.Skipped+s.Invalid+s.Ineligible+s.Failed+s.NotAttempted, "the counts add up")
	return s
}

func (a answer) results(t *testing.T) []schema.Result {
	t.Helper()
	var results []schema.Result
	for line := range strings.Lines(a.stdout) {
		var r schema.Result
		require.NoError(t, json.Unmarshal([]byte(line), &r), line)
		results = append(results, r)
	}
	return results
}

// site is a database, and the flags with which the program works on it.
type site struct {
	db      string   // its file, or its address
	global  []string // flags
	program string   // what runs in processes of their own
}

// newSite loads a snapshot, of which acme is the claiming organization, into a new database.
func newSite(t *testing.T, snapshot string) *site {
	t.Helper()
	s := siteIn(testdb.Empty(t))
	s.load(t, snapshot)
	return s
}

// emptySite makes a database in which there is nothing; a file is not there yet.
func emptySite(t *testing.T) *site {
	t.Helper()
	if onPostgres() {
		return siteIn(postgrestest.Empty(t))
	}
	return siteAt(filepath.Join(t.TempDir(), "claimline.db"))
}

func siteAt(file string) *site { return siteIn("sqlite:" + file) }

// siteIn returns a site in any database.
func siteIn(address string) *site {
	return &site{db: strings.TrimPrefix(address, "sqlite:"), global: []string{"--db", address, "--org", "acme"}}
}

func onPostgres() bool { return testdb.OnPostgres() }

// run runs a command on the site, in this process.
func (s *site) run(t *testing.T, args ...string) answer {
	t.Helper()
	return claimline(t, append(s.global, args...)...)
}

func (s *site) load(t *testing.T, snapshot string) {
	t.Helper()
	loaded := s.run(t, "load", snapshot)
	require.Zero(t, loaded.code, loaded.stderr)
}

func (s *site) imports(t *testing.T) []schema.Summary {
	t.Helper()
	var list []schema.Summary
	require.NoError(t, json.Unmarshal([]byte(s.run(t, "imports", "--json").stdout), &list))
	return list
}

func write(t *testing.T, name string, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(data)
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(to, data, 0o600))
}
