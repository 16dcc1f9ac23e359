package pipeline

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// directoryColumns are the columns of a directory's list that may hold the address; the first that is present does.
var directoryColumns = []string{"email", schema.EmailHeader, "mail", "userPrincipalName"}

// directory is the full list of an employer's own directory.
type directory struct {
	entries []directoryEntry // by key, then by email
}

type directoryEntry struct{ key, email string }

const exportDirectory = "Export the directory again, with all its people."

// readDirectory reads a directory's list. Refused as a whole, with file, line and column, where it is empty or a row
// cannot be read: whoever stands there would be taken for absent (R23).
func readDirectory(ctx context.Context, source *Source, limits dialect.Limits) (*directory, error) {
	reader, err := dialect.NewReader(ctx, source.Name, source.file, source.info.Size(),
		dialect.Options{Limits: limits, Names: directoryColumns, SingleByte: singleByte})
	if refused, ok := errors.AsType[*schema.Error](err); ok && refused.Code == schema.CodeFileEmpty {
		return nil, refused.WithFix(exportDirectory)
	}
	if err != nil {
		return nil, err
	}
	header := reader.Header()
	column, err := directoryColumn(source.Name, reader.HeaderLine(), header)
	if err != nil {
		return nil, err
	}
	d := &directory{}
	var records dialect.Records
	for {
		c, err := reader.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = c.Parse(reader.Format(), &records)
		}
		if err != nil {
			return nil, err
		}
		for i := range records.Len() {
			entry, err := directoryRow(records.Cells(i), len(header), column)
			if err != nil {
				return nil, err.At(source.Name, records.Line(i), err.Column).
					WithFix("Correct the row, or export the directory again: whoever cannot be read would be taken for absent.")
			}
			d.entries = append(d.entries, entry)
		}
	}
	if len(d.entries) == 0 {
		return nil, schema.Refuse(schema.CodeFileEmpty, "The list is empty: every member would be taken for absent.").
			At(source.Name, reader.HeaderLine(), 0).WithFix(exportDirectory)
	}
	slices.SortFunc(d.entries, func(a, b directoryEntry) int {
		return cmp.Or(strings.Compare(a.key, b.key), strings.Compare(a.email, b.email))
	})
	return d, source.unchanged()
}

// directoryColumn finds the column of the addresses.
func directoryColumn(file string, line int, header []string) (int, error) {
	for _, name := range directoryColumns {
		matches := func(found string) bool { return schema.SameHeader(found, name) }
		first := slices.IndexFunc(header, matches)
		if first < 0 {
			continue
		}
		if second := slices.IndexFunc(header[first+1:], matches); second >= 0 {
			return 0, duplicateHeader(file, line, first+1+second, header[first+1+second], first)
		}
		return first, nil
	}
	return 0, schema.Refuse(schema.CodeEmailColumnMissing, "The list has none of the columns %s.", strings.Join(directoryColumns, ", ")).
		At(file, line, 0).WithFix("Name the column of the addresses %s.", directoryColumns[0])
}

// directoryRow reads one row; an error has its Column set.
func directoryRow(cells []string, width, column int) (directoryEntry, *schema.Error) {
	if len(cells) != width {
		return directoryEntry{}, schema.Refuse(schema.CodeFieldCount, "The row has %d cells, and the header has %d.", len(cells), width)
	}
	email, _ := dialect.Clean(cells[column])
	key, problem := schema.ParseAddress(email)
	if problem != "" {
		refused := schema.Refuse(problem, "%s", problem.Message(quote(email)))
		refused.Column = column + 1
		return directoryEntry{}, refused
	}
	// The cell shares the memory of its chunk, which need not be kept.
	return directoryEntry{key: strings.Clone(key), email: strings.Clone(email)}, nil
}

// walk goes through the list by key, beside something else that is in the same order.
type walk struct {
	rest  []directoryEntry
	spelt []string
}

// upTo hands over the entries before a key, once each, and returns every spelling of the key itself.
func (w *walk) upTo(key string, before func(directoryEntry)) []string {
	for len(w.rest) > 0 && w.rest[0].key < key {
		w.skip(before)
	}
	w.spelt = w.spelt[:0]
	for len(w.rest) > 0 && w.rest[0].key == key {
		w.spelt = append(w.spelt, w.rest[0].email)
		w.rest = w.rest[1:]
	}
	return w.spelt
}

// end hands over what is left.
func (w *walk) end(left func(directoryEntry)) {
	for len(w.rest) > 0 {
		w.skip(left)
	}
}

// skip hands over the first entry, and passes by all others of its key.
func (w *walk) skip(hand func(directoryEntry)) {
	first := w.rest[0]
	hand(first)
	for len(w.rest) > 0 && w.rest[0].key == first.key {
		w.rest = w.rest[1:]
	}
}
