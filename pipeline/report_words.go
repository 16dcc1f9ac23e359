package pipeline

import (
	"fmt"
	"strings"

	"github.com/claimline/claimline/schema"
)

// htmlState is how an import stands, for somebody who has never seen the program.
type htmlState struct {
	Label string // a few words
	Text  string // sentences
	Class string // "preview", "good", "mixed" or "bad"
}

func stateWords(s schema.Summary) htmlState {
	if s.DryRun {
		text := "This page shows what an import of this file would do. Nothing has been claimed, and nothing has been changed."
		if s.Organization == "" {
			text = "Only the rows themselves were checked. Whether the users can be claimed was not looked up. Nothing has been changed."
		}
		return htmlState{"Preview: nothing was changed", text, "preview"}
	}
	resume := " Go on with it: claimline resume " + s.ID + "."
	switch s.State {
	case schema.StateCompleted:
		return htmlState{"Done", "The import is done, and no row needs attention.", "good"}
	case schema.StateCompletedWithErrors:
		n := s.Invalid + s.Ineligible + s.Failed + s.NotAttempted
		return htmlState{"Done, with problems", "The import is done. " + rowsNeed(n) + " attention; what to do is said below.", "mixed"}
	case schema.StateRejected:
		return htmlState{"Rejected: nobody was claimed", "The import was to claim all users or none. Some rows had problems, so nobody was claimed.", "bad"}
	case schema.StateCancelled:
		return htmlState{"Cancelled", "The import was cancelled before its end. What was claimed until then stays claimed." + resume, "bad"}
	case schema.StateInterrupted:
		return htmlState{"Interrupted", "The import stopped before its end. What was claimed until then stays claimed." + resume, "bad"}
	case schema.StateFailed:
		return htmlState{"Failed", "The import failed before its end. What was claimed until then stays claimed." + resume, "bad"}
	case schema.StateApplying:
		return htmlState{"Under way", "The import is still running. This page shows how it stood when the page was written.", "preview"}
	}
	return htmlState{"Not started", "Nobody has been claimed yet: the import waits for somebody to agree.", "preview"}
}

func rowsNeed(n int) string {
	if n == 1 {
		return "1 row needs"
	}
	return grouped(n) + " rows need"
}

// outcomeWords is one outcome with the number of its rows, of all those there are.
func outcomeWords(outcome schema.Outcome, rows, of int) htmlOutcome {
	label := strings.ReplaceAll(string(outcome), "_", " ")
	if label != "" {
		label = strings.ToUpper(label[:1]) + label[1:]
	}
	o := htmlOutcome{Outcome: outcome, Label: label, Rows: rows, Share: share(rows, of)}
	switch outcome {
	case schema.Ready:
		o.Meaning = "The user can be claimed."
	case schema.Claimed:
		o.Meaning = "The user was claimed."
	case schema.Unchanged:
		o.Meaning = "The user was claimed, or was a member, before."
	case schema.Skipped:
		o.Meaning = "The file says not to claim the user."
	case schema.Invalid:
		o.Meaning = "The row has a mistake in it."
	case schema.Ineligible:
		o.Meaning = "The row is correct, but the user cannot be claimed now."
	case schema.Failed:
		o.Meaning = "Something broke while the user was being claimed."
	case schema.NotAttempted:
		o.Meaning = "The import ended before the row's turn came."
	}
	return o
}

// share is a part of the rows in percent.
func share(rows, of int) string {
	switch {
	case rows == 0 || of == 0:
		return ""
	case rows*1000 < of:
		return "under 0.1%"
	case rows < of && rows*1000 >= of*999:
		return "over 99.9%"
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", 100*float64(rows)/float64(of)), ".0") + "%"
}

// repairWords says what was irregular in a file, and read all the same.
func repairWords(repairs map[schema.Repair]int) []string {
	var words []string
	for _, kind := range []schema.Repair{
		schema.RepairBOM, schema.RepairUTF16, schema.RepairWindows1252, schema.RepairDelimiter, schema.RepairBlankRow, schema.RepairBlanksTrimmed,
	} {
		n := repairs[kind]
		if n == 0 {
			continue
		}
		switch kind {
		case schema.RepairBOM:
			words = append(words, "The file begins with an invisible mark that some programs write. It was left out.")
		case schema.RepairUTF16:
			words = append(words, "The file is written in UTF-16. It was read as such.")
		case schema.RepairWindows1252:
			words = append(words, "The file is written in Windows-1252, an old encoding. Its letters were read as such.")
		case schema.RepairDelimiter:
			words = append(words, "The cells are not separated by commas. The other separator was recognized.")
		case schema.RepairBlankRow:
			words = append(words, "Blank rows were left out: "+grouped(n)+".")
		case schema.RepairBlanksTrimmed:
			words = append(words, "Cells with blanks around their text, which were taken off: "+grouped(n)+".")
		}
	}
	return words
}
