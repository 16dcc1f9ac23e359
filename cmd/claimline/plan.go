package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/schema"
)

// page is how much may be shown at once.
type page struct {
	lines  int // 0: any number
	width  int // columns; 0: any number
	colour bool
}

// A plan on a terminal leaves room for the question, or the next command, below it.
const (
	planLines = 22
	planWidth = 80
)

// page is what fits where f writes to. What is no terminal takes everything, in plain lines.
func (a *app) page(f any) page {
	if !a.terminal(f) {
		return page{}
	}
	return page{lines: planLines, width: planWidth, colour: a.colour(f)}
}

// outputPage is what fits where the answer goes: to the file called name, or to stdout.
func (a *app) outputPage(name string) page {
	if name != "" && name != "-" {
		return page{}
	}
	return a.page(a.stdout)
}

// planView is a plan about to be shown.
type planView struct {
	page

	plan         *pipeline.Plan
	organization schema.Organization
	order        pipeline.Order
	policy       schema.Policy
}

// writePlan shows what an import would do, on one page.
func writePlan(to io.Writer, p page, plan *pipeline.Plan, organization schema.Organization, order pipeline.Order, policy schema.Policy) error {
	v := &planView{page: p, plan: plan, organization: organization, order: order, policy: policy}
	if _, err := io.WriteString(to, strings.Join(v.render(), "\n")+"\n"); err != nil {
		return unwritable("The plan", err)
	}
	return nil
}

// render is the plan line by line. Where it does not fit, problems lose their explanations first, then the list of
// problems and the licences are cut.
func (v *planView) render() []string {
	head := append(v.title(), v.outcomes()...)
	tail := append(append(v.content(), v.mails()...), v.reading()...)
	licenses := v.licenses()
	room := v.lines - len(head) - len(tail)
	problems := v.problems(true)
	if v.lines > 0 && len(problems)+len(licenses) > room {
		problems = v.problems(false)
		const fewest = 4 // lines of licences, however many problems there are
		licenses = v.cut(licenses, max(fewest, room-len(problems)), "services")
		problems = v.cut(problems, room-len(licenses), "reasons; see every row with --format csv")
	}
	lines := slices.Concat(head, problems, licenses, tail)
	for i, line := range lines {
		lines[i] = v.paint(i, v.fit(line))
	}
	return lines
}

// cut leaves as many lines as there is room for, the last saying how many more there are.
func (p page) cut(lines []string, room int, of string) []string {
	if len(lines) <= room {
		return lines
	}
	room = max(room, 2) // a heading and how many more
	return append(lines[:room-1:room-1], fmt.Sprintf("  and %d more %s", len(lines)-room+1, of))
}

// fit cuts a line to the width.
func (p page) fit(line string) string {
	if p.width == 0 {
		return line
	}
	return text.Snip(line, p.width, "…")
}

// wrap breaks a sentence at blanks.
func (v *planView) wrap(sentence string) []string {
	if v.width == 0 {
		return []string{sentence}
	}
	return wrapLines(sentence, v.width)
}

// wrapLines breaks a text at blanks into lines of so many columns at most.
func wrapLines(s string, width int) []string {
	lines := strings.Split(text.WrapSoft(s, width), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return lines
}

// paint colours the title and the outcomes; colour never says anything that the words do not.
func (v *planView) paint(line int, s string) string {
	if !v.colour {
		return s
	}
	const bold, red, green, yellow, reset = "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[0m"
	if line == 0 {
		return bold + s + reset
	}
	switch outcome, _, _ := strings.Cut(strings.TrimSpace(s), " "); schema.Outcome(outcome) {
	case schema.Ready:
		return green + s + reset
	case schema.Invalid, schema.Failed:
		return red + s + reset
	case schema.Ineligible, schema.NotAttempted:
		return yellow + s + reset
	}
	return s
}

func (v *planView) title() []string {
	tail := ": " + count(v.plan.Tally.Rows, "row")
	if v.organization.Name != "" {
		tail = ", for " + schema.Printable(v.organization.Name) + tail
	}
	if v.order.AllOrNothing {
		tail += ", all or nothing"
	}
	file := schema.Printable(v.plan.File)
	if v.width > 0 {
		tail = text.Snip(tail, v.width/2, "…")
		// What tells one file from another stands at the end of its path.
		if room := v.width - len("Plan: ") - text.StringWidth(tail); text.StringWidth(file) > room {
			runes := []rune(file)
			for len(runes) > 0 && text.StringWidth(string(runes)) > room-1 {
				runes = runes[1:]
			}
			file = "…" + string(runes)
		}
	}
	return []string{"Plan: " + file + tail}
}

// outcomes says how many rows end how.
func (v *planView) outcomes() []string {
	meaning := map[schema.Outcome]string{
		schema.Ready:      v.types(),
		schema.Unchanged:  "already members, or claimed",
		schema.Skipped:    "Claim is FALSE",
		schema.Invalid:    "something in the row is wrong",
		schema.Ineligible: "the row is right, and the user cannot be claimed",
	}
	width := len(fmt.Sprint(v.plan.Tally.Rows))
	var lines []string
	for _, outcome := range schema.Outcomes {
		if n := v.plan.Tally.Outcomes[outcome]; n > 0 || outcome == schema.Ready {
			lines = append(lines, strings.TrimRight(fmt.Sprintf("  %-13s %*d  %s", outcome, width, n, meaning[outcome]), " "))
		}
	}
	return lines
}

// types says how many claims are of which type.
func (v *planView) types() string {
	var parts []string
	if n := v.plan.Types[schema.Immediate]; n > 0 {
		parts = append(parts, fmt.Sprintf("%d immediate", n))
	}
	if n := v.plan.Types[schema.Delayed]; n > 0 {
		parts = append(parts, fmt.Sprintf("%d delayed (%s to decide)", n, count(v.policy.DecisionDays, "day")))
	}
	return strings.Join(parts, ", ")
}

// problems lists the reasons why rows are not claimed, those first that want somebody's attention.
func (v *planView) problems(explained bool) []string {
	codes := byCount(v.plan.Tally.Reasons)
	slices.SortStableFunc(codes, func(a, b schema.Code) int {
		return boolOrder(b.Outcome().Problem()) - boolOrder(a.Outcome().Problem())
	})
	var lines []string
	for _, code := range codes {
		n := v.plan.Tally.Reasons[code]
		lines = append(lines, fmt.Sprintf("  %-24s %6d  %s", code, n, lineList(v.plan.Problems[code], n)))
		if explained {
			lines = append(lines, "      "+code.Message(""))
		}
	}
	if len(lines) > 0 {
		lines = append([]string{"Rows that are not claimed, by reason, with their first lines:"}, lines...)
	}
	return lines
}

func boolOrder(b bool) int {
	if b {
		return 1
	}
	return 0
}

// licenses says what the claims take of each service (R17).
func (v *planView) licenses() []string {
	var rows [][]string
	for _, need := range v.plan.Licenses {
		if need.Assigned+need.Missing+need.Asked == 0 {
			continue
		}
		left, without := fmt.Sprint(need.Left), ""
		if need.Unlimited {
			left = "any"
		}
		if need.Missing > 0 {
			without = "none for " + users(need.Missing)
		}
		rows = append(rows, []string{schema.Printable(need.Service), fmt.Sprint(need.Assigned + need.Missing), left, fmt.Sprint(need.Asked), without})
	}
	if len(rows) == 0 {
		return nil
	}
	rows = append([][]string{{"Licences", "needed", "left", "on completion", ""}}, rows...)
	const widest = 34
	name := 0
	for i := range rows {
		if i > 0 {
			rows[i][0] = "  " + rows[i][0]
		}
		if v.width > 0 {
			rows[i][0] = text.Snip(rows[i][0], widest, "…")
		}
		name = max(name, text.StringWidth(rows[i][0]))
	}
	lines := make([]string, len(rows))
	for i, row := range rows {
		lines[i] = strings.TrimRight(fmt.Sprintf("%s %8s %8s %14s  %s", text.Pad(row[0], name, ' '), row[1], row[2], row[3], row[4]), " ")
	}
	return lines
}

// content gives the advice that belongs to content that stays behind (R11).
func (v *planView) content() []string {
	n := v.plan.Tally.Foreseen[schema.CodeContentNotTransferred]
	if n == 0 {
		return nil
	}
	return v.wrap(fmt.Sprintf("Content of %s stays behind. Keep the original organization until they have chosen: "+
		"deleting it deletes messages, meetings and recordings for good.", users(n)))
}

// mails says how many mails the claims send (R18).
func (v *planView) mails() []string {
	ready := v.plan.Tally.Outcomes[schema.Ready]
	if v.order.Offline || ready == 0 {
		return nil
	}
	on := v.organization.ActivationEmails
	if v.order.ActivationEmails != nil {
		on = *v.order.ActivationEmails
	}
	activation := "no activation mails (they are off)"
	if on {
		activation = count(v.plan.Types[schema.Immediate], "activation mail") + " at once"
	}
	return []string{fmt.Sprintf("Mails: %s, %s", count(ready, "claim mail"), activation)}
}

func (v *planView) reading() []string {
	return v.strange(v.plan.UnknownColumns, slices.Concat(schema.Columns, v.plan.Services), v.plan.Repairs)
}

// strange says what was strange about a file: columns not understood, which may be like one of those known, and repairs.
func (p page) strange(unknown, known []string, repairs map[schema.Repair]int) []string {
	var lines []string
	if len(unknown) > 0 {
		names := make([]string, len(unknown))
		for i, name := range unknown {
			names[i] = schema.Printable(name)
			if near, ok := schema.Nearest([]string{name}, known); ok {
				names[i] += " (did you mean " + schema.Printable(near) + "?)"
			}
		}
		lines = append(lines, p.list("Columns not understood: ", names))
	}
	var repaired []string
	for _, kind := range []schema.Repair{
		schema.RepairBOM, schema.RepairUTF16, schema.RepairWindows1252, schema.RepairDelimiter, schema.RepairBlankRow, schema.RepairBlanksTrimmed,
	} {
		if n := repairs[kind]; n > 0 {
			repaired = append(repaired, repairText(kind, n))
		}
	}
	if len(repaired) > 0 {
		lines = append(lines, p.list("Repaired: ", repaired))
	}
	return lines
}

func repairText(kind schema.Repair, n int) string {
	switch kind {
	case schema.RepairBOM:
		return "byte order mark"
	case schema.RepairUTF16:
		return "UTF-16"
	case schema.RepairWindows1252:
		return "Windows-1252"
	case schema.RepairDelimiter:
		return "delimiter"
	case schema.RepairBlankRow:
		return count(n, "blank row")
	case schema.RepairBlanksTrimmed:
		return count(n, "cell") + " trimmed"
	}
	return string(kind)
}

// list is a heading and as many items as fit behind it on one line.
func (p page) list(heading string, items []string) string {
	for shown := len(items); shown > 0; shown-- {
		line := heading + strings.Join(items[:shown], ", ")
		if more := len(items) - shown; more > 0 {
			line += fmt.Sprintf(" and %d more", more)
		}
		if p.width == 0 || shown == 1 || text.StringWidth(line) <= p.width {
			return line
		}
	}
	return heading
}

// count is a number of things in words.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
