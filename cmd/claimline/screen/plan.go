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
	blocks := []block{{head: Wrap(v.sentence(), p.Width, 2)}, v.outcomes(p)}
	if v.Plan.Tally.Outcomes[schema.Ready] > 0 && !v.Order.Offline {
		blocks = append(blocks, v.content(p), v.mails(p))
	}
	return append(blocks, problems(p, v.Plan, v.Plan.Tally.Reasons, explained, "see every row with --format csv"), v.edits(p), v.doubtful(p), v.licenses(p),
		unknown(p, v.Plan.UnknownColumns, slices.Concat(schema.Columns, v.Plan.Services)), repairs(p, v.Plan.Repairs))
}

// sentence returns the whole plan in one.
func (v *Plan) sentence() string {
	file, rows, ready := schema.Printable(v.Plan.File), v.Plan.Tally.Rows, v.Plan.Tally.Outcomes[schema.Ready]
	wrong, correct := v.Plan.Tally.Problems(), ""
	if wrong > 0 {
		correct = "; " + Count(wrong, "row") + " to correct"
	}
	switch {
	case v.Order.Offline:
		return fmt.Sprintf("Plan for %s: %s of %s in order%s. Whether the users can be claimed was not looked up.", file, Number(ready), Count(rows, "row"), correct)
	case v.Order.AllOrNothing && wrong > 0:
		return fmt.Sprintf("Plan for %s: nobody would be claimed, because %s of %s would have to be corrected, and it is all or nothing.",
			file, Number(wrong), Count(rows, "row"))
	case ready == 0:
		return fmt.Sprintf("Plan for %s: nobody would be claimed of %s%s.", file, Users(rows), correct)
	}
	tail := ""
	if v.Organization.Name != "" {
		tail = " for " + schema.Printable(v.Organization.Name)
	}
	if v.Order.AllOrNothing {
		tail += ", all or nothing"
	}
	return fmt.Sprintf("Plan for %s: %s of %s would be claimed%s%s.", file, Number(ready), Users(rows), tail, correct)
}

var meanings = map[schema.Outcome]string{
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
	width := len(Number(rows))
	for _, outcome := range schema.Outcomes {
		if n := of[outcome]; n > 0 {
			start := fmt.Sprintf("  %-13s %*s  ", outcome, width, Number(n))
			lines = append(lines, Beside(p, start, meanings[outcome])...)
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
		b.head = append(b.head, Wrap(fmt.Sprintf("  %s immediate: joins at once; can be retracted until %s.", Number(n), until), p.Width, 4)...)
	}
	if n := v.Plan.Types[schema.Delayed]; n > 0 {
		b.head = append(b.head, Wrap(fmt.Sprintf("  %s delayed: %s to decide, until %s; then account and content move.",
			Number(n), Count(v.Policy.DecisionDays, "day"), until), p.Width, 4)...)
	}
	return b
}

// content gives the advice that belongs to content that stays behind (see R11).
func (v *Plan) content(p Page) block {
	n := v.Plan.Tally.Foreseen[schema.CodeContentNotTransferred]
	if n == 0 {
		return block{}
	}
	return block{head: Wrap(fmt.Sprintf("Content of %s stays behind. Keep the original organization until they have chosen: "+
		"deleting it deletes messages, meetings and recordings for good.", Users(n)), p.Width, 2)}
}

// mails says how many mails the claims record (see R18).
func (v *Plan) mails(p Page) block {
	on := v.Organization.ActivationEmails
	if v.Order.ActivationEmails != nil {
		on = *v.Order.ActivationEmails
	}
	activation := "no activation mails (they are off)"
	if on {
		activation = Count(v.Plan.Types[schema.Immediate], "activation mail") + " at once"
	}
	return block{head: Wrap(fmt.Sprintf("Mails that will be recorded: %s, %s.", Count(v.Plan.Tally.Outcomes[schema.Ready], "claim mail"), activation), p.Width, 2)}
}

// problems lists why rows are not claimed: below each reason what those rows have in common, or their first
// lines; more says where to see them all.
func problems(p Page, plan *schema.Plan, reasons map[schema.Code]int, explained bool, more string) block {
	b := block{more: "; " + more}
	for _, code := range ByCount(reasons) {
		n := reasons[code]
		item := []string{fmt.Sprintf("  %-24s %7s", code, Number(n))}
		causes := 0
		for _, cause := range plan.Causes {
			if cause.Reason == code && cause.Value != "" {
				causes += cause.Count
				item = append(item, Wrap("      "+Cause(cause), p.Width, 8)...)
			}
		}
		if causes == 0 {
			const shown = 5
			first := plan.Problems[code]
			item = Beside(p, item[0]+"  ", lines(first[:min(len(first), shown)], n))
		}
		if explained {
			item = append(item, Wrap("      "+code.Message(""), p.Width, 8)...)
		}
		b.items = append(b.items, item)
	}
	if len(b.items) > 0 {
		b.head = Wrap("Rows that are not claimed, by reason:", p.Width, 2)
		b.none = list(p, "Rows that are not claimed: ", numbered(reasons))
	}
	return b
}

// Cause says what many rows have in common, as in 1,200 × "FALSKT" in Claim.
func Cause(c schema.Cause) string {
	s := fmt.Sprintf("%s × %s", Number(c.Count), End(schema.Printable(c.Value), 50))
	if c.Column != "" {
		s += " in " + End(schema.Printable(c.Column), 40)
	}
	if where := lines(c.Lines, c.Count); where != "" {
		s += ", " + where
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
		name, number = max(name, widthOf(schema.Printable(e.Column))), max(number, len(Number(e.Count)))
	}
	heading := fmt.Sprintf("What changes in accounts: %s, by column, the first of each:", Count(cells, "value"))
	if n := v.Plan.NameEdits; n > 0 {
		heading = fmt.Sprintf("What changes in accounts: %s, by column, the first of each. %s another name:",
			Count(cells, "value"), Users(n)+Pick(n, " gets", " get"))
	}
	b := block{head: Wrap(heading, p.Width, 2), least: 1}
	for _, e := range v.Plan.Edits {
		old := "(blank)"
		if e.Old != "" {
			old = quoted(e.Old)
		}
		start := fmt.Sprintf("  %s %*s  ", text.Pad(schema.Printable(e.Column), name, ' '), number, Number(e.Count))
		b.items = append(b.items, Beside(p, start, fmt.Sprintf("%s → %s (line %d, %s)", old, quoted(e.New), e.Line, schema.Printable(e.Email))))
	}
	return b
}

// doubtful says which cells are not written to accounts, because they cannot be meant (see R17).
func (v *Plan) doubtful(p Page) block {
	cells, columns := byColumn(v.Plan.Doubtful)
	if cells == 0 {
		return block{}
	}
	return block{head: Wrap(fmt.Sprintf("%s %s damaged (%s), so the accounts keep what they have: %s. See them with --only warnings.",
		Count(cells, "cell"), Pick(cells, "seems", "seem"), schema.CodeEditDoubtful, columns), p.Width, 2)}
}

// licenses says what the claims take of each service (see R17).
func (v *Plan) licenses(p Page) block {
	t := NewTable(Text("Licences"), Numeric("needed"), Numeric("left"), Numeric("on completion"), Numeric("lacking"))
	lacking := 0
	for _, need := range v.Plan.Licenses {
		if need.Assigned+need.Missing+need.Asked == 0 {
			continue
		}
		left, without := Number(need.Left), ""
		lacking += need.Missing
		if need.Unlimited {
			left = "any"
		}
		if need.Missing > 0 {
			without = Number(need.Missing)
		}
		_ = t.Add("  "+schema.Printable(need.Service), Number(need.Assigned+need.Missing), left, Number(need.Asked), without) // a few lines stay in memory
	}
	if t.Len() == 0 {
		return block{}
	}
	var b strings.Builder
	_ = t.Write(&b, p.Width) // a builder takes everything
	rows := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	licenses := block{head: rows[:1], none: Wrap(fmt.Sprintf("Licences of %s are needed; %s lacking.",
		Count(t.Len(), "service"), Number(lacking)+Pick(lacking, " is", " are")), p.Width, 2)}
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
			names[i] += " (did you mean " + schema.Printable(near) + "?)"
		}
	}
	return block{head: list(p, "Columns not understood: ", names)}
}

// repairs says what was mended in a file.
func repairs(p Page, of map[schema.Repair]int) block {
	b := block{}
	for _, kind := range schema.Repairs {
		if n := of[kind]; n > 0 {
			b.items = append(b.items, Wrap("  "+Repair(kind, n), p.Width, 4))
		}
	}
	if len(b.items) > 0 {
		b.head = []string{"How the file was read:"}
		b.none = Wrap("The file was read with "+Count(len(b.items), "repair")+"; --json names them.", p.Width, 2)
	}
	return b
}

// list returns a heading and items behind it, as many as two lines hold.
func list(p Page, heading string, items []string) []string {
	const most = 2
	for shown := len(items); ; shown-- {
		line := heading + strings.Join(items[:shown], ", ")
		if more := len(items) - shown; more > 0 {
			line += fmt.Sprintf(" and %d more", more)
		}
		if wrapped := Wrap(line, p.Width, 2); len(wrapped) <= most || p.Height == 0 || shown == 1 {
			return wrapped
		}
	}
}
