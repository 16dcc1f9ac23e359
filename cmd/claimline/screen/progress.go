package screen

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/schema"
)

// Progress shows on a terminal how far something is, on one line that is written again and again. It may be
// told from several goroutines.
type Progress struct {
	To   io.Writer
	Now  func() time.Time
	Page Page // with the width of the terminal; 0: unknown

	mu      sync.Mutex
	phase   pipeline.Phase
	first   int       // done when the phase was first told of
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

// Update shows how far a phase is; a total of 0 is not known.
func (b *Progress) Update(phase pipeline.Phase, done, total int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.Now()
	if phase != b.phase {
		b.phase, b.first, b.started, b.drawn = phase, done, now, time.Time{}
	}
	elapsed := now.Sub(b.started)
	if elapsed < progressDelay || now.Sub(b.drawn) < progressPause {
		return
	}
	b.draw(now, done, total, elapsed)
}

// Watch shows how far an import is that another process drives: at once, and with the rate since it was first
// looked at.
func (b *Progress) Watch(done, total int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.Now()
	if b.phase == "" {
		b.phase, b.first, b.started = pipeline.Applying, done, now
	}
	b.draw(now, done, total, now.Sub(b.started))
}

func (b *Progress) draw(now time.Time, done, total int, elapsed time.Duration) {
	b.drawn, b.shown = now, true
	line := progressLine(b.Page, b.phase, done, total, done-b.first, elapsed)
	if b.Page.Width > 0 {
		line = End(line, b.Page.Width-1) // the last column would break the line
	}
	fmt.Fprint(b.To, clearLine+line)
}

// Clear takes the line off the screen.
func (b *Progress) Clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.shown {
		fmt.Fprint(b.To, clearLine)
	}
	b.shown, b.phase = false, ""
}

// progressLine says how far a phase is, which has done so many rows in the time given.
func progressLine(p Page, phase pipeline.Phase, done, total, lately int, elapsed time.Duration) string {
	rate := 0.0
	if elapsed > 0 {
		rate = float64(lately) / elapsed.Seconds()
	}
	if total <= 0 {
		doing := schema.Word("Reading the file")
		switch phase {
		case pipeline.Loading:
			doing = "Loading"
		case pipeline.Exporting:
			doing = "Exporting"
		}
		return p.Say("%s: %s, %s/s", doing, Rows(done), schema.Number(int(rate)))
	}
	done = min(done, total)
	full := progressBar * done / total
	line := p.Say("Claiming [%s%s] %3d%%  %s of %s, %s/s", strings.Repeat("#", full), strings.Repeat(".", progressBar-full),
		100*done/total, schema.Number(done), schema.Number(total), schema.Number(int(rate)))
	if rate >= 1 {
		line += ", " + left(time.Duration(float64(total-done)/rate*float64(time.Second))).In(p)
	}
	return line
}

// left says how much time is left, in the unit that fits.
func left(d time.Duration) schema.Text {
	switch {
	case d < time.Minute:
		return schema.Say("%d s left", int(d.Seconds()))
	case d < time.Hour:
		return schema.Say("%d min left", int(d.Minutes()))
	}
	return schema.Say("%d h left", int(d.Hours()))
}
