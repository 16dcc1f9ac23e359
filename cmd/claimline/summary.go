package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/schema"
)

// writeSummary shows how an import stands, on one page.
func writeSummary(to io.Writer, p page, s schema.Summary) error {
	lines := []string{fmt.Sprintf("Import %s of %s: %s, %s", s.ID, schema.Printable(s.File), s.State, count(s.Rows, "row"))}
	width := len(fmt.Sprint(s.Rows))
	for _, c := range []struct {
		outcome schema.Outcome
		n       int
	}{
		{schema.Claimed, s.Claimed}, {schema.Unchanged, s.Unchanged}, {schema.Skipped, s.Skipped}, {schema.Invalid, s.Invalid},
		{schema.Ineligible, s.Ineligible}, {schema.Failed, s.Failed}, {schema.NotAttempted, s.NotAttempted},
	} {
		if c.n > 0 {
			lines = append(lines, fmt.Sprintf("  %-13s %*d", c.outcome, width, c.n))
		}
	}
	tail := append(codes("Warnings:", s.Warnings), p.strange(s.UnknownColumns, schema.Columns, s.Repairs)...)
	reasons := codes("Reasons:", s.Reasons)
	if p.lines > 0 {
		const next = 5 // lines of what to do now
		reasons = p.cut(reasons, p.lines-next-len(lines)-len(tail), "reasons; see every row in the report")
	}
	lines = slices.Concat(lines, reasons, tail)
	for i, line := range lines {
		lines[i] = p.fit(line)
	}
	if _, err := io.WriteString(to, strings.Join(lines, "\n")+"\n"); err != nil {
		return unwritable("The summary", err)
	}
	return nil
}

// codes lists codes with how often each occurs, below a heading.
func codes(heading string, counts map[schema.Code]int) []string {
	if len(counts) == 0 {
		return nil
	}
	lines := []string{heading}
	for _, code := range byCount(counts) {
		lines = append(lines, fmt.Sprintf("  %-24s %6d", code, counts[code]))
	}
	return lines
}

// sayNext says what to do after an import: what must be done about the directory (R23), and the next command.
func (a *app) sayNext(imp schema.Import) {
	if imp.Tally.Outcomes[schema.Claimed] > 0 {
		if imp.Tally.Warnings[schema.CodeContentNotTransferred] > 0 {
			a.say(`Keep the original organizations until their users have chosen.
Deleting one deletes its content for good.`)
		}
		a.say(`Add the claimed users to your directory before the next full synchronization.
Whoever is missing there becomes inactive, and is removed %s later.`, count(a.config.Policy.InactiveDays, "day"))
	}
	a.say("Next: %s", nextCommand(imp))
}

// nextCommand is what one wants to run after an import.
func nextCommand(imp schema.Import) string {
	switch {
	case imp.State == schema.StateCancelled && imp.Tally.Outcomes[schema.Ready] > 0:
		return fmt.Sprintf("claimline resume %d", imp.ID)
	case imp.Tally.Problems() > 0:
		return fmt.Sprintf("claimline report %d --only problems --format csv -o problems.csv", imp.ID)
	case imp.Tally.Outcomes[schema.Claimed] > 0:
		return "claimline sync preview DIRECTORY.csv --missing missing.csv"
	}
	return fmt.Sprintf("claimline report %d", imp.ID)
}

// sayAfterPlan says what to do after a dry run.
func (a *app) sayAfterPlan(plan *pipeline.Plan) {
	file := schema.Printable(plan.File)
	if strings.ContainsAny(file, " '\"") {
		file = strconv.Quote(file)
	}
	if plan.Tally.Outcomes[schema.Ready] > 0 {
		a.say("Next: claimline import %s", file)
	} else {
		a.say("Nobody would be claimed. Next: claimline validate --only problems --format csv %s", file)
	}
}
