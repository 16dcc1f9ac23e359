package pipeline

import (
	"encoding/hex"
	"maps"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// Plan is what an import would do, as a whole: what is shown before anybody is asked.
type Plan struct {
	File           string                   `json:"-"`
	SHA256         string                   `json:"-"`
	Header         []string                 `json:"header"` // every cell as it is in the file
	Format         dialect.Format           `json:"format"`
	Services       []string                 `json:"services,omitempty"` // of the claiming organization when it was made
	Repairs        map[schema.Repair]int    `json:"repairs,omitempty"`
	UnknownColumns []string                 `json:"unknown_columns,omitempty"`
	Types          map[schema.ClaimType]int `json:"types,omitempty"`    // rows ready, by claim type
	Problems       map[schema.Code][]int    `json:"problems,omitempty"` // the first lines of each first reason
	Causes         []schema.Cause           `json:"causes,omitempty"`   // why rows are not claimed, the most frequent first
	Edits          []schema.ColumnEdits     `json:"edits,omitempty"`    // what ready rows change of accounts, in the order of the columns (R17)
	NameEdits      int                      `json:"name_edits,omitempty"`
	Licenses       []LicenseNeed            `json:"licenses,omitempty"`
	Tally          schema.Tally             `json:"-"`
}

// LicenseNeed is what the ready rows take of one service (R17).
type LicenseNeed struct {
	Service   string `json:"service"`
	Assigned  int    `json:"assigned"`  // to immediate claims
	Asked     int    `json:"asked"`     // by delayed claims, for their completion
	Missing   int    `json:"missing"`   // wanted by immediate claims, and none is left
	Left      int    `json:"left"`      // before the import
	Unlimited bool   `json:"unlimited"` // Left means nothing
}

// problemLines is how many lines a plan names of each problem.
const problemLines = 5

// planStage is the last stage of planning, and the one that sees the rows in file order: it finds duplicates, predicts
// licences, and counts.
type planStage struct {
	layout    *layout
	policy    schema.Policy
	order     Order
	licensing *licensing // nil: offline
	needs     map[string]*LicenseNeed
	seen      firstLines
	plan      *Plan
	saw       func(rows int)
}

func (p *Pipeline) newPlanStage(source *Source, order Order, reader *dialect.Reader, l *layout, pool *claim.Pool) *planStage {
	plan := &Plan{
		File: source.Name, Header: reader.HeaderCells(), Format: reader.Format(), Repairs: maps.Clone(reader.Repairs()),
		UnknownColumns: l.Unknown, Types: map[schema.ClaimType]int{}, Problems: map[schema.Code][]int{},
	}
	needs := map[string]*LicenseNeed{}
	if pool != nil {
		plan.Services = pool.Services()
		plan.Licenses = make([]LicenseNeed, len(plan.Services))
		for i, service := range plan.Services {
			left := pool.Left(i)
			plan.Licenses[i] = LicenseNeed{Service: service, Left: max(0, left), Unlimited: left < 0}
			needs[service] = &plan.Licenses[i]
		}
	}
	stage := &planStage{
		layout: l, policy: p.Policy, order: order, needs: needs, plan: plan,
		saw: func(rows int) { p.progress(Planning, rows, 0) },
	}
	if pool != nil {
		stage.licensing = &licensing{pool: pool}
	}
	return stage
}

// finish ends the plan: a file that was changed meanwhile, or that has no row, is refused.
func (p *planStage) finish(source *Source, reader *dialect.Reader) (*Plan, error) {
	if err := source.unchanged(); err != nil {
		return nil, err
	}
	if p.plan.Tally.Rows == 0 {
		return nil, schema.Refuse(schema.CodeFileEmpty, "The file has a header and no row.").At(source.Name, reader.HeaderLine(), 0)
	}
	sum := reader.SHA256()
	p.plan.SHA256 = hex.EncodeToString(sum[:])
	return p.plan, nil
}

func (p *planStage) chunk(c *chunk) error {
	for i := range c.verdicts {
		v, r := &c.verdicts[i], &c.rows[i]
		if r.key != "" {
			if line := p.seen.add(r.hash, c.records.Line(i)); line != 0 {
				v.duplicate(p.layout, line)
			}
		}
		if v.Outcome == schema.Ready {
			p.ready(v, r)
		} else {
			p.problem(v.Reasons[0], c.records.Line(i))
		}
	}
	p.plan.Tally.Add(tally(c.verdicts))
	if err := p.limits(c); err != nil {
		return err
	}
	p.repair(schema.RepairBlankRow, c.records.BlankRows)
	p.repair(schema.RepairBlanksTrimmed, c.trimmed)
	p.saw(p.plan.Tally.Rows)
	return nil
}

// problem notes the line of a row that is not ready.
func (p *planStage) problem(reason schema.Code, line int) {
	if lines := p.plan.Problems[reason]; len(lines) < problemLines {
		p.plan.Problems[reason] = append(lines, line)
	}
}

// duplicate marks a row whose address an earlier one bears. What the rules said of it no longer counts; what the row
// checks said does.
func (v *verdict) duplicate(l *layout, first int) {
	column, detail := l.column(email), itoa(first)
	if v.Outcome == schema.Invalid {
		v.add(schema.CodeDuplicateRow, column, detail)
	} else {
		v.finding = found(schema.CodeDuplicateRow, column, detail)
	}
}

func (p *planStage) ready(v *verdict, r *row) {
	p.plan.Types[v.Type]++
	if p.licensing == nil {
		return
	}
	services, unavailable := p.licensing.ready(v, r.wishes)
	for _, service := range services {
		if v.Type == schema.Immediate {
			p.needs[service].Assigned++
		} else {
			p.needs[service].Asked++
		}
	}
	for _, service := range unavailable {
		p.needs[service].Missing++
	}
}

func (p *planStage) repair(kind schema.Repair, n int) {
	if n > 0 {
		p.plan.Repairs[kind] += n
	}
}

// limits refuses, with CodeTooManyRows, a file of more rows than allowed.
func (p *planStage) limits(c *chunk) error {
	limit, why := p.policy.MaxRows, "policy.max_rows"
	if most := p.policy.AllOrNothingMaxRows; p.order.AllOrNothing && (limit == 0 || most < limit) {
		limit, why = most, "policy.all_or_nothing_max_rows"
	}
	if limit == 0 || p.plan.Tally.Rows <= limit {
		return nil
	}
	first := len(c.verdicts) - (p.plan.Tally.Rows - limit)
	return schema.Refuse(schema.CodeTooManyRows, "The file has more rows than the %d that are allowed (%s).", limit, why).
		At(p.plan.File, c.records.Line(first), 0)
}
