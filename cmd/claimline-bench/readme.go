package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// The marks in the README between which the section of the benchmark stands.
const (
	beginMark = "<!-- bench:begin -->"
	endMark   = "<!-- bench:end -->"
)

// splice puts a section between the marks of a text, in place of what was there.
// ok is false where the marks are missing.
func splice(text, section string) (spliced string, ok bool) {
	before, rest, ok := strings.Cut(text, beginMark)
	if !ok {
		return text, false
	}
	_, after, ok := strings.Cut(rest, endMark)
	if !ok {
		return text, false
	}
	return before + beginMark + "\n" + strings.TrimSpace(section) + "\n" + endMark + after, true
}

// writeReadme writes the section into the file. written is false where there is no place for it.
func writeReadme(path, section string) (written bool, err error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the README: %w", err)
	}
	text, ok := splice(string(content), section)
	if !ok {
		return false, nil
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil { //nolint:gosec // everybody may read it
		return false, fmt.Errorf("write the README: %w", err)
	}
	return true, nil
}
