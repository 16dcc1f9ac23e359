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
		{head: Wrap(v.sentence(p).In(p), p.Width, 2)}, {head: v.who(p)}, {head: counts(p, v.Summary.Rows, v.outcomes())}, {head: v.dates(p)},
		problems(p, v.Plan, v.Summary.Reasons, p.Height == 0, schema.Say("; see every row with claimline report %d", v.Import.ID)), v.warnings(p), v.edits(p),
		unknown(p, v.Summary.UnknownColumns, schema.Columns), repairs(p, v.Summary.Repairs),
	}
	const next = 6 // lines of what to do now
	room := 0
	if p.Height > 0 {
		room = max(p.Height-next, 1)
	}
	return write(to, p, fitted(p, blocks, room))
}

// sentence returns the whole import in one.
func (v *Import) sentence(p Page) schema.Text {
	s := &v.Summary
	correct := toCorrect(s.Problems())
	claimed, of := schema.Number(s.Claimed), Users(s.Rows)
	if s.NotAttempted > 0 {
		correct = schema.Say("%s%s", schema.SayCount(s.NotAttempted, "; %s user not attempted", "; %s users not attempted"), correct)
	}
	switch s.State {
	case schema.StateQueued, schema.StatePlanning:
		return schema.Say("Nothing is claimed yet: the file is being read.")
	case schema.StateAwaitingConsent:
		return schema.Say("Nothing is claimed yet: %s can be, and nobody has agreed to it%s.", Users(v.Import.Tally.Outcomes[schema.Ready]), toCorrect(s.Problems()))
	case schema.StateApplying:
		return schema.Say("Claiming: %s of %s so far, %s to go%s.", claimed, of, schema.Number(s.NotAttempted), toCorrect(s.Problems()))
	case schema.StateRejected:
		if v.Import.Reason != schema.CodeAllOrNothing {
			return schema.Say("Nothing was claimed: nobody agreed to the plan%s.", toCorrect(s.Problems()))
		}
		return schema.SayCount(s.Problems(), "Nothing was claimed: it was all or nothing, and %s row has to be corrected.",
			"Nothing was claimed: it was all or nothing, and %s rows have to be corrected.")
	case schema.StateCancelled:
		return schema.Say("Claimed %s of %s, then the import was cancelled%s.", claimed, of, correct)
	case schema.StateInterrupted:
		return schema.Say("Claimed %s of %s, then the import was interrupted%s.", claimed, of, correct)
	case schema.StateFailed:
		if v.Import.SHA256 == "" {
			return schema.Say("Nothing was claimed: the file was not read to its end.")
		}
		return schema.Say("Claimed %s of %s, then something broke%s.", claimed, of, correct)
	}
	if s.Claimed == 0 {
		return schema.Say("Nothing was claimed: %s.", v.nobody())
	}
	if took := v.took(); took > 0 {
		return schema.Say("Claimed %s of %s in %s%s.", claimed, of, p.Span(took), correct)
	}
	return schema.Say("Claimed %s of %s%s.", claimed, of, correct)
}

// nobody says why an import that was done has claimed nobody.
func (v *Import) nobody() schema.Text {
	s := &v.Summary
	var parts []schema.Text
	if s.Unchanged > 0 {
		parts = append(parts, schema.SayCount(s.Unchanged, "%s user was a member, or claimed, before", "%s users were members, or claimed, before"))
	}
	if s.Skipped > 0 {
		parts = append(parts, schema.SayCount(s.Skipped, "the file leaves %s user alone", "the file leaves %s users alone"))
	}
	if n := s.Problems(); n > 0 {
		parts = append(parts, schema.SayCount(n, "%s row to correct", "%s rows to correct"))
	}
	if s.NotAttempted > 0 {
		parts = append(parts, schema.SayCount(s.NotAttempted, "%s user not attempted", "%s users not attempted"))
	}
	if len(parts) == 0 {
		return schema.Say("there was nobody to claim")
	}
	return schema.Join(parts, "; ")
}

// took returns how long the claiming took; 0: that is not known.
func (v *Import) took() time.Duration {
	took := v.Took
	if took == 0 && !v.Import.ConsentedAt.IsZero() {
		took = v.Import.FinishedAt.Sub(v.Import.ConsentedAt)
	}
	return max(took, 0) // the times kept are whole seconds
}

// who says which import it is, who ran it, and who agreed to it, when.
func (v *Import) who(p Page) []string {
	imp := &v.Import
	line := p.Say("Import %d of %s for %s: %s.", imp.ID, File(imp.File), schema.Printable(imp.OrganizationID), State(v.Summary.State))
	line += " " + p.Say("Started %s%s", Moment(imp.StartedAt), by(imp.CreatedBy))
	if !imp.ConsentedAt.IsZero() {
		line += p.Say(", agreed to %s%s", Moment(imp.ConsentedAt), by(imp.ConsentedBy))
	}
	if !imp.FinishedAt.IsZero() {
		line += p.Say(", ended %s", Moment(imp.FinishedAt))
	}
	return Wrap(line+".", p.Width, 2)
}

// File returns the name of an import's file; that of claims by hand is no name.
func File(name string) schema.Text {
	if name == schema.ByHand {
		return schema.Say("%s", schema.Word(schema.ByHand))
	}
	return schema.Say("%s", schema.Printable(name))
}

func by(name string) schema.Text {
	if name == "" {
		return schema.Text{}
	}
	return schema.Say(" by %s", schema.Printable(name))
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
	line := p.Say("Claims can be retracted until %s, as long as the owner has not signed in.", Moment(until))
	if v.Plan.Types[schema.Delayed] > 0 {
		line += " " + p.Say("Delayed ones complete by themselves on %s.", Date(until))
	}
	return Wrap(line, p.Width, 2)
}

func (v *Import) warnings(p Page) block {
	var b block
	for _, code := range ByCount(v.Summary.Warnings) {
		b.items = append(b.items, Beside(p, fmt.Sprintf("  %-24s %7s  ", code, p.Number(v.Summary.Warnings[code])), code.Wrong("").In(p)))
	}
	if len(b.items) > 0 {
		b.head, b.none = []string{p.Say("Warnings:")}, list(p, p.Say("Warnings:")+" ", numbered(p, v.Summary.Warnings))
	}
	return b
}

// edits says how many values of accounts the claims change, by column (see R17).
func (v *Import) edits(p Page) block {
	cells, columns := byColumn(p, v.Summary.Edits)
	if cells == 0 {
		return block{}
	}
	return block{head: Wrap(p.Say("What changes in accounts: %s (%s).", Values(cells), columns), p.Width, 2)}
}

// byColumn adds up cells, and lists them by column in the order of the file.
func byColumn(p Page, counts map[string]int) (cells int, list string) {
	var columns []string
	for _, column := range schema.Columns {
		if n := counts[column]; n > 0 {
			columns = append(columns, fmt.Sprintf("%s %s", column, p.Number(n)))
			cells += n
		}
	}
	return cells, strings.Join(columns, ", ")
}

// State names how an import stands.
func State(state schema.ImportState) schema.Word {
	return schema.Word(strings.ReplaceAll(string(state), "_", " "))
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
