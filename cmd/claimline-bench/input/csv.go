package input

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// table writes CSV and knows the physical line it is on.
type table struct {
	w     *bufio.Writer
	delim string
	eol   string
	line  int // the line the next row starts on, 1 for the first
	bytes int64
	buf   []byte
	err   error
}

func newTable(w io.Writer, delim, eol string) *table {
	return &table{w: bufio.NewWriterSize(w, 1<<16), delim: delim, eol: eol, line: 1}
}

// row writes one record; cells are quoted where they have to be.
func (t *table) row(cells ...string) {
	b := t.buf[:0]
	for i, cell := range cells {
		if i > 0 {
			b = append(b, t.delim...)
		}
		if !strings.ContainsAny(cell, "\"\r\n") && !strings.Contains(cell, t.delim) {
			b = append(b, cell...)
			continue
		}
		b = append(b, '"')
		b = append(b, strings.ReplaceAll(cell, `"`, `""`)...)
		b = append(b, '"')
		t.line += strings.Count(cell, "\n")
	}
	b = append(b, t.eol...)
	t.line++
	t.buf = b
	t.write(b)
}

func (t *table) write(b []byte) {
	if t.err == nil {
		_, t.err = t.w.Write(b)
		t.bytes += int64(len(b))
	}
}

// flush ends the table and returns the first error of all its writes.
func (t *table) flush() error {
	if t.err != nil {
		return t.err
	}
	return t.w.Flush()
}

// writeTable creates the file path with what fill writes into it, LF at the line ends.
func writeTable(path string, fill func(*table) error) error {
	return writeFile(path, func(w io.Writer) error {
		t := newTable(w, ",", "\n")
		if err := fill(t); err != nil {
			return err
		}
		return t.flush()
	})
}

func writeFile(path string, fill func(io.Writer) error) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return fmt.Errorf("create the folder: %w", err)
	}
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("create the file: %w", err)
	}
	defer func() {
		if closeErr := f.Close(); err == nil && closeErr != nil {
			err = fmt.Errorf("write %s: %w", path, closeErr)
		}
	}()
	if err := fill(f); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// guard protects a cell from being taken for a formula, as export does.
func guard(cell string) string {
	if rest := strings.TrimLeft(cell, "'"); rest != "" && strings.IndexByte("=+-@\t\r", rest[0]) >= 0 {
		return "'" + cell
	}
	return cell
}

func boolean(b bool) string {
	if b {
		return "TRUE"
	}
	return "FALSE"
}
