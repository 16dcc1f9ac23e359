package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html/template"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/net/idna"

	"github.com/claimline/claimline/pipeline/words"
	"github.com/claimline/claimline/schema"
)

// htmlPage is what the template shows.
type htmlPage struct {
	Style                 template.CSS
	Script                template.JS
	StyleHash, ScriptHash string

	schema.Summary
	State    htmlState
	Title    string // of the page: "Import 1 of users.csv"
	Headline string // the one sentence
	By       string // the claiming organization; blank offline
	Dates    []string
	Offline  bool
	Outcomes []htmlOutcome // that there are
	Segments []htmlSegment

	Groups      []htmlGroup  // problems, by who must act
	Quiet       []htmlReason // what is no problem
	Commands    []htmlCommand
	StaysBehind int // claims whose content stays behind
	Licenses    []htmlLicense
	Missing     int // licences

	Edited   int // accounts
	Edits    []columnEdits
	Doubtful []htmlDoubt

	Breakdowns []htmlBreakdown
	Facts      []htmlFact
	List       htmlList
}

// htmlOutcome is one outcome with its rows.
type htmlOutcome struct {
	Outcome schema.Outcome
	Label   string
	Meaning string
	Rows    int
	Share   string
}

// htmlSegment is one outcome in a chart, which is htmlChartWidth wide.
type htmlSegment struct {
	htmlOutcome
	X, Width int
}

// htmlGroup is the problems that one party can mend.
type htmlGroup struct {
	Actor   schema.Actor
	Title   string
	Rows    int
	Reasons []htmlReason
}

// htmlReason is one reason with the rows it is the first of.
type htmlReason struct {
	Code     schema.Code
	Outcome  htmlOutcome
	Message  string
	Fix      string
	Rows     int
	Causes   []htmlCause
	More     int // rows with other causes
	Commands []htmlCommand
	Listed   bool // some row with this reason is listed
}

// htmlCause is what some rows of a reason have in common.
type htmlCause struct {
	schema.Cause
	More int // lines beyond Lines
}

// htmlCommand is a command to copy, and what it is for.
type htmlCommand struct{ What, Command string }

// htmlLicense is what the claims take of one service.
type htmlLicense struct {
	Service                     string
	Immediate, Delayed, Missing int
}

// htmlDoubt is a column of which cells were not written.
type htmlDoubt struct {
	Column string
	Rows   int
}

// htmlBreakdown is how the rows stand, by domain or source organization.
type htmlBreakdown struct {
	ID, Title, Of string
	Parts         []htmlPart
}

// htmlPart is one line of a breakdown.
type htmlPart struct {
	Name     string
	Rows     int
	Done     int // ready or claimed
	Outcomes []htmlOutcome
	Segments []htmlSegment
}

// htmlFact is a term and what belongs to it, one line each.
type htmlFact struct {
	Term   string
	Values []string
}

// htmlList is the rows listed, and what is said of those that are not.
type htmlList struct {
	Rows         []htmlRow
	OnlyProblems bool
	Of           int // rows that would be listed without the limit
	Problems     int // of them with problems
	Listed       int // of these in the page
	Outcomes     []htmlOutcome
	Reasons      []htmlReason
	Command      string // writes them all as CSV
}

// Others returns how many rows without problems are listed.
func (l htmlList) Others() int { return len(l.Rows) - l.Listed }

// htmlRow is one row listed.
type htmlRow struct {
	schema.Result
	Address []string // in the parts between which it may be broken into lines
	Label   string   // of the outcome
	Own     bool     // it wants attention itself
	Also    []string // the messages of the further reasons
	Notes   []string // the messages of the warnings
	Changes []schema.ColumnEdits
}

func (r *htmlReporter) page(w Whole) htmlPage {
	l, s := r.language, w.Summary
	p := htmlPage{
		Script: htmlScript, ScriptHash: digest(string(htmlScript)), Summary: s, State: stateWords(l, s.State, s.DryRun),
		By: plain(cmp.Or(r.claiming.Name, s.Organization)), Offline: s.DryRun && s.Organization == "",
		StaysBehind: s.Warnings[schema.CodeContentNotTransferred], Edited: r.edited, Edits: r.edits.list(),
	}
	p.Rows = r.tally.Rows
	name := plain(filepath.Base(s.File))
	if s.File == "-" {
		name = l.Say("standard input")
	}
	p.Title = l.Say("Import %s of %s", s.ID, name)
	if s.DryRun {
		p.Title = l.Say("Preview of %s", name)
	}
	if w.Handoff != nil {
		p.Title, p.State = l.Say("Hand-off of %s", name), r.handoffState(w.Handoff)
	}
	style := htmlStyle + printTitle(p.Title)
	p.Style, p.StyleHash = template.CSS(style), digest(style) //nolint:gosec // the style's only data are escaped by printTitle
	p.Headline = r.headline(w)
	p.Dates = r.dates(w)
	p.Outcomes = outcomes(l, r.tally.Outcomes, r.tally.Rows)
	if p.Offline { // nothing is known of the users
		for i := range p.Outcomes {
			if p.Outcomes[i].Outcome == schema.Ready {
				p.Outcomes[i].Meaning = l.Say("No mistake was found in the row.")
			}
		}
	}
	p.Segments = segments(p.Outcomes)
	listed := r.listed()
	p.Groups, p.Quiet = r.reasons(w, listed)
	p.Commands = r.commands(w)
	p.Licenses, p.Missing = r.licenses()
	p.Doubtful = r.doubtful()
	p.Breakdowns = r.breakdowns()
	p.Facts = r.facts(w)
	p.List = r.listing(&p, w, listed)
	return p
}

// outcomes lists the outcomes that there are, with the number of their rows, of all those there are.
func outcomes(l words.Language, counts map[schema.Outcome]int, rows int) []htmlOutcome {
	var list []htmlOutcome
	for _, of := range [][]schema.Outcome{schema.Outcomes, schema.HandoffOutcomes} {
		for _, outcome := range of {
			known := slices.ContainsFunc(list, func(o htmlOutcome) bool { return o.Outcome == outcome })
			if n := counts[outcome]; n > 0 && !known {
				list = append(list, outcomeWords(l, outcome, n, rows))
			}
		}
	}
	return list
}

// reasons lists the first reasons of all rows, the most frequent first: problems by who must act, and what is
// none.
func (r *htmlReporter) reasons(w Whole, listed []schema.Result) (groups []htmlGroup, quiet []htmlReason) {
	l := r.language
	var all []htmlReason
	for code, n := range r.tally.Reasons {
		reason := htmlReason{
			Code: code, Outcome: outcomeWords(l, outcomeOf(code, w), n, r.tally.Rows), Message: code.Wrong().In(l), Fix: fixOf(code, w.Summary).In(l),
			Rows: n, More: n, Listed: slices.ContainsFunc(listed, func(row schema.Result) bool { return row.Reason == code }),
		}
		const most = 5
		for _, cause := range r.causes.Of(code) {
			if len(reason.Causes) == most {
				break
			}
			cause.Value = l.Format(cause.Value) // a cell is quoted, and so no word of ours
			reason.Causes = append(reason.Causes, htmlCause{Cause: cause, More: cause.Count - len(cause.Lines)})
			reason.More -= cause.Count
		}
		if code == schema.CodeDomainNotVerified {
			for _, domain := range r.verify.largest(most) {
				if domain.name != "" {
					reason.Commands = append(reason.Commands, htmlCommand{Command: "claimline domain verify " + shellWord(domain.name)})
				}
			}
			reason.Fix = l.Say("Verify the domain, if it is yours:")
		}
		all = append(all, reason)
	}
	slices.SortFunc(all, func(a, b htmlReason) int { return cmp.Or(b.Rows-a.Rows, cmp.Compare(a.Code, b.Code)) })
	if w.Handoff != nil {
		if len(all) > 0 {
			groups = []htmlGroup{{Title: l.Say("Not claimed"), Reasons: all}}
		}
		for _, reason := range all {
			groups[0].Rows += reason.Rows
		}
		return groups, nil
	}
	for _, actor := range schema.Actors {
		group := htmlGroup{Actor: actor, Title: l.Format(string(actorWords(actor)))}
		for _, reason := range all {
			if reason.Code.Actor() == actor {
				group.Rows += reason.Rows
				group.Reasons = append(group.Reasons, reason)
			}
		}
		if group.Rows > 0 {
			groups = append(groups, group)
		}
	}
	for _, reason := range all {
		if reason.Code.Actor() == "" {
			quiet = append(quiet, reason)
		}
	}
	return groups, quiet
}

// licenses lists what the claims take of each service, and how many licences are missing (see R17).
func (r *htmlReporter) licenses() (list []htmlLicense, missing int) {
	services := map[string]*htmlLicense{}
	of := func(service string) *htmlLicense {
		if services[service] == nil {
			services[service] = &htmlLicense{Service: plain(service)}
		}
		return services[service]
	}
	for service, n := range r.services {
		of(service).Immediate, of(service).Delayed = n[string(schema.Immediate)], n[string(schema.Delayed)]
	}
	for warning, n := range r.warnings {
		if service, found := strings.CutPrefix(warning, string(schema.CodeLicenseUnavailable)+":"); found {
			of(service).Missing = n
			missing += n
		}
	}
	for _, service := range slices.Sorted(maps.Keys(services)) {
		list = append(list, *services[service])
	}
	return list, missing
}

// doubtful lists the columns of which cells seem to be damaged (see R17).
func (r *htmlReporter) doubtful() []htmlDoubt {
	var list []htmlDoubt
	for _, warning := range slices.Sorted(maps.Keys(r.warnings)) {
		if column, found := strings.CutPrefix(warning, string(schema.CodeEditDoubtful)+":"); found {
			list = append(list, htmlDoubt{Column: plain(column), Rows: r.warnings[warning]})
		}
	}
	return list
}

// breakdowns lists how the rows stand by domain, and by source organization where the file tells it.
func (r *htmlReporter) breakdowns() []htmlBreakdown {
	l := r.language
	list := []htmlBreakdown{{ID: "domains", Title: l.Say("By domain"), Of: l.Say("Domain"), Parts: parts(l, &r.domains, domainNames)}}
	if r.hasSource {
		named := parts(l, &r.sources, organizationNames)
		list = append(list, htmlBreakdown{ID: "sources", Title: l.Say("By source organization"), Of: l.Say("Source organization"), Parts: named})
	}
	return list
}

// naming says how the names of a breakdown are shown.
type naming struct {
	display    func(string) string
	blank      schema.Word // no name
	rest       schema.Word // all that were not told apart
	one, other string      // how many others there are
}

var (
	domainNames       = naming{displayDomain, "No valid address", "All other domains", "%s other domain", "%s other domains"}
	organizationNames = naming{plain, "None given", "All other organizations", "%s other organization", "%s other organizations"}
)

// parts puts a breakdown into words.
func parts(l words.Language, b *breakdown, names naming) []htmlPart {
	const most = 10
	var list []htmlPart
	for _, of := range b.largest(most) {
		p := htmlPart{
			Rows: of.rows, Done: of.outcomes[schema.Ready] + of.outcomes[schema.Claimed], Outcomes: outcomes(l, of.outcomes, of.rows),
		}
		switch {
		case of.names == 1 && of.name == "":
			p.Name = l.Format(string(names.blank))
		case of.names == 1:
			p.Name = names.display(of.name)
		case of.names == 0:
			p.Name = l.Format(string(names.rest))
		default:
			p.Name = l.Count(of.names, names.one, names.other)
		}
		p.Segments = segments(p.Outcomes)
		list = append(list, p)
	}
	return list
}

// displayDomain returns a domain as people write it.
func displayDomain(domain string) string {
	if unicoded, err := idna.Display.ToUnicode(domain); err == nil {
		domain = unicoded
	}
	return plain(domain)
}

// listing puts the rows to list into words.
func (r *htmlReporter) listing(p *htmlPage, w Whole, listed []schema.Result) htmlList {
	list := htmlList{OnlyProblems: r.onlyProblems, Of: r.tally.Rows, Problems: r.tally.Problems(), Listed: len(r.problems), Command: allRows(w)}
	if w.Handoff != nil {
		list.Problems = r.own
	}
	if r.onlyProblems {
		list.Of = list.Problems
	}
	list.Rows = make([]htmlRow, len(listed))
	for i, result := range listed {
		list.Rows[i] = r.describe(result)
	}
	for _, outcome := range p.Outcomes {
		if slices.ContainsFunc(listed, func(row schema.Result) bool { return row.Outcome == outcome.Outcome }) {
			list.Outcomes = append(list.Outcomes, outcome)
		}
	}
	for _, group := range p.Groups {
		list.Reasons = append(list.Reasons, group.Reasons...)
	}
	list.Reasons = append(list.Reasons, p.Quiet...)
	list.Reasons = slices.DeleteFunc(list.Reasons, func(reason htmlReason) bool { return !reason.Listed })
	return list
}

// describe puts a row into words.
func (r *htmlReporter) describe(result schema.Result) htmlRow {
	row := htmlRow{
		Result: result, Address: strings.SplitAfter(plain(result.Email), "@"), Label: r.language.Format(string(outcomeLabel(result.Outcome))), Own: result.Problem() || result.Outcome.Unfinished(),
	}
	row.Fix = plain(row.Fix)
	for i, reason := range result.Reasons {
		if i > 0 {
			row.Also = append(row.Also, reason.Wrong().In(r.language))
		}
	}
	for _, warning := range result.Warnings {
		code, detail, _ := strings.Cut(warning, ":")
		row.Notes = append(row.Notes, schema.Code(code).Wrong(detail).In(r.language))
	}
	for _, column := range schema.Columns {
		if values, edited := result.Edits[column]; edited {
			row.Changes = append(row.Changes, schema.ColumnEdits{Column: column, Old: values[0], New: values[1]})
		}
	}
	return row
}

// A chart's width, the least width of an outcome in it, without which a few rows among many would not be
// seen, and the gap between two.
const (
	htmlChartWidth = 1000
	htmlChartLeast = 8
	htmlChartGap   = 3
)

// segments lays out a chart: one bar in which each outcome has its share.
func segments(outcomes []htmlOutcome) []htmlSegment {
	var parts []htmlSegment
	rows := 0
	for _, outcome := range outcomes {
		parts = append(parts, htmlSegment{htmlOutcome: outcome})
		rows += outcome.Rows
	}
	room := htmlChartWidth + htmlChartGap - len(parts)*(htmlChartLeast+htmlChartGap)
	x := 0
	for i := range parts {
		parts[i].X, parts[i].Width = x, htmlChartLeast+room*parts[i].Rows/rows
		x += parts[i].Width + htmlChartGap
	}
	return parts
}

// printTitle returns the rule that prints the page's title at the top of every sheet. Every character that is
// neither a letter nor a digit is written as an escape, so the title cannot end the string.
func printTitle(title string) string {
	var b strings.Builder
	for _, char := range schema.Shorten(title) {
		if unicode.IsLetter(char) || unicode.IsDigit(char) {
			b.WriteRune(char)
		} else {
			fmt.Fprintf(&b, `\%x `, char)
		}
	}
	return "\n@page { @top-left { content: \"" + b.String() + "\"; } }\n"
}

// unknownColumns names columns for people: not more, and none longer, than one reads.
func unknownColumns(l words.Language, names []string) []string {
	const most = 50
	columns := make([]string, 0, most+1)
	for _, name := range names[:min(len(names), most)] {
		columns = append(columns, plain(schema.Shorten(name)))
	}
	if more := len(names) - most; more > 0 {
		columns = append(columns, l.Say("and %d more", more))
	}
	return columns
}

// digest returns the hash by which the page's policy knows its own script and style from any other.
func digest(source string) string {
	sum := sha256.Sum256([]byte(source))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// plain returns text of the file as a page may hold it: without what would hide, or turn the text around.
func plain(s string) string { return schema.Printable(strings.ToValidUTF8(s, "�")) }

// date returns a moment to the minute, in the local zone, which it names; blank where there is none.
func date(l words.Language, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	t = t.Local()
	zone := "UTC"
	if _, offset := t.Zone(); offset != 0 {
		zone += strings.TrimSuffix(t.Format("-07:00"), ":00")
	}
	return l.LongMoment(t, zone)
}
