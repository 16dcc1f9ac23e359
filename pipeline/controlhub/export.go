package controlhub

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// Export is a fresh export of Control Hub, open at its first row.
type Export struct {
	reader   *dialect.Reader
	header   []string // without marks of suspended services
	email    int      // the column of the addresses
	mojibake bool
}

// OpenExport opens an export. Refused with the codes of files.
func OpenExport(ctx context.Context, source dialect.Source, limits dialect.Limits) (*Export, error) {
	reader, err := dialect.NewReader(ctx, source, dialect.Options{Limits: limits, Names: usersfile.EmailNames})
	if err != nil {
		return nil, err
	}
	if !reader.Found() {
		return nil, usersfile.EmailColumnMissing(ctx, source.Name(), reader)
	}
	e := &Export{reader: reader, header: reader.Header(), email: -1, mojibake: reader.Mojibake()}
	for i, name := range e.header {
		if _, field := Field(name); field == usersfile.Email {
			if e.email >= 0 {
				return nil, schema.Refuse(schema.CodeHeaderDuplicate, "The column of the addresses stands in the header twice: as column %d and as column %d.",
					e.email+1, i+1).At(source.Name(), reader.HeaderLine(), i+1).In(name)
			}
			e.email = i
		}
		e.header[i], _ = WithoutMark(name)
	}
	return e, nil
}

// Place returns the column of this name; -1: the export has none.
func (e *Export) Place(name string) int {
	return slices.IndexFunc(e.header, func(header string) bool { return dialect.SameHeader(header, name) })
}

// Cell returns a cell as it is read.
func (e *Export) Cell(raw string) string {
	if e.mojibake {
		if undone, ok := dialect.Undo(raw); ok {
			raw = undone
		}
	}
	value, _ := dialect.Clean(raw)
	return value
}

// Each hands over every row with a valid address, and its address key. Rows without one belong to nobody.
func (e *Export) Each(ctx context.Context, hand func(key string, cells []string)) error {
	var records dialect.Records
	for {
		err := e.reader.NextRecords(ctx, &records)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for i := range records.Len() {
			cells, fitted := records.Fit(i, e.reader.Format(), e.email+1)
			if fitted&dialect.Ragged != 0 {
				return schema.Refuse(schema.CodeFieldCount, "The row has %d cells, and the header has %d.", len(cells), len(e.header)).
					At(e.reader.Name(), records.Line(i), 0).WithFix("Export the users again: whoever cannot be read would be taken for absent.")
			}
			if key, problem := schema.ParseAddress(e.Cell(cells[e.email])); problem == "" {
				hand(key, cells)
			}
		}
	}
}
