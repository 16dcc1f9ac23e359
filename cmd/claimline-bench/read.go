package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// counting makes a command that prints what count finds in a file.
func counting(count func(context.Context, *dialect.File) (int, error)) work {
	return func(ctx context.Context, path string, stdout, _ io.Writer) error {
		file, err := dialect.OpenFile(path)
		if err != nil {
			return fmt.Errorf("open the file: %w", err)
		}
		defer func() { _ = file.Close() }() // it was only read
		rows, err := count(ctx, file)
		if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		_, err = fmt.Fprintln(stdout, rows)
		return err
	}
}

// countPlain counts the rows below the header with encoding/csv, as cheaply as it can be told to:
// the measure of reading.
func countPlain(_ context.Context, file *dialect.File) (int, error) {
	reader := csv.NewReader(io.NewSectionReader(file, 0, file.Size()))
	reader.ReuseRecord, reader.FieldsPerRecord, reader.LazyQuotes = true, -1, true
	for rows := -1; ; rows++ {
		switch _, err := reader.Read(); {
		case errors.Is(err, io.EOF):
			return max(rows, 0), nil
		case err != nil:
			return 0, err
		}
	}
}

// countRead counts the rows with Claimline's reader, one chunk after the other:
// character set, delimiter, blank rows, lines and cells, and nothing behind that.
func countRead(ctx context.Context, file *dialect.File) (int, error) {
	reader, err := dialect.NewReader(ctx, file, dialect.Options{Names: []string{schema.EmailHeader}})
	if err != nil {
		return 0, err
	}
	var records dialect.Records
	for rows := 0; ; rows += records.Len() {
		err := reader.NextRecords(ctx, &records)
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return 0, err
		}
	}
}
