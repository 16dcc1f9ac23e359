package report

import (
	"bufio"
	"cmp"
	_ "embed" // the page's parts
	"html/template"
	"slices"
	"strings"
	"sync"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/kept"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/pipeline/words"
	"github.com/claimline/claimline/schema"
)

// The parts of the page. Nothing but the template meets data, and it escapes every cell.
var (
	//go:embed report.html.tmpl
	htmlSource string
	//go:embed report.css
	htmlStyle string
	//go:embed report.js
	htmlScript template.JS

	// Parsed when there is a page to write: most commands write none.
	htmlTemplates = map[words.Language]func() *template.Template{
		words.English: sync.OnceValue(func() *template.Template { return htmlTemplate(words.English) }),
		words.Swedish: sync.OnceValue(func() *template.Template { return htmlTemplate(words.Swedish) }),
	}
)

// htmlTemplate returns the template of the page in a language.
func htmlTemplate(l words.Language) *template.Template {
	return template.Must(template.New("report").Funcs(template.FuncMap{
		"grouped": l.Number, "plain": plain, "lower": strings.ToLower, "t": l.Say, "n": l.Count, "word": func(t schema.ClaimType) string { return l.Format(string(t)) },
		"language": func() words.Language { return l },
	}).Parse(htmlSource))
}

// htmlRows is how many rows a page lists at most: beyond, it would be slow to open, and the CSV is at hand.
const htmlRows = 5000

// htmlReporter writes one page. It keeps what the page lists, and counts the rest, so a million rows need
// little more memory than htmlRows do.
type htmlReporter struct {
	to           *bufio.Writer
	layout       *usersfile.Layout
	onlyProblems bool
	claiming     schema.Organization // blank offline
	policy       schema.Policy
	language     words.Language

	tally     schema.Tally
	own       int // rows that want attention themselves: see schema.Result.Problem
	types     map[schema.ClaimType]int
	warnings  map[string]int // with their detail
	causes    kept.Causes
	edits     edits
	edited    int                       // rows with edits
	services  map[string]map[string]int // licences assigned, by service and claim type
	domains   breakdown
	sources   breakdown       // by source organization, where the file has that column
	verify    breakdown       // by domain: rows whose domain is not verified
	problems  []schema.Result // listed
	others    []schema.Result // listed where the problems leave room
	hasSource bool
}

func newHTMLReporter(to *bufio.Writer, l *usersfile.Layout, onlyProblems bool, claiming schema.Organization, policy schema.Policy, language words.Language) *htmlReporter {
	return &htmlReporter{
		to: to, layout: l, onlyProblems: onlyProblems, claiming: claiming, policy: policy, language: cmp.Or(language, words.English),
		types: map[schema.ClaimType]int{}, warnings: map[string]int{},
		causes: kept.Causes{}, edits: edits{}, services: map[string]map[string]int{}, hasSource: l.Has(usersfile.SourceOrganization),
	}
}

func (r *htmlReporter) rows(c *kept.Rows, numbers []int) error {
	r.tally.Add(kept.Tally(c.Verdicts))
	for i := range c.Verdicts {
		if c.Verdicts[i].IsRow() {
			r.count(c, i)
		}
	}
	for _, i := range numbers {
		r.list(c, i)
	}
	return nil
}

// count counts one row in everything that the page adds up.
func (r *htmlReporter) count(c *kept.Rows, i int) {
	v, line, cells := &c.Verdicts[i], c.Line(i), c.Records.Cells(i)
	address := r.layout.Address(cells)
	domain := domainOf(address)
	r.domains.add(strings.Clone(domain), v.Outcome) // a clone lets go of the chunk's text
	if r.hasSource {
		r.sources.add(strings.Clone(r.source(cells)), v.Outcome)
	}
	if v.Type != "" {
		r.types[v.Type]++
	}
	for _, warning := range v.Warnings {
		r.warnings[warning]++
	}
	for _, service := range v.Licenses {
		if r.services[service] == nil {
			r.services[service] = map[string]int{}
		}
		r.services[service][string(v.Type)]++
	}
	if v.Problem() {
		r.own++
	}
	if len(v.Reasons) == 0 {
		if result := v.Result(line, ""); len(result.Edits) > 0 {
			r.edited++
			for column, values := range result.Edits {
				r.edits.add(column, [2]string{clip(values[0]), clip(values[1])}, line, clip(address))
			}
		}
		return
	}
	reason := v.Reasons[0]
	r.causes.Add(v.Finding, line)
	if reason == schema.CodeDomainNotVerified {
		r.verify.add(strings.Clone(domain), v.Outcome)
	}
}

// list keeps a row for the page: rows with problems before others, and both in file order as far as there is
// room.
func (r *htmlReporter) list(c *kept.Rows, i int) {
	problem := c.Verdicts[i].Problem()
	full := len(r.problems)+len(r.others) == htmlRows
	if full && (!problem || len(r.others) == 0) {
		return
	}
	row := told(c, i, r.language, clip(r.layout.Address(c.Records.Cells(i))))
	if len(row.Edits) > 0 {
		kept := make(schema.Edits, len(row.Edits))
		for column, values := range row.Edits {
			kept[column] = [2]string{clip(values[0]), clip(values[1])}
		}
		row.Edits = kept
	}
	if !problem {
		r.others = append(r.others, row)
		return
	}
	if full {
		r.others = r.others[:len(r.others)-1]
	}
	r.problems = append(r.problems, row)
}

func (r *htmlReporter) end(w Whole) error {
	if err := htmlTemplates[r.language]().Execute(r.to, r.page(w)); err != nil {
		return err
	}
	return r.to.Flush()
}

// source returns the name of the source organization that the record has, trimmed.
func (r *htmlReporter) source(record []string) string {
	column := r.layout.Place(usersfile.SourceOrganization)
	if column < 0 || column >= len(record) {
		return ""
	}
	value, _ := dialect.Clean(record[column])
	if len(value) > schema.MaxAddressBytes {
		value = schema.Shorten(value)
	}
	return value
}

// domainOf returns the domain of an address as its key has it; blank where the address is not valid.
func domainOf(address string) string {
	key, problem := schema.ParseAddress(address)
	if problem != "" {
		return ""
	}
	return schema.KeyDomain(key)
}

// clip returns a copy of a cell that a page can show, which lets go of the chunk's text: whole, unless it is
// longer than any address.
func clip(cell string) string {
	if len(cell) > schema.MaxAddressBytes {
		cell = schema.Shorten(cell)
	}
	return strings.Clone(cell)
}

// listed returns the rows that the page lists, in file order.
func (r *htmlReporter) listed() []schema.Result {
	listed := slices.Concat(r.problems, r.others)
	slices.SortFunc(listed, func(a, b schema.Result) int { return a.Line - b.Line })
	return listed
}
