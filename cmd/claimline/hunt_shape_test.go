package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"

	"github.com/claimline/claimline/schema"
)

// Two rows that can be claimed, below the header of most variants.
const (
	plainHeader = emailHeader + ",First Name,Claim"
	plainRows   = ahmed + ",Adam,TRUE\n" + backstrom + ",Adam,FALSE\n"
)

// TestHuntVariantsD: cells at the end of rows.
func TestHuntVariantsD(t *testing.T) {
	t.Parallel()
	const services = emailHeader + ",First Name,Claim,Webex Calling,Webex Meetings,Notes"
	tooMany := []string{"more cells / too many / surplus / beyond / 4 instead of 3", "delete / quote"}
	withheld := map[int][]string{2: {"Webex Messaging"}}
	for _, c := range []huntCase{
		{name: "one cell missing", content: lines(services, ahmed+",Adam,TRUE,TRUE,", backstrom+",,FALSE,,,x"), want: []verdict{{
			rows: "2 ready, 3 skipped/claim_false", repairs: repairs{"cells_missing": 1}, unknown: []string{"Notes"}, licenses: map[int][]string{2: {"Webex Calling", "Webex Messaging"}},
		}}},
		{name: "two cells missing", content: lines(services, ahmed+",Adam,TRUE,", backstrom+",,FALSE,,,x"), want: []verdict{{
			rows: "2 ready, 3 skipped/claim_false", repairs: repairs{"cells_missing": 1}, unknown: []string{"Notes"}, licenses: withheld,
		}}},
		{name: "all cells behind Claim missing", content: lines(services, ahmed+",Adam,TRUE", backstrom+",,FALSE"), want: []verdict{{
			rows: "2 ready, 3 skipped/claim_false", repairs: repairs{"cells_missing": 2}, unknown: []string{"Notes"}, licenses: withheld,
		}}},
		{name: "Claim missing, too", content: lines(services, ahmed+",Adam", backstrom+",,FALSE,,,"), want: []verdict{{
			rows: "2 invalid/field_count, 3 skipped/claim_false", unknown: []string{"Notes"},
		}}},
		{name: "without Claim", content: lines(emailHeader+",First Name,Webex Calling,Notes", ahmed+",Adam", backstrom+",Adam,TRUE", berg, berg+",Adam,,note"), want: []verdict{{
			rows: "2-3 ready, 4 invalid/field_count, 5 ready", repairs: repairs{"cells_missing": 2}, unknown: []string{"Notes"},
		}}},
		{name: "columns that nobody knows", content: lines(emailHeader+",First Name,a,b", ahmed+",Adam,note", backstrom+",Adam"), want: []verdict{{
			rows: "2-3 ready", repairs: repairs{"cells_missing": 2}, unknown: []string{"a", "b"},
		}}},
		{name: "surplus blanks", content: lines(plainHeader, ahmed+",Adam,TRUE,,,, ,", backstrom+",Adam,FALSE"), want: readAs(
			"2 ready, 3 skipped/claim_false", repairs{"cells_surplus": 1})},
		{name: "surplus cells that say something", content: lines(plainHeader, ahmed+",Adam,TRUE,,x", backstrom+",Adam,FALSE,FALSE"), want: []verdict{{
			rows: "2-3 invalid/field_count", saysOf: map[int][]string{2: tooMany[1:], 3: tooMany}, never: []string{"add the missing cells"},
		}}},
		{name: "a delimiter behind the header only", content: lines(plainHeader+",", ahmed+",Adam,TRUE", backstrom+",Adam,FALSE"), want: []verdict{{
			rows: "2 ready, 3 skipped/claim_false", mended: true, ignored: []string{""},
		}}},
		{name: "a delimiter behind header and rows", content: lines(plainHeader+",", ahmed+",Adam,TRUE,", backstrom+",Adam,FALSE,"), want: []verdict{{
			rows: "2 ready, 3 skipped/claim_false", mended: true, ignored: []string{""},
		}}},
		{name: "three delimiters behind header and rows", content: lines(plainHeader+",,,", ahmed+",Adam,TRUE,,,", backstrom+",Adam,FALSE,,,"), want: []verdict{{
			rows: "2 ready, 3 skipped/claim_false", mended: true, ignored: []string{""},
		}}},
	} {
		fillers := "skipped/claim_blank"
		if !strings.Contains(c.content, "Claim,") && !strings.Contains(c.content, "Claim\n") {
			fillers = "ineligible/user_not_found"
		}
		runHunt(t, c.everywhere(t, fillers)...)
	}
	runHunt(t,
		huntCase{name: "blanks to the last column of a sheet", content: lines(plainHeader, ahmed+",Adam,TRUE"+strings.Repeat(",", 16_381)), want: readAs(
			"2 ready", repairs{"cells_surplus": 1})},
		huntCase{name: "blank headers to the last column of a sheet", content: lines(plainHeader+strings.Repeat(",", 16_381), ahmed+",Adam,TRUE"+strings.Repeat(",", 16_381)),
			want: []verdict{{rows: "2 ready", mended: true, ignored: []string{""}}}},
		huntCase{name: "too many columns that say something", content: lines(plainHeader, ahmed+",Adam,TRUE"+strings.Repeat(",x", 1200)), want: []verdict{
			{refused: "limit_exceeded"}, {rows: "2 invalid/field_count"},
		}},
	)
	keep := map[string]string{"adam.wikstrom@acme.example": "keep"}
	runSyncs(t,
		syncCase{name: "directory: a delimiter behind each row", content: lines("mail,name", "adam.wikstrom@acme.example,Adam,", "adam.sandstrom@acme.test,Adam,"), effects: keep},
		syncCase{name: "directory: last cells missing", content: lines("mail,name,phone", "adam.wikstrom@acme.example,Adam", "adam.sandstrom@acme.test"), effects: keep},
		syncCase{name: "directory: a delimiter behind header and rows", content: lines("mail;name;", "adam.wikstrom@acme.example;Adam;", "adam.sandstrom@acme.test;Adam;"), effects: keep},
	)
}

// TestHuntVariantsE: the header.
func TestHuntVariantsE(t *testing.T) {
	t.Parallel()
	var cases []huntCase
	for name, delimiter := range map[string]string{"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"} {
		repaired := repairs{"preamble": 1}
		if delimiter != "," {
			repaired["delimiter"] = 1
		}
		for _, line := range []string{"sep=" + delimiter, "SEP=" + delimiter, `"sep=` + delimiter + `"`} {
			content := line + "\n" + strings.ReplaceAll(plainHeader+"\n"+plainRows, ",", delimiter)
			cases = append(cases, huntCase{name: name + " " + line, content: content, want: readAs("3 ready, 4 skipped/claim_false", repaired)})
			marked := maps.Clone(repaired)
			marked["bom"] = 1
			cases = append(cases, huntCase{name: name + " with a mark " + line, content: "\ufeff" + content, want: readAs("3 ready, 4 skipped/claim_false", marked)})
		}
	}
	// The type line of a shell, a version, titles.
	for _, line := range []string{
		"#TYPE System.Management.Automation.PSCustomObject", `"#TYPE Selected.User",,`, "version:v1.0", "Users of Acme AB", "Users of Acme AB,,", "Report made on,2026-11-25",
		",,", "Anställda;;",
	} {
		cases = append(cases,
			huntCase{name: line, content: line + "\n" + plainHeader + "\n" + plainRows, want: readAs("3 ready, 4 skipped/claim_false", repairs{"preamble": 1})},
			huntCase{name: line + " and CRLF", content: strings.ReplaceAll(line+"\n"+plainHeader+"\n"+plainRows, "\n", "\r\n"), want: readAs(
				"3 ready, 4 skipped/claim_false", repairs{"preamble": 1})})
	}
	cover := func(n int) string { return strings.Repeat("Acme AB,2026\n", n) }
	cases = append(cases,
		huntCase{name: "the header is the twentieth record", content: cover(19) + plainHeader + "\n" + plainRows, want: readAs(
			"21 ready, 22 skipped/claim_false", repairs{"preamble": 19})},
		huntCase{name: "the header is the twenty-first record", content: cover(20) + plainHeader + "\n" + plainRows, want: refusedWith("email_column_missing")},
		huntCase{name: "a title in several lines", content: "\"Acme\nAB\",,\n" + plainHeader + "\n" + plainRows, want: []verdict{
			{rows: "4 ready, 5 skipped/claim_false", repairs: repairs{"preamble": 1}}, {rows: "4 ready, 5 skipped/claim_false", repairs: repairs{"preamble": 2}},
		}},
		huntCase{name: "a row above the header", content: berg + ",Adam,FALSE\n" + plainHeader + "\n" + plainRows, want: refusedWith("email_column_missing", ":2 / line 2")},
		huntCase{name: "the header below the rows", content: plainRows + plainHeader + "\n", want: refusedWith("email_column_missing", ":3 / line 3")},
		huntCase{name: "a row below a title", content: "Acme AB,,\n" + berg + ",Adam,FALSE\n" + plainHeader + "\n" + plainRows, want: refusedWith("email_column_missing", ":3 / line 3")},
	)
	for _, name := range []string{
		"User ID/Email", "user id/email", "Email", "EMAIL", "E-mail", "e-Mail", "E-MAIL", "Email Address", "email address", "E-mail Address", "Mail", "mail",
		"USER ID/EMAIL (REQUIRED)",
	} {
		cases = append(cases, huntCase{name: "called " + name, content: lines("First Name,"+name+",Claim", "Adam,"+ahmed+",TRUE"), want: readAs("2 ready", nil)})
	}
	for _, name := range []string{"User\nID/Email\n(Required)", "User  ID/Email  (Required)", "E-mail\nAddress", "Email\u00a0Address", "User\u2003ID/Email\t(Required)", "\u200bEmail"} {
		rows := fmt.Sprintf("%d ready", 2+strings.Count(name, "\n"))
		cases = append(cases, huntCase{name: "spelt " + codePoints(name), content: lines("First Name,"+quoted(name)+",Claim", "Adam,"+ahmed+",TRUE"), want: readAs(
			rows, repairs{"header_cleaned": 1})})
	}
	for _, name := range []string{
		"Adresse électronique", "E-postadress", "Correo electrónico", "E-Mail-Adresse", "Indirizzo e-mail", "E-mailadres", "Sähköposti", "Poczta e-mail", "Электронная почта",
		"邮箱", "Login", "Column 3", "UPN",
	} {
		cases = append(cases,
			huntCase{name: "in another language: " + name, content: lines("Vorname,"+name, "Adam,"+ahmed, "Adam,"+backstrom), want: refusedWith(
				"email_column_missing", name, fmt.Sprintf(`--column "%s=%s"`, name, emailHeader))},
			huntCase{name: "settled: " + name, flags: []string{"--column", name + "=" + emailHeader}, content: lines("Vorname,"+name, "Adam,"+ahmed, "Adam,"+backstrom),
				want: []verdict{{rows: "2-3 ready", unknown: []string{"Vorname"}}}})
	}
	for name, content := range map[string]string{
		"first": lines(ahmed+",Adam,TRUE", backstrom+",Adam,FALSE"), "last": lines("Adam,TRUE,"+ahmed, "Adam,FALSE,"+backstrom),
		"semicolons": lines("Adam;"+ahmed+";TRUE", "Adam;"+backstrom+";FALSE"), "a bare list": lines(ahmed, backstrom, berg), "one address": ahmed + "\n",
		"in quotes": lines(`"Adam","`+ahmed+`"`, `"Adam","`+backstrom+`"`),
	} {
		cases = append(cases, huntCase{name: "no header, address " + name, content: content, want: refusedWith("email_column_missing", "first line / line 1", "is a user / seems to be a user / a person", "header")})
	}
	runHunt(t, cases...)

	both := lines("name;Anmeldung", "Adam;adam.wikstrom@acme.example", "Adam;adam.sandstrom@acme.test")
	keep := map[string]string{"adam.wikstrom@acme.example": "keep", "adam.sandstrom@acme.test": "keep"}
	runSyncs(t,
		syncCase{name: "directory in another language", content: both, refused: "email_column_missing", says: []string{"Anmeldung", "--address"}},
		syncCase{name: "directory, column named", content: both, flags: []string{"--address", "Anmeldung"}, effects: keep},
		syncCase{name: "directory, column named in other letters", content: both, flags: []string{"--address", " ANMELDUNG"}, effects: keep},
		syncCase{name: "directory below a type line", content: "#TYPE ADUser\n" + lines("mail,name", "adam.wikstrom@acme.example,Adam", "adam.sandstrom@acme.test,Adam"), effects: keep},
	)
}

// TestHuntVariantsF: quotes, marks, delimiters.
func TestHuntVariantsF(t *testing.T) {
	t.Parallel()
	var cases []huntCase
	inQuotes := func(s string) string {
		var text strings.Builder
		for line := range strings.Lines(s) {
			text.WriteString(`"` + strings.ReplaceAll(strings.TrimSuffix(line, "\n"), ",", `","`) + "\"\n")
		}
		return text.String()
	}
	plain := plainHeader + "\n" + plainRows
	for _, delimiter := range []string{",", ";", "\t", "|"} {
		repaired := repairs{"bom": 1}
		if delimiter != "," {
			repaired["delimiter"] = 1
		}
		for name, content := range map[string]string{
			"two marks": "\ufeff\ufeff" + plain, "three marks before quotes": "\ufeff\ufeff\ufeff" + inQuotes(plain), "a mark before quotes": "\ufeff" + inQuotes(plain),
			"a second file with a mark": "\ufeff" + plain + "\ufeff" + berg + ",,FALSE\n", "a second file with quotes": "\ufeff" + inQuotes(plain) + "\ufeff" + inQuotes(berg+",,FALSE\n"),
		} {
			rows := "2 ready, 3 skipped/claim_false"
			if strings.Contains(name, "second") {
				rows += ", 4 skipped/claim_false"
			}
			wants := readAs(rows, repaired)
			if strings.HasSuffix(name, "file with a mark") { // before a plain cell it is a hidden character around the address
				also := maps.Clone(repaired)
				also["blanks_trimmed"] = 1
				wants = append(wants, readAs(rows, also)...)
			}
			cases = append(cases, huntCase{name: fmt.Sprintf("%s %q", name, delimiter), content: strings.ReplaceAll(content, ",", delimiter), want: wants})
		}
		for name, content := range map[string]string{
			"whole lines in quotes": `"` + strings.ReplaceAll(strings.ReplaceAll(plain, ",", delimiter), "\n", "\"\n\"") + `"`,
		} {
			content = strings.TrimSuffix(content, `""`)
			cases = append(cases, huntCase{name: fmt.Sprintf("%s %q", name, delimiter), content: content, want: refusedWith("email_column_missing", wholeLines, "quote")})
		}
	}
	// A blank before an opening quote: read as trimmed, or told.
	for name, content := range map[string]string{
		"header": emailHeader + `, "First Name", Claim` + "\n" + plainRows, "row": plainHeader + "\n" + ahmed + `, "Adam", TRUE` + "\n" + backstrom + ",Adam,FALSE\n",
	} {
		line := map[string]string{"header": "1", "row": "2"}[name]
		cases = append(cases, huntCase{name: "a blank before a quote in the " + name, content: content, want: []verdict{
			{rows: "2 ready, 3 skipped/claim_false", mended: true},
			{refused: "csv_malformed", says: []string{":" + line + " / line " + line, "blank / space"}},
		}})
	}
	names := map[string]string{",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
	for header := range names {
		for rows := range names {
			if header == rows {
				continue
			}
			both := []string{names[header] + ` / "` + header + `"`, names[rows] + ` / "` + rows + `"`}
			never := []string{"add the missing cells"}
			cases = append(cases, huntCase{
				name: fmt.Sprintf("header %q, rows %q", header, rows), content: strings.ReplaceAll(plainHeader, ",", header) + "\n" + strings.ReplaceAll(plainRows, ",", rows),
				want: []verdict{
					{rows: "2-3 invalid/field_count", mended: true, saysOf: map[int][]string{2: both, 3: both}, never: never},
					{refused: "email_column_missing", says: both, never: never},
				},
			})
		}
	}
	for name, row := range map[string]string{
		"in the middle": ahmed + `,Adam "Addy" A,TRUE`, "an inch": ahmed + `,5" Adam,TRUE`, "in the last cell": ahmed + `,Adam,TRUE "yes"`, "in the address": `adam"ahmed@acme.example,Adam,TRUE`,
	} {
		for _, n := range []int{0, 1000} {
			line := fmt.Sprint(n + 2)
			cases = append(cases, huntCase{
				name: fmt.Sprintf("a quote %s after %d rows", name, n), content: plainHeader + "\n" + strings.Repeat("nobody@acme.example,,\n", n) + row + "\n",
				want: []verdict{{refused: "csv_malformed", says: []string{":" + line + " / line " + line, "whole cell", "double"}, never: []string{"close the quoted cell"}}},
			})
		}
	}
	runHunt(t, cases...)
}

// TestHuntVariantsG: no CSV at all.
func TestHuntVariantsG(t *testing.T) {
	t.Parallel()
	plain := plainHeader + "\n" + plainRows
	var gz, zipped, tarred bytes.Buffer
	w := gzip.NewWriter(&gz)
	_, err := w.Write([]byte(plain))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	z := zip.NewWriter(&zipped)
	f, err := z.Create("users.csv")
	require.NoError(t, err)
	_, err = f.Write([]byte(plain))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	a := tar.NewWriter(&tarred)
	require.NoError(t, a.WriteHeader(&tar.Header{Name: "users.csv", Mode: 0o600, Size: int64(len(plain))}))
	_, err = a.Write([]byte(plain))
	require.NoError(t, err)
	require.NoError(t, a.Close())

	ebcdic := encoded(t, charmap.CodePage1047, strings.ReplaceAll(plain, "\n", "\u0085"))
	for name, c := range map[string]struct {
		content string
		says    []string
	}{
		"JSON list":                 {`[{"email":"` + ahmed + `","claim":true}]`, []string{"JSON"}},
		"JSON object":               {"{\n  \"users\": [\n    {\"email\": \"" + ahmed + "\"}\n  ]\n}\n", []string{"JSON"}},
		"JSON lines":                {`{"email":"` + ahmed + `"}` + "\n" + `{"email":"` + backstrom + `"}` + "\n", []string{"JSON"}},
		"JSON with a mark":          {"\ufeff" + `[{"email":"` + ahmed + `"}]`, []string{"JSON"}},
		"XML":                       {`<?xml version="1.0"?>` + "\n<users><user mail=\"" + ahmed + "\"/></users>\n", []string{"XML"}},
		"XML of a spreadsheet":      {"<Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\">\n</Workbook>\n", []string{"XML"}},
		"a page":                    {"<html><body>Sign in</body></html>", []string{"HTML"}},
		"a page with a mark":        {"\ufeff<!doctype html><html></html>", []string{"HTML"}},
		"a page behind blanks":      {"\r\n\r\n  <!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\">\n<html>\n</html>", []string{"HTML"}},
		"a page behind a comment":   {"<!-- cached 2026 -->\n<html><head></head><body>a,b</body></html>", []string{"HTML"}},
		"a page in capitals":        {"<HTML>\n<BODY>\n<TABLE>\n</TABLE>", []string{"HTML"}},
		"a table of a page":         {"<table>\n<tr><td>" + ahmed + "</td></tr>\n</table>\n", []string{"HTML"}},
		"an error of a server":      {"<head><title>403 Forbidden</title></head>\n<body>a</body>", []string{"HTML"}},
		"RTF":                       {`{\rtf1\ansi\deff0 ` + ahmed + "}", []string{"RTF", "plain text"}},
		"LDIF with a version":       {"version: 1\n\ndn: CN=Adam,DC=acme\nmail: " + ahmed + "\n", []string{"LDIF"}},
		"LDIF with a comment":       {"# extended LDIF\n#\ndn: CN=Adam,DC=acme\nmail: " + ahmed + "\n", []string{"LDIF"}},
		"LDIF of an encoded name":   {"dn:: Q049w4VzYQ==\nmail: " + ahmed + "\n", []string{"LDIF"}},
		"EBCDIC":                    {ebcdic, []string{"EBCDIC"}},
		"gzip":                      {gz.String(), []string{"gzip", unpack}},
		"zip":                       {zipped.String(), []string{"zip", unpack}},
		"tar":                       {tarred.String(), []string{"tar", unpack}},
		"7-Zip":                     {"7z\xbc\xaf\x27\x1c\x00\x04" + strings.Repeat("\xb1", 40), []string{"7-zip / 7z", unpack}},
		"xz":                        {"\xfd7zXZ\x00\x00\x04" + strings.Repeat("\xb1", 40), []string{"xz", unpack}},
		"Zstandard":                 {"\x28\xb5\x2f\xfd\x24" + strings.Repeat("\xb1", 40), []string{"zstandard / zstd", unpack}},
		"RAR":                       {"Rar!\x1a\x07\x01\x00" + strings.Repeat("\xb1", 40), []string{"rar", unpack}},
		"bzip2":                     {"BZh91AY&SY" + strings.Repeat("\xb1", 40), []string{"bzip2", unpack}},
		"NULs in the middle":        {plainHeader + "\n" + ahmed + ",Adam,TRUE\n" + strings.Repeat("\x00", 4096) + backstrom + ",Adam,FALSE\n", nil},
		"separated by 0x1F":         {strings.ReplaceAll(plain, ",", "\x1f"), []string{"delimiter / separator"}},
		"separated by a circumflex": {strings.ReplaceAll(plain, ",", "^"), []string{"^", "delimiter / separator"}},
		"separated by a tilde":      {strings.ReplaceAll(plain, ",", "~"), []string{"~", "delimiter / separator"}},
	} {
		never := []string{"\ufffd"}
		if strings.HasPrefix(name, "separated") {
			never = append(never, "Name the column")
		}
		runHunt(t, huntCase{name: name, content: c.content, want: []verdict{{refused: "encoding_unknown", says: c.says, never: never}}})
	}
}

// TestHuntVariantsH: lines that are no rows.
func TestHuntVariantsH(t *testing.T) {
	t.Parallel()
	plain := plainHeader + "\n" + plainRows
	var cases []huntCase
	for name, end := range map[string]string{
		"0x1A": "\x1a", "0x1A and NULs": "\x1a" + strings.Repeat("\x00", 500), "a NUL": "\x00", "five NULs": strings.Repeat("\x00", 5), "0x1A and a line end": "\x1a\r\n",
		"more NULs than a buffer": strings.Repeat("\x00", 3<<20),
	} {
		cases = append(cases, huntCase{name: name, content: plain + end, want: readAs("2 ready, 3 skipped/claim_false", repairs{"end_mark": 1})}, huntCase{name: name + " and semicolons", content: strings.ReplaceAll(plain, ",", ";") + end, want: readAs(
			"2 ready, 3 skipped/claim_false", repairs{"end_mark": 1, "delimiter": 1})})
	}
	for name, header := range map[string]string{"as it is": plainHeader, "in other letters": strings.ToUpper(plainHeader), "with a mark": "\ufeff" + plainHeader} {
		cases = append(cases, huntCase{name: "the header again " + name, content: plain + header + "\n" + berg + ",,TRUE\n" + header + "\n", want: []verdict{
			{rows: "2 ready, 3 skipped/claim_false, 5 ready", repairs: repairs{"header_repeated": 2}},
			{rows: "2 ready, 3 skipped/claim_false, 5 ready", repairs: repairs{"header_repeated": 2, "bom": 1}}, // of a mark in the middle
		}})
	}
	cases = append(cases,
		huntCase{name: "two files with marks", content: "\ufeff" + plain + "\ufeff" + plainHeader + "\n" + berg + ",,TRUE\n", want: readAs(
			"2 ready, 3 skipped/claim_false, 5 ready", repairs{"bom": 1, "header_repeated": 1})},
		huntCase{name: "the header at once again", content: plainHeader + "\n" + plain, want: readAs("3 ready, 4 skipped/claim_false", repairs{"header_repeated": 1})},
		huntCase{name: "UTF-16LE", content: utf16Text(t, "\ufeff"+plain, false) + "\x00", want: oddByte("2 ready, 3 skipped/claim_false")},
		huntCase{name: "UTF-16BE", content: utf16Text(t, "\ufeff"+plain, true) + "\x00", want: oddByte("2 ready, 3 skipped/claim_false")},
		huntCase{name: "UTF-16LE with another byte", content: utf16Text(t, "\ufeff"+plain, false) + "\x0a", want: oddByte("2 ready, 3 skipped/claim_false")},
	)
	noUser := []string{"no user / not a user / no row", "delete"}
	for _, line := range []string{"(2 rows affected)", "(2 rows)", "2 rows selected.", "2 rows in set (0.00 sec)", "(2 Zeilen betroffen)", "SELECT 2", "-----"} {
		cases = append(cases, huntCase{name: line, content: plain + line + "\n", want: []verdict{{
			rows: "2 ready, 3 skipped/claim_false, 4 invalid/field_count", saysOf: map[int][]string{4: noUser}, never: []string{"add the missing cells"},
		}}})
	}
	for _, line := range []string{"-----,-----,-----", "=====,=====,=====", "---,---,---", "+-----,-----,-----+", "-----,----------,-"} {
		cases = append(cases, huntCase{name: line, content: plainHeader + "\n" + line + "\n" + plainRows, want: []verdict{{
			rows: "2 invalid/boolean_invalid, 3 ready, 4 skipped/claim_false", saysOf: map[int][]string{2: noUser},
		}}})
	}
	for line, rows := range map[string]string{"-----;-----;-----": "2 invalid/boolean_invalid, 3 ready, 4 skipped/claim_false"} {
		cases = append(cases, huntCase{name: line, content: strings.ReplaceAll(plainHeader, ",", ";") + "\n" + line + "\n" + strings.ReplaceAll(plainRows, ",", ";"), want: []verdict{{
			rows: rows, repairs: repairs{"delimiter": 1}, saysOf: map[int][]string{2: noUser},
		}}})
	}
	runHunt(t, cases...)
}

// oddByte returns what is right for UTF-16 with one byte too many.
func oddByte(rows string) []verdict {
	cut := []string{"middle of a character / cut off"}
	return []verdict{{rows: rows, repairs: repairs{"utf16": 1, "end_mark": 1}}, {refused: "csv_malformed", says: cut}, {refused: "encoding_unknown", says: cut}}
}

// TestHuntVariantsI: line ends.
func TestHuntVariantsI(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("nobody@acme.example,,\n", 1000)
	var cases []huntCase
	for name, c := range map[string]struct {
		content string
		line    string
	}{
		"one CR among LF":            {plainHeader + "\n" + ahmed + ",Adam,TRUE\r" + backstrom + ",Adam,FALSE\n" + berg + ",,TRUE\n", "2"},
		"one CR among CRLF":          {plainHeader + "\r\n" + ahmed + ",Adam,TRUE\r\n" + backstrom + ",Adam,FALSE\r" + berg + ",,TRUE\r\n", "3"},
		"one CR a thousand rows off": {plainHeader + "\n" + long + ahmed + ",Adam,TRUE\r" + backstrom + ",Adam,FALSE\n", "1002"},
		"the header ends in CR":      {plainHeader + "\r" + ahmed + ",Adam,TRUE\n" + backstrom + ",Adam,FALSE\n", "1"},
		"CR alone":                   {strings.ReplaceAll(plainHeader+"\n"+plainRows, "\n", "\r"), "1"},
		"CR with semicolons":         {strings.ReplaceAll(plainHeader, ",", ";") + "\r\n" + ahmed + ";Adam;TRUE\r" + backstrom + ";Adam;FALSE\r", "2"},
	} {
		cases = append(cases, huntCase{name: name, content: c.content, want: refusedWith("csv_malformed", "users.csv:"+c.line+" / line "+c.line, "CR", "Mac")})
	}
	for r, names := range map[string]string{"\u2028": "U+2028", "\u2029": "U+2029", "\u0085": "U+0085 / NEL", "\v": "U+000B / vertical tab", "\f": "U+000C / form feed"} {
		cases = append(cases, huntCase{
			name: "lines end in " + names[:6], content: strings.ReplaceAll(plainHeader+"\n"+plainRows, "\n", r),
			want: append(refusedWith("csv_malformed", names, "end"), refusedWith("file_empty", names, "end")...),
		})
	}
	cases = append(cases, huntCase{
		name: "CR in a quoted cell", content: emailHeader + ",Claim,Notes\n" + ahmed + ",TRUE,\"one\rtwo\"\n" + backstrom + ",FALSE,\n",
		want: []verdict{{rows: "2 ready, 3 skipped/claim_false", unknown: []string{"Notes"}}},
	}, huntCase{
		name: "LF and CRLF", content: plainHeader + "\r\n" + ahmed + ",Adam,TRUE\n" + backstrom + ",Adam,FALSE\r\n", want: readAs("2 ready, 3 skipped/claim_false", nil),
	})
	runHunt(t, cases...)
}

// TestHuntVariantsJ: addresses.
func TestHuntVariantsJ(t *testing.T) {
	t.Parallel()
	var cases []huntCase
	for _, mark := range hidden {
		c := huntCase{
			name: codePoints(mark), content: lines(emailHeader+",Preferred Language,Claim",
				mark+ahmed+mark+","+mark+"sv-SE"+mark+","+mark+"TRUE"+mark, backstrom+",,"+mark+"FALSE", berg+","+mark+","+mark),
			want: []verdict{{rows: "2 ready, 3 skipped/claim_false, 4 skipped/claim_blank", mended: true}},
		}
		cases = append(cases, c)
	}
	for _, prefix := range []string{"mailto:", "MAILTO:", "Mailto:", "SMTP:", "smtp:", "sip:", "SIP:"} {
		cases = append(cases, huntCase{name: prefix, content: lines(emailHeader+",First Name", prefix+ahmed+",Adam", backstrom+",Adam"), want: []verdict{{
			rows: "2 invalid/email_invalid, 3 ready", fixOf: map[int][]string{2: {prefix}},
		}}})
	}
	for name, cell := range map[string]string{
		"angle brackets": "<" + ahmed + ">", "a name": "Adam Ahmed <" + ahmed + ">", "a name in quotes": `"""Ahmed, Adam"" <` + ahmed + `>"`, "round brackets": "(" + ahmed + ")",
		"square brackets": "[" + ahmed + "]", "a name behind": ahmed + " (Adam Ahmed)", "curly brackets": "Adam {" + ahmed + "}", "markdown": "[" + ahmed + "](mailto:" + ahmed + ")",
	} {
		cases = append(cases, huntCase{name: name, content: lines(emailHeader+",First Name", cell+",Adam"), want: []verdict{{
			rows: "2 invalid/email_invalid", saysOf: map[int][]string{2: {"alone / only the address / prefix / each"}},
		}}})
	}
	for _, separator := range []string{";", "; ", ", ", " ", "/", " / ", " and "} {
		cases = append(cases, huntCase{name: fmt.Sprintf("two addresses, %q", separator), content: lines(emailHeader+",First Name", quoted(backstrom+separator+berg)+",Adam"), want: []verdict{{
			rows: "2 invalid/email_invalid", saysOf: map[int][]string{2: {"each / one row per / one address"}},
		}}})
	}
	for _, c := range []struct {
		cell, names string
	}{
		{"\u2019" + ahmed, "U+2019"}, {"\u2018" + ahmed + "\u2019", "U+2018"}, {"adam.o\u2019ahmed@acme.example", "U+2019"}, {"adam\u2011ahmed@acme.example", "U+2011"},
		{"adam\u2013ahmed@acme.example", "U+2013"}, {"adam.ahmed@acme\u2010labs.example", "U+2010"}, {"adam.ahmed@\u0430cme.example", "U+0430"},
		{"\u0430dam.ahmed@acme.example", "U+0430"}, {"adam.ahm\u0435d@acme.example", "U+0435"}, {"\uff41dam.ahmed@acme.example", "U+FF41"}, {"ad\u03b1m.ahmed@acme.example", "U+03B1"},
		{"adam\uff0eahmed@acme.example", "U+FF0E"}, {"adam.ahmed\uff20acme.example", "U+FF20"}, {"ad\u200bam.ahmed@acme.example", "U+200B"},
	} {
		cases = append(cases, huntCase{name: codePoints(c.cell), content: lines(emailHeader+",First Name", c.cell+",Adam", berg+",Adam"), want: []verdict{
			{rows: "2 ineligible/user_not_found, 3 ready", saysOf: map[int][]string{2: {c.names}}, never: []string{"check the spelling"}},
			{rows: "2 invalid/email_invalid, 3 ready", saysOf: map[int][]string{2: {c.names}}},
		}})
	}
	cases = append(cases, huntCase{
		name: "an apostrophe before an address without an account", content: lines(emailHeader+",First Name", "'nobody@acme.example,Adam"),
		want: readAs("2 ineligible/user_not_found", nil),
	}, huntCase{
		name: "wrapped in the middle of a quoted cell", content: lines(emailHeader+",First Name,Claim", "\"anna.maria.\nahmed@acme.example\",Anna,TRUE"),
		want: readAs("2 invalid/email_invalid", nil),
	})
	runHunt(t, cases...)
}

// TestHuntVariantsK: cells as spreadsheets leave them.
func TestHuntVariantsK(t *testing.T) {
	t.Parallel()
	shortened := map[int][]string{2: {"shorten / spreadsheet"}}
	var cases []huntCase
	for _, cell := range []string{"46701740662", "0046701740662", "+46 70 174 06 62", "+46-70-174-06-62", "+46 (70) 174 06 62", "+46.70.174.06.62", "+46/70/1740662", "00 46 70-174 06 62", "'+46701740662"} {
		cases = append(cases, huntCase{name: "own number " + cell, content: lines(emailHeader+",Phone Number", ahmed+","+cell), want: []verdict{{rows: "2 ready", mended: true}}})
	}
	for _, cell := range []string{"4,67E+10", "4.67E+10", "4,6701740662E+10", "4.67e+10"} {
		cases = append(cases, huntCase{name: cell, content: lines(emailHeader+",Phone Number", ahmed+","+quoted(cell)), want: []verdict{{
			rows: "2 invalid/phone_invalid", saysOf: shortened,
		}}})
	}
	for cell, phone := range map[string]string{"0046701740666": "+46701740666", "+46 (70) 174-06-66": "+46701740666", "+1.202.555.0143": "+12025550143", "+49/30/1234567": "+49301234567"} {
		c := huntCase{name: cell, content: lines(emailHeader+",Phone Number", ahmed+","+cell, backstrom+","), want: []verdict{{
			rows: "2-3 ready", repairs: repairs{"phone_spelling": 1}, edits: map[int]schema.Edits{2: {"Phone Number": {"+46701740662", phone}}},
		}}}
		cases = append(cases, c.everywhere(t, "ineligible/user_not_found")...)
	}
	for _, cell := range []string{"46701740666", "0701740666", "070-174 06 66", "ext. 4", "+46 70 174 06 66 x12", "+", "0"} {
		cases = append(cases, huntCase{name: "no number: " + cell, content: lines(emailHeader+",Phone Number", ahmed+","+cell), want: readAs("2 invalid/phone_invalid", nil)})
	}
	cases = append(cases,
		huntCase{name: "en_US", content: lines(emailHeader+",Preferred Language", ahmed+",en_US"), want: []verdict{{
			rows: "2 ready", repairs: repairs{"language_spelling": 1}, edits: map[int]schema.Edits{2: {"Preferred Language": {"sv-SE", "en-US"}}},
		}}},
		huntCase{name: "sv_SE, which the account has", content: lines(emailHeader+",Preferred Language", ahmed+",sv_SE"), want: readAs("2 ready", repairs{"language_spelling": 1})},
		huntCase{name: "no language", content: lines(emailHeader+",Preferred Language", ahmed+",Swedish (Sweden)"), want: readAs("2 invalid/language_invalid", nil)},
		huntCase{name: "delayed where it is immediate", content: lines(emailHeader+",Claim Type", "agnes.kowalczyk@acme.example,delayed"), want: []verdict{{
			rows: "2 ineligible/stale_claim_type", saysOf: map[int][]string{2: {"immediate"}},
		}}},
		huntCase{name: "immediate where it is delayed", content: lines(emailHeader+",Claim Type", ahmed+",IMMEDIATE"), want: []verdict{{
			rows: "2 ineligible/stale_claim_type", saysOf: map[int][]string{2: {"delayed"}},
		}}},
	)
	runHunt(t, cases...)
}
