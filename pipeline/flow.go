package pipeline

import (
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// Config is what a Flow works with.
type Config struct {
	Store   *store.Store     // nil: only for orders that are Offline
	Now     func() time.Time // the clock
	Policy  schema.Policy
	Limits  dialect.Limits
	Workers int // chunks worked on at once, at least 1
	// TransactionRows is how many rows of an import one transaction applies, about; 0: DefaultTransactionRows. More costs fewer
	// flushes of the disk, and holds others up for longer.
	TransactionRows int

	Lease  time.Duration // how long an import stays with a process that no longer renews it
	Runner string        // names this process among those that drive imports
	By     string        // who starts imports and agrees to them, as in terminal:root
	// Version is the program's, kept with the imports that it plans.
	Version string
	Strict  bool // check rows with the tags of schema.Row alone, slowly
	Log     zerolog.Logger

	// Retry is for how long an import that meets passing trouble tries again, with growing waits, before it stops, to be
	// resumed. 0: it stops at once.
	Retry time.Duration
	// Trouble, where set, is told each time before a try is waited for, what is in the way and for how long it is waited.
	Trouble func(err error, pause time.Duration)

	// Progress, where set, is told now and then how many rows are through; total is 0 where it is unknown, which it is but for
	// the claims of an import.
	Progress func(phase Phase, done, total int)
}

// Flow drives imports: it plans them, asks, and applies them.
type Flow struct {
	Config
}

// New returns a flow. It refuses what cannot work: no clock, no worker, and, where there is a store, no lease.
func New(c Config) (*Flow, error) {
	switch {
	case c.Now == nil:
		return nil, errors.New("set up the flow of imports: there is no clock")
	case c.Workers < 1:
		return nil, fmt.Errorf("set up the flow of imports: there are %d workers, and it needs one", c.Workers)
	case c.Store != nil && c.Lease < time.Millisecond:
		return nil, fmt.Errorf("set up the flow of imports: a lease of %s is too short to be renewed", c.Lease)
	case c.TransactionRows < 0:
		return nil, fmt.Errorf("set up the flow of imports: a transaction of %d rows does nothing", c.TransactionRows)
	}
	return &Flow{Config: c}, nil
}

// DefaultTransactionRows take a tenth of a second or two on a small machine.
const DefaultTransactionRows = 15_000

// Phase is what is under way: one of the two passes of an import, or something else that takes a while.
type Phase string

// The phases.
const (
	Planning  Phase = "planning"
	Applying  Phase = "applying"
	Loading   Phase = "loading"
	Exporting Phase = "exporting"
)

const progressRows = 5000 // between two reports of a phase that goes row by row

// rules are the moment and the policy under which rules are applied now.
func (p *Flow) rules() claim.Rules { return claim.RulesAt(p.Now(), p.Policy) }

// now is the time in whole seconds, which is what the store keeps.
func (p *Flow) now() time.Time { return p.Now().UTC().Truncate(time.Second) }

func (p *Flow) progress(phase Phase, done, total int) {
	if p.Progress != nil {
		p.Progress(phase, done, total)
	}
}
