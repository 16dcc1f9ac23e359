package claim

import "github.com/claimline/claimline/schema"

// The former names of types; they go with their last user.

// Clock is Rules.
type Clock = Rules

// Case is View.
type Case = View

// Wish is Assignment.
type Wish = Assignment

// Pool is Licenses.
type Pool = Licenses

// NewPool is NewLicenses.
func NewPool(licenses []schema.License) *Licenses { return NewLicenses(licenses) }
