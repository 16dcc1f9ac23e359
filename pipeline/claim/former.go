package claim

import "github.com/claimline/claimline/schema"

// The names that these types had before; they go with their last user.
type (
	Clock = Rules      // Clock is Rules.
	Case  = View       // Case is View.
	Wish  = Assignment // Wish is Assignment.
	Pool  = Licenses   // Pool is Licenses.
)

// NewPool is NewLicenses.
func NewPool(licenses []schema.License) *Licenses { return NewLicenses(licenses) }
