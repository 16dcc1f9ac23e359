package pipeline

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/kept"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// problemLines is how many lines a plan names of each problem.
const problemLines = 10

// counter is the last stage of planning, and the one that sees the rows in file order: it finds duplicates
// and contradictions, predicts licences, and counts.
type counter struct {
	layout    *usersfile.Layout
	policy    schema.Policy
	order     schema.Order
	licensing *licensing // nil: offline
	needs     map[string]*schema.LicenseNeed
	seen      *usersfile.Seen
	marks     usersfile.Marks
	causes    kept.Causes
	edits     [usersfile.Fields]schema.ColumnEdits
	plan      *schema.Plan
	saw       func(rows int)
}

func (p *Flow) newCounter(source dialect.Source, order schema.Order, reader *dialect.Reader, l *usersfile.Layout, pool *claim.Licenses, seen *usersfile.Seen, watch Watch) *counter {
	plan := &schema.Plan{
		File: source.Name(), Header: reader.HeaderCells(), Format: reader.Format(), Rules: p.rulesDigest(), Repairs: map[schema.Repair]int{},
		UnknownColumns: l.Unknown, Types: map[schema.ClaimType]int{}, Problems: map[schema.Code][]int{},
		Doubtful: map[string]int{},
	}
	needs := map[string]*schema.LicenseNeed{}
	if pool != nil {
		plan.Services = pool.Services()
		plan.Licenses = make([]schema.LicenseNeed, len(plan.Services))
		for i, service := range plan.Services {
			left := pool.Left(i)
			plan.Licenses[i] = schema.LicenseNeed{Service: service, Left: max(0, left), Unlimited: left < 0}
			needs[service] = &plan.Licenses[i]
		}
	}
	stage := &counter{
		layout: l, policy: p.Policy, order: order, needs: needs, plan: plan, seen: seen, causes: kept.Causes{},
		saw: func(rows int) { watch.progress(Planning, rows, 0) },
	}
	if pool != nil {
		stage.licensing = &licensing{pool: pool}
	}
	return stage
}

// finish ends the plan: a file that has no row, or of which it is not certain whom it claims, is
// refused.
func (p *counter) finish(source dialect.Source, reader *dialect.Reader) (*schema.Plan, error) {
	if p.plan.Tally.Rows == 0 {
		return nil, schema.Refuse(schema.CodeFileEmpty, "The file has a header and no row.").At(source.Name(), reader.HeaderLine(), 0)
	}
	if refused := p.layout.Judge(p.marks); refused != nil {
		return nil, refused.At(source.Name(), reader.HeaderLine(), refused.Column)
	}
	for kind, n := range reader.Repairs() {
		p.repair(kind, n)
	}
	p.repair(schema.RepairHeaderCleaned, p.layout.Cleaned)
	p.plan.Causes, p.plan.Reasons = p.causes.List(), p.plan.Tally.Reasons
	for i := range p.edits {
		if p.edits[i].Count > 0 {
			p.plan.Edits = append(p.plan.Edits, p.edits[i])
		}
	}
	sum := reader.SHA256()
	p.plan.SHA256 = hex.EncodeToString(sum[:])
	return p.plan, nil
}

// add takes in the next rows, of which every one has its verdict.
func (p *counter) add(b *block) error {
	for i := range b.Verdicts {
		v, r := &b.Verdicts[i], &b.checked[i]
		line := b.Records.Line(i)
		if r.hash != 0 {
			p.compare(v, r, line)
		}
		switch {
		case v.Outcome == schema.Ready:
			p.ready(b, i)
		case v.IsRow():
			p.problem(v.Reasons[0], line)
			p.causes.Add(v.Finding, line)
		}
	}
	p.plan.Tally.Add(kept.Tally(b.Verdicts))
	if err := p.limits(b); err != nil {
		return err
	}
	p.marks.Add(b.marks)
	p.repair(schema.RepairBlankRow, b.Records.BlankRows)
	p.repair(schema.RepairHeaderRepeated, b.repeated)
	p.repair(schema.RepairCellsMissing, b.missing)
	p.repair(schema.RepairCellsSurplus, b.surplus)
	b.repairs.Each(p.repair)
	p.saw(p.plan.Tally.Rows)
	return nil
}

// compare compares a row with the others of the same address.
func (p *counter) compare(v *kept.Verdict, r *checkedRow, line int) {
	if r.LeftAlone {
		p.seen.LeavesAlone(r.hash, line)
		return
	}
	duplicate, contradicted := p.seen.Claims(r.hash, line)
	if duplicate != 0 {
		addProblem(v, schema.CodeDuplicateRow, p.layout.Column(usersfile.Email), strconv.Itoa(duplicate))
	}
	if contradicted != 0 {
		addProblem(v, schema.CodeClaimContradicted, p.layout.Column(usersfile.Claim), strconv.Itoa(contradicted))
	}
}

// problem notes the line of a row that is not ready.
func (p *counter) problem(reason schema.Code, line int) {
	if lines := p.plan.Problems[reason]; len(lines) < problemLines {
		p.plan.Problems[reason] = append(lines, line)
	}
}

// addProblem adds a problem that other rows make of a row. What the rules said of it no longer counts; what
// the row checks said does.
func addProblem(v *kept.Verdict, reason schema.Code, column, detail string) {
	v.Edits = nil
	if v.Outcome == schema.Invalid {
		v.Finding = new(*v.Finding)
		v.Reasons = slices.Clip(v.Reasons)
		v.Add(reason, column, detail)
	} else {
		v.Finding = schema.NewFinding(reason, column, detail)
	}
}

// ready counts what a row takes and changes that can be claimed.
func (p *counter) ready(b *block, i int) {
	v := &b.Verdicts[i]
	p.plan.Types[v.Type]++
	p.edit(b, i)
	if p.licensing == nil {
		return
	}
	services, unavailable := p.licensing.ready(v, b.checked[i].Assignments)
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
func (p *counter) edit(b *block, i int) {
	edits := b.Verdicts[i].Edits
	for _, warning := range b.Verdicts[i].Warnings {
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
				Column: edit.Field.Name(), Count: 1, Line: b.Records.Line(i), Old: edit.Old, New: strings.Clone(edit.New),
				Email: strings.Clone(p.layout.Address(b.Records.Cells(i))),
			}
		}
	}
}

func (p *counter) repair(kind schema.Repair, n int) {
	if n > 0 {
		p.plan.Repairs[kind] += n
	}
}

// limits refuses, with CodeTooManyRows, a file of more rows than allowed.
func (p *counter) limits(b *block) error {
	limit, why := p.policy.MaxRows, "policy.max_rows"
	if most := p.policy.AllOrNothingMaxRows; p.order.AllOrNothing && (limit == 0 || most < limit) {
		limit, why = most, "policy.all_or_nothing_max_rows"
	}
	if limit == 0 || p.plan.Tally.Rows <= limit {
		return nil
	}
	first := len(b.Verdicts)
	for beyond := p.plan.Tally.Rows - limit; beyond > 0; {
		if first--; b.Verdicts[first].IsRow() {
			beyond--
		}
	}
	return schema.Refuse(schema.CodeTooManyRows, "The file has more rows than the %d that are allowed (%s).", limit, why).
		At(p.plan.File, b.Records.Line(first), 0)
}
