package kept

import (
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// File is what an import keeps about its file.
type File struct {
	Plan   *schema.Plan
	Order  schema.Order
	Layout *usersfile.Layout
}

// FileOf returns what an import kept about its file.
func FileOf(imp schema.Import) (f File, err error) {
	if f.Plan, err = schema.PlanOf(imp); err != nil {
		return f, err
	}
	if f.Order, err = schema.OrderOf(imp); err != nil {
		return f, err
	}
	f.Layout, err = usersfile.LayoutOf(f.Plan, f.Order)
	return f, err
}
