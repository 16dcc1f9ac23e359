package pipeline

import (
	"context"
	"fmt"

	"github.com/claimline/claimline/schema"
)

// Sweep does all that time has made due: it settles, and removes what is old. Stopped half-way, it can be run
// again.
func (p *Flow) Sweep(ctx context.Context) (schema.Swept, error) {
	swept, err := p.Settle(ctx)
	if err != nil {
		return swept, err
	}
	swept.ImportsRemoved, err = p.RemoveOld(ctx)
	return swept, err
}

// Settle writes what time has made due in all organizations.
func (p *Flow) Settle(ctx context.Context) (schema.Swept, error) {
	swept, err := p.Store.Sweep(ctx, p.rules())
	if err != nil {
		return swept, fmt.Errorf("settle what is due: %w", err)
	}
	return swept, nil
}

// RemoveOld removes file and rows of imports past their keeping time, and counts these imports. What was
// noted of schedules' runs is kept as long.
func (p *Flow) RemoveOld(ctx context.Context) (removed int, err error) {
	before := p.now().Add(-p.Policy.KeepTime())
	removed, err = p.Store.RemoveImports(ctx, before)
	if err != nil {
		return removed, fmt.Errorf("remove old imports: %w", err)
	}
	if _, err := p.Store.RemoveRuns(ctx, before); err != nil {
		return removed, fmt.Errorf("remove old runs of schedules: %w", err)
	}
	return removed, nil
}
