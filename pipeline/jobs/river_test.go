package jobs

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/store/postgres"
	"github.com/claimline/claimline/pipeline/store/postgres/postgrestest"
)

// The database has what this version of River expects.
func TestRiverTables(t *testing.T) {
	t.Parallel()
	ours, err := os.ReadFile("../store/postgres/migrations/00009_river.sql")
	require.NoError(t, err)
	theirs := riverpgxv5.New(nil).GetMigrationFS("main")
	files, err := fs.Glob(theirs, "migration/main/*.up.sql")
	require.NoError(t, err)
	require.Greater(t, len(files), 2)
	for _, file := range files[1:] { // the first is about its own migrations
		text, err := fs.ReadFile(theirs, file)
		require.NoError(t, err)
		want := strings.ReplaceAll(string(text), "/* TEMPLATE: schema */", "")
		want = strings.Replace(want, "'discarded',\n  'retryable'", "'discarded',\n  'pending',\n  'retryable'", 1)
		var lines []string
		for line := range strings.Lines(strings.TrimSpace(want)) {
			lines = append(lines, strings.TrimRight(line, " \n"))
		}
		require.Contains(t, string(ours), strings.Join(lines, "\n"), path.Base(file))
	}
}

// hourly is a loop that runs at its start and at signs; it tells of each run, and waits until it may go on.
type hourly struct {
	begun, goOn chan struct{}
}

func newHourly() hourly { return hourly{make(chan struct{}), make(chan struct{})} }

func (h hourly) loop(workers int) Loop {
	return Loop{Name: "hourly", Workers: workers, Every: time.Hour, RunOnce: func(ctx context.Context, _ time.Time) (bool, error) {
		select {
		case h.begun <- struct{}{}:
		case <-ctx.Done():
			return false, nil
		}
		select {
		case <-h.goOn:
		case <-ctx.Done():
		}
		return false, nil
	}}
}

// once lets it run once.
func (h hourly) once() {
	<-h.begun
	h.goOn <- struct{}{}
}

// A sign reaches a process that has a moment for it, whoever sends it, also one who does nothing else.
func TestSigns(t *testing.T) {
	t.Parallel()
	address := template.Copy(t)
	process := func(loops ...Loop) *running {
		db, err := postgres.Open(t.Context(), address, postgres.Options{Create: true})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		return start(t, Config{Pool: db.Pool(), Loops: loops})
	}
	sender := process()
	first, second := newHourly(), newHourly()
	busy := process(first.loop(1))
	first.once()
	sender.Wake(t.Context(), "hourly")
	<-first.begun // it has been woken, and is busy

	process(second.loop(1))
	second.once()
	for range 3 {
		sender.wakeUntil(second.begun)
		second.goOn <- struct{}{}
	}
	busy.stop()
	<-busy.done
	busy.wakeUntil(second.begun)
	second.goOn <- struct{}{}
}

// wakeUntil sends signs until one has been heeded: somebody who is busy may have taken the first.
func (r *running) wakeUntil(heeded chan struct{}) {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		r.Wake(context.Background(), "hourly")
		select {
		case <-heeded:
			return
		case <-ticker.C:
		}
	}
}

// That no sign can be sent, or received, keeps nobody from working.
func TestNoSigns(t *testing.T) {
	t.Parallel()
	db, err := postgres.Open(t.Context(), postgrestest.Empty(t), postgres.Options{Create: true})
	require.NoError(t, err)
	require.NoError(t, db.Close())
	var log bytes.Buffer
	calls := make(chan struct{})
	r := start(t, Config{Pool: db.Pool(), Log: zerolog.New(zerolog.SyncWriter(&log)), Loops: []Loop{{
		Name: "work", Every: time.Millisecond, RunOnce: func(ctx context.Context, _ time.Time) (bool, error) {
			select {
			case calls <- struct{}{}:
			case <-ctx.Done():
			}
			return false, nil
		},
	}}})
	r.Wake(t.Context(), "work")
	for range 3 {
		<-calls
	}
	r.stop()
	<-r.done
	assert.Contains(t, log.String(), "nobody could be told of this work")
	assert.Contains(t, log.String(), "River cannot be started")
}
