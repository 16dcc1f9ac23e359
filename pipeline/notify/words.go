package notify

import (
	"fmt"

	catalogue "github.com/claimline/claimline/pipeline/words"
	"github.com/claimline/claimline/schema"
)

// What reports say beside their templates: the sentences are those of the catalogue.

// say returns a sentence with its values in their places.
func (w words) say(format string, values ...any) string {
	return w.language.Say(format, values...)
}

// count says how many there are of something.
func (w words) count(n int, one, several string) string {
	return w.language.Count(n, one, several)
}

func (w words) users(n int) string { return w.count(n, "%s user", "%s users") }

func (w words) title(state schema.ImportState) string {
	switch state {
	case schema.StateCompleted:
		return w.say("The import is done")
	case schema.StateCompletedWithErrors:
		return w.say("The import is done, with problems")
	case schema.StateRejected:
		return w.say("The import was rejected")
	case schema.StateCancelled:
		return w.say("The import was cancelled")
	case schema.StateAwaitingConsent:
		return w.say("An import waits for your decision")
	case schema.StateInterrupted:
		return w.say("An import has stopped")
	}
	return w.say("The import failed")
}

// Headline says how an import stands that has ended, waits or has stopped: in a few words, and in one
// sentence.
func Headline(l catalogue.Language, imp *schema.Import, s *schema.Summary) (title, sentence string) {
	w := words{language: l}
	return w.title(imp.State), w.sentence(imp, s)
}

// sentence says in one sentence what happened.
func (w words) sentence(imp *schema.Import, s *schema.Summary) string {
	claimed, of := schema.Number(s.Claimed), w.users(s.Rows)
	correct := ""
	if n := s.Problems(); n > 0 {
		correct = w.count(n, "; %s row to correct", "; %s rows to correct")
	}
	switch imp.State {
	case schema.StateAwaitingConsent:
		return w.say("Nobody has been claimed yet: the import would claim %s, and waits for somebody to agree%s.", w.users(imp.Tally.Outcomes[schema.Ready]), correct)
	case schema.StateInterrupted:
		return w.say("Trouble stopped the import after it had claimed %s of %s%s.", claimed, of, correct)
	case schema.StateCancelled:
		if s.Claimed > 0 {
			return w.say("The import claimed %s of %s, then it was cancelled%s.", claimed, of, correct)
		}
	}
	if s.Claimed > 0 {
		return w.say("The import claimed %s of %s%s.", claimed, of, correct)
	}
	return w.say("Nobody was claimed: %s.", w.whyNobody(imp, s))
}

func (w words) whyNobody(imp *schema.Import, s *schema.Summary) string {
	switch problems := s.Problems(); {
	case imp.Reason == schema.CodeAllOrNothing:
		return w.count(problems, "%s row has a problem, and the import was all or nothing", "%s rows have problems, and the import was all or nothing")
	case imp.State == schema.StateRejected:
		return w.say("nobody agreed to the plan")
	case imp.State == schema.StateCancelled:
		return w.say("the import was cancelled first")
	case imp.Reason == schema.CodeDirectorySyncEnabled:
		return w.say("directory synchronization was switched on")
	case problems > 0:
		return w.count(problems, "%s row to correct", "%s rows to correct")
	case s.Unchanged > 0:
		return w.say("the users are members, or claimed, already")
	}
	return w.say("the file leaves every user alone")
}

// subject returns the subject of a report: what happened, and of which file.
func (w words) subject(sentence, file string) string { return fmt.Sprintf("%s: %s", file, sentence) }

// attached says what goes with a report.
func (w words) attached(files []attachment, problems bool, id string) []string {
	var notes []string
	for _, f := range files {
		if f.Type == "text/csv" {
			notes = append(notes, w.say("Attached: %s, the rows with problems. Correct them there and import that file.", f.Name))
			continue
		}
		notes = append(notes, w.say("Attached: %s, the whole report as a page.", f.Name))
	}
	if len(files) == 0 || problems && len(files) == 1 {
		notes = append(notes, w.say("What is too large to be mailed, or has been removed, is not attached: claimline report %s.", id))
	}
	return notes
}
