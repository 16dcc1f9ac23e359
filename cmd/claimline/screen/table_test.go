package screen

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/schema"
)

// someUsers returns a table as users shows it.
func someUsers(t require.TestingT) *Table {
	table := NewTable(Address("Address"), Text("Name"), Whole("Status"), Whole("Claim"), When("Claimed"), Numeric("Days left"), Whole("Retract"), Text("Why not"))
	at := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	require.NoError(t, table.Add("adam.ahmed-bergstrom@acme.example", "Adam Ahmed", "delayed_claim", "delayed", Stamp(&at), "14", "yes", ""))
	require.NoError(t, table.Add("bo@acme.example", "Bo", "active", "immediate", Stamp(&at), "0", "no", "retract_window_passed"))
	return table
}

func drawn(t require.TestingT, table *Table, width int) []string {
	var out bytes.Buffer
	require.NoError(t, table.Write(&out, Page{Width: width}))
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

func TestTableShortensWhatTellsLeast(t *testing.T) {
	at := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	whole := drawn(t, someUsers(t), 0)
	assert.Equal(t, "adam.ahmed-bergstrom@acme.example  Adam Ahmed  delayed_claim  delayed    "+Stamp(&at)+"         14  yes", whole[1])
	assert.Equal(t, whole, drawn(t, someUsers(t), 140), "columns are as wide as what stands in them, and no wider")

	lines := drawn(t, someUsers(t), 128)
	assert.Contains(t, lines[1], "adam.ahmed-bergstrom@acme.example", "the time of day goes first")
	assert.NotContains(t, lines[1], "12:00")
	assert.Contains(t, lines[1], "2026-11-25 ")

	lines = drawn(t, someUsers(t), 110)
	assert.Regexp(t, "^adam[a-z.]*…@acme.example ", lines[1], "then the address, in its middle")

	for width := 40; width <= 160; width++ {
		lines := drawn(t, someUsers(t), width)
		for _, line := range lines[1:] {
			if width >= 60 {
				assert.LessOrEqual(t, text.StringWidth(line), width, line)
			}
		}
		assert.Regexp(t, ` delayed_claim +delayed .* 14 +yes`, lines[1], "statuses and numbers are never cut")
		assert.Regexp(t, ` active +immediate .* 0 +no`, lines[2])
	}
}

func TestTableFitsAnyWidth(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		table := NewTable(Address("Address"), Text("Name"), Numeric("Rows"), When("Claimed"), Whole("Status"))
		rows := rapid.IntRange(0, 20).Draw(t, "rows")
		var numbers []string
		for range rows {
			at := time.Unix(rapid.Int64Range(0, 1<<32).Draw(t, "time"), 0)
			numbers = append(numbers, schema.Number(rapid.IntRange(0, 9_999_999).Draw(t, "number")).String())
			require.NoError(t, table.Add(schema.Printable(word.Draw(t, "address")), schema.Printable(word.Draw(t, "name")), numbers[len(numbers)-1], Stamp(&at), "delayed_claim"))
		}
		width := rapid.IntRange(60, 200).Draw(t, "width")
		lines := drawn(t, table, width)
		require.Len(t, lines, rows+1)
		harmless(t, lines, width)
		for i, number := range numbers {
			assert.Regexp(t, `(^|[^0-9])`+number+`( |$)`, lines[i+1])
			assert.Contains(t, lines[i+1], "delayed_claim")
		}
	})
}

func TestMiddleKeepsTheDomain(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "adam.ahm…@acme.example", Middle("adam.ahmed.bergstrom@acme.example", 22))
	assert.Equal(t, "ann@acme.example", Middle("ann@acme.example", 16))
	assert.Equal(t, "adam.ah…example", Middle("adam.ahmed@a-very-long-domain.example", 15))
	rapid.Check(t, func(t *rapid.T) {
		s, width := word.Draw(t, "text"), rapid.IntRange(1, 60).Draw(t, "width")
		assert.LessOrEqual(t, text.StringWidth(Middle(s, width)), max(width, 0))
		assert.LessOrEqual(t, text.StringWidth(End(s, width)), width)
	})
}

func TestWrap(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{"  one two", "    three", "    four"}, Wrap("  one two three four", 10, 4))
	assert.Equal(t, []string{"one two  three"}, Wrap("one two  three", 0, 4), "where nobody looks, all stays as it is")
	rapid.Check(t, func(t *rapid.T) {
		s, width := schema.Printable(word.Draw(t, "text")), rapid.IntRange(20, 100).Draw(t, "width")
		for _, line := range Wrap(s, width, 4) {
			assert.LessOrEqual(t, text.StringWidth(line), width, line)
		}
		words := rapid.SliceOfN(rapid.StringMatching(`[a-z]{1,9}`), 0, 40).Draw(t, "words")
		assert.Equal(t, words, append([]string{}, strings.Fields(strings.Join(Wrap(strings.Join(words, " "), width, 2), " "))...), "no word is lost or broken")
	})
}

// A spool gives back what it was given, in order, whether it stays in memory or not.
func TestSpool(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 10, 200_000} {
		var s Spool
		for i := range n {
			require.NoError(t, s.Add(int64(i%7), fmt.Appendf(nil, "%d, with so much behind it that it does not stay in memory", i)))
		}
		assert.Equal(t, n, s.Len())
		assert.Equal(t, n > 100_000, s.file != nil)
		s.Sort()
		last, lastKey := -1, -1
		require.NoError(t, s.Each(func(data []byte) error {
			number, _, _ := strings.Cut(string(data), ",")
			i, err := strconv.Atoi(number)
			require.NoError(t, err)
			if i%7 == lastKey {
				require.Equal(t, last+7, i, "equal keys stay in the order in which they came")
			} else {
				require.Greater(t, i%7, lastKey)
				require.Equal(t, i%7, i)
			}
			last, lastKey = i, i%7
			return nil
		}))
		require.NoError(t, s.Close())
		if s.file != nil {
			assert.NoFileExists(t, s.file.Name())
		}
	}
}

func TestNumbersInWords(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0 users", 1: "1 user", 999: "999 users", 1000: "1,000 users", 1234567: "1,234,567 users", -1000: "-1,000 users"} {
		assert.Equal(t, want, Users(n).String())
	}
	for d, want := range map[time.Duration]string{
		0: "0.1 s", 300 * time.Millisecond: "0.3 s", 9 * time.Second: "9.0 s", 42 * time.Second: "42 s", 90 * time.Second: "1 min", 61 * time.Minute: "1 h 1 min",
	} {
		assert.Equal(t, want, Page{}.Span(d))
	}
}

func TestTheWidthOfATextIsTheSameWithoutTables(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ -~]*`), rapid.StringMatching(`[a-zåäö漢é]*`)).Draw(t, "text")
		require.Equal(t, text.StringWidth(s), widthOf(s))
	})
}
