package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// peers are the scripts with which others do the same work.
//
//go:embed peers
var peers embed.FS

// writePeers writes the scripts into dir/peers, from where node finds its packages in dir/node_modules.
func writePeers(dir string) error {
	return fs.WalkDir(peers, "peers", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(path))
		if entry.IsDir() {
			return os.MkdirAll(to, 0o750)
		}
		script, err := peers.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, script, 0o600)
	})
}

// lookFor says which of the needs is not there; blank where all are.
func lookFor(needs []need, dir string) string {
	for _, n := range needs {
		if n.command != "" {
			if _, err := exec.LookPath(n.command); err != nil {
				return n.command + " is not installed"
			}
		}
		if n.pkg != "" {
			if _, err := os.Stat(filepath.Join(dir, "node_modules", filepath.FromSlash(n.pkg))); err != nil {
				return "the npm package " + n.pkg + " is not installed"
			}
		}
	}
	return ""
}

// lastNumber reads the last line of an answer.
func lastNumber(output []byte) (int, error) {
	lines := bytes.Split(bytes.TrimSpace(output), []byte("\n"))
	n, err := strconv.Atoi(string(bytes.TrimSpace(lines[len(lines)-1])))
	if err != nil {
		return 0, fmt.Errorf("expected a number in the last line: %w", err)
	}
	return n, nil
}

// invalidRows reads the summary that the program prints with --json.
func invalidRows(output []byte) (int, error) {
	var summary struct {
		Invalid *int `json:"invalid"`
	}
	if err := json.Unmarshal(output, &summary); err != nil {
		return 0, err
	}
	if summary.Invalid == nil {
		return 0, errors.New("the summary does not count the invalid rows")
	}
	return *summary.Invalid, nil
}

// countLines counts the lines that begin with prefix.
func countLines(prefix string) func([]byte) (int, error) {
	return func(output []byte) (int, error) {
		n := 0
		for line := range bytes.Lines(output) {
			if bytes.HasPrefix(line, []byte(prefix)) {
				n++
			}
		}
		return n, nil
	}
}

// rowsOf counts the rows below the header of a file whose cells have no line breaks.
func rowsOf(path string) func([]byte) (int, error) {
	return func([]byte) (int, error) {
		lines, err := linesOf(path)
		return lines - 1, err
	}
}

// linesOf counts the lines of a file, with little memory.
func linesOf(path string) (lines int, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { _ = file.Close() }() // it was only read
	for buf := make([]byte, 1<<16); ; {
		n, err := file.Read(buf)
		lines += bytes.Count(buf[:n], []byte("\n"))
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return 0, err
		}
	}
}
