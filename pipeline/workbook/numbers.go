package workbook

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// formats show numbers as a spreadsheet program does.
type formats struct {
	codes    []string             // of the styles of cells; blank: none
	sections map[string][]section // by code
	dates    map[string]dateFormat
	date1904 bool
}

func newFormats(date1904 bool, codes ...string) *formats {
	return &formats{codes: codes, sections: map[string][]section{}, dates: map[string]dateFormat{}, date1904: date1904}
}

// The formats that every workbook has without saying so, as far as they do not depend on who looks at them:
// dates are shown as ISO 8601 has them.
var builtIn = map[int]string{
	1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00",
	14: isoDate, 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss",
	22: isoDate + " hh:mm", 37: "#,##0;-#,##0", 38: "#,##0;-#,##0", 39: "#,##0.00;-#,##0.00", 40: "#,##0.00;-#,##0.00",
	45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0",
}

const isoDate = "yyyy-mm-dd"

// The numbers of formats in which languages of East Asia write dates and times.
func dateOfEast(number int) bool { return number >= 27 && number <= 36 || number >= 50 && number <= 58 }

// readFormats reads the formats of cells.
func (b *Book) readFormats(part string) (*formats, error) {
	f := newFormats(b.date1904)
	custom := map[int]string{}
	inCells := false
	err := b.scan(part, mostOther, func(s *scanner, kind token) error {
		switch name := string(s.name); {
		case kind == endTag && name == "cellXfs":
			inCells = false
		case kind != startTag:
		case name == "cellXfs":
			inCells = true
		case name == "numFmt":
			number, err := s.number("numFmtId", -1)
			if err != nil {
				return err
			}
			code, err := s.attribute("formatCode")
			if err != nil {
				return err
			}
			if len(code) > mostCode {
				return tooLarge("The workbook has a format of cells with more than %d bytes.", mostCode)
			}
			custom[number] = code
		case inCells && name == "xf":
			number, err := s.number("numFmtId", 0)
			if err != nil {
				return err
			}
			code, found := custom[number]
			if !found {
				code = builtIn[number]
			}
			if dateOfEast(number) && !found {
				code = isoDate
			}
			if strings.EqualFold(code, "general") || code == "@" {
				code = ""
			}
			if f.codes = append(f.codes, code); len(f.codes) > mostStyles {
				return tooLarge("The workbook has more than %d formats of cells.", mostStyles)
			}
		}
		return nil
	})
	return f, err
}

// show returns a number as it is shown in a cell of this style.
func (f *formats) show(number string, style int) (string, error) {
	value, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
		return "", malformedError("a cell is no number")
	}
	if style >= len(f.codes) || f.codes[style] == "" {
		return general(value), nil
	}
	code := f.codes[style]
	sections, known := f.sections[code]
	if !known {
		sections = sectionsOf(code)
		f.sections[code] = sections
	}
	s, value := pick(sections, value)
	if shown, ok := s.show(value); ok {
		return shown, nil
	}
	return f.showDate(value, s.code), nil
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
