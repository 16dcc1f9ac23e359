package screen

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/claimline/claimline/schema"
)

// Plan is what an import would do, with what it takes to tell somebody.
type Plan struct {
	*schema.Plan

	Organization schema.Organization // the claiming one; the zero value where the plan was made offline
	Order        schema.Order
	Policy       schema.Policy
	Now          time.Time
}

// below is how many lines a plan leaves for the question, or the next command.
const below = 3

// Write shows the plan on one page, as far as it fits: explanations go first, then what is last in each list.
func (v *Plan) Write(to io.Writer, p Page) error {
	lines := fitted(p, v.blocks(p, true), 0)
	if room := p.Height - below; p.Height > 0 && len(lines) > room {
		lines = fitted(p, v.blocks(p, false), max(room, 1))
	}
	return write(to, p, lines)
}

// blocks returns the plan's parts in the order in which they are shown; those in front are cut last.
func (v *Plan) blocks(p Page, explained bool) []block {
	blocks := []block{{head: Wrap(v.sentence().In(p), p.Width, 2)}, v.outcomes(p)}
	if v.Plan.Tally.Outcomes[schema.Ready] > 0 && !v.Order.Offline {
		blocks = append(blocks, v.content(p), v.mails(p))
	}
	return append(blocks, problems(p, v.Plan, v.Plan.Tally.Reasons, explained, schema.Say("; see every row with --format csv")), v.edits(p), v.doubtful(p), v.licenses(p),
		unknown(p, v.Plan.UnknownColumns, slices.Concat(schema.Columns, v.Plan.Services)), repairs(p, v.Plan.Repairs))
}

// sentence returns the whole plan in one.
func (v *Plan) sentence() schema.Text {
	file, rows, ready := File(v.Plan.File), v.Plan.Tally.Rows, v.Plan.Tally.Outcomes[schema.Ready]
	wrong := v.Plan.Tally.Problems()
	correct := toCorrect(wrong)
	switch {
	case v.Order.Offline:
		return schema.Say("Plan for %s: %s of %s in order%s. Whether the users can be claimed was not looked up.", file, schema.Number(ready), Rows(rows), correct)
	case v.Order.AllOrNothing && wrong > 0:
		return schema.Say("Plan for %s: nobody would be claimed, because %s of %s would have to be corrected, and it is all or nothing.",
			file, schema.Number(wrong), Rows(rows))
	case ready == 0:
		return schema.Say("Plan for %s: nobody would be claimed of %s%s.", file, Users(rows), correct)
	}
	var tail schema.Text
	if v.Organization.Name != "" {
		tail = schema.Say(" for %s", schema.Printable(v.Organization.Name))
	}
	if v.Order.AllOrNothing {
		tail = schema.Say("%s, all or nothing", tail)
	}
	return schema.Say("Plan for %s: %s of %s would be claimed%s%s.", file, schema.Number(ready), Users(rows), tail, correct)
}

// toCorrect says behind a sentence how many rows there are to correct, if any.
func toCorrect(n int) schema.Text {
	if n == 0 {
		return schema.Text{}
	}
	return schema.SayCount(n, "; %s row to correct", "; %s rows to correct")
}

var meanings = map[schema.Outcome]schema.Word{
	schema.Ready:        "would be claimed",
	schema.Unchanged:    "members, or claimed, before",
	schema.Skipped:      "left alone, as the file says",
	schema.Invalid:      "something in the row is wrong",
	schema.Ineligible:   "the row is right, and the user cannot be claimed",
	schema.Failed:       "something broke; try again",
	schema.NotAttempted: "their turn did not come",
}

// counts says how many rows end how; what no row does is not said.
func counts(p Page, rows int, of map[schema.Outcome]int) []string {
	var lines []string
	width := widthOf(p.Number(rows))
	for _, outcome := range schema.Outcomes {
		if n := of[outcome]; n > 0 {
			start := fmt.Sprintf("  %-13s %*s  ", outcome, width, p.Number(n))
			lines = append(lines, Beside(p, start, p.Format(string(meanings[outcome])))...)
		}
	}
	return lines
}

// Beside returns a text behind a start of its first line, wrapped in a column of its own.
func Beside(p Page, start, s string) []string {
	if p.Width == 0 {
		return []string{strings.TrimRight(start+s, " ")}
	}
	indent := widthOf(start)
	const narrowest = 20
	if p.Width-indent < narrowest {
		return Wrap(strings.TrimRight(start, " ")+" "+s, p.Width, 4)
	}
	lines := Wrap(s, p.Width-indent, 0)
	for i, line := range lines {
		if i == 0 {
			lines[i] = strings.TrimRight(start+line, " ")
		} else {
			lines[i] = strings.Repeat(" ", indent) + line
		}
	}
	return lines
}

// outcomes says how many rows end how, and what the claims mean for their owners, with dates.
func (v *Plan) outcomes(p Page) block {
	b := block{head: counts(p, v.Plan.Tally.Rows, v.Plan.Tally.Outcomes)}
	until := Date(v.Now.Add(v.Policy.DecisionTime()))
	if n := v.Plan.Types[schema.Immediate]; n > 0 {
		b.head = append(b.head, Wrap("  "+p.Say("%s immediate: joins at once; can be retracted until %s.", schema.Number(n), until), p.Width, 4)...)
	}
	if n := v.Plan.Types[schema.Delayed]; n > 0 {
		b.head = append(b.head, Wrap("  "+p.Say("%s delayed: %s to decide, until %s; then account and content move.",
			schema.Number(n), Days(v.Policy.DecisionDays), until), p.Width, 4)...)
	}
	return b
}

// content gives the advice that belongs to content that stays behind (see R11).
func (v *Plan) content(p Page) block {
	n := v.Plan.Tally.Foreseen[schema.CodeContentNotTransferred]
	if n == 0 {
		return block{}
	}
	return block{head: Wrap(p.Say("Content of %s stays behind. Keep the original organization until they have chosen: "+
		"deleting it deletes messages, meetings and recordings for good.", Users(n)), p.Width, 2)}
}

// mails says how many mails the claims record (see R18).
func (v *Plan) mails(p Page) block {
	on := v.Organization.ActivationEmails
	if v.Order.ActivationEmails != nil {
		on = *v.Order.ActivationEmails
	}
	activation := schema.Say("no activation mails (they are off)")
	if on {
		activation = schema.SayCount(v.Plan.Types[schema.Immediate], "%s activation mail at once", "%s activation mails at once")
	}
	return block{head: Wrap(p.Say("Mails that will be recorded: %s, %s.",
		schema.SayCount(v.Plan.Tally.Outcomes[schema.Ready], "%s claim mail", "%s claim mails"), activation), p.Width, 2)}
}

// problems lists why rows are not claimed: below each reason what those rows have in common, or their first
// lines; more says where to see them all.
func problems(p Page, plan *schema.Plan, reasons map[schema.Code]int, explained bool, more schema.Text) block {
	b := block{more: more}
	for _, code := range ByCount(reasons) {
		n := reasons[code]
		item := []string{fmt.Sprintf("  %-24s %7s", code, p.Number(n))}
		causes, hints := 0, map[schema.Hint]bool{}
		for _, cause := range plan.Causes {
			if cause.Reason != code {
				continue
			}
			hints[cause.Hint] = true
			if cause.Value != "" {
				causes += cause.Count
				item = append(item, Wrap("      "+Cause(cause).In(p), p.Width, 8)...)
			}
		}
		if causes == 0 {
			const shown = 5
			first := plan.Problems[code]
			item = Beside(p, item[0]+"  ", lines(first[:min(len(first), shown)], n).In(p))
		}
		if explained {
			said := code.Wrong("")
			for hint := range hints { // where all rows have one, it says more than the reason
				if wrong, ok := hint.OfMany(); ok && len(hints) == 1 {
					said = wrong
				}
			}
			item = append(item, Wrap("      "+said.In(p), p.Width, 8)...)
		}
		b.items = append(b.items, item)
	}
	if len(b.items) > 0 {
		b.head = Wrap(p.Say("Rows that are not claimed, by reason:"), p.Width, 2)
		b.none = list(p, p.Say("Rows that are not claimed: "), numbered(p, reasons))
	}
	return b
}

// Cause says what many rows have in common, as in 1,200 × "FALSKT" in Claim.
func Cause(c schema.Cause) schema.Text {
	s := schema.Say("%s × %s", schema.Number(c.Count), schema.Word(End(schema.Printable(c.Value), 50)))
	if c.Column != "" {
		s = schema.Say("%s in %s", s, End(schema.Printable(c.Column), 40))
	}
	if where := lines(c.Lines, c.Count); !where.IsZero() {
		s = schema.Say("%s, %s", s, where)
	}
	return s
}

// edits says what the rows change in accounts: per column how often, and the first, old → new (see R17).
func (v *Plan) edits(p Page) block {
	if len(v.Plan.Edits) == 0 {
		return block{}
	}
	cells, name, number := 0, 0, 0
	for _, e := range v.Plan.Edits {
		cells += e.Count
		name, number = max(name, widthOf(schema.Printable(e.Column))), max(number, widthOf(p.Number(e.Count)))
	}
	heading := p.Say("What changes in accounts: %s, by column, the first of each:", Values(cells))
	if n := v.Plan.NameEdits; n > 0 {
		heading = p.Say("What changes in accounts: %s, by column, the first of each. %s:", Values(cells),
			schema.SayCount(n, "%s user gets another name", "%s users get another name"))
	}
	b := block{head: Wrap(heading, p.Width, 2), least: 1}
	for _, e := range v.Plan.Edits {
		old := p.Say("(blank)")
		if e.Old != "" {
			old = quoted(e.Old)
		}
		start := fmt.Sprintf("  %s %*s  ", text.Pad(schema.Printable(e.Column), name, ' '), number, p.Number(e.Count))
		b.items = append(b.items, Beside(p, start, p.Say("%s → %s (line %d, %s)", old, quoted(e.New), e.Line, schema.Printable(e.Email))))
	}
	return b
}

// doubtful says which cells are not written to accounts, because they cannot be meant (see R17).
func (v *Plan) doubtful(p Page) block {
	cells, columns := byColumn(p, v.Plan.Doubtful)
	if cells == 0 {
		return block{}
	}
	return block{head: Wrap(p.Count(cells, "%s cell seems damaged (%s), so the accounts keep what they have: %s. See them with --only warnings.",
		"%s cells seem damaged (%s), so the accounts keep what they have: %s. See them with --only warnings.", schema.CodeEditDoubtful, columns), p.Width, 2)}
}

// licenses says what the claims take of each service (see R17).
func (v *Plan) licenses(p Page) block {
	t := NewTable(Text("Licences"), Numeric("needed"), Numeric("left"), Numeric("on completion"), Numeric("lacking"))
	lacking := 0
	for _, need := range v.Plan.Licenses {
		if need.Assigned+need.Missing+need.Asked == 0 {
			continue
		}
		left, without := p.Number(need.Left), ""
		lacking += need.Missing
		if need.Unlimited {
			left = p.Say("any")
		}
		if need.Missing > 0 {
			without = p.Number(need.Missing)
		}
		_ = t.Add("  "+schema.Printable(need.Service), p.Number(need.Assigned+need.Missing), left, p.Number(need.Asked), without) // a few lines stay in memory
	}
	if t.Len() == 0 {
		return block{}
	}
	var b strings.Builder
	_ = t.Write(&b, p) // a builder takes everything
	rows := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	licenses := block{head: rows[:1], none: Wrap(p.Say("Licences of %s are needed; %s.", schema.SayCount(t.Len(), "%s service", "%s services"),
		schema.SayCount(lacking, "%s is lacking", "%s are lacking")), p.Width, 2)}
	for _, row := range rows[1:] {
		licenses.items = append(licenses.items, []string{row})
	}
	return licenses
}

// unknown names the columns that are not understood, which may be like one of those known.
func unknown(p Page, columns, known []string) block {
	if len(columns) == 0 {
		return block{}
	}
	names := make([]string, len(columns))
	for i, name := range columns {
		names[i] = schema.Printable(name)
		if near, ok := schema.Nearest([]string{name}, known); ok {
			names[i] = p.Say("%s (did you mean %s?)", names[i], schema.Printable(near))
		}
	}
	return block{head: list(p, p.Say("Columns not understood: "), names)}
}

// repairs says what was mended in a file.
func repairs(p Page, of map[schema.Repair]int) block {
	b := block{}
	for _, kind := range schema.Repairs {
		if n := of[kind]; n > 0 {
			b.items = append(b.items, Wrap("  "+Repair(kind, n).In(p), p.Width, 4))
		}
	}
	if len(b.items) > 0 {
		b.head = []string{p.Say("How the file was read:")}
		b.none = Wrap(p.Count(len(b.items), "The file was read with %s repair; --json names them.", "The file was read with %s repairs; --json names them."), p.Width, 2)
	}
	return b
}

// list returns a heading and items behind it, as many as two lines hold.
func list(p Page, heading string, items []string) []string {
	const most = 2
	for shown := len(items); ; shown-- {
		line := heading + strings.Join(items[:shown], ", ")
		if more := len(items) - shown; more > 0 {
			line += p.Say(" and %d more", more)
		}
		if wrapped := Wrap(line, p.Width, 2); len(wrapped) <= most || p.Height == 0 || shown == 1 {
			return wrapped
		}
	}
}
