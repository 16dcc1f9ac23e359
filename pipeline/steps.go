package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// An import is driven in steps, by anybody: Plan, Agree or Decline, then Step until nothing is left. Between
// the steps nobody owns it. schema/life.go tells its states.

// Watch is told how a call gets on; what is nil is told nothing.
type Watch struct {
	// Progress is told now and then how many rows are through; total is 0 where it is unknown.
	Progress func(phase Phase, done, total int)
	// Trouble is told each time before a try is waited for, what is in the way and for how long it is waited.
	Trouble func(err error, pause time.Duration)
}

func (w Watch) progress(phase Phase, done, total int) {
	if w.Progress != nil {
		w.Progress(phase, done, total)
	}
}

// Plan makes the plan of an import, and keeps the file, in chunks. The import it returns is owned by nobody:
// it waits for consent, or it has ended, for nobody can be claimed, or all or nothing, something is wrong
// (see R13). Where it returns an error, nothing is left of the import; or, while the database cannot be
// written to, soon. See Validate for the refusals.
func (p *Flow) Plan(ctx context.Context, source dialect.Source, order schema.Order, watch Watch) (schema.Import, error) {
	pass, err := p.open(ctx, source, order, maphash.MakeSeed(), &usersfile.Seen{}, watch)
	if err != nil {
		return schema.Import{}, err
	}
	pass.validate.prepares = true
	imp, err := p.newImport(ctx, source, order)
	if err != nil {
		return schema.Import{}, err
	}
	if err := p.Store.DropAgain(ctx); err != nil {
		return schema.Import{}, err
	}
	owner, err := p.Store.CreateImport(ctx, imp, p.Runner, p.Lease)
	if err != nil {
		return schema.Import{}, fmt.Errorf("record the import: %w", err)
	}
	err = p.withLease(ctx, owner, func(ctx context.Context) error {
		imp, err = p.planKept(ctx, owner, pass, watch)
		return err
	})
	if err == nil {
		return imp, nil
	}
	if dropErr := p.Store.DropImport(context.WithoutCancel(ctx), owner); dropErr != nil {
		err = errors.Join(err, fmt.Errorf("delete the refused import: %w", dropErr))
	}
	return schema.Import{}, err
}

// planKept runs the first pass over a file that is kept.
func (p *Flow) planKept(ctx context.Context, owner store.Owner, pass *planPass, watch Watch) (imp schema.Import, err error) {
	order := pass.validate.order
	var keeper *keeper
	plan, err := p.plan(ctx, pass, func(*planPass) (func(context.Context, *block) error, error) {
		again := keeper != nil
		keeper = p.newKeeper(owner, order, watch)
		if again {
			return keeper.add, p.Store.DropChunks(ctx, owner)
		}
		return keeper.add, nil
	})
	if err != nil {
		return imp, err
	}
	if err := keeper.flush(ctx); err != nil {
		return imp, err
	}
	sealed := store.Sealed{SHA256: plan.SHA256, At: p.now()}
	if sealed.Plan, err = json.Marshal(plan); err != nil {
		return imp, fmt.Errorf("encode the plan: %w", err)
	}
	sealed.State, sealed.Reason = claim.Barrier(order.AllOrNothing, plan.Tally)
	err = p.persist(ctx, watch, func() error {
		if imp, err = p.Store.SealPlan(ctx, owner, sealed); err != nil {
			return fmt.Errorf("record the plan: %w", err)
		}
		return nil
	})
	return imp, err
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
		CreatedBy: order.By, Notify: order.Notify, Attended: order.Attended, Version: p.Version, Options: options, StartedAt: p.now(),
		RequestKey: order.RequestKey, RequestDigest: order.RequestDigest,
	}, nil
}

// Agree records that somebody agrees to the plan of an import, now, and begins to apply it. Refused with
// CodePlanChanged where it is another plan, with CodeEditsNotAccepted (see R17), with
// CodeDirectorySyncEnabled (see R10), and where the import does not wait for consent.
func (p *Flow) Agree(ctx context.Context, organization string, id int64, c schema.Consent) (schema.Import, error) {
	imp, err := p.Store.Import(ctx, organization, id)
	if err != nil {
		return imp, err
	}
	if imp.State == schema.StateAwaitingConsent {
		if err := p.mayAgree(ctx, imp, c); err != nil {
			return imp, err
		}
	}
	c.At = p.now()
	return p.order(ctx, func() (schema.Import, error) { return p.Store.Agree(ctx, organization, id, p.Lease, c) })
}

func (p *Flow) mayAgree(ctx context.Context, imp schema.Import, c schema.Consent) error {
	plan, err := schema.PlanOf(imp)
	if err != nil {
		return err
	}
	if plan.ManyNameEdits() && !c.AcceptEdits {
		return &schema.Error{Code: schema.CodeEditsNotAccepted}
	}
	organization, err := p.Store.Organization(ctx, imp.OrganizationID)
	if err != nil {
		return err
	}
	return claim.CheckMayClaim(&organization)
}

// Decline rejects an import to whose plan somebody does not agree.
func (p *Flow) Decline(ctx context.Context, organization string, id int64) (schema.Import, error) {
	return p.order(ctx, func() (schema.Import, error) { return p.Store.Decline(ctx, organization, id, p.now()) })
}

// Discard deletes an import about which nobody could be asked.
func (p *Flow) Discard(ctx context.Context, organization string, id int64) error {
	return p.persist(ctx, Watch{}, func() error { return p.Store.DiscardImport(ctx, organization, id) })
}

// Cancel cancels an import: at once where nobody works on it, else as soon as whoever does has finished the
// chunk in hand.
func (p *Flow) Cancel(ctx context.Context, organization string, id int64) (schema.Import, error) {
	return p.order(ctx, func() (schema.Import, error) { return p.Store.CancelImport(ctx, organization, id, p.now()) })
}

// Reopen lets an import go on that was cancelled, that has stopped, or that ended with rows whose turn never
// came; under the consent recorded, or, where there is none, waiting for one. attended says that the caller
// drives it. Refused with CodeImportRunning while somebody works on it, until Import.LeaseUntil if that has
// died; with CodeDirectorySyncEnabled (see R10); and where nothing is left to do.
func (p *Flow) Reopen(ctx context.Context, organization string, id int64, attended bool) (schema.Import, error) {
	imp, err := p.Store.Import(ctx, organization, id)
	if err != nil {
		return imp, err
	}
	if imp.State != schema.StateRejected && imp.Tally.Outcomes[schema.Ready] > 0 {
		claiming, err := p.Store.Organization(ctx, imp.OrganizationID)
		if err != nil {
			return imp, err
		}
		if err := claim.CheckMayClaim(&claiming); err != nil {
			return imp, err
		}
	}
	return p.order(ctx, func() (schema.Import, error) { return p.Store.ReopenImport(ctx, organization, id, attended, p.Lease) })
}

// order gives an order, again and again while trouble that may pass is in the way.
func (p *Flow) order(ctx context.Context, give func() (schema.Import, error)) (imp schema.Import, err error) {
	err = p.persist(ctx, Watch{}, func() (err error) {
		imp, err = give()
		return err
	})
	return imp, err
}

// Step does the next piece of an import that was agreed to: it applies chunks, one at least, until the budget
// is spent, and ends the import where none is left. It owns the import meanwhile; more says that something is
// left to do. A budget of 0 has no end.
//
// Once ctx ends, the chunk in hand is finished, the import is given back as it is, and anybody may go on with
// it: to stop is not to cancel. A cancel is obeyed between two chunks. Trouble that may pass is waited out,
// for as long as Retry, whatever the budget; then the import is interrupted, until somebody reopens it.
// Refused as store.Store's TakeImport is, and with CodeImportTakenOver.
func (p *Flow) Step(ctx context.Context, id int64, budget time.Duration, watch Watch) (more bool, err error) {
	var owner store.Owner
	err = p.persist(ctx, watch, func() (err error) {
		owner, err = p.Store.TakeImport(ctx, id, p.Runner, p.Lease)
		return err
	})
	if err != nil {
		return false, err
	}
	return p.step(ctx, owner, budget, watch)
}

// Turn does what Step does, for an import that nobody attends, where it is due: see store.Store's DueImports
// and TakeTurn, of which atOnce is. To be too late is told at once.
func (p *Flow) Turn(ctx context.Context, id int64, atOnce int, budget time.Duration, watch Watch) (more bool, err error) {
	owner, err := p.Store.TakeTurn(ctx, id, p.Runner, p.Lease, atOnce)
	if err != nil {
		return false, err
	}
	return p.step(ctx, owner, budget, watch)
}

func (p *Flow) step(ctx context.Context, owner store.Owner, budget time.Duration, watch Watch) (more bool, err error) {
	err = p.withLease(ctx, owner, func(ctx context.Context) error {
		more, err = p.apply(ctx, owner, budget, watch)
		return err
	})
	return p.leave(ctx, owner, more, err, watch)
}

// leave gives back, or ends, an import as the work on it has ended.
func (p *Flow) leave(ctx context.Context, owner store.Owner, more bool, err error, watch Watch) (bool, error) {
	whole := context.WithoutCancel(ctx) // to be left in order, it must not stop halfway
	end := store.ImportEnd{At: p.now()}
	stopped := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	switch code := schema.CodeOf(err); {
	case err == nil && more, stopped:
		if releaseErr := p.Store.ReleaseImport(whole, owner, p.Lease, p.now()); releaseErr != nil {
			return true, errors.Join(err, fmt.Errorf("release the import: %w", releaseErr))
		}
		return true, err
	case err == nil:
	case code == schema.CodeImportTakenOver:
		return false, err
	case code == schema.CodeCancelled:
		end.State, end.Reason = schema.StateCancelled, schema.CodeCancelled
	case code == schema.CodeDirectorySyncEnabled: // switched on in the middle (see R10): it is told row by row
		end.State, end.Reason = schema.StateCompletedWithErrors, schema.CodeDirectorySyncEnabled
	default:
		p.interrupt(whole, owner)
		return false, err
	}
	err = p.persist(ctx, watch, func() error { return p.finish(whole, owner, end) })
	if err != nil {
		p.interrupt(whole, owner)
	}
	return false, err
}

// interrupt stops an import that trouble keeps from going on, at once where that can be written down, else
// when the lease has run out.
func (p *Flow) interrupt(ctx context.Context, owner store.Owner) {
	if err := p.Store.InterruptImport(ctx, owner, p.now()); err != nil {
		p.Log.Warn().Err(err).Int64("import", owner.ImportID).Msg("the import could not be released; its lease runs out")
	}
}

// finish ends an import. Without a state given, its rows tell how it went.
func (p *Flow) finish(ctx context.Context, owner store.Owner, end store.ImportEnd) error {
	if end.State == "" {
		imp, err := p.Store.Import(ctx, "", owner.ImportID)
		if err != nil {
			return fmt.Errorf("read the import: %w", err)
		}
		end.State, end.Reason = claim.Barrier(imp.AllOrNothing, imp.Tally)
	}
	if err := p.Store.FinishImport(ctx, owner, end); err != nil {
		return fmt.Errorf("end the import: %w", err)
	}
	return nil
}

// withLease does the work while the lease on the import is renewed.
func (p *Flow) withLease(ctx context.Context, owner store.Owner, work func(context.Context) error) error {
	return p.KeepLease(ctx, func(ctx context.Context) error { return p.Store.RenewImport(ctx, owner, p.Lease) }, work)
}

// KeepLease does the work while a lease is renewed. Once renew is refused, for somebody else has taken over
// what the lease is on, the work's context ends.
func (p *Flow) KeepLease(ctx context.Context, renew, work func(context.Context) error) error {
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
			err := renew(gctx)
			if _, refused := errors.AsType[*schema.Error](err); refused && !store.Passing(err) {
				return err
			}
			if err != nil && gctx.Err() == nil {
				p.Log.Warn().Err(err).Msg("the lease could not be renewed; every transaction checks the ownership again")
			}
		}
	})
	return g.Wait()
}
