package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/claimline/claimline/pipeline"
)

// progress shows on a terminal how far something is, on one line that is written again and again. It may be told from
// several goroutines.
type progress struct {
	to  io.Writer
	now func() time.Time

	mu      sync.Mutex
	phase   pipeline.Phase
	started time.Time // of the phase
	drawn   time.Time // last
	shown   bool      // the line is on the screen
}

const (
	progressDelay = 300 * time.Millisecond // what takes less shows nothing
	progressPause = 100 * time.Millisecond // between two drawings
	progressBar   = 20                     // columns of the bar
	clearLine     = "\r\x1b[K"
)

// follow shows the progress of p's work where somebody is looking; done must be called before anything else is
// written, and may be called again.
func (a *app) follow(p *pipeline.Pipeline) (done func()) {
	if !a.terminal(a.stderr) || a.flags.quiet || a.env("TERM") == "dumb" {
		return func() {}
	}
	bar := &progress{to: a.stderr, now: a.now}
	p.Progress = bar.update
	return bar.clear
}

func (b *progress) update(phase pipeline.Phase, done, total int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	if phase != b.phase {
		b.phase, b.started, b.drawn = phase, now, time.Time{}
	}
	elapsed := now.Sub(b.started)
	if elapsed < progressDelay || now.Sub(b.drawn) < progressPause {
		return
	}
	b.drawn, b.shown = now, true
	fmt.Fprint(b.to, clearLine+progressLine(phase, done, total, elapsed))
}

// clear takes the line off the screen.
func (b *progress) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.shown {
		fmt.Fprint(b.to, clearLine)
	}
	b.shown, b.phase = false, ""
}

// progressLine is at most 79 columns wide; a total of 0 is not known.
func progressLine(phase pipeline.Phase, done, total int, elapsed time.Duration) string {
	rate := float64(done) / elapsed.Seconds()
	if total <= 0 {
		doing := map[pipeline.Phase]string{pipeline.Loading: "Loading", pipeline.Exporting: "Exporting"}[phase]
		return fmt.Sprintf("%s: %s, %.0f/s", first(doing, "Reading the file"), count(done, "row"), rate)
	}
	done = min(done, total)
	full := progressBar * done / total
	line := fmt.Sprintf("Claiming [%s%s] %3d%%  %d of %d, %.0f/s", strings.Repeat("#", full), strings.Repeat(".", progressBar-full),
		100*done/total, done, total, rate)
	if rate > 0 {
		line += ", " + leftText(time.Duration(float64(total-done)/rate*float64(time.Second)))
	}
	return line
}

// leftText is a time left, in the unit that fits.
func leftText(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s left", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min left", int(d.Minutes()))
	}
	return fmt.Sprintf("%d h left", int(d.Hours()))
}
