package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/claimline/claimline/schema"
)

// htmlState is how an import stands, for somebody who has never seen the program.
type htmlState struct {
	Label string // a few words
	Class string // "preview", "good", "mixed" or "bad"
}

func stateWords(state schema.ImportState, dryRun bool) htmlState {
	if dryRun {
		return htmlState{"Preview: nothing was changed", "preview"}
	}
	switch state {
	case schema.StateCompleted:
		return htmlState{"Done", "good"}
	case schema.StateCompletedWithErrors:
		return htmlState{"Done, with problems", "mixed"}
	case schema.StateRejected:
		return htmlState{"Rejected", "bad"}
	case schema.StateCancelled:
		return htmlState{"Cancelled", "bad"}
	case schema.StateInterrupted:
		return htmlState{"Interrupted", "bad"}
	case schema.StateFailed:
		return htmlState{"Failed", "bad"}
	case schema.StateApplying:
		return htmlState{"Under way", "preview"}
	}
	return htmlState{"Not started", "preview"}
}

// headline returns the one sentence that says what happened, or would.
func (r *htmlReporter) headline(w Whole) string {
	all, claimed, ready := r.tally.Rows, r.tally.Outcomes[schema.Claimed], r.tally.Outcomes[schema.Ready]
	of := grouped(claimed+ready) + " of " + counted(all, "user")
	if w.Handoff != nil {
		return r.handoffHeadline(w.Handoff)
	}
	correct := ""
	if r.own > 0 {
		correct = "; " + counted(r.own, "row") + " to correct"
	}
	switch {
	case w.DryRun && w.Organization == "":
		return grouped(ready) + " of " + counted(all, "row") + verb(ready, " is", " are") + " in order" + correct + "."
	case w.DryRun && ready == 0:
		return "Nobody would be claimed: " + r.whyNobody() + "."
	case w.DryRun:
		return of + " would be claimed" + correct + "."
	}
	waiting := r.tally.Outcomes[schema.NotAttempted]
	switch w.State {
	case schema.StateQueued, schema.StatePlanning:
		return "Nothing has been claimed yet: the import waits for its turn."
	case schema.StateAwaitingConsent:
		return "Nothing has been claimed yet: the import waits for somebody to agree."
	case schema.StateApplying:
		return "Claimed " + of + " so far; the import is still running."
	}
	if claimed > 0 {
		switch w.State {
		case schema.StateCancelled:
			return "Claimed " + of + ", then the import was cancelled; " + grouped(waiting) + " were not reached" + correct + "."
		case schema.StateInterrupted, schema.StateFailed:
			return "Claimed " + of + ", then the import stopped; " + grouped(waiting) + " were not reached" + correct + "."
		}
		return "Claimed " + of + correct + "."
	}
	why := r.whyNobody()
	switch reason := w.Import.Reason; {
	case reason == schema.CodeAllOrNothing:
		why = counted(r.own, "row") + verb(r.own, " has a problem", " have problems") + ", and the import was all or nothing"
	case reason == schema.CodeConsentDeclined || w.State == schema.StateRejected:
		why = "nobody agreed to the plan"
	case w.State == schema.StateCancelled:
		why = "the import was cancelled first"
	case reason == schema.CodeDirectorySyncEnabled:
		why = "directory synchronization was switched on"
	case w.State == schema.StateInterrupted || w.State == schema.StateFailed:
		why = "the import stopped first"
	}
	return "Nothing was claimed: " + why + "."
}

// handoffHeadline returns the one sentence on rows that were handed off.
func (r *htmlReporter) handoffHeadline(h *Handoff) string {
	all := counted(r.tally.Rows, "user")
	if !h.Verified {
		n := r.tally.Outcomes[schema.Accepted]
		return "Control Hub accepted " + grouped(n) + " of " + all + "."
	}
	n := r.tally.Outcomes[schema.Claimed]
	licenses := ""
	if wrong := r.own - (r.tally.Rows - n); wrong > 0 {
		var how []string
		if r.tally.Warnings[schema.CodeLicenseMissing] > 0 {
			how = append(how, "without a licence that was asked for")
		}
		if r.tally.Warnings[schema.CodeLicenseKept] > 0 {
			how = append(how, "with a licence that was to be removed")
		}
		licenses = "; " + grouped(wrong) + " " + strings.Join(how, " or ")
	}
	return grouped(n) + " of " + all + verb(n, " is", " are") + " claimed" + licenses + "."
}

// handoffState says how far a hand-off is.
func (r *htmlReporter) handoffState(h *Handoff) htmlState {
	switch {
	case !h.Verified:
		return htmlState{"What Control Hub said", "preview"}
	case r.own > 0:
		return htmlState{"Verified, with problems", "mixed"}
	}
	return htmlState{"Verified", "good"}
}

// outcomeOf returns the outcome of rows with this first reason: what Control Hub says of a row refuses it,
// whatever the code is for elsewhere.
func outcomeOf(code schema.Code, w Whole) schema.Outcome {
	if outcome := code.Outcome(); w.Handoff == nil || outcome.Unfinished() {
		return outcome
	}
	return schema.Refused
}

// whyNobody says why a file has nobody to claim in it.
func (r *htmlReporter) whyNobody() string {
	switch {
	case r.own > 0:
		return counted(r.own, "row") + " to correct"
	case r.tally.Outcomes[schema.Unchanged] > 0:
		return "the users are members, or claimed, already"
	}
	return "the file leaves every user alone"
}

func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// dates says when accounts join, and until when a claim can be taken back (see R21, R22).
func (r *htmlReporter) dates(w Whole) []string {
	immediate, delayed := r.types[schema.Immediate], r.types[schema.Delayed]
	if w.DryRun && w.Organization == "" || immediate+delayed == 0 || w.Handoff != nil {
		return nil
	}
	days := counted(r.policy.DecisionDays, "day")
	var list []string
	if w.DryRun {
		if immediate > 0 {
			list = append(list, counted(immediate, "account")+" would join at once. The owners decide about the old accounts at their next sign-in.")
		}
		if delayed > 0 {
			list = append(list, fmt.Sprintf("%s would join with %s content when the owner decides, or by %s after %s.",
				counted(delayed, "account"), verb(delayed, "its", "their"), verb(delayed, "itself", "themselves"), days))
		}
		return append(list, "A claim is permanent. It can be taken back for "+days+", until its owner signs in.")
	}
	if immediate > 0 {
		list = append(list, counted(immediate, "account")+" joined at once. The owners decide about the old accounts at their next sign-in.")
	}
	until := r.untilWords(w.Import)
	if delayed > 0 {
		list = append(list, fmt.Sprintf("%s with %s content when the owner decides, or by %s on %s.",
			counted(delayed, "account")+verb(delayed, " joins", " join"), verb(delayed, "its", "their"), verb(delayed, "itself", "themselves"), until))
	}
	return append(list, "A claim can be taken back until "+until+", unless its owner signs in first.")
}

// untilWords says when the time to decide ends for the claims of an import: its first and its last, where
// they differ.
func (r *htmlReporter) untilWords(imp schema.Import) string {
	first := imp.StartedAt
	if imp.ConsentedAt.After(first) {
		first = imp.ConsentedAt
	}
	from := date(first.Add(r.policy.DecisionTime()))
	if imp.FinishedAt.IsZero() {
		return from
	}
	if to := date(imp.FinishedAt.Add(r.policy.DecisionTime())); to != from {
		return from + " (the last one " + to + ")"
	}
	return from
}

// commands lists what one may want to run next, ready to copy.
func (r *htmlReporter) commands(w Whole) []htmlCommand {
	var list []htmlCommand
	add := func(what, command string) { list = append(list, htmlCommand{what, command}) }
	if w.Handoff != nil {
		folder := shellWord(w.Handoff.Folder)
		if w.Handoff.Verified {
			return []htmlCommand{{"See what comes next:", "claimline handoff status " + folder}}
		}
		return []htmlCommand{{"See with fresh exports whether it is done:", "claimline handoff verify " + folder + " --users USERS.csv --claimable CLAIMABLE.csv"}}
	}
	file := shellWord(w.File)
	if w.DryRun {
		offline := ""
		if w.Organization == "" {
			offline = " --offline"
		}
		if r.own > 0 {
			add("Get the rows with problems as a file:", "claimline validate "+file+offline+" --only problems --format csv -o problems.csv")
		}
		if r.tally.Outcomes[schema.Ready] > 0 && offline == "" {
			add("Claim the users; you are asked once more:", "claimline import "+file)
		}
		return list
	}
	if stopped := w.State == schema.StateCancelled || w.State == schema.StateInterrupted || w.State == schema.StateFailed; stopped && w.Import.Tally.Outcomes[schema.Ready] > 0 {
		add("Go on with the import where it stopped:", "claimline resume "+w.ID)
	}
	if r.own > 0 {
		problems := "problems-" + w.ID + ".csv"
		add("Get the rows with problems as a file, and correct them there:", "claimline report "+w.ID+" --only problems --format csv -o "+problems)
		add("Import the corrected file:", "claimline import "+problems)
	}
	if r.tally.Outcomes[schema.Claimed] > 0 {
		add("See which claimed users your directory lacks:", "claimline sync preview DIRECTORY.csv --missing missing.csv")
		if r.policy.RetractByImport {
			add("See what taking back all claims of this import would do:", "claimline retract --import "+w.ID+" --dry-run")
		}
	}
	return list
}

// allRows returns the command that writes every row as CSV.
func allRows(w Whole) string {
	switch {
	case w.Handoff != nil && w.Handoff.Verified:
		return "claimline handoff verify " + shellWord(w.Handoff.Folder) + " --users USERS.csv --format csv"
	case w.Handoff != nil:
		return "claimline handoff results " + shellWord(w.Handoff.Folder) + " --format csv"
	case w.DryRun && w.Organization == "":
		return "claimline validate " + shellWord(w.File) + " --offline --format csv"
	case w.DryRun:
		return "claimline validate " + shellWord(w.File) + " --format csv"
	}
	return "claimline report " + w.ID + " --format csv -o report-" + w.ID + ".csv"
}

// shellWord returns a name as one word of a command line, which no shell takes for anything else. A name that
// cannot be shown as it is becomes FILE.
func shellWord(name string) string {
	if name == "" || name == "-" || plain(name) != name {
		return "FILE"
	}
	if strings.HasPrefix(name, "-") {
		name = "./" + name
	}
	unsafe := func(char rune) bool {
		return !unicode.IsLetter(char) && !unicode.IsDigit(char) && !strings.ContainsRune("./_-:+", char)
	}
	unquotable := func(char rune) bool { return unsafe(char) && !strings.ContainsRune(` \()'@,`, char) }
	switch {
	case !strings.ContainsFunc(name, unsafe):
		return name
	case !strings.ContainsFunc(name, unquotable) && !strings.Contains(name, `\\`) && !strings.HasSuffix(name, `\`):
		return `"` + name + `"` // every shell of Windows reads that too
	}
	return `'` + strings.ReplaceAll(name, `'`, `'\''`) + `'`
}

// fixOf returns the fix of a reason that many rows have; of what befell the import as a whole it names the
// import.
func fixOf(code schema.Code, s schema.Summary) string {
	if code.OfImport() {
		return code.Fix(s.ID)
	}
	return code.Fix()
}

// actorWords names who must act.
func actorWords(actor schema.Actor) string {
	switch actor {
	case schema.ActorFile:
		return "To correct in your file"
	case schema.ActorOrganization:
		return "To do in your organization"
	case schema.ActorElsewhere:
		return "To ask of somebody else"
	}
	return "Not reached by this import"
}

// outcomeLabel names an outcome.
func outcomeLabel(outcome schema.Outcome) string {
	label := strings.ReplaceAll(string(outcome), "_", " ")
	if label == "" {
		return ""
	}
	return strings.ToUpper(label[:1]) + label[1:]
}

// outcomeWords returns one outcome with the number of its rows, of all those there are.
func outcomeWords(outcome schema.Outcome, rows, of int) htmlOutcome {
	o := htmlOutcome{Outcome: outcome, Label: outcomeLabel(outcome), Rows: rows, Share: share(rows, of)}
	switch outcome {
	case schema.Ready:
		o.Meaning = "The user can be claimed."
	case schema.Claimed:
		o.Meaning = "The user was claimed."
	case schema.Unchanged:
		o.Meaning = "A member, or claimed, before."
	case schema.Skipped:
		o.Meaning = "The file says to leave the user alone."
	case schema.Invalid:
		o.Meaning = "The row has a mistake in it."
	case schema.Ineligible:
		o.Meaning = "The user cannot be claimed now."
	case schema.Failed:
		o.Meaning = "Something broke during the claim."
	case schema.NotAttempted:
		o.Meaning = "The row's turn did not come."
	case schema.Accepted:
		o.Meaning = "Control Hub said nothing against it."
	case schema.Refused:
		o.Meaning = "Control Hub refused the row."
	case schema.ClaimDelayed:
		o.Meaning = "Claimed; the owner has not decided."
	case schema.StillClaimable:
		o.Meaning = "Not claimed, and can still be."
	case schema.NotFound:
		o.Meaning = "In none of the fresh exports."
	case schema.TakenElsewhere:
		o.Meaning = "Another organization has claimed the user."
	}
	return o
}

// share returns a part of the rows in percent.
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

// facts lists what an auditor wants to know. What is not known is left out.
func (r *htmlReporter) facts(w Whole) []htmlFact {
	var list []htmlFact
	add := func(term string, values ...string) {
		values = slices.DeleteFunc(values, func(value string) bool { return value == "" })
		for i, value := range values {
			values[i] = plain(value)
		}
		if len(values) > 0 {
			list = append(list, htmlFact{term, values})
		}
	}
	file := w.File
	if file == "-" {
		file = "Standard input"
	}
	add("File", file)
	add("SHA-256 of the file", w.SHA256)
	add("Rows", grouped(r.tally.Rows))
	if w.Organization != "" {
		add("Organization", strings.TrimSpace(r.claiming.Name+" ("+w.Organization+")"))
	}
	switch {
	case w.Handoff != nil:
		add("Folder", w.Handoff.Folder)
	case w.DryRun:
		add("State", "Dry run: nothing was changed")
	default:
		add("Import", w.ID)
		add("State", strings.ReplaceAll(string(w.State), "_", " "))
	}
	add("Started by", personWords(w.Import.CreatedBy))
	add("Agreed to by", personWords(w.Import.ConsentedBy))
	add("Agreed to", date(w.Import.ConsentedAt))
	add("Started", dateOf(w.StartedAt))
	add("Ended", dateOf(w.FinishedAt))
	if !w.Import.FinishedAt.IsZero() && r.policy.KeepImports > 0 {
		add("File and rows are kept until", date(w.Import.FinishedAt.Add(r.policy.KeepTime())))
	}
	add("Mails", r.mails(w)...)
	add("Options", r.options(w.Order)...)
	add("Mended while the file was read", repairWords(w.Repairs)...)
	add("Columns that were not understood, and ignored", unknownColumns(w.UnknownColumns)...)
	add("Version of Claimline", w.Import.Version)
	return list
}

func dateOf(t *time.Time) string {
	if t == nil {
		return ""
	}
	return date(*t)
}

// personWords returns who did something, as in "root (terminal)" for terminal:root.
func personWords(by string) string {
	how, name, found := strings.Cut(by, ":")
	if !found || name == "" {
		return by
	}
	return name + " (" + how + ")"
}

// mails says how many mails the claims record (see R18).
func (r *htmlReporter) mails(w Whole) []string {
	claims := r.tally.Outcomes[schema.Claimed] + r.tally.Outcomes[schema.Ready]
	if w.Organization == "" || claims == 0 {
		return nil
	}
	activation, recorded := r.claiming.ActivationEmails, " recorded"
	if w.Order.ActivationEmails != nil {
		activation = *w.Order.ActivationEmails
	}
	if w.DryRun {
		recorded = " would be recorded"
	}
	list := []string{counted(claims, "claim mail") + recorded}
	if !activation {
		return append(list, "Activation mails were off")
	}
	return append(list, counted(r.types[schema.Immediate], "activation mail")+recorded)
}

// options names what was asked of the import beside the file.
func (r *htmlReporter) options(o schema.Order) []string {
	var list []string
	if o.AllOrNothing {
		list = append(list, "All or nothing: one problem, and nobody is claimed")
	}
	if o.EveryRow {
		list = append(list, "Every row claims, for the file has no column Claim")
	}
	if o.NoEdits {
		list = append(list, "The accounts' data are left alone")
	}
	if o.Encoding != "" {
		list = append(list, "Read in the encoding "+o.Encoding)
	}
	for _, header := range slices.Sorted(maps.Keys(o.Columns)) {
		list = append(list, fmt.Sprintf("The column %s is %s", schema.Shorten(header), schema.Shorten(o.Columns[header])))
	}
	for _, header := range o.IgnoreColumns {
		list = append(list, "The column "+schema.Shorten(header)+" means nothing")
	}
	if r.onlyProblems {
		list = append(list, "This page lists only rows that need attention")
	}
	return list
}

// repairWords says what was irregular in a file, and read all the same.
func repairWords(repairs map[schema.Repair]int) []string {
	var list []string
	for _, kind := range schema.Repairs {
		if n := repairs[kind]; n > 0 {
			list = append(list, repairSentence(kind, n))
		}
	}
	return list
}

func repairSentence(kind schema.Repair, n int) string {
	switch kind {
	case schema.RepairBOM:
		return "An invisible mark at the beginning of the file was left out."
	case schema.RepairUTF16:
		return "The file is written in UTF-16, and was read as such."
	case schema.RepairWindows1252:
		return "The file is written in Windows-1252, and was read as such."
	case schema.RepairEncoding:
		return "The file was read in the encoding that was asked for."
	case schema.RepairMojibake:
		return counted(n, "cell") + " had been saved in a wrong encoding. The letters were restored."
	case schema.RepairDelimiter:
		return "The cells are not separated by commas. The other separator was recognized."
	case schema.RepairPreamble:
		return counted(n, "line") + " above the header left out."
	case schema.RepairHeaderCleaned:
		return counted(n, "header") + " read without blanks or characters that do not show."
	case schema.RepairHeaderRepeated:
		return counted(n, "row") + " left out that repeated the header."
	case schema.RepairEndMark:
		return "A mark at the end of the file was left out."
	case schema.RepairBlankRow:
		return counted(n, "blank row") + " left out."
	case schema.RepairCellsMissing:
		return counted(n, "row") + " read with the last cells, which were missing, as blank."
	case schema.RepairCellsSurplus:
		return counted(n, "row") + " read without blank cells beyond the header."
	case schema.RepairBlanksTrimmed:
		return counted(n, "cell") + " read without the blanks around the text."
	case schema.RepairBooleanWords:
		return counted(n, "cell") + " read as TRUE or FALSE that said so in other words."
	case schema.RepairTextFormula:
		return counted(n, "formula") + " read as the text that it stands for."
	case schema.RepairPhoneSpelling:
		return counted(n, "phone number") + " read without blanks and signs."
	case schema.RepairLanguageSpelling:
		return counted(n, "language") + " read that was spelt with another sign, as in en_US."
	}
	return counted(n, string(kind))
}
