package web_test

import (
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/cmd/claimline/web/api"
	"github.com/claimline/claimline/schema"
)

// For how long, and how often, is looked whether something has happened.
const (
	waitFor = time.Minute
	tick    = 20 * time.Millisecond
)

func TestHealth(t *testing.T) {
	s := start(t, options{idle: true})
	for _, path := range []string{"/healthz", "/readyz"} {
		out := s.ask(http.MethodGet, path, asked{token: "none"})
		assert.Equal(t, http.StatusOK, out.status)
		assert.JSONEq(t, `{"status":"ok"}`, string(out.body))
	}
	assert.Equal(t, schema.CodeNotFound, s.ask(http.MethodGet, "/metrics", asked{token: "none"}).code(), "operators ask elsewhere")

	stuck := start(t, options{idle: true, stuck: &schema.Error{Code: schema.CodeDatabaseBusy}})
	out := stuck.ask(http.MethodGet, "/readyz", asked{token: "none"})
	assert.Equal(t, http.StatusServiceUnavailable, out.status)
	assert.JSONEq(t, `{"status":"unavailable","code":"database_busy"}`, string(out.body))
	assert.Equal(t, http.StatusOK, stuck.ask(http.MethodGet, "/healthz", asked{token: "none"}).status)
}

// A database that is away is told as such, and asked again.
func TestDatabaseAway(t *testing.T) {
	address := loaded.Copy(t)
	path := strings.TrimPrefix(address, "sqlite:")
	s := startOn(t, address, options{idle: true})
	imp := s.planned("", good(t))
	require.NoError(t, os.Rename(path, path+".away"))
	out := s.ask(http.MethodGet, "/readyz", asked{token: "none"})
	assert.Equal(t, http.StatusServiceUnavailable, out.status)
	out = s.post("/imports/"+imp.ID+"/consent", `{"accept_permanent":true,"claims":20}`)
	assert.Equal(t, http.StatusServiceUnavailable, out.status)
	assert.Equal(t, schema.CodeDatabaseMissing, out.code())
	assert.NotEmpty(t, out.header.Get("Retry-After"))
	require.NoError(t, os.Rename(path+".away", path))
	assert.Equal(t, http.StatusAccepted, s.post("/imports/"+imp.ID+"/consent", `{"accept_permanent":true,"claims":20}`).status)
}

func TestMetrics(t *testing.T) {
	s := start(t, options{})
	s.agree(s.planned("", good(t)))
	s.planned("", good(t))
	s.ask(http.MethodGet, "/made/up", asked{})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.metrics+"/metrics", nil)
	require.NoError(t, err)
	response, err := s.client.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	for _, line := range []string{
		`claimline_imports{state="completed"} 2`, `claimline_rows_total{outcome="unchanged"} 20`, `claimline_rows_total{outcome="claimed"} 20`, `claimline_chunk_seconds_count 1`,
		`claimline_queue_imports 0`, `claimline_queue_age_seconds 0`,
		`claimline_http_request_seconds_count{method="POST",route="POST /api/v1/imports",status="201"} 2`,
		`claimline_http_request_seconds_count{method="",route="unknown",status="404"} 1`,
	} {
		assert.Contains(t, string(body), line+"\n")
	}
	assert.Regexp(t, `claimline_mails\{state="waiting"\} [1-9]`, string(body))
	assert.NotContains(t, string(body), "made/up")
}

func TestHeaders(t *testing.T) {
	s := start(t, options{idle: true, proxies: []string{"127.0.0.0/8"}})
	out := s.get("/me", nil)
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
	} {
		assert.Equal(t, want, out.header.Get(name))
	}
	assert.Contains(t, out.header.Get("Content-Security-Policy"), "default-src 'none'")
	ask := func(id string) string {
		return s.ask(http.MethodGet, api.Prefix+"/me", asked{header: http.Header{"X-Request-Id": {id}}}).header.Get("X-Request-Id")
	}
	assert.Equal(t, "proxy-1", ask("proxy-1"))
	assert.NotEqual(t, "<script>", ask("<script>"))
	s.ask(http.MethodGet, api.Prefix+"/me", asked{header: http.Header{"X-Forwarded-For": {"192.0.2.1, 198.51.100.7"}}})
	assert.Contains(t, s.log.String(), `"client":"198.51.100.7"`)
	assert.NotContains(t, s.log.String(), "192.0.2.1")

	alone := start(t, options{idle: true})
	given := alone.ask(http.MethodGet, api.Prefix+"/me", asked{header: http.Header{"X-Request-Id": {"mine"}, "X-Forwarded-For": {"192.0.2.1"}}})
	assert.NotEqual(t, "mine", given.header.Get("X-Request-Id"))
	assert.NotContains(t, alone.log.String(), "192.0.2.1")
}

// Pages of other sites can make nothing of a browser's token.
func TestOtherOrigins(t *testing.T) {
	s := start(t, options{idle: true, origins: []string{"https://claims.acme.example"}})
	post := func(header http.Header) answered {
		return s.ask(http.MethodPost, api.Prefix+"/imports/1/decline", asked{header: header})
	}
	for _, header := range []http.Header{{"Origin": {"https://evil.example"}}, {"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}} {
		out := post(header)
		assert.Equal(t, http.StatusForbidden, out.status)
		assert.Equal(t, schema.CodeCrossOrigin, out.code())
	}
	for _, header := range []http.Header{{}, {"Origin": {s.url}}, {"Origin": {"https://claims.acme.example"}}, {"Sec-Fetch-Site": {"same-origin"}}} {
		assert.Equal(t, schema.CodeImportNotFound, post(header).code(), header)
	}
}

func TestDocs(t *testing.T) {
	s := start(t, options{idle: true})
	page := s.ask(http.MethodGet, "/api/docs", asked{token: "none"})
	assert.Equal(t, http.StatusOK, page.status)
	assert.Contains(t, string(page.body), "rapi-doc")
	assert.NotContains(t, string(page.body), "//", "nothing is from elsewhere")
	assert.Contains(t, page.header.Get("Content-Security-Policy"), "script-src 'self'")
	script := s.ask(http.MethodGet, "/api/docs/rapidoc.js", asked{token: "none"})
	assert.Equal(t, http.StatusOK, script.status)
	assert.Greater(t, len(script.body), 500_000)
	plain := s.ask(http.MethodGet, "/api/docs/rapidoc.js", asked{token: "none", header: http.Header{"Accept-Encoding": {"identity"}}})
	assert.Equal(t, script.body, plain.body)
}

// What people have in files, and what lets them in, is in no log.
func TestLogsKeepSecrets(t *testing.T) {
	s := start(t, options{})
	planted := "planted.person@acme.example"
	file := good(t) + "Planted,Cell,,\"" + planted + "\",,,,,,,,,TRUE\n"
	imp := s.planned("?file=planted-file.csv&notify=planted.notify@acme.example", file)
	s.agree(imp)
	s.ask(http.MethodGet, api.Prefix+"/users/"+planted, asked{})
	s.ask(http.MethodGet, api.Prefix+"/users?search=planted", asked{})
	s.ask(http.MethodGet, api.Prefix+"/eligible/"+planted, asked{})
	s.post("/claims", `{"addresses":["`+planted+`"],"services":["planted"],"accept_permanent":true}`)
	s.upload("", "planted\n\"planted")
	s.ask(http.MethodGet, api.Prefix+"/me", asked{token: s.tokens[schema.RoleViewer] + "x"})
	require.NoError(t, s.stop())
	log := s.log.String()
	assert.Contains(t, log, `"message":"answered"`)
	assert.Contains(t, log, `"route":"GET /api/v1/users/{email}"`)
	assert.NotContains(t, strings.ToLower(log), "planted")
	assert.NotContains(t, log, "clm_")
	assert.NotContains(t, log, "@")
}
