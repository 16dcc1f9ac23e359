//go:build linux

package main

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/schema"
)

// What a service says in its log, down to the last detail, of imports, schedules, mails and messages to
// programs, has no cell, no address, no link, no token and no secret in it, whoever else names them.
func TestServeLogsKeepSecrets(t *testing.T) {
	const planted = "planted"
	l := openLab(t)
	told := make(chan struct{}, 100)
	program := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, planted+"@acme.example is not known here", http.StatusInternalServerError)
		told <- struct{}{}
	}))
	defer program.Close()
	c := &catcher{} // it refuses bo, by name
	port := c.listen(t)
	org := filepath.Dir(write(t, "organizations.csv",
		"id,name,kind,created,sso,directory_sync,bring_conversations,activation_emails\nacme,Acme AB,enterprise,2015-01-01,,,,\nfree,Free,consumer,2015-01-01,,,,\n"))
	copyFile(t, write(t, "d", "domain,organization_id,status\nacme.example,acme,verified\n"), filepath.Join(org, "domains.csv"))
	copyFile(t, write(t, "u", "id,email,organization_id,status\n1,planted@acme.example,free,active\n2,bo@acme.example,free,active\n3,cy@acme.example,free,active\n"),
		filepath.Join(org, "users.csv"))
	s := emptySite(t)
	s.load(t, org)
	secret := "whsec_" + base64.StdEncoding.EncodeToString([]byte("planted secret of a webhook"))
	s.program = l.program
	s.global = append(s.global, "--log-level", "debug", "--config", write(t, "claimline.yaml", fmt.Sprintf(`service:
  base_url: "https://claimline.acme.example"
  webhooks: [{url: "%s/planted?key=planted", secret_file: %q, allow_private: true}]
smtp: {host: 127.0.0.1, port: %d, security: none, from: "Planted <it@acme.example>"}
`, program.URL, write(t, "secret", secret), port)))
	const header = "User ID/Email (Required),Title\n"
	good := write(t, "good.csv", header+"planted@acme.example,Planted\nbo@acme.example,Planted\nplanted,Planted\n")
	scheduled := write(t, "scheduled.csv", header+"cy@acme.example,Planted\n")
	refused := write(t, "refused.csv", "Planted,planted@acme.example\nPlanted,\"planted\n")
	for name, file := range map[string]string{"nightly": scheduled, "daily": refused} {
		old := time.Now().Add(-time.Hour) // nobody writes to it any more
		require.NoError(t, os.Chtimes(file, old, old))
		added := s.execute(t, "schedule", "add", name, "--cron", "@yearly", "--file", file, "--max-claims", "10", "--accept-permanent", "--notify", "planted@elsewhere.example")
		require.Zero(t, added.code, added.stderr)
	}
	made := s.execute(t, "token", "create", "--role", "admin", "--name", planted)
	require.Zero(t, made.code, made.stderr)
	p := s.serve(t, strings.TrimSpace(made.stdout))
	assert.Equal(t, schema.StateCompletedWithErrors, p.until(t, p.agreed(t, good).ID).State)
	for _, name := range []string{"nightly", "daily"} {
		assert.Less(t, p.ask(t, http.MethodPost, "/schedules/"+name+"/run", "application/json", nil, nil), http.StatusMultipleChoices)
		eventually(t, "the schedule has run", func() bool {
			var list struct{ Runs []struct{ State string } }
			p.ask(t, http.MethodGet, "/schedules/"+name+"/runs", "", nil, &list)
			return len(list.Runs) > 0 && list.Runs[0].State != "running"
		})
	}
	<-told
	s.waitFor(t, nil, "SELECT count(*) >= 4 FROM deliveries WHERE state = 'sent'")
	s.waitFor(t, nil, "SELECT EXISTS (SELECT 1 FROM deliveries WHERE state = 'failed')")
	p.signal(t, syscall.SIGTERM)
	require.Equal(t, exitDone, p.wait(t).code)
	log := p.log.String()
	for _, there := range []string{`"kind":"claim"`, `"kind":"webhook"`, `"kind":"report"`, `"level":"debug"`} {
		assert.Contains(t, log, there)
	}
	for _, secret := range []string{planted, "@", "clm_", "whsec_", "/choose/", "elsewhere"} {
		assert.NotContains(t, strings.ToLower(log), secret)
	}
}
