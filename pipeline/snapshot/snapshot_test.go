package snapshot_test

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/snapshot"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/store/testdb"
	"github.com/claimline/claimline/schema"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// good returns the files of a snapshot in which nothing is wrong.
func good() map[string]string {
	return map[string]string{
		"organizations.csv": "id,name,kind,created,sso,directory_sync,bring_conversations,activation_emails,retention_days\n" +
			"acme,Acme,enterprise,2015-03-02,FALSE,FALSE,TRUE,TRUE,365\nfree,Free,consumer,2012-01-01,FALSE,FALSE,FALSE,FALSE,\n",
		"licenses.csv": "organization_id,service,quantity,auto_assign\nacme,Webex Calling,5,FALSE\nacme,Webex Meetings,,TRUE\n",
		"domains.csv":  "domain,organization_id,status\nacme.example,acme,verified\n",
		"users.csv": "id,email,first_name,organization_id,status,phone,preferred_language,services\n" +
			"1,ann@acme.example,Ann,free,active,,,\n2,bo@acme.example,Bo,acme,active,+46701234567,sv-SE,Webex Calling;Webex Meetings\n",
		"claims.csv": "email,organization_id,type,claimed_at\nann@acme.example,acme,immediate,2026-02-20\n",
	}
}

// with returns the good files, one of them with something in the place of something else.
func with(tb testing.TB, file, old, replacement string) map[string]string {
	tb.Helper()
	files := good()
	require.Contains(tb, files[file], old)
	files[file] = strings.Replace(files[file], old, replacement, 1)
	return files
}

func folderOf(tb testing.TB, files map[string]string) string {
	tb.Helper()
	folder := tb.TempDir()
	for name, text := range files {
		require.NoError(tb, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	return folder
}

func openStore(tb testing.TB) *store.Store {
	tb.Helper()
	db, err := testdb.Open(tb.Context(), testdb.Empty(tb))
	require.NoError(tb, err)
	s := store.New(db)
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	return s
}

func rules() claim.Rules { return claim.Rules{Now: now, Policy: schema.DefaultPolicy()} }

func load(tb testing.TB, s snapshot.Store, files map[string]string, options snapshot.Options) (*snapshot.Loaded, error) {
	tb.Helper()
	return loadFolder(tb.Context(), s, folderOf(tb, files), options)
}

func loadFolder(ctx context.Context, s snapshot.Store, folder string, options snapshot.Options) (*snapshot.Loaded, error) {
	return snapshot.Load(ctx, s, rules(), folder, options)
}

// all returns every problem, and insists that each has a place and a fix.
func all(tb testing.TB, err error) snapshot.Errors {
	tb.Helper()
	var refused snapshot.Errors
	require.ErrorAs(tb, err, &refused)
	require.NotEmpty(tb, refused)
	require.LessOrEqual(tb, len(refused), snapshot.MostErrors)
	for _, one := range refused {
		assert.True(tb, one.Code.Known(), one.Code)
		assert.NotEmpty(tb, one.File)
		assert.NotEmpty(tb, one.Text())
		assert.NotEmpty(tb, one.Remedy())
	}
	return refused
}

func codes(refused snapshot.Errors) []schema.Code {
	list := make([]schema.Code, len(refused))
	for i := range refused {
		list[i] = refused[i].Code
	}
	return list
}

// everything returns what a store says of its organizations and accounts.
func everything(tb testing.TB, s *store.Store) (list []any) {
	tb.Helper()
	organizations, err := s.Organizations(tb.Context())
	require.NoError(tb, err)
	for _, o := range organizations {
		licenses, err := s.Licenses(tb.Context(), rules(), o.ID)
		require.NoError(tb, err)
		domains, err := s.Domains(tb.Context(), o.ID)
		require.NoError(tb, err)
		list = append(list, o, licenses, domains)
		require.NoError(tb, s.Members(tb.Context(), rules(), o.ID, store.MemberFilter{}, func(cases []claim.View) error {
			for i := range cases {
				list = append(list, cases[i].Account)
			}
			return nil
		}))
	}
	return list
}

func TestLoad(t *testing.T) {
	s := openStore(t)
	loaded, err := load(t, s, good(), snapshot.Options{})
	require.NoError(t, err)
	require.Equal(t, &snapshot.Loaded{
		Organizations: 2, Licenses: 2, Domains: 1, Users: 2, Claims: 1,
		Files: snapshot.Files(), Repairs: map[string]map[schema.Repair]int{}, UnknownColumns: map[string][]string{},
	}, loaded)
	before := everything(t, s)
	again, err := load(t, s, good(), snapshot.Options{})
	require.NoError(t, err)
	require.Equal(t, loaded, again)
	require.Equal(t, before, everything(t, s), "loading twice changes nothing")
}

// TestRefusals hands in what is wrong in one place: it is refused with this code, there, and nothing is
// loaded.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		file, old, replacement string
		code                   schema.Code
		line                   int
		header, says           string
	}{
		{"organizations.csv", ",sso,", ",SSO enabled,", "column_unclear", 1, "SSO enabled", "may be sso"},
		{"organizations.csv", ",sso,", ",ssoEnabled,", "column_unclear", 1, "ssoEnabled", "may be sso"},
		{"organizations.csv", ",sso,", ",single sign-on,", "column_missing", 1, "", "no column sso"},
		{"organizations.csv", ",retention_days", ",SSO", "header_duplicate", 1, "SSO", "twice"},
		{"organizations.csv", "\nacme,", "\n,", "value_missing", 2, "id", "blank"},
		{"organizations.csv", "2015-03-02", "", "value_missing", 2, "created", "blank"},
		{"organizations.csv", "2015-03-02", "3/2/2015", "value_invalid", 2, "created", "neither a date"},
		{"organizations.csv", "2015-03-02", "1969-12-31", "value_invalid", 2, "created", "1970"},
		{"organizations.csv", "2015-03-02", "10000-01-01", "value_invalid", 2, "created", ""},
		{"organizations.csv", "enterprise", "entreprise", "value_invalid", 2, "kind", "enterprise"},
		{"organizations.csv", "FALSE,FALSE,TRUE", "maybe,FALSE,TRUE", "boolean_invalid", 2, "sso", "maybe"},
		{"organizations.csv", ",365", ",1e9", "value_invalid", 2, "retention_days", "whole number"},
		{"organizations.csv", "free,Free", "acme,Free", "id_duplicate", 3, "id", "line 2"},
		{"organizations.csv", "acme,Acme", "acme,Ac\tme", "text_invalid", 2, "name", ""},
		{"licenses.csv", "quantity", "qty", "column_missing", 1, "", "quantity"},
		{"licenses.csv", "Webex Meetings", "WEBEX  CALLING", "id_duplicate", 3, "service", "line 2"},
		{"licenses.csv", "Webex Meetings", "E-mail", "value_invalid", 3, "service", "User ID/Email (Required)"},
		{"licenses.csv", "Webex Meetings", "Claimline Fix", "value_invalid", 3, "service", "reports"},
		{"licenses.csv", "Webex Meetings", "a;b", "value_invalid", 3, "service", "semicolon"},
		{"licenses.csv", "acme,Webex Meetings", "acne,Webex Meetings", "organization_unknown", 3, "organization_id", "acne"},
		{"domains.csv", "acme.example", "acme", "domain_invalid", 2, "domain", "acme"},
		{"domains.csv", "verified", "pending", "value_invalid", 2, "status", "pending"},
		{"domains.csv", ",acme,", ",nobody,", "organization_unknown", 2, "organization_id", "nobody"},
		{"users.csv", "first_name", "Firstname", "column_unclear", 1, "Firstname", "first_name"},
		{"users.csv", "preferred_language", "preferredLanguages", "column_unclear", 1, "preferredLanguages", "preferred_language"},
		{"users.csv", "ann@acme.example", "mailto:ann@acme.example", "email_invalid", 2, "email", "mailto:"},
		{"users.csv", "ann@acme.example", "", "email_missing", 2, "email", ""},
		{"users.csv", ",Ann,", "," + strings.Repeat("n", 65) + ",", "text_too_long", 2, "first_name", ""},
		{"users.csv", ",Ann,", ",#NAME?,", "text_invalid", 2, "first_name", "spreadsheet"},
		{"users.csv", "+46701234567", "4.67E+10", "phone_invalid", 3, "phone", "shortened"},
		{"users.csv", "+46701234567", "46701234567", "phone_invalid", 3, "phone", "+46701234567"},
		{"users.csv", "sv-SE", "Swedish", "language_invalid", 3, "preferred_language", "sv"},
		{"users.csv", "Webex Calling;Webex Meetings", "Webex Calling|Webex Meetings", "service_unknown", 3, "services", "--ignore \"Webex Calling|Webex Meetings\""},
		{"users.csv", "Webex Calling;Webex Meetings", "Webex Caling", "service_unknown", 3, "services", "Did you mean Webex Calling"},
		{"users.csv", "Ann,free", "Ann,fre", "organization_unknown", 2, "organization_id", "fre"},
		{"users.csv", "\n2,bo", "\n1,bo", "id_duplicate", 3, "id", "line 2"},
		{"users.csv", "bo@acme", "ANN@acme", "email_duplicate", 3, "email", "line 2"},
		{"users.csv", "1,ann@acme.example,Ann,free,active,,,", "1,ann@acme.example,Ann,free,active,", "field_count", 2, "", "6 cells"},
		{"users.csv", "1,ann@acme.example,Ann,free,active,,,", "1;ann@acme.example;Ann;free;active;;;", "field_count", 2, "", "semicolons"},
		{"users.csv", ",Ann,", ",\xe5sa,", "encoding_unclear", 2, "first_name", "åsa"},
		{"users.csv", ",Ann,", ",\"Ann,", "csv_malformed", 2, "first_name", ""},
		{"claims.csv", "ann@", "cy@", "user_not_found", 2, "email", ""},
		{"claims.csv", "immediate", "later", "value_invalid", 2, "type", "later"},
		{"claims.csv", "2026-02-20", "0000-12-18", "value_invalid", 2, "claimed_at", "1970"},
	} {
		t.Run(c.file+" "+c.replacement, func(t *testing.T) {
			s := openStore(t)
			_, err := load(t, s, with(t, c.file, c.old, c.replacement), snapshot.Options{})
			refused := all(t, err)
			require.Equal(t, []schema.Code{c.code}, codes(refused), err)
			assert.Equal(t, c.file, filepath.Base(refused[0].File))
			assert.Equal(t, c.line, refused[0].Line)
			assert.Equal(t, c.header, refused[0].Header)
			assert.Contains(t, refused[0].Text()+" "+refused[0].Remedy(), c.says)
			assert.Empty(t, everything(t, s), "nothing was loaded")
		})
	}
}

// TestRepairs hands in what is read as if it were right, and told.
func TestRepairs(t *testing.T) {
	for _, c := range []struct {
		file, old, replacement string
		want                   map[schema.Repair]int
	}{
		{"organizations.csv", "id,name", "\ufeffid,name", map[schema.Repair]int{"bom": 1}},
		{"organizations.csv", "sso", "\u00a0SSO\u200b", map[schema.Repair]int{"header_cleaned": 1}},
		{"organizations.csv", "FALSE,FALSE,TRUE", "nej,0,JA", map[schema.Repair]int{"boolean_words": 3}},
		{"licenses.csv", "acme,Webex M", " acme ,Webex M", map[schema.Repair]int{"blanks_trimmed": 1}},
		{"licenses.csv", "\nacme,Webex M", "\norganization_id,service,quantity,auto_assign\n,,\nacme,Webex M", map[schema.Repair]int{"header_repeated": 1, "blank_row": 1}},
		{"domains.csv", "domain,", "#TYPE Domain\ndomain,", map[schema.Repair]int{"preamble": 1}},
		{"domains.csv", "verified\n", "verified,,\n", map[schema.Repair]int{"cells_surplus": 1}},
		{"users.csv", "active,,,\n", "active,,\n", map[schema.Repair]int{"cells_missing": 1}},
		{"users.csv", ",Ann,", `,"=""Ann""",`, map[schema.Repair]int{"text_formula": 1}},
		{"users.csv", ",Ann,", ",Ã\u0085sa,", map[schema.Repair]int{"mojibake": 1}},
		{"users.csv", ",Ann,", ",HÃ¥kan,", map[schema.Repair]int{"mojibake": 1}},
		{"users.csv", "+46701234567", "0046 70-123 45 67", map[schema.Repair]int{"phone_spelling": 1}},
		{"users.csv", "sv-SE", "sv_SE", map[schema.Repair]int{"language_spelling": 1}},
		{"users.csv", "Webex Calling;Webex Meetings", "webex calling; WEBEX MEETINGS;", map[schema.Repair]int{}},
	} {
		t.Run(c.file+" "+c.replacement, func(t *testing.T) {
			loaded, err := load(t, openStore(t), with(t, c.file, c.old, c.replacement), snapshot.Options{})
			require.NoError(t, err)
			want := map[string]map[schema.Repair]int{}
			if len(c.want) > 0 {
				want[c.file] = c.want
			}
			require.Equal(t, want, loaded.Repairs)
			require.Empty(t, loaded.UnknownColumns)
		})
	}
}

// TestServicesAreOne loads a user's services in other letters: they are those that there are licences of,
// also where the licences came with an earlier snapshot.
func TestServicesAreOne(t *testing.T) {
	s := openStore(t)
	_, err := load(t, s, good(), snapshot.Options{})
	require.NoError(t, err)
	files := with(t, "users.csv", "Webex Calling;Webex Meetings", "WEBEX MEETINGS;webex  calling;Webex Calling")
	delete(files, "licenses.csv")
	_, err = load(t, s, files, snapshot.Options{})
	require.NoError(t, err)
	licenses, err := s.Licenses(t.Context(), rules(), "acme")
	require.NoError(t, err)
	require.Len(t, licenses, 2)
	for _, license := range licenses {
		require.Equal(t, 1, license.Held, license.Service)
	}
}

// TestMany tells what is wrong in all files at once, in order, up to a limit.
func TestMany(t *testing.T) {
	files := good()
	files["organizations.csv"] = strings.Replace(files["organizations.csv"], "FALSE,FALSE,TRUE", "x1,x2,TRUE", 1)
	files["users.csv"] = strings.Replace(files["users.csv"], "2,bo@acme.example,Bo,acme,active", "2,bo@,Bo,nobody,asleep", 1)
	files["claims.csv"] = strings.Replace(files["claims.csv"], "acme,immediate", "nobody,never", 1)
	_, err := load(t, openStore(t), files, snapshot.Options{})
	refused := all(t, err)
	require.Equal(t, []schema.Code{
		"boolean_invalid", "boolean_invalid", "email_invalid", "value_invalid", "organization_unknown", "service_unknown", "service_unknown",
		"value_invalid", "organization_unknown",
	}, codes(refused), err)

	files = good()
	var users strings.Builder
	users.WriteString("id,email,organization_id,status\n")
	for range 100 {
		users.WriteString("7,nobody,free,active\n")
	}
	files["users.csv"] = users.String()
	_, err = load(t, openStore(t), files, snapshot.Options{Limits: dialect.Limits{BlockRows: 7}})
	refused = all(t, err)
	require.Len(t, refused, snapshot.MostErrors)
	for i := range refused {
		require.Equal(t, i+2, refused[i].Line)
	}
}

// TestFiles hands in other files beside the five, and some of the five under another name.
func TestFiles(t *testing.T) {
	text := good()["claims.csv"]
	for name, unclear := range map[string]bool{
		"Claims.csv": true, "claims.csv.txt": true, "users (1).csv": true, "export.csv": true, "USERS.CSV": true, "licences.csv": true, "users.csv~": true,
		"users.csv.bak": true, "README.md": false, "notes.txt": false, "users.txt": false, ".~lock.users.csv#": false, "Thumbs.db": false, "users.xlsx": false,
	} {
		files := good()
		files[name] = text
		_, err := load(t, openStore(t), files, snapshot.Options{})
		if !unclear {
			require.NoError(t, err, name)
			continue
		}
		refused := all(t, err)
		require.Equal(t, []schema.Code{schema.CodeFileUnclear}, codes(refused), name)
		require.Equal(t, name, filepath.Base(refused[0].File))
		require.Contains(t, refused[0].Remedy(), "--ignore")
		loaded, err := load(t, openStore(t), files, snapshot.Options{Ignore: []string{name}})
		require.NoError(t, err, name)
		require.Equal(t, 1, loaded.Claims, "it is not read")
	}
	for old, renamed := range map[string]string{"users.csv": "Users.csv", "licenses.csv": "licences.csv", "claims.csv": "claims.txt", "domains.csv": "domains.xlsx"} {
		files := good()
		files[renamed] = files[old]
		delete(files, old)
		_, err := load(t, openStore(t), files, snapshot.Options{})
		refused := all(t, err)
		require.Equal(t, schema.CodeFileUnclear, refused[0].Code, renamed)
		require.Contains(t, refused[0].Remedy(), old)
	}
	for name, code := range map[string]schema.Code{"users.csv": schema.CodeFileUnreadable, "organizations.csv": schema.CodeFileUnreadable, "domains.csv": schema.CodeFileUnreadable} {
		files := good()
		delete(files, name)
		_, err := load(t, openStore(t), files, snapshot.Options{})
		require.Equal(t, []schema.Code{code}, codes(all(t, err)))
	}
	_, err := loadFolder(t.Context(), openStore(t), filepath.Join(t.TempDir(), "absent"), snapshot.Options{})
	require.Equal(t, []schema.Code{schema.CodeFileUnreadable}, codes(all(t, err)))
}

// TestIgnore lets columns and services pass, and tells which names were of no use.
func TestIgnore(t *testing.T) {
	files := with(t, "users.csv", "first_name", "First name?")
	files["users.csv"] = strings.Replace(files["users.csv"], "Webex Meetings", "Webex Messaging", 1)
	_, err := load(t, openStore(t), files, snapshot.Options{})
	require.Equal(t, []schema.Code{schema.CodeColumnUnclear}, codes(all(t, err)))
	s := openStore(t)
	loaded, err := load(t, s, files, snapshot.Options{Ignore: []string{" first NAME?", "webex messaging", "nothing"}})
	require.NoError(t, err)
	require.Equal(t, map[string][]string{"users.csv": {"First name?"}}, loaded.UnknownColumns)
	require.Equal(t, []string{"nothing"}, loaded.Unused)

	files = with(t, "users.csv", "id,email", "cost_center_number,id,email")
	files["users.csv"] = strings.NewReplacer("\n1,", "\n7,1,", "\n2,", "\n7,2,").Replace(files["users.csv"])
	loaded, err = load(t, openStore(t), files, snapshot.Options{})
	require.NoError(t, err)
	require.Equal(t, map[string][]string{"users.csv": {"cost_center_number"}}, loaded.UnknownColumns)
}

// TestEncoding reads a file in the encoding that somebody names; those that are UTF-8 stay so.
func TestEncoding(t *testing.T) {
	files := with(t, "users.csv", ",Ann,", ",\xc1\xee\xf0\xe8\xf1,")
	files["organizations.csv"] = strings.Replace(files["organizations.csv"], ",Acme,", ",Åkeri,", 1)
	_, err := load(t, openStore(t), files, snapshot.Options{})
	refused := all(t, err)
	require.Equal(t, []schema.Code{schema.CodeEncodingUnclear}, codes(refused))
	require.Contains(t, refused[0].Text(), "Борис")
	s := openStore(t)
	loaded, err := load(t, s, files, snapshot.Options{Encoding: "windows-1251"})
	require.NoError(t, err)
	require.Equal(t, map[string]map[schema.Repair]int{"users.csv": {schema.RepairEncoding: 1}}, loaded.Repairs)
	o, err := s.Organization(t.Context(), "acme")
	require.NoError(t, err)
	require.Equal(t, "Åkeri", o.Name)
	for _, files := range []map[string]string{files, good()} {
		_, err = load(t, openStore(t), files, snapshot.Options{Encoding: "windows-0"})
		require.Equal(t, schema.CodeUsage, schema.CodeOf(err))
		require.NotErrorAs(t, err, new(snapshot.Errors))
	}
}

// conflicted is a store whose database begins every transaction twice, as PostgreSQL does after a conflict.
type conflicted struct{ *store.Store }

func (c conflicted) Load(ctx context.Context, r claim.Rules, fill func(store.Loader) error) error {
	if err := fill(&collectorLoader{into: &collector{}}); err != nil {
		return err
	}
	return c.Store.Load(ctx, r, fill)
}

// TestTransactionBegunAgain loads all of the files again where the transaction begins again.
func TestTransactionBegunAgain(t *testing.T) {
	s, again := openStore(t), openStore(t)
	want, err := load(t, s, good(), snapshot.Options{})
	require.NoError(t, err)
	got, err := load(t, conflicted{again}, good(), snapshot.Options{})
	require.NoError(t, err)
	require.Equal(t, want, got)
	organizations, err := again.Organizations(t.Context())
	require.NoError(t, err)
	require.Len(t, organizations, 2)
	licenses, err := again.Licenses(t.Context(), rules(), "acme")
	require.NoError(t, err)
	require.Len(t, licenses, 2)
	require.Equal(t, 1, licenses[0].Held)
}

// TestServicesFitAFile refuses more services than an exported file could have columns for.
func TestServicesFitAFile(t *testing.T) {
	limits := dialect.Limits{Columns: len(schema.Columns) + len(schema.ReportHeaders) + 2}
	_, err := load(t, openStore(t), good(), snapshot.Options{Limits: limits})
	require.NoError(t, err)
	_, err = load(t, openStore(t), with(t, "licenses.csv", "\nacme,", "\nacme,Webex Messaging,,\nacme,"), snapshot.Options{Limits: limits})
	refused := all(t, err)
	require.Equal(t, []schema.Code{schema.CodeLimitExceeded}, codes(refused))
	require.Equal(t, 4, refused[0].Line)
}

// TestDamaged damages a snapshot anywhere: it is loaded, again without a change, or refused with places and
// fixes, and then nothing of it is there.
func TestDamaged(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		files := good()
		for range rapid.IntRange(1, 3).Draw(r, "damages") {
			name := rapid.SampledFrom(slices.Sorted(maps.Keys(files))).Draw(r, "file")
			text := files[name]
			at := rapid.IntRange(0, len(text)).Draw(r, "at")
			cut := rapid.IntRange(0, min(6, len(text)-at)).Draw(r, "cut")
			files[name] = text[:at] + rapid.SampledFrom([]string{"", ",", "\n", "\"", ";", "x", "\u00a0", "\xff", "\x00", "TRUE", "acme", ",,"}).Draw(r, "put") + text[at+cut:]
		}
		folder := t.TempDir()
		for name, text := range files {
			require.NoError(r, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
		}
		s := openStore(t)
		first, err := loadFolder(t.Context(), s, folder, snapshot.Options{})
		if err != nil {
			require.NotEmpty(r, all(t, err))
			require.Empty(r, everything(t, s), "after a refusal nothing is there")
			return
		}
		before := everything(t, s)
		again, err := loadFolder(t.Context(), s, folder, snapshot.Options{})
		require.NoError(r, err)
		require.Equal(r, first, again)
		require.Equal(r, before, everything(t, s))
	})
}

// collector is a store that takes down the users of a snapshot, and is empty: a database makes a few tries a
// second of a fuzz test.
type collector struct {
	users []store.LoadUser
}

func (c *collector) Load(_ context.Context, _ claim.Rules, fill func(store.Loader) error) error {
	return fill(&collectorLoader{into: c})
}

func (*collector) Organizations(context.Context) ([]schema.Organization, error) { return nil, nil }

func (*collector) Domains(context.Context, string) ([]schema.Domain, error) { return nil, nil }

func (*collector) Licenses(context.Context, claim.Rules, string) ([]schema.License, error) {
	return nil, nil
}

type collectorLoader struct{ into *collector }

func (*collectorLoader) Known(context.Context, []string) (map[string]store.KnownUser, error) {
	return nil, nil
}
func (*collectorLoader) Organizations(context.Context, []store.LoadOrganization) error { return nil }
func (*collectorLoader) Licenses(context.Context, []store.LoadLicense) error           { return nil }
func (*collectorLoader) Domains(context.Context, []store.LoadDomain) error             { return nil }
func (*collectorLoader) Claims(context.Context, []store.LoadClaim) error               { return nil }
func (*collectorLoader) Finish(context.Context) ([]store.Notice, error)                { return nil, nil }

func (l *collectorLoader) Users(_ context.Context, users []store.LoadUser) error {
	l.into.users = append(l.into.users, users...)
	return nil
}

// FuzzUsers reads whatever somebody calls users.csv: it is refused with places and fixes, or every user of it
// is one that can be exported and imported again.
func FuzzUsers(f *testing.F) {
	f.Add([]byte(good()["users.csv"]))
	f.Add([]byte("\ufeffsep=;\nid;email;organization_id;status;\n1;a@b.example;acme;active;;\n\x1a\x00"))
	f.Add([]byte("id,email,organization_id,status,services\n1,a@b.example,acme,active,\"x\ny\"\nid,email,organization_id,status,services\n"))
	f.Add([]byte("id,e-mail,organisation,Status?\n"))
	f.Add([]byte("id,email,organization_id,status,first_name,phone,preferred_language,last_sign_in\n1,a@b.example,free,ACTIVE,HÃ¥kan,00461234,sv_SE,2020-02-30\n"))
	folder := folderOf(f, good())
	require.NoError(f, os.Remove(filepath.Join(folder, "claims.csv")))
	f.Fuzz(func(t *testing.T, text []byte) {
		require.NoError(t, os.WriteFile(filepath.Join(folder, "users.csv"), text, 0o600))
		c := &collector{}
		loaded, err := loadFolder(t.Context(), c, folder, snapshot.Options{Limits: dialect.Limits{BlockRows: 2}})
		if err != nil {
			require.NotEmpty(t, all(t, err))
			return
		}
		require.Len(t, c.users, loaded.Users)
		for _, u := range c.users {
			key, problem := schema.ParseAddress(u.Email)
			require.Empty(t, problem)
			require.Equal(t, key, u.Key)
			require.Contains(t, []string{"acme", "free"}, u.OrganizationID)
			require.Contains(t, schema.Statuses, u.Status)
			for _, service := range u.Services {
				require.Contains(t, []string{"Webex Calling", "Webex Meetings"}, service)
			}
			require.True(t, schema.ValidText(u.FirstName) && schema.ValidText(u.LastName) && schema.ValidText(u.Title) && schema.ValidText(u.ID))
			require.True(t, u.Phone == "" || schema.ValidPhone(u.Phone))
			require.True(t, u.PreferredLanguage == "" || schema.ValidLanguage(u.PreferredLanguage))
		}
	})
}
