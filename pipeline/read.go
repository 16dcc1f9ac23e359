package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

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

// read is the first stage: it cuts the file into blocks of whole rows.
func read(ctx context.Context, g *errgroup.Group, reader *dialect.Reader, spent spentBlocks) <-chan *block {
	blocks := make(chan *block)
	g.Go(func() error {
		defer close(blocks)
		for {
			text, err := reader.Next(ctx)
			if errors.Is(err, io.EOF) {
				return nil
			}
			b := spent.get()
			if b.err = err; err == nil {
				b.text = *text
			}
			select {
			case blocks <- b: // an error too: what is wrong in an earlier block must be told first
			case <-ctx.Done():
				return ctx.Err()
			}
			if err != nil {
				return nil
			}
		}
	})
	return blocks
}

// blame names the file in a refusal that does not name one yet.
func (s *Source) blame(err error) error {
	if refused, ok := errors.AsType[*schema.Error](err); ok && refused.File == "" && refused.Line > 0 {
		refused.File = s.Name
	}
	return err
}
