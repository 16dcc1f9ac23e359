package main

import (
	"github.com/claimline/claimline/cmd/claimline/screen"
	"github.com/claimline/claimline/pipeline"
)

// follow shows the progress of a call where somebody is looking; done must be called before anything else is
// written, and may be called again.
func (a *app) follow() (watch pipeline.Watch, done func()) {
	bar := a.progress()
	if bar == nil {
		return watch, func() {}
	}
	return pipeline.Watch{Progress: bar.Update}, bar.Clear
}

// watch does what follow does, for an import, which says what it waits for, too.
func (a *app) watch(p *session) (watch pipeline.Watch, done func()) {
	watch, done = a.follow()
	watch.Trouble = a.tellTrouble(p.Retry, done)
	return watch, done
}

// counting shows the progress of what counts rows where somebody is looking; progress is nil where nobody is.
// done is that of follow.
func (a *app) counting(phase pipeline.Phase) (progress func(rows int), done func()) {
	bar := a.progress()
	if bar == nil {
		return nil, func() {}
	}
	return func(rows int) { bar.Update(phase, rows, 0) }, bar.Clear
}

// progress returns a line to be redrawn on the terminal; nil where nobody is looking.
func (a *app) progress() *screen.Progress {
	if !a.terminal(a.stderr) || a.flags.quiet || a.env("TERM") == "dumb" {
		return nil
	}
	return &screen.Progress{To: a.stderr, Now: a.now, Page: a.page(a.stderr)}
}
