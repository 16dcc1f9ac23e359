package screen

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/claimline/claimline/schema"
)

// Import is an import as a whole, with what it takes to tell somebody.
type Import struct {
	Import  schema.Import
	Summary schema.Summary
	Plan    *schema.Plan // as it was agreed to; without anything in it while there is none
	Policy  schema.Policy
	Took    time.Duration // from the consent to the end, more exactly than the times kept; 0: unknown
}

// Write shows the import on one page, as far as it fits.
func (v *Import) Write(to io.Writer, p Page) error {
	blocks := []block{
		{head: Wrap(v.Sentence(), p.Width, 2)}, {head: v.who(p)}, {head: counts(p, v.Summary.Rows, v.outcomes())}, {head: v.dates(p)},
		problems(p, v.Plan, v.Summary.Reasons, p.Height == 0, fmt.Sprintf("see every row with claimline report %d", v.Import.ID)), v.warnings(p), v.edits(p),
		unknown(p, v.Summary.UnknownColumns, schema.Columns), repairs(p, v.Summary.Repairs),
	}
	const next = 6 // lines of what to do now
	room := 0
	if p.Height > 0 {
		room = max(p.Height-next, 1)
	}
	return write(to, p, fitted(p, blocks, room))
}

// Sentence returns the whole import in one.
func (v *Import) Sentence() string {
	s := &v.Summary
	correct := ""
	if n := s.Problems(); n > 0 {
		correct = "; " + Count(n, "row") + " to correct"
	}
	claimed := fmt.Sprintf("Claimed %s of %s", Number(s.Claimed), Users(s.Rows))
	rest := ""
	if s.NotAttempted > 0 {
		rest = "; " + Users(s.NotAttempted) + " not attempted"
	}
	switch s.State {
	case schema.StateQueued, schema.StatePlanning:
		return "Nothing is claimed yet: the file is being read."
	case schema.StateAwaitingConsent:
		return fmt.Sprintf("Nothing is claimed yet: %s can be, and nobody has agreed to it%s.", Users(v.Import.Tally.Outcomes[schema.Ready]), correct)
	case schema.StateApplying:
		return fmt.Sprintf("Claiming: %s of %s so far, %s to go%s.", Number(s.Claimed), Users(s.Rows), Number(s.NotAttempted), correct)
	case schema.StateRejected:
		if v.Import.Reason != schema.CodeAllOrNothing {
			return "Nothing was claimed: nobody agreed to the plan" + correct + "."
		}
		return fmt.Sprintf("Nothing was claimed: it was all or nothing, and %s %s to be corrected.", Count(s.Problems(), "row"), Pick(s.Problems(), "has", "have"))
	case schema.StateCancelled:
		return claimed + ", then the import was cancelled" + rest + correct + "."
	case schema.StateInterrupted:
		return claimed + ", then the import was interrupted" + rest + correct + "."
	case schema.StateFailed:
		if v.Import.SHA256 == "" {
			return "Nothing was claimed: the file was not read to its end."
		}
		return claimed + ", then something broke" + rest + correct + "."
	}
	if s.Claimed == 0 {
		return "Nothing was claimed: " + v.nobody() + "."
	}
	return claimed + v.took() + rest + correct + "."
}

// nobody says why an import that was done has claimed nobody.
func (v *Import) nobody() string {
	s := &v.Summary
	var parts []string
	if s.Unchanged > 0 {
		parts = append(parts, Users(s.Unchanged)+" "+Pick(s.Unchanged, "was a member, or claimed,", "were members, or claimed,")+" before")
	}
	if s.Skipped > 0 {
		parts = append(parts, "the file leaves "+Users(s.Skipped)+" alone")
	}
	if n := s.Problems(); n > 0 {
		parts = append(parts, Count(n, "row")+" to correct")
	}
	if s.NotAttempted > 0 {
		parts = append(parts, Users(s.NotAttempted)+" not attempted")
	}
	if len(parts) == 0 {
		return "there was nobody to claim"
	}
	return strings.Join(parts, "; ")
}

func (v *Import) took() string {
	took := v.Took
	if took == 0 && !v.Import.ConsentedAt.IsZero() {
		took = v.Import.FinishedAt.Sub(v.Import.ConsentedAt)
	}
	if took <= 0 { // the times kept are whole seconds
		return ""
	}
	return " in " + Span(took)
}

// who says which import it is, who ran it, and who agreed to it, when.
func (v *Import) who(p Page) []string {
	imp := &v.Import
	line := fmt.Sprintf("Import %d of %s for %s: %s.", imp.ID, schema.Printable(imp.File), schema.Printable(imp.OrganizationID),
		strings.ReplaceAll(string(v.Summary.State), "_", " "))
	line += " Started " + Moment(imp.StartedAt) + by(imp.CreatedBy)
	if !imp.ConsentedAt.IsZero() {
		line += ", agreed to " + Moment(imp.ConsentedAt) + by(imp.ConsentedBy)
	}
	if !imp.FinishedAt.IsZero() {
		line += ", ended " + Moment(imp.FinishedAt)
	}
	return Wrap(line+".", p.Width, 2)
}

func by(name string) string {
	if name == "" {
		return ""
	}
	return " by " + schema.Printable(name)
}

// outcomes counts the rows; those whose turn may still come are not among them.
func (v *Import) outcomes() map[schema.Outcome]int {
	s := &v.Summary
	return map[schema.Outcome]int{
		schema.Claimed: s.Claimed, schema.Unchanged: s.Unchanged, schema.Skipped: s.Skipped, schema.Invalid: s.Invalid,
		schema.Ineligible: s.Ineligible, schema.Failed: s.Failed, schema.NotAttempted: s.NotAttempted,
	}
}

// dates says until when claims can be retracted, and when the delayed ones complete: by the time of the first
// of them.
func (v *Import) dates(p Page) []string {
	if v.Summary.Claimed == 0 || v.Import.ConsentedAt.IsZero() {
		return nil
	}
	until := v.Import.ConsentedAt.Add(v.Policy.DecisionTime())
	line := "Claims can be retracted until " + Moment(until) + ", as long as the owner has not signed in."
	if v.Plan.Types[schema.Delayed] > 0 {
		line += " Delayed ones complete by themselves on " + Date(until) + "."
	}
	return Wrap(line, p.Width, 2)
}

func (v *Import) warnings(p Page) block {
	var b block
	for _, code := range ByCount(v.Summary.Warnings) {
		b.items = append(b.items, Beside(p, fmt.Sprintf("  %-24s %7s  ", code, Number(v.Summary.Warnings[code])), code.Message("")))
	}
	if len(b.items) > 0 {
		b.head, b.none = []string{"Warnings:"}, list(p, "Warnings: ", numbered(v.Summary.Warnings))
	}
	return b
}

// edits says how many values of accounts the claims change, by column (see R17).
func (v *Import) edits(p Page) block {
	cells, columns := byColumn(v.Summary.Edits)
	if cells == 0 {
		return block{}
	}
	return block{head: Wrap(fmt.Sprintf("What changes in accounts: %s (%s).", Count(cells, "value"), columns), p.Width, 2)}
}

// byColumn adds up cells, and lists them by column in the order of the file.
func byColumn(counts map[string]int) (cells int, list string) {
	var columns []string
	for _, column := range schema.Columns {
		if n := counts[column]; n > 0 {
			columns = append(columns, fmt.Sprintf("%s %s", column, Number(n)))
			cells += n
		}
	}
	return cells, strings.Join(columns, ", ")
}

// ProblemsFile names the file for the rows of an import that have problems, after the one that was imported.
func ProblemsFile(file string) string {
	base := filepath.Base(file)
	name := strings.TrimSuffix(base, filepath.Ext(base))
	if name == "" || name == "-" || name == "." || strings.ContainsAny(name, " '\"\\$`&;|<>*?!(){}[]~#") || name != schema.Printable(name) {
		name = "problems"
	} else {
		name += "-problems"
	}
	if strings.EqualFold(filepath.Ext(base), ".xlsx") {
		return name + ".xlsx"
	}
	return name + ".csv"
}
