package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/schema"
)

// The names of the loops that are here, to be woken by.
const (
	ImportsLoop  = "imports"
	UpkeepLoop   = "upkeep"
	RemovalsLoop = "removals"
)

// Slice is for how long an import is worked on before others have their turn, about: its last chunk is
// finished.
const Slice = 2 * time.Second

// Imports returns the loop that drives the imports that nobody attends, so many of them at once, and of one
// organization at most perOrganization in all processes; 0: as many as there are.
func Imports(flow *pipeline.Flow, workers, perOrganization int) Loop {
	return Loop{Name: ImportsLoop, Workers: workers, RunOnce: func(ctx context.Context, _ time.Time) (bool, error) {
		due, err := flow.Store.DueImports(ctx, perOrganization)
		if err != nil {
			return false, err
		}
		for i := range due {
			_, err := flow.Turn(ctx, due[i].ID, perOrganization, Slice, pipeline.Watch{})
			switch {
			case err == nil:
				return true, nil
			case !elsewhere(err):
				return false, fmt.Errorf("import %d: %w", due[i].ID, err)
			}
		}
		return false, nil
	}}
}

// elsewhere reports whether an import is refused because somebody else has seen to it meanwhile.
func elsewhere(err error) bool {
	switch schema.CodeOf(err) {
	case schema.CodeImportRunning, schema.CodeImportTakenOver, schema.CodeImportFinished, schema.CodeImportNotFound, schema.CodeInterrupted,
		schema.CodeConsentMissing:
		return true
	}
	return false
}

// Upkeep returns the loop that writes what time has made due, and drops what could not be dropped before.
func Upkeep(flow *pipeline.Flow) Loop {
	return Loop{Name: UpkeepLoop, Every: time.Minute, RunOnce: func(ctx context.Context, _ time.Time) (bool, error) {
		_, err := flow.Settle(ctx)
		return false, errors.Join(err, flow.Store.DropAgain(ctx))
	}}
}

// Removals returns the loop that removes file and rows of imports, and what was noted of schedules' runs,
// past their keeping time.
func Removals(flow *pipeline.Flow) Loop {
	return Loop{Name: RemovalsLoop, Every: time.Hour, RunOnce: func(ctx context.Context, _ time.Time) (bool, error) {
		_, err := flow.RemoveOld(ctx)
		return false, err
	}}
}
