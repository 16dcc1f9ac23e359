package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/cmd/claimline-bench/input"
)

// TestMain lets this test binary stand in for the processes that the benchmark starts:
// itself, and the program it measures.
func TestMain(m *testing.M) {
	switch invalid, child := os.LookupEnv("BENCH_TEST_INVALID"); {
	case child && len(os.Args) > 1 && os.Args[1] == "validate":
		fmt.Printf(`{"rows":1000,"invalid":%s}`+"\n", invalid)
		os.Exit(3)
	case child:
		os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

func seconds(of ...float64) []measurement {
	var samples []measurement
	for _, s := range of {
		samples = append(samples, measurement{wall: time.Duration(s * float64(time.Second)), memory: int64(s * 1e7)})
	}
	return samples
}

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		of   []time.Duration
		want time.Duration
	}{
		{nil, 0},
		{[]time.Duration{7}, 7},
		{[]time.Duration{9, 1}, 5},
		{[]time.Duration{9, 1, 2}, 2},
		{[]time.Duration{4, 100, 2, 8}, 6},
	} {
		assert.Equal(t, tt.want, median(tt.of), "%v", tt.of)
	}
	of := []time.Duration{3, 1, 2}
	median(of)
	assert.Equal(t, []time.Duration{3, 1, 2}, of, "what it is given stays as it is")
}

func TestAgree(t *testing.T) {
	good := &job{name: "ours", want: 20, counted: []int{20, 20}}
	silent := &job{name: "missing", want: 20}
	require.NoError(t, agree([]*job{good, silent}))
	err := agree([]*job{good, {name: "theirs", want: 20, counted: []int{20, 19, 19}}, {name: "others", want: 1, counted: []int{0}}})
	require.Error(t, err)
	assert.Equal(t, "theirs disagrees: it counts 19, not 20\nothers disagrees: it counts 0, not 1", err.Error())
}

func TestRender(t *testing.T) {
	plain := &job{name: "plain", rows: 1_000_000, samples: seconds(0.5, 0.4, 0.9)}
	ours := &job{name: "ours åäö", rows: 1_000_000, samples: seconds(1.5, 1, 2)}
	absent := &job{name: "absent", missing: "not installed"}
	untold := &job{name: "untold", rows: 1_000_000, samples: []measurement{{wall: time.Second}}}
	b := &bench{}
	b.line(plain)
	b.line(ours, slower(ours, plain, "plain", 3, 2.5), faster(ours, absent, "absent", 1, 2), smaller(ours, plain, "plain", 2), within(ours, 20, 10))
	b.line(absent, slower(absent, plain, "plain", 1, 1))
	b.line(untold)
	want := `
| what     | runs |   wall | rows/s | memory | against     |            ratio | target            | dream             |
|----------|-----:|-------:|-------:|-------:|-------------|-----------------:|-------------------|-------------------|
| plain    |    3 | 500 ms | 2.00 M |   9 MB |             |                  |                   |                   |
| ours åäö |    3 | 1.50 s |  667 k |  20 MB | plain       |   3.00× its time | ≤ 3× its time ✓   | ≤ 2.5× its time ✗ |
|          |      |        |        |        | plain       | 2.22× its memory | ≤ 2× its memory ✗ |                   |
|          |      |        |        |        | peak memory |            20 MB | ≤ 20 MB ✓         | ≤ 10 MB ✗         |
| untold   |    1 | 1.00 s | 1.00 M |        |             |                  |                   |                   |
`
	assert.Equal(t, strings.TrimPrefix(want, "\n"), render(b.lines))
	assert.Equal(t, 1, missed(b.lines))
}

func TestChecksKnowTheirDirection(t *testing.T) {
	slow, quick := &job{rows: 10, samples: seconds(6)}, &job{rows: 10, samples: seconds(2)}
	c := faster(quick, slow, "slow", 3, 4)
	assert.True(t, c.met(c.target))
	assert.False(t, c.met(c.dream))
	c = slower(slow, quick, "quick", 3, 2)
	assert.True(t, c.met(c.target))
	assert.False(t, c.met(c.dream))
	assert.Nil(t, within(quick, 1, 1), "the limit of memory is meant for a million rows")

	big := &job{rows: 30, samples: seconds(6)}
	checks := grown(quick, big, true)
	assert.InDelta(t, 1, checks[0].value, 1e-9, "three times the rows in three times the time")
	assert.InDelta(t, 4e7/20, checks[1].value, 1e-9)
	assert.Zero(t, grown(quick, big, false)[1].target)

	untold := &job{rows: standardRows, samples: []measurement{{wall: time.Second}}}
	assert.Nil(t, within(untold, 1, 1), "the system does not tell the memory")
	assert.Nil(t, smaller(untold, quick, "quick", 1))
	assert.Nil(t, smaller(quick, untold, "untold", 1))
	assert.Len(t, grown(quick, untold, true), 1)
}

func TestSplice(t *testing.T) {
	spliced, ok := splice("# A\n"+beginMark+"\nold\n"+endMark+"\nrest\n", "\nnew\n\n")
	assert.True(t, ok)
	assert.Equal(t, "# A\n"+beginMark+"\nnew\n"+endMark+"\nrest\n", spliced)
	again, ok := splice(spliced, "new")
	assert.True(t, ok)
	assert.Equal(t, spliced, again)
	for _, text := range []string{"", "# A\n", "# A\n" + beginMark, endMark + beginMark} {
		same, ok := splice(text, "new")
		assert.False(t, ok)
		assert.Equal(t, text, same)
	}
}

func TestWriteReadme(t *testing.T) {
	path := filepath.Join(t.TempDir(), "README.md")
	written, err := writeReadme(path, "new")
	require.NoError(t, err)
	assert.False(t, written, "there is none")
	require.NoError(t, os.WriteFile(path, []byte("no marks"), 0o600))
	written, err = writeReadme(path, "new")
	require.NoError(t, err)
	assert.False(t, written)
	require.NoError(t, os.WriteFile(path, []byte(beginMark+endMark), 0o600))
	written, err = writeReadme(path, "new")
	require.NoError(t, err)
	assert.True(t, written)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, beginMark+"\nnew\n"+endMark, string(content))
	_, err = writeReadme(filepath.Dir(path), "new")
	require.Error(t, err)
}

func TestShow(t *testing.T) {
	assert.Equal(t, "999 ms", showTime(999*time.Millisecond))
	assert.Equal(t, "12.35 s", showTime(12_345*time.Millisecond))
	assert.Equal(t, "2.50 M", showRate(5_000_000, 2*time.Second))
	assert.Equal(t, "250 k", showRate(500_000, 2*time.Second))
	assert.Equal(t, "1,234,567", showCount(1_234_567))
	assert.Equal(t, "999", showCount(999))
}

func TestCommandIsAsOneWouldTypeIt(t *testing.T) {
	j := &job{args: []string{"/tmp/self", "plain", "it's", ""}, dir: "out/1", stdout: "out/1/a.csv"}
	assert.Equal(t, `(cd out/1 && bin/claimline-bench plain 'it'\''s' '' > a.csv)`, j.command("/tmp/self"))
}

func TestChooseGroups(t *testing.T) {
	all, err := chooseGroups("")
	require.NoError(t, err)
	assert.Len(t, all, len(groups))
	some, err := chooseGroups("export, small")
	require.NoError(t, err)
	require.Len(t, some, 2)
	assert.Equal(t, "small", some[1].name)
	_, err = chooseGroups("export,lunch")
	assert.ErrorContains(t, err, "lunch")
}

func TestLookFor(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	assert.Empty(t, lookFor(nil, dir))
	assert.Equal(t, "mlr is not installed", lookFor([]need{{command: "mlr"}}, dir))
	needs := []need{{pkg: "@duckdb/node-api"}}
	assert.Contains(t, lookFor(needs, dir), "@duckdb/node-api")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "node_modules", "@duckdb", "node-api"), 0o750))
	assert.Empty(t, lookFor(needs, dir))
}

func TestAnswers(t *testing.T) {
	n, err := lastNumber([]byte("wal\n 42\n\n"))
	require.NoError(t, err)
	assert.Equal(t, 42, n)
	_, err = lastNumber(nil)
	require.Error(t, err)
	n, err = invalidRows([]byte(`{"rows":3,"invalid":0}`))
	require.NoError(t, err)
	assert.Zero(t, n)
	for _, answer := range []string{"", "{}", "[]"} {
		_, err = invalidRows([]byte(answer))
		require.Error(t, err, answer)
	}
	n, err = countLines("Line ")([]byte("Line 1: x\nLine 2: y\nother\nLine 3"))
	require.NoError(t, err)
	assert.Equal(t, 3, n)
	path := filepath.Join(t.TempDir(), "a.csv")
	require.NoError(t, os.WriteFile(path, []byte("h\n1\n2\n"), 0o600))
	n, err = rowsOf(path)(nil)
	require.NoError(t, err)
	assert.Equal(t, 2, n)
	_, err = rowsOf(path + "x")(nil)
	require.Error(t, err)
}

func TestReadersCountTheSameRows(t *testing.T) {
	dir := t.TempDir()
	stats, err := input.Generate(t.Context(), dir, input.Options{Users: 6000, Bad: 0.1, Multiline: 0.1, Excel: true})
	require.NoError(t, err)
	for _, command := range []string{"plain", "read"} {
		var stdout, stderr bytes.Buffer
		require.Zero(t, run(t.Context(), []string{command, filepath.Join(dir, "users.csv")}, &stdout, &stderr), stderr.String())
		n, err := lastNumber(stdout.Bytes())
		require.NoError(t, err)
		assert.Equal(t, stats.Rows, n, command)
		assert.Equal(t, 1, run(t.Context(), []string{command, filepath.Join(dir, "nothing.csv")}, io.Discard, &stderr))
	}
}

func TestDatabasesAreCopiedWhole(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "a.db"), filepath.Join(dir, "b.db")
	require.Error(t, copyDatabase(from, to))
	require.NoError(t, os.WriteFile(from, []byte("pages"), 0o600))
	for _, left := range []string{"", "-wal", "-shm"} {
		require.NoError(t, os.WriteFile(to+left, []byte("of an earlier run, and longer"), 0o600))
	}
	require.NoError(t, copyDatabase(from, to))
	content, err := os.ReadFile(to)
	require.NoError(t, err)
	assert.Equal(t, "pages", string(content))
	assert.NoFileExists(t, to+"-wal")
	assert.NoFileExists(t, to+"-shm")
}

// benchHere runs the group validate of a small benchmark. No peer is installed, and the program finds this
// many rows bad.
func benchHere(t *testing.T, dir, invalid string) (stdout, stderr string, err error) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	t.Setenv("PATH", dir)
	t.Setenv("BENCH_TEST_INVALID", invalid)
	var out, say bytes.Buffer
	err = Bench(t.Context(), BenchOptions{
		Rows: 1000, Runs: 2, Budget: time.Hour, Only: "validate", Dir: dir, Program: self, Readme: filepath.Join(dir, "README.md"),
	}, &out, &say)
	return out.String(), say.String(), err
}

func TestBenchMeasuresWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	stats, err := input.Generate(t.Context(), t.TempDir(), input.Options{Users: 1000, Seed: 1, Bad: 0.02, Multiline: 0.005, Excel: true})
	require.NoError(t, err)
	invalid := fmt.Sprint(stats.Bad - stats.Services)
	table, said, err := benchHere(t, dir, invalid)
	require.NoError(t, err, said)
	assert.Contains(t, table, "| claimline validate --offline |    2 |")
	assert.Contains(t, table, "All who count them agree.")
	assert.Contains(t, table, "Not measured: DuckDB, the same checks (node is not installed); PapaParse + Zod (node is not installed); Python, csv + re (python3 is not installed).")
	assert.Contains(t, said, "making")

	_, said, err = benchHere(t, dir, invalid)
	require.NoError(t, err)
	assert.NotContains(t, said, "making", "the input is used again")

	table, _, err = benchHere(t, dir, "0")
	require.ErrorContains(t, err, "claimline validate --offline disagrees: it counts 0, not "+invalid)
	assert.NotContains(t, table, "agree.")
}

func TestBenchRefuses(t *testing.T) {
	for _, o := range []BenchOptions{{Rows: 999, Runs: 1}, {Rows: 1000}, {Rows: 1000, Runs: 1, Only: "lunch"}} {
		require.Error(t, Bench(t.Context(), o, io.Discard, io.Discard))
	}
}

func TestAPeerThatFailsIsLeftOut(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	t.Setenv("BENCH_TEST_INVALID", "1")
	b := &bench{BenchOptions: BenchOptions{Runs: 2, Budget: time.Hour}, stderr: io.Discard, started: time.Now()}
	ours := &job{name: "ours", args: []string{self, "validate"}, problem: true, count: invalidRows, want: 1}
	theirs := &job{name: "theirs", args: []string{self, "sing"}, peer: true}
	require.NoError(t, b.measure(t.Context(), ours, theirs))
	assert.True(t, ours.measured())
	assert.False(t, theirs.measured())
	assert.Equal(t, []int{1, 1}, ours.counted)
	assert.Positive(t, ours.wall())
	assert.Positive(t, ours.memory())
	theirs.peer, theirs.missing = false, ""
	require.ErrorContains(t, b.measure(t.Context(), theirs), "Usage")
}

func TestRoundsEndWithTheBudget(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	t.Setenv("BENCH_TEST_INVALID", "1")
	b := &bench{BenchOptions: BenchOptions{Runs: 5}, stderr: io.Discard, started: time.Now()}
	j := &job{args: []string{self, "validate"}, problem: true}
	require.NoError(t, b.measure(t.Context(), j))
	assert.Len(t, j.samples, 1)
}
