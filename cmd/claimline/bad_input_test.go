package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/schema"
)

const emailHeader = schema.EmailHeader

// TestFilesThatAreRefused hands in every file that must be refused as a whole: validate and import name the
// code, the place and the fix, exit 1, and leave nothing behind.
func TestFilesThatAreRefused(t *testing.T) {
	s := newSite(t, filepath.Join(samples, "org"))
	before := s.run(t, "export").stdout
	long := strings.Repeat("ann@acme.example,plain\n", 69_998)

	for _, c := range []struct {
		name    string
		content string
		code    schema.Code
		place   string   // after the file's name
		words   []string // in the message or the fix
	}{
		{"empty", "", schema.CodeFileEmpty, "", []string{"empty"}},
		{"blank", "\n\n , ,\n", schema.CodeFileEmpty, "", []string{"blank"}},
		{"header only", emailHeader + ",Claim\n", schema.CodeFileEmpty, ":1", []string{"no row"}},
		{"header and blank rows", emailHeader + ",Claim\n,\n\n", schema.CodeFileEmpty, ":1", []string{"no row"}},
		{"no e-mail column", "First Name,E-mial,Claim\nAnn,ann@acme.example,TRUE\n", schema.CodeEmailColumnMissing, `:1, column "E-mial"`,
			[]string{`seem to stand in "E-mial"`, `--column "E-mial=User ID/Email (Required)"`}},
		{"no e-mail column, nothing near", "Namn;Avdelning\nAnn;Lager\n", schema.CodeEmailColumnMissing, ":1", []string{`"Namn", "Avdelning"`}},
		{"no e-mail column below blank rows", "\n\nNamn;Avdelning\nAnn;Lager\n", schema.CodeEmailColumnMissing, ":3", nil},
		{"two e-mail columns", emailHeader + ",Claim, user id/EMAIL (required) \na@acme.example,,b@acme.example\n", schema.CodeHeaderDuplicate, `:1, column "user id/EMAIL (required)"`,
			[]string{"column 1", "column 3"}},
		{"two service columns", emailHeader + ",Webex Calling,webex calling\na@acme.example,,\n", schema.CodeHeaderDuplicate, `:1, column "webex calling"`, nil},
		{"workbook", sample(t, "bad/workbook.csv"), schema.CodeEncodingUnknown, "", []string{"Excel", "CSV UTF-8"}},
		{"PDF", "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", schema.CodeEncodingUnknown, "", []string{"PDF"}},
		{"UTF-16LE without BOM", utf16Text(t, sample(t, "good.csv"), false), schema.CodeEncodingUnknown, "", []string{"UTF-16", "CSV UTF-8"}},
		{"UTF-16BE without BOM", utf16Text(t, sample(t, "good.csv"), true), schema.CodeEncodingUnknown, "", []string{"UTF-16"}},
		{"zeros", strings.Repeat("\x00", 5000), schema.CodeEncodingUnknown, "", nil},
		{"NUL in the header", emailHeader + ",No\x00tes\nann@acme.example,\n", schema.CodeEncodingUnknown, "", nil},
		{"NUL in cells", emailHeader + ",Title\na@acme.example,\nb@acme.example,x\x00y\n", schema.CodeEncodingUnknown, ":3", nil},
		{"quote never closed on line 70,000", emailHeader + ",Notes\n" + long + "bo@acme.example,\"open\n" + long, schema.CodeCSVMalformed, `:70000, column "Notes"`,
			[]string{"never closed", "Close the quoted cell"}},
		{"quote inside a cell", emailHeader + ",Notes\nann@acme.example,a \"b\" c\n", schema.CodeCSVMalformed, `:2, column "Notes"`, nil},
		{"text after a quote", emailHeader + ",Notes\nann@acme.example,\"a\nb\"c\n", schema.CodeCSVMalformed, `:2, column "Notes"`, []string{"line 3"}},
		{"old Mac", emailHeader + ",Notes\rann@acme.example,\r", schema.CodeCSVMalformed, ":1", nil},
		{"3,000 columns", emailHeader + strings.Repeat(",x", 2999) + "\nann@acme.example" + strings.Repeat(",", 2999) + "\n", schema.CodeLimitExceeded, ":1:1001",
			[]string{"1000 columns"}},
		{"3,000 cells in a row", emailHeader + ",Notes\nann@acme.example,\nbo@acme.example" + strings.Repeat(",x", 2999) + "\n", schema.CodeLimitExceeded, ":3:1001",
			[]string{"1000 columns"}},
		{"cell of 50 MB", emailHeader + ",Notes\nann@acme.example,\nbo@acme.example," + strings.Repeat("x", 50<<20) + "\n", schema.CodeLimitExceeded, ":3",
			[]string{"1048576 bytes"}},
		{"quoted cell of 50 MB", emailHeader + ",Notes\nbo@acme.example,\"" + strings.Repeat("x\n", 25<<20) + "\"\n", schema.CodeLimitExceeded, ":2", nil},
		{"header of 50 MB", emailHeader + "," + strings.Repeat("x", 50<<20) + "\nann@acme.example,\n", schema.CodeLimitExceeded, ":1", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := write(t, "users.csv", c.content)
			for _, command := range [][]string{{"validate"}, {"validate", "--offline"}, {"import", "--accept-permanent"}, {"import", "--accept-permanent", "--all-or-nothing"}} {
				if c.name == "two service columns" && len(command) == 2 && command[1] == "--offline" {
					continue // offline, services are unknown columns
				}
				if strings.HasSuffix(c.name, "line 70,000") && slices.Contains(command, "--all-or-nothing") {
					continue // refused for its many rows before
				}
				got := s.run(t, append(command, "--json", file)...)
				assert.Equal(t, exitFailed, got.code, command)
				refused := got.refusal(t)
				assert.Equal(t, c.code, refused.Code, refused.Message)
				assert.Contains(t, refused.Message, file+c.place+": ")
				assert.NotEmpty(t, refused.Fix)
				for _, words := range c.words {
					assert.Contains(t, refused.Message+" "+refused.Fix, words)
				}
				assert.Less(t, len(refused.Message), 1000)
			}
		})
	}
	assert.Empty(t, s.imports(t))
	assert.Equal(t, before, s.run(t, "export").stdout, "nothing was claimed")
}

// TestFilesThatAreTolerated hands in files that are odd, and are read all the same: each row has its own
// reason.
func TestFilesThatAreTolerated(t *testing.T) {
	s := newSite(t, filepath.Join(samples, "org"))
	for _, c := range []struct {
		name    string
		content string
		repairs map[schema.Repair]int
		rows    []string // "line outcome reasons column"
	}{
		{"Windows-1252", sample(t, "windows1252.csv"), map[schema.Repair]int{schema.RepairWindows1252: 1, schema.RepairDelimiter: 1}, nil},
		{"UTF-16", sample(t, "utf16.csv"), map[schema.Repair]int{schema.RepairUTF16: 1, schema.RepairDelimiter: 1}, nil},
		{"half UTF-8", emailHeader + ",Title\na@acme.example,\xc5ngstr\xf6m\nb@acme.example,\xc3\x85ngstr\xc3\xb6m\nc@acme.example,ASCII\n", nil,
			[]string{"2 invalid text_invalid Title", "3 ineligible user_not_found ", "4 ineligible user_not_found "}},
		{"invalid UTF-8 in a column not known", emailHeader + ",Notes\na@acme.example,\xff\nb@acme.example,å\n", nil,
			[]string{"2 invalid text_invalid Notes", "3 ineligible user_not_found "}},
		{"ragged", emailHeader + ",Title\na@acme.example\n\"b@acme.example\",1,2\n\nc@acme.example,\n", map[schema.Repair]int{schema.RepairBlankRow: 1},
			[]string{"2 invalid field_count ", "3 invalid field_count ", "5 ineligible user_not_found "}},
		{"no line end, CRLF, a lone CR at the end", emailHeader + ",Title\r\na@acme.example,\r\nb@acme.example,x\r", nil,
			[]string{"2 ineligible user_not_found ", "3 ineligible user_not_found "}},
		{"cells of several lines", emailHeader + ",Notes\n\"a@acme.example\",\"1\n2\r\n3\"\nb@acme.example,\n", nil,
			[]string{"2 ineligible user_not_found ", "5 ineligible user_not_found "}},
		{"trimmed", "\ufeff " + strings.ToLower(emailHeader) + "\u00a0|title\n a@acme.example|\u200bx \n", map[schema.Repair]int{
			schema.RepairBOM: 1, schema.RepairDelimiter: 1, schema.RepairBlanksTrimmed: 2, schema.RepairHeaderCleaned: 1,
		}, []string{"2 ineligible user_not_found "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := write(t, "users.csv", c.content)
			got := s.run(t, "validate", "--json", file)
			repairs := got.summary(t).Repairs
			if c.repairs == nil {
				c.repairs = map[schema.Repair]int{}
			}
			assert.Equal(t, c.repairs, repairs)
			if c.rows == nil {
				assert.Equal(t, exitDone, got.code)
				assert.Equal(t, got.summary(t).Rows, got.summary(t).Ready)
				return
			}
			assert.Equal(t, exitProblems, got.code)
			var rows []string
			for _, r := range s.run(t, "validate", "--format", "jsonl", file).results(t) {
				assert.NotEmpty(t, r.Message)
				assert.NotEmpty(t, r.Fix)
				rows = append(rows, fmt.Sprintf("%d %s %s %s", r.Line, r.Outcome, strings.Trim(fmt.Sprint(r.Reasons), "[]"), r.Column))
			}
			assert.Equal(t, c.rows, rows)
		})
	}
}

// TestSampleFilesThatAreRefused keeps the promises of the samples' own README.
func TestSampleFilesThatAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, filepath.Join(samples, "org"))
	for file, code := range map[string]schema.Code{
		"empty.csv": schema.CodeFileEmpty, "header-only.csv": schema.CodeFileEmpty, "no-email-column.csv": schema.CodeEmailColumnMissing,
		"two-email-columns.csv": schema.CodeHeaderDuplicate, "unclosed-quote.csv": schema.CodeCSVMalformed,
		"workbook.csv": schema.CodeEncodingUnknown, "utf16-no-bom.csv": schema.CodeEncodingUnknown,
	} {
		assert.Equal(t, code, s.run(t, "validate", "--json", filepath.Join(samples, "bad", file)).refusal(t).Code, file)
	}
	half := s.run(t, "validate", "--json", filepath.Join(samples, "bad", "half-utf8.csv"))
	assert.Equal(t, 2, half.summary(t).Reasons[schema.CodeTextInvalid])
}

// TestSourcesThatAreNoFile names what was given instead.
func TestSourcesThatAreNoFile(t *testing.T) {
	t.Parallel()
	s := newSite(t, filepath.Join(samples, "org"))
	folder := t.TempDir()
	for path, words := range map[string]string{filepath.Join(folder, "absent.csv"): "none of this name", folder: "a folder"} {
		for _, command := range []string{"validate", "import"} {
			got := s.run(t, command, "--json", path)
			assert.Equal(t, exitFailed, got.code)
			refused := got.refusal(t)
			assert.Equal(t, schema.CodeFileUnreadable, refused.Code)
			assert.Contains(t, refused.Message, path+": ")
			assert.Contains(t, refused.Message, words)
			assert.NotEmpty(t, refused.Fix)
		}
	}
	assert.Empty(t, s.imports(t))
}

// organizationsHeader are the columns that organizations.csv must have.
const organizationsHeader = "id,name,kind,created,sso,directory_sync,bring_conversations,activation_emails\n"

// TestSnapshotWithAWrongDate loads nothing of a snapshot that is wrong on line 5,000.
func TestSnapshotWithAWrongDate(t *testing.T) {
	t.Parallel()
	s := newSite(t, filepath.Join(samples, "org"))
	before := s.run(t, "export").stdout

	folder := t.TempDir()
	users := strings.Builder{}
	users.WriteString("id,email,organization_id,status,last_sign_in\n")
	for line := 2; line <= 6000; line++ {
		date := "2024-02-28"
		if line == 5000 {
			date = "2024-02-30"
		}
		fmt.Fprintf(&users, "new%d,new%d@acme.example,consumer,active,%s\n", line, line, date)
	}
	for name, content := range map[string]string{
		"organizations.csv": organizationsHeader + "consumer,Changed,consumer,2012-01-01,,,,\nadded,Added,personal,2019-01-01,,,,\n",
		"domains.csv":       "domain,organization_id,status\n",
		"users.csv":         users.String(),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600))
	}
	got := s.run(t, "load", "--json", folder)
	assert.Equal(t, exitFailed, got.code)
	refused := got.refusal(t)
	assert.Equal(t, schema.CodeValueInvalid, refused.Code)
	assert.Contains(t, refused.Message, filepath.Join(folder, "users.csv")+":5000, column \"last_sign_in\": ")
	assert.Contains(t, refused.Message, "2024-02-30")
	assert.Equal(t, before, s.run(t, "export").stdout, "nothing of it was loaded")
	assert.Equal(t, schema.CodeOrganizationUnknown, s.run(t, "export", "--org", "added", "--json").refusal(t).Code)
}

// TestDatabaseOfANewerVersion shows that such a database is refused by whatever opens it, reading or writing.
func TestDatabaseOfANewerVersion(t *testing.T) {
	t.Parallel()
	s := newSite(t, filepath.Join(samples, "org"))
	db := openSQL(t, s.db)
	_, err := db.ExecContext(t.Context(), "INSERT INTO schema_versions (version_id, is_applied) VALUES (9999, 1)")
	require.NoError(t, err)
	require.NoError(t, db.Close())
	good := filepath.Join(samples, "good.csv")
	for _, command := range [][]string{{"load", filepath.Join(samples, "org")}, {"export"}, {"validate", good}, {"import", "--accept-permanent", good}, {"imports"}, {"cancel", "1"}} {
		got := s.run(t, append(command, "--json")...)
		assert.Equal(t, exitFailed, got.code, command)
		refused := got.refusal(t)
		assert.Equal(t, schema.CodeDatabaseNewer, refused.Code, command)
		assert.NotEmpty(t, refused.Fix)
	}
}

// TestLogsHoldNoCells reads everything the program logs at its most talkative, in good runs and in bad ones.
func TestLogsHoldNoCells(t *testing.T) {
	t.Parallel()
	s := newSite(t, filepath.Join(samples, "org"))
	secret := "hemlig.person"
	headerless := write(t, "headerless.csv", "Hemlig,"+secret+"@acme.example,TRUE\n"+"Annan,annan@acme.example,TRUE\n")
	snapshot := t.TempDir()
	for name, content := range map[string]string{
		"organizations.csv": organizationsHeader + "consumer,Webex Free,consumer,2012-01-01,,,,\n",
		"domains.csv":       "domain,organization_id,status\n",
		"users.csv":         "id,email,organization_id,status\n1," + secret + " at acme.example,consumer,active\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(snapshot, name), []byte(content), 0o600))
	}
	var log bytes.Buffer
	for _, args := range [][]string{
		{"validate", filepath.Join(samples, "edited.csv")},
		{"import", "--accept-permanent", "--workers", "4", filepath.Join(samples, "edited.csv")},
		{"report", "--format", "csv"},
		{"validate", headerless},
		{"import", "--accept-permanent", headerless},
		{"load", snapshot},
		{"validate", filepath.Join(samples, "bad", "unclosed-quote.csv")},
		{"status", "99"},
	} {
		for line := range strings.Lines(s.run(t, append(args, "--log-level", "debug")...).stderr) {
			if strings.HasPrefix(line, "{") {
				assert.True(t, json.Valid([]byte(line)), line)
				log.WriteString(line)
			}
		}
	}
	require.NotEmpty(t, log.String())
	assert.NotContains(t, log.String(), secret)
	for _, r := range s.run(t, "report", "--format", "jsonl").results(t) {
		if r.Email != "" {
			assert.NotContains(t, log.String(), r.Email)
		}
	}
}

func sample(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(samples, name))
	require.NoError(t, err)
	return string(data)
}

func utf16Text(t *testing.T, text string, bigEndian bool) string {
	t.Helper()
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(text)) {
		if low, high := byte(unit), byte(unit>>8); bigEndian {
			b.Write([]byte{high, low})
		} else {
			b.Write([]byte{low, high})
		}
	}
	return b.String()
}

// openSQL opens a database behind the program's back.
func openSQL(t *testing.T, path string) *sql.DB {
	t.Helper()
	driver, name := "sqlite", "file:"+path
	if strings.HasPrefix(path, "postgres:") {
		driver, name = "pgx", path
	}
	db, err := sql.Open(driver, name)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}
