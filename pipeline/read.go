package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// Source is a file to be read, which stays the same while it is.
type Source struct {
	Name string
	file *os.File
	info fs.FileInfo
	temp bool // it has a name that is to be removed
}

// OpenSource opens the file; the name "-" means stdin, which is spooled to a temporary file first. The caller closes it.
// Refused with CodeFileUnreadable.
func OpenSource(name string, stdin io.Reader) (*Source, error) {
	if name == "-" {
		return spool(stdin)
	}
	refused := func(err error, why string) error {
		return schema.Refuse(schema.CodeFileUnreadable, "The file cannot be read: %s.", why).At(name, 0, 0).Because(err)
	}
	file, err := os.Open(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, refused(err, "there is none of this name")
	case errors.Is(err, fs.ErrPermission):
		return nil, refused(err, "you are not allowed to read it")
	case err != nil:
		return nil, refused(err, "the system refused to open it")
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = errors.New("is a folder")
	}
	if err != nil {
		_ = file.Close()
		return nil, refused(err, "it is a folder, or no ordinary file")
	}
	if !info.Mode().IsRegular() {
		defer func() { _ = file.Close() }()
		return SpoolSource(name, file)
	}
	return &Source{Name: name, file: file, info: info}, nil
}

// SpoolSource is a file of the given name made of what from holds. The caller closes it.
func SpoolSource(name string, from io.Reader) (*Source, error) {
	source, err := spool(from)
	if err != nil {
		return nil, err
	}
	source.Name = name
	return source, nil
}

// spool copies what cannot be read twice to a temporary file.
func spool(from io.Reader) (*Source, error) {
	file, err := os.CreateTemp("", "claimline-*.csv")
	if err != nil {
		return nil, fmt.Errorf("spool the input: %w", err)
	}
	// Where the system lets its name go at once, nothing can leave it behind.
	source := &Source{Name: "-", file: file, temp: os.Remove(file.Name()) != nil}
	if _, err = io.Copy(file, from); err == nil {
		source.info, err = file.Stat()
	}
	if err != nil {
		_ = source.Close()
		return nil, fmt.Errorf("spool the input: %w", err)
	}
	return source, nil
}

// Close closes the file.
func (s *Source) Close() error {
	err := s.file.Close()
	if s.temp {
		err = errors.Join(err, os.Remove(s.file.Name()))
	}
	return err
}

// unchanged refuses, with CodeFileChanged, a file that was written to since it was opened.
func (s *Source) unchanged() error {
	info, err := s.file.Stat()
	if err != nil {
		return fmt.Errorf("look at %s again: %w", s.Name, err)
	}
	if info.Size() != s.info.Size() || !info.ModTime().Equal(s.info.ModTime()) {
		return schema.Refuse(schema.CodeFileChanged, "").At(s.Name, 0, 0)
	}
	return nil
}

// layout says which column of a file means what.
type layout struct {
	written  []string // the header, every cell as it is in the file
	header   []string // the header as it is read: see dialect.Clean
	fields   []int    // per column: index into schema.Row's fields, or -1
	services []int    // per column: index into the service names, or -1
	report   []bool   // per column: one that an earlier report added
	email    int      // column of the address
	columns  []int    // per field of schema.Row: its column, or -1
	names    []string // the service names
	Unknown  []string // headers not understood, as written
}

// newLayout reads a header, its cells as they are in the file. Refused with CodeEmailColumnMissing or CodeHeaderDuplicate.
func newLayout(file string, line int, header, services []string) (*layout, error) {
	l := &layout{
		written:  header,
		header:   make([]string, len(header)),
		fields:   make([]int, len(header)),
		services: make([]int, len(header)),
		report:   make([]bool, len(header)),
		columns:  make([]int, len(schema.Columns)),
		names:    services,
	}
	for i := range l.columns {
		l.columns[i] = -1
	}
	serviceColumns := make(map[int]int, len(services))
	for column, cell := range header {
		name, _ := dialect.Clean(cell)
		l.header[column] = name
		matches := func(known string) bool { return schema.SameHeader(known, name) }
		l.fields[column] = slices.IndexFunc(schema.Columns, matches)
		l.services[column] = -1
		if field := l.fields[column]; field >= 0 {
			if first := l.columns[field]; first >= 0 {
				return nil, duplicateHeader(file, line, column, name, first)
			}
			l.columns[field] = column
			continue
		}
		if service := slices.IndexFunc(services, matches); service >= 0 {
			if first, taken := serviceColumns[service]; taken {
				return nil, duplicateHeader(file, line, column, name, first)
			}
			serviceColumns[service] = column
			l.services[column] = service
			continue
		}
		if slices.ContainsFunc(schema.ReportHeaders, matches) {
			l.report[column] = true
		} else if strings.TrimSpace(name) != "" {
			l.Unknown = append(l.Unknown, name)
		}
	}
	l.email = l.columns[slices.Index(schema.Columns, schema.EmailHeader)]
	if l.email < 0 {
		return nil, emailColumnMissing(file, line, l.header)
	}
	return l, nil
}

// known reports whether a column is one that Claimline reads.
func (l *layout) known(column int) bool { return l.fields[column] >= 0 || l.services[column] >= 0 }

func duplicateHeader(file string, line, column int, name string, first int) error {
	return schema.Refuse(schema.CodeHeaderDuplicate, "The column %q stands in the header twice: as column %d and as column %d.",
		name, first+1, column+1).At(file, line, column+1)
}

func emailColumnMissing(file string, line int, header []string) error {
	const listed = 20
	var found []string
	for _, name := range header[:min(len(header), listed)] {
		found = append(found, fmt.Sprintf("%q", shorten(name)))
	}
	list := strings.Join(found, ", ")
	if len(header) > listed {
		list += fmt.Sprintf(" and %d more", len(header)-listed)
	}
	refused := schema.Refuse(schema.CodeEmailColumnMissing, "The file has no column %q. Its columns are: %s.", schema.EmailHeader, list).
		At(file, line, 0)
	if near, ok := schema.Nearest(emailLike, header); ok {
		return refused.WithFix("Did you mean %q? Name that column %s.", near, schema.EmailHeader)
	}
	return refused
}

// emailLike is what people call the column of the addresses.
var emailLike = []string{schema.EmailHeader, "User ID/Email", "User ID", "Email", "E-mail", "Email Address", "Mail", "E-postadress", "E-post"}

// read is the first stage: it cuts the file into chunks of whole rows.
func read(ctx context.Context, g *errgroup.Group, reader *dialect.Reader, spent spentChunks) <-chan *chunk {
	chunks := make(chan *chunk)
	g.Go(func() error {
		defer close(chunks)
		for {
			text, err := reader.Next(ctx)
			if errors.Is(err, io.EOF) {
				return nil
			}
			c := spent.get()
			if c.err = err; err == nil {
				c.text = *text
			}
			select {
			case chunks <- c: // an error too: what is wrong in an earlier chunk must be told first
			case <-ctx.Done():
				return ctx.Err()
			}
			if err != nil {
				return nil
			}
		}
	})
	return chunks
}

// blame names the file in a refusal that does not name one yet.
func (s *Source) blame(err error) error {
	if refused, ok := errors.AsType[*schema.Error](err); ok && refused.File == "" && refused.Line > 0 {
		refused.File = s.Name
	}
	return err
}
