package claim

import "github.com/claimline/claimline/schema"

// The names that these types had before; they go with their last user.
type (
	Clock = Rules
	Case  = View
	Wish  = Assignment
	Pool  = Licenses
)

// NewPool is NewLicenses.
func NewPool(licenses []schema.License) *Licenses { return NewLicenses(licenses) }
