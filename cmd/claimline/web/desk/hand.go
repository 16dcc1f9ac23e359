package desk

import (
	"context"
	"errors"
	"time"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// AnyNumber is, in a consent, agreement to as many claims as there are.
const AnyNumber = -1

// ClaimByHand claims users by hand: it plans, agrees and drives the import, beside whoever else does. Refused
// with CodePlanChanged where that would be another number of claims than was agreed to; then nothing is left.
func (d *Desk) ClaimByHand(ctx context.Context, persons []usersfile.Person, services []string, order schema.Order, consent schema.Consent) (imp schema.Import, err error) {
	source, err := usersfile.HandSource(schema.ByHand, persons, services)
	if err != nil {
		return imp, err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	if imp, err = d.Flow.Plan(ctx, source, order, pipeline.Watch{}); err != nil || imp.State != schema.StateAwaitingConsent {
		return imp, err
	}
	if consent.Claims == AnyNumber {
		consent.Claims = imp.Tally.Outcomes[schema.Ready]
	}
	agreed, err := d.Flow.Agree(ctx, imp.OrganizationID, imp.ID, consent)
	if err != nil {
		return imp, errors.Join(err, d.Flow.Discard(context.WithoutCancel(ctx), imp.OrganizationID, imp.ID))
	}
	return d.drive(ctx, agreed)
}

// handPause is how often is looked whether somebody else has ended an import.
const handPause = 50 * time.Millisecond

// drive drives an import to its end, or waits until somebody else has.
func (d *Desk) drive(ctx context.Context, imp schema.Import) (schema.Import, error) {
	for {
		_, err := d.Flow.Step(ctx, imp.ID, 0, pipeline.Watch{})
		switch code := schema.CodeOf(err); {
		case err == nil, code == schema.CodeImportRunning, code == schema.CodeImportFinished, code == schema.CodeImportTakenOver:
		default:
			return imp, err
		}
		if imp, err = d.Flow.Store.Import(ctx, imp.OrganizationID, imp.ID); err != nil || imp.State.Ended() {
			return imp, err
		}
		pause := time.NewTimer(handPause)
		select {
		case <-ctx.Done():
			pause.Stop()
			return imp, ctx.Err()
		case <-pause.C:
		}
	}
}
