package handoff

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/kept"
	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/schema"
)

// Errors is a file of errors that Control Hub has written.
type Errors struct {
	Source dialect.Source
	Part   int // the part that it is about, from 1; 0: its addresses tell
}

// Outcome is what became of the rows of a hand-off, as far as is known.
type Outcome struct {
	Folder string
	*Manifest
	Tally  schema.Tally
	Report string // the file in the folder that has every row
	Retry  string // the file in the folder with the rows to upload again; blank: there are none
	Files  []ErrorNote
	Silent []int // parts of which nothing was said, by no file now or before
	// Unchecked are services that were asked for, and that the export has no column of.
	Unchecked []string
	Both      int // rows that both exports list: as a member, and as claimable
}

// ErrorNote says how a file of errors was read.
type ErrorNote struct {
	File     string
	Part     int
	FirstRow int // the number of the part's first row, as Control Hub counts; 0: nothing was said
	Why      string
}

// Results joins what Control Hub said to the rows of a hand-off, and adds a report of every row to its folder.
// Of a part that no file is about, what was known before still holds; where nothing was, its rows are
// accepted. firstRow, 1 or 2, is the number of a part's first row as Control Hub counts; 0: the files tell.
// to, where it is not nil, is written too.
//
// Refused with CodePartUnclear and CodeFirstRowUnclear where a file does not tell, with CodeRowUnknown where
// it is about rows that the part has not, and with CodeFileChanged where a part is not as it was made.
func (h *Handoff) Results(ctx context.Context, folder string, files []Errors, firstRow int, to *report.Report) (*Outcome, error) {
	m, err := ReadManifest(folder)
	if err != nil {
		return nil, err
	}
	parts, err := h.openParts(folder, m)
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if file.Part > len(m.Parts) {
			return nil, schema.Refuse(schema.CodeUsage, "There is no part %d; the hand-off has %d.", file.Part, len(m.Parts))
		}
	}
	o := &Outcome{Folder: folder, Manifest: m}
	readings, err := parts.readings(ctx, files, firstRow)
	if err != nil {
		return nil, err
	}
	for _, r := range readings {
		o.Files = append(o.Files, r.ErrorNote)
	}
	before, err := h.openReport(ctx, folder, resultsFiles)
	if err != nil {
		return nil, err
	}
	defer before.close()
	for part := range m.Parts {
		if before == nil && !slices.ContainsFunc(readings, func(r reading) bool { return r.Part == part+1 }) {
			o.Silent = append(o.Silent, part+1)
		}
	}
	j := joiner{readings: readings}
	return o, parts.write(ctx, o, resultsFiles, to, func(b *partRows) error {
		if err := j.begin(ctx, b.part); err != nil {
			return err
		}
		for i := range b.Verdicts {
			kept, err := before.next(ctx, b.part, b.first+i)
			if err != nil {
				return err
			}
			switch {
			case j.given:
				b.Verdicts[i].Finding = j.refused[b.first+i]
			case kept != nil && kept.Outcome == schema.Refused:
				b.Verdicts[i].Finding = kept
			}
			if b.Verdicts[i].Finding == nil {
				b.Verdicts[i].Finding = acceptedFinding
			}
		}
		return nil
	})
}

var acceptedFinding = &schema.Finding{Outcome: schema.Accepted}

// joiner holds what was said of the rows of one part at a time, so that memory does not grow with the parts.
type joiner struct {
	readings []reading
	part     int
	given    bool                    // some file is about the part
	refused  map[int]*schema.Finding // by row
}

// begin reads what is said of a part, unless that is at hand.
func (j *joiner) begin(ctx context.Context, part int) error {
	if j.part == part {
		return nil
	}
	j.part, j.given, j.refused = part, false, map[int]*schema.Finding{}
	words := map[int][]string{}
	for i := range j.readings {
		r := &j.readings[i]
		if r.Part != part {
			continue
		}
		j.given = true
		file, err := openErrors(ctx, r.source, r.limits)
		if err != nil {
			return err
		}
		if err := file.each(ctx, func(s said) error {
			if row := s.number - r.FirstRow + 1; len(s.messages) > 0 {
				words[row] = append(words[row], s.messages...)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	for row, messages := range words {
		reasons := reasonsOf(messages)
		j.refused[row] = &schema.Finding{
			Outcome: schema.Refused, Reasons: reasons, Message: strings.Clone(strings.Join(messages, " ")), Fix: fixOf(reasons[0]),
		}
	}
	return nil
}

// reading says how a file of errors is to be read.
type reading struct {
	ErrorNote

	source dialect.Source
	limits dialect.Limits
}

// readings finds out of every file which part it is about, and how it counts rows.
func (p *partsReader) readings(ctx context.Context, files []Errors, firstRow int) ([]reading, error) {
	list := make([]*scan, 0, len(files))
	for _, file := range files {
		s, err := p.scan(ctx, file)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	if err := p.matchRows(ctx, list); err != nil {
		return nil, err
	}
	var found []reading
	for _, s := range list {
		part, err := s.findPart(len(p.manifest.Parts))
		if err != nil {
			return nil, err
		}
		r := reading{source: s.source, limits: p.limits(), ErrorNote: ErrorNote{File: s.source.Name(), Part: part}}
		if r.FirstRow, r.Why, err = s.findFirstRow(part, p.manifest.Parts[part-1].Rows, firstRow); err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	return found, nil
}

// scan is what a file of errors says of itself.
type scan struct {
	source          dialect.Source
	part            int         // 0: not known
	count           int         // records with a number
	blank           int         // rows without content
	offsets         map[int]int // records by how far their number is from that of their line below the header
	messages        int
	lowest, highest place // numbers
	lowestSaid      place // the lowest number with a message
	strict, loose   []claimOf
	found           map[int]*matches // by part
	header          string           // of the numbers
	numberColumn    int
	emailHeader     string
}

// place is a number with the line on which it stands.
type place struct{ number, line int }

// claimOf is an address that the file says belongs to a number.
type claimOf struct {
	key, email string
	place
}

// matches are what the addresses of a file say of how it counts the rows of one part.
type matches struct {
	rows   int                // addresses that the part has
	strict map[int][]evidence // by the number of the first row that they speak for
	loose  map[int]int
}

// evidence is one address whose row is known.
type evidence struct {
	claimOf
	row int
}

// scan reads a file once, and remembers what tells of which part it is and how it counts.
func (p *partsReader) scan(ctx context.Context, file Errors) (*scan, error) {
	e, err := openErrors(ctx, file.Source, p.limits())
	if err != nil {
		return nil, err
	}
	s := &scan{source: file.Source, part: file.Part, found: map[int]*matches{}, header: e.reader.Header()[e.number], numberColumn: e.number + 1}
	if len(p.manifest.Parts) == 1 && s.part == 0 {
		s.part = 1
	}
	if e.email >= 0 {
		s.emailHeader = e.reader.Header()[e.email]
	}
	s.offsets = map[int]int{}
	err = e.each(ctx, func(said said) error {
		at := place{said.number, said.line}
		s.count++
		s.offsets[said.number-(said.line-e.reader.HeaderLine())]++
		s.messages += len(said.messages)
		if s.count == 1 || at.number < s.lowest.number {
			s.lowest = at
		}
		if at.number > s.highest.number {
			s.highest = at
		}
		if len(said.messages) > 0 && (s.lowestSaid.line == 0 || at.number < s.lowestSaid.number) {
			s.lowestSaid = at
		}
		if key, problem := schema.ParseAddress(said.email); problem == "" {
			s.strict = append(s.strict, claimOf{key: strings.Clone(key), email: strings.Clone(said.email), place: at})
		}
		for _, message := range said.messages {
			for _, key := range addresses(message) {
				s.loose = append(s.loose, claimOf{key: strings.Clone(key), place: at})
			}
		}
		return nil
	})
	s.blank = e.blank
	return s, err
}

// matchRows looks for the rows of the addresses that the files speak of.
func (p *partsReader) matchRows(ctx context.Context, list []*scan) error {
	type mention struct {
		scan   *scan
		strict bool
		claimOf
	}
	mentioned := map[string][]mention{}
	for _, s := range list {
		for _, c := range s.strict {
			mentioned[c.key] = append(mentioned[c.key], mention{s, true, c})
		}
		for _, c := range s.loose {
			mentioned[c.key] = append(mentioned[c.key], mention{s, false, c})
		}
	}
	if len(mentioned) == 0 {
		return nil
	}
	return p.each(ctx, func(*partRows) error { return nil }, func(b *partRows) error {
		for i := range b.Records.Len() {
			for _, m := range mentioned[p.key(b.Records.Cells(i))] {
				of := m.scan.found[b.part]
				if of == nil {
					of = &matches{strict: map[int][]evidence{}, loose: map[int]int{}}
					m.scan.found[b.part] = of
				}
				row := b.first + i
				first := m.number - row + 1
				of.rows++
				if m.strict {
					of.strict[first] = append(of.strict[first], evidence{m.claimOf, row})
				} else {
					of.loose[first]++
				}
			}
		}
		return nil
	})
}

// findPart returns the part that the file is about.
func (s *scan) findPart(parts int) (int, error) {
	if s.part > 0 {
		return s.part, nil
	}
	var found []int
	for part := range parts {
		if of := s.found[part+1]; of != nil && (len(s.strict) == 0 || len(of.strict) > 0) {
			found = append(found, part+1)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	why := "it quotes no address of any part"
	if len(found) > 1 {
		why = fmt.Sprintf("it quotes addresses of %d parts", len(found))
	}
	return 0, schema.Refuse(schema.CodePartUnclear, "It is not certain which part the file is about: %s.", why).At(s.source.Name(), 0, 0).
		WithFix("Say which: --part 1=%s, or another number up to %d.", s.source.Name(), parts)
}

// The numbers that the first row of a part can have.
const (
	headerNotCounted = 1
	headerCounted    = 2
)

// findFirstRow finds out whether the header counts as row 1: the number of the part's first row, and what
// tells.
func (s *scan) findFirstRow(part, rows, given int) (first int, why string, err error) {
	at := func(refused *schema.Error, p place) error {
		return refused.At(s.source.Name(), p.line, s.numberColumn).In(s.header)
	}
	if s.messages == 0 {
		return cmp.Or(given, headerCounted), "nothing is said against any row", nil
	}
	of := s.found[part]
	if of == nil {
		of = &matches{}
	}
	if s.highest.number > rows+1 || s.lowestSaid.number < 1 {
		wrong := s.highest
		if s.lowestSaid.number < 1 {
			wrong = s.lowestSaid
		}
		return 0, "", at(schema.Refuse(schema.CodeRowUnknown, "There is no row %d in part %d, which has %d.", wrong.number, part, rows), wrong)
	}
	if err := s.checkAddresses(part, of); err != nil {
		return 0, "", err
	}
	type reason struct {
		first int
		why   string
	}
	var reasons []reason
	for first, known := range of.strict {
		reasons = append(reasons, reason{first, fmt.Sprintf("row %d is %s", known[0].number, known[0].email)})
	}
	if s.highest.number == rows+1 {
		reasons = append(reasons, reason{headerCounted, fmt.Sprintf("the highest number is %d, and the part has %d rows", s.highest.number, rows)})
	}
	if s.lowestSaid.number == 1 {
		reasons = append(reasons, reason{headerNotCounted, "something is said against row 1"})
	}
	if s.count == rows && s.lowest.number == 1 && s.highest.number == rows {
		reasons = append(reasons, reason{headerNotCounted, fmt.Sprintf("the numbers are those from 1 to %d", rows)})
	}
	if s.blank > 0 && s.count+s.blank == rows { // one line for each row, blank where nothing is said
		for _, first := range []int{headerNotCounted, headerCounted} {
			if s.offsets[first-headerNotCounted] == s.count {
				reasons = append(reasons, reason{first, "its blank lines stand for the rows of which nothing is said"})
			}
		}
	}
	certain := len(reasons) > 0
	one, two := of.loose[headerNotCounted], of.loose[headerCounted]
	switch {
	case certain: // messages may quote the address of another row
	case one > 0 && two == 0:
		reasons = append(reasons, reason{headerNotCounted, "the messages quote the addresses of these rows"})
	case two > 0 && one == 0:
		reasons = append(reasons, reason{headerCounted, "the messages quote the addresses of these rows"})
	}
	slices.SortFunc(reasons, func(a, b reason) int { return cmp.Compare(a.first, b.first) })
	for i := 1; i < len(reasons); i++ {
		if reasons[i].first != reasons[0].first {
			return 0, "", at(schema.Refuse(schema.CodeFirstRowUnclear, "The file contradicts itself on whether the header counts as row 1: %s, and %s.", reasons[0].why, reasons[i].why).
				WithFix("Download errors.csv again from the task of part %d, and check that it is that part's.", part), s.lowestSaid)
		}
	}
	switch {
	case len(reasons) == 0 && given == 0:
		return 0, "", at(schema.Refuse(schema.CodeFirstRowUnclear, "Nothing tells whether the header counts as row 1 in the numbers of the file."), s.lowestSaid)
	case len(reasons) == 0:
		return given, "--first-row says so", nil
	case given != 0 && given != reasons[0].first && certain:
		return 0, "", at(schema.Refuse(schema.CodeFirstRowUnclear, "--first-row %d cannot be: %s.", given, reasons[0].why), s.lowestSaid)
	case given != 0:
		return given, "--first-row says so", nil
	}
	return reasons[0].first, reasons[0].why, nil
}

// checkAddresses refuses a file that says of rows that they are others than they are.
func (s *scan) checkAddresses(part int, of *matches) error {
	known := map[place]bool{}
	for first, list := range of.strict {
		for _, e := range list {
			known[e.place] = true
			if first != headerNotCounted && first != headerCounted {
				return schema.Refuse(schema.CodeRowUnknown, "Row %d is said to be %s, which is row %d of part %d.", e.number, schema.Printable(e.email), e.row, part).
					At(s.source.Name(), e.line, s.numberColumn).In(s.header)
			}
		}
	}
	for _, c := range s.strict {
		if !known[c.place] {
			return schema.Refuse(schema.CodeRowUnknown, "Part %d has no row of %s.", part, schema.Printable(c.email)).At(s.source.Name(), c.line, 0).In(s.emailHeader)
		}
	}
	return nil
}

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

// write gives every row of the parts its verdict, in order, and adds the report, and the rows to upload again,
// to the folder.
func (p *partsReader) write(ctx context.Context, o *Outcome, kind string, to *report.Report, judge func(*partRows) error) (err error) {
	full, err := newAddition(p.folder, kind)
	if err != nil {
		return err
	}
	defer full.remove()
	retry, err := newAddition(p.folder, retryFile)
	if err != nil {
		return err
	}
	defer retry.remove()
	format := schema.Format{CRLF: true, Columns: len(p.manifest.Columns)}
	reports := []*report.Report{{To: full.file, Format: report.CSV, Parts: true}}
	if to != nil {
		to.Parts = true
		reports = append(reports, to)
	}
	writers := make([]*report.Writer, len(reports))
	for i, r := range reports {
		if writers[i], err = r.Begin(p.layout, format, schema.Organization{}, p.Policy); err != nil {
			return err
		}
	}
	again := dialect.NewWriter(retry.file, schema.Format{CRLF: true})
	retries := 0
	err = p.each(ctx, func(*partRows) error { return nil }, func(b *partRows) error {
		if err := judge(b); err != nil {
			return err
		}
		o.Tally.Add(kept.Tally(b.Verdicts))
		for i := range b.Verdicts {
			if !uploadAgain(&b.Verdicts[i]) {
				continue
			}
			if retries == 0 {
				if err := again.WriteRaw(p.manifest.Columns); err != nil {
					return fmt.Errorf("write the rows to upload again: %w", err)
				}
			}
			retries++
			if err := again.WriteRaw(b.Records.Cells(i)); err != nil {
				return fmt.Errorf("write the rows to upload again: %w", err)
			}
		}
		for _, w := range writers {
			if err := w.Write(&b.Rows); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	whole := report.Whole{
		Summary: schema.Summary{
			File: o.Source.File, SHA256: o.Source.SHA256, Rows: o.Tally.Rows, Claimed: o.Tally.Outcomes[schema.Claimed],
			Reasons: o.Tally.Reasons, Warnings: o.Tally.Warnings,
		},
		Handoff: &report.Handoff{Folder: p.folder, Verified: kind == verifiedFiles},
	}
	for _, w := range writers {
		if err := w.End(whole); err != nil {
			return err
		}
	}
	if err := again.Flush(); err != nil {
		return fmt.Errorf("write the rows to upload again: %w", err)
	}
	if retries > 0 {
		if o.Retry, err = retry.keep(); err != nil {
			return err
		}
	}
	o.Report, err = full.keep()
	return err
}

// uploadAgain reports whether a row can be uploaded once more, when it is mended or time has passed.
func uploadAgain(v *kept.Verdict) bool {
	switch v.Outcome {
	case schema.Refused:
		return mendable(v.Reasons[0])
	case schema.StillClaimable:
		return true
	case schema.Claimed:
		return v.Problem() // a licence is missing
	}
	return false
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

// earlier is a report that a step before has added, read row by row.
type earlier struct {
	file    *dialect.File
	reader  *dialect.Reader
	columns [6]int // part, row, result, reason, message, fix
	records dialect.Records
	at      int
}

// earlierColumns are the columns of a report that are read again.
var earlierColumns = [...]string{schema.PartHeaders[0], schema.PartHeaders[1], "Claimline Result", "Claimline Reason", "Claimline Message", "Claimline Fix"}

// openReport opens the last report of its kind; nil: there is none.
func (h *Handoff) openReport(ctx context.Context, folder, kind string) (*earlier, error) {
	name, _, err := latest(folder, kind)
	if err != nil || name == "" {
		return nil, err
	}
	e := &earlier{}
	if e.file, err = dialect.OpenFile(filepath.Join(folder, name)); err != nil {
		return nil, err
	}
	if e.reader, err = dialect.NewReader(ctx, e.file, dialect.Options{Limits: h.limits(), Names: earlierColumns[:1]}); err != nil {
		e.close()
		return nil, err
	}
	for i, header := range earlierColumns {
		e.columns[i] = slices.IndexFunc(e.reader.Header(), func(other string) bool { return dialect.SameHeader(other, header) })
		if e.columns[i] < 0 {
			err := e.changed(e.reader.HeaderLine())
			e.close()
			return nil, err
		}
	}
	return e, nil
}

func (e *earlier) close() {
	if e != nil {
		_ = e.file.Close()
	}
}

// changed refuses a report that is not as it was added.
func (e *earlier) changed(line int) error {
	return schema.Refuse(schema.CodeFileChanged, "The report is not as it was added, so nobody knows what was said of its rows.").At(e.file.Name(), line, 0).
		WithFix("Put it back as it was, or delete it, and run claimline handoff results again with the errors of all parts.")
}

// next returns what the report says of the next row, which must be this one; nil: nothing, for there is no
// report.
func (e *earlier) next(ctx context.Context, part, row int) (*schema.Finding, error) {
	if e == nil {
		return nil, nil
	}
	for e.at == e.records.Len() {
		if err := e.reader.NextRecords(ctx, &e.records); err != nil {
			if errors.Is(err, io.EOF) {
				err = e.changed(0)
			}
			return nil, err
		}
		e.at = 0
	}
	cells, line := e.records.Cells(e.at), e.records.Line(e.at)
	e.at++
	cell := func(i int) string {
		if e.columns[i] >= len(cells) {
			return ""
		}
		value, _ := dialect.Clean(cells[e.columns[i]])
		return value
	}
	if cell(0) != strconv.Itoa(part) || cell(1) != strconv.Itoa(row) {
		return nil, e.changed(line)
	}
	switch outcome := schema.Outcome(cell(2)); outcome {
	case schema.Accepted:
		return acceptedFinding, nil
	case schema.Refused:
		reason := schema.Code(cell(3))
		if !reason.Known() {
			return nil, e.changed(line)
		}
		return &schema.Finding{
			Outcome: outcome, Reasons: []schema.Code{reason}, Message: strings.Clone(cell(4)), Fix: strings.Clone(cell(5)),
		}, nil
	}
	return nil, e.changed(line)
}
