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

// show opens a page, and looks at it in every way that people have.
func (s *service) show(ctx context.Context, name, path string) {
	s.Helper()
	require.NoError(s, chromedp.Do(ctx, chromedp.Navigate(s.url+path)))
	s.look(ctx, name)
}

// look requires the page that is shown to be right at every width, light and dark: it fits, axe finds nothing.
// Pictures go where CLAIMLINE_PICTURES says.
func (s *service) look(ctx context.Context, name string) {
	s.Helper()
	folder := os.Getenv("CLAIMLINE_PICTURES")
	for _, view := range []struct {
		scheme  string
		width   int64
		checked bool // by axe: each scheme and each layout once
	}{{"light", 360, true}, {"light", 800, false}, {"light", 1400, false}, {"dark", 360, false}, {"dark", 1400, true}} {
		if view.scheme == "dark" && !view.checked && folder == "" {
			continue
		}
		require.NoError(s, chromedp.Do(ctx, browsertest.Colours(view.scheme), chromedp.EmulateViewport(view.width, 900)))
		over, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
		require.NoError(s, err)
		assert.LessOrEqual(s, over, 0, "%s is too wide at %d pixels", name, view.width)
		if folder != "" {
			picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
			require.NoError(s, err)
			require.NoError(s, os.WriteFile(filepath.Join(folder, fmt.Sprintf("%s-%s-%d.png", name, view.scheme, view.width)), picture, 0o600))
		}
		if !view.checked {
			continue
		}
		text, err := chromedp.Run(ctx, chromedp.Evaluate[string](axe+"\n;"+violations, chromedp.EvalAwaitPromise))
		require.NoError(s, err)
		var wrong []string
		require.NoError(s, json.Unmarshal([]byte(text), &wrong))
		assert.Empty(s, wrong, "%s, %s, %d pixels", name, view.scheme, view.width)
	}
}

func TestPagesInABrowser(t *testing.T) {
	folder, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	s := start(t, options{folders: []string{folder}})
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
	s.playSchedule(ctx, folder)
	s.playSettings(ctx)
	s.playDirectory(ctx)

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
