package dialect

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/claimline/claimline/schema"
)

// Source is a file that can be read more than once, and stays the same while it is: a Reader that comes to
// its end looks whether it did.
type Source interface {
	io.ReaderAt
	Name() string // as refusals call it
	Size() int64  // in bytes
	// Unchanged refuses, with CodeFileChanged, a file that was written to since it was opened.
	Unchanged() error
}

// File is a Source on the disk.
type File struct {
	name string
	file *os.File
	info fs.FileInfo
	temp bool // it has a name that is to be removed

	sheet keptSheet // where it is a workbook
}

// OpenFile opens the file of this name. One that is no regular file, such as a pipe, is spooled: it is read
// to its end, and its text kept in a temporary file. The caller closes it. Refused with CodeFileUnreadable.
func OpenFile(name string) (*File, error) {
	unreadable := func(err error, why schema.Word) error {
		return schema.Refuse(schema.CodeFileUnreadable, "The file cannot be read: %s.", why).At(name, 0, 0).Because(err)
	}
	file, err := os.Open(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, unreadable(err, "there is none of this name")
	case errors.Is(err, fs.ErrPermission):
		return nil, unreadable(err, "you are not allowed to read it")
	case err != nil:
		return nil, unreadable(err, "the system refused to open it")
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = errors.New("is a folder")
	}
	if err != nil {
		_ = file.Close()
		return nil, unreadable(err, "it is a folder, or no ordinary file")
	}
	if !info.Mode().IsRegular() {
		defer func() { _ = file.Close() }()
		return Spool(name, file)
	}
	return &File{name: name, file: file, info: info}, nil
}

// Spool copies what can be read only once to a temporary file of its own, which refusals call name. The
// caller closes it, and it is gone.
func Spool(name string, from io.Reader) (*File, error) {
	spooled, err := newTemporary(name)
	if err != nil {
		return nil, fmt.Errorf("spool the input: %w", err)
	}
	if _, err = io.Copy(spooled.file, from); err == nil {
		spooled.info, err = spooled.file.Stat()
	}
	if err != nil {
		_ = spooled.Close()
		return nil, fmt.Errorf("spool the input: %w", err)
	}
	return spooled, nil
}

// newTemporary makes a temporary file, which refusals call name.
func newTemporary(name string) (*File, error) {
	file, err := os.CreateTemp("", "claimline-*.csv")
	if err != nil {
		return nil, err
	}
	// Where the system lets its name go at once, nothing can leave it behind.
	return &File{name: name, file: file, temp: os.Remove(file.Name()) != nil}, nil
}

// Close closes the file.
func (f *File) Close() error {
	err := errors.Join(f.file.Close(), f.sheet.close())
	if f.temp {
		err = errors.Join(err, os.Remove(f.file.Name()))
	}
	return err
}

// Name implements Source.
func (f *File) Name() string { return f.name }

// Size implements Source.
func (f *File) Size() int64 { return f.info.Size() }

// ReadAt implements Source.
func (f *File) ReadAt(into []byte, at int64) (int, error) { return f.file.ReadAt(into, at) }

// Unchanged implements Source.
func (f *File) Unchanged() error {
	info, err := f.file.Stat()
	if err != nil {
		return fmt.Errorf("look at %s again: %w", f.name, err)
	}
	if info.Size() != f.info.Size() || !info.ModTime().Equal(f.info.ModTime()) {
		return schema.Refuse(schema.CodeFileChanged, "").At(f.name, 0, 0)
	}
	return nil
}

// Text returns a Source of what is in memory.
func Text(name, text string) Source { return memory{strings.NewReader(text), name} }

type memory struct {
	*strings.Reader
	name string
}

// Name implements Source.
func (m memory) Name() string { return m.name }

// Unchanged implements Source.
func (memory) Unchanged() error { return nil }

func (f *File) keptSheet() *keptSheet { return &f.sheet }
