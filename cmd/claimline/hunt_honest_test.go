package main

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/schema"
)

// TestHonestFiles edits the export as people do who do nothing wrong. Such a file stays easy: it is read,
// nothing in it is doubted, and exactly what was edited is what changes.
func TestHonestFiles(t *testing.T) {
	t.Parallel()
	for _, form := range []struct {
		name      string
		flags     []string
		delimiter rune
		repairs   repairs
	}{
		{"comma", []string{"--delimiter", "comma"}, ',', repairs{}},
		{"semicolon", []string{"--delimiter", "semicolon"}, ';', repairs{"delimiter": 1}},
		{"tab", []string{"--delimiter", "tab"}, '\t', repairs{"delimiter": 1}},
		{"bar", []string{"--delimiter", "bar"}, '|', repairs{"delimiter": 1}},
		{"Excel", []string{"--excel"}, ',', repairs{"bom": 1}},
		{"Excel with semicolons", []string{"--excel", "--delimiter", "semicolon"}, ';', repairs{"bom": 1, "delimiter": 1}},
	} {
		exported := huntSite(t).run(t, append([]string{"export"}, form.flags...)...)
		t.Run(form.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, exitDone, exported.code, exported.stderr)
			runHunt(t, huntCase{name: "as it is", content: exported.stdout, want: readAs("2-1201 ready", form.repairs)})
			runHunt(t, honestEdits(t, exported.stdout, form.delimiter, form.repairs))
			runHunt(t, honestNotes(t, exported.stdout, form.delimiter, form.repairs))
			runHunt(t, honestClaims(t, exported.stdout, form.delimiter, form.repairs))
		})
	}
}

// edit reads an export, hands its rows to edit, and writes them as they were written.
func edit(t *testing.T, exported string, delimiter rune, edit func(header []string, rows [][]string) [][]string) string {
	t.Helper()
	text, marked := strings.CutPrefix(exported, "\ufeff")
	list := readCSV(t, text, delimiter)
	list = edit(list[0], list[1:])
	var edited strings.Builder
	if marked {
		edited.WriteString("\ufeff")
	}
	w := csv.NewWriter(&edited)
	w.Comma, w.UseCRLF = delimiter, strings.Contains(text, "\r\n")
	require.NoError(t, w.WriteAll(list))
	return edited.String()
}

// honestEdits gives some accounts other names, as people in many countries have them.
func honestEdits(t *testing.T, exported string, delimiter rune, repaired repairs) huntCase {
	t.Helper()
	names := []string{
		"Åsa", "Zoë", "Ñuñez", "Łukasz", "Wiśniewska", "Γιώργος", "Παπαδοπούλου", "Иван", "Смирнова", "O'Brien", "d'Artagnan", "Müller-Lüdenscheidt", "Þórður", "Şule",
		"山田", "김민수", "Ann-Marie", "Van der Berg, Jr.", `Adam "Addy" A`, "Ng",
	}
	edits := map[int]schema.Edits{}
	content := edit(t, exported, delimiter, func(header []string, rows [][]string) [][]string {
		for i, name := range names {
			column := []string{"First Name", "Last Name"}[i%2]
			cell := &rows[i*7][columnOf(t, header, column)]
			edits[i*7+2] = schema.Edits{column: {*cell, name}}
			*cell = name
		}
		for i, column := range []string{"Title", "Department"} {
			row := rows[500+i]
			cell := &row[columnOf(t, header, column)]
			edits[502+i] = schema.Edits{column: {*cell, "R&D, Åre (100 %)"}}
			*cell = "R&D, Åre (100 %)"
		}
		return append([][]string{header}, rows...)
	})
	return huntCase{name: "names", content: content, want: []verdict{{rows: "2-1201 ready", repairs: repaired, edits: edits}}}
}

// honestNotes adds columns of notes, of several lines and with quotes.
func honestNotes(t *testing.T, exported string, delimiter rune, repaired repairs) huntCase {
	t.Helper()
	notes := []string{
		"", "asked her on Monday", "line one\nline two", "he said \"no\", then \"yes\"", "\"quoted\"", "one\n\nthree, with a comma; and a semicolon | a bar\tand a tab", "TRUE", "x",
		"=SUM(A1:A3)", "'quoted'", "Ärende 4711", "?", "NULL", "#N/A", "HÃ¥kan? no",
	}
	var outcomes []string
	content := edit(t, exported, delimiter, func(header []string, rows [][]string) [][]string {
		list, line := [][]string{append([]string{"Nr"}, append(header, "Anteckning, intern", "Done")...)}, 2
		for i, row := range rows {
			note := notes[i%len(notes)]
			done := []string{"", "TRUE"}[i%2]
			list = append(list, append([]string{fmt.Sprint(i + 1)}, append(row, note, done)...))
			outcomes = append(outcomes, fmt.Sprintf("%d ready", line))
			line += 1 + strings.Count(note, "\n")
		}
		return list
	})
	return huntCase{name: "notes", content: content, want: []verdict{{
		rows: strings.Join(outcomes, ", "), repairs: repaired, unknown: []string{"Nr", "Anteckning, intern", "Done"},
	}}}
}

// honestClaims leaves some users alone, deletes others, sorts the rest the other way round, and asks for
// services.
func honestClaims(t *testing.T, exported string, delimiter rune, repaired repairs) huntCase {
	t.Helper()
	var outcomes []string
	licenses := map[int][]string{}
	content := edit(t, exported, delimiter, func(header []string, rows [][]string) [][]string {
		list := [][]string{header}
		for i, row := range slices.Backward(rows) {
			line := len(list) + 1
			switch claim := &row[columnOf(t, header, "Claim")]; i % 10 {
			case 0:
				continue // deleted
			case 1:
				*claim = "FALSE"
				outcomes = append(outcomes, fmt.Sprintf("%d skipped/claim_false", line))
			case 2:
				*claim = ""
				outcomes = append(outcomes, fmt.Sprintf("%d skipped/claim_blank", line))
			case 3:
				row[columnOf(t, header, "Webex Meetings")] = "TRUE"
				row[columnOf(t, header, "Webex Messaging")] = "FALSE"
				licenses[line] = []string{"Webex Meetings"}
				fallthrough
			default:
				outcomes = append(outcomes, fmt.Sprintf("%d ready", line))
			}
			list = append(list, row)
		}
		return list
	})
	return huntCase{name: "claims", content: content, want: []verdict{{rows: strings.Join(outcomes, ", "), repairs: repaired, licenses: licenses}}}
}

// TestExportIsNotOverwritten keeps a file that somebody may be editing.
func TestExportIsNotOverwritten(t *testing.T) {
	t.Parallel()
	path := write(t, "users.csv", "edited")
	got := huntSite(t).run(t, "export", "-o", path, "--json")
	assert.Equal(t, exitFailed, got.code)
	assert.Equal(t, schema.CodeFileExists, got.refusal(t).Code)
	assert.Equal(t, "edited", readFile(t, path))
	assert.Equal(t, exitDone, huntSite(t).run(t, "export", "--force", "-o", path).code)
	assert.True(t, strings.HasPrefix(readFile(t, path), "First Name,"))
}
