package pipeline

import (
	"context"
	"fmt"

	"github.com/claimline/claimline/schema"
)

// Sweep writes what time has made due in all organizations, and removes file and rows of imports past their
// keeping time. Stopped half-way, it can be run again.
func (p *Flow) Sweep(ctx context.Context) (schema.Swept, error) {
	swept, err := p.Store.Sweep(ctx, p.rules())
	if err != nil {
		return swept, fmt.Errorf("settle what is due: %w", err)
	}
	swept.ImportsRemoved, err = p.Store.RemoveImports(ctx, p.now().Add(-p.Policy.KeepTime()))
	if err != nil {
		return swept, fmt.Errorf("remove old imports: %w", err)
	}
	return swept, nil
}
