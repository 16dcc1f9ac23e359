package jobs

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// running is a dispatcher at work.
type running struct {
	*Dispatcher
	stop func()
	done chan struct{} // closed when Run has returned
}

func start(tb testing.TB, c Config) *running {
	tb.Helper()
	if c.Now == nil {
		c.Now = time.Now
	}
	d, err := New(c)
	require.NoError(tb, err)
	ctx, stop := context.WithCancel(tb.Context())
	r := &running{Dispatcher: d, stop: stop, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		d.Run(ctx)
	}()
	tb.Cleanup(func() { stop(); <-r.done })
	return r
}

func TestRefusedSetup(t *testing.T) {
	work := func(context.Context, time.Time) (bool, error) { return false, nil }
	for _, c := range []Config{
		{},
		{Now: time.Now, Loops: []Loop{{RunOnce: work}}},
		{Now: time.Now, Loops: []Loop{{Name: "a"}}},
		{Now: time.Now, Loops: []Loop{{Name: "a", RunOnce: work}, {Name: "a", RunOnce: work}}},
	} {
		_, err := New(c)
		require.Error(t, err)
	}
}

// A loop is run at the start, again while there is more, then at a sign, or when its time has come.
func TestWhenLoopsRun(t *testing.T) {
	calls, left := make(chan int), 2
	r := start(t, Config{Loops: []Loop{
		{Name: "asleep", Every: time.Hour, RunOnce: func(context.Context, time.Time) (bool, error) {
			calls <- left
			left--
			return left > 0, nil
		}},
		{Name: "awake", Every: time.Millisecond, RunOnce: func(context.Context, time.Time) (bool, error) { return false, nil }},
	}})
	assert.Equal(t, []int{2, 1}, []int{<-calls, <-calls})
	r.Wake(t.Context(), "asleep")
	assert.Equal(t, 0, <-calls)
	r.Wake(t.Context(), "nobody")
	r.stop()
	<-r.done

	ticks := make(chan struct{})
	start(t, Config{Loops: []Loop{{Name: "awake", Every: time.Millisecond, RunOnce: func(ctx context.Context, _ time.Time) (bool, error) {
		select {
		case ticks <- struct{}{}:
		case <-ctx.Done():
		}
		return false, nil
	}}}})
	for range 3 {
		<-ticks
	}
}

// To stop is to finish what is in hand, and to take no more.
func TestStop(t *testing.T) {
	var all, begun sync.WaitGroup
	const workers = 3
	all.Add(1)
	begun.Add(workers)
	r := start(t, Config{Loops: []Loop{{Name: "work", Workers: workers, RunOnce: func(ctx context.Context, _ time.Time) (bool, error) {
		begun.Done() // panics where more is begun than there are workers
		<-ctx.Done()
		all.Wait()
		return true, nil
	}}}})
	begun.Wait()
	r.stop()
	select {
	case <-r.done:
		require.Fail(t, "the work in hand is not waited for")
	default:
	}
	all.Done()
	<-r.done
}

// What never ends is waited for as long as the grace, and no longer.
func TestGrace(t *testing.T) {
	stuck, begun, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var log bytes.Buffer
	r := start(t, Config{Grace: time.Millisecond, Log: zerolog.New(&log), Loops: []Loop{{Name: "work", RunOnce: func(context.Context, time.Time) (bool, error) {
		defer close(ended)
		close(begun)
		<-stuck
		return false, nil
	}}}})
	<-begun
	r.stop()
	<-r.done
	assert.Contains(t, log.String(), "is left to whoever comes next")
	close(stuck)
	<-ended
}

// Trouble ends neither the loop nor others, and is told once.
func TestTrouble(t *testing.T) {
	var log bytes.Buffer
	calls := make(chan struct{})
	tries := 0
	r := start(t, Config{Log: zerolog.New(&log), Loops: []Loop{{Name: "work", Every: time.Millisecond, RunOnce: func(context.Context, time.Time) (bool, error) {
		calls <- struct{}{}
		if tries++; tries < 5 {
			return true, errors.New("no luck")
		}
		return false, nil
	}}}})
	for range 6 {
		<-calls
	}
	r.stop()
	select { // where it has begun once more
	case <-calls:
	case <-r.done:
	}
	<-r.done
	assert.Equal(t, 1, strings.Count(log.String(), "no luck"))
	assert.Equal(t, 1, strings.Count(log.String(), "goes on"))
}
