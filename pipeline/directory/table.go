package directory

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// table is a list as rows below a header, whatever kind of file it is.
type table struct {
	header  []string
	written []string // the same as it stands in the file
	line    int      // of the header; 0: the file has none
	proxies []bool   // by column: it is one of proxyNames
	multi   bool     // a cell may hold several values
	hex     bool     // and any of them as X'…'
	each    rowsFunc
}

// rowsFunc hands over every row once. wanted are the columns that are needed, nil: all; cells of others may
// be blank. Cells of columns from mayLack on may be missing in the file.
type rowsFunc func(ctx context.Context, wanted []int, mayLack int, repairs map[schema.Repair]int, each func(row) error) error

// row is one row, valid until the next one is read.
type row struct {
	line  int
	cells []string
	lines []int // on which each cell begins; 0, or none at all: on the line of the row
}

// at returns the line on which a cell begins.
func (r *row) at(place int) int {
	if place >= len(r.lines) || r.lines[place] == 0 {
		return r.line
	}
	return r.lines[place]
}

// open opens a list. Whatever is no UTF is read as Windows-1252: of a list only addresses count.
func open(ctx context.Context, source dialect.Source, options Options) (*table, error) {
	ldif, err := dialect.IsLDIF(source)
	if err != nil {
		return nil, err
	}
	if ldif {
		return openLDIF(ctx, source, options.Limits)
	}
	return openCSV(ctx, source, options)
}

// newTable returns a table that has no rows yet.
func newTable(header, written []string) *table {
	t := &table{header: header, written: written, proxies: make([]bool, len(header))}
	for i, name := range header {
		t.proxies[i] = find([]string{name}, proxyNames...) == 0
	}
	return t
}

// openCSV opens a list that is a CSV file, or one with other delimiters. That of csvde begins with the column
// DN.
func openCSV(ctx context.Context, source dialect.Source, options Options) (*table, error) {
	names := addressColumns()
	if options.Address != "" {
		names = append([]string{options.Address}, names...)
	}
	reader, err := dialect.NewReader(ctx, source, dialect.Options{Limits: options.Limits, SingleByte: dialect.Windows1252, Names: names})
	if refused, ok := errors.AsType[*schema.Error](err); ok && refused.Code == schema.CodeFileEmpty {
		return nil, refused.WithFix(exportDirectory)
	}
	if err != nil {
		return nil, err
	}
	t := newTable(reader.Header(), reader.HeaderCells())
	t.line = reader.HeaderLine()
	t.multi = dialect.SameHeader(t.header[0], "DN")
	t.hex = t.multi
	t.each = func(ctx context.Context, _ []int, mayLack int, repairs map[schema.Repair]int, each func(row) error) error {
		if err := eachRecord(ctx, reader, mayLack, repairs, each); err != nil {
			return err
		}
		for kind, n := range reader.Repairs() {
			repairs[kind] += n
		}
		return nil
	}
	return t, nil
}

// eachRecord hands over every record, as wide as the header where it can be made so: cells from mayLack on
// may be missing.
func eachRecord(ctx context.Context, reader *dialect.Reader, mayLack int, repairs map[schema.Repair]int, each func(row) error) error {
	header := reader.Header()
	var records dialect.Records
	for {
		err := reader.NextRecords(ctx, &records)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if records.BlankRows > 0 {
			repairs[schema.RepairBlankRow] += records.BlankRows
		}
		for i := range records.Len() {
			cells, fitted := records.Fit(i, reader.Format(), mayLack)
			if dialect.IsHeader(header, cells) {
				repairs[schema.RepairHeaderRepeated]++
				continue
			}
			fitted.Count(repairs)
			if err := each(row{line: records.Line(i), cells: cells}); err != nil {
				return err
			}
		}
	}
}

// openLDIF opens a list that is LDIF. Its columns are the attributes that persons have, and to know them the
// file is read once more. A file that says by its name that it is something else is refused, for somebody is
// mistaken about it.
func openLDIF(ctx context.Context, source dialect.Source, limits dialect.Limits) (*table, error) {
	if name := source.Name(); strings.EqualFold(path.Ext(name), ".csv") {
		return nil, schema.Refuse(schema.CodeEncodingUnknown, "The file is LDIF, the export of a directory, and by its name a CSV file.").
			At(name, 0, 0).WithFix("If it is meant, give it a name that ends in .ldif. Or export the directory as CSV, with a column of addresses.")
	}
	names, err := attributes(ctx, source, limits)
	if err != nil {
		return nil, err
	}
	t := newTable(names, names)
	t.multi = true
	t.each = func(ctx context.Context, wanted []int, _ int, repairs map[schema.Repair]int, each func(row) error) error {
		return eachEntry(ctx, source, limits, names, wanted, repairs, each)
	}
	return t, nil
}

// mostAttributes is how many attributes a list may have, unless the limits say otherwise.
const mostAttributes = 1000

// classAttribute is the attribute of the classes, in lower case.
const classAttribute = "objectclass"

// attributes returns the attributes that persons have in a list, in the order in which they first come.
func attributes(ctx context.Context, source dialect.Source, limits dialect.Limits) ([]string, error) {
	most := limits.Columns
	if most <= 0 {
		most = mostAttributes
	}
	reader, err := dialect.NewLDIF(source, limits)
	if err != nil {
		return nil, err
	}
	var (
		numbers = map[string]int{}
		names   []string // by number
		known   []bool   // by number: a person has it
		last    []int    // by number: the line of the entry that had it last
		entry   []int    // the numbers of the entry's attributes
		order   []string // of those that persons have
		classes []string
		objects int
		values  dialect.LDIFEntry
	)
	for {
		entry, classes = entry[:0], classes[:0]
		err := reader.Next(ctx, func(name []byte) int {
			number, ok := numbers[string(name)]
			switch {
			case !ok && len(names) > most:
				return -1
			case !ok:
				number = len(names)
				numbers[string(name)] = number
				names, known, last = append(names, spelt(string(name))), append(known, false), append(last, 0)
			}
			if last[number] != values.Line {
				last[number] = values.Line
				entry = append(entry, number)
			}
			if string(name) == classAttribute {
				return number
			}
			return -1
		}, &values)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if len(names) > most {
			return nil, schema.Refuse(schema.CodeLimitExceeded, "The list has more than %d attributes.", most).
				At(source.Name(), values.Line, 0).WithFix("Export the directory again, with fewer attributes.")
		}
		for _, value := range values.Values {
			classes = append(classes, value.Text)
		}
		if !isPerson(strings.Join(classes, ";")) {
			objects++
			continue
		}
		for _, number := range entry {
			if !known[number] {
				known[number] = true
				order = append(order, names[number])
			}
		}
	}
	if len(order) == 0 {
		return nil, schema.Refuse(schema.CodeFileEmpty, "The list has no people: every member would be taken for absent. It has %d other objects.", objects).
			At(source.Name(), 0, 0).WithFix(exportDirectory)
	}
	return order, nil
}

// usualNames are the attributes that count, as they are usually written.
var usualNames = slices.Concat([]string{"mail", "userPrincipalName", "proxyAddresses", "objectClass", "userAccountControl", "nsAccountLock", "loginDisabled"}, otherNames)

// spelt returns the name of an attribute as it is usually written.
func spelt(name string) string {
	for _, usual := range usualNames {
		if strings.EqualFold(usual, name) {
			return usual
		}
	}
	return name
}

// eachEntry hands over every entry of an LDIF file as a row.
func eachEntry(ctx context.Context, source dialect.Source, limits dialect.Limits, names []string, wanted []int, repairs map[schema.Repair]int, each func(row) error) error {
	reader, err := dialect.NewLDIF(source, limits)
	if err != nil {
		return err
	}
	places := map[string]int{}
	for i, name := range names {
		if wanted == nil || slices.Contains(wanted, i) {
			places[strings.ToLower(name)] = i
		}
	}
	place := func(name []byte) int {
		if at, ok := places[string(name)]; ok {
			return at
		}
		return -1
	}
	one := row{cells: make([]string, len(names)), lines: make([]int, len(names))}
	more := map[int][]string{} // by column, what it has behind its first value
	var entry dialect.LDIFEntry
	for {
		err := reader.Next(ctx, place, &entry)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		clear(one.cells)
		clear(one.lines)
		one.line = entry.Line
		for _, value := range entry.Values {
			if one.lines[value.Place] > 0 {
				more[value.Place] = append(more[value.Place], escaped(value.Text))
				continue
			}
			one.cells[value.Place], one.lines[value.Place] = escaped(value.Text), value.Line
		}
		for place, values := range more {
			one.cells[place] += ";" + strings.Join(values, ";")
			delete(more, place)
		}
		if err := each(one); err != nil {
			return err
		}
	}
	for kind, n := range reader.Repairs() {
		repairs[kind] += n
	}
	return nil
}

// encoded reports whether a cell has values in hexadecimal digits.
func (t *table) encoded(cell string) bool { return t.hex && strings.Contains(cell, "X'") }

// text returns a cell with what is written in hexadecimal digits decoded.
func (t *table) text(cell string) string {
	if !t.encoded(cell) {
		return cell
	}
	all := values(cell)
	for i, value := range all {
		digits, found := strings.CutPrefix(value, "X'")
		digits, closed := strings.CutSuffix(digits, "'")
		if bytes, err := hex.DecodeString(digits); found && closed && err == nil && utf8.Valid(bytes) {
			value = string(bytes)
		}
		all[i] = escaped(value)
	}
	return strings.Join(all, ";")
}

// address returns the address in a cell of the column at place: of several values the first, of
// proxyAddresses the one that is called so. more tells that there were others which could have been meant.
func (t *table) address(cell string, place int) (email string, did dialect.Cleaned, more bool) {
	cell = t.text(cell)
	if t.proxies[place] && !isTypeName(cell) {
		first, _ := addressesIn(cell)
		if len(first) == 0 {
			return "", 0, false
		}
		return first[0], 0, len(first) > 1
	}
	if !t.multi {
		email, did = dialect.Clean(cell)
		return email, did, false
	}
	all := values(cell)
	email, did = dialect.Clean(all[0])
	return email, did, len(all) > 1
}
