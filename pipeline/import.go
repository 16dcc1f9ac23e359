package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// Consent is asked once a plan stands and would claim somebody; it returns nil where somebody agrees (R13).
type Consent func(ctx context.Context, imp schema.Import, plan *Plan) error

// Import plans, asks and applies. Where it returns an error, the import is as its state says: refused before or
// while it was planned, and nothing is left of it; declined, and only its summary is; or stopped by broken machinery, to be
// resumed. When ctx is cancelled, the chunks in hand are finished and the import is cancelled, which is no error.
func (p *Pipeline) Import(ctx context.Context, source *Source, order Order, consent Consent) (schema.Import, error) {
	owner, plan, err := p.planImport(ctx, source, order)
	if err != nil {
		return schema.Import{}, errors.Join(err, p.drop(ctx, owner))
	}
	return p.drive(ctx, owner, func(ctx context.Context) error {
		imp, err := p.Store.Import(ctx, owner.ImportID, p.now())
		if err != nil {
			return fmt.Errorf("read the import: %w", err)
		}
		return p.askAndApply(ctx, owner, imp, plan, consent)
	})
}

// Resume goes on with an import where it stopped, under the consent recorded; where none was, consent is asked. It is
// always told what remains. Right after a crash the import still belongs to the process that died: waiting, where set, is
// told until when. Refused with CodeImportNotFound, CodeImportRunning, CodeImportFinished, CodeImportIncomplete.
func (p *Pipeline) Resume(ctx context.Context, id int64, waiting func(until time.Time), consent Consent) (schema.Import, error) {
	if err := p.mayResume(ctx, id); err != nil {
		return schema.Import{}, err
	}
	owner, err := p.acquire(ctx, id, waiting)
	if err != nil {
		return schema.Import{}, err
	}
	return p.drive(ctx, owner, func(ctx context.Context) error {
		imp, err := p.Store.Import(ctx, id, p.now())
		if err != nil {
			return fmt.Errorf("read the import: %w", err)
		}
		plan, err := PlanOf(imp)
		if err != nil {
			return err
		}
		return p.askAndApply(ctx, owner, imp, plan, consent)
	})
}

// mayResume refuses, before anything is changed, to claim while the organization synchronizes its own directory (R10).
func (p *Pipeline) mayResume(ctx context.Context, id int64) error {
	imp, err := p.Store.Import(ctx, id, p.now())
	if err != nil || imp.Tally.Outcomes[schema.Ready] == 0 {
		return err
	}
	organization, err := p.Store.Organization(ctx, imp.OrganizationID)
	if err != nil {
		return err
	}
	return MayClaim(organization)
}

// planImport is the first pass: it makes the plan and keeps the file, in chunks. Nothing is written, and owner is not
// set, before the file's header and the organization are found in order.
func (p *Pipeline) planImport(ctx context.Context, source *Source, order Order) (owner store.Owner, plan *Plan, err error) {
	planning, err := p.open(ctx, source, order)
	if err != nil {
		return owner, nil, err
	}
	planning.validate.prepares = true
	imp, err := p.newImport(ctx, source, order)
	if err != nil {
		return owner, nil, err
	}
	if owner, err = p.Store.CreateImport(ctx, imp, p.Runner, p.now(), p.Lease); err != nil {
		return owner, nil, fmt.Errorf("record the import: %w", err)
	}
	err = p.holding(ctx, owner, func(ctx context.Context) error {
		keeper := p.newKeeper(owner, order)
		if plan, err = planning.run(ctx, keeper.chunk); err != nil {
			return err
		}
		if err := keeper.end(ctx); err != nil {
			return err
		}
		encoded, err := json.Marshal(plan)
		if err != nil {
			return fmt.Errorf("encode the plan: %w", err)
		}
		if err := p.Store.SealPlan(ctx, owner, plan.SHA256, encoded); err != nil {
			return fmt.Errorf("record the plan: %w", err)
		}
		return nil
	})
	return owner, plan, err
}

func (p *Pipeline) newImport(ctx context.Context, source *Source, order Order) (schema.Import, error) {
	organization, err := p.Store.Organization(ctx, order.Organization)
	if err != nil {
		return schema.Import{}, err
	}
	mails := organization.ActivationEmails
	if order.ActivationEmails != nil {
		mails = *order.ActivationEmails
	}
	return schema.Import{
		File: source.Name, OrganizationID: organization.ID, AllOrNothing: order.AllOrNothing, ActivationEmails: mails,
	}, nil
}

// drop deletes an import that was refused while it was planned; there may be none yet.
func (p *Pipeline) drop(ctx context.Context, owner store.Owner) error {
	if owner.ImportID == 0 {
		return nil
	}
	if err := p.Store.DropImport(context.WithoutCancel(ctx), owner); err != nil {
		return fmt.Errorf("delete the refused import: %w", err)
	}
	return nil
}

// acquire makes this process the owner of the import. A lease that runs is waited out once: unless somebody renews it, its
// owner has died.
func (p *Pipeline) acquire(ctx context.Context, id int64, waiting func(until time.Time)) (store.Owner, error) {
	owner, err := p.Store.AcquireImport(ctx, id, p.Runner, p.now(), p.Lease)
	if schema.CodeOf(err) != schema.CodeImportRunning {
		return owner, err
	}
	imp, err := p.Store.Import(ctx, id, p.now())
	if err != nil {
		return store.Owner{}, err
	}
	if waiting != nil {
		waiting(imp.LeaseUntil)
	}
	if !wait(ctx, imp.LeaseUntil.Sub(p.Now())+time.Second) {
		return store.Owner{}, ctx.Err()
	}
	return p.Store.AcquireImport(ctx, id, p.Runner, p.now(), p.Lease)
}

// askAndApply is what comes behind the barrier.
func (p *Pipeline) askAndApply(ctx context.Context, owner store.Owner, imp schema.Import, plan *Plan, consent Consent) error {
	switch {
	case imp.AllOrNothing && hasProblem(imp.Tally):
		return schema.Refuse(schema.CodeAllOrNothing, "")
	case imp.Tally.Outcomes[schema.Ready] > 0:
		if err := consent(ctx, imp, plan); err != nil {
			return err
		}
	}
	if imp.ConsentedAt.IsZero() {
		if err := p.Store.Consent(ctx, owner, p.now(), ""); err != nil {
			return fmt.Errorf("record the consent: %w", err)
		}
	}
	return p.apply(ctx, owner, imp, plan)
}

// drive works on an import that this process owns, and ends it as the work ended.
func (p *Pipeline) drive(ctx context.Context, owner store.Owner, work func(context.Context) error) (schema.Import, error) {
	err := p.holding(ctx, owner, work)
	whole := context.WithoutCancel(ctx) // to be ended in order, it must not stop halfway
	end := store.ImportEnd{At: p.now()}
	switch {
	case err == nil:
	case errors.Is(err, context.Canceled) || schema.CodeOf(err) == schema.CodeCancelled:
		end.State, end.Reason, err = schema.StateCancelled, schema.CodeCancelled, nil
	default:
		switch schema.CodeOf(err) {
		case schema.CodeDirectorySyncEnabled: // switched on in the middle (R10): it is told row by row
			end.State, end.Reason, err = schema.StateCompletedWithErrors, schema.CodeDirectorySyncEnabled, nil
		case schema.CodeAllOrNothing:
			end.State, end.Reason, err = schema.StateRejected, schema.CodeAllOrNothing, nil
		case schema.CodeConsentDeclined, schema.CodeConsentMissing:
			end.State, end.Reason, end.RemoveRows = schema.StateRejected, schema.CodeCancelled, true
		case schema.CodeImportTakenOver:
			return schema.Import{}, err
		default:
			end.State, end.Reason = schema.StateFailed, schema.CodeCancelled
		}
	}
	imp, finishErr := p.finish(whole, owner, end)
	return imp, errors.Join(err, finishErr)
}

// finish ends an import. Without a state given, its chunks tell how it went.
func (p *Pipeline) finish(ctx context.Context, owner store.Owner, end store.ImportEnd) (schema.Import, error) {
	imp, err := p.Store.Import(ctx, owner.ImportID, p.now())
	if err != nil {
		return imp, fmt.Errorf("read the import: %w", err)
	}
	if end.State == "" {
		end.State = schema.StateCompleted
		switch {
		case imp.AllOrNothing && hasProblem(imp.Tally):
			end.State, end.Reason = schema.StateRejected, schema.CodeAllOrNothing
		case hasProblem(imp.Tally):
			end.State = schema.StateCompletedWithErrors
		}
	}
	if err := p.Store.FinishImport(ctx, owner, end); err != nil {
		return imp, fmt.Errorf("end the import: %w", err)
	}
	return p.Store.Import(ctx, owner.ImportID, p.now())
}

func hasProblem(t schema.Tally) bool {
	for outcome, n := range t.Outcomes {
		if outcome.Problem() && n > 0 {
			return true
		}
	}
	return false
}

// holding does the work while the lease on the import is renewed. Once somebody else has taken the import over, the
// work's context ends.
func (p *Pipeline) holding(ctx context.Context, owner store.Owner, work func(context.Context) error) error {
	g, gctx := errgroup.WithContext(ctx)
	done := make(chan struct{})
	g.Go(func() error {
		defer close(done)
		return work(gctx)
	})
	g.Go(func() error {
		ticker := time.NewTicker(p.Lease * 3 / 10)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return nil
			case <-gctx.Done():
				return nil
			case <-ticker.C:
			}
			if err := p.Store.RenewImport(gctx, owner, p.now(), p.Lease); schema.CodeOf(err) == schema.CodeImportTakenOver {
				return err
			} else if err != nil && gctx.Err() == nil {
				p.Log.Warn().Err(err).Msg("the lease could not be renewed; every chunk checks the ownership again")
			}
		}
	})
	return g.Wait()
}

// ParseImportID reads the id of an import; CodeImportNotFound for what cannot be one.
func ParseImportID(id string) (int64, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n <= 0 {
		return 0, schema.Refuse(schema.CodeImportNotFound, "There is no import %q.", shorten(id))
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
