package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/cmd/claimline/browsertest"
	"github.com/claimline/claimline/schema"
)

// look is what a person would see of the rows now.
type look struct {
	Lines  []string // of the rows that are visible
	Shown  string
	Over   int // how many pixels the page is too wide
	Forms  bool
	Nobody bool // the words for no row are visible
	Hash   string
	Copies int // buttons to copy a command that are visible
}

const looking = `({
	Lines: [...document.querySelectorAll("#rows tbody tr")].filter(r => r.checkVisibility()).map(r => r.id.slice(5)),
	Shown: document.getElementById("shown").textContent,
	Over: document.documentElement.scrollWidth - document.documentElement.clientWidth,
	Forms: document.getElementById("filter").checkVisibility(),
	Nobody: document.getElementById("none").checkVisibility(),
	Hash: decodeURIComponent(location.hash.replaceAll("+", " ")),
	Copies: [...document.querySelectorAll(".copy")].filter(b => b.checkVisibility()).length,
})`

// faintTexts lists the texts above the rows whose contrast with what is behind them is below 4.5, as WCAG AA
// wants it.
const faintTexts = `(() => {
	globalThis.colour = (css) => (css.match(/[\d.]+/g) || []).map(Number);
	globalThis.luminance = ([r, g, b]) => [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
		.reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
	const behind = (e) => {
		for (; e; e = e.parentElement) {
			const c = colour(getComputedStyle(e).backgroundColor);
			if (c.length === 3 || c[3] > 0) return c;
		}
		return [255, 255, 255];
	};
	return [...document.querySelectorAll("main *, footer *")]
		.filter((e) => !e.closest("#rows tbody tr:nth-child(n+50)") && e.checkVisibility() && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
		.filter((e) => {
			const [a, b] = [luminance(colour(getComputedStyle(e).color)), luminance(behind(e))].sort((x, y) => y - x);
			return (a + 0.05) / (b + 0.05) < 4.5;
		}).map((e) => e.textContent);
})()`

func TestHTMLReportInABrowser(t *testing.T) {
	t.Parallel()
	s := newSite(t, filepath.Join(samples, "org"))
	file := filepath.Join(t.TempDir(), "report.html")
	imported := s.run(t, "import", "--accept-permanent", "-q", "--format", "html", "-o", file, filepath.Join(samples, "edited.csv"))
	require.Equal(t, exitProblems, imported.code, imported.stderr)
	results := s.run(t, "report", "--json").results(t)
	lines := func(which func(schema.Result) bool) (list []string) {
		for _, r := range results {
			if which(r) {
				list = append(list, strconv.Itoa(r.Line))
			}
		}
		return list
	}
	all := lines(func(schema.Result) bool { return true })
	source, err := os.ReadFile(file)
	require.NoError(t, err)
	without := filepath.Join(t.TempDir(), "without.html") // the page as a browser shows it that runs no script
	cut := regexp.MustCompile(`(?s)<script>.*</script>`).ReplaceAll(source, nil)
	require.NoError(t, os.WriteFile(without, cut, 0o600))

	ctx := browsertest.Start(t)
	var asked browsertest.Requests
	require.NoError(t, chromedp.Listen(ctx, asked.Listen))
	open := func(path string) chromedp.Action[chromedp.Void] {
		return chromedp.Navigate((&url.URL{Scheme: "file", Path: path}).String())
	}
	openAt := func(path, hash string) chromedp.Action[chromedp.Void] {
		return chromedp.Navigate((&url.URL{Scheme: "file", Path: path}).String() + hash)
	}
	see := func(steps ...chromedp.Action[chromedp.Void]) look {
		t.Helper()
		require.NoError(t, chromedp.Do(ctx, steps...))
		now, err := chromedp.Run(ctx, chromedp.Evaluate[look](looking))
		require.NoError(t, err)
		return now
	}
	wait := func(condition string) chromedp.Action[chromedp.Void] {
		return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			_, err := chromedp.Poll[bool](condition)(ctx, target)
			return err
		})
	}
	showAll := chromedp.Steps(chromedp.Click(chromedp.CSS("#filter button[type=reset]")),
		wait(`location.hash === "#show=all" && !document.getElementById("more").hidden`))

	problems := lines(func(r schema.Result) bool { return r.Outcome.Problem() })
	require.NotEmpty(t, problems)

	first := see(open(file))
	assert.Equal(t, problems, first.Lines, "at first the rows with problems are there")
	assert.True(t, first.Forms)
	assert.Positive(t, first.Copies)
	assert.Equal(t, fmt.Sprintf("Showing %d of 1,205 rows listed.", len(problems)), first.Shown)
	some := see(showAll)
	assert.Equal(t, all[:500], some.Lines, "not more than a browser shows quickly")
	assert.Equal(t, "Showing 500 of 1,205 rows listed; 705 more match.", some.Shown)
	more := chromedp.Click(chromedp.CSS("#more"))
	assert.Equal(t, all[:1000], see(more).Lines)
	assert.Equal(t, all, see(more, wait(`document.getElementById("more").hidden`)).Lines)
	printed := see(showAll, wait(`window.dispatchEvent(new Event("beforeprint"))`))
	assert.Equal(t, all, printed.Lines, "what is printed is whole")
	assert.Equal(t, all[:500], see(wait(`window.dispatchEvent(new Event("afterprint"))`)).Lines)

	someone := results[len(results)/2]
	found := see(chromedp.SendKeys(chromedp.CSS("#search"), strings.ToUpper(someone.Email)))
	assert.Contains(t, found.Lines, strconv.Itoa(someone.Line), "the search minds no case")
	assert.Less(t, len(found.Lines), 10)
	assert.Equal(t, "#show=all&search="+strings.ToUpper(someone.Email), found.Hash)
	assert.Equal(t, fmt.Sprintf("Showing %d of 1,205 rows listed.", len(found.Lines)), found.Shown)

	nobody := see(showAll, chromedp.SendKeys(chromedp.CSS("#search"), "nobody-has-this"))
	assert.Empty(t, nobody.Lines)
	assert.True(t, nobody.Nobody)
	assert.Equal(t, all[:500], see(showAll).Lines)

	choose := func(list, value string) chromedp.Action[chromedp.Void] { // in a drop-down list
		return wait(fmt.Sprintf(`(() => {
			const list = document.getElementById(%q);
			list.value = %q;
			list.dispatchEvent(new Event("input", {bubbles: true}));
			return true;
		})()`, list, value))
	}
	assert.Equal(t, lines(func(r schema.Result) bool { return r.Outcome == schema.Ineligible }), see(choose("show", "ineligible")).Lines)
	assert.Equal(t, lines(func(r schema.Result) bool { return r.Reason == schema.CodeSourceSSO }), see(choose("reason", "source_sso")).Lines)
	assert.Empty(t, see(choose("show", "claimed")).Lines, "both filters count")

	// The address keeps the filter: whoever opens it sees the same rows.
	ofReason := lines(func(r schema.Result) bool { return r.Reason == schema.CodePhoneInvalid })
	clicked := see(showAll, chromedp.Click(chromedp.CSS("tr[data-code=phone_invalid] [data-filter]")),
		wait(`document.getElementById("reason").value === "phone_invalid"`))
	assert.Equal(t, ofReason, clicked.Lines)
	assert.Equal(t, "#show=all&reason=phone_invalid", clicked.Hash)
	for hash, want := range map[string][]string{
		clicked.Hash:                       ofReason,
		"#show=skipped":                    lines(func(r schema.Result) bool { return r.Outcome == schema.Skipped }),
		"#show=all&search=nobody+has-this": nil,
		"#show=nonsense&reason=nonsense":   all[:500],
		"#line-" + all[1100]:               all,
		"#problems":                        problems,
	} {
		now := see(chromedp.Navigate("about:blank"), openAt(file, hash))
		assert.ElementsMatch(t, want, now.Lines, hash)
		assert.LessOrEqual(t, now.Over, 0)
	}
	followed := see(chromedp.Navigate("about:blank"), open(file), chromedp.Click(chromedp.CSS("tr[data-code=already_member] .causes a")),
		wait(`document.querySelector("#rows tbody tr:target")?.checkVisibility()`))
	assert.Equal(t, all[:500], followed.Lines, "a line that was filtered away comes back when it is asked for")

	long := strings.Repeat("x", 200) // without a place to break it
	wide := filepath.Join(t.TempDir(), long+".html")
	unbroken := write(t, long+".csv", "User ID/Email (Required),Phone Number,Source Organization,"+long+"\n"+
		long+"@x.example,"+long+","+long+",\n"+strings.Repeat("y.", 60)+"@"+strings.Repeat("z.", 60)+"example,,"+long+",\n")
	require.Equal(t, exitProblems, claimline(t, "validate", "--offline", "--format", "html", "-o", wide, unbroken).code)
	assert.LessOrEqual(t, see(chromedp.EmulateViewport(360, 800), open(wide)).Over, 0, "the page is too wide for long words")

	for _, width := range []int64{360, 800, 1400} {
		for path, want := range map[string][]string{file: problems, without: all} {
			now := see(chromedp.EmulateViewport(width, 800), open(path))
			assert.LessOrEqual(t, now.Over, 0, "the page is too wide at %d pixels", width)
			assert.Equal(t, want, now.Lines)
			assert.Equal(t, path == file, now.Forms, "without its script the page offers no search")
			assert.Equal(t, path == file, now.Copies > 0, "nor to copy")
		}
	}

	for scheme, dark := range map[string]bool{"light": false, "dark": true} {
		require.NoError(t, chromedp.Do(ctx, open(file), browsertest.Colours(scheme)))
		faint, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](faintTexts))
		require.NoError(t, err)
		assert.Empty(t, faint, "texts with too little contrast, %s", scheme)
		black, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`luminance(colour(getComputedStyle(document.body).backgroundColor)) < 0.2`))
		require.NoError(t, err)
		assert.Equal(t, dark, black)
	}

	urls := asked.URLs()
	assert.False(t, slices.ContainsFunc(urls, func(url string) bool { return !strings.HasPrefix(url, "file://") }), urls)
	assert.NotEmpty(t, urls)
}
