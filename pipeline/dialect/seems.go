package dialect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/claimline/claimline/schema"
)

// Kind says what the beginning of a file seems to be that has no header with one of the names looked for.
type Kind int

// What a beginning seems to be.
const (
	SeemsUnknown     Kind = iota
	SeemsUser             // a user: there is no header
	SeemsTitle            // a title, and no header below it
	SeemsOtherHeader      // a header whose names are other ones; Column has the addresses, Line says where it stands
	SeemsDelimiter        // a header with another delimiter than a line sep= names: Delimiter
	SeemsQuoted           // lines that are one quoted cell each
	SeemsBelow            // the header stands on Line, and users above it, or too many other lines
)

// Seeming is what the beginning of a file seems to be.
type Seeming struct {
	Kind      Kind
	Line      int    // of the header where there is one, else of the first record
	Column    string // header of the column whose cells are addresses; empty where none is
	Delimiter byte
}

// Seems returns what the beginning of the file seems to be. It is for files whose header was not found, and
// looks through all of the file where the header may be further down: nothing can be read after it.
func (r *Reader) Seems(ctx context.Context) (Seeming, error) {
	o := &r.opening
	if o.below > 0 {
		return Seeming{Kind: SeemsBelow, Line: o.below}, nil
	}
	var rows []openingRecord
	for _, record := range o.records {
		if !record.blank {
			rows = append(rows, record)
		}
	}
	first := rows[0]
	user := slices.IndexFunc(rows, func(record openingRecord) bool { return holdsAddress(record.text) })
	if user <= 0 {
		line, err := r.headerFurtherDown(ctx)
		if err != nil {
			return Seeming{}, err
		}
		if line > 0 {
			return Seeming{Kind: SeemsBelow, Line: line}, nil
		}
	}
	switch {
	case user == 0:
		return Seeming{Kind: SeemsUser, Line: first.line}, nil
	case o.quotedLine(first.text):
		return Seeming{Kind: SeemsQuoted, Line: first.line}, nil
	}
	if o.comma != 0 {
		free := opening{names: o.names}
		for _, record := range rows {
			if delimiter, _, _ := free.match(record.text); delimiter != 0 {
				return Seeming{Kind: SeemsDelimiter, Line: record.line, Delimiter: delimiter}, nil
			}
		}
	}
	if user > 0 {
		header := o.widest(rows[:user])
		if column := columnOfAddresses(header.text, rows[user].text, o.comma); column != "" {
			return Seeming{Kind: SeemsOtherHeader, Line: header.line, Column: column}, nil
		}
	}
	if _, cells, _ := o.match(first.text); len(slices.DeleteFunc(cells, blank)) <= 1 {
		return Seeming{Kind: SeemsTitle, Line: first.line}, nil
	}
	return Seeming{Kind: SeemsUnknown, Line: first.line}, nil
}

// headerFurtherDown returns the line on which a header stands in the rest of the file, 0 where there is none.
func (r *Reader) headerFurtherDown(ctx context.Context) (int, error) {
	for {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		length, err := r.record(0)
		if errors.Is(err, io.EOF) || errors.Is(err, errTooLong) {
			return 0, nil
		}
		if err != nil {
			return 0, r.named(err)
		}
		delimiter, cells, err := r.opening.match(string(r.data[:length]))
		if delimiter != 0 && !slices.ContainsFunc(cells, isAddress) {
			return r.line, nil
		}
		if err != nil { // as when the header was looked for
			length = min(length, indexFrom(r.data, 0, '\n')+1)
			r.quote = -1
		}
		r.drop(length)
	}
}

// widest returns the record that has the most cells filled: titles have fewer than a header, and rows no
// more. Of records that are one cell each it is the last.
func (o *opening) widest(records []openingRecord) openingRecord {
	best, most := records[0], 0
	for _, record := range records {
		_, cells, _ := o.match(record.text)
		if n := len(slices.DeleteFunc(cells, blank)); n > most || n == 1 && most <= 1 {
			best, most = record, n
		}
	}
	return best
}

// quotedLine reports whether a line is one quoted cell, with a header in it.
func (o *opening) quotedLine(text string) bool {
	_, cells, _ := o.match(text)
	if !strings.HasPrefix(strings.TrimLeftFunc(text, isBlank), `"`) || len(cells) != 1 {
		return false
	}
	delimiter, _, _ := (&opening{names: o.names}).match(cells[0])
	return delimiter != 0
}

// columnOfAddresses returns the header of the first column that has an address in a row; empty where there is
// none.
func columnOfAddresses(header, row string, delimiter byte) string {
	if delimiter == 0 {
		delimiter = frequentDelimiter(header)
	}
	var names, cells Records
	format := schema.Format{Delimiter: delimiter}
	if (Block{Text: header}).Parse(format, &names) != nil || (Block{Text: row}).Parse(format, &cells) != nil || names.Len() == 0 || cells.Len() == 0 {
		return ""
	}
	column := slices.IndexFunc(cells.Cells(0), holdsAddress)
	if column < 0 || column >= len(names.Cells(0)) {
		return ""
	}
	return CleanHeader(names.Cells(0)[column])
}

// isAddress reports whether a cell is an address.
func isAddress(cell string) bool {
	if strings.IndexByte(cell, '@') < 0 {
		return false
	}
	value, _ := Clean(cell)
	_, problem := schema.ParseAddress(value)
	return problem == ""
}

// holdsAddress reports whether there is an address among the words of a text.
func holdsAddress(text string) bool {
	if strings.IndexByte(text, '@') < 0 {
		return false
	}
	words := strings.FieldsFunc(text, func(r rune) bool { return isBlank(r) || strings.ContainsRune("<>()[]\":=^~\x1f"+delimiters, r) })
	return slices.ContainsFunc(words, func(word string) bool { return isAddress(strings.Trim(word, ".'")) })
}

// isSeparatorLine reports whether a line is sep= and a delimiter, as spreadsheets write it above a header.
func isSeparatorLine(line string) bool { return separator(line) != 0 }

// separator returns the delimiter that a line sep= names; 0 where it is no such line, or the delimiter can be
// none.
func separator(line string) byte {
	line = strings.TrimLeft(line, "\" ")
	if len(line) <= len("sep=") || !strings.EqualFold(line[:len("sep=")], "sep=") {
		return 0
	}
	c := line[len("sep=")]
	if strings.HasPrefix(line[len("sep="):], `\t`) {
		return '\t'
	}
	if c >= 0x80 || c == '"' || c == '\r' || c == '\n' || c == 0 || unicode.IsLetter(rune(c)) || unicode.IsDigit(rune(c)) {
		return 0
	}
	return c
}

// unknownSeparator returns a character that is no delimiter, and with which a line would have one of the
// names; 0: none.
func (o *opening) unknownSeparator(line string) rune {
	if o.comma != 0 {
		return 0
	}
	usual := strings.Count(line, string(rune(frequentDelimiter(line))))
	tried := ""
	for _, r := range line {
		if unicode.In(r, unicode.L, unicode.M, unicode.N) || unicode.IsSpace(r) || r == unicode.ReplacementChar ||
			strings.ContainsRune(" -_./()'\"\\"+delimiters+tried, r) {
			continue
		}
		if tried += string(r); len(tried) > 64 {
			return 0
		}
		cells := slices.DeleteFunc(strings.Split(line, string(r)), blank)
		if len(cells) > max(1, usual) && slices.ContainsFunc(cells, o.isName) {
			return r
		}
	}
	return 0
}

// showSeparator returns a character as messages show it.
func showSeparator(r rune) string {
	if r > ' ' && unicode.IsPrint(r) {
		return fmt.Sprintf("%q", string(r))
	}
	return fmt.Sprintf("the character U+%04X", r)
}
