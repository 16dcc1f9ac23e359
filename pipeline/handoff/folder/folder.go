package folder

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/claimline/claimline/schema"
)

// The kinds of files that steps add to a folder.
const (
	Results  = "results"  // what Control Hub said of every row
	Verified = "verified" // what fresh exports show of every row
	Retry    = "retry"    // the rows to upload again
)

// numbered returns the name of the file that a step adds the n-th time.
func numbered(kind string, n int) string {
	if kind == Retry && n == 1 {
		return kind + ".csv"
	}
	return fmt.Sprintf("%s-%02d.csv", kind, n)
}

// Latest returns the last file of its kind that was added, and its number; 0: there is none. Refused with
// CodeFileUnreadable.
func Latest(folder, kind string) (name string, n int, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return "", 0, schema.Refuse(schema.CodeFileUnreadable, "").At(folder, 0, 0).Because(err)
	}
	for _, entry := range entries {
		digits := strings.TrimSuffix(strings.TrimPrefix(entry.Name(), kind+"-"), ".csv")
		number, err := strconv.Atoi(digits)
		if err != nil {
			number = 1
		}
		if number > n && entry.Name() == numbered(kind, number) {
			name, n = entry.Name(), number
		}
	}
	return name, n, nil
}

// Addition is a file on its way into a folder that is only added to.
type Addition struct {
	folder, kind string
	File         *os.File // what is written
}

// Add makes a file of a kind, which stands under no name until it is kept.
func Add(folder, kind string) (*Addition, error) {
	file, err := os.CreateTemp(folder, "."+kind+"-*")
	if err != nil {
		return nil, schema.Refuse(schema.CodeOutputUnwritable, "Nothing can be added to the folder.").At(folder, 0, 0).Because(err)
	}
	return &Addition{folder: folder, kind: kind, File: file}, nil
}

// Remove takes away what has not been kept.
func (a *Addition) Remove() {
	_ = a.File.Close()
	_ = os.Remove(a.File.Name()) // nothing, once it has its name
}

// Keep gives the file the next name of its kind, and returns that; unless the last one of its kind says the
// same: a step may be repeated.
func (a *Addition) Keep() (name string, err error) {
	last, n, err := Latest(a.folder, a.kind)
	if err != nil {
		return "", err
	}
	if last != "" {
		same, err := sameContent(a.File, filepath.Join(a.folder, last))
		if err != nil {
			return "", err
		}
		if same {
			return last, nil
		}
	}
	if err := a.File.Close(); err != nil {
		return "", fmt.Errorf("write %s: %w", a.kind, err)
	}
	for {
		n++
		name = numbered(a.kind, n)
		path := filepath.Join(a.folder, name)
		err := os.Link(a.File.Name(), path) // never over another
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err != nil { // a file system without links
			if _, there := os.Lstat(path); there == nil {
				continue
			}
			err = os.Rename(a.File.Name(), path)
		}
		if err != nil {
			return "", schema.Refuse(schema.CodeOutputUnwritable, "%s could not be added to the folder.", name).At(a.folder, 0, 0).Because(err)
		}
		return name, nil
	}
}

// sameContent reports whether a file that has been written says the same as another.
func sameContent(file *os.File, other string) (bool, error) {
	there, err := os.Open(other)
	if err != nil {
		return false, nil // what cannot be read says something else
	}
	defer func() { _ = there.Close() }()
	sum, err := Sum(file)
	if err != nil {
		return false, err
	}
	otherSum, err := Sum(there)
	return sum == otherSum, err
}

// Sum returns the hash of a file that has been written.
func Sum(file *os.File) (string, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return "", fmt.Errorf("read %s again: %w", filepath.Base(file.Name()), err)
	}
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "", fmt.Errorf("read %s again: %w", filepath.Base(file.Name()), err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
