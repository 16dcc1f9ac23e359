package schedule_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/schedule"
	"github.com/claimline/claimline/schema"
)

// link makes a symbolic link, where the system lets anybody do so.
func link(t *testing.T, to, at string) {
	t.Helper()
	if err := os.Symlink(to, at); err != nil {
		require.Equal(t, "windows", runtime.GOOS, err)
		t.Skip("links need a privilege here")
	}
}

func TestConfine(t *testing.T) {
	t.Parallel()
	base, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	in, out := filepath.Join(base, "in"), filepath.Join(base, "out")
	for _, folder := range []string{in, out, filepath.Join(in, "sub"), filepath.Join(base, "inside")} {
		require.NoError(t, os.MkdirAll(folder, 0o700))
	}
	secret := filepath.Join(out, "secret.csv")
	for _, file := range []string{secret, filepath.Join(in, "a.csv"), filepath.Join(in, "sub", "b.csv")} {
		require.NoError(t, os.WriteFile(file, []byte("x"), 0o600))
	}
	link(t, secret, filepath.Join(in, "link.csv"))
	link(t, out, filepath.Join(in, "door"))
	link(t, filepath.Join(in, "sub"), filepath.Join(in, "back"))
	link(t, filepath.Join(out, "later.csv"), filepath.Join(in, "dangling.csv"))
	link(t, in, filepath.Join(base, "alias"))
	link(t, "loop", filepath.Join(in, "loop"))

	folders := []string{filepath.Join(base, "missing"), filepath.Join(base, "alias")}
	for path, want := range map[string]string{
		filepath.Join(in, "a.csv"):            filepath.Join(in, "a.csv"),
		filepath.Join(base, "alias", "a.csv"): filepath.Join(in, "a.csv"),
		in:                                    in,
		filepath.Join(in, "back", "b.csv"):    filepath.Join(in, "sub", "b.csv"),
		filepath.Join(in, "not", "yet.csv"):   filepath.Join(in, "not", "yet.csv"),
		in + "/sub/../a.csv":                  filepath.Join(in, "a.csv"),
		filepath.Join(in, "...", "a.csv"):     filepath.Join(in, "...", "a.csv"),
	} {
		got, err := schedule.Confine(folders, path)
		require.NoError(t, err, path)
		assert.Equal(t, want, got)
	}
	for _, path := range []string{
		secret, filepath.Join(in, "link.csv"), filepath.Join(in, "door", "secret.csv"), filepath.Join(in, "door"), filepath.Join(in, "door", "new.csv"),
		filepath.Join(in, "dangling.csv"), in + "/../out/secret.csv", in + "/sub/../../out/secret.csv", in + "side/a.csv", base, "/", "", "a.csv", "in/a.csv",
		"../in/a.csv", filepath.Join(in, "loop"), filepath.Join(in, "loop", "a.csv"), in + "/a\x00.csv", filepath.Join(in, "a.csv", "b.csv"), "~/a.csv",
	} {
		_, err := schedule.Confine(folders, path)
		assert.Equal(t, schema.CodePathNotAllowed, schema.CodeOf(err), "%q", path)
	}
	_, err = schedule.Confine(nil, filepath.Join(in, "a.csv"))
	assert.Equal(t, schema.CodePathNotAllowed, schema.CodeOf(err), "none by default")
	_, here := schedule.Confine(folders, secret)
	_, nothing := schedule.Confine(folders, filepath.Join(out, "no.csv"))
	assert.Equal(t, len(here.Error())-len(secret), len(nothing.Error())-len(filepath.Join(out, "no.csv")), "what is there elsewhere is not told")
}

// What a schedule may name is checked again at each run: links may have been put in place since.
func TestConfinedSchedules(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.Folders = []string{s.folder}
	secret := filepath.Join(t.TempDir(), "secret.csv")
	require.NoError(t, os.WriteFile(secret, []byte(rows(1, 2)), 0o600))
	s.hourly(func(h *schema.Schedule) { h.Confined = true })
	s.age(secret, time.Hour)
	s.put("b.csv", rows(3, 4), time.Minute)
	link(t, secret, filepath.Join(s.folder, "a.csv"))
	s.serve()
	require.Equal(t, []string{"failed a.csv path_not_allowed", "done b.csv 1"}, s.runs())
	require.Equal(t, 2, s.claims())

	elsewhere := filepath.Dir(secret)
	require.NoError(t, os.Rename(s.folder, s.folder+"-old"))
	link(t, elsewhere, s.folder)
	s.Folders = []string{s.folder + "-old"}
	s.hour()
	s.serve()
	require.Contains(t, s.runs()[2], "path_not_allowed")
	require.Len(t, s.runs(), 3)
	require.Equal(t, 2, s.claims())
}
