package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// Consent is asked once a plan stands and would claim somebody; it returns nil where somebody agrees (R13), a refusal with
// CodeConsentDeclined where somebody does not, and one with CodeConsentMissing or CodeEditsNotAccepted where nobody could be asked.
type Consent func(ctx context.Context, imp schema.Import, plan *schema.Plan) error

// Import plans, asks and applies. Where it returns an error, the import is as its state says: refused while it was planned, or
// for want of somebody to ask, and nothing is left of it; declined, and rejected; or stopped by trouble, to be resumed. When
// ctx is cancelled, the chunks in hand are finished and the import is cancelled, which is no error.
func (p *Flow) Import(ctx context.Context, source dialect.Source, order schema.Order, consent Consent) (schema.Import, error) {
	owner, plan, err := p.planImport(ctx, source, order)
	if err != nil {
		return schema.Import{}, errors.Join(err, p.drop(ctx, owner))
	}
	imp, err := p.drive(ctx, owner, func(ctx context.Context) error {
		imp, err := p.Store.Import(ctx, owner.ImportID, p.now())
		if err != nil {
			return fmt.Errorf("read the import: %w", err)
		}
		return p.askAndApply(ctx, owner, imp, plan, consent)
	})
	if nobodyAsked(err) {
		return schema.Import{}, errors.Join(err, p.drop(ctx, owner))
	}
	return imp, err
}

// nobodyAsked reports whether an import ended for want of somebody who could agree.
func nobodyAsked(err error) bool {
	code := schema.CodeOf(err)
	return code == schema.CodeConsentMissing || code == schema.CodeEditsNotAccepted
}

// Resume goes on with an import where it stopped, under the consent recorded; where none was, consent is asked. It is
// always told what remains. Right after a crash the import still belongs to the process that died: waiting, where set, is
// told until when. Refused with CodeImportNotFound, CodeImportRunning, CodeImportFinished, CodeImportIncomplete. Where nobody
// could be asked, it is cancelled still, and can be resumed.
func (p *Flow) Resume(ctx context.Context, id int64, waiting func(until time.Time), consent Consent) (schema.Import, error) {
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
		plan, err := schema.PlanOf(imp)
		if err != nil {
			return err
		}
		return p.askAndApply(ctx, owner, imp, plan, consent)
	})
}

// mayResume refuses, before anything is changed, what was rejected as a whole, and to claim while the organization
// synchronizes its own directory (R10).
func (p *Flow) mayResume(ctx context.Context, id int64) error {
	imp, err := p.Store.Import(ctx, id, p.now())
	switch {
	case err != nil:
		return err
	case imp.State == schema.StateRejected:
		return schema.Refuse(schema.CodeImportFinished, "Import %d was rejected. %s", id, imp.Reason.Message("")).
			WithFix("%s", imp.Reason.Fix(strconv.FormatInt(id, 10)))
	case imp.Tally.Outcomes[schema.Ready] == 0:
		return nil
	}
	organization, err := p.Store.Organization(ctx, imp.OrganizationID)
	if err != nil {
		return err
	}
	return claim.CheckMayClaim(&organization)
}

// planImport is the first pass: it makes the plan and keeps the file, in chunks. Nothing is written, and owner is not
// set, before the file's header and the organization are found in order.
func (p *Flow) planImport(ctx context.Context, source dialect.Source, order schema.Order) (owner store.Owner, plan *schema.Plan, err error) {
	pass, err := p.open(ctx, source, order, maphash.MakeSeed(), nil)
	if err != nil {
		return owner, nil, err
	}
	pass.validate.prepares = true
	imp, err := p.newImport(ctx, source, order)
	if err != nil {
		return owner, nil, err
	}
	if owner, err = p.Store.CreateImport(ctx, imp, p.Runner, p.now(), p.Lease); err != nil {
		return owner, nil, fmt.Errorf("record the import: %w", err)
	}
	err = p.holding(ctx, owner, func(ctx context.Context) error {
		var keeper *keeper
		plan, err = p.plan(ctx, pass, func(*planPass) (func(context.Context, *block) error, error) {
			again := keeper != nil
			keeper = p.newKeeper(owner, order)
			if again {
				return keeper.add, p.Store.DropChunks(ctx, owner)
			}
			return keeper.add, nil
		})
		if err != nil {
			return err
		}
		if err := keeper.flush(ctx); err != nil {
			return err
		}
		encoded, err := json.Marshal(plan)
		if err != nil {
			return fmt.Errorf("encode the plan: %w", err)
		}
		return p.Persist(ctx, func() error {
			if err := p.Store.SealPlan(ctx, owner, plan.SHA256, encoded); err != nil {
				return fmt.Errorf("record the plan: %w", err)
			}
			return nil
		})
	})
	return owner, plan, err
}

func (p *Flow) newImport(ctx context.Context, source dialect.Source, order schema.Order) (schema.Import, error) {
	organization, err := p.Store.Organization(ctx, order.Organization)
	if err != nil {
		return schema.Import{}, err
	}
	mails := organization.ActivationEmails
	if order.ActivationEmails != nil {
		mails = *order.ActivationEmails
	}
	options, err := json.Marshal(order)
	if err != nil {
		return schema.Import{}, fmt.Errorf("encode the options: %w", err)
	}
	return schema.Import{
		File: source.Name(), OrganizationID: organization.ID, AllOrNothing: order.AllOrNothing, ActivationEmails: mails,
		CreatedBy: p.By, Version: p.Version, Options: options,
	}, nil
}

// drop deletes an import that was refused while it was planned; there may be none yet.
func (p *Flow) drop(ctx context.Context, owner store.Owner) error {
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
func (p *Flow) acquire(ctx context.Context, id int64, waiting func(until time.Time)) (store.Owner, error) {
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

// askAndApply is what comes behind the barrier (R13).
func (p *Flow) askAndApply(ctx context.Context, owner store.Owner, imp schema.Import, plan *schema.Plan, consent Consent) error {
	switch {
	case imp.AllOrNothing && imp.Tally.Problems() > 0:
		return schema.Refuse(schema.CodeAllOrNothing, "")
	case imp.Tally.Outcomes[schema.Ready] > 0:
		if err := consent(ctx, imp, plan); err != nil {
			return err
		}
	}
	if imp.ConsentedAt.IsZero() {
		err := p.Persist(ctx, func() error {
			if err := p.Store.Consent(ctx, owner, p.now(), p.By); err != nil {
				return fmt.Errorf("record the consent: %w", err)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return p.apply(ctx, owner, imp, plan)
}

// drive works on an import that this process owns, and ends it as the work ended.
func (p *Flow) drive(ctx context.Context, owner store.Owner, work func(context.Context) error) (schema.Import, error) {
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
		case schema.CodeConsentDeclined:
			end.State, end.Reason = schema.StateRejected, schema.CodeConsentDeclined
		case schema.CodeConsentMissing, schema.CodeEditsNotAccepted:
			end.State, end.Reason = schema.StateCancelled, schema.CodeCancelled
		case schema.CodeImportTakenOver:
			return schema.Import{}, err
		default:
			return p.release(whole, owner), err
		}
	}
	var imp schema.Import
	finishErr := p.Persist(whole, func() (err error) {
		imp, err = p.finish(whole, owner, end)
		return err
	})
	if finishErr != nil {
		return p.release(whole, owner), errors.Join(err, finishErr)
	}
	return imp, err
}

// release gives up an import that trouble keeps from going on: it is interrupted, and can be resumed, at once where that can
// be written down, else when the lease has run out.
func (p *Flow) release(ctx context.Context, owner store.Owner) schema.Import {
	if err := p.Store.RenewImport(ctx, owner, p.now(), 0); err != nil {
		p.Log.Warn().Err(err).Int64("import", owner.ImportID).Msg("the import could not be released; its lease runs out")
	}
	imp, err := p.Store.Import(ctx, owner.ImportID, p.now())
	if err != nil {
		return schema.Import{ID: owner.ImportID, State: schema.StateInterrupted} // all that is known
	}
	return imp
}

// finish ends an import. Without a state given, its chunks tell how it went.
func (p *Flow) finish(ctx context.Context, owner store.Owner, end store.ImportEnd) (schema.Import, error) {
	imp, err := p.Store.Import(ctx, owner.ImportID, p.now())
	if err != nil {
		return imp, fmt.Errorf("read the import: %w", err)
	}
	if end.State == "" {
		end.State = schema.StateCompleted
		switch {
		case imp.AllOrNothing && imp.Tally.Problems() > 0:
			end.State, end.Reason = schema.StateRejected, schema.CodeAllOrNothing
		case imp.Tally.Problems() > 0:
			end.State = schema.StateCompletedWithErrors
		}
	}
	if err := p.Store.FinishImport(ctx, owner, end); err != nil {
		return imp, fmt.Errorf("end the import: %w", err)
	}
	return p.Store.Import(ctx, owner.ImportID, p.now())
}

// holding does the work while the lease on the import is renewed. Once somebody else has taken the import over, the
// work's context ends.
func (p *Flow) holding(ctx context.Context, owner store.Owner, work func(context.Context) error) error {
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
		return 0, schema.Refuse(schema.CodeImportNotFound, "There is no import %q.", schema.Shorten(id))
	}
	return n, nil
}
