package pages

import (
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/claimline/claimline/pipeline/notify"
	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/schema"
)

// importPage is all about an import.
type importPage struct {
	listed
	Sentence template.HTML
	Stays    bool // it waits, or has stopped: it does not move by itself
	Moving   bool // it moves by itself
	Outcomes []outcomeCount
	Groups   []problemGroup
	Edits    []schema.ColumnEdits
	Doubtful int // cells that are not written
	Repairs  int
	Warnings []counted
	Until    time.Time // by when the claims can be retracted, if they are made now
	Mailed   bool      // mails are sent
	Resumes  bool      // it can be resumed

	Rows    *rowsPage // nil: they are gone, or were never known
	Refused *refusal
}

// outcomeCount is how many rows ended so.
type outcomeCount struct {
	Outcome        schema.Outcome
	Label, Meaning template.HTML
	Count          int
}

// problemGroup is what somebody has to do.
type problemGroup struct {
	Actor   schema.Actor
	Title   template.HTML
	Count   int
	Reasons []problem
}

// problem is one reason for which rows are not claimed.
type problem struct {
	counted
	Lines  []int
	Who    []string // addresses, of a claim by hand
	Causes []schema.Cause
}

// rowsPage is a part of the rows.
type rowsPage struct {
	Rows         []schema.Result
	Only, Search string
	Reason       schema.Code
	Next         string // what to ask for to see more; blank: there are no more
	Filtered     bool
}

const rowsShown = 50

// showImport shows an import as it stands.
func (p *Pages) showImport(e *exchange, imp schema.Import, status int, refused *refusal) error {
	list, err := p.listed(e, []schema.Import{imp})
	if err != nil {
		return err
	}
	v := &importPage{listed: list[0], Refused: refused, Until: p.Flow.Now().Add(p.Flow.Policy.DecisionTime()), Mailed: p.Mailed}
	v.Moving = slices.Contains([]schema.ImportState{schema.StateQueued, schema.StatePlanning, schema.StateApplying}, imp.State)
	v.Stays = imp.State == schema.StateAwaitingConsent
	v.Resumes = imp.Tally.Outcomes[schema.Ready] > 0 && len(imp.Plan) > 0 && !imp.RowsRemoved &&
		slices.Contains([]schema.ImportState{schema.StateInterrupted, schema.StateCancelled, schema.StateFailed}, imp.State)
	v.Sentence = e.words.sentence(&imp, v)
	for _, outcome := range schema.Outcomes {
		if n := countOf(&v.Summary, outcome); n > 0 {
			label, meaning := e.words.outcome(outcome)
			v.Outcomes = append(v.Outcomes, outcomeCount{outcome, label, meaning, n})
		}
	}
	v.Warnings = e.words.counts(v.Summary.Warnings)
	if len(imp.Plan) > 0 {
		plan, err := schema.PlanOf(imp)
		if err != nil {
			return err
		}
		v.Edits = plan.Edits
		for _, n := range plan.Doubtful {
			v.Doubtful += n
		}
		for _, n := range plan.Repairs {
			v.Repairs += n
		}
		v.Groups = e.words.groups(plan, v.Summary.Reasons)
		if !imp.RowsRemoved {
			if v.Rows, err = p.rows(e, imp); err != nil {
				return err
			}
		}
	}
	return e.show(status, "import", v)
}

// rows returns the rows that the reader asks for: those with problems at first, where there are some.
func (p *Pages) rows(e *exchange, imp schema.Import) (*rowsPage, error) {
	query := e.r.URL.Query()
	page := &rowsPage{Only: query.Get("only"), Search: strings.TrimSpace(query.Get("search")), Reason: schema.Code(query.Get("reason"))}
	page.Filtered = page.Only != "" || page.Search != "" || page.Reason != ""
	r := &report.Report{Search: page.Search, Language: e.words.language}
	if page.Only != "" && (slices.Contains([]string{report.OnlyProblems, report.OnlyEdits, report.OnlyWarnings}, page.Only) || slices.Contains(schema.Outcomes, schema.Outcome(page.Only))) {
		r.Only = []string{page.Only}
	}
	if page.Reason.Outcome() != "" {
		r.Reason = page.Reason
	}
	after, _ := strconv.Atoi(query.Get("after")) // what is no number is the first page
	var more bool
	var err error
	if page.Rows, more, err = r.Page(e.r.Context(), p.Flow.Store, imp, max(after, 0), rowsShown); err != nil {
		return nil, err
	}
	if more {
		query.Set("after", strconv.Itoa(page.Rows[len(page.Rows)-1].Line))
		page.Next = "?" + query.Encode() + "#rows"
	}
	return page, nil
}

// sentence says how an import stands.
func (w *words) sentence(imp *schema.Import, v *importPage) template.HTML {
	s := &v.Summary
	switch imp.State {
	case schema.StateQueued, schema.StatePlanning:
		return w.say("Nobody has been claimed yet: the import waits for its turn.")
	case schema.StateApplying:
		return w.say("%d of %d users are claimed so far.", s.Claimed, s.Rows)
	case schema.StateAwaitingConsent:
		if s.Ready == 0 {
			return w.say("Nobody would be claimed.")
		}
		return w.say("%d of %d users would be claimed. Nobody has been claimed yet.", s.Ready, s.Rows)
	}
	_, sentence := notify.Headline(w.language, imp, s)
	return template.HTML(template.HTMLEscapeString(sentence)) //nolint:gosec // G203: it is escaped
}

// groups returns the reasons for which rows are not claimed, by who must act.
func (w *words) groups(plan *schema.Plan, reasons map[schema.Code]int) (groups []problemGroup) {
	for _, actor := range schema.Actors {
		group := problemGroup{Actor: actor, Title: w.actor(actor)}
		for _, c := range w.counts(reasons) {
			if c.Code.Actor() != actor {
				continue
			}
			found := problem{counted: c, Lines: plan.Problems[c.Code]}
			for _, cause := range plan.Causes {
				if cause.Reason == c.Code && cause.Value != "" && len(found.Causes) < 5 {
					found.Causes = append(found.Causes, cause)
				}
			}
			group.Count += c.Count
			group.Reasons = append(group.Reasons, found)
		}
		if group.Count > 0 {
			groups = append(groups, group)
		}
	}
	return groups
}

func countOf(s *schema.Summary, outcome schema.Outcome) int {
	return map[schema.Outcome]int{
		schema.Ready: s.Ready, schema.Claimed: s.Claimed, schema.Unchanged: s.Unchanged, schema.Skipped: s.Skipped, schema.Invalid: s.Invalid,
		schema.Ineligible: s.Ineligible, schema.Failed: s.Failed, schema.NotAttempted: s.NotAttempted,
	}[outcome]
}

func (w *words) actor(actor schema.Actor) template.HTML {
	switch actor {
	case schema.ActorFile:
		return w.say("To correct in your file")
	case schema.ActorOrganization:
		return w.say("To do in your organization")
	case schema.ActorElsewhere:
		return w.say("To ask of somebody else")
	}
	return w.say("Not reached by this import")
}

// outcome names an outcome, and says what it means.
func (w *words) outcome(outcome schema.Outcome) (label, meaning template.HTML) {
	switch outcome {
	case schema.Ready:
		return w.say("Ready"), w.say("would be claimed")
	case schema.Claimed:
		return w.say("Claimed"), w.say("now belong to you, or will")
	case schema.Unchanged:
		return w.say("Unchanged"), w.say("members, or claimed, before")
	case schema.Skipped:
		return w.say("Skipped"), w.say("left alone, as the file says")
	case schema.Invalid:
		return w.say("Invalid"), w.say("something in the row is wrong")
	case schema.Ineligible:
		return w.say("Ineligible"), w.say("the user cannot be claimed now")
	case schema.Failed:
		return w.say("Failed"), w.say("something broke; try again")
	}
	return w.say("Not attempted"), w.say("their turn has not come")
}

// rowOutcome names the outcome of a single row.
func (w *words) rowOutcome(outcome schema.Outcome) template.HTML {
	switch outcome {
	case schema.Ready:
		return w.say("ready")
	case schema.Claimed:
		return w.say("claimed")
	case schema.Unchanged:
		return w.say("unchanged")
	case schema.Skipped:
		return w.say("skipped")
	case schema.Invalid:
		return w.say("invalid")
	case schema.Ineligible:
		return w.say("ineligible")
	case schema.Failed:
		return w.say("failed")
	}
	return w.say("not attempted")
}

// state names a state, for who has never seen the program.
func (w *words) state(state schema.ImportState) template.HTML {
	switch state {
	case schema.StateQueued:
		return w.say("Waits for its turn")
	case schema.StatePlanning:
		return w.say("Being planned")
	case schema.StateAwaitingConsent:
		return w.say("Waits for your decision")
	case schema.StateApplying:
		return w.say("Under way")
	case schema.StateCompleted:
		return w.say("Done")
	case schema.StateCompletedWithErrors:
		return w.say("Done, with problems")
	case schema.StateRejected:
		return w.say("Rejected")
	case schema.StateCancelled:
		return w.say("Cancelled")
	case schema.StateInterrupted:
		return w.say("Interrupted")
	}
	return w.say("Failed")
}

// bar is how the rows of an import ended, as a picture.
type bar struct {
	Text     string
	Segments []segment
}

// segment is a part of a bar, in thousandths.
type segment struct {
	Outcome  schema.Outcome
	X, Width int
}

// part is so many of those that a bar shows.
type part struct {
	As    schema.Outcome // which it looks like
	Label template.HTML
	Count int
}

func (w *words) bar(s *schema.Summary) bar {
	parts := make([]part, len(schema.Outcomes))
	for i, outcome := range schema.Outcomes {
		label, _ := w.outcome(outcome)
		parts[i] = part{outcome, label, countOf(s, outcome)}
	}
	return w.picture(s.Rows, parts...)
}

// picture draws parts of a whole.
func (w *words) picture(all int, parts ...part) (b bar) {
	const whole = 1000
	var texts []string
	done := 0
	for _, part := range parts {
		if part.Count == 0 || all == 0 {
			continue
		}
		x := done * whole / all
		done += part.Count
		b.Segments = append(b.Segments, segment{part.As, x, max(done*whole/all-x, 2)})
		texts = append(texts, w.number(part.Count)+"\u00a0"+strings.ToLower(string(part.Label)))
	}
	b.Text = strings.Join(texts, ", ")
	return b
}
