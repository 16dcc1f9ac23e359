package web_test

import (
	"cmp"
	"context"
	_ "embed" // the checks of accessibility
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/cmd/claimline/browsertest"
	"github.com/claimline/claimline/schema"
)

//go:embed testdata/axe-4.14.1.min.js
var axe string

// scripts lets pages run their scripts, or not.
func scripts(on bool) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return err
	})
}

// violations says what axe finds wrong with the page.
const violations = `axe.run(document, {resultTypes: ["violations"]}).then((r) => JSON.stringify(r.violations.map((v) =>
	v.id + ": " + v.help + " " + v.nodes.map((n) => n.target.join(" ") + " " + (n.any[0]?.message ?? "")).join("; "))))`

// show opens a page in every way that people have, and requires it to be right in each: it fits, axe finds
// nothing. Pictures go where CLAIMLINE_PICTURES says.
func (s *service) show(ctx context.Context, name, path string) {
	s.Helper()
	evaluate := func(expression string) (text string) {
		s.Helper()
		text, err := chromedp.Run(ctx, chromedp.Evaluate[string](expression, chromedp.EvalAwaitPromise))
		require.NoError(s, err)
		return text
	}
	require.NoError(s, chromedp.Do(ctx, chromedp.Navigate(s.url+path)))
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{360, 800, 1400} {
			require.NoError(s, chromedp.Do(ctx, browsertest.Colours(scheme), chromedp.EmulateViewport(width, 900)))
			over, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
			require.NoError(s, err)
			assert.LessOrEqual(s, over, 0, "%s is too wide at %d pixels", name, width)
			if folder := os.Getenv("CLAIMLINE_PICTURES"); folder != "" {
				picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
				require.NoError(s, err)
				require.NoError(s, os.WriteFile(filepath.Join(folder, fmt.Sprintf("%s-%s-%d.png", name, scheme, width)), picture, 0o600))
			}
			if width == 800 {
				continue
			}
			var wrong []string
			require.NoError(s, json.Unmarshal([]byte(evaluate(axe+"\n;"+violations)), &wrong))
			assert.Empty(s, wrong, "%s, %s, %d pixels", name, scheme, width)
		}
	}
}

func TestPagesInABrowser(t *testing.T) {
	s := start(t, options{})
	ctx := browsertest.Start(t)
	var asked browsertest.Requests
	require.NoError(t, chromedp.Listen(ctx, asked.Listen))
	owners := s.owners()
	for name, o := range map[string]owner{"choose-delayed": owners[schema.Delayed][0], "choose-immediate": owners[schema.Immediate][0]} {
		s.show(ctx, name, o.path)
		s.visit("en").open(o.path).send(o.path, nil)
		s.show(ctx, name+"-choices", o.path)
	}
	s.show(ctx, "ended", "/choose/x")
	s.show(ctx, "sign-in", "/sign-in")
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(s.url+"/sign-in"), chromedp.SendKeys(chromedp.CSS("#token"), s.tokens[schema.RoleAdmin]),
		chromedp.Click(chromedp.CSS("main button")), chromedp.WaitVisible(chromedp.CSS("nav.pages"))))
	text, err := os.ReadFile(filepath.Join(samples, "edited.csv"))
	require.NoError(t, err)
	s.show(ctx, "plan", "/imports/"+s.planned("?file=edited.csv", string(text)).ID)
	s.show(ctx, "new", "/imports/new")
	s.show(ctx, "imports", "/imports")
	s.show(ctx, "done", "/imports/1")
	s.show(ctx, "retract", "/imports/1/retract")
	s.show(ctx, "missing", "/nothing")
	for _, path := range []string{"/", "/claim", "/claim?why=nobody@acme.test", "/users", "/deadlines", "/schedules", "/directory", "/settings"} {
		s.show(ctx, cmp.Or(strings.Trim(strings.ReplaceAll(path, "?", "-"), "/"), "home"), path)
	}
	s.show(ctx, "user", "/users/"+owners[schema.Delayed][1].email())

	for _, url := range asked.URLs() {
		assert.True(t, strings.HasPrefix(url, s.url) || strings.HasPrefix(url, "data:"), url)
	}
}

// Everything but progress that moves is right without scripts, and an import can be followed with them.
func TestImportInABrowser(t *testing.T) {
	s := start(t, options{})
	ctx := browsertest.Start(t)
	file := filepath.Join(t.TempDir(), "good.csv")
	require.NoError(t, os.WriteFile(file, []byte(good(t)), 0o600))
	const main = "main button"
	click := func(selector, then string) chromedp.Action[chromedp.Void] {
		return chromedp.Steps(chromedp.Click(chromedp.CSS(selector)), chromedp.WaitVisible(chromedp.CSS(then)))
	}
	for _, on := range []bool{true, false} {
		require.NoError(t, chromedp.Do(ctx, scripts(on), chromedp.Navigate(s.url+"/sign-in?next=/imports/new"),
			chromedp.SendKeys(chromedp.CSS("#token"), s.tokens[schema.RoleAdmin]), click(main, "#file"),
			chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}), click(main, "#next")))
		plan, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("main")))
		require.NoError(t, err)
		if !on {
			assert.Contains(t, plan, "Unchanged")
			continue
		}
		assert.Contains(t, plan, "20 of 20 users would be claimed.")
		require.NoError(t, chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS("#claims"), "20"), click("section.decide button", ".state.completed")))
		done, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("main")))
		require.NoError(t, err)
		assert.Contains(t, done, "The import claimed 20 of 20 users.")
	}

	owners := s.ownersOf(1) // without scripts, still
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(s.url+owners), click(main, "#new_email"), click("section:last-of-type button", "button.danger"),
		chromedp.Click(chromedp.CSS("button.danger")), chromedp.WaitNotPresent(chromedp.CSS("form[method=post]:not([action])"))))
	assert.Equal(t, http.StatusNotFound, s.visit("en").open(owners).status)
}
