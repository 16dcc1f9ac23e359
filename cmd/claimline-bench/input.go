package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/claimline/claimline/cmd/claimline-bench/input"
)

// inputFiles is a generated file and the snapshot it belongs to.
type inputFiles struct {
	dir   string
	rows  int
	stats input.Stats
}

func (in *inputFiles) file() string     { return filepath.Join(in.dir, "users.csv") }
func (in *inputFiles) database() string { return filepath.Join(in.dir, "claimline.db") } // loaded, nobody claimed
func (in *inputFiles) loadedBy() string { return in.database() + ".by" }                 // says which program has loaded it, written last
func (in *inputFiles) copied() string   { return filepath.Join(in.dir, "import.db") }    // the one that is imported into

// offlineBad returns how many rows the checks without a store find bad.
func (in *inputFiles) offlineBad() int { return in.stats.Bad - in.stats.Services }

// input makes an input of so many rows, unless it is there already.
func (b *bench) input(ctx context.Context, rows int, shuffle bool) (*inputFiles, error) {
	in := &inputFiles{dir: filepath.Join(b.Dir, strconv.Itoa(rows)), rows: rows}
	if shuffle {
		in.dir += "-shuffled"
	} else if rows == b.Rows {
		b.main = in
	}
	args := []string{
		"generate", "-users", strconv.Itoa(rows), "-seed", "1", "-bad", "0.02", "-multiline", "0.005", "-excel",
		"-shuffle=" + strconv.FormatBool(shuffle), in.dir,
	}
	made := filepath.Join(in.dir, "made-by") // written last, so what it speaks of is complete
	content, err := os.ReadFile(made)
	by, answer, _ := strings.Cut(string(content), "\n")
	if err != nil || by != strings.Join(args, " ") {
		b.say("making %s", in.file())
		if err := remove(in.loadedBy()); err != nil {
			return nil, err
		}
		// In a process of its own, for the memory of this one counts as the least that any command has.
		generate := &job{args: append([]string{b.self}, args...)}
		_, output, err := generate.start(ctx)
		if err != nil {
			return nil, err
		}
		answer = string(output)
		if err := os.WriteFile(made, []byte(strings.Join(args, " ")+"\n"+answer), 0o600); err != nil {
			return nil, err
		}
	}
	if err := json.Unmarshal([]byte(answer), &in.stats); err != nil {
		return nil, fmt.Errorf("read what was generated: %w", err)
	}
	return in, nil
}

// load makes the input's database, unless this very program has made it before.
func (b *bench) load(ctx context.Context, in *inputFiles) error {
	program, err := hashOf(b.Program)
	if err != nil {
		return fmt.Errorf("look at the program: %w", err)
	}
	if by, err := os.ReadFile(in.loadedBy()); err == nil && string(by) == program {
		return nil
	}
	b.say("loading %s", in.database())
	if err := errors.Join(remove(in.loadedBy()), removeDatabase(in.database())); err != nil {
		return err
	}
	load := &job{args: []string{b.Program, "--db", "sqlite:" + in.database(), "-q", "load", filepath.Join(in.dir, "org")}}
	if _, _, err := load.start(ctx); err != nil {
		return err
	}
	return os.WriteFile(in.loadedBy(), []byte(program), 0o600)
}

// copyDatabase puts a fresh copy of the loaded database from in place of what an import has left behind.
// All of it is on the disk, and in memory, when it returns: no run pays for the copy of its predecessor.
func copyDatabase(from, to string) (err error) {
	if err := removeDatabase(to); err != nil {
		return err
	}
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }() // it was only read
	target, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	if _, err := io.Copy(target, source); err != nil {
		return err
	}
	return target.Sync()
}

// removeDatabase removes a database and the files beside it, where there are any.
func removeDatabase(path string) error {
	return errors.Join(remove(path), remove(path+"-wal"), remove(path+"-shm"))
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func hashOf(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }() // it was only read
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
