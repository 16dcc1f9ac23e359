package workbook

import (
	"math"
	"strconv"
	"strings"

	"github.com/claimline/claimline/pipeline/workbook/numfmt"
)

// formats show numbers as the styles of cells have them.
type formats struct {
	numfmt.Formats

	codes []string // of the styles of cells; blank: none
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
	f := &formats{Formats: numfmt.Formats{Date1904: b.date1904}}
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
	code := ""
	if style < len(f.codes) {
		code = f.codes[style]
	}
	return f.Show(value, code), nil
}
