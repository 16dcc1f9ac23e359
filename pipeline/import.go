package pipeline

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/claimline/claimline/schema"
)

// ManyNameEdits reports whether ready rows would replace so many names that an import needs a second agreement (R17):
// those of more than a tenth of them, and of more than 20.
func (p *Plan) ManyNameEdits() bool {
	const tenth, few = 10, 20
	return p.NameEdits > few && p.NameEdits*tenth > p.Tally.Outcomes[schema.Ready]
}

// ParseImportID reads the id of an import; CodeImportNotFound for what cannot be one.
func ParseImportID(id string) (int64, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n <= 0 {
		return 0, schema.Refuse(schema.CodeImportNotFound, "There is no import %q.", schema.Shorten(id))
	}
	return n, nil
}

// PlanOf is the plan that an import kept.
func PlanOf(imp schema.Import) (*Plan, error) {
	plan := &Plan{File: imp.File, SHA256: imp.SHA256, Tally: imp.Tally}
	if err := json.Unmarshal(imp.Plan, plan); err != nil {
		return nil, fmt.Errorf("decode the plan: %w", err)
	}
	return plan, nil
}
