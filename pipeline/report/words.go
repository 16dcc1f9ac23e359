package report

import (
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/claimline/claimline/pipeline/words"
	"github.com/claimline/claimline/schema"
)

// htmlState is how an import stands, for somebody who has never seen the program.
type htmlState struct {
	Label string // a few words
	Class string // "preview", "good", "mixed" or "bad"
}

func stateWords(l words.Language, state schema.ImportState, dryRun bool) htmlState {
	if dryRun {
		return htmlState{l.Say("Preview: nothing was changed"), "preview"}
	}
	switch state {
	case schema.StateCompleted:
		return htmlState{l.Say("Done"), "good"}
	case schema.StateCompletedWithErrors:
		return htmlState{l.Say("Done, with problems"), "mixed"}
	case schema.StateRejected:
		return htmlState{l.Say("Rejected"), "bad"}
	case schema.StateCancelled:
		return htmlState{l.Say("Cancelled"), "bad"}
	case schema.StateInterrupted:
		return htmlState{l.Say("Interrupted"), "bad"}
	case schema.StateFailed:
		return htmlState{l.Say("Failed"), "bad"}
	case schema.StateApplying:
		return htmlState{l.Say("Under way"), "preview"}
	}
	return htmlState{l.Say("Not started"), "preview"}
}

// headline returns the one sentence that says what happened, or would.
func (r *htmlReporter) headline(w Whole) string {
	if w.Handoff != nil {
		return r.handoffHeadline(w.Handoff)
	}
	l, claimed, ready := r.language, r.tally.Outcomes[schema.Claimed], r.tally.Outcomes[schema.Ready]
	n, of := schema.Number(claimed+ready), usersText(r.tally.Rows)
	var correct schema.Text
	if r.own > 0 {
		correct = schema.SayCount(r.own, "; %s row to correct", "; %s rows to correct")
	}
	switch {
	case w.DryRun && w.Organization == "":
		return l.Count(ready, "%s of %s is in order%s.", "%s of %s are in order%s.", rowsText(r.tally.Rows), correct)
	case w.DryRun && ready == 0:
		return l.Say("Nobody would be claimed: %s.", r.whyNobody())
	case w.DryRun:
		return l.Say("%s of %s would be claimed%s.", n, of, correct)
	}
	waiting := schema.Number(r.tally.Outcomes[schema.NotAttempted])
	switch w.State {
	case schema.StateQueued, schema.StatePlanning:
		return l.Say("Nothing has been claimed yet: the import waits for its turn.")
	case schema.StateAwaitingConsent:
		return l.Say("Nothing has been claimed yet: the import waits for somebody to agree.")
	case schema.StateApplying:
		return l.Say("Claimed %s of %s so far; the import is still running.", n, of)
	}
	if claimed > 0 {
		switch w.State {
		case schema.StateCancelled:
			return l.Say("Claimed %s of %s, then the import was cancelled; %s were not reached%s.", n, of, waiting, correct)
		case schema.StateInterrupted, schema.StateFailed:
			return l.Say("Claimed %s of %s, then the import stopped; %s were not reached%s.", n, of, waiting, correct)
		}
		return l.Say("Claimed %s of %s%s.", n, of, correct)
	}
	why := r.whyNobody()
	switch reason := w.Import.Reason; {
	case reason == schema.CodeAllOrNothing:
		why = schema.SayCount(r.own, "%s row has a problem, and the import was all or nothing", "%s rows have problems, and the import was all or nothing")
	case reason == schema.CodeConsentDeclined || w.State == schema.StateRejected:
		why = schema.Say("nobody agreed to the plan")
	case w.State == schema.StateCancelled:
		why = schema.Say("the import was cancelled first")
	case reason == schema.CodeDirectorySyncEnabled:
		why = schema.Say("directory synchronization was switched on")
	case w.State == schema.StateInterrupted || w.State == schema.StateFailed:
		why = schema.Say("the import stopped first")
	}
	return l.Say("Nothing was claimed: %s.", why)
}

// handoffHeadline returns the one sentence on rows that were handed off.
func (r *htmlReporter) handoffHeadline(h *Handoff) string {
	all := usersText(r.tally.Rows)
	if !h.Verified {
		return r.language.Say("Control Hub accepted %s of %s.", schema.Number(r.tally.Outcomes[schema.Accepted]), all)
	}
	n := r.tally.Outcomes[schema.Claimed]
	var wrong schema.Text
	if n := r.own - (r.tally.Rows - n); n > 0 {
		switch lacking, kept := r.tally.Warnings[schema.CodeLicenseMissing] > 0, r.tally.Warnings[schema.CodeLicenseKept] > 0; {
		case lacking && kept:
			wrong = schema.Say("; %s without a licence that was asked for or with a licence that was to be removed", schema.Number(n))
		case kept:
			wrong = schema.Say("; %s with a licence that was to be removed", schema.Number(n))
		default:
			wrong = schema.Say("; %s without a licence that was asked for", schema.Number(n))
		}
	}
	return r.language.Count(n, "%s of %s is claimed%s.", "%s of %s are claimed%s.", all, wrong)
}

// handoffState says how far a hand-off is.
func (r *htmlReporter) handoffState(h *Handoff) htmlState {
	l := r.language
	switch {
	case !h.Verified:
		return htmlState{l.Say("What Control Hub said"), "preview"}
	case r.own > 0:
		return htmlState{l.Say("Verified, with problems"), "mixed"}
	}
	return htmlState{l.Say("Verified"), "good"}
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
func (r *htmlReporter) whyNobody() schema.Text {
	switch {
	case r.own > 0:
		return schema.SayCount(r.own, "%s row to correct", "%s rows to correct")
	case r.tally.Outcomes[schema.Unchanged] > 0:
		return schema.Say("the users are members, or claimed, already")
	}
	return schema.Say("the file leaves every user alone")
}

func usersText(n int) schema.Text { return schema.SayCount(n, "%s user", "%s users") }

func rowsText(n int) schema.Text { return schema.SayCount(n, "%s row", "%s rows") }

// dates says when accounts join, and until when a claim can be taken back (see R21, R22).
func (r *htmlReporter) dates(w Whole) []string {
	immediate, delayed := r.types[schema.Immediate], r.types[schema.Delayed]
	if w.DryRun && w.Organization == "" || immediate+delayed == 0 || w.Handoff != nil {
		return nil
	}
	l, days := r.language, schema.SayCount(r.policy.DecisionDays, "%s day", "%s days")
	var list []string
	if w.DryRun {
		if immediate > 0 {
			list = append(list, l.Count(immediate, "%s account would join at once. The owners decide about the old accounts at their next sign-in.",
				"%s accounts would join at once. The owners decide about the old accounts at their next sign-in."))
		}
		if delayed > 0 {
			list = append(list, l.Count(delayed, "%s account would join with its content when the owner decides, or by itself after %s.",
				"%s accounts would join with their content when the owner decides, or by themselves after %s.", days))
		}
		return append(list, l.Say("A claim is permanent. It can be taken back for %s, until its owner signs in.", days))
	}
	if immediate > 0 {
		list = append(list, l.Count(immediate, "%s account joined at once. The owners decide about the old accounts at their next sign-in.",
			"%s accounts joined at once. The owners decide about the old accounts at their next sign-in."))
	}
	until := r.untilWords(w.Import)
	if delayed > 0 {
		list = append(list, l.Count(delayed, "%s account joins with its content when the owner decides, or by itself on %s.",
			"%s accounts join with their content when the owner decides, or by themselves on %s.", until))
	}
	return append(list, l.Say("A claim can be taken back until %s, unless its owner signs in first.", until))
}

// untilWords says when the time to decide ends for the claims of an import: its first and its last, where
// they differ.
func (r *htmlReporter) untilWords(imp schema.Import) string {
	first := imp.StartedAt
	if imp.ConsentedAt.After(first) {
		first = imp.ConsentedAt
	}
	from := date(r.language, first.Add(r.policy.DecisionTime()))
	if imp.FinishedAt.IsZero() {
		return from
	}
	if to := date(r.language, imp.FinishedAt.Add(r.policy.DecisionTime())); to != from {
		return r.language.Say("%s (the last one %s)", from, to)
	}
	return from
}

// commands lists what one may want to run next, ready to copy.
func (r *htmlReporter) commands(w Whole) []htmlCommand {
	var list []htmlCommand
	l := r.language
	offer := func(what, command string) { list = append(list, htmlCommand{l.Format(what), command}) }
	if w.Handoff != nil {
		folder := shellWord(w.Handoff.Folder)
		if w.Handoff.Verified {
			return []htmlCommand{{l.Say("See what comes next:"), "claimline handoff status " + folder}}
		}
		return []htmlCommand{{l.Say("See with fresh exports whether it is done:"), "claimline handoff verify " + folder + " --users USERS.csv --claimable CLAIMABLE.csv"}}
	}
	file := shellWord(w.File)
	if w.DryRun {
		offline := ""
		if w.Organization == "" {
			offline = " --offline"
		}
		if r.own > 0 {
			offer("Get the rows with problems as a file:", "claimline validate "+file+offline+" --only problems --format csv -o problems.csv")
		}
		if r.tally.Outcomes[schema.Ready] > 0 && offline == "" {
			offer("Claim the users; you are asked once more:", "claimline import "+file)
		}
		return list
	}
	if stopped := w.State == schema.StateCancelled || w.State == schema.StateInterrupted || w.State == schema.StateFailed; stopped && w.Import.Tally.Outcomes[schema.Ready] > 0 {
		offer("Go on with the import where it stopped:", "claimline resume "+w.ID)
	}
	if r.own > 0 {
		problems := "problems-" + w.ID + ".csv"
		offer("Get the rows with problems as a file, and correct them there:", "claimline report "+w.ID+" --only problems --format csv -o "+problems)
		offer("Import the corrected file:", "claimline import "+problems)
	}
	if r.tally.Outcomes[schema.Claimed] > 0 {
		offer("See which claimed users your directory lacks:", "claimline sync preview DIRECTORY.csv --missing missing.csv")
		if r.policy.RetractByImport {
			offer("See what taking back all claims of this import would do:", "claimline retract --import "+w.ID+" --dry-run")
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
func fixOf(code schema.Code, s schema.Summary) schema.Text {
	if code.OfImport() {
		return code.Cure(s.ID)
	}
	return code.Cure()
}

// actorWords names who must act.
func actorWords(actor schema.Actor) schema.Word {
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
func outcomeLabel(outcome schema.Outcome) schema.Word {
	label := strings.ReplaceAll(string(outcome), "_", " ")
	if label == "" {
		return ""
	}
	return schema.Word(strings.ToUpper(label[:1]) + label[1:])
}

// outcomeWords returns one outcome with the number of its rows, of all those there are.
func outcomeWords(l words.Language, outcome schema.Outcome, rows, of int) htmlOutcome {
	o := htmlOutcome{Outcome: outcome, Label: l.Format(string(outcomeLabel(outcome))), Rows: rows, Share: share(l, rows, of)}
	switch outcome {
	case schema.Ready:
		o.Meaning = l.Say("The user can be claimed.")
	case schema.Claimed:
		o.Meaning = l.Say("The user was claimed.")
	case schema.Unchanged:
		o.Meaning = l.Say("A member, or claimed, before.")
	case schema.Skipped:
		o.Meaning = l.Say("The file says to leave the user alone.")
	case schema.Invalid:
		o.Meaning = l.Say("The row has a mistake in it.")
	case schema.Ineligible:
		o.Meaning = l.Say("The user cannot be claimed now.")
	case schema.Failed:
		o.Meaning = l.Say("Something broke during the claim.")
	case schema.NotAttempted:
		o.Meaning = l.Say("The row's turn did not come.")
	case schema.Accepted:
		o.Meaning = l.Say("Control Hub said nothing against it.")
	case schema.Refused:
		o.Meaning = l.Say("Control Hub refused the row.")
	case schema.ClaimDelayed:
		o.Meaning = l.Say("Claimed; the owner has not decided.")
	case schema.StillClaimable:
		o.Meaning = l.Say("Not claimed, and can still be.")
	case schema.NotFound:
		o.Meaning = l.Say("In none of the fresh exports.")
	case schema.TakenElsewhere:
		o.Meaning = l.Say("Another organization has claimed the user.")
	}
	return o
}

// share returns a part of the rows in percent.
func share(l words.Language, rows, of int) string {
	switch {
	case rows == 0 || of == 0:
		return ""
	case rows*1000 < of:
		return l.Say("under %s", l.Percent(0.1))
	case rows < of && rows*1000 >= of*999:
		return l.Say("over %s", l.Percent(99.9))
	}
	return l.Percent(100 * float64(rows) / float64(of))
}

// facts lists what an auditor wants to know. What is not known is left out.
func (r *htmlReporter) facts(w Whole) []htmlFact {
	var list []htmlFact
	l := r.language
	fact := func(term string, values ...string) {
		values = slices.DeleteFunc(values, func(value string) bool { return value == "" })
		for i, value := range values {
			values[i] = plain(value)
		}
		if len(values) > 0 {
			list = append(list, htmlFact{l.Format(term), values})
		}
	}
	file := w.File
	if file == "-" {
		file = l.Say("Standard input")
	}
	fact("File", file)
	fact("SHA-256 of the file", w.SHA256)
	fact("Rows", l.Number(r.tally.Rows))
	if w.Organization != "" {
		fact("Organization", strings.TrimSpace(r.claiming.Name+" ("+w.Organization+")"))
	}
	switch {
	case w.Handoff != nil:
		fact("Folder", w.Handoff.Folder)
	case w.DryRun:
		fact("State", l.Say("Dry run: nothing was changed"))
	default:
		fact("Import", w.ID)
		fact("State", l.Format(strings.ReplaceAll(string(w.State), "_", " ")))
	}
	fact("Started by", personWords(w.Import.CreatedBy))
	fact("Agreed to by", personWords(w.Import.ConsentedBy))
	fact("Agreed to", date(l, w.Import.ConsentedAt))
	fact("Started", dateOf(l, w.StartedAt))
	fact("Ended", dateOf(l, w.FinishedAt))
	if !w.Import.FinishedAt.IsZero() && r.policy.KeepImports > 0 {
		fact("File and rows are kept until", date(l, w.Import.FinishedAt.Add(r.policy.KeepTime())))
	}
	fact("Mails", r.mails(w)...)
	fact("Options", r.options(w.Order)...)
	fact("Mended while the file was read", repairWords(l, w.Repairs)...)
	fact("Columns that were not understood, and ignored", unknownColumns(l, w.UnknownColumns)...)
	fact("Version of Claimline", w.Import.Version)
	return list
}

func dateOf(l words.Language, t *time.Time) string {
	if t == nil {
		return ""
	}
	return date(l, *t)
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
	l, activation := r.language, r.claiming.ActivationEmails
	if w.Order.ActivationEmails != nil {
		activation = *w.Order.ActivationEmails
	}
	list := []string{l.Count(claims, "%s claim mail recorded", "%s claim mails recorded")}
	if w.DryRun {
		list[0] = l.Count(claims, "%s claim mail would be recorded", "%s claim mails would be recorded")
	}
	switch n := r.types[schema.Immediate]; {
	case !activation:
		return append(list, l.Say("Activation mails were off"))
	case w.DryRun:
		return append(list, l.Count(n, "%s activation mail would be recorded", "%s activation mails would be recorded"))
	default:
		return append(list, l.Count(n, "%s activation mail recorded", "%s activation mails recorded"))
	}
}

// options names what was asked of the import beside the file.
func (r *htmlReporter) options(o schema.Order) []string {
	l := r.language
	var list []string
	if o.AllOrNothing {
		list = append(list, l.Say("All or nothing: one problem, and nobody is claimed"))
	}
	if o.EveryRow {
		list = append(list, l.Say("Every row claims, for the file has no column Claim"))
	}
	if o.NoEdits {
		list = append(list, l.Say("The accounts' data are left alone"))
	}
	if o.Sheet != "" {
		list = append(list, l.Say("The sheet %s of the workbook was read", schema.Shorten(o.Sheet)))
	}
	if o.Encoding != "" {
		list = append(list, l.Say("Read in the encoding %s", o.Encoding))
	}
	for _, header := range slices.Sorted(maps.Keys(o.Columns)) {
		list = append(list, l.Say("The column %s is %s", schema.Shorten(header), schema.Shorten(o.Columns[header])))
	}
	for _, header := range o.IgnoreColumns {
		list = append(list, l.Say("The column %s means nothing", schema.Shorten(header)))
	}
	if r.onlyProblems {
		list = append(list, l.Say("This page lists only rows that need attention"))
	}
	return list
}

// repairWords says what was irregular in a file, and read all the same.
func repairWords(l words.Language, repairs map[schema.Repair]int) []string {
	var list []string
	for _, kind := range schema.Repairs {
		if n := repairs[kind]; n > 0 {
			list = append(list, repairSentence(kind, n).In(l))
		}
	}
	return list
}

func repairSentence(kind schema.Repair, n int) schema.Text {
	switch kind {
	case schema.RepairBOM:
		return schema.Say("An invisible mark at the beginning of the file was left out.")
	case schema.RepairUTF16:
		return schema.Say("The file is written in UTF-16, and was read as such.")
	case schema.RepairWindows1252:
		return schema.Say("The file is written in Windows-1252, and was read as such.")
	case schema.RepairEncoding:
		return schema.Say("The file was read in the encoding that was asked for.")
	case schema.RepairMojibake:
		return schema.SayCount(n, "%s cell had been saved in a wrong encoding. The letters were restored.", "%s cells had been saved in a wrong encoding. The letters were restored.")
	case schema.RepairDelimiter:
		return schema.Say("The cells are not separated by commas. The other separator was recognized.")
	case schema.RepairPreamble:
		return schema.SayCount(n, "%s line above the header left out.", "%s lines above the header left out.")
	case schema.RepairHeaderCleaned:
		return schema.SayCount(n, "%s header read without blanks or characters that do not show.", "%s headers read without blanks or characters that do not show.")
	case schema.RepairHeaderRepeated:
		return schema.SayCount(n, "%s row left out that repeated the header.", "%s rows left out that repeated the header.")
	case schema.RepairEndMark:
		return schema.Say("A mark at the end of the file was left out.")
	case schema.RepairBlankRow:
		return schema.SayCount(n, "%s blank row left out.", "%s blank rows left out.")
	case schema.RepairCellsMissing:
		return schema.SayCount(n, "%s row read with the last cells, which were missing, as blank.", "%s rows read with the last cells, which were missing, as blank.")
	case schema.RepairCellsSurplus:
		return schema.SayCount(n, "%s row read without blank cells beyond the header.", "%s rows read without blank cells beyond the header.")
	case schema.RepairBlanksTrimmed:
		return schema.SayCount(n, "%s cell read without the blanks around the text.", "%s cells read without the blanks around the text.")
	case schema.RepairBooleanWords:
		return schema.SayCount(n, "%s cell read as TRUE or FALSE that said so in other words.", "%s cells read as TRUE or FALSE that said so in other words.")
	case schema.RepairTextFormula:
		return schema.SayCount(n, "%s formula read as the text that it stands for.", "%s formulas read as the text that they stand for.")
	case schema.RepairPhoneSpelling:
		return schema.SayCount(n, "%s phone number read without blanks and signs.", "%s phone numbers read without blanks and signs.")
	case schema.RepairLanguageSpelling:
		return schema.SayCount(n, "%s language read that was spelt with another sign, as in en_US.", "%s languages read that were spelt with another sign, as in en_US.")
	case schema.RepairHiddenSheet:
		return schema.Say("The sheet that was read is hidden in the workbook.")
	case schema.RepairHiddenRow:
		return schema.SayCount(n, "%s row read like the others that the workbook hides.", "%s rows read like the others that the workbook hides.")
	case schema.RepairHiddenColumn:
		return schema.SayCount(n, "%s column read like the others that the workbook hides.", "%s columns read like the others that the workbook hides.")
	case schema.RepairMergedCells:
		return schema.SayCount(n, "%s group of merged cells read: only the first cell of each has content, the others are blank.",
			"%s groups of merged cells read: only the first cell of each has content, the others are blank.")
	}
	return schema.Say("%s %s", schema.Number(n), kind)
}
