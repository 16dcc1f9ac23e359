package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/schema"
)

// browser starts a browser of its own, with an empty profile, that lives as long as the test.
func browser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	require.NoError(t, err, "this test needs the browser Chromium. Run: sudo apt-get install -y chromium")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // against hanging for ever, not a measure
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx,
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true))
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits until the browser has gone, and with it what it writes to its profile
		cancel()
	})
	return ctx
}

// fetched are the addresses that a page asked for.
type fetched struct {
	mutex sync.Mutex
	urls  []string
}

func (f *fetched) listen(event any) {
	if request, ok := event.(*network.EventRequestWillBeSent); ok {
		f.mutex.Lock()
		defer f.mutex.Unlock()
		f.urls = append(f.urls, request.Request.URL)
	}
}

// look is what a person would see of the rows now.
type look struct {
	Lines  []string // of the rows that are visible
	Shown  string
	Over   int // how many pixels the page is too wide
	Forms  bool
	Nobody bool // the words for no row are visible
}

const looking = `({
	Lines: [...document.querySelectorAll("#rows tbody tr")].filter(r => r.checkVisibility()).map(r => r.id.slice(5)),
	Shown: document.getElementById("shown").textContent,
	Over: document.documentElement.scrollWidth - document.documentElement.clientWidth,
	Forms: document.getElementById("filter").checkVisibility(),
	Nobody: document.getElementById("none").checkVisibility(),
})`

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

	ctx := browser(t)
	var asked fetched
	require.NoError(t, chromedp.Listen(ctx, asked.listen))
	open := func(path string) chromedp.Action[chromedp.Void] {
		return chromedp.Navigate((&url.URL{Scheme: "file", Path: path}).String())
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
		wait(`document.getElementById("search").value === "" && !document.querySelector("#rows tbody tr[hidden]")`))

	first := see(open(file))
	assert.Equal(t, all, first.Lines, "at first every row is there")
	assert.True(t, first.Forms)
	assert.Equal(t, "Showing 1,205 of 1,205 rows listed.", first.Shown)

	someone := results[len(results)/2]
	found := see(chromedp.SendKeys(chromedp.CSS("#search"), strings.ToUpper(someone.Email)))
	assert.Contains(t, found.Lines, strconv.Itoa(someone.Line), "the search minds no case")
	assert.Less(t, len(found.Lines), 10)
	assert.Equal(t, fmt.Sprintf("Showing %d of 1,205 rows listed.", len(found.Lines)), found.Shown)

	nobody := see(showAll, chromedp.SendKeys(chromedp.CSS("#search"), "nobody-has-this"))
	assert.Empty(t, nobody.Lines)
	assert.True(t, nobody.Nobody)
	assert.Equal(t, all, see(showAll).Lines)

	choose := func(list, value string) chromedp.Action[chromedp.Void] { // in a drop-down list
		return wait(fmt.Sprintf(`(() => {
			const list = document.getElementById(%q);
			list.value = %q;
			list.dispatchEvent(new Event("input", {bubbles: true}));
			return true;
		})()`, list, value))
	}
	assert.Equal(t, lines(func(r schema.Result) bool { return r.Outcome == schema.Ineligible }), see(choose("outcome", "ineligible")).Lines)
	assert.Equal(t, lines(func(r schema.Result) bool { return r.Reason == schema.CodeSourceSSO }), see(choose("reason", "source_sso")).Lines)
	assert.Empty(t, see(choose("outcome", "claimed")).Lines, "both filters count")
	ofReason := see(showAll, chromedp.Click(chromedp.CSS("[data-show=phone_invalid]")))
	assert.Equal(t, lines(func(r schema.Result) bool { return r.Reason == schema.CodePhoneInvalid }), ofReason.Lines)
	followed := see(chromedp.Click(chromedp.CSS("article[data-code=source_sso] a")),
		wait(`document.querySelector("#rows tbody tr:target")?.checkVisibility()`))
	assert.Equal(t, all, followed.Lines, "a line that was filtered away comes back when it is asked for")

	for _, width := range []int64{375, 768, 1280} {
		for _, path := range []string{file, without} {
			now := see(chromedp.EmulateViewport(width, 800), open(path))
			assert.LessOrEqual(t, now.Over, 0, "the page is too wide at %d pixels", width)
			assert.Equal(t, all, now.Lines)
			assert.Equal(t, path == file, now.Forms, "without its script the page offers no search")
		}
	}

	asked.mutex.Lock()
	defer asked.mutex.Unlock()
	assert.False(t, slices.ContainsFunc(asked.urls, func(url string) bool { return !strings.HasPrefix(url, "file://") }), asked.urls)
	assert.NotEmpty(t, asked.urls)
}
