package pipeline_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/people"
	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// small returns a pipeline on a small organization: ten users of a personal organization, eligible, delayed.
func small(t *testing.T) *pipeline.Flow {
	t.Helper()
	return smallOn(t, func(db store.DB) store.DB { return db })
}

// smallOn returns small on a database that behaves otherwise.
func smallOn(t *testing.T, as func(store.DB) store.DB) *pipeline.Flow {
	t.Helper()
	users := "id,email,organization_id,status\n"
	for i := range 10 {
		users += "u" + string(rune('0'+i)) + ",u" + string(rune('0'+i)) + "@acme.example,hooli,active\n"
	}
	folder := snapshotOf(t, map[string]string{
		"organizations.csv": organizationsHeader + "acme,Acme AB,enterprise,2015-01-01,,FALSE,TRUE,\n" +
			"hooli,Hooli,personal,2019-01-01,,FALSE,FALSE,\nsynced,Synced AB,enterprise,2015-01-01,,TRUE,TRUE,\n",
		"domains.csv": "domain,organization_id,status\nacme.example,acme,verified\nacme.example,synced,verified\n",
		"users.csv":   users,
	})
	p := newFlow(t, pipeline.Config{
		Store: store.New(as(newDB(t))), Now: func() time.Time { return now }, Policy: schema.DefaultPolicy(), Workers: 2, Lease: time.Minute, Runner: "test",
		TransactionRows: 3,
	})
	_, err := load(t.Context(), p, folder)
	require.NoError(t, err)
	return p
}

// organizationsHeader are the columns that organizations.csv must have.
const organizationsHeader = "id,name,kind,created,sso,directory_sync,bring_conversations,activation_emails\n"

// snapshotOf returns a folder with these files.
func snapshotOf(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	return folder
}

// everybody returns a file with the ten users of small.
func everybody() string {
	text := emailColumn + "\n"
	for i := range 10 {
		text += "u" + string(rune('0'+i)) + "@acme.example\n"
	}
	return text
}

func source(t *testing.T, text string) *dialect.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "users.csv")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	s, err := dialect.OpenFile(path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// untouched checks that nothing was written: no import, and everybody can still be claimed.
func untouched(t *testing.T, p *pipeline.Flow) {
	t.Helper()
	for _, organization := range []string{us, "synced"} {
		imports, err := p.Store.ListImports(t.Context(), organization, 0)
		require.NoError(t, err)
		assert.Empty(t, imports)
	}
	n, err := peopleOf(p).Export(t.Context(), us, people.Selection{}, schema.Format{}, new(bytes.Buffer), nil)
	require.NoError(t, err)
	assert.Equal(t, 10, n)
}

func never(context.Context, schema.Import, *schema.Plan) error {
	return errors.New("consent was asked")
}

// A file that is refused as a whole is refused by validate and by import, in the same words, with a place and
// a fix, and nothing is written.
func TestRefusals(t *testing.T) {
	lines := func(n int) string { return strings.Repeat("u1@acme.example\n", n) }
	for name, c := range map[string]struct {
		file   string
		given  func(p *pipeline.Flow, order *schema.Order)
		code   schema.Code
		line   int
		column int
		says   string

		changes bool // the file, while it is read
	}{
		"empty":                     {file: "", code: "file_empty"},
		"blank lines only":          {file: "\n\n , \n", code: "file_empty"},
		"header only":               {file: emailColumn + ",Claim\n", code: "file_empty", line: 1},
		"header, and blank rows":    {file: emailColumn + ",Claim\n,\n\n", code: "file_empty", line: 1},
		"no address column":         {file: "Name,User ID/Emial (Required)\na,b\n", code: "email_column_missing", line: 1, says: `"Name", "User ID/Emial (Required)"`},
		"no address column, line 3": {file: "\n,\nName\na\n", code: "email_column_missing", line: 3},
		"two address columns":       {file: emailColumn + ",user id/email (REQUIRED) \na,b\n", code: "header_duplicate", line: 1, column: 2},
		"two columns Claim":         {file: emailColumn + ",Claim,x,claim\na,b,c,d\n", code: "header_duplicate", line: 1, column: 4},
		"unclosed quote":            {file: emailColumn + ",Notes\n" + strings.Repeat("u1@acme.example,x\n", 20) + "u2@acme.example,\"x\nu3@acme.example,y\n", code: "csv_malformed", line: 22},
		"quote inside a cell":       {file: emailColumn + "\nu1@acme.example\nu\"2@acme.example\n", code: "csv_malformed", line: 3},
		"text after a quoted cell":  {file: emailColumn + "\n\"u1\"@acme.example\n", code: "csv_malformed", line: 2},
		"a workbook":                {file: "PK\x03\x04\x14\x00\x06\x00\x08\x00", code: "encoding_unknown"},
		"a PDF":                     {file: "%PDF-1.7\n1 0 obj\n", code: "encoding_unknown"},
		"UTF-16 without a mark":     {file: "U\x00s\x00e\x00r\x00\n\x00", code: "encoding_unknown"},
		"a NUL in the header":       {file: emailColumn + ",a\x00b\nu1@acme.example,x\n", code: "encoding_unknown"},
		"a row of 1 MiB":            {file: emailColumn + ",Notes\nu1@acme.example," + strings.Repeat("x", 1<<20) + "\n", code: "limit_exceeded", line: 2},
		"1,001 columns":             {file: emailColumn + strings.Repeat(",x", 1000) + "\nu1@acme.example\n", code: "limit_exceeded", line: 1},
		"1,001 cells":               {file: emailColumn + "\nu1@acme.example" + strings.Repeat(",x", 1000) + "\n", code: "limit_exceeded", line: 2},
		"too many rows":             {file: emailColumn + "\n" + lines(8), given: func(p *pipeline.Flow, _ *schema.Order) { p.Policy.MaxRows = 7 }, code: "too_many_rows", line: 9, says: "7"},
		"too many for all-or-nothing": {
			file: emailColumn + "\n\n" + lines(6), code: "too_many_rows", line: 8, says: "5",
			given: func(p *pipeline.Flow, o *schema.Order) {
				p.Policy.AllOrNothingMaxRows, o.AllOrNothing = 5, true
			},
		},
		"directory synchronization": {file: everybody(), given: func(_ *pipeline.Flow, o *schema.Order) { o.Organization = "synced" }, code: "directory_sync_enabled", says: "Synced AB"},
		"an unknown organization":   {file: everybody(), given: func(_ *pipeline.Flow, o *schema.Order) { o.Organization = "nobody" }, code: "organization_unknown"},
		"the file is written to": {
			file: everybody(), code: "file_changed", changes: true,
			given: func(p *pipeline.Flow, _ *schema.Order) {
				p.Workers, p.TransactionRows = 1, 1 // most of the file has not been read when the first row is through
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := small(t)
			order := schema.Order{Organization: us}
			var path string
			var watch pipeline.Watch
			if c.changes {
				watch.Progress = func(pipeline.Phase, int, int) { assert.NoError(t, os.WriteFile(path, []byte(everybody()+"\n"), 0o600)) }
			}
			open := func() *dialect.File {
				file := source(t, c.file)
				path = file.Name()
				if c.given != nil {
					c.given(p, &order)
				}
				return file
			}
			_, validating := p.Validate(t.Context(), open(), order, &report.Report{To: new(bytes.Buffer), Format: report.JSONL}, watch)
			_, importing := imports(t.Context(), p, open(), order, never, watch)
			for _, err := range []error{validating, importing} {
				var refusal *schema.Error
				require.ErrorAs(t, err, &refusal)
				assert.Equal(t, c.code, refusal.Code)
				assert.Equal(t, c.line, refusal.Line)
				if c.column > 0 {
					assert.Equal(t, c.column, refusal.Column)
				}
				assert.Contains(t, refusal.Text(), c.says)
				assert.NotEmpty(t, refusal.Text())
				assert.NotEmpty(t, refusal.Remedy())
				if c.line > 0 {
					assert.NotEmpty(t, refusal.File)
				}
			}
			p.Policy = schema.DefaultPolicy()
			untouched(t, p)
		})
	}
}

// What is no file at all is refused before anything else.
func TestOpenFile(t *testing.T) {
	folder := t.TempDir()
	for _, path := range []string{filepath.Join(folder, "none.csv"), folder} {
		_, err := dialect.OpenFile(path)
		require.Equal(t, schema.CodeFileUnreadable, schema.CodeOf(err), path)
	}
	p := small(t)
	s, err := dialect.Spool("-", strings.NewReader(everybody()))
	require.NoError(t, err)
	plan, err := p.Validate(t.Context(), s, schema.Order{Organization: us}, nil, pipeline.Watch{})
	require.NoError(t, err)
	require.Equal(t, 10, plan.Tally.Outcomes[schema.Ready])
	require.NoError(t, s.Close())
	untouched(t, p)
}

// Without consent nobody is claimed (R13): where somebody declined, the import is rejected and keeps its
// rows; where nobody could be asked, nothing is left of it.
func TestConsent(t *testing.T) {
	for _, code := range []schema.Code{schema.CodeConsentMissing, schema.CodeEditsNotAccepted, schema.CodeConsentDeclined} {
		p := small(t)
		asked := 0
		imp, err := imports(t.Context(), p, source(t, everybody()), schema.Order{Organization: us}, func(_ context.Context, imp schema.Import, plan *schema.Plan) error {
			asked++
			assert.Equal(t, schema.StateAwaitingConsent, imp.State)
			assert.Equal(t, 10, plan.Tally.Outcomes[schema.Ready])
			assert.Equal(t, map[schema.ClaimType]int{schema.Delayed: 10}, plan.Types)
			return &schema.Error{Code: code}
		}, pipeline.Watch{})
		require.Equal(t, code, schema.CodeOf(err))
		require.Equal(t, 1, asked)
		list, err := p.Store.ListImports(t.Context(), us, 0)
		require.NoError(t, err)
		if code == schema.CodeConsentDeclined {
			require.Len(t, list, 1)
			require.Equal(t, schema.StateRejected, imp.State)
			s, err := imp.Summary()
			require.NoError(t, err)
			require.Equal(t, 10, s.NotAttempted)
			require.Zero(t, s.Claimed)
			require.Zero(t, s.Problems())
			for _, result := range resultsOf(t, p, imp) {
				require.Equal(t, schema.NotAttempted, result.Outcome)
				require.Equal(t, schema.CodeConsentDeclined, result.Reason)
				require.False(t, result.Problem())
			}
			_, err = resumes(t.Context(), p, imp.ID, agree, pipeline.Watch{})
			require.Equal(t, schema.CodeImportFinished, schema.CodeOf(err))
			require.ErrorContains(t, err, "Nobody agreed")
		} else {
			require.Empty(t, list)
			require.Zero(t, imp.ID)
		}

		imp, err = imports(t.Context(), p, source(t, everybody()), schema.Order{Organization: us}, agree, pipeline.Watch{})
		require.NoError(t, err)
		require.Equal(t, 10, imp.Tally.Outcomes[schema.Claimed])
	}
}

// Where nobody would be claimed, nobody is asked.
func TestConsentToNothing(t *testing.T) {
	p := small(t)
	imp, err := imports(t.Context(), p, source(t, emailColumn+"\nnobody@acme.example\n"), schema.Order{Organization: us}, never, pipeline.Watch{})
	require.NoError(t, err)
	require.Equal(t, schema.StateCompletedWithErrors, imp.State)
}

// broken is a database that fails to finish the chunk with this number so many times, and always to claim the
// rows on these lines.
type broken struct {
	store.DB
	chunk, times int
	err          error
	lines        []int
	unread       atomic.Int64 // so many times nothing of the imports is read
	full         atomic.Bool  // no chunk is kept, and nothing is deleted
}

// on breaks a database.
func (b *broken) on(db store.DB) store.DB {
	b.DB = db
	return b
}

func (b *broken) Read(ctx context.Context, do func(store.Tx) error) error {
	return b.DB.Read(ctx, func(tx store.Tx) error { return do(&brokenTx{Tx: tx, broken: b}) })
}

func (b *broken) Write(ctx context.Context, do func(store.Tx) error) error {
	return b.DB.Write(ctx, func(tx store.Tx) error { return do(&brokenTx{Tx: tx, broken: b}) })
}

type brokenTx struct {
	store.Tx
	broken *broken
}

func (t *brokenTx) FinishChunk(ctx context.Context, importID int64, number int, results []byte, tally schema.Tally) error {
	if b := t.broken; number == b.chunk && b.times > 0 {
		b.times--
		return b.err
	}
	return t.Tx.FinishChunk(ctx, importID, number, results, tally)
}

func (t *brokenTx) InsertChunk(ctx context.Context, importID int64, chunk store.Chunk) error {
	if t.broken.full.Load() {
		return t.broken.err
	}
	return t.Tx.InsertChunk(ctx, importID, chunk)
}

func (t *brokenTx) DeleteImport(ctx context.Context, id int64) error {
	if t.broken.full.Load() {
		return t.broken.err
	}
	return t.Tx.DeleteImport(ctx, id)
}

func (t *brokenTx) ChunkNumbers(ctx context.Context, importID int64, pending bool) ([]int, error) {
	if t.broken.unread.Add(-1) >= 0 {
		return nil, t.broken.err
	}
	return t.Tx.ChunkNumbers(ctx, importID, pending)
}

func (t *brokenTx) FindChunk(ctx context.Context, importID int64, number int) (store.Chunk, bool, error) {
	if t.broken.unread.Add(-1) >= 0 {
		return store.Chunk{}, false, t.broken.err
	}
	return t.Tx.FindChunk(ctx, importID, number)
}

func (t *brokenTx) InsertClaims(ctx context.Context, batch store.ClaimBatch) ([]int64, error) {
	for _, c := range batch.Claims {
		if slices.Contains(t.broken.lines, c.Line) {
			return nil, errors.New("constraint failed, at u4@acme.example")
		}
	}
	return t.Tx.InsertClaims(ctx, batch)
}

// A file that is refused because the disk is full leaves nothing, once there is room.
func TestFullDiskLeavesNothing(t *testing.T) {
	b := &broken{err: &schema.Error{Code: schema.CodeDatabaseFull}}
	p := smallOn(t, b.on)
	plan := func() error {
		_, err := p.Plan(t.Context(), source(t, everybody()), schema.Order{Organization: us}, pipeline.Watch{})
		return err
	}
	states := func() (states []schema.ImportState) {
		list, err := p.Store.ListImports(t.Context(), us, 0)
		require.NoError(t, err)
		for _, imp := range list {
			states = append(states, imp.State)
		}
		return states
	}
	b.full.Store(true)
	for range 2 {
		require.Equal(t, schema.CodeDatabaseFull, schema.CodeOf(plan()))
	}
	require.Equal(t, []schema.ImportState{schema.StatePlanning}, states(), "the second is not begun")
	b.full.Store(false)
	require.NoError(t, p.Store.DropAgain(t.Context()))
	require.Empty(t, states())
	b.full.Store(true)
	require.Equal(t, schema.CodeDatabaseFull, schema.CodeOf(plan()))
	b.full.Store(false)
	require.NoError(t, plan())
	require.Equal(t, []schema.ImportState{schema.StateAwaitingConsent}, states())
}

// Passing trouble with reading what was kept is waited out, too.
func TestPassingTroubleWithReading(t *testing.T) {
	for times := range 6 {
		b := &broken{err: &schema.Error{Code: schema.CodeDatabaseUnreachable}}
		p := smallOn(t, b.on)
		p.Retry = time.Minute
		imp, err := imports(t.Context(), p, source(t, everybody()), schema.Order{Organization: us}, func(context.Context, schema.Import, *schema.Plan) error {
			b.unread.Store(int64(times))
			return nil
		}, pipeline.Watch{})
		require.NoError(t, err)
		require.Equal(t, 10, imp.Tally.Outcomes[schema.Claimed])
		require.Negative(t, b.unread.Load())
	}
}

// Passing trouble costs no row, whatever it is: it is told and tried again, and where it lasts, the import
// stops and can be gone on with.
func TestPassingTrouble(t *testing.T) {
	for name, err := range map[string]error{
		"a full disk": &schema.Error{Code: schema.CodeDatabaseFull}, "a busy database": &schema.Error{Code: schema.CodeDatabaseBusy},
		"something unknown": errors.New("disk on fire, at u4@acme.example"),
	} {
		for _, times := range []int{1, 2, 1000} {
			t.Run(fmt.Sprint(name, " ", times), func(t *testing.T) {
				b := &broken{chunk: 2, times: times, err: err}
				p := smallOn(t, b.on)
				p.Retry = 300 * time.Millisecond
				told := 0
				watch := pipeline.Watch{Trouble: func(trouble error, _ time.Duration) {
					told++
					assert.Equal(t, schema.CodeOf(err), schema.CodeOf(trouble))
				}}
				imp, got := imports(t.Context(), p, source(t, everybody()), schema.Order{Organization: us}, agree, watch)
				if times < 1000 {
					require.NoError(t, got)
				} else {
					require.Equal(t, schema.CodeOf(err), schema.CodeOf(got))
					require.Positive(t, told)
					require.Equal(t, schema.StateInterrupted, imp.State)
					s, err := imp.Summary()
					require.NoError(t, err)
					require.Equal(t, 6, s.Claimed)
					require.Equal(t, 4, s.NotAttempted)
					b.times = 0
					imp, err = resumes(t.Context(), p, imp.ID, agree, pipeline.Watch{})
					require.NoError(t, err)
				}
				require.Equal(t, schema.StateCompleted, imp.State)
				require.Equal(t, 10, imp.Tally.Outcomes[schema.Claimed])
			})
		}
	}
}

// A row that breaks something fails, alone; all or nothing, it keeps all others from being claimed.
func TestRowsThatBreakSomething(t *testing.T) {
	for _, lines := range [][]int{{5}, {2, 3, 11}, {2, 3, 4, 5, 6, 7, 8, 9, 10, 11}} {
		for _, whole := range []bool{false, true} {
			p := smallOn(t, (&broken{chunk: -1, lines: lines}).on)
			imp, err := imports(t.Context(), p, source(t, everybody()), schema.Order{Organization: us, AllOrNothing: whole}, agree, pipeline.Watch{})
			require.NoError(t, err)
			for _, result := range resultsOf(t, p, imp) {
				switch {
				case slices.Contains(lines, result.Line):
					require.Equal(t, schema.Failed, result.Outcome)
					require.Equal(t, []schema.Code{schema.CodeInternal}, result.Reasons)
					require.NotContains(t, result.Message+result.Fix, "constraint")
				case whole:
					require.Equal(t, schema.CodeAllOrNothing, result.Reason)
					require.False(t, result.Problem())
				default:
					require.Equal(t, schema.Claimed, result.Outcome)
				}
			}
		}
	}
}

// A service becomes a column of the users file: a name that would be taken for another column is refused by
// load.
func TestServicesAreColumns(t *testing.T) {
	for services, code := range map[string]schema.Code{
		"Calling\nMöten": "", "Title": "value_invalid", "claim type ": "value_invalid", "Claimline Fix": "value_invalid", "Calling\nCALLING": "id_duplicate",
	} {
		folder := t.TempDir()
		licenses := "organization_id,service,quantity\n"
		for name := range strings.SplitSeq(services, "\n") {
			licenses += "acme," + name + ",\n"
		}
		for name, text := range map[string]string{
			"organizations.csv": organizationsHeader + "acme,,enterprise,2015-01-01,,,,\n", "domains.csv": "domain,organization_id,status\n",
			"users.csv": "id,email,organization_id,status\n", "licenses.csv": licenses,
		} {
			require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
		}
		_, err := load(t.Context(), small(t), folder)
		if code == "" {
			require.NoError(t, err)
			continue
		}
		require.Equal(t, code, schema.CodeOf(err), services)
	}
}
