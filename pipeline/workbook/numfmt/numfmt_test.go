package numfmt

import (
	"math"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNumbersAreReadAsTheyAreShown(t *testing.T) {
	for _, c := range []struct {
		value, format, shown string
	}{
		{"46701740600", "", "46701740600"},
		{"467017406001", "General", "467017406001"}, // shown as 4.67017E+11 where the column is narrow
		{"1E+11", "", "100000000000"},
		{"1E+20", "", "1E+20"},
		{"1.2345678901234567E+19", "", "1.23456789012346E+19"},
		{"0.1", "", "0.1"},
		{"0.30000000000000004", "", "0.3"},
		{"-1E-3", "", "-0.001"},
		{"1E-20", "", "1E-20"},
		{"0", "", "0"},
		{"701740601", "0000000000", "0701740601"},
		{"46701740600", "+0", "+46701740600"},
		{"46701740600", `"+"0`, "+46701740600"},
		{"5551234567", `[<=9999999]###\-####;\(###\)\ ###\-####`, "(555) 123-4567"},
		{"467017406001", "0.00E+00", "4.67E+11"},
		{"1234.5", "#,##0.00", "1,234.50"},
		{"0.25", "0%", "25%"},
		{"45413", "yyyy-mm-dd", "2024-05-01"},
		{"45413", `[$-41D]d\ mmmm\ yyyy`, "1 maj 2024"},
		{"45413", `[$-407]d/\ mmmm\ yyyy`, "1/ Mai 2024"},
		{"45413.5", `yyyy\-mm\-dd\ hh:mm`, "2024-05-01 12:00"},
		{"1", `"SANT";"SANT";"FALSKT"`, "SANT"},
		{"0", `"SANT";"SANT";"FALSKT"`, "FALSKT"},
		{"0", "0;-0;;@", ""},
		{"-3", "0;(0)", "(3)"},
		{"-3", "0.0", "-3.0"},
		{"-0.04", "0.0", "0.0"},
		{"701740600", `0##\-### ## ##`, "070-174 06 00"},
		{"5", "000-00", "000-05"},
		{"1234567", "#,##0", "1,234,567"},
		{"1234567", "#,##0,", "1,235"},
		{"0.125", "0.00", "0.13"},
		{"99.95", "0.0", "100.0"},
		{"9.996", "0.00E+00", "1.00E+01"},
		{"0.00123", "0.0E+00", "1.2E-03"},
		{"12345", "##0.0E+0", "123.5E+2"},
		{"1.5", "0.##", "1.5"},
		{"3", "0.##", "3."},
		{"12.5", `[$kr-41D]\ #,##0.00`, "kr 12.50"},
		{"7", "General", "7"},
		{"7", `"nr "General`, "nr 7"},
		{"5", "[Red][>4]\"more\";\"less\"", "more"},
		{"3", "[Red][>4]\"more\";\"less\"", "less"},
		{"0.5", "h:mm", "12:00"},
		{"1.5", "[h]:mm", "36:00"},
		{"0.5", "# ?/?", "0.5"},
	} {
		value, err := strconv.ParseFloat(c.value, 64)
		require.NoError(t, err)
		shown := new(Formats).Show(value, c.format)
		assert.Equal(t, c.shown, shown, "%s as %s", c.value, c.format)
	}
}

// FuzzNumbers shows any number in any format.
func FuzzNumbers(f *testing.F) {
	for _, code := range []string{"", "yyyy-mm-dd", "[$-41D]d mmmm", "0.00E+00", "[<1]0;#", "# ?/?", "[h]:mm:ss.00", `"a"\b*c_d`, "[", ";;;", "[$\xe4\xff-41D]m"} {
		f.Add(45413.5, code)
	}
	f.Fuzz(func(_ *testing.T, number float64, code string) {
		if !math.IsNaN(number) && !math.IsInf(number, 0) {
			new(Formats).Show(number, code)
		}
	})
}
