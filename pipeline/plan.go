package pipeline

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// Plan is what an import would do, as a whole: what is shown before anybody is asked.
type Plan struct {
	File           string                   `json:"-"`
	SHA256         string                   `json:"-"`
	Header         []string                 `json:"header"`             // every cell as it is in the file
	Mojibake       bool                     `json:"mojibake,omitempty"` // its cells are UTF-8 that was taken for Windows-1252
	Format         dialect.Format           `json:"format"`
	Services       []string                 `json:"services,omitempty"` // of the claiming organization when it was made
	Repairs        map[schema.Repair]int    `json:"repairs,omitempty"`
	UnknownColumns []string                 `json:"unknown_columns,omitempty"`
	Types          map[schema.ClaimType]int `json:"types,omitempty"`      // rows ready, by claim type
	Problems       map[schema.Code][]int    `json:"problems,omitempty"`   // the first lines of each first reason
	Causes         []schema.Cause           `json:"causes,omitempty"`     // why rows are not claimed, the most frequent first
	Edits          []schema.ColumnEdits     `json:"edits,omitempty"`      // what ready rows change of accounts, in the order of the columns (R17)
	NameEdits      int                      `json:"name_edits,omitempty"` // ready rows that replace a first, last or display name
	Doubtful       map[string]int           `json:"doubtful,omitempty"`   // cells that are not written to accounts, by column (R17)
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

// layout is the layout of the file that was planned.
func (p *Plan) layout(order Order) (*usersfile.Layout, error) {
	l, err := usersfile.NewLayout(p.File, 1, p.Header, p.Services, order.reading(p.Mojibake))
	if err != nil {
		return nil, fmt.Errorf("read the kept header: %w", err)
	}
	return l, nil
}

// planStage is the last stage of planning, and the one that sees the rows in file order: it finds duplicates and
// contradictions, predicts licences, and counts.
type planStage struct {
	layout    *usersfile.Layout
	policy    schema.Policy
	order     Order
	licensing *licensing // nil: offline
	needs     map[string]*LicenseNeed
	seen      addresses
	disputes  disputes       // all that are known
	claimed   map[uint64]int // first line on which an address is claimed that an earlier row leaves alone
	late      bool           // a dispute was found after the row that it concerns had gone by
	marks     usersfile.Marks
	causes    causes
	edits     [usersfile.Fields]schema.ColumnEdits
	plan      *Plan
	saw       func(rows int)
}

func (p *Pipeline) newPlanStage(source *Source, order Order, reader *dialect.Reader, l *usersfile.Layout, pool *claim.Pool, known disputes) *planStage {
	plan := &Plan{
		File: source.Name, Header: reader.HeaderCells(), Format: reader.Format(), Repairs: map[schema.Repair]int{},
		UnknownColumns: l.Unknown, Types: map[schema.ClaimType]int{}, Problems: map[schema.Code][]int{},
		Doubtful: map[string]int{},
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
		layout: l, policy: p.Policy, order: order, needs: needs, plan: plan, disputes: known, claimed: map[uint64]int{}, causes: causes{},
		saw: func(rows int) { p.progress(Planning, rows, 0) },
	}
	if stage.disputes == nil {
		stage.disputes = disputes{}
	}
	if pool != nil {
		stage.licensing = &licensing{pool: pool}
	}
	return stage
}

// finish ends the plan: a file that was changed meanwhile, that has no row, or of which it is not certain whom it claims, is
// refused.
func (p *planStage) finish(source *Source, reader *dialect.Reader) (*Plan, error) {
	if err := source.unchanged(); err != nil {
		return nil, err
	}
	if p.plan.Tally.Rows == 0 {
		return nil, schema.Refuse(schema.CodeFileEmpty, "The file has a header and no row.").At(source.Name, reader.HeaderLine(), 0)
	}
	if refused := p.layout.Judge(p.marks); refused != nil {
		return nil, refused.At(source.Name, reader.HeaderLine(), refused.Column)
	}
	for kind, n := range reader.Repairs() {
		p.repair(kind, n)
	}
	p.repair(schema.RepairHeaderCleaned, p.layout.Cleaned)
	p.plan.Causes = p.causes.list()
	for i := range p.edits {
		if p.edits[i].Count > 0 {
			p.plan.Edits = append(p.plan.Edits, p.edits[i])
		}
	}
	sum := reader.SHA256()
	p.plan.SHA256 = hex.EncodeToString(sum[:])
	return p.plan, nil
}

func (p *planStage) chunk(c *chunk) error {
	for i := range c.verdicts {
		v, r := &c.verdicts[i], &c.rows[i]
		line := c.records.Line(i)
		if r.hash != 0 {
			p.compare(v, r, line)
		}
		switch {
		case v.Outcome == schema.Ready:
			p.ready(c, i)
		case v.isRow():
			p.problem(v.Reasons[0], line)
			p.causes.add(v.Finding, line)
		}
	}
	p.plan.Tally.Add(tally(c.verdicts))
	if err := p.limits(c); err != nil {
		return err
	}
	p.marks.Add(c.marks)
	p.repair(schema.RepairBlankRow, c.records.BlankRows)
	p.repair(schema.RepairHeaderRepeated, c.repeated)
	p.repair(schema.RepairCellsMissing, c.missing)
	p.repair(schema.RepairCellsSurplus, c.surplus)
	c.repairs.Each(p.repair)
	p.saw(p.plan.Tally.Rows)
	return nil
}

// compare compares a row with the others of the same address.
func (p *planStage) compare(v *verdict, r *row, line int) {
	first, firstAlone := p.seen.add(r.hash, line, r.LeftAlone)
	if r.LeftAlone {
		if _, known := p.disputes[r.hash]; first != 0 && !firstAlone && !known {
			p.disputes[r.hash] = line
			p.late = true
		}
		return
	}
	if first != 0 && firstAlone {
		if _, known := p.disputes[r.hash]; !known {
			p.disputes[r.hash] = first
		}
		if first = p.claimed[r.hash]; first == 0 {
			p.claimed[r.hash] = line
		}
	}
	if first != 0 {
		v.addProblem(schema.CodeDuplicateRow, p.layout.Column(usersfile.Email), itoa(first))
	}
	if alone, disputed := p.disputes[r.hash]; disputed {
		v.addProblem(schema.CodeClaimContradicted, p.layout.Column(usersfile.Claim), itoa(alone))
	}
}

// problem notes the line of a row that is not ready.
func (p *planStage) problem(reason schema.Code, line int) {
	if lines := p.plan.Problems[reason]; len(lines) < problemLines {
		p.plan.Problems[reason] = append(lines, line)
	}
}

// addProblem adds a problem that other rows make of a row. What the rules said of it no longer counts; what the row checks
// said does.
func (v *verdict) addProblem(reason schema.Code, column, detail string) {
	v.edits = nil
	if v.Outcome == schema.Invalid {
		v.Finding = new(*v.Finding)
		v.Reasons = slices.Clip(v.Reasons)
		v.Add(reason, column, detail)
	} else {
		v.Finding = schema.NewFinding(reason, column, detail)
	}
}

// ready counts what a row takes and changes that can be claimed.
func (p *planStage) ready(c *chunk, i int) {
	v := &c.verdicts[i]
	p.plan.Types[v.Type]++
	p.edit(c, i)
	if p.licensing == nil {
		return
	}
	services, unavailable := p.licensing.ready(v, c.rows[i].Assignments)
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

// edit counts what a row changes of the account.
func (p *planStage) edit(c *chunk, i int) {
	edits := c.verdicts[i].edits
	for _, warning := range c.verdicts[i].Warnings {
		if column, doubtful := strings.CutPrefix(warning, string(schema.CodeEditDoubtful)+":"); doubtful {
			p.plan.Doubtful[column]++
		}
	}
	if usersfile.Rename(edits) {
		p.plan.NameEdits++
	}
	for _, edit := range edits {
		seen := &p.edits[edit.Field]
		if seen.Count++; seen.Count == 1 {
			*seen = schema.ColumnEdits{
				Column: edit.Field.Name(), Count: 1, Line: c.records.Line(i), Old: edit.Old, New: strings.Clone(edit.New),
				Email: strings.Clone(p.layout.Address(c.records.Cells(i))),
			}
		}
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
	first := len(c.verdicts)
	for beyond := p.plan.Tally.Rows - limit; beyond > 0; {
		if first--; c.verdicts[first].isRow() {
			beyond--
		}
	}
	return schema.Refuse(schema.CodeTooManyRows, "The file has more rows than the %d that are allowed (%s).", limit, why).
		At(p.plan.File, c.records.Line(first), 0)
}
