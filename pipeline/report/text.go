package report

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/claimline/claimline/pipeline/kept"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/pipeline/words"
	"github.com/claimline/claimline/schema"
)

// textReporter writes one line a row.
type textReporter struct {
	to     *bufio.Writer
	layout *usersfile.Layout

	language words.Language
}

func (r *textReporter) rows(c *kept.Rows, numbers []int) error {
	for _, i := range numbers {
		result := told(c, i, r.language, r.layout.Address(c.Records.Cells(i)))
		if _, err := r.to.WriteString(textLine(&result, r.language) + "\n"); err != nil {
			return err
		}
	}
	return nil
}

func textLine(result *schema.Result, l words.Language) string {
	var b strings.Builder
	b.WriteString(l.Say("line %d", result.Line))
	if result.Part > 0 {
		b.WriteString(l.Say(" (part %d, row %d)", result.Part, result.Row))
	}
	b.WriteString(": ")
	if result.Email != "" {
		b.WriteString(schema.Printable(result.Email) + ": ")
	}
	b.WriteString(string(result.Outcome))
	if result.ClaimType != "" {
		fmt.Fprintf(&b, " (%s)", result.ClaimType)
	}
	for _, warning := range result.Warnings {
		b.WriteString(", " + schema.Printable(warning))
	}
	if result.Reason != "" {
		fmt.Fprintf(&b, ": %s", result.Reason)
		if result.Column != "" {
			b.WriteString(l.Say(` in column "%s"`, schema.Printable(result.Column)))
		}
		fmt.Fprintf(&b, ": %s %s", schema.Printable(result.Message), schema.Printable(result.Fix))
	}
	return b.String()
}

func (r *textReporter) end(Whole) error { return r.to.Flush() }
