package input

import (
	"context"
	"encoding/csv"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const committed = "../../../samples"

// byHand is the folder of samples that are written by hand, and explained in a README of their own.
const byHand = "control-hub"

// files reads the CSV files below dir, by their path in it, but for those written by hand.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	contents := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && entry.Name() == byHand {
			return filepath.SkipDir
		}
		if err != nil || entry.IsDir() || !slices.Contains([]string{".csv", ".ldf", ".ldif"}, filepath.Ext(path)) {
			return err
		}
		content, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		contents[filepath.ToSlash(name)] = string(content)
		return err
	})
	require.NoError(t, err)
	return contents
}

func readCSV(t *testing.T, content string, delim rune) [][]string {
	t.Helper()
	r := csv.NewReader(strings.NewReader(content))
	r.Comma, r.FieldsPerRecord = delim, -1
	records, err := r.ReadAll()
	require.NoError(t, err)
	return records
}

// TestSamplesAreWhatIsMade makes the samples and finds the committed files, every byte of them, and no
// others.
func TestSamplesAreWhatIsMade(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, Samples(dir))
	want, got := files(t, committed), files(t, dir)
	for name, content := range got {
		if want[name] != content { // without the files in the message
			t.Errorf("samples/%s differs; samples/README.md says how it is made", name)
		}
		delete(want, name)
	}
	assert.Empty(t, want, "sample files that are not made")
}

func TestSamplesReadmeNamesEveryFile(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(committed, "README.md"))
	require.NoError(t, err)
	for name := range files(t, committed) {
		assert.Contains(t, string(readme), "`"+name+"`")
	}
}

// TestSamplesReadmeOnOutcomes holds the table of outcomes against what has to become of edited.csv.
func TestSamplesReadmeOnOutcomes(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(committed, "README.md"))
	require.NoError(t, err)
	readme := regexp.MustCompile(`(\d),(\d{3})`).ReplaceAllString(string(text), "$1$2")
	rows, reasons := map[string]int{}, map[string]int{}
	for _, row := range readCSV(t, files(t, committed)["edited.expected.csv"], ',')[1:] {
		outcome, first := row[2], strings.Split(row[3], ";")[0]
		rows[outcome]++
		if first != "" {
			reasons[first]++
		}
	}
	for outcome, n := range rows {
		assert.Contains(t, readme, fmt.Sprintf("| %s | %d |", outcome, n))
	}
	for reason, n := range reasons {
		assert.Regexp(t, fmt.Sprintf(`[|,] %s %d\b`, reason, n), readme)
	}
}

func TestSampleFilesAreWhatTheyAreCalled(t *testing.T) {
	samples := files(t, committed)
	assert.False(t, utf8.ValidString(samples["windows1252.csv"]))
	rest := samples["windows1252.csv"]
	for rest != "" {
		_, size := utf8.DecodeRuneInString(rest)
		require.Equal(t, 1, size, "a sequence in windows1252.csv is valid UTF-8")
		rest = rest[size:]
	}
	assert.True(t, strings.HasPrefix(samples["utf16.csv"], "\xff\xfe"))
	assert.True(t, strings.HasPrefix(samples["edited.csv"], "\ufeff"))
	assert.True(t, strings.HasPrefix(samples["bad/workbook.csv"], "PK\x03\x04"))
	assert.False(t, utf8.ValidString(samples["bad/half-utf8.csv"]))

	users := readCSV(t, samples["org/users.csv"], ',')[1:]
	assert.Len(t, users, 3000)
	seen := map[string]bool{}
	for _, user := range users {
		assert.False(t, seen[key(user[1])], user[1])
		seen[key(user[1])] = true
	}
	expected := readCSV(t, samples["edited.expected.csv"], ',')[1:]
	blank := strings.Count("\n"+samples["edited.csv"], "\n"+strings.Repeat(";", 16)+"\r")
	assert.Len(t, readCSV(t, samples["edited.csv"], ';'), 1+len(expected)+blank, "encoding/csv skips empty lines by itself")
}

func TestGenerateMakesTheSameFilesAgain(t *testing.T) {
	options := Options{Users: 5000, Seed: 7, Bad: 0.1, Multiline: 0.05, Shuffle: true, Excel: true}
	first, second, other := t.TempDir(), t.TempDir(), t.TempDir()
	stats, err := Generate(t.Context(), first, options)
	require.NoError(t, err)
	again, err := Generate(t.Context(), second, options)
	require.NoError(t, err)
	assert.Equal(t, stats, again)
	assert.Equal(t, files(t, first), files(t, second))

	options.Seed = 8
	_, err = Generate(t.Context(), other, options)
	require.NoError(t, err)
	assert.NotEqual(t, files(t, first)["users.csv"], files(t, other)["users.csv"])
}

// TestGenerateIsTheSameEverywhere holds the generator to figures from another run,
// so that no library changes it unseen.
func TestGenerateIsTheSameEverywhere(t *testing.T) {
	dir := t.TempDir()
	stats, err := Generate(t.Context(), dir, Options{Users: 3, Seed: 1})
	require.NoError(t, err)
	want := readCSV(t, `Adam,Åberg,Adam Åberg,adam.aberg.0@acme.test,active,,Tekniker,,,en,Webex Free,immediate,TRUE,,,,`, ',')
	assert.Equal(t, want[0], readCSV(t, files(t, dir)["users.csv"], ',')[1])
	assert.Equal(t, 3, stats.Rows)
}

func TestGenerateMakesWhatItCounts(t *testing.T) {
	dir := t.TempDir()
	stats, err := Generate(t.Context(), dir, Options{Users: 20_000, Bad: 0.05, Multiline: 0.02, Excel: true})
	require.NoError(t, err)
	made := files(t, dir)
	file, ok := strings.CutPrefix(made["users.csv"], "\ufeff")
	require.True(t, ok)
	assert.EqualValues(t, len(made["users.csv"]), stats.Bytes)
	rows := readCSV(t, file, ',')
	require.Len(t, rows, 1+stats.Rows)

	total, uneven, blank, notes := 0, 0, 0, 0
	for _, n := range stats.Reasons {
		total += n
	}
	assert.Equal(t, stats.Bad, total)
	assert.InDelta(t, 1000, stats.Bad, 200)
	assert.Len(t, stats.Reasons, 11, "every problem a row can have")
	var sorted []string
	for _, row := range rows[1:] {
		switch {
		case len(row) != len(rows[0]):
			uneven++
		case row[emailCell] == "":
			blank++
		case row[emailCell] == strings.ToLower(row[emailCell]) && strings.Contains(row[emailCell], "@acme."):
			sorted = append(sorted, row[emailCell])
		}
		if strings.Contains(row[min(notesCell, len(row)-1)], "\n") {
			notes++
		}
	}
	assert.Equal(t, stats.Reasons["field_count"], uneven)
	assert.Equal(t, stats.Reasons["email_missing"], blank)
	assert.Equal(t, stats.Multiline, notes)
	assert.True(t, slices.IsSorted(sorted))
	assert.Len(t, slices.Compact(sorted), len(sorted))

	known := map[string]bool{}
	for _, user := range readCSV(t, made["org/users.csv"], ',')[1:] {
		known[user[1]] = true
	}
	assert.Len(t, known, 20_400)
	for _, address := range sorted {
		assert.True(t, known[address], address)
	}
}

func TestGenerateShufflesTheSameRows(t *testing.T) {
	options := Options{Users: 3000}
	dir := t.TempDir()
	_, err := Generate(t.Context(), dir, options)
	require.NoError(t, err)
	inOrder := strings.Split(files(t, dir)["users.csv"], "\n")
	options.Shuffle = true
	_, err = Generate(t.Context(), dir, options)
	require.NoError(t, err)
	shuffled := strings.Split(files(t, dir)["users.csv"], "\n")
	assert.NotEqual(t, inOrder, shuffled)
	assert.ElementsMatch(t, inOrder, shuffled)
}

func TestNamesDifferWithoutAccents(t *testing.T) {
	for _, names := range [][]string{firstNames, lastNames} {
		for i := range names[1:] {
			assert.Less(t, fold(names[i])+".", fold(names[i+1])+".")
		}
		for _, name := range names {
			assert.Regexp(t, `^[a-z]+$`, fold(name))
		}
	}
}

func TestPermutationReachesEveryNumberOnce(t *testing.T) {
	for _, size := range []uint64{1, 2, 3, 1000, 4097} {
		p := newPermutation(size, 3)
		seen := map[uint64]bool{}
		for i := range size {
			n := p.at(i)
			assert.Less(t, n, size)
			seen[n] = true
		}
		assert.Len(t, seen, int(size))
	}
}

func TestGenerateStopsWhenInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Generate(ctx, t.TempDir(), Options{Users: 10})
	assert.ErrorIs(t, err, context.Canceled)
}

func TestGenerateCountsWhatIsBadInAServiceCell(t *testing.T) {
	dir := t.TempDir()
	stats, err := Generate(t.Context(), dir, Options{Users: 5000, Bad: 0.2})
	require.NoError(t, err)
	n := 0
	for _, row := range readCSV(t, files(t, dir)["users.csv"], ',') {
		if len(row) > callingCell && row[callingCell] == "2" {
			n++
		}
	}
	assert.Positive(t, n)
	assert.Equal(t, n, stats.Services)
}
