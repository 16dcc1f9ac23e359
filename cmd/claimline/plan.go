package main

import (
	"io"

	"github.com/claimline/claimline/cmd/claimline/screen"
	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/schema"
)

// writePlan shows what an import would do.
func (a *app) writePlan(to io.Writer, p screen.Page, plan *schema.Plan, organization schema.Organization, order schema.Order, policy schema.Policy) error {
	v := screen.Plan{Plan: plan, Organization: organization, Order: order, Policy: policy, Now: a.now()}
	if err := v.Write(to, p); err != nil {
		return unwritable(schema.Word("The plan"), err)
	}
	return nil
}

// sayAfterPlan says what to do after a dry run.
func (a *app) sayAfterPlan(plan *schema.Plan) {
	if plan.Tally.Outcomes[schema.Ready] > 0 {
		a.next(a.command("import", plan.File))
		return
	}
	a.next(a.command("validate", "--only", report.OnlyProblems, "--format", string(report.CSV), "-o", screen.ProblemsFile(plan.File), plan.File))
}
