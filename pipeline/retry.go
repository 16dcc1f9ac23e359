package pipeline

import (
	"context"
	"errors"
	"time"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// The waits between two tries: the first, and the longest.
const (
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
)

// broken reports whether an error is neither a refusal nor the end of a context: nothing is known of it, so
// that it may pass.
func broken(err error) bool {
	_, refused := errors.AsType[*schema.Error](err)
	return !refused && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

// mayPass reports whether an error is trouble that may pass.
func mayPass(err error) bool { return store.Passing(err) || broken(err) }

// Persist does something with the database, again and again while trouble that may pass keeps it from it, and
// Retry is not over.
func (p *Flow) Persist(ctx context.Context, do func() error) error {
	return p.persist(ctx, Watch{}, do)
}

// persist does what Persist does, for a call that is watched.
func (p *Flow) persist(ctx context.Context, watch Watch, do func() error) error {
	patience := p.patience(watch)
	for {
		err := do()
		if err == nil || !patience.wait(ctx, err) {
			return err
		}
	}
}

// patience is what is left of the time for which something is tried again.
type patience struct {
	pipeline *Flow
	watch    Watch
	left     time.Duration
	pause    time.Duration
}

func (p *Flow) patience(watch Watch) *patience {
	return &patience{pipeline: p, watch: watch, left: p.Retry, pause: firstPause}
}

// wait waits before one more try, and reports whether there is to be one.
func (w *patience) wait(ctx context.Context, err error) bool {
	if !mayPass(err) || w.left <= 0 || ctx.Err() != nil {
		return false
	}
	pause := min(w.pause, w.left)
	w.pipeline.Log.Warn().Err(err).Dur("pause", pause).Msg("trying again")
	if w.watch.Trouble != nil {
		w.watch.Trouble(err, pause)
	}
	w.left, w.pause = w.left-pause, min(2*w.pause, longestPause)
	return wait(ctx, pause)
}
