package dialect

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/claimline/claimline/schema"
)

// headerRecords is among how many of a file's first records the header must be. Blank rows before the first
// that has content do not count.
const headerRecords = 20

// opening is how a file begins: what was looked at to find its header.
type opening struct {
	names   []string // looked for, cleaned
	comma   byte     // the delimiter that a line sep= names; 0: none does
	found   bool
	below   int // line of a record that would be the header, had no user stood above it
	records []openingRecord
}

// openingRecord is a record that may be the header, or stand above it.
type openingRecord struct {
	from, length int // in data
	line         int
	text         string
	blank        bool
	err          error // why it is no record
}

// readHeader finds the header, and reads up to it.
func (r *Reader) readHeader(ctx context.Context, names []string) error {
	r.opening.names = names
	for !r.ended && len(r.data) < headSize {
		if err := r.fill(); err != nil {
			return err
		}
	}
	r.skipMarks()
	head := string(r.data[:min(len(r.data), headSize)])
	if k := textKind(head); k.name != "" && r.sheet == nil {
		return k.refusal()
	}
	err := r.findHeader(ctx)
	above := head
	if r.opening.found {
		above = head[:min(len(head), r.opening.records[len(r.opening.records)-1].from)]
	}
	if k := pageKind(above); k.name != "" && r.sheet == nil {
		return k.refusal() // said before it is called malformed, or without addresses
	}
	if err != nil {
		return err
	}
	return r.takeHeader()
}

// skipMarks takes the byte order marks off the beginning of the text.
func (r *Reader) skipMarks() {
	for {
		rest, double := bytes.CutPrefix(r.data, []byte(doubleBOM))
		if !double && !beginsWithMark(r.data) {
			return
		}
		if !double {
			rest = r.data[len(bom):]
		}
		r.taken += int64(len(r.data) - len(rest))
		r.data = rest
		if r.charset.repair != schema.RepairUTF16 {
			r.repairs[schema.RepairBOM] = 1
		}
	}
}

// findHeader looks for the header among the first records. Where none is found the opening has no error
// unless the first record cannot be read.
func (r *Reader) findHeader(ctx context.Context) error {
	o := &r.opening
	users := false // a record above holds an address
	content := 0
	for at, line := 0, r.line; content < headerRecords; {
		length, err := r.record(at)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !errors.Is(err, errTooLong) {
			return err
		}
		record := openingRecord{from: at, length: length, line: line, text: string(r.data[at : at+min(length, r.limits.RecordBytes)])}
		if err == nil {
			err = r.lineEnds(record)
		} else if content == 0 {
			err = r.longOpening(ctx, record)
		}
		if err != nil {
			if content > 0 && !users {
				break // what is wrong there is said by whoever reads so far
			}
			return err
		}
		delimiter, cells, err := o.match(record.text)
		record.err = err
		switch {
		case delimiter != 0 && !slices.ContainsFunc(cells, isAddress):
			if !users {
				o.found, r.format.Delimiter = true, delimiter
				o.records = append(o.records, record)
				return nil
			}
			o.below = line
			return o.refused()
		case o.comma == 0 && content == 0 && isSeparatorLine(record.text):
			o.comma = separator(record.text)
			record.blank = true
		default:
			record.blank = err == nil && len(cells) == 0
		}
		if record.err != nil { // a quote in a title must not hide the lines below it
			record.length = strings.IndexByte(record.text, '\n') + 1
			if record.length == 0 {
				record.length = length
			}
			record.text = record.text[:min(record.length, len(record.text))]
			r.quote = -1
		}
		users = users || holdsAddress(record.text)
		if content > 0 || !record.blank {
			content++
		}
		if content > 0 || o.comma != 0 {
			o.records = append(o.records, record)
		}
		at, line = at+record.length, line+r.countLines([]byte(record.text))
	}
	if content == 0 {
		return schema.Refuse(schema.CodeFileEmpty, "The file is blank: it has no header.")
	}
	return o.refused()
}

// lineEnds returns the refusal of a record that holds line ends that are none in CSV, or NULs.
func (r *Reader) lineEnds(record openingRecord) error {
	if r.sheet != nil {
		return nil
	}
	if first, _, _ := strings.Cut(record.text, "\n"); strings.IndexByte(first, 0) >= 0 {
		return noText(first)
	}
	if at := loneCR(record.text); at >= 0 {
		return macLineEnd(record.line + strings.Count(record.text[:at], "\n"))
	}
	last := r.ended && record.from+record.length == len(r.data)
	for _, end := range []struct{ character, name string }{
		{"\u2028", "U+2028 (line separator)"}, {"\u2029", "U+2029 (paragraph separator)"}, {"\u0085", "U+0085 (next line)"},
		{"\v", "U+000B (vertical tab)"}, {"\f", "U+000C (form feed)"},
	} {
		_, rest, found := strings.Cut(record.text, end.character)
		if found && (holdsAddress(rest) || last && !blank(rest)) {
			return schema.Refuse(schema.CodeCSVMalformed, "The file's lines end with the character %s.", end.name).
				WithFix("Save the file again as CSV UTF-8, with the line ends of Windows or Unix.").At("", record.line, 0)
		}
	}
	return nil
}

// longOpening returns the refusal of a first record that is over the limit; blank rows stand before it.
func (r *Reader) longOpening(ctx context.Context, record openingRecord) error {
	r.drop(record.from)
	if err := r.lineEnds(openingRecord{text: record.text, line: record.line, length: -1}); err != nil {
		return err
	}
	delimiter := frequentDelimiter(record.text)
	return r.tooLong(ctx, schema.Format{Delimiter: delimiter})
}

// refused returns the refusal of an opening without a header whose cells are separated by what is no
// delimiter.
func (o *opening) refused() error {
	for i := range o.records {
		if c := o.unknownSeparator(o.records[i].text); c != 0 {
			shown := showSeparator(c)
			refusal := schema.Refuse(schema.CodeEncodingUnknown, "The cells seem to be separated by %s, which is not known as a delimiter.", shown).
				WithFix("Save the file as CSV, with commas or semicolons.").At("", o.records[i].line, 0)
			if c > ' ' && c < 0x7f {
				refusal = refusal.WithFix("Save the file as CSV, with commas or semicolons. Or put a line above the header: sep=%c", c)
			}
			return refusal
		}
	}
	return nil
}

// takeHeader takes the header found, or the first record that has content, and what stands above it.
func (r *Reader) takeHeader() error {
	o := &r.opening
	record := o.records[len(o.records)-1]
	if !o.found {
		record = o.records[slices.IndexFunc(o.records, func(record openingRecord) bool { return !record.blank })]
		if r.format.Delimiter = o.comma; o.comma == 0 {
			r.format.Delimiter = frequentDelimiter(record.text)
		}
	}
	r.quote = -1
	r.drop(record.from)
	block := r.peek(record.length)
	var records Records
	if err := block.Parse(r.format, &records); err != nil {
		return err
	}
	r.drop(record.length)
	if records.Len() == 0 { // it is nothing but quotes and blanks in this delimiter
		return schema.Refuse(schema.CodeFileEmpty, "The file is blank: it has no header.")
	}
	r.headerLine = records.Line(0)
	if r.headerLine > 1 {
		r.repairs[schema.RepairPreamble] = r.headerLine - 1
	}
	cells := records.Cells(0)
	width := len(cells)
	for blank(cells[width-1]) {
		width--
	}
	if width < len(cells) {
		r.repairs[schema.RepairCellsSurplus] = 1
	}
	for _, cell := range cells[:width] {
		cell = strings.Clone(cell)
		r.written, r.header = append(r.written, cell), append(r.header, CleanHeader(cell))
	}
	r.origin.header = r.header
	r.format.Columns, r.format.Cut = width, surplusDelimiters(r.written[width-1])
	r.format.CRLF = strings.HasSuffix(block.Text, "\r\n") || r.sheet != nil
	return nil
}

// match finds the delimiter with which a record has one of the names, 0 where there is none. The cells are
// those with that delimiter, else with the most frequent one; err says why they cannot be read.
func (o *opening) match(text string) (delimiter byte, cells []string, err error) {
	likely := o.comma
	candidates := []byte{o.comma}
	if o.comma == 0 {
		likely, candidates = frequentDelimiter(text), []byte(delimiters)
	}
	var records Records
	for _, candidate := range candidates {
		if candidate != likely && strings.IndexByte(text, candidate) < 0 {
			continue
		}
		wrong := Block{Text: text}.Parse(schema.Format{Delimiter: candidate}, &records)
		if wrong == nil && records.Len() > 0 && slices.ContainsFunc(records.Cells(0), o.isName) {
			return candidate, slices.Clone(records.Cells(0)), nil
		}
		if candidate != likely {
			continue
		}
		if err = wrong; wrong == nil && records.Len() > 0 {
			cells = slices.Clone(records.Cells(0))
		}
	}
	return 0, cells, err
}

func (o *opening) isName(cell string) bool {
	return slices.ContainsFunc(o.names, func(name string) bool { return SameHeader(cell, name) })
}

// frequentDelimiter returns the delimiter that stands most often outside quotes.
func frequentDelimiter(record string) byte {
	var counts [256]int
	quoted := false
	for i := range len(record) {
		if c := record[i]; c == '"' {
			quoted = !quoted
		} else if !quoted {
			counts[c]++
		}
	}
	best := byte(',')
	for _, delimiter := range []byte(delimiters) {
		if counts[delimiter] > counts[best] {
			best = delimiter
		}
	}
	return best
}
