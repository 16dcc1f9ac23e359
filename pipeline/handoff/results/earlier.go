package results

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/handoff/folder"
	"github.com/claimline/claimline/schema"
)

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
func (f *Follower) openReport(ctx context.Context, dir, kind string) (*earlier, error) {
	name, _, err := folder.Latest(dir, kind)
	if err != nil || name == "" {
		return nil, err
	}
	e := &earlier{}
	if e.file, err = dialect.OpenFile(filepath.Join(dir, name)); err != nil {
		return nil, err
	}
	if e.reader, err = dialect.NewReader(ctx, e.file, dialect.Options{Limits: f.limits(), Names: earlierColumns[:1]}); err != nil {
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
