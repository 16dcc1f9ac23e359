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
	Workers int // blocks worked on at once, at least 1
	// TransactionRows is how many rows of an import one transaction applies, about; 0:
	// DefaultTransactionRows. More costs fewer flushes of the disk, and holds others up for longer.
	TransactionRows int

	Lease  time.Duration // how long an import stays with a process that no longer renews it
	Runner string        // names this process among those that drive imports
	// Version is the program's, kept with the imports that it plans.
	Version string
	Strict  bool // check rows with the tags of schema.Row alone, slowly
	Log     zerolog.Logger

	// Applied is told of rows of which it is known from then on what became of them, and how long it took to
	// apply them in one transaction; 0: they were never to be applied. nil: nobody is told.
	Applied func(rows schema.Tally, took time.Duration)

	// Retry is for how long an import that meets passing trouble tries again, with growing waits, before it
	// stops, to be resumed. 0: it stops at once.
	Retry time.Duration
}

// Flow drives imports: it plans them, takes orders, and applies them.
type Flow struct {
	Config
}

// New returns a flow. It refuses what cannot work: no clock, no worker, and, where there is a store, no
// lease.
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

func (p *Flow) applied(rows schema.Tally, took time.Duration) {
	if p.Applied != nil {
		p.Applied(rows, took)
	}
}

// rules returns the moment and the policy under which rules are applied now.
func (p *Flow) rules() claim.Rules { return claim.RulesAt(p.Now(), p.Policy) }

// now returns the time in whole seconds, which is what the store keeps.
func (p *Flow) now() time.Time { return p.Now().UTC().Truncate(time.Second) }
