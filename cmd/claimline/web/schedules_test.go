package web_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/cmd/claimline/web/api"
	"github.com/claimline/claimline/cmd/claimline/web/desk"
	"github.com/claimline/claimline/schema"
)

func TestSchedules(t *testing.T) {
	folder, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	file := filepath.Join(folder, "users.csv")
	s := start(t, options{folders: []string{folder}})
	admin := s.tokens[schema.RoleAdmin]
	add := func(body string) answered { return s.post("/schedules", body, admin) }
	body := func(path, more string) string {
		return fmt.Sprintf(`{"name":"nightly","cron":"0 3 * * *","zone":"Europe/Stockholm","file":%q,"dir":null,"max_claims":50%s}`, path, more)
	}
	for text, want := range map[string]schema.Code{
		body(file, ""): schema.CodeConsentMissing, body("/etc/passwd", `,"accept_permanent":true`): schema.CodePathNotAllowed,
		body(folder+"/../users.csv", `,"accept_permanent":true`):                                  schema.CodePathNotAllowed,
		strings.Replace(body(file, `,"accept_permanent":true`), "0 3 * * *", "0 0 30 2 *", 1):     schema.CodeCronInvalid,
		strings.Replace(body(file, `,"accept_permanent":true`), "Europe/Stockholm", "Nowhere", 1): schema.CodeZoneUnknown,
		`{"name":"nightly"}`: schema.CodeRequestInvalid,
	} {
		out := add(text)
		assert.Equal(t, want, out.code(), "%s: %s", text, out.body)
	}
	out := add(body(file, `,"accept_permanent":true,"notify":["ops@acme.example"]`))
	require.Equal(t, http.StatusCreated, out.status, string(out.body))
	var view schema.ScheduleView
	out.into(t, &view)
	assert.Equal(t, []string{"ops@acme.example"}, view.Notify)
	assert.NotNil(t, view.NextRunAt)
	assert.Equal(t, schema.CodeScheduleExists, add(body(file, `,"accept_permanent":true`)).code())
	var list api.Schedules
	s.get("/schedules", &list)
	assert.Equal(t, []schema.ScheduleView{view}, list.Schedules)

	patch := func(body string) answered {
		return s.ask(http.MethodPatch, api.Prefix+"/schedules/nightly", asked{token: admin, media: "application/json", body: strings.NewReader(body)})
	}
	assert.Equal(t, schema.CodeConsentMissing, patch(`{"max_claims":500}`).code())
	patch(`{"max_claims":500,"accept_permanent":true,"paused":true}`).into(t, &view)
	assert.Equal(t, 500, view.MaxClaims)
	assert.True(t, view.Paused)
	assert.Equal(t, schema.CodeScheduleInvalid, s.post("/schedules/nightly/run", "", admin).code())
	patch(`{"paused":false}`).into(t, &view)
	assert.False(t, view.Paused)

	require.NoError(t, os.WriteFile(file, []byte(good(t)), 0o600))
	old := time.Now().Add(-time.Hour)
	require.NoError(t, os.Chtimes(file, old, old), "nobody writes it still")
	require.Equal(t, http.StatusAccepted, s.post("/schedules/nightly/run", "", admin).status)
	var runs api.Runs
	require.Eventually(t, func() bool {
		s.get("/schedules/nightly/runs", &runs)
		return len(runs.Runs) > 0 && runs.Runs[0].State != schema.RunRunning
	}, waitFor, tick)
	assert.Equal(t, schema.RunDone, runs.Runs[0].State)
	var imp desk.Import
	s.get("/imports/"+*runs.Runs[0].Import, &imp)
	assert.Equal(t, "schedule:nightly", imp.CreatedBy)
	assert.Equal(t, "nightly", *imp.Schedule)
	assert.Equal(t, 20, imp.Claimed)

	for _, path := range []string{"/schedules/nightly", "/schedules/nightly/runs"} {
		assert.Equal(t, schema.CodeScheduleNotFound, s.ask(http.MethodGet, api.Prefix+path, asked{token: s.theirs}).code())
	}
	remove := func(token string) answered {
		return s.ask(http.MethodDelete, api.Prefix+"/schedules/nightly", asked{token: token})
	}
	assert.Equal(t, schema.CodeScheduleNotFound, remove(s.theirs).code())
	assert.Equal(t, http.StatusNoContent, remove(admin).status)
	assert.Equal(t, schema.CodeScheduleNotFound, remove(admin).code())
}
