package pipeline

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	_ "embed" // the page's parts
	"encoding/base64"
	"fmt"
	"html/template"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// The parts of the page. Nothing but the template meets data, and it escapes every cell.
var (
	//go:embed report.html.tmpl
	htmlSource string
	//go:embed report.css
	htmlStyle template.CSS
	//go:embed report.js
	htmlScript template.JS

	htmlTemplate = template.Must(template.New("report").Funcs(template.FuncMap{"grouped": grouped, "plain": plain}).Parse(htmlSource))
)

// htmlRows is how many rows a page lists at most: beyond, it would be slow to open, and the CSV is at hand.
const htmlRows = 5000

// htmlReporter writes one page. It keeps what the page lists, and counts the rest, so a million rows need no more memory
// than htmlRows do.
type htmlReporter struct {
	to           *bufio.Writer
	layout       *usersfile.Layout
	onlyProblems bool
	claiming     schema.Organization // blank offline
	policy       schema.Policy

	tally    schema.Tally
	types    map[schema.ClaimType]int
	warnings map[string]int        // with their detail
	lines    map[schema.Code][]int // the first ones of each reason
	problems []schema.Result       // listed
	others   []schema.Result       // listed where the problems leave room
}

func newHTMLReporter(to *bufio.Writer, l *usersfile.Layout, onlyProblems bool, claiming schema.Organization, policy schema.Policy) *htmlReporter {
	return &htmlReporter{
		to: to, layout: l, onlyProblems: onlyProblems, claiming: claiming, policy: policy,
		types: map[schema.ClaimType]int{}, warnings: map[string]int{}, lines: map[schema.Code][]int{},
	}
}

func (r *htmlReporter) rows(c *chunk, numbers []int) error {
	r.tally.Add(tally(c.verdicts))
	for i := range c.verdicts {
		v := &c.verdicts[i]
		if v.Type != "" {
			r.types[v.Type]++
		}
		for _, warning := range v.Warnings {
			r.warnings[warning]++
		}
		if len(v.Reasons) > 0 && len(r.lines[v.Reasons[0]]) < problemLines {
			r.lines[v.Reasons[0]] = append(r.lines[v.Reasons[0]], c.records.Line(i))
		}
	}
	for _, i := range numbers {
		r.list(c, i)
	}
	return nil
}

// list keeps a row for the page: rows with problems before others, and both in file order as far as there is room.
func (r *htmlReporter) list(c *chunk, i int) {
	problem := c.verdicts[i].Outcome.Problem()
	full := len(r.problems)+len(r.others) == htmlRows
	if full && (!problem || len(r.others) == 0) {
		return
	}
	address := r.layout.Address(c.records.Cells(i))
	if len(address) > schema.MaxAddressBytes {
		address = schema.Shorten(address)
	}
	row := c.verdicts[i].result(c.records.Line(i), strings.Clone(address)) // a clone lets go of the chunk's text
	if !problem {
		r.others = append(r.others, row)
		return
	}
	if full {
		r.others = r.others[:len(r.others)-1]
	}
	r.problems = append(r.problems, row)
}

func (r *htmlReporter) end(s schema.Summary) error {
	if err := htmlTemplate.Execute(r.to, r.page(s)); err != nil {
		return err
	}
	return r.to.Flush()
}

// htmlPage is what the template shows.
type htmlPage struct {
	Style                 template.CSS
	Script                template.JS
	StyleHash, ScriptHash string

	schema.Summary
	State        htmlState
	Name         string // of the file, without its folder
	Organization string
	Started      string
	Finished     string
	Offline      bool
	DecisionDays int
	Rows         int
	Outcomes     []htmlOutcome
	Segments     []htmlSegment
	Immediate    int // claims
	Delayed      int
	Problems     []htmlReason // what wants attention
	Quiet        []htmlReason // what does not
	StaysBehind  int          // claims whose content stays behind
	Licenses     []htmlLicense
	Repairs      []string
	Unknown      []string
	List         htmlList
}

// htmlOutcome is one line of the counts.
type htmlOutcome struct {
	Outcome schema.Outcome
	Label   string
	Meaning string
	Rows    int
	Share   string
}

// htmlSegment is one outcome in the chart, which is htmlChartWidth wide.
type htmlSegment struct {
	htmlOutcome
	X, Width int
}

// htmlReason is one reason with the rows it is the first of.
type htmlReason struct {
	Code    schema.Code
	Outcome htmlOutcome
	Message string
	Fix     string
	Rows    int
	Lines   []int
	More    int // lines beyond Lines
}

// htmlLicense is a service of which some claims got no licence.
type htmlLicense struct {
	Service string
	Rows    int
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

// Others is how many rows without problems are listed.
func (l htmlList) Others() int { return len(l.Rows) - l.Listed }

// htmlRow is one row listed.
type htmlRow struct {
	schema.Result
	Address []string // in the parts between which it may be broken into lines
	Label   string   // of the outcome
	Also    []string // the messages of the further reasons
	Notes   []string // the messages of the warnings
}

func (r *htmlReporter) page(s schema.Summary) htmlPage {
	p := htmlPage{
		Style: htmlStyle, Script: htmlScript, StyleHash: digest(string(htmlStyle)), ScriptHash: digest(string(htmlScript)),
		Summary: s, State: stateWords(s), Name: plain(filepath.Base(s.File)), Organization: plain(cmp.Or(r.claiming.Name, s.Organization)),
		Started: date(s.StartedAt), Finished: date(s.FinishedAt), Offline: s.DryRun && s.Organization == "",
		DecisionDays: r.policy.DecisionDays, Rows: r.tally.Rows, Immediate: r.types[schema.Immediate], Delayed: r.types[schema.Delayed],
		StaysBehind: s.Warnings[schema.CodeContentNotTransferred], Repairs: repairWords(s.Repairs),
	}
	if s.File == "-" {
		p.Name = "Standard input"
	}
	for _, outcome := range schema.Outcomes {
		p.Outcomes = append(p.Outcomes, outcomeWords(outcome, r.tally.Outcomes[outcome], r.tally.Rows))
	}
	if p.Offline { // nothing is known of the users
		p.Outcomes[slices.Index(schema.Outcomes, schema.Ready)].Meaning = "No mistake was found in the row."
		p.Immediate, p.Delayed = 0, 0
	}
	p.Segments = segments(p.Outcomes)
	for _, reason := range r.reasons() {
		if reason.Outcome.Outcome.Problem() {
			p.Problems = append(p.Problems, reason)
		} else {
			p.Quiet = append(p.Quiet, reason)
		}
	}
	for _, warning := range slices.Sorted(maps.Keys(r.warnings)) {
		if service, found := strings.CutPrefix(warning, string(schema.CodeLicenseUnavailable)+":"); found {
			p.Licenses = append(p.Licenses, htmlLicense{Service: plain(service), Rows: r.warnings[warning]})
		}
	}
	p.Unknown = unknownColumns(s.UnknownColumns)
	p.List = r.listing(&p)
	return p
}

// reasons are the first reasons of all rows, the most frequent first.
func (r *htmlReporter) reasons() []htmlReason {
	var reasons []htmlReason
	for code, n := range r.tally.Reasons {
		lines := r.lines[code]
		reasons = append(reasons, htmlReason{
			Code: code, Outcome: outcomeWords(code.Outcome(), n, r.tally.Rows), Message: code.Message(""), Fix: code.Fix(),
			Rows: n, Lines: lines, More: n - len(lines),
		})
	}
	slices.SortFunc(reasons, func(a, b htmlReason) int { return cmp.Or(b.Rows-a.Rows, cmp.Compare(a.Code, b.Code)) })
	return reasons
}

// listing puts the rows to list into file order, and into words.
func (r *htmlReporter) listing(p *htmlPage) htmlList {
	l := htmlList{OnlyProblems: r.onlyProblems, Of: r.tally.Rows, Listed: len(r.problems)}
	switch {
	case p.Offline:
		l.Command = "claimline validate FILE --offline --format csv"
	case p.DryRun:
		l.Command = "claimline validate FILE --format csv"
	default:
		l.Command = "claimline report " + p.ID + " --format csv"
	}
	for outcome, n := range r.tally.Outcomes {
		if outcome.Problem() {
			l.Problems += n
		}
	}
	if r.onlyProblems {
		l.Of = l.Problems
	}
	listed := slices.Concat(r.problems, r.others)
	slices.SortFunc(listed, func(a, b schema.Result) int { return a.Line - b.Line })
	l.Rows = make([]htmlRow, len(listed))
	for i, result := range listed {
		l.Rows[i] = describe(result)
	}
	for _, outcome := range p.Outcomes {
		if slices.ContainsFunc(listed, func(row schema.Result) bool { return row.Outcome == outcome.Outcome }) {
			l.Outcomes = append(l.Outcomes, outcome)
		}
	}
	for _, reason := range slices.Concat(p.Problems, p.Quiet) {
		if slices.ContainsFunc(listed, func(row schema.Result) bool { return row.Reason == reason.Code }) {
			l.Reasons = append(l.Reasons, reason)
		}
	}
	return l
}

// describe puts a row into words.
func describe(result schema.Result) htmlRow {
	row := htmlRow{Result: result, Address: strings.SplitAfter(plain(result.Email), "@"), Label: outcomeWords(result.Outcome, 0, 0).Label}
	for i, reason := range result.Reasons {
		if i > 0 {
			row.Also = append(row.Also, reason.Message(""))
		}
	}
	for _, warning := range result.Warnings {
		code, detail, _ := strings.Cut(warning, ":")
		row.Notes = append(row.Notes, schema.Code(code).Message(detail))
	}
	return row
}

// The chart's width, the least width of an outcome in it, without which a few rows among many would not be seen, and the
// gap between two.
const (
	htmlChartWidth = 1000
	htmlChartLeast = 8
	htmlChartGap   = 3
)

// segments lays out the chart: one bar in which each outcome has its share.
func segments(outcomes []htmlOutcome) []htmlSegment {
	var parts []htmlSegment
	rows := 0
	for _, outcome := range outcomes {
		if outcome.Rows > 0 {
			parts = append(parts, htmlSegment{htmlOutcome: outcome})
			rows += outcome.Rows
		}
	}
	room := htmlChartWidth + htmlChartGap - len(parts)*(htmlChartLeast+htmlChartGap)
	x := 0
	for i := range parts {
		parts[i].X, parts[i].Width = x, htmlChartLeast+room*parts[i].Rows/rows
		x += parts[i].Width + htmlChartGap
	}
	return parts
}

// unknownColumns names columns for people: not more, and none longer, than one reads.
func unknownColumns(names []string) []string {
	const most = 50
	columns := make([]string, 0, most+1)
	for _, name := range names[:min(len(names), most)] {
		columns = append(columns, plain(schema.Shorten(name)))
	}
	if more := len(names) - most; more > 0 {
		columns = append(columns, fmt.Sprintf("and %d more", more))
	}
	return columns
}

// digest is the hash by which the page's policy knows its own script and style from any other.
func digest(source string) string {
	sum := sha256.Sum256([]byte(source))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// plain is text of the file as a page may hold it: without what would hide, or turn the text around.
func plain(s string) string { return schema.Printable(strings.ToValidUTF8(s, "�")) }

// grouped is a number with its thousands told apart.
func grouped(n int) string {
	s := itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func date(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format("2 January 2006, 15:04 UTC")
}
