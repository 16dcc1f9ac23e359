package pipeline

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/rs/zerolog"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// Pipeline runs imports on a store.
type Pipeline struct {
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
	// Version is the program's, kept with the imports that it plans.
	Version string
	Strict  bool // check rows with the tags of schema.Row alone, slowly
	Log     zerolog.Logger

	// Retry is for how long an import that meets passing trouble tries again, with growing waits, before it stops, to be
	// resumed. 0: it stops at once.
	Retry time.Duration
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

// Order is what is asked of an import. What is written as JSON is kept with it.
type Order struct {
	Organization     string `json:"-"` // the claiming one
	Offline          bool   `json:"-"` // make the row checks alone; needs no store
	AllOrNothing     bool   `json:"-"` // one problem, and nothing is claimed
	ActivationEmails *bool  `json:"-"` // nil: as the organization has it (R18)
	By               string `json:"-"` // who asks, as in terminal:root
	Attended         bool   `json:"-"` // who asks drives the import, too

	Encoding      string            `json:"encoding,omitempty"`       // in which the file is read; blank: it has to be certain
	Columns       map[string]string `json:"columns,omitempty"`        // what a column is: header → column of the users file, or service
	IgnoreColumns []string          `json:"ignore_columns,omitempty"` // headers that mean nothing
	EveryRow      bool              `json:"every_row,omitempty"`      // a file without Claim claims every row
	NoEdits       bool              `json:"no_edits,omitempty"`       // leave the accounts' data alone (R17)
}

// OrderOf is the order that an import was made by.
func OrderOf(imp schema.Import) (Order, error) {
	order := Order{Organization: imp.OrganizationID, AllOrNothing: imp.AllOrNothing, ActivationEmails: &imp.ActivationEmails}
	if len(imp.Options) == 0 {
		return order, nil
	}
	if err := json.Unmarshal(imp.Options, &order); err != nil {
		return Order{}, fmt.Errorf("decode the options: %w", err)
	}
	return order, nil
}

// reading is how the columns of the file are read.
func (o Order) reading(mojibake bool) usersfile.Options {
	return usersfile.Options{Columns: o.Columns, Ignore: o.IgnoreColumns, EveryRow: o.EveryRow, Mojibake: mojibake}
}

// clock is the moment and the policy under which rules are applied now.
func (p *Pipeline) clock() claim.Clock { return claim.Clock{Now: p.now(), Policy: p.Policy} }

// now is the time in whole seconds, which is what the store keeps.
func (p *Pipeline) now() time.Time { return p.Now().UTC().Truncate(time.Second) }

func itoa(n int) string { return strconv.Itoa(n) }
