package schedule

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// quiet is how long a file of a folder must not have changed before it is taken.
const quiet = 10 * time.Second

// candidate is a file that a run may take.
type candidate struct {
	path string
	info fs.FileInfo // at the first look; nil: there was none
}

// candidates lists the files that a schedule names now, the oldest first. A single file that a person wants
// imported now is not looked at before it is opened.
func candidates(s schema.Schedule, attended bool) ([]candidate, error) {
	if s.Dir == "" {
		c := candidate{path: s.File}
		if info, err := os.Stat(s.File); err == nil && !attended {
			c.info = info
		}
		return []candidate{c}, nil
	}
	entries, err := os.ReadDir(s.Dir)
	if err != nil {
		why := schema.Word("the system refused to open it")
		switch {
		case errors.Is(err, fs.ErrNotExist):
			why = "there is none of this name"
		case errors.Is(err, fs.ErrPermission):
			why = "you are not allowed to read it"
		}
		return nil, schema.Refuse(schema.CodeFileUnreadable, "The folder cannot be read: %s.", why).At(s.Dir, 0, 0).Because(err).
			WithFix("Check the folder's name, and that whoever runs the program may read it.")
	}
	var list []candidate
	for _, entry := range entries {
		name := entry.Name()
		// What begins with a dot is no *.csv to a shell either; ~$ begins the name of what Excel keeps beside
		// a workbook that is open.
		ext := strings.ToLower(filepath.Ext(name))
		if ext != ".csv" && ext != ".xlsx" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~$") {
			continue
		}
		c := candidate{path: filepath.Join(s.Dir, name)}
		if c.info, err = os.Stat(c.path); err == nil && c.info.IsDir() {
			continue
		}
		list = append(list, c)
	}
	slices.SortStableFunc(list, func(a, b candidate) int {
		return cmp.Or(a.changed().Compare(b.changed()), strings.Compare(a.path, b.path))
	})
	return list, nil
}

func (c candidate) changed() time.Time {
	if c.info == nil {
		return time.Time{}
	}
	return c.info.ModTime()
}

// written reports whether somebody may still be writing a file, as far as the time tells at which it changed.
// One far ahead of the clock tells nothing.
func (c candidate) written(now time.Time) bool {
	return c.info != nil && now.Sub(c.info.ModTime()).Abs() < quiet
}

// open opens a file, and hashes what is in it. Refused with CodeFileChanged where it is not as it was at the
// first look, with CodeFileUnreadable, and with CodePathNotAllowed.
func (c candidate) open(ctx context.Context, s schema.Schedule, folders []string) (file *dialect.File, sum string, err error) {
	path := c.path
	if s.Confined {
		if path, err = Confine(folders, c.path); err != nil {
			return nil, "", err
		}
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() { // a pipe would be waited for
		return nil, "", schema.Refuse(schema.CodeFileUnreadable, "The file cannot be read: it is a folder, or no ordinary file.").At(c.path, 0, 0)
	}
	if file, err = dialect.OpenFile(path); err != nil {
		return nil, "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close())
		}
	}()
	if s.Confined { // nobody has put a link in its place meanwhile
		if still, err := Confine(folders, path); err != nil || still != path {
			return nil, "", notAllowed(c.path)
		}
	}
	if c.info != nil && c.info.Size() != file.Size() {
		return nil, "", schema.Refuse(schema.CodeFileChanged, "").At(c.path, 0, 0)
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, reading{ctx, io.NewSectionReader(file, 0, file.Size())}); err != nil {
		if ctx.Err() != nil {
			return nil, "", ctx.Err()
		}
		return nil, "", schema.Refuse(schema.CodeFileUnreadable, "The file cannot be read: the system refused to read it.").At(c.path, 0, 0).Because(err)
	}
	if err := file.Unchanged(); err != nil {
		return nil, "", err
	}
	return file, hex.EncodeToString(hash.Sum(nil)), nil
}

// reading reads until the context ends.
type reading struct {
	ctx  context.Context //nolint:containedctx // of one copy, which it outlives not
	from io.Reader
}

// Read implements io.Reader.
func (r reading) Read(into []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.from.Read(into)
}

// Confine returns a path with its symbolic links resolved, where it lies in one of the folders, or is one.
// The file itself may be missing. Refused with CodePathNotAllowed, in the same words whether or not there is
// anything elsewhere.
func Confine(folders []string, path string) (string, error) {
	if !filepath.IsAbs(path) {
		return "", notAllowed(path)
	}
	resolved, err := resolve(filepath.Clean(path))
	if err != nil {
		return "", notAllowed(path)
	}
	for _, folder := range folders {
		if folder, err = filepath.EvalSymlinks(folder); err != nil {
			continue
		}
		if inside, err := filepath.Rel(folder, resolved); err == nil && filepath.IsLocal(inside) {
			return resolved, nil
		}
	}
	return "", notAllowed(path)
}

func notAllowed(path string) error {
	return schema.Refuse(schema.CodePathNotAllowed, "%s is not below a folder that schedules may read.", schema.Printable(path))
}

// resolve resolves the symbolic links of a path whose last elements may be missing. One that leads to nothing
// is an error: nobody knows where it will lead.
func resolve(path string) (string, error) {
	resolved, err := filepath.EvalSymlinks(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return resolved, err
	}
	if _, statErr := os.Lstat(path); statErr == nil || filepath.Dir(path) == path {
		return "", err
	}
	folder, err := resolve(filepath.Dir(path))
	if err != nil {
		return "", fmt.Errorf("resolve %s: %w", path, err)
	}
	return filepath.Join(folder, filepath.Base(path)), nil
}
