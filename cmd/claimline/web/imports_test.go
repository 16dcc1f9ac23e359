package web_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/cmd/claimline/web/api"
	"github.com/claimline/claimline/cmd/claimline/web/desk"
	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/schema"
)

// An import from the upload to the end, and back.
func TestImport(t *testing.T) {
	s := start(t, options{})
	out := s.upload("?file=users.csv&activation_emails=false&notify=ops@acme.example&notify=it@acme.example", good(t))
	require.Equal(t, http.StatusCreated, out.status, string(out.body))
	var imp desk.Import
	out.into(t, &imp)
	assert.Equal(t, api.Prefix+"/imports/"+imp.ID, out.header.Get("Location"))
	assert.Equal(t, "users.csv", imp.File)
	assert.Equal(t, schema.StateAwaitingConsent, imp.State)
	assert.Equal(t, 20, imp.Ready)
	assert.Zero(t, imp.NotAttempted)
	assert.Equal(t, "operator", imp.CreatedBy)
	assert.Equal(t, []string{"ops@acme.example", "it@acme.example"}, imp.Notify)
	assert.Equal(t, desk.PlanMails{Claim: 20}, imp.Plan.Mails, "the activation mails are off")
	assert.Equal(t, desk.PlanTypes{Immediate: 10, Delayed: 10}, imp.Plan.Types)
	var rows api.Rows
	s.get("/imports/"+imp.ID+"/rows", &rows)
	require.Len(t, rows.Rows, 20)
	assert.Equal(t, schema.Ready, rows.Rows[0].Outcome)

	for body, want := range map[string]schema.Code{
		`{"accept_permanent":true}`: schema.CodeRequestInvalid, `{"claims":20}`: schema.CodeConsentMissing,
		`{"accept_permanent":false,"claims":20}`: schema.CodeConsentMissing, `{"accept_permanent":true,"claims":19}`: schema.CodePlanChanged,
	} {
		assert.Equal(t, want, s.post("/imports/"+imp.ID+"/consent", body).code(), body)
	}
	plan := imp.Plan
	out = s.post("/imports/"+imp.ID+"/consent", `{"accept_permanent":true,"accept_edits":false,"activation_emails":true,"claims":20}`)
	require.Equal(t, http.StatusAccepted, out.status)
	out.into(t, &imp)
	assert.Equal(t, schema.StateQueued, imp.State)
	assert.Equal(t, 20, imp.NotAttempted)
	events := s.follow(imp.ID, "")
	last := events[len(events)-1]
	assert.Equal(t, schema.StateCompleted, last.State)
	s.get("/imports/"+imp.ID, &imp)
	assert.Equal(t, imp, last.Import)
	assert.Equal(t, 20, imp.Claimed)
	assert.Equal(t, desk.Progress{Done: 20, Total: 20}, imp.Progress)
	assert.Equal(t, "operator", *imp.ConsentedBy)
	assert.Equal(t, imp.ConsentedAt.Add(schema.DefaultPolicy().DecisionTime()), *imp.RetractUntil)
	plan.Mails.Activation = 10 // the consent has switched them on
	assert.Equal(t, plan, imp.Plan, "the plan stays what it was")
	assert.Equal(t, schema.CodeImportFinished, s.post("/imports/"+imp.ID+"/consent", `{"accept_permanent":true,"claims":20}`).code())
	assert.Equal(t, schema.CodeImportFinished, s.post("/imports/"+imp.ID+"/decline", "").code())
	assert.Equal(t, schema.CodeImportFinished, s.post("/imports/"+imp.ID+"/resume", "").code())

	events = s.follow(imp.ID, last.id)
	require.Len(t, events, 1, "one, then the end")

	for format, media := range map[string]string{"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl", "html": "text/html; charset=utf-8", "": "text/csv; charset=utf-8"} {
		out := s.ask(http.MethodGet, api.Prefix+"/imports/"+imp.ID+"/report?format="+format, asked{})
		require.Equal(t, http.StatusOK, out.status)
		assert.Equal(t, media, out.header.Get("Content-Type"))
		assert.Contains(t, out.header.Get("Content-Disposition"), "attachment")
		var command bytes.Buffer
		found, err := s.store.Import(t.Context(), "acme", 1)
		require.NoError(t, err)
		if format == "" {
			format = "csv"
		}
		require.NoError(t, (&report.Report{To: &command, Format: report.Format(format)}).OfImport(t.Context(), s.store, s.flow.Policy, found))
		assert.Equal(t, command.String(), string(out.body), "as the command writes it")
	}

	var dry, done api.Retracted
	s.post("/imports/"+imp.ID+"/retract", `{"dry_run":true}`).into(t, &dry)
	s.post("/imports/"+imp.ID+"/retract", `{"dry_run":false}`).into(t, &done)
	assert.Equal(t, dry, done)
	assert.Equal(t, 19, done.Retracted)
	assert.Equal(t, map[schema.Code]int{schema.CodeDomainClaimed: 1}, done.Refused)
	assert.Len(t, done.Rows, 20)
}

type importEvent struct {
	id string
	desk.Import
}

// follow follows an import to its end.
func (s *service) follow(id, had string) (events []importEvent) {
	s.Helper()
	in := asked{header: http.Header{}}
	if had != "" {
		in.header.Set("Last-Event-ID", had)
	}
	out := s.ask(http.MethodGet, api.Prefix+"/imports/"+id+"/events", in)
	require.Equal(s, http.StatusOK, out.status)
	assert.Equal(s, "text/event-stream", out.header.Get("Content-Type"))
	for text := range strings.SplitSeq(strings.TrimSpace(string(out.body)), "\n\n") {
		lines := strings.Split(text, "\n")
		require.Len(s, lines, 3, text)
		assert.Equal(s, "event: import", lines[0])
		event := importEvent{id: strings.TrimPrefix(lines[1], "id: ")}
		answered{body: []byte(strings.TrimPrefix(lines[2], "data: "))}.into(s, &event.Import)
		events = append(events, event)
	}
	return events
}

// Who had an event is told of the next one.
func TestEventsGoOn(t *testing.T) {
	s := start(t, options{idle: true})
	imp := s.planned("", good(t))
	open := func(had string) (*bufio.Reader, func()) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+api.Prefix+"/imports/"+imp.ID+"/events", nil)
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+s.tokens[schema.RoleViewer])
		if had != "" {
			request.Header.Set("Last-Event-ID", had)
		}
		response, err := s.client.Do(request) //nolint:bodyclose // the caller closes it
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, response.StatusCode)
		return bufio.NewReader(response.Body), func() { _ = response.Body.Close() }
	}
	next := func(from *bufio.Reader) (id, data string) {
		var lines []string
		for {
			line, err := from.ReadString('\n')
			require.NoError(t, err)
			if line == "\n" {
				return strings.TrimPrefix(lines[1], "id: "), lines[2]
			}
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	first, end := open("")
	had, data := next(first)
	assert.Contains(t, data, `"state":"awaiting_consent"`)
	end()

	again, end := open(had) // it has nothing new to tell yet
	defer end()
	require.Equal(t, http.StatusOK, s.post("/imports/"+imp.ID+"/decline", "").status)
	_, data = next(again)
	assert.Contains(t, data, `"state":"rejected"`)
	rest, err := io.ReadAll(again)
	require.NoError(t, err)
	assert.Empty(t, rest, "it ends with its end")

	// Whoever follows is let go when the service ends.
	imp = s.planned("", good(t))
	waiting, end := open("")
	defer end()
	next(waiting)
	require.NoError(t, s.stop())
	_, err = io.ReadAll(waiting)
	require.NoError(t, err)
}

func TestDeclineCancelResume(t *testing.T) {
	s := start(t, options{idle: true})
	declined := s.planned("", good(t)+"x,y,,bad,,,,,,,,,maybe\n")
	var imp desk.Import
	s.post("/imports/"+declined.ID+"/decline", "").into(t, &imp)
	assert.Equal(t, schema.StateRejected, imp.State)
	assert.Equal(t, 20, imp.NotAttempted)
	assert.Equal(t, 1, imp.Invalid)
	assert.Equal(t, 20, imp.Reasons[schema.CodeConsentDeclined])
	assert.Equal(t, schema.CodeImportFinished, s.post("/imports/"+imp.ID+"/resume", "").code())

	waiting := s.planned("", good(t))
	s.post("/imports/"+waiting.ID+"/cancel", "").into(t, &imp)
	assert.Equal(t, schema.StateCancelled, imp.State)
	s.post("/imports/"+waiting.ID+"/resume", "").into(t, &imp)
	assert.Equal(t, schema.StateAwaitingConsent, imp.State, "nobody has agreed to it yet")
	require.Equal(t, http.StatusAccepted, s.post("/imports/"+imp.ID+"/consent", `{"accept_permanent":true,"claims":20}`).status)
	assert.Equal(t, schema.CodeImportRunning, s.post("/imports/"+imp.ID+"/decline", "").code(), "it waits for no consent any more")
	s.post("/imports/"+imp.ID+"/cancel", "").into(t, &imp)
	assert.Equal(t, schema.StateCancelled, imp.State)
	assert.Equal(t, 20, imp.Reasons[schema.CodeCancelled])

	// Nobody is claimed while directory synchronization is on (R10).
	off := s.planned("", good(t))
	require.Equal(t, http.StatusOK, s.ask(http.MethodPatch, api.Prefix+"/organization", asked{
		token: s.tokens[schema.RoleAdmin], media: "application/json", body: strings.NewReader(`{"directory_sync":true}`),
	}).status)
	for _, out := range []answered{
		s.post("/imports/"+off.ID+"/consent", `{"accept_permanent":true,"claims":20}`), s.upload("", good(t)),
		s.post("/claims", `{"addresses":["adam.berg@acme.example"],"accept_permanent":true}`), s.post("/imports/"+imp.ID+"/resume", ""),
		s.post("/claims", `{"listed":true,"accept_permanent":true}`),
	} {
		assert.Equal(t, http.StatusConflict, out.status)
		assert.Equal(t, schema.CodeDirectorySyncEnabled, out.code())
	}
}

// Of a file that is refused nothing is left.
func TestRefusedFiles(t *testing.T) {
	s := start(t, options{idle: true, uploadBytes: 64 << 10})
	for file, want := range map[string]schema.Code{
		"": schema.CodeFileEmpty, "User ID/Email (Required)\n": schema.CodeFileEmpty, "a,b\n1,2\n": schema.CodeEmailColumnMissing,
		"User ID/Email (Required)\n\"ann": schema.CodeCSVMalformed, "User ID/Email (Required)\n\x00\x01\x02": schema.CodeEncodingUnknown,
		strings.Repeat("x", 65<<10): schema.CodeLimitExceeded,
	} {
		out := s.upload("?file=a.csv", file)
		assert.Equal(t, want, out.code(), "%.60q: %s", file, out.body)
		assert.Equal(t, want.Status(), out.status)
		if want == schema.CodeCSVMalformed {
			var problem api.Problem
			out.into(t, &problem)
			assert.Equal(t, "a.csv", problem.File)
			assert.Equal(t, 2, problem.Line)
		}
	}
	for query, want := range map[string]schema.Code{
		"?column=x": schema.CodeUsage, "?ignore_column=%20": schema.CodeUsage, "?notify=nobody": schema.CodeRequestInvalid, "?encoding=klingon": schema.CodeUsage,
		"?every_row=perhaps": schema.CodeRequestInvalid, "?all_or_nothing=2": schema.CodeRequestInvalid, "?al_or_nothing=true": schema.CodeRequestInvalid,
	} {
		out := s.upload(query, good(t))
		assert.Equal(t, want, out.code(), "%s: %s", query, out.body)
	}
	var list api.Imports
	s.get("/imports", &list)
	assert.Empty(t, list.Imports)
	s.nothingIsLeft()
}

// nothingIsLeft requires that no temporary file is left.
func (s *service) nothingIsLeft() {
	s.Helper()
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "claimline-*.csv"))
	require.NoError(s, err)
	assert.Empty(s, left)
}

func TestForms(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s := start(t, options{idle: true})
	form := func(parts ...string) (media string, body io.Reader) {
		var text bytes.Buffer
		w := multipart.NewWriter(&text)
		for i := 0; i < len(parts); i += 3 {
			part, err := w.CreateFormFile(parts[i], parts[i+1])
			require.NoError(t, err)
			_, err = io.WriteString(part, parts[i+2])
			require.NoError(t, err)
		}
		require.NoError(t, w.Close())
		return w.FormDataContentType(), &text
	}
	send := func(query string, parts ...string) answered {
		media, body := form(parts...)
		return s.ask(http.MethodPost, api.Prefix+"/imports"+query, asked{media: media, body: body})
	}
	var imp desk.Import
	send("", "file", `..\up/users å.csv`, good(t)).into(t, &imp)
	assert.Equal(t, "users å.csv", imp.File)
	assert.Equal(t, 20, imp.Ready)
	send("?file=other.csv", "file", "users.csv", good(t)).into(t, &imp)
	assert.Equal(t, "other.csv", imp.File)
	for _, out := range []answered{
		send(""), send("", "users", "users.csv", good(t)), send("", "file", "a.csv", good(t), "file", "b.csv", good(t)),
	} {
		assert.Equal(t, schema.CodeRequestInvalid, out.code())
	}
	for _, media := range []string{"", "application/json", "application/x-www-form-urlencoded", "multipart/form-data", "text/csv; x"} {
		out := s.ask(http.MethodPost, api.Prefix+"/imports", asked{media: media, body: strings.NewReader(good(t))})
		assert.Equal(t, schema.CodeMediaTypeUnsupported, out.code(), media)
	}
	s.nothingIsLeft()
}

// How a file is read is said in the query, and the account's data may be left alone.
func TestReadingOptions(t *testing.T) {
	s := start(t, options{idle: true})
	file := "Adresse;Vorname\nadam.berg@acme.example;Adam B\nadam.backstrom@acme.example;\n"
	query := "?column=" + url.QueryEscape("Adresse="+schema.EmailHeader) + "&column=" + url.QueryEscape("Vorname=First Name")
	imp := s.planned(query+"&every_row=true", file)
	assert.Equal(t, 2, imp.Ready)
	assert.Equal(t, map[string]int{"First Name": 1}, imp.Plan.Edits)
	imp = s.planned(query+"&every_row=true&no_edits=true", file)
	assert.Empty(t, imp.Plan.Edits)
	imp = s.planned("?column="+url.QueryEscape("Adresse="+schema.EmailHeader)+"&every_row=true&ignore_column=Vorname&all_or_nothing=true", file+"nobody@acme.example;\n")
	assert.Empty(t, imp.Plan.Edits)
	assert.Equal(t, schema.StateRejected, imp.State)
	assert.Equal(t, 2, imp.Reasons[schema.CodeAllOrNothing])
}

func TestIdempotencyKeys(t *testing.T) {
	s := start(t, options{idle: true})
	key := []string{"Idempotency-Key", "nightly 1"}
	first := s.upload("?file=a.csv", good(t), key...)
	require.Equal(t, http.StatusCreated, first.status)
	again := s.upload("?file=a.csv", good(t), key...)
	assert.Equal(t, http.StatusOK, again.status)
	assert.Equal(t, string(first.body), string(again.body))
	for _, out := range []answered{
		s.upload("?file=a.csv", good(t)+"\n", key...), s.upload("?file=a.csv&all_or_nothing=true", good(t), key...), s.upload("?file=b.csv", good(t), key...),
		s.upload("?file=a.csv&activation_emails=false", good(t), key...),
	} {
		assert.Equal(t, schema.CodeIdempotencyKeyReused, out.code())
		assert.Equal(t, http.StatusUnprocessableEntity, out.status)
	}
	require.Equal(t, http.StatusCreated, s.upload("?file=a.csv", good(t)).status)
	out := s.ask(http.MethodPost, api.Prefix+"/imports?file=a.csv", asked{
		token: s.theirs, media: "text/csv", body: strings.NewReader(good(t)), header: http.Header{"Idempotency-Key": {"nightly 1"}},
	})
	assert.NotEqual(t, schema.CodeIdempotencyKeyReused, out.code(), "another organization has keys of its own")

	// A refused file leaves its key free.
	require.Equal(t, http.StatusUnprocessableEntity, s.upload("", "a,b\n1,2\n", "Idempotency-Key", "k").status)
	require.Equal(t, http.StatusCreated, s.upload("", good(t), "Idempotency-Key", "k").status)
	assert.Equal(t, schema.CodeRequestInvalid, s.upload("", good(t), "Idempotency-Key", strings.Repeat("k", 256)).code())
	var list api.Imports
	s.get("/imports", &list)
	assert.Len(t, list.Imports, 3)
}

// raw sends what no client would.
func (s *service) raw(head, body string) net.Conn {
	s.Helper()
	connection, err := new(net.Dialer).DialContext(s.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(s, err)
	s.Cleanup(func() { _ = connection.Close() })
	_, err = fmt.Fprintf(connection, "%s\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n%s", head, s.tokens[schema.RoleOperator], body)
	require.NoError(s, err)
	return connection
}

// An upload that is cut off leaves nothing, and its key is free. While one is on its way, others have to
// wait.
func TestUploadsThatAreCutOff(t *testing.T) {
	s := start(t, options{idle: true, uploads: 1})
	const head = "POST " + api.Prefix + "/imports HTTP/1.1\r\nContent-Type: text/csv\r\nIdempotency-Key: k\r\n"
	slow := s.raw(head+"Expect: 100-continue\r\nContent-Length: 100000", "")
	line, err := bufio.NewReader(slow).ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, "100 Continue", "it is being received")
	_, err = io.WriteString(slow, good(t))
	require.NoError(t, err)
	busy := func() answered { return s.upload("", good(t), "Idempotency-Key", "k") }
	out := busy()
	require.Equal(t, schema.CodeTooManyUploads, out.code(), string(out.body))
	assert.Equal(t, "2", out.header.Get("Retry-After"))
	require.NoError(t, slow.Close())
	require.Eventually(t, func() bool { out = busy(); return out.status != http.StatusTooManyRequests }, waitFor, tick)
	require.Equal(t, http.StatusCreated, out.status, string(out.body))

	broken := s.raw(head+"Transfer-Encoding: chunked", "5\r\nhello\r\nzzz\r\n")
	answer, err := http.ReadResponse(bufio.NewReader(broken), nil)
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	assert.Equal(t, http.StatusBadRequest, answer.StatusCode)
	var list api.Imports
	s.get("/imports", &list)
	assert.Len(t, list.Imports, 1)
	s.nothingIsLeft()
}

func TestPages(t *testing.T) {
	s := start(t, options{idle: true})
	var ids []string
	for range 5 {
		ids = append([]string{s.planned("", good(t)).ID}, ids...)
	}
	var found []string
	for after := ""; ; {
		var list api.Imports
		s.get("/imports?limit=2&state=awaiting_consent&after="+after, &list)
		for _, imp := range list.Imports {
			found = append(found, imp.ID)
		}
		if list.Next == nil {
			break
		}
		after = *list.Next
	}
	assert.Equal(t, ids, found)

	text, err := os.ReadFile(filepath.Join(samples, "edited.csv"))
	require.NoError(t, err)
	imp := s.planned("", string(text))
	for query, keep := range map[string]func(schema.Result) bool{
		"": func(schema.Result) bool { return true }, "only=problems&": schema.Result.Problem,
		"outcome=ready&":                       func(r schema.Result) bool { return r.Outcome == schema.Ready },
		"only=ready&outcome=invalid&":          func(schema.Result) bool { return false },
		"reason=user_not_found&only=problems&": func(r schema.Result) bool { return r.Reason == schema.CodeUserNotFound },
	} {
		var all, paged []schema.Result
		for limit, into := range map[int]*[]schema.Result{1000: &all, 7: &paged} {
			for after := 0; ; {
				var rows api.Rows
				s.get(fmt.Sprintf("/imports/%s/rows?%slimit=%d&after=%d", imp.ID, query, limit, after), &rows)
				*into = append(*into, rows.Rows...)
				if rows.Next == nil {
					break
				}
				require.Len(t, rows.Rows, limit)
				after = *rows.Next
			}
		}
		assert.Equal(t, all, paged, query)
		if query == "" {
			assert.Len(t, all, imp.Rows)
		}
		for _, row := range all {
			assert.True(t, keep(row), "%s: %+v", query, row)
		}
	}
	counts := 0
	for _, problem := range imp.Plan.Problems {
		counts += problem.Count
		assert.Len(t, problem.Lines, min(problem.Count, 10))
	}
	assert.Equal(t, imp.Invalid+imp.Ineligible, counts)
}
