package pipeline

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/claimline/claimline/schema"
)

// Summarize is an import as a whole. Rows whose turn has not come count as not attempted.
func Summarize(imp schema.Import) (schema.Summary, error) {
	plan := &Plan{}
	if len(imp.Plan) > 0 { // none while it is being planned
		var err error
		if plan, err = PlanOf(imp); err != nil {
			return schema.Summary{}, err
		}
	}
	s := summary(plan, imp.Tally)
	s.ID = strconv.FormatInt(imp.ID, 10)
	s.File, s.SHA256, s.Organization, s.State = imp.File, imp.SHA256, imp.OrganizationID, imp.State
	s.NotAttempted += s.Ready
	if imp.Reason != "" && s.Ready > 0 {
		s.Reasons[imp.Reason] += s.Ready
	}
	s.Ready = 0
	s.StartedAt, s.FinishedAt = moment(imp.StartedAt), moment(imp.FinishedAt)
	return s, nil
}

// Summary is the plan as the summary of a dry run that took from started to finished.
func (p *Plan) Summary(order Order, started, finished time.Time) schema.Summary {
	s := summary(p, p.Tally)
	s.File, s.SHA256, s.Organization, s.DryRun = p.File, p.SHA256, order.Organization, true
	for code, n := range p.Tally.Foreseen {
		s.Warnings[code] += n
	}
	for column, n := range p.Tally.ForeseenEdits {
		s.Edits[column] += n
	}
	s.State = schema.StateCompleted
	if p.Tally.Problems() > 0 {
		s.State = schema.StateCompletedWithErrors
	}
	s.StartedAt, s.FinishedAt = moment(started), moment(finished)
	return s
}

func summary(plan *Plan, t schema.Tally) schema.Summary {
	s := schema.Summary{
		Rows: t.Rows, Ready: t.Outcomes[schema.Ready], Claimed: t.Outcomes[schema.Claimed], Unchanged: t.Outcomes[schema.Unchanged],
		Skipped: t.Outcomes[schema.Skipped], Invalid: t.Outcomes[schema.Invalid], Ineligible: t.Outcomes[schema.Ineligible],
		Failed: t.Outcomes[schema.Failed], NotAttempted: t.Outcomes[schema.NotAttempted],
		Warnings: map[schema.Code]int{}, Reasons: map[schema.Code]int{}, Edits: map[string]int{}, Repairs: map[schema.Repair]int{}, UnknownColumns: []string{},
	}
	maps.Copy(s.Warnings, t.Warnings)
	maps.Copy(s.Reasons, t.Reasons)
	maps.Copy(s.Edits, t.Edits)
	maps.Copy(s.Repairs, plan.Repairs)
	s.UnknownColumns = append(s.UnknownColumns, slices.Clone(plan.UnknownColumns)...)
	return s
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Second)
	return &t
}
