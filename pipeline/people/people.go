// Package people answers who may be claimed and whom an organization lists, and does what is done to one of
// them after a claim: choices, sign-ins, removals, reminders, retractions, and runs of an employer's
// directory.
//
// What is done to one account is one transaction, in which the rules decide on the account as it is then.
// Everything else lists, by address key.
package people

import (
	"context"
	"time"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// People works on the accounts in a store.
type People struct {
	Store  *store.Store
	Now    func() time.Time // the clock
	Policy schema.Policy
	Limits dialect.Limits // of a directory's list
	// Persist does something with the database, again and again while trouble that may pass keeps it from it.
	Persist func(ctx context.Context, do func() error) error
}

// Rules returns the moment and the policy under which rules are applied now.
func (p *People) Rules() claim.Rules { return claim.RulesAt(p.Now(), p.Policy) }
