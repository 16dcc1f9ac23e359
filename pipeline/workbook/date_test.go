package workbook

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"
)

func TestDatesAreReadAsTheyAreShown(t *testing.T) {
	for _, c := range []struct{ value, format, shown string }{
		{"45413", "dddd d mmmm yyyy", "Wednesday 1 May 2024"},
		{"45413", "ddd d mmm yy", "Wed 1 May 24"},
		{"45413", "mmmmm", "M"},
		{"45413", "[$-sv-SE]dddd d mmmm yyyy", "onsdag 1 maj 2024"},
		{"45413", "[$-101041D]d mmm", "1 maj"},
		{"45413", "[$-F800]dddd, mmmm dd, yyyy", "2024-05-01"},
		{"45413.75", "[$-F400]h:mm:ss AM/PM", "18:00:00"},
		{"45413", "[$-411]d mmmm yyyy", "2024-05-01"}, // no names of Japanese here
		{"45413", "[$-411]yyyy/m/d", "2024/5/1"},
		{"45413", "[$-411]gge", "45413"}, // and no eras
		{"45413", `[Blue]d"e"\/m`, "1e/5"},
		{"45413.75", "h:mm AM/PM", "6:00 PM"},
		{"45413", "hh:mm A/P", "12:00 A"},
		{"45413.75", "[$-40B]h.mm AM/PM", "6.00 ip."},
		{"0.999999", "hh:mm:ss", "00:00:00"}, // rounded up to the next day
		{"0.5000012", "hh:mm:ss.000", "12:00:00.104"},
		{"0.0625", "[hh]:mm", "01:30"},
		{"1.25", "[mm]", "1800"},
		{"0", "yyyy-mm-dd", "1900-01-00"},
		{"1", "dddd yyyy-mm-dd", "Sunday 1900-01-01"},
		{"60", "yyyy-mm-dd", "1900-02-29"},
		{"61", "yyyy-mm-dd", "1900-03-01"},
		{"2958465", "yyyy-mm-dd", "9999-12-31"},
		{"2958466", "yyyy-mm-dd", "2958466"},
		{"-1", "yyyy-mm-dd", "-1"},
		{"45413", "yyyy 0", "45413"},
	} {
		shown, err := newFormats(false, c.format).show(c.value, 0)
		require.NoError(t, err)
		assert.Equal(t, c.shown, shown, "%s as %s", c.value, c.format)
	}
	for language, text := range languageNames {
		n, known := namesOf(language)
		require.True(t, known)
		assert.Equal(t, []int{12, 12, 7, 7, 2}, []int{len(n.months), len(n.shortMonths), len(n.days), len(n.shortDays), len(n.halves)}, text)
	}
	for tag, language := range languageTags {
		assert.Contains(t, languageNames, language, tag)
	}
}

// TestDatesAgreeWithExcelize shows dates and times as another program does.
func TestDatesAgreeWithExcelize(t *testing.T) {
	file := excelize.NewFile()
	known := slices.Sorted(maps.Keys(languageNames))
	parts := rapid.SampledFrom([]string{
		"yyyy", "yy", "m", "mm", "mmm", "mmmm", "mmmmm", "d", "dd", "ddd", "dddd", "h", "hh", "h:mm", "hh:mm:ss", "h:mm:ss", "mm:ss", "ss", "h AM/PM", "hh:mm AM/PM",
	})
	between := rapid.SampledFrom([]string{"-", "/", ", ", " ", `\ `, `"den "`, ".", ""})
	rapid.Check(t, func(t *rapid.T) {
		code := ""
		if rapid.Bool().Draw(t, "language") {
			language := rapid.SampledFrom(known).Draw(t, "which")
			if language == 0x0b { // excelize misspells January in Finnish
				language = english
			}
			code = fmt.Sprintf("[$-%X]", 0x400|language)
		}
		hours, timed := false, false
		for i := range rapid.IntRange(1, 4).Draw(t, "parts") {
			if i > 0 {
				code += between.Draw(t, "between")
			}
			part := parts.Draw(t, "part")
			if strings.HasPrefix(part, "h") && hours { // of hours there is one
				part = "d"
			}
			if strings.HasPrefix(part, "m") && timed { // behind a time, programs differ on what m is
				part = "d"
			}
			timed = strings.ContainsAny(part, "hs")
			hours = hours || strings.HasPrefix(part, "h")
			code += part
		}
		value := float64(rapid.IntRange(61, 60_000).Draw(t, "day")) + float64(rapid.IntRange(0, 24*60*60-1).Draw(t, "second"))/(24*60*60)
		style, err := file.NewStyle(&excelize.Style{CustomNumFmt: &code})
		require.NoError(t, err)
		require.NoError(t, file.SetCellFloat("Sheet1", "A1", value, -1, 64))
		require.NoError(t, file.SetCellStyle("Sheet1", "A1", "A1", style))
		want, err := file.GetCellValue("Sheet1", "A1")
		require.NoError(t, err)
		require.Equal(t, want, newFormats(false, code).showDate(value, code), "%v as %s", value, code)
	})
}
