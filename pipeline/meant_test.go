package pipeline_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/htmlindex"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/schema"
)

// planned returns a plan of a file, and what it says of each row.
func planned(t *testing.T, p *pipeline.Flow, file string, order schema.Order) (*schema.Plan, []schema.Result) {
	t.Helper()
	var out bytes.Buffer
	order.Organization = us
	plan, err := p.Validate(t.Context(), source(t, file), order, &report.Report{To: &out, Format: report.JSONL}, pipeline.Watch{})
	require.NoError(t, err)
	return plan, decodeResults(t, out.String())
}

// Two rows of one address, of which one claims it and the other does not, claim nobody, in whatever order and
// however far apart they stand, and however the address is spelt.
func TestContradictions(t *testing.T) {
	for name, c := range map[string]struct {
		rows    string
		reasons string // of each row, the first
		lines   []int  // named by the rows, 0: none
	}{
		"later":                   {"u1,TRUE\nu1,FALSE", "claim_contradicted claim_false", []int{3, 0}},
		"earlier":                 {"u1,FALSE\nu1,TRUE", "claim_false claim_contradicted", []int{0, 2}},
		"blank":                   {"u1,TRUE\nu1,", "claim_contradicted claim_blank", []int{3, 0}},
		"in other words":          {"u1,Ja\nU1,Nej", "claim_contradicted claim_false", []int{3, 0}},
		"far apart":               {"u1,TRUE\n" + strings.Repeat("nobody,FALSE\n", 20) + "u1,FALSE", "claim_contradicted" + strings.Repeat(" claim_false", 21), nil},
		"twice":                   {"u1,TRUE\nu1,FALSE\nu1,TRUE", "claim_contradicted claim_false duplicate_row", []int{3, 0, 2}},
		"left alone twice":        {"u1,FALSE\nU1,\nu1,TRUE\nU1,Ja", "claim_false claim_blank claim_contradicted duplicate_row", []int{0, 0, 2, 4}},
		"the first problem is it": {"u1,maybe\nu1,FALSE", "boolean_invalid claim_false", nil},
		"several":                 {"u1,TRUE\nu2,FALSE\nu3,TRUE\nu2,TRUE\nu1,FALSE", "claim_contradicted claim_false  claim_contradicted claim_false", []int{6, 0, 0, 3, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			p := small(t)
			file := "Email,Claim\n" + strings.ReplaceAll(c.rows, ",", "@acme.example,") + "\n"
			plan, results := planned(t, p, file, schema.Order{})
			var reasons []string
			for i, r := range results {
				reasons = append(reasons, string(r.Reason))
				if c.lines != nil {
					assert.Equal(t, c.lines[i], seenAs(r).other)
				}
			}
			assert.Equal(t, c.reasons, strings.Join(reasons, " "))

			out, err := os.Create(filepath.Join(t.TempDir(), "report.jsonl"))
			require.NoError(t, err)
			_, err = out.WriteString("before\n")
			require.NoError(t, err)
			_, err = p.Validate(t.Context(), source(t, file), schema.Order{Organization: us}, &report.Report{To: out, Format: report.JSONL}, pipeline.Watch{})
			require.NoError(t, err)
			_, err = out.Seek(0, io.SeekStart)
			require.NoError(t, err)
			text, err := io.ReadAll(out)
			require.NoError(t, err)
			require.NoError(t, out.Close())
			after, ours := strings.CutPrefix(string(text), "before\n")
			require.True(t, ours, "only what is the report's is taken back")
			require.Equal(t, results, decodeResults(t, after))

			imp, err := imports(t.Context(), p, source(t, file), schema.Order{Organization: us}, agree, pipeline.Watch{})
			require.NoError(t, err)
			require.Equal(t, plan.Tally.Outcomes[schema.Ready], imp.Tally.Outcomes[schema.Claimed])
			require.Len(t, resultsOf(t, p, imp), len(results))
		})
	}
}

// A file in which nothing says for certain who is meant is refused, wherever in it that comes to light.
func TestWhoIsMeantIsUnclear(t *testing.T) {
	ragged := strings.Repeat("u1@acme.example\n", 7) // more than a chunk
	for name, c := range map[string]struct {
		file  string
		order schema.Order
		code  schema.Code
	}{
		"words":               {"Email,Include\n" + ragged + "u1@acme.example,\nu2@acme.example,x\nu3@acme.example,nej\n", schema.Order{}, schema.CodeColumnUnclear},
		"a word, and a note":  {"Email,Include\n" + ragged + "u1@acme.example,x\nu2@acme.example,left\n", schema.Order{}, ""},
		"every row":           {"Email,Include\nu1@acme.example,x\n", schema.Order{EveryRow: true}, ""},
		"ignored":             {"Email,Include\nu1@acme.example,x\n", schema.Order{IgnoreColumns: []string{"include"}}, ""},
		"said":                {"Email,Include\nu1@acme.example,x\n", schema.Order{Columns: map[string]string{"Include": "Claim"}}, ""},
		"blank":               {"Email,Include\nu1@acme.example,\n", schema.Order{}, ""},
		"Claim stands there":  {"Email,Include,Claim\nu1@acme.example,x,TRUE\n", schema.Order{}, ""},
		"misspelt":            {"Email,Claims\nu1@acme.example,FALSE\n", schema.Order{}, schema.CodeColumnUnclear},
		"in another language": {"Email;Gör anspråk\nu1@acme.example;FALSKT\n", schema.Order{}, schema.CodeColumnUnclear},
	} {
		t.Run(name, func(t *testing.T) {
			p := small(t)
			c.order.Organization = us
			_, validating := p.Validate(t.Context(), source(t, c.file), c.order, nil, pipeline.Watch{})
			if c.code == "" {
				require.NoError(t, validating)
				return
			}
			_, importing := imports(t.Context(), p, source(t, c.file), c.order, never, pipeline.Watch{})
			for _, err := range []error{validating, importing} {
				require.Error(t, err)
				require.Equal(t, c.code, schema.CodeOf(err), err)
			}
			untouched(t, p)
		})
	}
}

// named returns small, with names: the users' first names are Åsa, their phones differ, and the last has
// neither.
func named(t *testing.T, last string) *pipeline.Flow {
	t.Helper()
	p := small(t)
	rename(t.Context(), t, p, last)
	return p
}

func rename(ctx context.Context, t *testing.T, p *pipeline.Flow, last string) {
	t.Helper()
	users := "id,email,organization_id,status,first_name,last_name,phone\n"
	for i := range 9 {
		users += fmt.Sprintf("u%d,u%d@acme.example,hooli,active,Åsa,%s,'+4670123456%d\n", i, i, last, i)
	}
	_, err := load(ctx, p, snapshotOf(t, map[string]string{
		"organizations.csv": organizationsHeader + "hooli,Hooli,personal,2019-01-01,,,,\n",
		"domains.csv":       "domain,organization_id,status\n",
		"users.csv":         users,
	}))
	require.NoError(t, err)
}

// What is shown is what an account has afterwards; what is doubtful, and what is not another value, leaves it
// as it is.
func TestEditsAreWhatWasShown(t *testing.T) {
	p := named(t, "Öberg")
	file := "First Name,Last Name,Email,Phone Number,Claim\n" +
		"Åsa,Berg,u0@acme.example,46701234560,TRUE\n" + // its own number, its + taken off
		"A\u030asa,&Ouml;berg,u1@acme.example,46701234569,TRUE\n" + // another number without +
		"A\u030asa,&Ouml;berg,u2@acme.example,+46 70 765 43 21,TRUE\n" +
		"?sa,NULL,u3@acme.example,,TRUE\n" +
		"Eva,Ek,u9@acme.example,+46701234569,TRUE\n"
	plan, results := planned(t, p, file, schema.Order{})
	assert.Equal(t, []schema.ColumnEdits{
		{Column: "First Name", Count: 1, Line: 6, Email: "u9@acme.example", New: "Eva"},
		{Column: "Last Name", Count: 2, Line: 2, Email: "u0@acme.example", Old: "Öberg", New: "Berg"},
		{Column: "Phone Number", Count: 2, Line: 4, Email: "u2@acme.example", Old: "+46701234562", New: "+46707654321"},
	}, plan.Edits)
	assert.Equal(t, 1, plan.NameEdits, "a name where there was none replaces none")
	assert.Equal(t, schema.Edits{"Last Name": {"Öberg", "Berg"}}, results[0].Edits)
	assert.Equal(t, schema.CodePhoneInvalid, results[1].Reason)
	assert.Equal(t, []string{"edit_doubtful:Last Name"}, results[2].Warnings)
	assert.Equal(t, []string{"edit_doubtful:First Name", "edit_doubtful:Last Name"}, results[3].Warnings)
	assert.Equal(t, map[schema.Repair]int{schema.RepairPhoneSpelling: 1}, plan.Repairs)

	imp, err := imports(t.Context(), p, source(t, file), schema.Order{Organization: us}, agree, pipeline.Watch{})
	require.NoError(t, err)
	facts, err := p.Store.Facts(t.Context(), us, []string{"u0@acme.example", "u2@acme.example", "u3@acme.example", "u9@acme.example"})
	require.NoError(t, err)
	for i, want := range []schema.Profile{
		{FirstName: "Åsa", LastName: "Berg", Phone: "+46701234560"}, {FirstName: "Åsa", LastName: "Öberg", Phone: "+46707654321"},
		{FirstName: "Åsa", LastName: "Öberg", Phone: "+46701234563"}, {FirstName: "Eva", LastName: "Ek", Phone: "+46701234569"},
	} {
		account := facts.Accounts[i]
		require.NotNil(t, account.Claim)
		assert.Equal(t, want, account.User.Edit(account.Claim.Edits))
	}
	s, err := imp.Summary()
	require.NoError(t, err)
	assert.Equal(t, map[string]int{"First Name": 1, "Last Name": 2, "Phone Number": 2}, s.Edits)
}

// What changes between plan and claim writes nothing that was not shown: the account keeps what it has by
// then, and that is told.
func TestAccountsChangeBeforeConsent(t *testing.T) {
	p := named(t, "Öberg")
	file := "First Name,Last Name,Email,Phone Number,Claim\n" +
		"Eva,Öberg,u0@acme.example,46701234560,TRUE\n" + // says what the account says, until that changes
		"Åsa,Berg,u1@acme.example,,TRUE\n" // the value it replaces has changed
	imp, err := imports(t.Context(), p, source(t, file), schema.Order{Organization: us}, func(ctx context.Context, _ schema.Import, _ *schema.Plan) error {
		rename(ctx, t, p, "Lind")
		return nil
	}, pipeline.Watch{})
	require.NoError(t, err)
	results := resultsOf(t, p, imp)
	for i, want := range []schema.Edits{{"First Name": {"Åsa", "Eva"}}, {}} {
		assert.Equal(t, schema.Claimed, results[i].Outcome)
		assert.Equal(t, want, results[i].Edits)
		assert.Equal(t, []string{"edit_doubtful:Last Name"}, results[i].Warnings)
	}
	facts, err := p.Store.Facts(t.Context(), us, []string{"u0@acme.example", "u1@acme.example"})
	require.NoError(t, err)
	assert.Equal(t, "Lind", facts.Accounts[0].User.Edit(facts.Accounts[0].Claim.Edits).LastName)
	assert.Equal(t, "+46701234560", facts.Accounts[0].User.Edit(facts.Accounts[0].Claim.Edits).Phone)
	assert.Zero(t, facts.Accounts[1].Claim.Edits)
}

// A phone without its + that is the account's own excuses no other mistake.
func TestOwnPhoneExcusesNothingElse(t *testing.T) {
	p := named(t, "Öberg")
	_, results := planned(t, p, "Email,Phone Number,Preferred Language,Note,å\nu0@acme.example,46701234560,svenska,,\nu1@acme.example,46701234561,,K\xe5re,\nu2@acme.example,46701234562,,,\n", schema.Order{})
	assert.Equal(t, []schema.Code{schema.CodeLanguageInvalid}, results[0].Reasons)
	assert.Equal(t, []schema.Code{schema.CodeTextInvalid}, results[1].Reasons)
	assert.Equal(t, schema.Ready, results[2].Outcome)
}

// More than a tenth of the ready rows, and more than 20, are many.
func TestManyNameEdits(t *testing.T) {
	for _, c := range []struct {
		renamed, ready int
		many           bool
	}{{20, 20, false}, {21, 21, true}, {21, 209, true}, {21, 210, false}, {2001, 20_000, true}, {2000, 20_000, false}, {0, 0, false}} {
		plan := schema.Plan{NameEdits: c.renamed, Tally: schema.Tally{Outcomes: map[schema.Outcome]int{schema.Ready: c.ready}}}
		assert.Equal(t, c.many, plan.ManyNameEdits(), c)
	}
}

// encoded returns a text in the encoding of this name.
func encoded(t *testing.T, name, text string) string {
	t.Helper()
	e, err := htmlindex.Get(name)
	require.NoError(t, err)
	written, err := e.NewEncoder().String(text)
	require.NoError(t, err)
	return written
}

// A file that is neither UTF-8 nor UTF-16 is read as Windows-1252 only where at least nine in ten of its
// names say then what the accounts say; otherwise somebody has to say what it is.
func TestEncodings(t *testing.T) {
	rows := func(names ...string) string {
		text := "First Name,Last Name,Email,Claim\n"
		for i, name := range names {
			text += fmt.Sprintf("%s,Öberg,u%d@acme.example,TRUE\n", name, i)
		}
		return text
	}
	for name, c := range map[string]struct {
		encoding, text, said string
		code                 schema.Code
		says                 string // where it is refused
		repair               schema.Repair
	}{
		"as the accounts":      {"windows-1252", rows("Åsa", "Åsa"), "", "", "", schema.RepairWindows1252},
		"nine in ten":          {"windows-1252", rows("Åsa", "Åsa", "Åsa", "Åsa", "Äsa"), "", "", "", schema.RepairWindows1252},
		"fewer":                {"windows-1252", rows("Äsa", "Åsa", "Åsa", "Åsa"), "", schema.CodeEncodingUnclear, "--encoding windows-1252 (Äsa)", ""},
		"macintosh":            {"macintosh", rows("Åsa", "Åsa"), "", schema.CodeEncodingUnclear, "--encoding macintosh (Åsa)", ""},
		"macintosh, as said":   {"macintosh", rows("Åsa", "Åsa"), "macintosh", "", "", schema.RepairEncoding},
		"no account to ask":    {"windows-1252", "Last Name,Email\nÖberg,nobody@acme.example\n", "", schema.CodeEncodingUnclear, "Öberg", ""},
		"an encoding unknown":  {"windows-1252", rows("Åsa"), "klingon", schema.CodeUsage, "klingon", ""},
		"UTF-8 once too often": {"utf-8", rows("Ã…sa", "Ã…sa"), "", "", "", schema.RepairMojibake},
	} {
		t.Run(name, func(t *testing.T) {
			p := named(t, "Öberg")
			if c.repair == schema.RepairMojibake {
				c.text = strings.ReplaceAll(c.text, "Öberg", "Ã–berg")
			}
			file, order := encoded(t, c.encoding, c.text), schema.Order{Organization: us, Encoding: c.said}
			if c.code != "" {
				for _, plan := range []func() error{
					func() error {
						_, err := p.Validate(t.Context(), source(t, file), order, nil, pipeline.Watch{})
						return err
					},
					func() error {
						_, err := imports(t.Context(), p, source(t, file), order, never, pipeline.Watch{})
						return err
					},
				} {
					var refused *schema.Error
					require.ErrorAs(t, plan(), &refused)
					assert.Equal(t, c.code, refused.Code)
					assert.Contains(t, refused.Text()+refused.Remedy(), c.says)
				}
				untouched(t, p)
				return
			}
			plan, results := planned(t, p, file, order)
			assert.Positive(t, plan.Repairs[c.repair])
			assert.LessOrEqual(t, plan.NameEdits, 1)
			imp, err := imports(t.Context(), p, source(t, file), order, agree, pipeline.Watch{})
			require.NoError(t, err)
			for i, r := range resultsOf(t, p, imp) {
				assert.Equal(t, schema.Claimed, r.Outcome)
				assert.Equal(t, results[i].Edits, r.Edits)
			}
		})
	}
}
