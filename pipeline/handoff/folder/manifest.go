package folder

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/claimline/claimline/schema"
)

// The names of the files that a hand-off makes.
const (
	ManifestFile = "manifest.json"
	LeftOutFile  = "left-out.csv"
)

// MaxPartRows is how many users Control Hub takes in one file.
const MaxPartRows = 20_000

// Mode is what Control Hub does with FALSE in the column of a service.
type Mode string

// The modes of an upload.
const (
	AddOnly   Mode = "add"        // FALSE is ignored
	AddRemove Mode = "add-remove" // FALSE removes the service
)

// Modes lists the modes.
var Modes = []Mode{AddOnly, AddRemove}

// Effect is what a hand-off does to one service.
type Effect struct {
	Service   string `json:"service"`
	Adds      int    `json:"adds"`
	Removes   int    `json:"removes"`
	Leaves    int    `json:"leaves"`
	Suspended bool   `json:"suspended,omitempty"`
	Given     bool   `json:"-"` // the source has its column
}

// Manifest says what a folder holds: which rows of the source its parts are, and what they ask for.
type Manifest struct {
	Version   int       `json:"version"` // of this form: 1
	Program   string    `json:"program"`
	MadeAt    time.Time `json:"made_at"`
	MadeBy    string    `json:"made_by"`
	Source    FileSum   `json:"source"`
	Template  FileSum   `json:"template"`
	Users     string    `json:"users,omitempty"`     // the export that rows were compared with
	Directory string    `json:"directory,omitempty"` // the list that rows were compared with
	Domains   []string  `json:"domains,omitempty"`
	Mode      Mode      `json:"mode"`
	Columns   []string  `json:"columns"`        // headers of the parts
	Address   string    `json:"address_column"` // the one of the addresses
	Services  []Effect  `json:"services"`       // what the parts do to each service that they have
	Rows      int       `json:"rows"`           // of all parts
	Parts     []Part    `json:"parts"`
	LeftOut   LeftOut   `json:"left_out"`
}

// FileSum names a file as it was.
type FileSum struct {
	File   string `json:"file"`
	Sheet  string `json:"sheet,omitempty"` // of a workbook, where one was named
	SHA256 string `json:"sha256"`
	Rows   int    `json:"rows,omitempty"`
}

// Part is one file to upload. The address of a row stands in it.
type Part struct {
	FileSum

	Lines LineList `json:"lines"` // of the source, one per row
}

// LeftOut counts the rows that are in no part, by first reason.
type LeftOut struct {
	FileSum

	Reasons map[schema.Code]int `json:"reasons"`
}

// LineList is a list of line numbers in ascending order, written in ranges: "2-20001,20005". A million rows
// take a few bytes, unless every other row is left out.
type LineList struct {
	text        []byte
	first, last int // of the range that is open; 0: none is
}

// Add adds a line, which must be greater than those before.
func (l *LineList) Add(line int) {
	switch {
	case l.last > 0 && line == l.last+1:
		l.last = line
		return
	case l.last > 0:
		l.close()
	}
	l.first, l.last = line, line
}

// close ends the range that is open.
func (l *LineList) close() {
	if l.last == 0 {
		return
	}
	if len(l.text) > 0 {
		l.text = append(l.text, ',')
	}
	l.text = strconv.AppendInt(l.text, int64(l.first), 10)
	if l.last > l.first {
		l.text = strconv.AppendInt(append(l.text, '-'), int64(l.last), 10)
	}
	l.first, l.last = 0, 0
}

// MarshalText implements encoding.TextMarshaler.
func (l *LineList) MarshalText() ([]byte, error) {
	l.close()
	return l.text, nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *LineList) UnmarshalText(text []byte) error {
	*l = LineList{text: slices.Clone(text)}
	return nil
}

var errLines = errors.New("the lines are no list of ascending numbers")

// Numbers returns the numbers, of which there must be so many.
func (l *LineList) Numbers(count int) ([]int, error) {
	written, err := l.MarshalText()
	if err != nil {
		return nil, err
	}
	lines := make([]int, 0, count)
	last := 0
	for part := range strings.SplitSeq(string(written), ",") {
		from, to, ranged := strings.Cut(part, "-")
		first, err := strconv.Atoi(from)
		end := first
		if ranged && err == nil {
			end, err = strconv.Atoi(to)
		}
		if err != nil || first <= last || end < first || end-first >= count-len(lines) {
			return nil, errLines
		}
		for line := first; line <= end; line++ {
			lines = append(lines, line)
		}
		last = end
	}
	if len(lines) != count {
		return nil, errLines
	}
	return lines, nil
}

// PartName returns the name of a part, from 1, of so many.
func PartName(part, of int) string {
	width := max(2, len(strconv.Itoa(of)))
	return fmt.Sprintf("part-%0*d-of-%0*d.csv", width, part, width, of)
}

// maxManifest is far beyond what the manifest of a few million rows takes.
const maxManifest = 256 << 20

// ReadManifest reads the manifest of a folder. Refused with CodeFileUnreadable where there is no such
// folder, and with CodeManifestInvalid where it is none that handoff.Make has made, or damaged.
func ReadManifest(folder string) (*Manifest, error) {
	path := filepath.Join(folder, ManifestFile)
	info, err := os.Stat(folder)
	if err != nil || !info.IsDir() {
		return nil, schema.Refuse(schema.CodeFileUnreadable, "There is no folder of this name.").At(folder, 0, 0).Because(err).
			WithFix("Name the folder that claimline handoff make has made.")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, schema.Refuse(schema.CodeManifestInvalid, "The folder has no manifest that can be read, so it is none of a hand-off.").At(path, 0, 0).Because(err)
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, maxManifest+1))
	if err != nil || len(text) > maxManifest {
		return nil, schema.Refuse(schema.CodeManifestInvalid, "The manifest cannot be read.").At(path, 0, 0).Because(err)
	}
	m, err := parseManifest(text)
	if err != nil {
		return nil, schema.Refuse(schema.CodeManifestInvalid, "The manifest is damaged: %s.", err).At(path, 0, 0).Because(err)
	}
	return m, nil
}

// parseManifest reads a manifest, and checks all that it says of itself.
func parseManifest(text []byte) (*Manifest, error) {
	var m Manifest
	decoder := json.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&m); err != nil {
		return nil, errors.New("it is no JSON of this form")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more behind it")
	}
	switch {
	case m.Version != 1:
		return nil, fmt.Errorf("its form %d is not known", m.Version)
	case !slices.Contains(Modes, m.Mode):
		return nil, errors.New("the mode is not known")
	case !slices.Contains(m.Columns, m.Address) || m.Address == "":
		return nil, errors.New("it has no column of addresses")
	case len(m.Parts) == 0:
		return nil, errors.New("it has no part")
	}
	rows := 0
	for i := range m.Parts {
		p := &m.Parts[i]
		if p.File != PartName(i+1, len(m.Parts)) || p.Rows < 1 || p.Rows > MaxPartRows {
			return nil, fmt.Errorf("part %d is none", i+1)
		}
		if sum, err := hex.DecodeString(p.SHA256); err != nil || len(sum) != 32 {
			return nil, fmt.Errorf("part %d has no hash", i+1)
		}
		rows += p.Rows
	}
	if rows != m.Rows {
		return nil, errors.New("the rows of its parts do not add up")
	}
	return &m, nil
}

// Write writes the manifest into a folder.
func (m *Manifest) Write(folder string) (err error) {
	file, err := os.OpenFile(filepath.Join(folder, ManifestFile), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("make the manifest: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	encoder := schema.NewEncoder(file)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(m); err != nil {
		return fmt.Errorf("write the manifest: %w", err)
	}
	return nil
}
