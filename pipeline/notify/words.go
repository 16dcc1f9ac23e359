package notify

import (
	"fmt"

	catalogue "github.com/claimline/claimline/pipeline/words"
	"github.com/claimline/claimline/schema"
)

// What reports say beside their templates.

func (w words) pick(english, swedish string) string {
	if w.language == catalogue.Swedish {
		return swedish
	}
	return english
}

// counted returns a number of things.
func (w words) counted(n int, one, many, en, flera string) string {
	if n == 1 {
		return "1 " + w.pick(one, en)
	}
	return w.number(n) + " " + w.pick(many, flera)
}

func (w words) users(n int) string { return w.counted(n, "user", "users", "användare", "användare") }

func (w words) title(state schema.ImportState) string {
	switch state {
	case schema.StateCompleted:
		return w.pick("The import is done", "Importen är klar")
	case schema.StateCompletedWithErrors:
		return w.pick("The import is done, with problems", "Importen är klar, med problem")
	case schema.StateRejected:
		return w.pick("The import was rejected", "Importen avvisades")
	case schema.StateCancelled:
		return w.pick("The import was cancelled", "Importen avbröts")
	case schema.StateAwaitingConsent:
		return w.pick("An import waits for your decision", "En import väntar på ditt beslut")
	case schema.StateInterrupted:
		return w.pick("An import has stopped", "En import har stannat")
	}
	return w.pick("The import failed", "Importen misslyckades")
}

// Headline says how an import stands that has ended, waits or has stopped: in a few words, and in one
// sentence.
func Headline(l catalogue.Language, imp *schema.Import, s *schema.Summary) (title, sentence string) {
	w := words{language: l}
	return w.title(imp.State), w.sentence(imp, s)
}

// sentence says in one sentence what happened.
func (w words) sentence(imp *schema.Import, s *schema.Summary) string {
	ready := imp.Tally.Outcomes[schema.Ready]
	of := w.number(s.Claimed) + w.pick(" of ", " av ") + w.users(s.Rows)
	correct := ""
	if n := s.Problems(); n > 0 {
		correct = w.pick("; ", "; ") + w.counted(n, "row to correct", "rows to correct", "rad att rätta", "rader att rätta")
	}
	switch imp.State {
	case schema.StateAwaitingConsent:
		return w.pick("Nobody has been claimed yet: the import would claim "+w.users(ready)+", and waits for somebody to agree"+correct+".",
			"Inga anspråk har gjorts ännu: importen skulle göra anspråk på "+w.users(ready)+" och väntar på ett godkännande"+correct+".")
	case schema.StateInterrupted:
		return w.pick("Trouble has stopped the import when it had claimed "+of+correct+".",
			"Importen har stannat på grund av ett fel; anspråk har gjorts på "+of+correct+".")
	case schema.StateCancelled:
		if s.Claimed > 0 {
			return w.pick("The import claimed "+of+", then it was cancelled"+correct+".", "Anspråk gjordes på "+of+", sedan avbröts importen"+correct+".")
		}
	}
	if s.Claimed > 0 {
		return w.pick("The import claimed "+of+correct+".", "Importen gjorde anspråk på "+of+correct+".")
	}
	return w.pick("Nobody was claimed: ", "Inga anspråk gjordes: ") + w.whyNobody(imp, s) + "."
}

func (w words) whyNobody(imp *schema.Import, s *schema.Summary) string {
	switch problems := s.Problems(); {
	case imp.Reason == schema.CodeAllOrNothing:
		return w.counted(problems, "row has a problem, and the import was all or nothing", "rows have problems, and the import was all or nothing",
			"rad har ett problem, och importen skulle göras helt eller inte alls", "rader har problem, och importen skulle göras helt eller inte alls")
	case imp.State == schema.StateRejected:
		return w.pick("nobody agreed to the plan", "ingen godkände planen")
	case imp.State == schema.StateCancelled:
		return w.pick("the import was cancelled first", "importen avbröts innan dess")
	case imp.Reason == schema.CodeDirectorySyncEnabled:
		return w.pick("directory synchronization was switched on", "katalogsynkroniseringen slogs på")
	case problems > 0:
		return w.counted(problems, "row to correct", "rows to correct", "rad att rätta", "rader att rätta")
	case s.Unchanged > 0:
		return w.pick("the users are members, or claimed, already", "användarna är redan medlemmar, eller så har anspråk redan gjorts på dem")
	}
	return w.pick("the file leaves every user alone", "filen lämnar alla användare utanför")
}

// subject returns the subject of a report: what happened, and of which file.
func (w words) subject(sentence, file string) string { return fmt.Sprintf("%s: %s", file, sentence) }

// attached says what goes with a report.
func (w words) attached(files []attachment, problems bool, id string) []string {
	var notes []string
	for _, f := range files {
		if f.Type == "text/csv" {
			notes = append(notes, w.pick("Attached: "+f.Name+", the rows with problems. Correct them there and import that file.",
				"Bifogat: "+f.Name+" med raderna som har problem. Rätta dem där och importera den filen."))
			continue
		}
		notes = append(notes, w.pick("Attached: "+f.Name+", the whole report as a page.", "Bifogat: "+f.Name+", hela rapporten som en sida."))
	}
	if len(files) == 0 || problems && len(files) == 1 {
		notes = append(notes, w.pick("What is too large to be mailed, or has been removed, is not attached: claimline report "+id+".",
			"Det som är för stort för ett mejl, eller redan har tagits bort, är inte bifogat: claimline report "+id+"."))
	}
	return notes
}
