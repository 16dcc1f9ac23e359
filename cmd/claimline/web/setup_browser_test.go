package web_test

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/schema"
)

// typed fills a field.
func typed(selector, text string) chromedp.Action[chromedp.Void] {
	return chromedp.SetValue(chromedp.CSS(selector), text)
}

// pressed clicks, and waits for what comes then.
func pressed(selector, then string) chromedp.Action[chromedp.Void] {
	return chromedp.Steps(chromedp.Click(chromedp.CSS(selector)), chromedp.WaitVisible(chromedp.CSS(then)))
}

// reads returns the words that an element shows.
func (s *service) reads(ctx context.Context, selector string) string {
	s.Helper()
	text, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS(selector)))
	require.NoError(s, err)
	return text
}

// playSchedule adds a schedule, runs it, pauses it and removes it, with a mistake on the way.
func (s *service) playSchedule(ctx context.Context, folder string) {
	s.Helper()
	require.NoError(s, os.WriteFile(filepath.Join(folder, "users.csv"), []byte(good(s.T)), 0o600))
	old := time.Now().Add(-time.Hour)
	require.NoError(s, os.Chtimes(filepath.Join(folder, "users.csv"), old, old), "nobody writes it still")
	require.NoError(s, chromedp.Do(ctx, chromedp.Navigate(s.url+"/schedules"), pressed("main a[role=button]", "#cron"),
		typed("#name", "nightly"), typed("#cron", "every night"), typed("#max_claims", "50"), typed("#path", folder),
		pressed("main form button", "#cron_wrong")))
	s.look(ctx, "schedule-mistake")
	require.NoError(s, chromedp.Do(ctx, typed("#cron", "0 3 * * mon-fri"), pressed("main form button", "#accept_permanent")))
	assert.Contains(s, s.reads(ctx, "main"), "nightly runs Monday to Friday at 03:00.")
	s.look(ctx, "schedule-check")
	require.NoError(s, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("#accept_permanent")), pressed("button[value=add]", ".buttons"),
		pressed(".buttons form button", ".notice[role=status]")))
	require.Eventually(s, func() bool {
		runs, err := s.store.Runs(s.Context(), "acme", "nightly", 0, 1)
		require.NoError(s, err)
		return len(runs) == 1 && runs[0].State == schema.RunDone
	}, waitFor, tick)
	s.show(ctx, "schedule", "/schedules/nightly")
	assert.Contains(s, s.reads(ctx, "table"), "Done")
	s.show(ctx, "schedules-one", "/schedules")
	s.show(ctx, "schedule-remove", "/schedules/nightly/remove")
	require.NoError(s, chromedp.Do(ctx, pressed("main form button", ".notice[role=status]")))
	assert.Contains(s, s.reads(ctx, "main"), "The schedule nightly is removed.")
}

// playSettings makes a token, and asks about a domain.
func (s *service) playSettings(ctx context.Context) {
	s.Helper()
	require.NoError(s, chromedp.Do(ctx, chromedp.Navigate(s.url+"/settings"), typed("#newdomain", "bücher.example"),
		pressed("#newdomain ~ button", ".notice[role=status]")))
	s.look(ctx, "settings-domain")
	require.NoError(s, chromedp.Do(ctx, typed("#token_name", "ci"), pressed("form.decide button", "#token")))
	assert.Regexp(s, "^clm_", s.reads(ctx, "#token"))
	require.NoError(s, chromedp.Do(ctx, pressed("button[data-copy]", "button[data-copy]")))
	s.look(ctx, "token")
	require.NoError(s, chromedp.Do(ctx, chromedp.Navigate(s.url+"/settings"), pressed("button[value=claim]", "button.danger")))
	s.look(ctx, "domain-claim")
}

// playDirectory uploads a directory's list.
func (s *service) playDirectory(ctx context.Context) {
	s.Helper()
	list, err := filepath.Abs(filepath.Join(samples, "directory.csv"))
	require.NoError(s, err)
	require.NoError(s, chromedp.Do(ctx, chromedp.Navigate(s.url+"/directory"), chromedp.Click(chromedp.CSS("summary")), typed("#address", "mail"),
		chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{list}), pressed("form[enctype] button", "#rows")))
	s.look(ctx, "directory-preview")
}
