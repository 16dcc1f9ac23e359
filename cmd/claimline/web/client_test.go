package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/cmd/claimline/web/api"
	"github.com/claimline/claimline/cmd/claimline/web/apiclient"
	"github.com/claimline/claimline/pipeline/workbook"
	"github.com/claimline/claimline/schema"
)

// The client is generated from the description, and tests alone use it.
//
//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 -generate types,client -package apiclient -o apiclient/client.go apiclient/openapi.json

var update = flag.Bool("update", false, "write the description of the API and the client made from it")

// played is a transport that holds each answer against the description, and notes which operations succeeded.
type played struct {
	*service
	operations map[string]bool // such as GET /imports/{id}
}

// RoundTrip implements http.RoundTripper.
func (p *played) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := p.client.Transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	if closeErr := response.Body.Close(); err == nil {
		err = closeErr
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	p.holds(request, response, body)
	operation := request.Method + " " + strings.TrimPrefix(p.document().path(request), api.Prefix)
	if response.StatusCode < http.StatusBadRequest {
		p.operations[operation] = true
	} else {
		p.Logf("%s: %s", operation, body)
	}
	return response, err
}

// A client that a generator made from the description can do everything, on a server that listens: what the
// description says is so.
func TestGeneratedClient(t *testing.T) {
	folder, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	s := start(t, options{folders: []string{folder}})
	var text bytes.Buffer
	require.NoError(t, json.Indent(&text, s.ask(http.MethodGet, "/api/openapi.json", asked{token: "none"}).body, "", " "))
	text.WriteByte('\n')
	if *update {
		require.NoError(t, os.WriteFile("apiclient/openapi.json", text.Bytes(), 0o644))
		generate := exec.CommandContext(t.Context(), "go", "generate", "client_test.go")
		out, err := generate.CombinedOutput()
		require.NoError(t, err, string(out))
	}
	made, err := os.ReadFile("apiclient/openapi.json")
	require.NoError(t, err)
	require.Equal(t, string(made), text.String(), "run: go test ./cmd/claimline/web -run TestGeneratedClient -update")

	played := &played{service: s, operations: map[string]bool{}}
	ctx := t.Context()
	as := func(token string) *apiclient.ClientWithResponses {
		c, err := apiclient.NewClientWithResponses(s.url, apiclient.WithHTTPClient(&http.Client{Transport: played}),
			apiclient.WithRequestEditorFn(func(_ context.Context, request *http.Request) error {
				request.Header.Set("Authorization", "Bearer "+token)
				return nil
			}))
		require.NoError(t, err)
		return c
	}
	operator, admin := as(s.tokens[schema.RoleOperator]), as(s.tokens[schema.RoleAdmin])

	me := must(operator.MeWithResponse(ctx)).JSON200
	require.NotNil(t, me)
	assert.Equal(t, apiclient.Operator, me.Role)

	// A form, whose plan is cancelled, taken up again and declined.
	form, media := uploadForm(t, "form.csv", good(t))
	declined := must(operator.PlanImportWithBodyWithResponse(ctx, nil, media, form)).JSON201
	require.NotNil(t, declined)
	assert.Equal(t, "form.csv", declined.File)
	assert.Equal(t, string(schema.StateCancelled), must(operator.CancelImportWithResponse(ctx, declined.Id)).JSON200.State)
	assert.Equal(t, string(schema.StateAwaitingConsent), must(operator.ResumeImportWithResponse(ctx, declined.Id)).JSON200.State)
	assert.Equal(t, string(schema.StateRejected), must(operator.DeclineImportWithResponse(ctx, declined.Id)).JSON200.State)
	late := must(operator.DeclineImportWithResponse(ctx, declined.Id)).ApplicationproblemJSONDefault
	require.NotNil(t, late)
	assert.Equal(t, string(schema.CodeImportFinished), late.Code)

	// An import: planned twice with one key, agreed to, followed, reported.
	params := &apiclient.PlanImportParams{
		File: new("users.csv"), Notify: &[]string{"ann@acme.example", "bo@acme.example"}, NoEdits: new(true), IdempotencyKey: new("once"),
	}
	plan := must(operator.PlanImportWithBodyWithResponse(ctx, params, "text/csv", strings.NewReader(good(t))))
	require.NotNil(t, plan.JSON201, string(plan.Body))
	imp := plan.JSON201
	assert.Equal(t, "users.csv", imp.File)
	assert.Equal(t, *params.Notify, imp.Notify)
	assert.Equal(t, "/api/v1/imports/"+imp.Id, *plan.Headers201.Location)
	assert.Equal(t, imp.Id, must(operator.PlanImportWithBodyWithResponse(ctx, params, "text/csv", strings.NewReader(good(t)))).JSON200.Id)
	agreed := must(operator.AgreeToImportWithResponse(ctx, imp.Id, apiclient.ConsentRequestBody{AcceptPermanent: new(true), Claims: imp.Ready}))
	require.NotNil(t, agreed.JSON202, string(agreed.Body))
	events := must(operator.FollowImportWithResponse(ctx, imp.Id, nil)) // to its end
	assert.Contains(t, string(events.Body), "event: import\n")
	done := must(operator.GetImportWithResponse(ctx, imp.Id)).JSON200
	assert.Equal(t, string(schema.StateCompleted), done.State)
	assert.EqualValues(t, 20, done.Claimed)
	completed := apiclient.ListImportsParams{State: new(apiclient.ListImportsParamsStateCompleted), Limit: new(int64(1))}
	assert.Equal(t, imp.Id, must(operator.ListImportsWithResponse(ctx, &completed)).JSON200.Imports[0].Id)
	claimed := apiclient.ListRowsParams{Outcome: new(apiclient.ListRowsParamsOutcomeClaimed), Limit: new(int64(7))}
	rows := must(operator.ListRowsWithResponse(ctx, imp.Id, &claimed)).JSON200
	assert.Len(t, rows.Rows, 7)
	assert.Len(t, must(operator.ListRowsWithResponse(ctx, imp.Id, &apiclient.ListRowsParams{After: rows.Next})).JSON200.Rows, 13)
	report := must(operator.ReportImportWithResponse(ctx, imp.Id, &apiclient.ReportImportParams{Format: new(apiclient.Csv)}))
	assert.Equal(t, 21, strings.Count(string(report.Body), "\n"))
	lines, err := operator.ReportImport(ctx, imp.Id, &apiclient.ReportImportParams{Format: new(apiclient.Jsonl)}) // which is no JSON as a whole
	require.NoError(t, err)
	defer func() { _ = lines.Body.Close() }()
	assert.Equal(t, 20, strings.Count(string(must(io.ReadAll(lines.Body))), "\n"))
	assert.Len(t, must(operator.RetractImportWithResponse(ctx, imp.Id, apiclient.RetractImportRequestBody{DryRun: true})).JSON200.Rows, 20)

	// Users: who can be claimed, claims by hand, and what can be done to a claimed user.
	near := apiclient.ListEligibleParams{Domain: new("acme.example"), Type: new(apiclient.ListEligibleParamsTypeImmediate)}
	eligible := must(operator.ListEligibleWithResponse(ctx, &near)).JSON200
	require.Greater(t, len(eligible.Users), 2)
	first, second := eligible.Users[0].Email, eligible.Users[1].Email
	assert.Contains(t, string(must(operator.ExportEligibleWithResponse(ctx, nil)).Body), first)

	// The same as a workbook comes back in, whatever it is said to be: its content says what it is.
	sheet := must(operator.ExportEligibleWorkbookWithResponse(ctx, &apiclient.ExportEligibleWorkbookParams{Domain: near.Domain}))
	assert.Equal(t, workbook.Media, sheet.HTTPResponse.Header.Get("Content-Type"))
	for _, media := range []string{workbook.Media, "text/csv"} {
		named := &apiclient.PlanImportParams{Sheet: new("Users")}
		planned := must(operator.PlanImportWithBodyWithResponse(ctx, named, media, bytes.NewReader(sheet.Body)))
		require.NotNil(t, planned.JSON201, string(planned.Body))
		assert.Equal(t, planned.JSON201.Rows, planned.JSON201.Ready)
		reported := must(operator.ReportImportWithResponse(ctx, planned.JSON201.Id, &apiclient.ReportImportParams{Format: new(apiclient.Xlsx)}))
		assert.Equal(t, workbook.Media, reported.HTTPResponse.Header.Get("Content-Type"))
		assert.Equal(t, string(schema.StateRejected), must(operator.DeclineImportWithResponse(ctx, planned.JSON201.Id)).JSON200.State)
	}
	unclear := must(operator.PlanImportWithBodyWithResponse(ctx, &apiclient.PlanImportParams{Sheet: new("Other")}, workbook.Media, bytes.NewReader(sheet.Body)))
	require.NotNil(t, unclear.ApplicationproblemJSONDefault)
	assert.Equal(t, string(schema.CodeSheetUnclear), unclear.ApplicationproblemJSONDefault.Code)

	assert.True(t, must(operator.ExplainEligibleWithResponse(ctx, first)).JSON200.Eligible)
	byHand := must(operator.ClaimUsersWithResponse(ctx, apiclient.ClaimRequestBody{
		Addresses: &[]string{"Ann Lee <" + first + ">", second}, Services: &[]string{"Webex Meetings"}, AcceptPermanent: new(true),
	}))
	require.NotNil(t, byHand.JSON201, string(byHand.Body))
	assert.EqualValues(t, 2, byHand.JSON201.Claimed)
	assert.Equal(t, byHand.JSON201.Id, *must(operator.ShowUserWithResponse(ctx, first)).JSON200.Claim.Import)
	assert.True(t, must(operator.RetractUserWithResponse(ctx, first)).JSON200.Retracted)
	assert.Equal(t, http.StatusNoContent, must(operator.RemoveUserWithResponse(ctx, second)).StatusCode())
	delayed := must(operator.ListUsersWithResponse(ctx, &apiclient.ListUsersParams{Status: new(apiclient.ListUsersParamsStatusDelayedClaim)})).JSON200
	require.NotEmpty(t, delayed.Users)
	assert.True(t, must(operator.RemindUserWithResponse(ctx, delayed.Users[0].Email)).JSON202.Reminded)
	assert.NotEmpty(t, must(operator.ListDeadlinesWithResponse(ctx, &apiclient.ListDeadlinesParams{Within: new("30d")})).JSON200.Deadlines)
	assert.Contains(t, string(must(operator.DeadlinesCalendarWithResponse(ctx, nil)).Body), "BEGIN:VCALENDAR")
	assert.NotEmpty(t, must(operator.ListOutboxWithResponse(ctx, nil)).JSON200.Outbox)

	// Settings.
	assert.Equal(t, "acme", must(operator.GetOrganizationWithResponse(ctx)).JSON200.Id)
	assert.EqualValues(t, 7, must(admin.SetOrganizationWithResponse(ctx, apiclient.SettingsRequestBody{RetentionDays: new(int64(7))})).JSON200.RetentionDays)
	assert.NotEmpty(t, must(operator.ListDomainsWithResponse(ctx, nil)).JSON200.Domains)
	assert.NotNil(t, must(admin.VerifyDomainWithResponse(ctx, "new.example")).JSON200.Record)
	assert.EqualValues(t, schema.DomainClaimed, must(admin.ClaimDomainWithResponse(ctx, "acme.test")).JSON200.Status)
	assert.EqualValues(t, schema.DomainVerified, must(admin.ReleaseDomainWithResponse(ctx, "acme.test")).JSON200.Status)
	assert.NotEmpty(t, must(operator.ListLicensesWithResponse(ctx, nil)).JSON200.Licenses)
	list, err := os.ReadFile(filepath.Join(samples, "directory.csv"))
	require.NoError(t, err)
	assert.NotEmpty(t, must(operator.PreviewDirectoryWithBodyWithResponse(ctx, nil, "text/csv", bytes.NewReader(list))).JSON200.Rows)

	// A schedule whose file cannot be understood until it is said how.
	file := filepath.Join(folder, "users.csv")
	require.NoError(t, os.WriteFile(file, []byte("User ID/Email (Required),Claim?\n"+first+",TRUE\n"), 0o600))
	old := time.Now().Add(-time.Hour)
	require.NoError(t, os.Chtimes(file, old, old), "nobody writes it still")
	added := must(admin.AddScheduleWithResponse(ctx, apiclient.ScheduleRequestBody{
		Name: "nightly run", Cron: "0 3 * * *", Zone: new("UTC"), File: &file, MaxClaims: 5, AcceptPermanent: new(true),
	}))
	require.NotNil(t, added.JSON201, string(added.Body))
	run := func(want schema.RunState) apiclient.RunView {
		require.Eventually(t, func() bool { // once the run before has ended
			return must(admin.RunScheduleWithResponse(ctx, "nightly run")).StatusCode() == http.StatusAccepted
		}, waitFor, tick)
		var runs []apiclient.RunView
		require.Eventually(t, func() bool {
			runs = must(operator.ListRunsWithResponse(ctx, "nightly run", nil)).JSON200.Runs
			return len(runs) > 0 && runs[0].State == string(want)
		}, waitFor, tick, want)
		return runs[0]
	}
	assert.Equal(t, string(schema.CodeColumnUnclear), *run(schema.RunFailed).Code)
	said := apiclient.ScheduleChangeBody{Column: &[]string{"Claim?=Claim"}}
	assert.Equal(t, string(schema.CodeConsentMissing), must(admin.ChangeScheduleWithResponse(ctx, "nightly run", said)).ApplicationproblemJSONDefault.Code)
	said.AcceptPermanent = new(true)
	assert.Equal(t, *said.Column, must(admin.ChangeScheduleWithResponse(ctx, "nightly run", said)).JSON200.Column)
	run(schema.RunDone)
	assert.Equal(t, *said.Column, must(operator.GetScheduleWithResponse(ctx, "nightly run")).JSON200.Column)
	assert.Len(t, must(operator.ListSchedulesWithResponse(ctx, nil)).JSON200.Schedules, 1)
	require.Eventually(t, func() bool { // once its run has ended
		return must(admin.RemoveScheduleWithResponse(ctx, "nightly run")).StatusCode() == http.StatusNoContent
	}, waitFor, tick)

	var operations []string
	for operation := range played.operations {
		operations = append(operations, operation)
	}
	assert.ElementsMatch(t, s.operations(), operations, "each of them has succeeded")
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// uploadForm returns a form with a file, and its media type.
func uploadForm(t *testing.T, name, file string) (form *bytes.Buffer, media string) {
	t.Helper()
	form = &bytes.Buffer{}
	writer := multipart.NewWriter(form)
	part, err := writer.CreateFormFile("file", name)
	require.NoError(t, err)
	_, err = io.WriteString(part, file)
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	return form, writer.FormDataContentType()
}
