package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/store/testdb"
	"github.com/claimline/claimline/schema"
)

// TestHuntA: who is meant.
func TestHuntA(t *testing.T) {
	t.Parallel()
	const claimMark = "03-claim-header-question-mark.csv"
	runHunt(t,
		huntCase{file: "01-claim-header-semicolons.csv", want: []verdict{
			{rows: "2 skipped/claim_false, 3 ready", repairs: repairs{"header_cleaned": 1, "cells_surplus": 2}},
			{rows: "2-3 invalid/boolean_invalid", repairs: repairs{"header_cleaned": 1}, saysOf: map[int][]string{2: {";;;"}, 3: {";;;"}}},
		}},
		huntCase{file: "11-service-header-semicolons.csv", want: []verdict{
			{
				rows: "2-3 ready", repairs: repairs{"header_cleaned": 1, "cells_surplus": 2},
				licenses: map[int][]string{2: {"Webex Calling", "Webex Messaging"}, 3: {"Webex Messaging"}},
			},
			{rows: "2-3 invalid/boolean_invalid in Webex Calling", repairs: repairs{"header_cleaned": 1}},
		}},
		huntCase{file: claimMark, want: refusedWith("column_unclear", `Claim?`, `--column "Claim?=Claim"`, `--ignore-column "Claim?"`)},
		huntCase{
			name: claimMark + " is Claim", file: claimMark, flags: []string{"--column", "Claim?=Claim"},
			want: readAs("2 skipped/claim_false, 3 ready", nil),
		},
		huntCase{
			name: claimMark + " is nothing", file: claimMark, flags: []string{"--ignore-column", "Claim?"},
			want: []verdict{{rows: "2-3 ready", ignored: []string{"Claim?"}}},
		},
		huntCase{file: "12-no-break-blanks-in-headers.csv", want: []verdict{{
			rows: "2 ineligible/stale_claim_type", repairs: repairs{"header_cleaned": 4}, saysOf: map[int][]string{2: {"delayed"}},
		}}},
		huntCase{file: "05-two-open-quotes.csv", want: refusedWith("csv_malformed", "users.csv:2 / line 2", swallowed)},
		huntCase{file: "07-x-marks.csv", want: readAs("2 ready, 3-4 skipped/claim_blank", repairs{"boolean_words": 1})},
		huntCase{file: "08-nej-and-the-fix.csv", want: readAs("2-4 skipped/claim_false", repairs{"boolean_words": 3})},
		huntCase{file: "79-sant-falskt.csv", want: []verdict{
			{
				rows: "2 ready, 3 skipped/claim_false, 4 ready", repairs: repairs{"boolean_words": 3},
				licenses: map[int][]string{4: {"Webex Calling", "Webex Messaging"}},
			},
			{rows: "2 ready, 3 skipped/claim_false, 4 invalid/boolean_invalid in Webex Calling", repairs: repairs{"boolean_words": 2}},
		}},
		huntCase{file: "09-false-and-true-for-one-user.csv", want: []verdict{{
			rows: "2 skipped/claim_false, 3 invalid/claim_contradicted", saysOf: map[int][]string{3: {"line 2"}},
		}}},
	)
}

// swallowed is how a quote left open may be explained.
const swallowed = "swallow / next row / row below / following row / rows behind / next line / never closed / not closed / left open"

// TestHuntB: names and other data of accounts.
func TestHuntB(t *testing.T) {
	t.Parallel()
	const (
		windows1251 = "14-windows1251.csv"
		windows1250 = "16-windows1250.csv"
	)
	formulas := map[int]schema.Edits{3: {"First Name": {"Adam", `=T("Adam")`}, "Last Name": {"Bäckström", "=B3"}}}
	runHunt(t,
		huntCase{file: "13-utf8-encoded-twice.csv", want: []verdict{{
			rows: "2-4 ready", repairs: repairs{"bom": 1, "mojibake": 9}, edits: map[int]schema.Edits{
				2: {"First Name": {"Adam", "Håkan"}, "Last Name": {"Ahmed", "Öberg"}, "Department": {"IT", "Försäljning"}},
				3: {"First Name": {"Adam", "Åsa"}, "Last Name": {"Bäckström", "Ängström"}},
				4: {"First Name": {"Adam", "Zoë"}, "Last Name": {"Berg", "Müller"}, "Department": {"Kundtjänst", "Büro"}},
			},
		}}},
		huntCase{file: windows1251, want: refusedWith("encoding_unclear", "--encoding windows-1251", "Иван / Смирнова")},
		huntCase{
			name: windows1251 + " with the encoding", file: windows1251, flags: []string{"--encoding", "windows-1251"},
			want: []verdict{{rows: "2-3 ready", repairs: repairs{"encoding": 1}, edits: map[int]schema.Edits{
				2: {"First Name": {"Adam", "Иван"}, "Last Name": {"Ahmed", "Петров"}, "Department": {"IT", "Продажи"}},
				3: {"First Name": {"Adam", "Ольга"}, "Last Name": {"Bäckström", "Смирнова"}, "Department": {"Kundtjänst", "Кадры"}},
			}}},
		},
		huntCase{file: windows1250, want: refusedWith("encoding_unclear", "--encoding windows-1250",
			"Łukasz / Wiśniewski / Žofie / Dvořák / Čeněk / Škoda / Sprzedaż")},
		huntCase{
			name: windows1250 + " with the encoding", file: windows1250, flags: []string{"--encoding", "windows-1250"},
			want: []verdict{{rows: "2-4 ready", repairs: repairs{"encoding": 1}, edits: map[int]schema.Edits{
				2: {"First Name": {"Adam", "Łukasz"}, "Last Name": {"Ahmed", "Wiśniewski"}, "Department": {"IT", "Sprzedaż"}},
				3: {"First Name": {"Adam", "Žofie"}, "Last Name": {"Bäckström", "Dvořák"}, "Department": {"Kundtjänst", "Prodej"}},
				4: {"First Name": {"Adam", "Čeněk"}, "Last Name": {"Berg", "Škoda"}, "Department": {"Kundtjänst", "IT"}},
			}}},
		},
		huntCase{file: "18-question-marks.csv", want: []verdict{{
			rows: "2-3 ready", edits: map[int]schema.Edits{2: {"Department": {"IT", "Sprzeda?"}}},
			doubtful: map[int][]string{2: {"First Name", "Last Name"}, 3: {"First Name", "Last Name", "Department"}},
		}}},
		huntCase{file: "19-excel-errors-and-null-words.csv", want: readAs("2 invalid/text_invalid in Last Name, 3 invalid/text_invalid in Department", nil)},
		huntCase{file: "21-only-one-column-sorted.csv", want: []verdict{{
			rows:  "2 ready, 3-4 ineligible/stale_claim_type, 5-8 ready, 9-10 ineligible/stale_claim_type, 11 ready",
			edits: sortedColumnEdits(t),
		}}},
		huntCase{file: "23-formula-text.csv", want: []verdict{
			{rows: "2-3 ready", repairs: repairs{"text_formula": 2}, edits: formulas},
			{rows: "2 ready, 3 invalid/text_invalid", repairs: repairs{"text_formula": 2}},
		}},
		huntCase{file: "24-still-encoded-names.csv", want: []verdict{{rows: "2-3 ready", edits: map[int]schema.Edits{
			2: {"First Name": {"Adam", "&Aring;sa"}, "Last Name": {"Ahmed", "M&#252;ller"}, "Department": {"IT", "R&amp;D"}},
			3: {"First Name": {"Adam", "=?UTF-8?Q?=C3=85sa?="}, "Last Name": {"Bäckström", `\u00d6berg`}, "Department": {"Kundtjänst", "F%C3%B6rs%C3%A4ljning"}},
		}}}},
	)
	t.Run("26-by-hand-last-first.txt", func(t *testing.T) {
		t.Parallel()
		results := claimByHand(t, exitDone, huntContent(t, "26-by-hand-last-first.txt"))
		require.Len(t, results, 2)
		for _, r := range results {
			assert.Equal(t, schema.Claimed, r.Outcome)
			assert.Empty(t, r.Edits)
		}
	})
}

// claimByHand claims people on a database of its own.
func claimByHand(t *testing.T, code int, people ...string) []schema.Result {
	t.Helper()
	for i := range people {
		people[i] = strings.TrimRight(people[i], "\n") // as the shell does
	}
	got := freshHuntSite(t).run(t, append([]string{"claim", "--accept-permanent", "--no-input", "--format", "jsonl"}, people...)...)
	assert.Equal(t, code, got.code, got.stderr)
	return got.results(t)
}

// sortedColumnEdits returns what the ready rows of 21-only-one-column-sorted.csv would write to the accounts
// of the samples.
func sortedColumnEdits(t *testing.T) map[int]schema.Edits {
	t.Helper()
	columns := map[string]string{
		"First Name": "first_name", "Last Name": "last_name", "Display Name": "display_name", "Title": "title",
		"Department": "department", "Phone Number": "phone", "Preferred Language": "preferred_language",
	}
	users := readCSV(t, sample(t, "org/users.csv"), ',')
	accounts := map[string][]string{}
	for _, user := range users[1:] {
		accounts[user[columnOf(t, users[0], "email")]] = user
	}
	rows := readCSV(t, huntContent(t, "21-only-one-column-sorted.csv"), ',')
	edits, sums := map[int]schema.Edits{}, map[string]int{}
	for _, line := range []int{2, 5, 6, 7, 8, 11} {
		row := rows[line-1]
		account := accounts[row[columnOf(t, rows[0], emailHeader)]]
		edits[line] = schema.Edits{}
		for column, name := range columns {
			was, is := account[columnOf(t, users[0], name)], strings.TrimPrefix(row[columnOf(t, rows[0], column)], "'")
			if is != "" && is != was {
				edits[line][column] = [2]string{was, is}
				sums[column]++
			}
		}
	}
	require.Equal(t, map[string]int{"Last Name": 6, "Display Name": 6, "Title": 3, "Department": 3, "Phone Number": 3, "Preferred Language": 3}, sums)
	require.Equal(t, [2]string{"Agnes Kowalczyk", "Agnes Ahmed"}, edits[2]["Display Name"])
	return edits
}

// TestHuntC: load drops nothing without a word.
func TestHuntC(t *testing.T) {
	t.Parallel()
	const (
		bar    = "Webex Calling|Webex Meetings"
		claims = "Claims.csv"
		cyril  = "33-users-windows1251.csv"
	)
	runLoads(t,
		loadCase{name: "as it is"},
		loadCase{
			file: "28-organizations-sso-renamed.csv", as: "organizations.csv",
			refused: "column_unclear", says: []string{"organizations.csv", "SSO enabled", "sso"},
		},
		loadCase{
			file: "30-users-services-bar.csv", as: "users.csv",
			refused: "service_unknown", says: []string{"users.csv", ":4 / line 4", "services", bar},
		},
		loadCase{name: "30-users-services-bar.csv let pass", file: "30-users-services-bar.csv", as: "users.csv", flags: []string{"--ignore", bar}, licensed: true},
		loadCase{file: "32-Claims.csv", as: claims, refused: "file_unclear", says: []string{claims}},
		loadCase{name: "32-Claims.csv let pass", file: "32-Claims.csv", as: claims, flags: []string{"--ignore", claims}},
		loadCase{
			file: cyril, as: "users.csv", refused: "encoding_unclear",
			says: []string{"users.csv", ":3 / line 3", "windows-1251", "Борис"},
		},
		loadCase{name: cyril + " with the encoding", file: cyril, as: "users.csv", flags: []string{"--encoding", "windows-1251"}},
		loadCase{file: "34-users-service-other-case.csv", as: "users.csv"},
	)
}

// loadCase is a snapshot that differs in one file from testdata/hunt/load, and what is right to answer.
type loadCase struct {
	name, file, content string // the file is one of testdata/hunt; of a variant it is the content
	as                  string // its name in the snapshot
	without             string // a file of the snapshot that is left out
	flags               []string
	refused             schema.Code // where empty, it is loaded
	or                  schema.Code // refused so is right, too
	licensed            bool        // a licence of Webex Calling is left
	says, never         []string
}

// runLoads loads every snapshot into a database of its own. After a refusal nothing is there; what is loaded
// decides as the snapshot without a change does.
func runLoads(t *testing.T, cases ...loadCase) {
	t.Helper()
	for _, c := range cases {
		if c.name == "" {
			c.name = c.file
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			folder := filepath.Join(t.TempDir(), "snapshot")
			require.NoError(t, os.CopyFS(folder, os.DirFS(filepath.Join("testdata", "hunt", "load"))))
			if c.file != "" {
				c.content = huntContent(t, c.file)
			}
			if c.without != "" {
				require.NoError(t, os.Remove(filepath.Join(folder, c.without)))
			}
			if c.as != "" {
				require.NoError(t, os.WriteFile(filepath.Join(folder, c.as), []byte(c.content), 0o600))
			}
			s := siteIn(testdb.Empty(t))
			load := append(append([]string{"load"}, c.flags...), folder)
			probe := []string{"validate", "--format", "jsonl", write(t, "users.csv",
				emailHeader+",Claim,Webex Calling\nann@acme.example,TRUE,\nbo@acme.example,TRUE,\ndi@acme.example,TRUE,TRUE\n")}
			if c.refused != "" {
				got := s.run(t, append([]string{"--json"}, load...)...)
				assert.Equal(t, exitFailed, got.code)
				refused := got.refusal(t)
				if refused.Code != c.or {
					assert.Equal(t, c.refused, refused.Code, refused.Message)
				}
				assert.NotEmpty(t, refused.Fix)
				assertPrintable(t, strings.ReplaceAll(refused.Message, "\t", " "), refused.Fix)
				assertSays(t, refused.Message+"\n"+refused.Fix, c.says, c.never)
				nothing := s.run(t, probe...)
				assert.Equal(t, exitFailed, nothing.code, "nothing is there")
				assert.Empty(t, nothing.stdout)
				return
			}
			got := s.run(t, load...)
			require.Equal(t, exitDone, got.code, got.stderr)
			assertSays(t, strings.ReplaceAll(got.stdout+got.stderr, folder, "DIR"), c.says, c.never)

			results := s.run(t, probe...).results(t)
			require.Len(t, results, 3)
			assert.Equal(t, schema.CodeSourceSSO, results[0].Reason)
			assert.Equal(t, schema.Delayed, results[1].ClaimType)
			assert.Equal(t, schema.Immediate, results[2].ClaimType)
			if none := "license_unavailable:Webex Calling"; c.licensed {
				assert.NotContains(t, results[2].Warnings, none)
			} else {
				assert.Contains(t, results[2].Warnings, none)
			}
		})
	}
}

func assertSays(t *testing.T, said string, words, never []string) {
	t.Helper()
	for _, w := range words {
		assert.True(t, says(said, w), "does not say %q:\n%s", w, said)
	}
	for _, w := range never {
		assert.False(t, says(said, w), "says %q:\n%s", w, said)
	}
}

// TestHuntD: cells at the end of rows.
func TestHuntD(t *testing.T) {
	t.Parallel()
	oneMore := []string{"one cell more / one more cell / 4 instead of 3 / 4 cells", "first column / the names of the rows / header"}
	runHunt(t,
		huntCase{file: "35-excel-drops-last-blank-cells.csv", want: readAs("2-21 ready", repairs{"cells_missing": 5})},
		huntCase{file: "36-comma-after-each-row.csv", want: readAs("2-3 ready", repairs{"cells_surplus": 2})},
		huntCase{file: "39-blank-columns-to-the-end.csv", want: readAs("2 ready", repairs{"cells_surplus": 1})},
		huntCase{file: "40-r-row-names.csv", want: []verdict{{
			rows: "2-3 invalid/field_count", saysOf: map[int][]string{2: oneMore, 3: oneMore}, never: []string{"add the missing cells"},
		}}},
	)
}

// TestHuntE: the header.
func TestHuntE(t *testing.T) {
	t.Parallel()
	const (
		german  = "46-header-in-german.csv"
		address = "Benutzer-ID/E-Mail (erforderlich)=User ID/Email (Required)"
	)
	runHunt(t,
		huntCase{file: "41-type-line.csv", want: readAs("3 ready", repairs{"preamble": 1})},
		huntCase{file: "42-sep-line.csv", want: readAs("3 ready", repairs{"preamble": 1, "delimiter": 1})},
		huntCase{file: "44-title-above-header.csv", want: readAs("4 ready", repairs{"preamble": 2})},
		huntCase{file: german, want: refusedWith("email_column_missing", "Benutzer-ID/E-Mail (erforderlich)", `--column "`+address+`"`)},
		huntCase{
			name: german + " with the address", file: german, flags: []string{"--column", address},
			want: refusedWith("column_unclear", "Anspruch", `--column "Anspruch=Claim"`),
		},
		huntCase{
			name: german + " with address and claim", file: german, flags: []string{"--column", address, "--column", "Anspruch=Claim"},
			want: []verdict{{rows: "2 skipped/claim_false", unknown: []string{"Vorname", "Nachname"}}},
		},
		huntCase{file: "47-no-break-blank-in-email-header.csv", want: readAs("2 ready", repairs{"header_cleaned": 1})},
	)
	runSyncs(t, syncCase{file: "49-directory-emailaddress.csv", effects: map[string]string{
		"adam.wikstrom@acme.example": "keep", "adam.sandstrom@acme.test": "keep",
	}})
}

// syncCase is a directory's list, and what is right to answer.
type syncCase struct {
	name, file, content string // the file is one of testdata/hunt; of a variant it is the content
	flags               []string
	refused, or         schema.Code       // or is right, too
	effects             map[string]string // by address
	says, never         []string          // on stderr
}

// runSyncs previews every list.
func runSyncs(t *testing.T, cases ...syncCase) {
	t.Helper()
	for _, c := range cases {
		if c.name == "" {
			c.name = c.file
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.file != "" {
				c.content = huntContent(t, c.file)
			}
			path := write(t, "directory.csv", c.content)
			got := huntSite(t).run(t, append(append([]string{"sync", "preview", "--json"}, c.flags...), path)...)
			said := strings.ReplaceAll(got.stderr, path, "FILE")
			if c.refused != "" {
				assert.Equal(t, exitFailed, got.code)
				refused := got.refusal(t)
				if refused.Code != c.or {
					assert.Equal(t, c.refused, refused.Code, refused.Message)
				}
				assertPrintable(t, refused.Message, refused.Fix)
				assertSays(t, strings.ReplaceAll(refused.Message, path, "FILE")+"\n"+refused.Fix, c.says, c.never)
				return
			}
			require.Equal(t, exitDone, got.code, got.stderr)
			var rows []schema.SyncRow
			require.NoError(t, json.Unmarshal([]byte(got.stdout), &rows))
			effects := map[string]string{}
			for _, row := range rows {
				effects[row.Email] = string(row.Effect)
			}
			for address, effect := range c.effects {
				assert.Equal(t, effect, effects[address], address)
			}
			assertSays(t, said, c.says, c.never)
		})
	}
}

// TestHuntF: quotes, marks, delimiters.
func TestHuntF(t *testing.T) {
	t.Parallel()
	both := []string{"; / semicolon", ", / comma"}
	runHunt(t,
		huntCase{file: "50-every-line-in-quotes.csv", want: refusedWith("email_column_missing", wholeLines, "quote")},
		huntCase{file: "51-second-file-appended.csv", want: readAs("2-3 ready", repairs{"bom": 1})},
		huntCase{file: "54-quote-inside-a-cell.csv", want: []verdict{{
			refused: "csv_malformed", says: []string{"users.csv:2 / line 2", "whole cell", "double"}, never: []string{"close the quoted cell"},
		}}},
		huntCase{file: "55-header-commas-rows-semicolons.csv", want: []verdict{
			{rows: "2-3 invalid/field_count", saysOf: map[int][]string{2: both, 3: both}, never: []string{"add the missing cells"}},
			{refused: "email_column_missing", says: both, never: []string{"add the missing cells"}},
		}},
	)
}

// wholeLines is how lines that are one quoted cell may be called.
const wholeLines = "whole line / every line / each line / lines are / line is"

// TestHuntG: no CSV at all.
func TestHuntG(t *testing.T) {
	t.Parallel()
	runHunt(t,
		huntCase{file: "56-sign-in-page.csv", want: refusedWith("encoding_unknown", "HTML", "page", "CSV")},
		huntCase{file: "58-rtf.csv", want: refusedWith("encoding_unknown", "RTF", "plain text")},
		huntCase{file: "59-directory-ldif.csv", want: refusedWith("encoding_unknown", "LDIF", "CSV")},
		huntCase{file: "61-ebcdic.csv", want: refusedWith("encoding_unknown", "EBCDIC")},
		huntCase{file: "63-bzip2.csv", want: refusedWith("encoding_unknown", "bzip2", unpack)},
	)
	runSyncs(t, syncCase{name: "59-directory-ldif.csv as a directory", file: "59-directory-ldif.csv", refused: "encoding_unknown", says: []string{"LDIF", "CSV"}})
}

const unpack = "unpack / extract / decompress / unzip"

// TestHuntH: lines that are no rows.
func TestHuntH(t *testing.T) {
	t.Parallel()
	noUser := []string{"no user / not a user", "delete"}
	runHunt(t,
		huntCase{file: "62-padded-with-nul.csv", want: readAs("2 ready", repairs{"end_mark": 1})},
		huntCase{file: "64-header-again.csv", want: readAs("2 ready, 4 ready", repairs{"header_repeated": 1})},
		huntCase{file: "66-dashes-and-row-count.csv", want: []verdict{{
			rows: "2 invalid/boolean_invalid, 3 ready, 5 invalid/field_count", repairs: repairs{"blank_row": 1},
			saysOf: map[int][]string{2: noUser, 5: noUser}, never: []string{"add the missing cells"},
		}}},
		huntCase{file: "68-utf16-odd-byte.csv", want: []verdict{
			{rows: "2 ready", repairs: repairs{"utf16": 1, "end_mark": 1}},
			{refused: "csv_malformed", says: []string{"middle of a character / cut off"}},
			{refused: "encoding_unknown", says: []string{"middle of a character / cut off"}},
		}},
	)
}

// TestHuntI: line ends.
func TestHuntI(t *testing.T) {
	t.Parallel()
	runHunt(t,
		huntCase{file: "69-cr-after-crlf-header.csv", want: refusedWith("csv_malformed", "users.csv:2 / line 2", "CR", "Mac")},
		huntCase{file: "70-unicode-line-ends.csv", want: append(refusedWith("csv_malformed", "U+2028", "end"), refusedWith("file_empty", "U+2028", "end")...)},
	)
}

// TestHuntJ: addresses.
func TestHuntJ(t *testing.T) {
	t.Parallel()
	const wrapped = "2 invalid/field_count, "
	rest := map[int][]string{2: {"line 3", "rest / broke / continue / broken"}}
	apostrophe := []string{"apostrophe", "without it / without the apostrophe / has an account"}
	runHunt(t,
		huntCase{file: "71-direction-marks.csv", want: []verdict{{
			rows: "2-3 ready", repairs: repairs{"blanks_trimmed": 2}, edits: map[int]schema.Edits{3: {"Phone Number": {"", "+46701740666"}}},
		}}},
		huntCase{file: "72-leading-apostrophe.csv", want: []verdict{{
			rows: "2-3 ineligible/user_not_found", saysOf: map[int][]string{2: apostrophe, 3: apostrophe},
		}}},
		huntCase{file: "74-name-and-brackets.csv", want: []verdict{{
			rows: "2-3 invalid/email_invalid", saysOf: map[int][]string{2: {"alone / only the address"}, 3: {"each / one row per"}},
		}}},
		huntCase{file: "76-look-alike-letters.csv", want: []verdict{{
			rows:   "2-3 ineligible/user_not_found",
			saysOf: map[int][]string{2: {"U+0430", "Cyrillic"}, 3: {"U+FF41", "full width / full-width / fullwidth"}},
			never:  []string{"check the spelling"},
		}}},
		huntCase{file: "77-address-wrapped.csv", want: []verdict{
			{rows: wrapped + "3 ready", edits: map[int]schema.Edits{3: {"First Name": {"Adam", "Anna"}}}, saysOf: rest},
			{rows: wrapped + "3 invalid", saysOf: rest},
			{rows: wrapped + "3 ineligible", saysOf: rest},
		}},
	)
}

// TestHuntK: cells as spreadsheets leave them.
func TestHuntK(t *testing.T) {
	t.Parallel()
	runHunt(t,
		huntCase{file: "78-phones-from-excel.csv", want: []verdict{{
			rows: "2-3 invalid/phone_invalid, 4 ready", repairs: repairs{"phone_spelling": 1},
			edits:  map[int]schema.Edits{4: {"Phone Number": {"+46701740647", "+46701740666"}}},
			saysOf: map[int][]string{2: {"shorten / spreadsheet"}},
		}}},
		huntCase{file: "81-type-not-said.csv", want: []verdict{{rows: "2 ineligible/stale_claim_type", saysOf: map[int][]string{2: {"delayed"}}}}},
	)
}

// TestHuntL: directory lists.
func TestHuntL(t *testing.T) {
	t.Parallel()
	runSyncs(t,
		syncCase{
			file: "82-directory-accounts-without-mail.csv", effects: map[string]string{"adam.wikstrom@acme.example": "keep"},
			says: []string{"3 rows / 3 have no address / 3 without"},
		},
		syncCase{
			file: "84-directory-disabled.csv", effects: map[string]string{"agnes.holm2@åkeri.example": "reactivate", "ake.forsberg@åkeri.example": "reactivate"},
			says: []string{"2 accounts / 2 disabled / 2 users", "disabled", "Enabled"},
		},
		syncCase{file: "86-directory-punycode.csv", effects: map[string]string{"adam.naslund@åkeri.example": "keep"}},
	)
}
