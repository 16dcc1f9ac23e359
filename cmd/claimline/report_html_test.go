package main

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

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

func (p reportPage) text() string { return shownText(p.root) }

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// shownText is what a reader sees of the element, with single blanks.
func shownText(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode && d.Parent.Data != "script" && d.Parent.Data != "style" {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
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

// assertBalanced insists that every element that is opened is closed, in the right order: the parser would mend it.
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

// problemsOf are the reasons of a summary that say what went wrong.
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
		outcomes := p.counts(t, "tr", "data-outcome")
		assert.Len(t, outcomes, len(schema.Outcomes), "zero counts are told too")
		sum := 0
		for n := range maps.Values(outcomes) {
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
	assert.Equal(t, summary.Claimed, dry.counts(t, "tr", "data-outcome")["ready"])
	assert.NotContains(t, dry.text(), "full synchronization")
	assert.NotContains(t, done.text(), "nothing was changed")
	assert.Contains(t, done.text(), "must be in the directory before the next full synchronization")
	assert.Equal(t, summary.Claimed, done.counts(t, "tr", "data-outcome")["claimed"])
	assert.Equal(t, problemsOf(summary), done.counts(t, "article", "data-code"))

	for _, want := range s.run(t, "report", "--json").results(t) {
		row := done.rows()[strconv.Itoa(want.Line)]
		require.NotNil(t, row, want.Line)
		assert.Equal(t, string(want.Outcome), attribute(row, "data-outcome"))
		assert.Equal(t, string(want.Reason), attribute(row, "data-reason"))
		said := shownText(row)
		for _, part := range append([]string{string(want.ClaimType), want.Fix, string(want.Reason)}, want.Licenses...) {
			assert.Contains(t, said, part)
		}
	}

	problems := s.run(t, "report", "--format", "html", "--only", "problems")
	require.Zero(t, problems.code, problems.stderr)
	p := parsePage(t, problems.stdout)
	assert.Len(t, p.rows(), summary.Invalid+summary.Ineligible+summary.Failed+summary.NotAttempted)
	assert.Equal(t, done.counts(t, "tr", "data-outcome"), p.counts(t, "tr", "data-outcome"), "the counts are of the whole file")
}

func TestHTMLReportEscapesEveryCell(t *testing.T) {
	t.Parallel()
	attacks := []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `</title><script>alert(1)</script>`,
		`</script><script>alert(1)</script>`, `javascript:alert(1)`, `{{.}}`, "a\u202eb@x.example", `&lt;b&gt;`, "\x01@x.example",
	}
	var file strings.Builder
	fmt.Fprintf(&file, "User ID/Email (Required),Phone Number,%s\n", `"<b onclick=""alert(1)"">col</b>"`)
	for _, attack := range attacks {
		cell := `"` + strings.ReplaceAll(attack, `"`, `""`) + `"`
		fmt.Fprintf(&file, "%s,,\n", cell)
		fmt.Fprintf(&file, "ann%d@x.example,%s,%s\n", len(attack), cell, cell)
	}
	got := claimline(t, "validate", "--offline", "--format", "html", write(t, `<img src=x>.csv`, file.String()))
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
			assert.Contains(t, p.text(), "claimline validate FILE --offline --format csv")
			assert.Equal(t, test.bad, p.counts(t, "tr", "data-outcome")["invalid"])
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
