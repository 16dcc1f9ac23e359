package workbook

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/claimline/claimline/schema"
)

// Media is the media type of a workbook.
const Media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// Column says how a column is written.
type Column struct {
	Header   string
	Width    int      // in characters
	ReadOnly bool     // what is written there is ignored: it is grey
	Choices  []string // what a cell may say, beside nothing; nil: anything
}

// Writer writes a workbook of one sheet, in which every cell is text, also where somebody writes into a blank
// one: there is nothing for a spreadsheet program to guess. The header stays in sight, and rows can be
// filtered. Its memory does not grow with the rows.
type Writer struct {
	archive *zip.Writer
	sheet   io.Writer
	columns []Column
	rows    int
	row     []byte
	err     error
}

// What a sheet holds.
const (
	mostCharacters = 32_767 // of a cell, in UTF-16

	styleText = 1 // numbers of formats in stylesPart
	styleGrey = 2
	styleHead = 3
)

// NewWriter begins a workbook, and writes its header.
func NewWriter(to io.Writer, columns []Column) (*Writer, error) {
	w := &Writer{archive: zip.NewWriter(to), columns: columns}
	for _, part := range [][2]string{
		{"[Content_Types].xml", typesPart}, {"_rels/.rels", rootRelations}, {"xl/workbook.xml", workbookPart},
		{"xl/_rels/workbook.xml.rels", workbookRelations}, {"xl/styles.xml", stylesPart},
	} {
		into, err := w.archive.Create(part[0])
		if err != nil {
			return nil, err
		}
		if _, err := io.WriteString(into, declaration+part[1]); err != nil {
			return nil, err
		}
	}
	var err error
	if w.sheet, err = w.archive.Create("xl/worksheets/sheet1.xml"); err != nil {
		return nil, err
	}
	var begin strings.Builder
	begin.WriteString(declaration + `<worksheet xmlns="` + namespace + `"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>` +
		`</sheetView></sheetViews><cols>`)
	header := make([]string, len(columns))
	for i, c := range columns {
		fmt.Fprintf(&begin, `<col min="%d" max="%d" width="%d" style="%d" customWidth="1"/>`, i+1, i+1, max(c.Width, 8), c.style())
		header[i] = c.Header
	}
	if _, err := io.WriteString(w.sheet, begin.String()+`</cols><sheetData>`); err != nil {
		return nil, err
	}
	if err := w.write(header, true); err != nil {
		return nil, err
	}
	return w, nil
}

func (c *Column) style() int {
	if c.ReadOnly {
		return styleGrey
	}
	return styleText
}

// Write writes the next row. Refused with CodeTooManyRows, and with CodeLimitExceeded for a cell that is
// longer than a workbook can hold.
func (w *Writer) Write(cells []string) error { return w.write(cells, false) }

func (w *Writer) write(cells []string, header bool) error {
	if w.err != nil {
		return w.err
	}
	if w.rows == mostRows {
		return schema.Refuse(schema.CodeTooManyRows, "A sheet of a workbook has at most %d rows, and there are more.", mostRows).
			WithFix("Write CSV, or narrow what is written.")
	}
	w.rows++
	number := strconv.Itoa(w.rows)
	w.row = append(append(append(w.row[:0], `<row r="`...), number...), `">`...)
	for i, cell := range cells {
		if cell == "" {
			continue
		}
		if len(cell) > mostCharacters && characters(cell) > mostCharacters {
			return tooLong(w.rows, i, w.columns)
		}
		style := styleText
		switch {
		case header:
			style = styleHead
		case i < len(w.columns):
			style = w.columns[i].style()
		}
		w.row = append(append(append(w.row, `<c r="`...), letters(i+1)...), number...)
		w.row = append(strconv.AppendInt(append(w.row, `" s="`...), int64(style), 10), `" t="inlineStr"><is><t`...)
		if strings.TrimSpace(cell) != cell {
			w.row = append(w.row, ` xml:space="preserve"`...)
		}
		w.row = append(appendText(append(w.row, '>'), cell), `</t></is></c>`...)
	}
	w.row = append(w.row, `</row>`...)
	_, w.err = w.sheet.Write(w.row)
	return w.err
}

// characters counts the characters of a text as spreadsheet programs do, in UTF-16.
func characters(s string) (n int) {
	for _, r := range s {
		n++
		if r > 0xffff {
			n++
		}
	}
	return n
}

func tooLong(row, at int, columns []Column) error {
	refused := schema.Refuse(schema.CodeLimitExceeded, "A cell of a workbook has at most %d characters, and this one has more.", mostCharacters).
		WithFix("Write CSV, which holds more.").At("", row, at+1)
	if at < len(columns) {
		return refused.In(columns[at].Header)
	}
	return refused
}

// Close ends the workbook. It does not close what is written to.
func (w *Writer) Close() error {
	if w.err != nil {
		return w.err
	}
	var end bytes.Buffer
	end.WriteString(`</sheetData>`)
	if len(w.columns) > 0 {
		fmt.Fprintf(&end, `<autoFilter ref="A1:%s"/>`, name(w.rows, len(w.columns)))
	}
	validated := 0
	var validations bytes.Buffer
	for i, c := range w.columns {
		if len(c.Choices) == 0 {
			continue
		}
		validated++
		fmt.Fprintf(&validations, `<dataValidation type="list" allowBlank="1" showErrorMessage="1" sqref="%s:%s"><formula1>"%s"</formula1></dataValidation>`,
			name(2, i+1), name(mostRows, i+1), appendText(nil, strings.Join(c.Choices, ",")))
	}
	if validated > 0 {
		fmt.Fprintf(&end, `<dataValidations count="%d">%s</dataValidations>`, validated, validations.Bytes())
	}
	end.WriteString(`</worksheet>`)
	if _, w.err = w.sheet.Write(end.Bytes()); w.err == nil {
		w.err = w.archive.Close()
	}
	return w.err
}

// appendText appends text as XML holds it: what XML has no way to write is written as an escape such as
// _x000D_, and what looks like one is too.
func appendText(to []byte, s string) []byte {
	for i := 0; i < len(s); {
		r, size := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
		}
		switch {
		case r == '&':
			to = append(to, "&amp;"...)
		case r == '<':
			to = append(to, "&lt;"...)
		case r == '>':
			to = append(to, "&gt;"...)
		case r == '_' && len(s)-i >= escapeLength && isEscape(s[i:i+escapeLength]):
			to = append(to, "_x005F_"...)
		case r == '\r' || !inXML(r):
			to = fmt.Appendf(to, "_x%04X_", r)
		case r == utf8.RuneError && size == 1:
			to = append(to, "\ufffd"...)
		default:
			to = append(to, s[i:i+size]...)
		}
		i += size
	}
	return to
}

func isEscape(s string) bool {
	_, ok := escaped([]byte(s))
	return ok
}

// The parts of a workbook that are the same in all of ours.
const (
	declaration = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	namespace   = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
	packages    = "http://schemas.openxmlformats.org/package/2006/"
	documents   = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	contentType = "application/vnd.openxmlformats-officedocument.spreadsheetml."

	typesPart = `<Types xmlns="` + packages + `content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
		`<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="` + contentType + `sheet.main+xml"/>` +
		`<Override PartName="/xl/styles.xml" ContentType="` + contentType + `styles+xml"/>` +
		`<Override PartName="/xl/worksheets/sheet1.xml" ContentType="` + contentType + `worksheet+xml"/></Types>`
	rootRelations = `<Relationships xmlns="` + packages + `relationships"><Relationship Id="rId1" Type="` + documents + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`
	workbookPart  = `<workbook xmlns="` + namespace + `" xmlns:r="` + documents + `"><sheets><sheet name="Users" sheetId="1" r:id="rId1"/></sheets></workbook>`

	workbookRelations = `<Relationships xmlns="` + packages + `relationships"><Relationship Id="rId1" Type="` + documents + `/worksheet" Target="worksheets/sheet1.xml"/>` +
		`<Relationship Id="rId2" Type="` + documents + `/styles" Target="styles.xml"/></Relationships>`

	// Text, text that is grey, and text of the header; 49 is the format of text.
	stylesPart = `<styleSheet xmlns="` + namespace + `"><fonts count="3"><font><sz val="11"/><name val="Calibri"/></font>` +
		`<font><sz val="11"/><color rgb="FF595959"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>` +
		`<fills count="4"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>` +
		`<fill><patternFill patternType="solid"><fgColor rgb="FFEDEDED"/></patternFill></fill><fill><patternFill patternType="solid"><fgColor rgb="FFD9E2F3"/></patternFill></fill></fills>` +
		`<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>` +
		`<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>` +
		`<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>` +
		`<xf numFmtId="49" fontId="1" fillId="2" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1" applyFill="1"/>` +
		`<xf numFmtId="49" fontId="2" fillId="3" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1" applyFill="1"/></cellXfs>` +
		`<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`
)
