package dialect_test

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

const emailHeader = "User ID/Email (Required)"

// contents is a file as a caller sees it that reads it from beginning to end.
type contents struct {
	reader  *dialect.Reader
	header  []string
	rows    [][]string
	lines   []int
	repairs map[schema.Repair]int
	blocks  []dialect.Block
}

// read reads a file whole; the error is the first in file order.
func read(file []byte, limits dialect.Limits) (contents, error) {
	return readFrom(bytes.NewReader(file), int64(len(file)), limits)
}

// sized is a Source of any bytes, which may be fewer than it says.
type sized struct {
	io.ReaderAt
	size int64
}

func (sized) Name() string     { return "users.csv" }
func (s sized) Size() int64    { return s.size }
func (sized) Unchanged() error { return nil }

func readFrom(f io.ReaderAt, size int64, limits dialect.Limits) (contents, error) {
	reader, err := dialect.NewReader(context.Background(), sized{f, size}, dialect.Options{Limits: limits, SingleByte: "windows-1252", Names: []string{emailHeader, "email"}})
	if err != nil {
		return contents{}, err
	}
	c := contents{reader: reader, header: reader.Header(), repairs: reader.Repairs()}
	rows := 0
	var records dialect.Records
	for {
		block, err := reader.Next(context.Background())
		if errors.Is(err, io.EOF) {
			c.repairs = reader.Repairs()
			if rows > 0 {
				c.repairs[schema.RepairBlankRow] = rows
			}
			return c, nil
		}
		if err != nil {
			return c, err
		}
		c.blocks = append(c.blocks, *block)
		err = block.Parse(reader.Format(), &records)
		for i := range records.Len() {
			c.rows = append(c.rows, append([]string(nil), records.Cells(i)...))
			c.lines = append(c.lines, records.Line(i))
		}
		rows += records.BlankRows
		if err != nil {
			return c, err
		}
	}
}
