package main

import (
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/claimline/claimline/schema"
)

// reportPage is a report as a browser would read it.
type reportPage struct {
	source string
	root   *html.Node
}

func parsePage(t *testing.T, source string) reportPage {
	t.Helper()
	root, err := html.Parse(strings.NewReader(source))
	require.NoError(t, err)
	return reportPage{source, root}
}

// all lists the elements of this name.
func (p reportPage) all(name string) []*html.Node {
	var found []*html.Node
	for n := range p.root.Descendants() {
		if n.Type == html.ElementNode && n.Data == name {
			found = append(found, n)
		}
	}
	return found
}

// rows lists the rows in the page, by line.
func (p reportPage) rows() map[string]*html.Node {
	found := map[string]*html.Node{}
	for _, tr := range p.all("tr") {
		if line, ok := strings.CutPrefix(attribute(tr, "id"), "line-"); ok {
			found[line] = tr
		}
	}
	return found
}

// counts reads the numbers that elements of this name carry, by what they count.
func (p reportPage) counts(t *testing.T, element, key string) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, n := range p.all(element) {
		if rows := attribute(n, "data-rows"); rows != "" {
			number, err := strconv.Atoi(rows)
			require.NoError(t, err)
			counts[attribute(n, key)] = number
		}
	}
	return counts
}

// has reports whether some element has this id.
func (p reportPage) has(id string) bool {
	for n := range p.root.Descendants() {
		if n.Type == html.ElementNode && attribute(n, "id") == id {
			return true
		}
	}
	return false
}

// facts reads the definition list.
func (p reportPage) facts() map[string]string {
	facts := map[string]string{}
	term := ""
	for n := range p.root.Descendants() {
		switch {
		case n.Type != html.ElementNode:
		case n.Data == "dt":
			term = shownText(n)
		case n.Data == "dd":
			facts[term] = strings.TrimSpace(facts[term] + " " + shownText(n))
		}
	}
	return facts
}

// commands lists what the page offers to copy.
func (p reportPage) commands() (list []string) {
	for _, code := range p.all("code") {
		list = append(list, shownText(code))
	}
	return list
}

func (p reportPage) text() string { return shownText(p.root) }

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// shownText returns what a reader sees of the element, with single blanks.
func shownText(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode && d.Parent.Data != "script" && d.Parent.Data != "style" {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.ReplaceAll(strings.Join(strings.Fields(b.String()), " "), " ,", ",")
}

// selfContained insists that the page is well-formed, fetches nothing, and runs nothing but its own script.
func (p reportPage) selfContained(t *testing.T) {
	t.Helper()
	assertBalanced(t, p.source)
	assert.Len(t, p.all("script"), 1)
	assert.Len(t, p.all("style"), 1)
	for _, name := range []string{"link", "img", "iframe", "object", "embed", "base", "image", "use", "audio", "video"} {
		assert.Empty(t, p.all(name), name)
	}
	for n := range p.root.Descendants() {
		for _, a := range n.Attr {
			assert.False(t, strings.HasPrefix(a.Key, "on"), "%s=%q runs a script", a.Key, a.Val)
			assert.NotContains(t, []string{"src", "srcset", "action", "formaction", "data", "style"}, a.Key)
			if a.Key == "href" {
				assert.True(t, strings.HasPrefix(a.Val, "#"), a.Val)
				assert.True(t, p.has(a.Val[1:]) || strings.HasPrefix(a.Val, "#line-"), "%s leads nowhere", a.Val)
			}
		}
	}
	assert.NotContains(t, shownText(p.all("style")[0])+p.all("style")[0].FirstChild.Data, "url(")
	policy := ""
	for _, meta := range p.all("meta") {
		if attribute(meta, "http-equiv") == "Content-Security-Policy" {
			policy = attribute(meta, "content")
		}
	}
	assert.Contains(t, policy, "default-src 'none'")
	assert.NotContains(t, policy, "unsafe")
}

// assertBalanced insists that every element that is opened is closed, in the right order: the parser would
// mend it.
func assertBalanced(t *testing.T, source string) {
	t.Helper()
	void := map[string]bool{"meta": true, "input": true, "wbr": true}
	var open []string
	tokens := html.NewTokenizer(strings.NewReader(source))
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			require.ErrorIs(t, tokens.Err(), io.EOF)
			assert.Empty(t, open)
			return
		case html.StartTagToken:
			if name, _ := tokens.TagName(); !void[string(name)] {
				open = append(open, string(name))
			}
		case html.EndTagToken:
			name, _ := tokens.TagName()
			require.NotEmpty(t, open, "</%s>", name)
			require.Equal(t, open[len(open)-1], string(name))
			open = open[:len(open)-1]
		default:
		}
	}
}

// plainSentences insists on short sentences, and on words that people outside know.
func (p reportPage) plainSentences(t *testing.T) {
	t.Helper()
	for _, name := range []string{"p", "li", "h1", "h2", "h3", "h4"} {
		for _, n := range p.all(name) {
			for _, sentence := range regexp.MustCompile(`[.!?:]( |$)`).Split(shownText(n), -1) {
				assert.Less(t, len(strings.Fields(sentence)), 25, sentence)
			}
		}
	}
	assert.NotRegexp(t, `(?i)\b(chunk|verdict|tally|lease|overlay|epoch)s?\b`, p.text(), "words of ours")
}

// problemsOf returns the reasons of a summary that say what went wrong.
func problemsOf(s schema.Summary) map[string]int {
	reasons := map[string]int{}
	for code, n := range s.Reasons {
		reasons[string(code)] = n
	}
	return reasons
}

func TestHTMLReportTellsTheWholeImport(t *testing.T) {
	t.Parallel()
	s := newSite(t, filepath.Join(samples, "org"))
	edited := filepath.Join(samples, "edited.csv")

	preview := s.run(t, "validate", "--format", "html", edited)
	require.Equal(t, exitProblems, preview.code, preview.stderr)
	dry := parsePage(t, preview.stdout)
	imported := s.run(t, "import", "--accept-permanent", "-q", "--format", "html", edited)
	require.Equal(t, exitProblems, imported.code, imported.stderr)
	done := parsePage(t, imported.stdout)
	summary := s.run(t, "status", "--json").summary(t)

	for _, p := range []reportPage{dry, done} {
		p.selfContained(t)
		p.plainSentences(t)
		sum := 0
		for outcome, n := range p.counts(t, "li", "data-outcome") {
			assert.Positive(t, n, "%s: what there is nothing of is not shown", outcome)
			sum += n
		}
		assert.Equal(t, summary.Rows, sum, "the counts add up")
		assert.Len(t, p.rows(), summary.Rows)
		assert.Contains(t, p.text(), "Acme AB")
		assert.Contains(t, p.text(), "edited.csv")
		assert.Contains(t, p.text(), "keep the original organization until the owners have chosen; "+
			"deleting it deletes their messages, meetings and recordings for good")
		assert.Contains(t, p.text(), "Notes", "the column that was not understood")
	}
	assert.Contains(t, dry.text(), "nothing was changed")
	assert.Equal(t, summary.Claimed, dry.counts(t, "li", "data-outcome")["ready"])
	assert.NotContains(t, dry.text(), "full synchronization")
	assert.NotContains(t, done.text(), "nothing was changed")
	assert.Contains(t, done.text(), "must be in the directory before the next full synchronization")
	assert.Equal(t, summary.Claimed, done.counts(t, "li", "data-outcome")["claimed"])
	assert.Equal(t, problemsOf(summary), done.counts(t, "tr", "data-code"))

	results := s.run(t, "report", "--json").results(t)
	delayed, domainRows, domainClaimed := 0, 0, 0
	for _, r := range results {
		if r.ClaimType == schema.Delayed {
			delayed++
		}
		if key, _ := schema.ParseAddress(r.Email); strings.HasSuffix(key, "@acme.example") {
			domainRows++
			if r.Outcome == schema.Claimed {
				domainClaimed++
			}
		}
	}
	of := schema.Number(summary.Claimed).String() + " of 1,205 users"
	correct := fmt.Sprintf("; %d rows to correct.", summary.Invalid+summary.Ineligible)
	assert.Equal(t, of+" would be claimed"+correct, shownText(dry.all("h1")[0]))
	assert.Equal(t, "Claimed "+of+correct, shownText(done.all("h1")[0]))
	assert.Contains(t, dry.text(), "It can be taken back for 14 days")
	started := *summary.StartedAt
	assert.Contains(t, done.text(), "A claim can be taken back until "+localDate(started.Add(14*24*time.Hour)))
	assert.Contains(t, done.text(), fmt.Sprint(delayed)+" accounts join with their content when the owner decides, or by themselves on "+localDate(started.Add(14*24*time.Hour)))
	facts := done.facts()
	assert.Equal(t, summary.SHA256, facts["SHA-256 of the file"])
	assert.Equal(t, "Acme AB (acme)", facts["Organization"])
	assert.Equal(t, fmt.Sprintf("%s claim mails recorded %d activation mails recorded", schema.Number(summary.Claimed).String(), summary.Claimed-delayed), facts["Mails"])
	assert.Equal(t, localDate(started), facts["Started"])
	assert.Contains(t, facts["Mended while the file was read"], "3 blank rows left out.")
	assert.NotContains(t, done.text(), "mails sent")

	actors := map[string]string{} // of a reason
	for _, body := range done.all("tbody") {
		for n := range body.Descendants() {
			if code := attribute(n, "data-code"); code != "" {
				actors[code] = attribute(body, "data-actor")
			}
		}
	}
	for code, actor := range actors {
		assert.Equal(t, string(schema.Code(code).Actor()), actor, code)
	}
	assert.Contains(t, done.text(), `1 × "omedelbar" in Claim Type, line 901`)
	assert.Contains(t, done.text(), fmt.Sprintf("acme.example %d of %d claimed · ", domainClaimed, domainRows))
	assert.Contains(t, done.text(), "åkeri.example", "domains as people write them")
	assert.Regexp(t, `Öbergs IT-klubb \d+ of \d+ claimed`, done.text())
	edits := map[string]int{}
	for _, tr := range done.all("tr") {
		if column := attribute(tr, "data-column"); column != "" {
			n, err := strconv.Atoi(attribute(tr, "data-count"))
			require.NoError(t, err)
			edits[column] = n
		}
	}
	assert.Equal(t, summary.Edits, edits)
	assert.Subset(t, done.commands(), []string{
		"claimline report 1 --only problems --format csv -o problems-1.csv", "claimline import problems-1.csv",
		"claimline retract --import 1 --dry-run", "claimline domain verify hooli.example", "claimline report 1 --format csv -o report-1.csv",
	})
	assert.Contains(t, dry.commands(), "claimline import "+edited)

	for _, want := range results {
		row := done.rows()[strconv.Itoa(want.Line)]
		require.NotNil(t, row, want.Line)
		assert.Equal(t, string(want.Outcome), attribute(row, "data-outcome"))
		assert.Equal(t, string(want.Reason), attribute(row, "data-reason"))
		said := shownText(row)
		for _, part := range append([]string{string(want.ClaimType), strings.ReplaceAll(want.Fix, "DOMAIN.", ""), string(want.Reason)}, want.Licenses...) {
			assert.Contains(t, said, part)
		}
	}

	problems := s.run(t, "report", "--format", "html", "--only", "problems")
	require.Zero(t, problems.code, problems.stderr)
	p := parsePage(t, problems.stdout)
	assert.Len(t, p.rows(), summary.Invalid+summary.Ineligible+summary.Failed+summary.NotAttempted)
	assert.Equal(t, done.counts(t, "li", "data-outcome"), p.counts(t, "li", "data-outcome"), "the counts are of the whole file")
}

// localDate returns a moment as the page shows it.
func localDate(t time.Time) string {
	t = t.Local()
	zone := "UTC"
	if _, offset := t.Zone(); offset != 0 {
		zone += strings.TrimSuffix(t.Format("-07:00"), ":00")
	}
	return t.Format("2 January 2006, 15:04 ") + zone
}

func TestHTMLReportOfAnImportThatClaimedNobody(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		flags    []string
		file     string
		headline string
		reason   string
	}{
		"all or nothing": {[]string{"--all-or-nothing"}, "half.csv",
			"Nothing was claimed: 1 row has a problem, and the import was all or nothing.", "all_or_nothing"},
		"only problems": {nil, "one.csv", "Nothing was claimed: 1 row to correct.", "user_not_found"},
		"nobody asked":  {nil, "none.csv", "Nothing was claimed: the file leaves every user alone.", "claim_false"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, filepath.Join(samples, "org"))
			file := test.file
			switch file {
			case "half.csv":
				file = write(t, file, schema.EmailHeader+",Claim\nnobody.at.all@acme.example,TRUE\nadam.ahmed@acme.example,TRUE\n")
			case "one.csv":
				file = write(t, file, schema.EmailHeader+",Claim\nnobody.at.all@acme.example,TRUE\n")
			case "none.csv":
				file = write(t, file, schema.EmailHeader+",Claim\nnobody.at.all@acme.example,FALSE\n")
			}
			s.run(t, append([]string{"import", "--accept-permanent", "-q", file}, test.flags...)...)
			got := s.run(t, "report", "1", "--format", "html")
			require.Zero(t, got.code, got.stderr)
			p := parsePage(t, got.stdout)
			p.selfContained(t)
			p.plainSentences(t)
			assert.Equal(t, test.headline, shownText(p.all("h1")[0]))
			assert.Contains(t, p.counts(t, "tr", "data-code"), test.reason)
			assert.NotContains(t, p.text(), "can be taken back", "there is nothing to take back")
			assert.NotContains(t, p.facts(), "Mails")
			assert.NotContains(t, p.commands(), "claimline retract --import 1 --dry-run")
		})
	}
}

func TestHTMLReportEscapesEveryCell(t *testing.T) {
	t.Parallel()
	attacks := []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `</title><script>alert(1)</script>`,
		`</script><script>alert(1)</script>`, `javascript:alert(1)`, `{{.}}`, "a\u202eb@x.example", `&lt;b&gt;`, "\x01@x.example",
	}
	var file strings.Builder
	fmt.Fprintf(&file, "User ID/Email (Required),Phone Number,Source Organization,%s\n", `"<b onclick=""alert(1)"">col</b>"`)
	for _, attack := range attacks {
		cell := `"` + strings.ReplaceAll(attack, `"`, `""`) + `"`
		fmt.Fprintf(&file, "%s,,,\n", cell)
		fmt.Fprintf(&file, "ann%d@x.example,%s,%s,%s\n", len(attack), cell, cell, cell)
	}
	got := claimline(t, "validate", "--offline", "--format", "html", write(t, "<img src=x>\";}*{}\u202e'$(id).csv", file.String()))
	require.Equal(t, exitProblems, got.code, got.stderr)
	p := parsePage(t, got.stdout)
	p.selfContained(t)
	assert.Empty(t, p.all("b"))
	assert.Len(t, p.rows(), 2*len(attacks))
	assert.Contains(t, shownText(p.rows()["2"]), attacks[0], "what was written is shown, as text")
	assert.Contains(t, shownText(p.rows()["4"]), attacks[1])
	for _, hidden := range []string{"\u202e", "\x01"} {
		assert.NotContains(t, got.stdout, hidden)
	}
	style := p.all("style")[0].FirstChild.Data
	assert.Contains(t, style, `Preview\20 of\20 \3c img\20 src\3d x\3e \22 \3b `, "the name in print cannot leave its quotes")
	for _, command := range p.commands() {
		assert.NotContains(t, command, "$(id)", "a name that cannot be shown is in no command")
	}
	assert.Contains(t, p.text(), "Only the rows themselves were checked")
	assert.NotContains(t, p.text(), "The user can be claimed.", "nobody has looked")
}

func TestHTMLReportStatesItsLimit(t *testing.T) {
	t.Parallel()
	const limit = 5000
	for name, test := range map[string]struct {
		good, bad int
		want      []string
	}{
		"at the limit": {good: 4990, bad: 10, want: []string{"All rows of the file are listed"}},
		"beyond it": {good: 5980, bad: 20, want: []string{
			"lists 5,000 of 6,000 rows", "all 20 rows with problems, and the first 4,980 others"}},
		"problems beyond it": {good: 100, bad: 6000, want: []string{
			"lists 5,000 of 6,100 rows", "the first of 6,000 rows with problems"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var file strings.Builder
			file.WriteString(schema.EmailHeader + "\n")
			for i := range test.good { // the problems stand last, where a mere cut would lose them
				fmt.Fprintf(&file, "good%d@x.example\n", i)
			}
			for i := range test.bad {
				fmt.Fprintf(&file, "bad%d\n", i)
			}
			got := claimline(t, "validate", "--offline", "--format", "html", write(t, "users.csv", file.String()))
			require.Equal(t, exitProblems, got.code, got.stderr)
			p := parsePage(t, got.stdout)
			p.plainSentences(t)
			rows := p.rows()
			assert.Len(t, rows, limit)
			for _, sentence := range test.want {
				assert.Contains(t, p.text(), sentence)
			}
			assert.Regexp(t, `claimline validate \S+users\.csv --offline --format csv`, p.text())
			assert.Equal(t, test.bad, p.counts(t, "li", "data-outcome")["invalid"])
			invalid := 0
			last := 0
			for _, tr := range p.all("tr") {
				if line, ok := strings.CutPrefix(attribute(tr, "id"), "line-"); ok {
					number, err := strconv.Atoi(line)
					require.NoError(t, err)
					assert.Greater(t, number, last, "the rows stand in the order of the file")
					last = number
					if attribute(tr, "data-outcome") == "invalid" {
						invalid++
					}
				}
			}
			assert.Equal(t, min(test.bad, limit), invalid)
		})
	}
}
