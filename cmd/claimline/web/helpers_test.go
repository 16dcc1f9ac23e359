package web_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/claimline/claimline/cmd/claimline/web"
	"github.com/claimline/claimline/cmd/claimline/web/api"
	"github.com/claimline/claimline/cmd/claimline/web/auth"
	"github.com/claimline/claimline/cmd/claimline/web/desk"
	"github.com/claimline/claimline/cmd/claimline/web/pages"
	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/domains"
	"github.com/claimline/claimline/pipeline/jobs"
	"github.com/claimline/claimline/pipeline/people"
	"github.com/claimline/claimline/pipeline/schedule"
	"github.com/claimline/claimline/pipeline/snapshot"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/store/postgres"
	"github.com/claimline/claimline/pipeline/store/testdb"
	"github.com/claimline/claimline/schema"
)

const samples = "../../../samples"

func TestMain(m *testing.M) {
	testdb.Without(
		"TestDatabaseAway",                                                                                                                                  // a file
		"TestCertificate.*", "TestConnectionsAreBounded", "TestDescription", "TestDocs", "TestHeaders", "TestOddRequests", "TestOtherOrigins", "TestSlow.*", // next to nothing is asked of the database
		"TestImportInABrowser", "TestPagesInABrowser", // their pages, others ask for as well
	)
	goleak.VerifyTestMain(m)
}

// secrets are addresses, tokens and personal links, which are in no log of any test.
var secrets = regexp.MustCompile(`@|clm_|/choose/[A-Za-z0-9_-]{20}`)

// options are what a test may want otherwise.
type options struct {
	uploads     int
	uploadBytes int64
	proxies     []string
	origins     []string
	certificate *web.Certificate
	idle        bool // nobody works on imports
	stuck       error
	folders     []string
	now         func() time.Time
	limits      web.Limits
	narrow      bool // what clients do not take in does not fit into the system's buffers
}

// service is a server that listens, and what is needed to ask it.
type service struct {
	*testing.T
	url     string
	metrics string
	client  *http.Client
	store   *store.Store
	flow    *pipeline.Flow
	tokens  map[schema.Role]string // of acme
	theirs  string                 // an admin's, of umbrella
	log     *syncBuffer
	stop    func() error // ends the service, and returns what it ended with
	told    *described
}

// loaded is a database with the sample organization.
var loaded = testdb.Template{Prepare: func(ctx context.Context, address string) error {
	db, err := testdb.Open(ctx, address)
	if err != nil {
		return err
	}
	rules := claim.RulesAt(time.Now(), schema.DefaultPolicy())
	_, err = snapshot.Load(ctx, store.New(db), rules, filepath.Join(samples, "org"), snapshot.Options{})
	return errors.Join(err, db.Close())
}}

// start starts a service on a database of its own.
func start(t *testing.T, o options) *service {
	t.Helper()
	return startOn(t, loaded.Copy(t), o)
}

func startOn(t *testing.T, address string, o options) *service {
	t.Helper()
	db, err := testdb.Open(t.Context(), address)
	require.NoError(t, err)
	s := &service{T: t, store: store.New(db), log: &syncBuffer{}, tokens: map[schema.Role]string{}, client: &http.Client{Transport: &http.Transport{}}}
	if o.now == nil {
		o.now = time.Now
	}
	log := zerolog.New(s.log).Level(zerolog.DebugLevel)
	metrics := web.NewMetrics(s.store, o.now, log)
	s.flow, err = pipeline.New(pipeline.Config{
		Store: s.store, Now: o.now, Policy: schema.DefaultPolicy(), Workers: 2, Lease: 10 * time.Second, Runner: "test", Log: log, Applied: metrics.Applied,
	})
	require.NoError(t, err)
	proxies, err := auth.ParseProxies(o.proxies)
	require.NoError(t, err)
	guard := &auth.Guard{Store: s.store, Now: o.now, Log: log, Proxies: proxies, Failures: auth.NewFailures(o.now, auth.TokenFailures)}
	config := web.Config{Store: s.store, Guard: guard, Metrics: metrics, Log: log, Now: o.now, Origins: o.origins, Certificate: o.certificate, Limits: o.limits}
	if o.stuck != nil {
		config.Stuck = func(context.Context) error { return o.stuck }
	}
	wake := func(context.Context) {}
	if !o.idle {
		work := jobs.Config{Now: o.now, Log: log, Loops: []jobs.Loop{
			jobs.Imports(s.flow, 2, 1), {Name: "schedules", RunOnce: (&schedule.Scheduler{Flow: s.flow, Folders: o.folders}).RunOnce},
		}}
		if many, ok := db.(*postgres.DB); ok {
			work.Pool = many.Pool()
		}
		dispatcher, err := jobs.New(work)
		require.NoError(t, err)
		config.Work, wake = dispatcher.Run, func(ctx context.Context) { dispatcher.Wake(ctx, jobs.ImportsLoop); dispatcher.Wake(ctx, "schedules") }
	}
	d := desk.New(desk.Config{
		Flow: s.flow, Wake: wake, Uploads: max(o.uploads, 1), UploadBytes: cmp.Or(o.uploadBytes, 1<<20),
		People: &people.People{Store: s.store, Now: o.now, Policy: schema.DefaultPolicy(), Persist: s.flow.Persist},
	})
	resolver := domains.Resolver{Address: "127.0.0.1:1", Timeout: 100 * time.Millisecond}
	schedules := &schedule.Scheduler{Flow: s.flow, Folders: o.folders}
	config.API, err = api.New(api.Config{Desk: d, Schedules: schedules, Guard: guard, Resolver: resolver, Location: time.UTC, Version: "test"})
	require.NoError(t, err)
	config.Pages, err = pages.New(pages.Config{Desk: d, Schedules: schedules, Guard: guard, Resolver: resolver, Location: time.UTC, Contact: "it@acme.example"})
	require.NoError(t, err)
	server, err := web.New(config)
	require.NoError(t, err)
	var listen net.ListenConfig
	listener, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	operators, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	if o.narrow {
		listener = narrow{listener}
	}
	s.url, s.metrics = "http://"+listener.Addr().String(), "http://"+operators.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx, listener, operators) }()
	s.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		assert.NoError(t, s.stop())
		d.Close()
		assert.NotRegexp(t, secrets, s.log.String())
		assert.NoError(t, s.store.Close())
	})
	for _, role := range schema.Roles {
		s.tokens[role] = s.token("acme", role, string(role), time.Time{})
	}
	s.theirs = s.token("umbrella", schema.RoleAdmin, "theirs", time.Time{})
	return s
}

// token makes a token.
func (s *service) token(organization string, role schema.Role, name string, expires time.Time) string {
	s.Helper()
	token := auth.NewToken()
	digest, err := auth.Digest(token)
	require.NoError(s, err)
	require.NoError(s, s.store.CreateToken(s.Context(), schema.Token{
		OrganizationID: organization, Name: name, Role: role, CreatedAt: time.Now(), CreatedBy: "test", ExpiresAt: expires,
	}, digest))
	return token
}

// asked is a request.
type asked struct {
	token  string // blank: the operator's
	header http.Header
	media  string
	body   io.Reader
}

// answered is an answer.
type answered struct {
	status int
	header http.Header
	body   []byte
}

// into reads an answer in JSON.
func (a answered) into(t require.TestingT, value any) {
	require.NoError(t, json.Unmarshal(a.body, value), string(a.body))
}

// code returns the code of a refusal.
func (a answered) code() schema.Code {
	var problem struct {
		Code schema.Code `json:"code"`
	}
	_ = json.Unmarshal(a.body, &problem)
	return problem.Code
}

// ask asks, and holds the answer against the description of the API.
func (s *service) ask(method, path string, in asked) answered {
	s.Helper()
	if in.token == "" {
		in.token = s.tokens[schema.RoleOperator]
	}
	request, err := http.NewRequestWithContext(s.Context(), method, s.url+path, in.body)
	require.NoError(s, err)
	maps.Copy(request.Header, in.header)
	if in.token != "none" {
		request.Header.Set("Authorization", "Bearer "+in.token)
	}
	if in.media != "" {
		request.Header.Set("Content-Type", in.media)
	}
	response, err := s.client.Do(request)
	require.NoError(s, err)
	defer func() { _ = response.Body.Close() }()
	out := answered{status: response.StatusCode, header: response.Header}
	out.body, err = io.ReadAll(response.Body)
	require.NoError(s, err)
	if strings.HasPrefix(path, api.Prefix) {
		s.holds(request, response, out.body)
	}
	return out
}

// holds requires an answer to be as the API describes it.
func (s *service) holds(request *http.Request, response *http.Response, body []byte) {
	s.Helper()
	assert.NotEmpty(s, response.Header.Get("X-Request-Id"))
	if slices.Contains([]int{http.StatusNotFound, http.StatusMethodNotAllowed}, response.StatusCode) {
		var problem api.Problem
		require.NoError(s, json.Unmarshal(body, &problem))
		if problem.Code == schema.CodeNotFound || problem.Code == schema.CodeMethodNotAllowed {
			return // nothing is described there
		}
	}
	s.document().holds(s.T, request, response, body)
	if response.StatusCode >= http.StatusBadRequest {
		assert.Equal(s, "application/problem+json", response.Header.Get("Content-Type"))
		var problem api.Problem
		require.NoError(s, json.Unmarshal(body, &problem))
		assert.Equal(s, response.StatusCode, problem.Status)
		assert.Equal(s, problem.Code.Status(), problem.Status)
		assert.NotEmpty(s, problem.Detail)
		assert.NotEmpty(s, problem.Fix)
	}
}

// document returns the description of the API.
func (s *service) document() *described {
	s.Helper()
	if s.told == nil {
		text := s.ask(http.MethodGet, "/api/openapi.json", asked{token: "none"})
		require.Equal(s, http.StatusOK, text.status)
		s.told = newDescribed(s.T, text.body)
	}
	return s.told
}

// get asks for something in JSON, which there is.
func (s *service) get(path string, into any) answered {
	s.Helper()
	out := s.ask(http.MethodGet, api.Prefix+path, asked{})
	require.Equal(s, http.StatusOK, out.status, string(out.body))
	if into != nil {
		out.into(s, into)
	}
	return out
}

// post sends JSON.
func (s *service) post(path, body string, token ...string) answered {
	s.Helper()
	in := asked{media: "application/json", body: strings.NewReader(body)}
	if len(token) > 0 {
		in.token = token[0]
	}
	return s.ask(http.MethodPost, api.Prefix+path, in)
}

// upload sends a file.
func (s *service) upload(query, file string, header ...string) answered {
	s.Helper()
	in := asked{media: "text/csv", body: strings.NewReader(file), header: http.Header{}}
	for i := 0; i < len(header); i += 2 {
		in.header.Set(header[i], header[i+1])
	}
	return s.ask(http.MethodPost, api.Prefix+"/imports"+query, in)
}

// good returns a file that claims 20 users.
func good(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(samples, "good.csv"))
	require.NoError(t, err)
	return string(text)
}

// planned uploads a file, and returns the import.
func (s *service) planned(query, file string) (imp desk.Import) {
	s.Helper()
	out := s.upload(query, file)
	require.Equal(s, http.StatusCreated, out.status, string(out.body))
	out.into(s, &imp)
	return imp
}

// agree agrees to an import, and waits for its end.
func (s *service) agree(imp desk.Import) desk.Import {
	s.Helper()
	out := s.post("/imports/"+imp.ID+"/consent", fmt.Sprintf(`{"accept_permanent":true,"accept_edits":true,"claims":%d}`, imp.Ready))
	require.Equal(s, http.StatusAccepted, out.status, string(out.body))
	s.ask(http.MethodGet, api.Prefix+"/imports/"+imp.ID+"/events", asked{}) // until its end
	s.get("/imports/"+imp.ID, &imp)
	return imp
}

// syncBuffer is written to by many.
type syncBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
