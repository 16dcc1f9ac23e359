package web_test

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/schema"
)

func TestSchedulePages(t *testing.T) {
	folder, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	s := start(t, options{folders: []string{folder}})
	v := s.signedIn(schema.RoleAdmin, "en").open("/schedules")
	assert.Contains(t, v.says(), "There are no schedules yet.")
	v.open("/schedules?add=yes").press("Check your answers", "name= ", "cron=0 0 30 2 *", "zone=Nowhere", "path=/etc", "max_claims=none", "notify=ops@acme.example, nobody", "encoding=odd", "columns=odd")
	assert.GreaterOrEqual(t, v.status, 400)
	for field, said := range map[string]string{
		"name": "The schedule has no name.", "cron": "never comes", "zone": "There is no such time zone.", "path": "not below a folder",
		"max_claims": "at least one user", "notify": "no e-mail address", "encoding": "No encoding", "columns": "one column a line",
	} {
		assert.Contains(t, v.wrong(field), said)
	}
	for name, kept := range map[string]string{"cron": "0 0 30 2 *", "zone": "Nowhere", "path": "/etc", "max_claims": "none", "notify": "ops@acme.example, nobody"} {
		assert.Equal(t, kept, v.value(name))
	}
	const name = "night #1?"
	v.press("Check your answers", "name="+name, "cron=30 3 * * mon-fri", "zone=Europe/Stockholm", "path="+folder, "max_claims=1,000", "notify=ops@acme.example it@acme.example", "encoding=windows-1252",
		"columns=Mail=User ID/Email (Required)\r\n", "no_edits=yes", "sheet=Users")
	assert.Equal(t, "Check your answers", v.heading())
	assert.Contains(t, v.says(), "The schedule night #1? runs Monday to Friday at 03:30.")
	assert.Contains(t, v.says(), "1,000")
	assert.Regexp(t, `Next times (\w+day \d+ \w+ 20\d\d, 03:30 CES?T ?){3}`, v.says())
	assert.Contains(t, v.says(), "0 files")
	v.press("Change the answers")
	assert.Equal(t, "30 3 * * mon-fri", v.value("cron"))
	v.press("Check your answers").press("Add the schedule")
	assert.Equal(t, http.StatusUnprocessableEntity, v.status, "the box is not ticked")
	assert.Contains(t, v.says(), "Nobody has agreed to the claims yet.")
	_, err = s.store.Schedule(t.Context(), "acme", name)
	require.Equal(t, schema.CodeScheduleNotFound, schema.CodeOf(err))
	v.press("Add the schedule", "accept_permanent=yes")
	assert.Equal(t, name, v.heading())
	assert.Contains(t, v.says(), "It runs next on")
	added, err := s.store.Schedule(t.Context(), "acme", name)
	require.NoError(t, err)
	assert.Equal(t, schema.Schedule{
		ID: added.ID, OrganizationID: "acme", Name: name, Cron: "30 3 * * mon-fri", Zone: "Europe/Stockholm", Dir: folder, MaxClaims: 1000,
		Notify: []string{"ops@acme.example", "it@acme.example"}, Confined: true, ConsentedBy: "admin", ConsentedAt: added.ConsentedAt, NextRunAt: added.NextRunAt,
		Reading: schema.Reading{Encoding: "windows-1252", Sheet: "Users", Columns: []string{"Mail=User ID/Email (Required)"}, NoEdits: true},
	}, added)
	v.open("/schedules?add=yes").press("Check your answers", "name="+name, "cron=@daily", "zone=UTC", "path="+folder, "max_claims=5")
	assert.Equal(t, http.StatusConflict, v.status)
	assert.Contains(t, v.wrong("name"), "There is a schedule night #1? already.")

	at := "/schedules/" + url.PathEscape(name)
	s.editsSchedule(v, at, added)
	v.open(at).press("Pause it")
	assert.Contains(t, v.says(), "The schedule is paused.")
	assert.NotContains(t, v.text, "Run it now")
	v.send(at+"/run", nil)
	assert.Equal(t, schema.CodeScheduleInvalid.Status(), v.status)
	assert.Contains(t, v.says(), "Let it go on first.")
	v.press("Let it go on")
	assert.Contains(t, v.says(), "The schedule goes on.")
	v.press("Run it now")
	assert.Contains(t, v.says(), "The schedule is due now.")
	require.Eventually(t, func() bool { return len(s.runs(name)) == 1 }, waitFor, tick)
	assert.Contains(t, v.open(at).says(), "No new file")

	viewer := s.signedIn(schema.RoleViewer, "sv").open("/schedules")
	assert.Contains(t, viewer.says(), "måndag till fredag kl. 04.00 Europe/Stockholm")
	assert.NotContains(t, viewer.text, "add=yes")
	viewer.open(at)
	for _, hidden := range []string{"/run", "/pause", "/change", "/remove"} {
		assert.NotContains(t, viewer.text, at+hidden)
	}
	assert.Equal(t, http.StatusForbidden, viewer.open("/schedules?add=yes").status)
	assert.Equal(t, http.StatusForbidden, viewer.open(at+"/change").status)
	for _, what := range []string{"/run", "/change", "/pause", "/unpause", "/remove"} {
		assert.Equal(t, http.StatusForbidden, viewer.send(at+what, nil).status, what)
		assert.Equal(t, http.StatusNotFound, v.send("/schedules/nothing"+what, nil).status, what)
	}
	v.open(at + "/remove")
	assert.Equal(t, "Do you want to remove the schedule night #1??", v.heading())
	v.press("Yes, remove the schedule")
	assert.Contains(t, v.says(), "The schedule night #1? is removed.")
	assert.Equal(t, http.StatusNotFound, v.open(at).status)
}

// editsSchedule changes a schedule on its page: its form is filled in as it is, and what could claim more is
// agreed to.
func (s *service) editsSchedule(v *visitor, at string, was schema.Schedule) {
	s.Helper()
	is := func() schema.Schedule {
		found, err := s.store.Schedule(s.Context(), "acme", was.Name)
		require.NoError(s, err)
		return found
	}
	v.open(v.open(at).link("Change it")).press("Check your answers")
	assert.NotContains(s, v.says(), "A claim is permanent.", "nothing is changed")
	v.press("Change the schedule")
	assert.Contains(s, v.says(), "The schedule is changed.")
	require.Equal(s, was, is())

	v.open(at+"/change").press("Check your answers", "cron=never", "path=/etc")
	assert.Contains(s, v.wrong("cron"), "never comes")
	assert.Contains(s, v.wrong("path"), "not below a folder")
	v.press("Check your answers", "cron=0 4 * * mon-fri", "path="+was.Dir, "max_claims=900", "notify=", "sheet=")
	assert.Contains(s, v.says(), "Do you agree?", "another sheet has other users")
	v.press("Change the answers").press("Check your answers", "sheet=Users", "activation_emails=off")
	v.press("Change the schedule")
	was.Cron, was.MaxClaims, was.Notify, was.ActivationEmails, was.NextRunAt = "0 4 * * mon-fri", 900, nil, new(bool), is().NextRunAt
	require.Equal(s, was, is(), "it keeps its name, and who agreed to it")

	v.open(at+"/change").press("Check your answers", "max_claims=2,000", "accept_edits=yes")
	v.press("Change the schedule")
	assert.Equal(s, http.StatusUnprocessableEntity, v.status)
	assert.Equal(s, 900, is().MaxClaims, "the box is not ticked")
	v.press("Change the schedule", "accept_permanent=yes")
	was.MaxClaims, was.AcceptEdits, was.ConsentedAt = 2000, true, is().ConsentedAt
	require.Equal(s, was, is())
}

// runs returns the runs of a schedule.
func (s *service) runs(name string) []schema.ScheduleRun {
	s.Helper()
	runs, err := s.store.Runs(context.WithoutCancel(s.Context()), "acme", name, 0, 0)
	require.NoError(s, err)
	return runs
}

// Runs are shown page by page, and where no folder is named, the page says who has to name one.
func TestRunsPageByPage(t *testing.T) {
	s := start(t, options{idle: true})
	v := s.signedIn(schema.RoleAdmin, "en").open("/schedules?add=yes")
	assert.Contains(t, v.says(), "service.folders")
	require.NoError(t, s.store.AddSchedule(t.Context(), schema.Schedule{
		OrganizationID: "acme", Name: "n", Cron: "@hourly", Zone: "UTC", File: filepath.Join(os.TempDir(), "x.csv"), MaxClaims: 1, ConsentedBy: "x", ConsentedAt: time.Now(),
	}))
	v.open("/schedules/n/change").press("Check your answers", "cron=@daily")
	assert.Contains(t, v.press("Change the schedule").says(), "The schedule is changed.", "a file that was named at a terminal stays")
	v.open("/schedules/n/change").press("Check your answers", "path="+filepath.Join(os.TempDir(), "y.csv"))
	assert.Contains(t, v.wrong("path"), "not below a folder")
	taken, _, err := s.store.TakeSchedule(t.Context(), "acme", "n", "test", time.Minute)
	require.NoError(t, err)
	taken, err = s.store.BeginRun(t.Context(), taken, time.Now())
	require.NoError(t, err)
	for n := range 30 {
		_, err = s.store.NoteRun(t.Context(), taken, schema.ScheduleRun{
			At: time.Date(2026, 1, 1+n, 0, 0, 0, 0, time.UTC), State: schema.RunFailed, Code: schema.CodeFileUnreadable, Message: "Odd.",
		}, 0)
		require.NoError(t, err)
	}
	v.open("/schedules/n")
	assert.Contains(t, v.says(), "30 January 2026")
	assert.NotContains(t, v.says(), " 5 January 2026")
	older := v.link("Older runs")
	v.open("/schedules/n" + older)
	assert.Contains(t, v.says(), " 5 January 2026")
	assert.NotContains(t, v.says(), " 6 January 2026")
	assert.Equal(t, "/schedules/n#runs", v.link("Newest runs"))
}
