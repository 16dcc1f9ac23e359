package pipeline_test

import (
	"context"
	"errors"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// consent is asked once a plan waits for it.
type consent func(context.Context, schema.Import, *schema.Plan) error

func agree(context.Context, schema.Import, *schema.Plan) error { return nil }

// imports imports a file, step by step, as a terminal does: to stop is to cancel.
func imports(ctx context.Context, p *pipeline.Flow, file dialect.Source, order schema.Order, ask consent, watch pipeline.Watch) (schema.Import, error) {
	order.Attended, order.By = true, "somebody"
	imp, err := p.Plan(ctx, file, order, watch)
	if err != nil {
		return imp, err
	}
	return drives(ctx, p, imp, ask, watch)
}

// resumes goes on with an import, likewise.
func resumes(ctx context.Context, p *pipeline.Flow, id int64, ask consent, watch pipeline.Watch) (schema.Import, error) {
	imp, err := p.Reopen(ctx, us, id, true)
	if err != nil {
		return imp, err
	}
	return drives(ctx, p, imp, ask, watch)
}

func drives(ctx context.Context, p *pipeline.Flow, imp schema.Import, ask consent, watch pipeline.Watch) (schema.Import, error) {
	whole := context.WithoutCancel(ctx)
	if imp.State == schema.StateAwaitingConsent {
		plan, err := schema.PlanOf(imp)
		if err != nil {
			return imp, err
		}
		switch err := ask(ctx, imp, plan); schema.CodeOf(err) {
		case schema.CodeConsentDeclined:
			declined, declineErr := p.Decline(ctx, imp.OrganizationID, imp.ID)
			return declined, errors.Join(err, declineErr)
		case schema.CodeConsentMissing, schema.CodeEditsNotAccepted:
			return schema.Import{}, errors.Join(err, p.Discard(ctx, imp.OrganizationID, imp.ID))
		default:
			if err != nil {
				return imp, err
			}
		}
		consent := schema.Consent{By: "somebody", Claims: plan.Tally.Outcomes[schema.Ready], AcceptEdits: true, Attended: true}
		if imp, err = p.Agree(ctx, imp.OrganizationID, imp.ID, consent); err != nil {
			return imp, err
		}
	}
	var err error
	for more := !imp.State.Ended(); more && err == nil; {
		more, err = p.Step(ctx, imp.ID, 0, watch)
	}
	if errors.Is(err, context.Canceled) {
		return p.Cancel(whole, imp.OrganizationID, imp.ID)
	}
	found, findErr := p.Store.Import(whole, imp.OrganizationID, imp.ID)
	return found, errors.Join(err, findErr)
}
