package controlhub

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// suspendedMark ends the header of a service whose subscription is suspended.
const suspendedMark = "(Suspended)"

// ReadOnlyHeaders are columns that Control Hub has for people to read, beside those of schema.Columns.
var ReadOnlyHeaders = []string{"Days since Last Service Accessed", "Last Active Time"}

// Field returns the field of the users file that a header names, and its own name there; -1: none.
func Field(header string) (known string, field usersfile.Field) {
	if known, ok := usersfile.KnownName(header, nil); ok {
		return known, usersfile.Field(slices.Index(schema.Columns, known))
	}
	return header, -1
}

// WithoutMark returns the header of a service without the mark that it is suspended.
func WithoutMark(header string) (name string, suspended bool) {
	if cut := len(header) - len(suspendedMark); cut > 0 && strings.EqualFold(header[cut:], suspendedMark) {
		return strings.TrimSpace(header[:cut]), true
	}
	return header, false
}

// IsService reports whether a header alone tells that the column is a service: it ends with the subscription.
func IsService(name string) bool {
	return strings.HasSuffix(name, "]") && strings.Contains(name, "[")
}

// MayBeServices returns the columns of which only their cells tell whether they are services: those behind
// Title that are nothing else. Headers are as they are read, without marks.
func MayBeServices(headers []string) (columns []int) {
	behind := false
	for i, header := range headers {
		switch _, field := Field(header); {
		case field == usersfile.Title:
			behind = true
		case behind && field < 0 && header != "" && !IsService(header) && !IsReadOnly(header):
			columns = append(columns, i)
		}
	}
	return columns
}

// IsReadOnly reports whether a column is one of ReadOnlyHeaders.
func IsReadOnly(header string) bool {
	return slices.ContainsFunc(ReadOnlyHeaders, func(other string) bool { return dialect.SameHeader(other, header) })
}

// Filled is what stands in the filled cells of a column.
type Filled struct {
	Booleans int // words for TRUE and FALSE
	Others   int
	Other    int // the line of the first that is no boolean
}

// Fill reads a file to its end and says what stands in the filled cells of these columns.
func Fill(ctx context.Context, reader *dialect.Reader, columns []int) ([]Filled, error) {
	filled := make([]Filled, len(columns))
	var records dialect.Records
	for {
		var err error
		if len(columns) > 0 {
			err = reader.NextRecords(ctx, &records)
		} else {
			_, err = reader.Next(ctx) // its rows are of no other use than for its hash
		}
		if errors.Is(err, io.EOF) {
			return filled, nil
		}
		if err != nil {
			return nil, err
		}
		for i := range records.Len() {
			cells := records.Cells(i)
			if dialect.IsHeader(reader.Header(), cells) {
				continue
			}
			for n, at := range columns {
				if at >= len(cells) {
					continue
				}
				cell, _ := dialect.Clean(cells[at])
				if cell == "" {
					continue
				}
				f := &filled[n]
				if _, _, ok := schema.ReadBool(cell); ok {
					f.Booleans++
					continue
				}
				if f.Others++; f.Others == 1 {
					f.Other = records.Line(i)
				}
			}
		}
	}
}
