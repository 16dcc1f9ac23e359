package handoff_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/handoff"
	"github.com/claimline/claimline/pipeline/handoff/folder"
	"github.com/claimline/claimline/pipeline/handoff/results"
	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/schema"
)

// Whatever the tests of this package start ends with them.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newHandoff() *handoff.Handoff {
	at := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	return &handoff.Handoff{
		Now: func() time.Time { return at }, Policy: schema.DefaultPolicy(), Workers: 2, By: "test", Limits: dialect.Limits{BlockRows: 3},
	}
}

func text(records [][]string) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	if err := w.WriteAll(records); err != nil {
		panic(err)
	}
	return b.String()
}

// world draws the accounts that there are.
func world(t *rapid.T) map[string]*account {
	accounts := map[string]*account{}
	for i := range rapid.IntRange(1, 14).Draw(t, "accounts") {
		a := &account{email: fmt.Sprintf("user%02d@acme.example", i), services: map[string]bool{}}
		switch rapid.IntRange(0, 9).Draw(t, "account") {
		case 0:
			a.taken = true
		case 1:
			a.member = true
		case 2:
			continue // there is none
		}
		for _, service := range serviceHeaders {
			a.services[service] = rapid.Bool().Draw(t, "has the service")
		}
		accounts[a.email] = a
	}
	return accounts
}

// source draws a file to hand off: rows for accounts, now and then wrong, in any order of columns.
func source(t *rapid.T) [][]string {
	header := []string{emailColumn, "First Name", "Phone Number", "Location", "Extension", messaging, calling, callingToo, assistant, "Shoe size", "User Status"}
	if rapid.Bool().Draw(t, "suspended") {
		header = append(header, suspendedSite)
	}
	if rapid.Bool().Draw(t, "claim column") {
		header = append(header, "Claim")
	}
	header = rapid.Permutation(header).Draw(t, "columns")
	cells := map[string]*rapid.Generator[string]{
		emailColumn: rapid.Custom(func(t *rapid.T) string {
			email := fmt.Sprintf("user%02d@acme.example", rapid.IntRange(0, 14).Draw(t, "user"))
			switch rapid.IntRange(0, 19).Draw(t, "spelling") {
			case 0:
				return strings.ToUpper(email)
			case 1:
				return "=" + email
			case 2:
				return "nobody"
			case 3:
				return " " + email
			}
			return email
		}),
		"First Name":  rapid.SampledFrom([]string{"Ann", "Åsa", "", "", "=1+1", "'=1", "Ann, \"Bo\"", "A <b>", "-Ann", "Ann?", "NULL", strings.Repeat("å", 31)}),
		"Location":    rapid.SampledFrom([]string{"", "Malmö", "Malmö", "#REF!"}),
		"Shoe size":   rapid.SampledFrom([]string{"38", "=39"}),
		"User Status": rapid.Just("Active"),
		suspendedSite: rapid.SampledFrom([]string{"", "", "", "FALSE", "TRUE"}),
		"Claim":       rapid.SampledFrom([]string{"TRUE", "TRUE", "x", "FALSE", ""}),
	}
	number := rapid.SampledFrom([]string{"", "+4640123", "'+4640123", "12", "4.6E+10"})
	service := rapid.SampledFrom([]string{"", "", "", "TRUE", "TRUE", "t", "ja", "FALSE", "f", "perhaps"})
	rows := [][]string{header}
	for range rapid.IntRange(1, 20).Draw(t, "rows") {
		row := make([]string, len(header))
		for i, name := range header {
			of := cells[name]
			switch {
			case of != nil:
			case name == "Phone Number" || name == "Extension":
				of = number
			default:
				of = service
			}
			row[i] = of.Draw(t, name)
		}
		rows = append(rows, row)
	}
	return rows
}

// TestWhateverGoesWrong plays hand-offs against a simulated Control Hub: every row of the source is in a
// part or left out, no part is refused as a whole, and whatever is said of rows, in whatever shape, or
// gets lost, every row ends with the outcome that is true.
func TestWhateverGoesWrong(t *testing.T) {
	folders, n := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		ctx, h := t.Context(), newHandoff()
		follower := &results.Follower{Policy: h.Policy, Workers: h.Workers, Limits: h.Limits}
		mode := rapid.SampledFrom(folder.Modes).Draw(t, "mode")
		at := &hub{t: t, accounts: world(t), addRemove: mode == folder.AddRemove}
		rows := source(t)
		n++
		dir := filepath.Join(folders, strconv.Itoa(n))
		require.NoError(t, os.Mkdir(dir, 0o700))
		defer func() { _ = os.RemoveAll(dir) }()
		request := handoff.Request{
			Source: dialect.Text("claimable.csv", text(rows)), Template: dialect.Text("template.csv", text([][]string{templateHeader})), Mode: mode,
		}
		if rapid.Bool().Draw(t, "compare with users") {
			users, _ := at.exports()
			request.Users = dialect.Text("users.csv", users)
		}

		var before bytes.Buffer
		plan, err := h.Check(ctx, request, &report.Report{To: &before, Format: report.JSONL})
		require.NoError(t, err)
		m, made, err := h.Make(ctx, request, rapid.IntRange(1, 5).Draw(t, "rows of a part"), dir)
		if schema.CodeOf(err) == schema.CodeNothingToHandOff {
			require.Zero(t, plan.Tally.Outcomes[schema.Ready])
			return
		}
		require.NoError(t, err)
		require.Equal(t, plan, made, "make does what check says")
		ready := requireMade(t, dir, m, rows, readResults(t, before.Bytes()))

		// Every part is uploaded, and what comes back is joined.
		var files []results.Errors
		var firsts []int
		said := map[int][]trouble{} // by row of all parts
		asked := [][]string{}
		for i, part := range m.Parts {
			content, err := os.ReadFile(filepath.Join(dir, part.File))
			require.NoError(t, err)
			of, uploaded, err := at.upload(content)
			require.NoError(t, err, "a part is never refused as a whole")
			file, first := at.errorFile(of, uploaded, slices.Index(m.Columns, emailColumn))
			for row := range uploaded {
				said[len(asked)+row+1] = of[row+1]
			}
			asked = append(asked, uploaded...)
			errors := results.Errors{Source: dialect.Text(fmt.Sprintf("errors-%d.csv", i+1), file)}
			if rapid.Bool().Draw(t, "part named") {
				errors.Part = i + 1
			}
			files, firsts = append(files, errors), append(firsts, first)
		}
		joined := joinResults(t, follower, dir, files, firsts)
		require.Len(t, joined, m.Rows)
		refused := map[int]schema.Code{}
		for i, r := range joined {
			require.Equal(t, ready[i].Line, r.Line)
			require.Equal(t, ready[i].Email, r.Email)
			want := reasonsOf(said[i+1])
			if len(want) == 0 {
				require.Equal(t, schema.Accepted, r.Outcome)
				continue
			}
			require.Equal(t, schema.Refused, r.Outcome, r.Email)
			require.Equal(t, want, r.Reasons, r.Message)
			require.NotEmpty(t, r.Fix)
			for _, of := range said[i+1] {
				require.Contains(t, r.Message, strings.ReplaceAll(of.message, "%s", r.Email))
			}
			refused[i] = r.Reason
		}

		users, claimable := at.exports()
		var after bytes.Buffer
		outcome, err := follower.Verify(ctx, dir, dialect.Text("users.csv", users), dialect.Text("claimable.csv", claimable), &report.Report{To: &after, Format: report.JSONL})
		require.NoError(t, err)
		verified := readResults(t, after.Bytes())
		require.Len(t, verified, m.Rows)
		sum := 0
		for _, n := range outcome.Tally.Outcomes {
			sum += n
		}
		require.Equal(t, m.Rows, sum, "the outcomes add up to the manifest's rows")
		for i, r := range verified {
			a := at.accounts[strings.ToLower(r.Email)]
			want := schema.NotFound
			switch {
			case a != nil && a.member && a.delayed:
				want = schema.ClaimDelayed
			case a != nil && a.member:
				want = schema.Claimed
			case a != nil && a.taken:
				want = schema.TakenElsewhere
			case refused[i] != "":
				want = schema.Refused
			case a != nil:
				want = schema.StillClaimable
			}
			require.Equal(t, want, r.Outcome, r.Email)
			var warnings []string
			for column, name := range m.Columns {
				switch cell := asked[i][column]; {
				case a == nil || !a.member || !slices.Contains(serviceHeaders, name):
				case cell == "TRUE" && !a.services[name]:
					warnings = append(warnings, "license_missing:"+strings.TrimSpace(name))
				case cell == "FALSE" && a.services[name]:
					require.Equal(t, folder.AddRemove, mode)
					warnings = append(warnings, "license_kept:"+strings.TrimSpace(name))
				}
			}
			require.ElementsMatch(t, warnings, r.Warnings, r.Email)
		}
		status, err := follower.Status(ctx, dir)
		require.NoError(t, err)
		require.Equal(t, outcome.Tally.Outcomes, nonZero(status.Tally()))
	})
}

// TestMoreThanOneFile checks that a file of more rows than Control Hub takes is told, and cut into parts.
func TestMoreThanOneFile(t *testing.T) {
	var rows strings.Builder
	rows.WriteString("Email\n")
	for i := range folder.MaxPartRows + 1 {
		fmt.Fprintf(&rows, "u%d@acme.example\n", i)
	}
	h := newHandoff()
	h.Limits.BlockRows = 0
	request := handoff.Request{
		Source: dialect.Text("list.csv", rows.String()), Template: dialect.Text("template.csv", text([][]string{templateHeader})), Mode: folder.AddOnly,
	}
	m, plan, err := h.Make(t.Context(), request, folder.MaxPartRows, t.TempDir())
	require.NoError(t, err)
	codes := map[schema.Code]string{}
	for _, notice := range plan.Notices {
		codes[notice.Code] = notice.Message.String() + " " + notice.Fix.String()
	}
	require.Equal(t, "20,001 rows are to be uploaded, and Control Hub takes 20,000 in a file. claimline handoff make cuts them into 2 parts.", codes[schema.CodeTooManyRows])
	require.Len(t, m.Parts, 2)
	require.Equal(t, []int{folder.MaxPartRows, 1}, []int{m.Parts[0].Rows, m.Parts[1].Rows})
}

func nonZero(counts map[schema.Outcome]int) map[schema.Outcome]int {
	maps.DeleteFunc(counts, func(_ schema.Outcome, n int) bool { return n == 0 })
	return counts
}

// joinResults joins what was said to the rows. What a file does not tell is asked for, never guessed: then
// it is said.
func joinResults(t *rapid.T, f *results.Follower, dir string, files []results.Errors, firsts []int) []schema.Result {
	var out bytes.Buffer
	join := func(files []results.Errors, first int) error {
		out.Reset()
		_, err := f.Results(t.Context(), dir, files, first, &report.Report{To: &out, Format: report.JSONL})
		return err
	}
	err := join(files, 0)
	if schema.CodeOf(err) == schema.CodePartUnclear {
		for i := range files {
			files[i].Part = i + 1
		}
		err = join(files, 0)
	}
	if schema.CodeOf(err) == schema.CodeFirstRowUnclear { // part by part: each may count in its own way
		for i := range files {
			files[i].Part = i + 1
			if err = join(files[i:i+1], 0); schema.CodeOf(err) == schema.CodeFirstRowUnclear {
				err = join(files[i:i+1], firsts[i])
			}
			require.NoError(t, err)
		}
	}
	require.NoError(t, err)
	return readResults(t, out.Bytes())
}

// reasonsOf returns what has to be made of what was said of a row.
func reasonsOf(said []trouble) []schema.Code {
	var reasons []schema.Code
	for _, of := range said {
		if of.reason != schema.CodeMessageUnknown && !slices.Contains(reasons, of.reason) {
			reasons = append(reasons, of.reason)
		}
	}
	if len(said) > 0 && reasons == nil {
		return []schema.Code{schema.CodeMessageUnknown}
	}
	return reasons
}

// requireMade requires that every row of the source is in a part or left out, as was said before, and
// returns those in parts.
func requireMade(t *rapid.T, dir string, m *folder.Manifest, rows [][]string, before []schema.Result) []schema.Result {
	require.Len(t, before, len(rows)-1)
	var ready []schema.Result
	for _, r := range before {
		if r.Outcome == schema.Ready {
			ready = append(ready, r)
		}
	}
	require.Len(t, ready, m.Rows)
	again, err := folder.ReadManifest(dir)
	require.NoError(t, err)
	written, err := json.Marshal(m)
	require.NoError(t, err)
	read, err := json.Marshal(again)
	require.NoError(t, err)
	require.JSONEq(t, string(written), string(read))

	email := slices.Index(m.Columns, emailColumn)
	i := 0
	for _, part := range m.Parts {
		content, err := os.ReadFile(filepath.Join(dir, part.File))
		require.NoError(t, err)
		records, err := csv.NewReader(bytes.NewReader(content)).ReadAll()
		require.NoError(t, err)
		require.Len(t, records, part.Rows+1)
		for _, record := range records[1:] {
			require.Equal(t, ready[i].Email, record[email])
			i++
		}
	}
	left, err := os.ReadFile(filepath.Join(dir, "left-out.csv"))
	require.NoError(t, err)
	records, err := csv.NewReader(bytes.NewReader(left)).ReadAll()
	require.NoError(t, err)
	require.Len(t, records, len(before)-len(ready)+1)
	require.Equal(t, m.LeftOut.Rows, len(before)-len(ready))
	return ready
}

func readResults(t *rapid.T, lines []byte) []schema.Result {
	var list []schema.Result
	for line := range bytes.Lines(lines) {
		var r schema.Result
		require.NoError(t, json.Unmarshal(line, &r))
		list = append(list, r)
	}
	return list
}
