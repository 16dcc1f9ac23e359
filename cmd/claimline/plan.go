package main

import (
	"io"
	"slices"

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
func (a *app) sayAfterPlan(plan *schema.Plan, order schema.Order) {
	file := append([]string{plan.File}, flagsOf(order)...)
	if plan.Tally.Outcomes[schema.Ready] > 0 {
		a.next(a.command(append([]string{"import"}, file...)...))
		return
	}
	a.next(a.command(slices.Concat([]string{"validate"}, writeProblems(plan.File), file)...))
}

// writeProblems returns the flags that write the rows of a file that have problems, as a file of its kind.
func writeProblems(file string) []string {
	name, format := screen.ProblemsFile(file), report.CSV
	if isWorkbookName(name) {
		format = report.XLSX
	}
	return []string{"--only", report.OnlyProblems, "--format", string(format), "-o", name}
}
