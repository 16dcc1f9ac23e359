package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"

	"github.com/claimline/claimline/schema"
)

// Three accounts of the samples that can be claimed, delayed. Adam Ahmed's department is IT; Adam Bäckström
// is Ingenjör in Kundtjänst; Adam Berg has the phone number +46701740647.
const (
	ahmed     = "adam.ahmed@acme.example"
	backstrom = "adam.backstrom@acme.example"
	berg      = "adam.berg@acme.example"
)

// hidden are characters that have no width, or only a direction.
var hidden = []string{
	"\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u200e", "\u200f", "\u061c",
	"\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069",
}

// wide are blanks of any kind, and line breaks, as CSV writes them into a quoted cell.
var wide = []string{"  ", "\t", "\u00a0", "\u1680", "\u2003", "\u2007", "\u2009", "\u202f", "\u205f", "\u3000", "\n", "\r\n", "\u2028", "\u0085"}

// quoted returns a cell in quotes.
func quoted(cell string) string { return `"` + strings.ReplaceAll(cell, `"`, `""`) + `"` }

// lines joins the lines of a file.
func lines(list ...string) string { return strings.Join(list, "\n") + "\n" }

// codePoints shows a text by its characters.
func codePoints(s string) string { return fmt.Sprintf("%+q", s) }

// TestHuntVariantsA: a mark against a claim is heeded, or the file is refused; a blank never claims.
func TestHuntVariantsA(t *testing.T) {
	t.Parallel()
	for name, cases := range map[string][]huntCase{
		"headers": headersToClean(t), "duplicates": headersAlike(), "near misses": nearMisses(t), "translated": translatedClaims(), "boolean columns": booleanColumns(t),
		"open quotes": openQuotes(t), "words": booleanWords(), "contradictions": contradictions(t), "cut off": cutOff(t),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runHunt(t, cases...)
		})
	}
	t.Run("other places", func(t *testing.T) {
		t.Parallel()
		for _, c := range []huntCase{
			{file: "03-claim-header-question-mark.csv", want: refusedWith("column_unclear", "Claim?")},
			{file: "05-two-open-quotes.csv", want: refusedWith("csv_malformed")},
			{file: "07-x-marks.csv", want: readAs("2 ready, 3-4 skipped/claim_blank", repairs{"boolean_words": 1})},
			{file: "08-nej-and-the-fix.csv", want: readAs("2-4 skipped/claim_false", repairs{"boolean_words": 3})},
			{file: "09-false-and-true-for-one-user.csv", want: readAs("2 skipped/claim_false, 3 invalid/claim_contradicted", nil)},
			{file: "12-no-break-blanks-in-headers.csv", want: readAs("2 ineligible/stale_claim_type", repairs{"header_cleaned": 4})},
		} {
			runHunt(t, c.everywhere(t, "skipped/claim_blank")...)
		}
	})
	t.Run("the report of a contradiction claims nobody", func(t *testing.T) {
		t.Parallel()
		path := write(t, "users.csv", huntContent(t, "09-false-and-true-for-one-user.csv"))
		rows := readCSV(t, huntSite(t).run(t, "validate", "--format", "csv", path).stdout, ',')
		require.Len(t, rows, 3)
		claim := columnOf(t, rows[0], "Claim")
		assert.Equal(t, []string{"FALSE", ""}, []string{rows[1][claim], rows[2][claim]})
	})
}

// headersToClean writes each known kind of header with something around or in it that nobody can see.
func headersToClean(t *testing.T) (cases []huntCase) {
	t.Helper()
	// header is a file with one header spelt so. That it was understood shows in what becomes of the rows.
	file := func(known, spelt string) (content string, want verdict) {
		names := map[string]string{"Claim": "Claim", "Claim Type": "Claim Type", "First Name": "First Name", "Webex Calling": "Webex Calling", emailHeader: emailHeader}
		names[known] = spelt
		content = lines(
			strings.Join([]string{quoted(names[emailHeader]), quoted(names["First Name"]), quoted(names["Claim Type"]), quoted(names["Claim"]), quoted(names["Webex Calling"])}, ","),
			ahmed+",,delayed,FALSE,", backstrom+",Eva,delayed,TRUE,TRUE", berg+",,immediate,TRUE,")
		return content, verdict{
			edits: map[int]schema.Edits{3: {"First Name": {"Adam", "Eva"}}}, licenses: map[int][]string{3: {"Webex Calling", "Webex Messaging"}},
			rows: "2 skipped/claim_false, 3 ready, 4 ineligible/stale_claim_type",
		}
	}
	cleaned := func(known, spelt string, may ...verdict) {
		content, want := file(known, spelt)
		// A header of several lines moves the rows down.
		rows := parseRows(want.rows)
		if n := strings.Count(spelt, "\n"); n > 0 {
			moved := make([]string, len(rows))
			for i, row := range rows {
				moved[i] = row.at(row.line + n)
			}
			want.rows = strings.Join(moved, ", ")
			want.edits, want.licenses = shifted(want.edits, n), shifted(want.licenses, n)
		}
		want.repairs = repairs{"header_cleaned": 1}
		wants := []verdict{want}
		for _, m := range may {
			m.rows, m.edits, m.licenses = want.rows, want.edits, want.licenses
			wants = append(wants, m)
		}
		c := huntCase{name: codePoints(spelt), content: content, want: wants}
		cases = append(cases, c)
		if spelt == "Claim\u200b" || spelt == "Claim\u00a0Type" || spelt == "\u200eWebex Calling" {
			cases = append(cases, c.everywhereUnquoted(t)...)
		}
	}
	for _, known := range []string{"Claim", "Claim Type", "First Name", "Webex Calling", emailHeader} {
		hidden, wide := hidden, wide
		if known != "Claim" && known != "Claim Type" { // what is true of two headers is true of all; some are enough
			hidden, wide = hidden[:6], []string{"\t", "\u00a0", "\n", "\r\n"}
		}
		for _, c := range hidden {
			cleaned(known, c+known)
			cleaned(known, known+c)
			cleaned(known, c+known+c)
		}
		for _, blank := range wide {
			if strings.Contains(known, " ") {
				cleaned(known, strings.ReplaceAll(known, " ", blank))
			}
			// Blanks around a header have always been trimmed; whether that counts is open.
			cleaned(known, blank+known, verdict{})
			cleaned(known, known+blank, verdict{})
		}
		cleaned(known, strings.ToLower(known)+"\u200b")
		cleaned(known, quoted(known))
		cleaned(known, "\u201c"+known+"\u201d")
		cleaned(known, "'"+known+"'")
		cleaned(known, "\u200b\u00a0"+quoted(known)+"\u00a0\u200e")
	}
	for _, c := range []struct{ name, delimiter, surplus string }{
		{"comma in a semicolon file", ";", ","}, {"commas in a semicolon file", ";", ",,"}, {"semicolons", ",", ";;;"}, {"tabs", ",", "\t\t"},
		{"bars", ",", "||"}, {"semicolons in a tab file", "\t", ";;"}, {"commas in a tab file", "\t", ",,,"}, {"semicolons in a bar file", "|", ";"},
	} {
		repaired := repairs{"header_cleaned": 1, "cells_surplus": 2}
		invalid := repairs{"header_cleaned": 1}
		if c.delimiter != "," {
			repaired["delimiter"], invalid["delimiter"] = 1, 1
		}
		end := c.surplus
		cases = append(cases,
			huntCase{
				name: "surplus " + c.name,
				content: strings.ReplaceAll(lines(emailHeader+"\x00First Name\x00Claim"+end, ahmed+"\x00Adam\x00FALSE"+end, backstrom+"\x00Adam\x00TRUE"+end),
					"\x00", c.delimiter),
				want: []verdict{
					{rows: "2 skipped/claim_false, 3 ready", repairs: repaired},
					{rows: "2-3 invalid/boolean_invalid in Claim", repairs: invalid},
				},
			},
			huntCase{
				name: "surplus at the header alone: " + c.name,
				content: strings.ReplaceAll(lines(emailHeader+"\x00First Name\x00Claim"+end, ahmed+"\x00Adam\x00FALSE", backstrom+"\x00Adam\x00TRUE"),
					"\x00", c.delimiter),
				want: readAs("2 skipped/claim_false, 3 ready", invalid),
			},
			huntCase{
				name: "surplus at a service: " + c.name,
				content: strings.ReplaceAll(lines(emailHeader+"\x00Claim\x00Webex Calling"+end, ahmed+"\x00FALSE\x00TRUE"+end, backstrom+"\x00TRUE\x00FALSE"+end),
					"\x00", c.delimiter),
				want: []verdict{
					{rows: "2 skipped/claim_false, 3 ready", repairs: repaired, licenses: map[int][]string{3: {"Webex Messaging"}}},
					{rows: "2 skipped/claim_false, 3 invalid/boolean_invalid in Webex Calling", mended: true},
				},
			})
	}
	return cases
}

// everywhereUnquoted returns the same case in other places, its header without quotes.
func (c huntCase) everywhereUnquoted(t *testing.T) []huntCase {
	t.Helper()
	c.content = strings.ReplaceAll(c.content, `"`, "")
	return c.everywhere(t, "skipped/claim_blank")[1:]
}

// headersAlike writes a known header twice, once with something in it that nobody can see.
func headersAlike() (cases []huntCase) {
	for _, known := range []string{"Claim", "Claim Type", "First Name", "Webex Calling", emailHeader} {
		for _, spelt := range []string{known + "\u200b", "\u200e" + known, known + ";;;", quoted(known), strings.ToUpper(known), known + "\u00a0"} {
			header := []string{emailHeader, "Claim", known, spelt}
			row := []string{ahmed, "TRUE", "", ""}
			switch known {
			case emailHeader:
				header, row = header[1:], row[1:]
				row[1] = ahmed
			case "Claim":
				header, row = append(header[:1], header[2:]...), append(row[:1], row[2:]...)
			}
			for i := range header {
				header[i] = quoted(header[i])
			}
			cases = append(cases, huntCase{
				name: codePoints(spelt), content: lines(strings.Join(header, ","), strings.Join(row, ",")),
				want: refusedWith("header_duplicate"),
			})
		}
	}
	return cases
}

// nearMisses spells Claim, Claim Type and a service almost right, while the right column is missing.
func nearMisses(t *testing.T) (cases []huntCase) {
	t.Helper()
	for known, list := range map[string][]string{
		"Claim": {
			"Claims", "Clam", "Cliam", "Calim", "Klaim", "Claim?", "Claim!", "Claim:", "Claim *", "Claimed", "Claim (TRUE/FALSE)", "Claim (yes/no)", "To claim",
			"claim this user", "CLAIMS", "Claim 2", "Claim_", "Claim-", "Claim\u2026", "Cla\u0456m", "Сlaim",
		},
		"Claim Type": {
			"Claim Typ", "Claim Tpye", "ClaimType", "Claim_Type", "Claim-Type", "Claim Types", "Claim Type?", "Claim Type (immediate/delayed)", "CLAIM TYP", "Claimtyp",
		},
		"Webex Calling": {
			"Webex Caling", "WebexCalling", "Webex_Calling", "Webex-Calling", "Webx Calling", "Webex Callings", "Calling", "Calling licence", "Webex Calling licence",
			"Webex Calling (TRUE/FALSE)", "webex caling",
		},
	} {
		for _, spelt := range list {
			for kind, cell := range map[string]string{"marks": "FALSE", "notes": "see the list", "nothing": ""} {
				header, row := emailHeader+",Claim,", ahmed+",TRUE,"
				if known == "Claim" {
					header, row = emailHeader+",", ahmed+","
				}
				c := huntCase{
					name: codePoints(spelt) + " over " + kind, content: lines(header+quoted(spelt), row+cell, strings.Replace(row, ahmed, backstrom, 1)),
					want: refusedWith("column_unclear", spelt, known, `--column "`+spelt+"="+known+`"`, `--ignore-column "`+spelt+`"`),
				}
				cases = append(cases, c)
				if kind != "marks" {
					continue
				}
				is := c
				is.name, is.flags = c.name+", which it is", []string{"--column", spelt + "=" + known}
				ignored := c
				ignored.name, ignored.flags = c.name+", which is nothing", []string{"--ignore-column", spelt}
				ignored.want = []verdict{{rows: "2-3 ready", ignored: []string{spelt}}}
				switch known {
				case "Claim":
					is.want = readAs("2 skipped/claim_false, 3 skipped/claim_blank", nil)
				case "Claim Type":
					is.want = readAs("2 invalid/claim_type_invalid, 3 ready", nil)
				default:
					is.want = []verdict{{rows: "2-3 ready", licenses: map[int][]string{2: {"Webex Messaging"}}}}
				}
				cases = append(cases, is, ignored)
			}
		}
	}
	// Beside the column that they are like, they are columns like others.
	cases = append(cases, huntCase{
		name:    "beside the right ones",
		content: lines(emailHeader+",Claim,Claims,Claim Type,Claim Typ,Webex Calling,Webex Caling", ahmed+",TRUE,FALSE,,x,,FALSE", backstrom+",FALSE,TRUE,,,,"),
		want:    []verdict{{rows: "2 ready, 3 skipped/claim_false", unknown: []string{"Claims", "Claim Typ", "Webex Caling"}}},
	})
	// Names match as headers do.
	for _, given := range []string{"gör  ANSPRÅK=claim", " Gör anspråk =Claim", norm.NFD.String("Gör anspråk") + "=Claim"} {
		cases = append(cases, huntCase{
			name: "named " + codePoints(given), flags: []string{"--column", given},
			content: lines(emailHeader+",Gör\u00a0anspråk", ahmed+",FALSE", backstrom+",TRUE"),
			want:    []verdict{{rows: "2 skipped/claim_false, 3 ready", mended: true}},
		})
	}
	return cases
}

// translatedClaims names Claim in other languages, over booleans and over other cells.
func translatedClaims() (cases []huntCase) {
	for _, name := range []string{
		"Gör anspråk", "Anspråk", "GÖR ANSPRÅK?", "Beanspruchen", "beanspruchen?", "Anspruch", "Revendiquer", "Revendication", "Reclamar", "Reivindicar",
		"Rivendica", "Rivendicare", "Claimen", "Opeisen", "Gør krav", "Gjør krav på", "Vaadi", "Lunasta",
		"Roszczenie", "Przejmij", "Nárokovat", "Претендовать", "Talep et", "Igénylés",
	} {
		for kind, cells := range map[string][2]string{"booleans": {"FALSE", "TRUE"}, "words": {"nein", "ja"}, "other cells": {"not her", "her"}, "nothing": {"", ""}} {
			cases = append(cases, huntCase{
				name: name + " over " + kind, content: lines(emailHeader+",First Name,"+name, ahmed+",Adam,"+cells[0], backstrom+",Adam,"+cells[1]),
				want: refusedWith("column_unclear", name, "Claim", fmt.Sprintf(`--column "%s=Claim"`, name)),
			})
		}
	}
	return cases
}

// booleanColumns has a column that nobody knows, in files without Claim.
func booleanColumns(t *testing.T) (cases []huntCase) {
	t.Helper()
	for _, cells := range [][2]string{
		{"FALSE", "TRUE"}, {"x", ""}, {"", "x"}, {"1", "0"}, {"no", "yes"}, {"Nej", "Ja"}, {"f", "T"}, {"FALSE", ""}, {"", "TRUE"}, {"ЛОЖЬ", "ИСТИНА"},
		{" false ", "\u00a0TRUE"},
	} {
		for place, format := range map[string][2]string{
			"last": {emailHeader + ",First Name,Include", "%s,Adam,%s"}, "first": {"Include," + emailHeader, "%[2]s,%[1]s"},
			"middle": {emailHeader + ",Include,First Name", "%s,%s,Adam"},
		} {
			c := huntCase{
				name:    fmt.Sprintf("%q and %q %s", cells[0], cells[1], place),
				content: lines(format[0], fmt.Sprintf(format[1], ahmed, cells[0]), fmt.Sprintf(format[1], backstrom, cells[1])),
				want:    refusedWith("column_unclear", "Include", "Claim", `--column "Include=Claim"`, `--ignore-column "Include"`, "--every-row"),
			}
			cases = append(cases, c)
			every, ignored := c, c
			every.name, every.flags, every.want = c.name+", every row", []string{"--every-row"}, []verdict{{rows: "2-3 ready", unknown: []string{"Include"}}}
			ignored.name, ignored.flags = c.name+", nothing", []string{"--ignore-column", "include"}
			ignored.want = []verdict{{rows: "2-3 ready", ignored: []string{"Include"}}}
			cases = append(cases, every, ignored)
			if place == "last" {
				cases = append(cases, c.everywhere(t, "")[1:]...)
			}
		}
	}
	cases = append(cases,
		huntCase{
			name: "it is Claim", flags: []string{"--column", "Include=Claim"}, content: lines("Include,"+emailHeader, "nej,"+ahmed, "JA,"+backstrom, ","+berg),
			want: readAs("2 skipped/claim_false, 3 ready, 4 skipped/claim_blank", repairs{"boolean_words": 2}),
		},
		huntCase{
			name: "a mark a thousand rows away", content: lines(emailHeader+",Leave", ahmed+",") + strings.Repeat("nobody@acme.example,\n", 1000) + backstrom + ",x\n",
			want: refusedWith("column_unclear", "Leave"),
		},
		huntCase{
			name: "two columns", content: lines(emailHeader+",Notes,Leave,Done", ahmed+",a note,,1", backstrom+",,x,1"),
			want: refusedWith("column_unclear"),
		},
		huntCase{
			name: "a header that is blank", content: lines(emailHeader+",,First Name", ahmed+",FALSE,Adam", backstrom+",TRUE,Adam"),
			want: refusedWith("column_unclear"),
		},
		huntCase{
			name: "notes", content: lines(emailHeader+",Notes,Nr", ahmed+",TRUE,1", backstrom+",left in May,2"),
			want: []verdict{{rows: "2-3 ready", unknown: []string{"Notes", "Nr"}}},
		},
		huntCase{
			name:    "a note a thousand rows away",
			content: lines(emailHeader+",Notes", ahmed+",x") + strings.Repeat("nobody@acme.example,\n", 1000) + backstrom + ",ask first\n",
			want:    []verdict{{rows: "2 ready, 3 ineligible/user_not_found, 4-1002 invalid/duplicate_row, 1003 ready", unknown: []string{"Notes"}}},
		},
		huntCase{
			name: "no cell filled", content: lines(emailHeader+",Notes", ahmed+",", backstrom+","),
			want: []verdict{{rows: "2-3 ready", unknown: []string{"Notes"}}},
		},
		huntCase{
			name: "beside Claim", content: lines(emailHeader+",Include,Claim", ahmed+",FALSE,TRUE", backstrom+",TRUE,FALSE"),
			want: []verdict{{rows: "2 ready, 3 skipped/claim_false", unknown: []string{"Include"}}},
		},
		huntCase{
			name: "service cells are no marks", content: lines(emailHeader+",Webex Calling", ahmed+",FALSE", backstrom+",TRUE"),
			want: []verdict{{rows: "2-3 ready", licenses: map[int][]string{2: {"Webex Messaging"}, 3: {"Webex Calling", "Webex Messaging"}}}},
		},
	)
	return cases
}

// openQuotes begins a cell with a quote that the next row's cell closes.
func openQuotes(t *testing.T) (cases []huntCase) {
	t.Helper()
	for _, c := range []huntCase{
		{name: "last column", content: lines(emailHeader+",Claim,Notes", ahmed+`,FALSE,"left in May`, backstrom+`,TRUE,see above"`, berg+",TRUE,")},
		{name: "middle column", content: lines(emailHeader+",First Name,Notes,Claim", ahmed+`,Adam,"left in May,FALSE`, backstrom+`,Adam,see above",TRUE`, berg+",,,TRUE")},
		{name: "first column", content: lines("Notes,"+emailHeader+",Claim", `"left in May,`+ahmed+",FALSE", `see above",`+backstrom+",TRUE", ","+berg+",TRUE")},
		{name: "read-only column", content: lines(emailHeader+",User Status,Claim", ahmed+`,"active,FALSE`, backstrom+`,active",TRUE`, berg+",,TRUE")},
		{name: "a name", content: lines(emailHeader+",Last Name,Claim", ahmed+`,"Ahmed,FALSE`, backstrom+`,Bäckström",TRUE`, berg+",,TRUE")},
		{name: "two columns", content: lines(emailHeader+",Notes", ahmed+`,"left in May`, backstrom+`,see above"`, berg+",")},
		{name: "three rows", content: lines(emailHeader+",Notes,Claim", ahmed+`,"left in May,FALSE`, berg+",,TRUE", backstrom+`,see above",TRUE`)},
		{name: "closed after a thousand rows", content: lines(emailHeader+",Notes,Claim", ahmed+`,"left in May,FALSE`) +
			strings.Repeat("nobody@acme.example,,TRUE\n", 1000) + lines(backstrom+`,see above",TRUE`)},
	} {
		c.want = refusedWith("csv_malformed", "users.csv:2 / line 2", swallowed)
		all := c.everywhere(t, "")
		if strings.Contains(c.name, "thousand") {
			all = all[:1]
		}
		cases = append(cases, all...)
		far := c.farAway(1000, "")
		far.want = refusedWith("csv_malformed", "users.csv:1002 / line 1002", swallowed)
		cases = append(cases, far)
	}
	honest := huntCase{
		name: "honest cells of several lines", content: lines(emailHeader+",Claim,Notes,More", ahmed+",FALSE,\"one, two\nthree\nfour\",", backstrom+",TRUE,\"a\r\nb\",\"c\n\nd, e, f\""),
		want: []verdict{{rows: "2 skipped/claim_false, 5 ready", unknown: []string{"Notes", "More"}}},
	}
	cases = append(cases, honest.everywhere(t, "skipped/claim_blank")...)
	return cases
}

// wordPairs is the table of words for true and false.
var wordPairs = [][2]string{
	{"YES", "NO"}, {"Y", "N"}, {"1", "0"}, {"X", ""}, {"JA", "NEJ"}, {"SANT", "FALSKT"}, {"WAHR", "FALSCH"}, {"VRAI", "FAUX"}, {"VERDADERO", "FALSO"},
	{"VERDADEIRO", "FALSO"}, {"VERO", "FALSO"}, {"WAAR", "ONWAAR"}, {"SAND", "FALSK"}, {"SANN", "USANN"}, {"TOSI", "EPÄTOSI"}, {"PRAWDA", "FAŁSZ"},
	{"PRAVDA", "NEPRAVDA"}, {"ИСТИНА", "ЛОЖЬ"}, {"DOĞRU", "YANLIŞ"}, {"IGAZ", "HAMIS"},
}

// booleanWords writes each pair of words in each case, into Claim and into a service.
func booleanWords() (cases []huntCase) {
	title := func(s string) string {
		if s == "" {
			return ""
		}
		r := []rune(s)
		return string(r[:1]) + strings.ToLower(string(r[1:]))
	}
	spellings := [][2]string{{"doğru", "yanlış"}, {"Doğru", "Yanlış"}}
	for _, pair := range wordPairs {
		spellings = append(spellings, pair, [2]string{strings.ToLower(pair[0]), strings.ToLower(pair[1])}, [2]string{title(pair[0]), title(pair[1])})
	}
	seen := map[[2]string]bool{}
	for _, pair := range spellings {
		if seen[pair] {
			continue
		}
		seen[pair] = true
		words, no := 2, "skipped/claim_false"
		licenses := map[int][]string{2: {"Webex Calling", "Webex Messaging"}, 3: {}} // Webex Messaging is automatic
		if pair[1] == "" {
			words, no, licenses[3] = 1, "skipped/claim_blank", []string{"Webex Messaging"}
		}
		c := huntCase{
			name: pair[0] + " and " + pair[1], content: lines(emailHeader+",Claim", ahmed+","+pair[0], backstrom+","+pair[1]),
			want: readAs("2 ready, 3 "+no, repairs{"boolean_words": words}),
		}
		services := huntCase{
			name:    pair[0] + " and " + pair[1] + " of services",
			content: lines(emailHeader+",Claim,Webex Calling,Webex Messaging", ahmed+",TRUE,"+pair[0]+",", backstrom+",TRUE,,"+pair[1]),
			want:    []verdict{{rows: "2-3 ready", repairs: repairs{"boolean_words": words}, licenses: licenses}},
		}
		cases = append(cases, c, services)
	}
	for _, word := range []string{
		"FALSE.", "FALSE?", "not", "no thanks", "nein", "non", "нет", "0.0", "-1", "2", "✓", "✗", "N/A", "NULL", "#N/A", "'FALSE", "'TRUE", "＿", "ＦＡＬＳＥ", "TRUE FALSE", "=FALSE()", "TR", "wah",
	} {
		cases = append(cases,
			huntCase{name: word + " is no word", content: lines(emailHeader+",Claim", ahmed+","+word), want: readAs("2 invalid/boolean_invalid in Claim", nil)},
			huntCase{name: word + " is no word for a service", content: lines(emailHeader+",Claim,Webex Calling", ahmed+",TRUE,"+word), want: readAs(
				"2 invalid/boolean_invalid in Webex Calling", nil)})
	}
	blank := []string{"blank"}
	cases = append(cases,
		huntCase{name: "nobody is marked", content: lines(emailHeader+",Claim", ahmed+",", backstrom+",  "), want: []verdict{
			{rows: "2-3 skipped/claim_blank", mended: true},
		}},
		huntCase{name: "words that nobody knows", content: lines(emailHeader+",Claim", ahmed+",nope", backstrom+",TRUE!", berg+",-"), want: []verdict{{
			rows: "2-4 invalid/boolean_invalid in Claim", saysOf: map[int][]string{2: blank, 3: blank, 4: blank}, never: []string{"or leave the cell blank."},
		}}},
		huntCase{name: "hidden characters in words", content: lines(emailHeader+",Claim", ahmed+",FA\u200bLSE", backstrom+",N\u00adO"), want: []verdict{
			{rows: "2-3 invalid/boolean_invalid in Claim"}, {rows: "2-3 skipped/claim_false", mended: true},
		}},
		huntCase{name: "own spellings", content: lines(emailHeader+",Claim", ahmed+",t", backstrom+",True", berg+",f"), want: readAs("2-3 ready, 4 skipped/claim_false", nil)},
	)
	return cases
}

// contradictions has several rows for one address, of which some claim it and some do not.
func contradictions(t *testing.T) (cases []huntCase) {
	t.Helper()
	const swedish = "adam.naslund@åkeri.example" // a member
	for _, c := range []struct {
		name string
		rows []string
		want string
	}{
		{"TRUE, FALSE", []string{ahmed + ",TRUE", ahmed + ",FALSE"}, "2 invalid/claim_contradicted, 3 skipped/claim_false"},
		{"FALSE, TRUE", []string{ahmed + ",FALSE", ahmed + ",TRUE"}, "2 skipped/claim_false, 3 invalid/claim_contradicted"},
		{"TRUE, blank", []string{ahmed + ",TRUE", ahmed + ","}, "2 invalid/claim_contradicted, 3 skipped/claim_blank"},
		{"blank, TRUE", []string{ahmed + ",", ahmed + ",TRUE"}, "2 skipped/claim_blank, 3 invalid/claim_contradicted"},
		{"nej, ja", []string{ahmed + ",nej", ahmed + ",ja"}, "2 skipped/claim_false, 3 invalid/claim_contradicted"},
		{"FALSE, FALSE", []string{ahmed + ",FALSE", ahmed + ",FALSE"}, "2-3 skipped/claim_false"},
		{"blank, FALSE", []string{ahmed + ",", ahmed + ",FALSE"}, "2 skipped/claim_blank, 3 skipped/claim_false"},
		{"TRUE, TRUE", []string{ahmed + ",TRUE", ahmed + ",TRUE"}, "2 ready, 3 invalid/duplicate_row"},
		{"TRUE twice, FALSE", []string{ahmed + ",TRUE", ahmed + ",TRUE", ahmed + ",FALSE"},
			"2 invalid/claim_contradicted, 3 invalid/duplicate_row+claim_contradicted, 4 skipped/claim_false"},
		{"TRUE, FALSE, TRUE", []string{ahmed + ",TRUE", ahmed + ",FALSE", ahmed + ",TRUE"},
			"2 invalid/claim_contradicted, 3 skipped/claim_false, 4 invalid/duplicate_row+claim_contradicted"},
		{"FALSE, TRUE, TRUE", []string{ahmed + ",FALSE", ahmed + ",TRUE", ahmed + ",TRUE"},
			"2 skipped/claim_false, 3 invalid/claim_contradicted, 4 invalid/duplicate_row+claim_contradicted"},
		{"no account", []string{"nobody@acme.example,TRUE", "Nobody@ACME.example,FALSE"}, "2 invalid/claim_contradicted, 3 skipped/claim_false"},
		{"a member", []string{swedish + ",TRUE", "ADAM.NASLUND@xn--keri-poa.example,FALSE"}, "2 invalid/claim_contradicted, 3 skipped/claim_false"},
		{"punycode first", []string{"adam.naslund@XN--KERI-POA.example,FALSE", swedish + ",TRUE"}, "2 skipped/claim_false, 3 invalid/claim_contradicted"},
		{"decomposed", []string{norm.NFD.String(swedish) + ",FALSE", swedish + ",TRUE"}, "2 skipped/claim_false, 3 invalid/claim_contradicted"},
		{"others are not meant", []string{ahmed + ",TRUE", backstrom + ",FALSE", berg + ",TRUE"}, "2 ready, 3 skipped/claim_false, 4 ready"},
	} {
		h := huntCase{name: c.name, content: lines(append([]string{emailHeader + ",Claim"}, c.rows...)...), want: []verdict{{rows: c.want}}}
		if strings.Contains(c.name, "nej") {
			h.want[0].repairs = repairs{"boolean_words": 2}
		}
		cases = append(cases, h)
		if strings.Contains(c.name, "TRUE") {
			cases = append(cases, h.everywhere(t, "skipped/claim_blank")[1:]...)
			cases = append(cases, h.between(1500))
		}
	}
	cases = append(cases,
		huntCase{name: "blanks and direction marks around", content: lines(emailHeader+",Claim", " "+ahmed+"\u00a0,FALSE", "\u200e"+ahmed+",TRUE"), want: []verdict{
			{rows: "2 skipped/claim_false, 3 invalid/claim_contradicted", repairs: repairs{"blanks_trimmed": 2}},
			{rows: "2 skipped/claim_false, 3 invalid/claim_contradicted", repairs: repairs{"blanks_trimmed": 1}},
		}},
		huntCase{name: "as a text formula", content: lines(emailHeader+",Claim", `"=""`+ahmed+`""",FALSE`, ahmed+",TRUE"), want: readAs(
			"2 skipped/claim_false, 3 invalid/claim_contradicted", repairs{"text_formula": 1})},
		huntCase{name: "beside another problem", content: lines(emailHeader+",Phone Number,Claim", ahmed+",12,TRUE", ahmed+",,FALSE"), want: readAs(
			"2 invalid/phone_invalid+claim_contradicted, 3 skipped/claim_false", nil)},
		huntCase{name: "every row", flags: []string{"--every-row"}, content: lines(emailHeader+",Include", ahmed+",FALSE", ahmed+",TRUE"), want: []verdict{{
			rows: "2 ready, 3 invalid/duplicate_row", unknown: []string{"Include"},
		}}},
	)
	return cases
}

// between returns the same case with so many rows without an account between its rows.
func (c huntCase) between(n int) huntCase {
	header, rest, _ := strings.Cut(c.content, "\n")
	var text strings.Builder
	text.WriteString(header + "\n")
	var rows []string
	wanted, line := parseRows(c.want[0].rows), 2
	for i, row := range strings.SplitAfter(strings.TrimSuffix(rest, "\n"), "\n") {
		text.WriteString(strings.TrimSuffix(row, "\n") + "\n")
		rows = append(rows, wanted[i].at(line))
		line++
		if i == len(wanted)-1 {
			break
		}
		for k := range n {
			fmt.Fprintf(&text, "nobody%d.%d@acme.example,TRUE\n", i, k)
		}
		rows = append(rows, fmt.Sprintf("%d-%d ineligible/user_not_found", line, line+n-1))
		line += n
	}
	want := c.want[0]
	want.rows = strings.Join(rows, ", ")
	c.name, c.content, c.want = fmt.Sprintf("%s, %d rows between", c.name, n), text.String(), []verdict{want}
	return c
}

// TestHuntFarAway puts 150,000 rows between what belongs together: rows that contradict each other, and a
// header and the one mark below it.
func TestHuntFarAway(t *testing.T) {
	t.Parallel()
	const far = 150_000
	cases := []huntCase{{
		name: "the only mark", content: lines(emailHeader+",Leave", ahmed+",") + strings.Repeat("nobody@acme.example,\n", far) + backstrom + ",x\n",
		want: refusedWith("column_unclear", "Leave", "--every-row"),
	}, {
		name: "the only note", content: lines(emailHeader+",Leave", ahmed+",x") + strings.Repeat("nobody@acme.example,x\n", far) + backstrom + ",ask first\n",
		want: []verdict{{
			rows:    fmt.Sprintf("2 ready, 3 ineligible/user_not_found, 4-%d invalid/duplicate_row, %d ready", far+2, far+3),
			unknown: []string{"Leave"},
		}},
	}, {
		name: "an open quote", content: plainHeader + "\n" + strings.Repeat("nobody@acme.example,,\n", far) + lines(ahmed+`,"Adam,FALSE`, backstrom+`,Adam",TRUE`),
		want: refusedWith("csv_malformed", fmt.Sprintf("users.csv:%d / line %d", far+2, far+2)),
	}}
	for _, c := range contradictions(t) {
		switch c.name {
		case "TRUE, FALSE", "blank, TRUE", "TRUE, FALSE, TRUE", "no account", "punycode first":
			cases = append(cases, c.between(far))
		}
	}
	for i := range cases {
		cases[i].huge = true
	}
	runHunt(t, cases...)
}

// TestHuntImportFarAway imports a file in which a row far away leaves the first user alone: nobody is
// claimed.
func TestHuntImportFarAway(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	text.WriteString(lines(emailHeader+",Claim", ahmed+",TRUE"))
	for i := range 50_000 {
		fmt.Fprintf(&text, "nobody%d@acme.example,TRUE\n", i)
	}
	text.WriteString(strings.ToUpper(ahmed) + ",FALSE\n")
	s := freshHuntSite(t)
	got := s.run(t, "import", "--accept-permanent", "--no-input", "--json", write(t, "users.csv", text.String()))
	assert.Equal(t, exitProblems, got.code, got.stderr)
	summary := got.summary(t)
	assert.Zero(t, summary.Claimed)
	assert.Equal(t, 1, summary.Reasons[schema.CodeClaimContradicted])
	assert.Equal(t, 1, summary.Reasons[schema.CodeClaimFalse])
}

// TestHuntOtherWaysIn hands the same faults in from stdin, and without a database.
func TestHuntOtherWaysIn(t *testing.T) {
	t.Parallel()
	for file, want := range map[string][]verdict{
		"05-two-open-quotes.csv":             refusedWith("csv_malformed"),
		"07-x-marks.csv":                     readAs("2 ready, 3-4 skipped/claim_blank", nil),
		"09-false-and-true-for-one-user.csv": readAs("2 skipped/claim_false, 3 invalid/claim_contradicted", nil),
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			content := huntContent(t, file)
			for _, ask := range [][]string{
				append(huntSite(t).global, "validate", "--format", "jsonl", "-"), {"validate", "--offline", "--format", "jsonl", "-"},
			} {
				var stdout, stderr strings.Builder
				code := run(t.Context(), ask, strings.NewReader(content), &stdout, &stderr)
				if want[0].refused != "" {
					assert.Equal(t, exitFailed, code, ask)
					assert.Empty(t, stdout.String())
					assert.Contains(t, stderr.String(), want[0].refused)
					continue
				}
				assert.Empty(t, want[0].differentRows(answer{stdout: stdout.String()}.results(t)), ask)
			}
		})
	}
}

// TestHuntFlagsThatContradictTheFile gives flags that the file does not bear out. They are refused, or what
// the file says is heeded: never is somebody ready whom the file leaves alone.
func TestHuntFlagsThatContradictTheFile(t *testing.T) {
	t.Parallel()
	marked, unknown := lines(emailHeader+",Include,Claim", ahmed+",TRUE,FALSE"), lines(emailHeader+",Include", ahmed+",FALSE")
	for _, c := range []struct {
		content string
		flags   []string
	}{
		{marked, []string{"--column", "Include=Claim"}}, {marked, []string{"--every-row"}}, {unknown, []string{"--column", "Absent=Claim"}},
		{unknown, []string{"--column", "Include=Nonsense"}}, {unknown, []string{"--column", "Include"}}, {unknown, []string{"--ignore-column", "Absent"}},
		{unknown, []string{"--column", "Include=Claim Type"}}, {unknown, []string{"--column", "Include=Claim", "--column", "Include=Title"}},
	} {
		t.Run(strings.Join(c.flags, " "), func(t *testing.T) {
			t.Parallel()
			for _, command := range [][]string{{"validate", "--format", "jsonl"}, {"import", "--accept-permanent", "--no-input", "--format", "jsonl"}} {
				got := freshHuntSite(t).run(t, append(append(command, c.flags...), write(t, "users.csv", c.content))...)
				if got.code == exitFailed || got.code == exitUsage {
					assert.Empty(t, got.stdout)
					assert.NotEmpty(t, got.stderr)
					continue
				}
				for _, r := range got.results(t) {
					assert.NotContains(t, []schema.Outcome{schema.Ready, schema.Claimed}, r.Outcome)
				}
			}
		})
	}
	// The flags are known: without what contradicts the file they do what they say.
	runHunt(t, huntCase{name: "borne out", content: unknown, flags: []string{"--column", "Include=Claim"}, want: readAs("2 skipped/claim_false", nil)})
}

// cutOff ends a file in the middle of its last row.
func cutOff(t *testing.T) (cases []huntCase) {
	t.Helper()
	for end, outcome := range map[string]string{
		"": "invalid/field_count", ",Ad": "invalid/field_count", ",Adam": "invalid/field_count", ",Adam,": "skipped/claim_blank",
		",Adam,TR": "invalid/boolean_invalid", ",Adam,TRU": "invalid/boolean_invalid", ",Adam,FAL": "invalid/boolean_invalid",
		",Adam,FALSE": "skipped/claim_false",
	} {
		c := huntCase{name: "after " + berg + end, content: emailHeader + ",First Name,Claim\n" + ahmed + ",Adam,TRUE\n" + berg + end, want: readAs("2 ready, 3 "+outcome, nil)}
		cases = append(cases, c.everywhere(t, "skipped/claim_blank")...)
	}
	return append(cases,
		huntCase{
			name: "in a quoted cell", content: emailHeader + ",First Name,Claim\n" + ahmed + ",Adam,TRUE\n" + berg + `,"Ad`,
			want: refusedWith("csv_malformed", "users.csv:3 / line 3"),
		},
		huntCase{
			name: "before a service", content: emailHeader + ",Claim,Webex Calling\n" + ahmed + ",TRUE,TRUE\n" + berg + ",TRUE",
			want: []verdict{{rows: "2-3 ready", repairs: repairs{"cells_missing": 1}, licenses: map[int][]string{3: {"Webex Messaging"}}}},
		})
}
