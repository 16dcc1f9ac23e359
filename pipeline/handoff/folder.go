package handoff

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/claimline/claimline/schema"
)

// retryFile is the file of rows to upload again.
const retryFile = "retry"

// The files that the steps add to a folder.
const (
	resultsFiles  = "results"
	verifiedFiles = "verified"
)

// numbered returns the name of the file that a step adds the n-th time.
func numbered(kind string, n int) string {
	if kind == retryFile && n == 1 {
		return kind + ".csv"
	}
	return fmt.Sprintf("%s-%02d.csv", kind, n)
}

// latest returns the last file of its kind that was added, and its number; 0: there is none.
func latest(folder, kind string) (name string, n int, err error) {
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

// addition is a file on its way into a folder that is only added to.
type addition struct {
	folder, kind string
	file         *os.File
}

func newAddition(folder, kind string) (*addition, error) {
	file, err := os.CreateTemp(folder, "."+kind+"-*")
	if err != nil {
		return nil, schema.Refuse(schema.CodeOutputUnwritable, "Nothing can be added to the folder.").At(folder, 0, 0).Because(err)
	}
	return &addition{folder: folder, kind: kind, file: file}, nil
}

// remove takes away what has not been kept.
func (a *addition) remove() {
	_ = a.file.Close()
	_ = os.Remove(a.file.Name()) // nothing, once it has its name
}

// keep gives the file the next name of its kind, and returns that; unless the last one of its kind says the
// same: a step may be repeated.
func (a *addition) keep() (name string, err error) {
	last, n, err := latest(a.folder, a.kind)
	if err != nil {
		return "", err
	}
	if last != "" {
		same, err := sameContent(a.file, filepath.Join(a.folder, last))
		if err != nil {
			return "", err
		}
		if same {
			return last, nil
		}
	}
	if err := a.file.Close(); err != nil {
		return "", fmt.Errorf("write %s: %w", a.kind, err)
	}
	for {
		n++
		name = numbered(a.kind, n)
		path := filepath.Join(a.folder, name)
		err := os.Link(a.file.Name(), path) // never over another
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err != nil { // a file system without links
			if _, there := os.Lstat(path); there == nil {
				continue
			}
			err = os.Rename(a.file.Name(), path)
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
	sum, err := sumOf(file)
	if err != nil {
		return false, err
	}
	otherSum, err := sumOf(there)
	return sum == otherSum, err
}
