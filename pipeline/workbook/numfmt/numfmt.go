// Package numfmt shows numbers, dates and times as the number formats of a workbook have them. It knows
// nothing of files: a format is a text, such as 0.00 or yyyy-mm-dd.
package numfmt

import (
	"fmt"
	"strconv"
	"strings"
)

// Formats show numbers as a spreadsheet program does, and remember the formats that they have taken apart.
// The zero value is ready. They are not for several goroutines.
type Formats struct {
	Date1904 bool // days are counted from 1904

	sections map[string][]section  // by code
	dates    map[string]dateFormat // by the code of a section
}

// Show returns a number, neither infinite nor none, in a format; blank: with all the digits that it has.
func (f *Formats) Show(value float64, code string) string {
	if code == "" {
		return general(value)
	}
	sections, known := f.sections[code]
	if !known {
		sections = sectionsOf(code)
		if f.sections == nil {
			f.sections = map[string][]section{}
		}
		f.sections[code] = sections
	}
	s, value := pick(sections, value)
	if shown, ok := s.show(value); ok {
		return shown
	}
	return f.showDate(value, s.code)
}

// general returns a number with all the digits that it has: a spreadsheet program shows fewer where the
// column is narrow, and of a phone number 4.67017E+11.
func general(value float64) string {
	const digits = 15 // more a spreadsheet program does not have
	shown := strconv.FormatFloat(value, 'g', digits, 64)
	if mantissa, exponent, found := strings.Cut(shown, "e"); found {
		n, _ := strconv.Atoi(exponent)
		if n >= 0 && n < digits || n < 0 && n > -10 {
			rounded, _ := strconv.ParseFloat(shown, 64)
			return strconv.FormatFloat(rounded, 'f', -1, 64)
		}
		return fmt.Sprintf("%sE%+03d", mantissa, n)
	}
	return shown
}
