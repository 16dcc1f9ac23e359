package handoff

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/handoff/folder"
	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/pipeline/stage"
	"github.com/claimline/claimline/schema"
)

// leftOutcomes are the outcomes of rows that are in no part.
var leftOutcomes = []string{string(schema.Skipped), string(schema.Unchanged), string(schema.Invalid), string(schema.Ineligible)}

// Make writes the parts of a hand-off into an empty folder, with at most so many rows each, the rows left
// out, and the manifest. Refused as Check is, and with CodeNothingToHandOff where no row is left. What is
// in the folder is of use only where no error is returned.
func (h *Handoff) Make(ctx context.Context, request Request, partRows int, dir string) (m *folder.Manifest, plan *Survey, err error) {
	left, err := create(filepath.Join(dir, folder.LeftOutFile))
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, left.Close()) }()
	started := h.now()
	s, rows, err := h.survey(ctx, request, &report.Report{To: left, Format: report.CSV, Only: leftOutcomes})
	if err != nil {
		return nil, nil, err
	}
	plan = s.plan
	if err := rows.End(report.Whole{Summary: plan.Summary(request.Order, started, h.now()), Order: request.Order}); err != nil {
		return nil, nil, err
	}
	ready := plan.Tally.Outcomes[schema.Ready]
	if ready == 0 {
		return nil, plan, s.nothing()
	}
	m = &folder.Manifest{
		Version: 1, Program: h.Version, MadeAt: started, MadeBy: h.By,
		Source:   folder.FileSum{File: plan.File, Sheet: request.Order.Sheet, SHA256: plan.SHA256, Rows: plan.Tally.Rows},
		Template: folder.FileSum{File: s.template.file, Sheet: s.template.sheet, SHA256: s.template.sha256},
		Domains:  request.Domains, Mode: request.Mode, Columns: plan.Written, Rows: ready, Services: []folder.Effect{},
		LeftOut: folder.LeftOut{FileSum: folder.FileSum{File: folder.LeftOutFile, Rows: plan.Tally.Rows - ready}, Reasons: map[schema.Code]int{}},
	}
	maps.Copy(m.LeftOut.Reasons, plan.Tally.Reasons)
	if request.Users != nil {
		m.Users = request.Users.Name()
	}
	if request.Directory != nil {
		m.Directory = request.Directory.Name()
	}
	for i := range plan.Services {
		if e := &plan.Services[i]; e.Adds+e.Removes > 0 {
			m.Services = append(m.Services, *e)
		}
	}
	if m.LeftOut.SHA256, err = folder.Sum(left); err != nil {
		return nil, nil, err
	}
	if err := s.cutParts(ctx, m, partRows, dir); err != nil {
		return nil, nil, err
	}
	if err := m.Write(dir); err != nil {
		return nil, nil, err
	}
	return m, plan, nil
}

// nothing refuses a hand-off of which every row is left out.
func (s *survey) nothing() error {
	refused := schema.Refuse(schema.CodeNothingToHandOff, "No row of the file is left to upload.").At(s.plan.File, 0, 0).
		WithFix("See why: claimline handoff check, with the same file and flags.")
	for reason, lines := range s.plan.Plan.Problems {
		if refused.Line == 0 || lines[0] < refused.Line {
			refused.Line = lines[0]
			refused.Message = schema.Say("No row of the file is left to upload; the first is left out for: %s", reason.Wrong())
		}
	}
	return refused
}

// create makes a file that only its owner may read.
func create(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make %s: %w", filepath.Base(path), err)
	}
	return file, nil
}

// slice is a block on its way into parts: the rows of it that are handed off, cut to the columns of a part.
type slice struct {
	*block
	cells []string // of those rows, one after the other
	lines []int    // one per row
}

// cutParts reads the file once more, and writes the rows that are handed off.
//
//	file ─▶ read ─blocks▶ cut out cells ─▶ part-01-of-03.csv …
func (s *survey) cutParts(ctx context.Context, m *folder.Manifest, partRows int, dir string) error {
	ready, blanked := s.ready, s.blanked
	columns := s.cutColumns()
	for i, c := range columns {
		if c.kind == addressKind {
			m.Address = m.Columns[i]
		}
	}
	if err := s.openSource(ctx); err != nil {
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	spent := make(chan *block, 2*s.Workers+2)
	blocks := read(gctx, g, s.reader, spent)
	cuts := make(chan *slice)
	g.Go(func() error {
		defer close(cuts)
		for b := range blocks {
			select {
			case cuts <- &slice{block: b}:
			case <-gctx.Done():
				return gctx.Err()
			}
		}
		return nil
	})
	cut := stage.InOrder(gctx, g, s.Workers, cuts, func(_ context.Context, sl *slice) error {
		if sl.err != nil {
			return sl.err
		}
		return s.cut(sl, columns, ready[sl.number], blanked)
	})
	out := &partWriter{manifest: m, dir: dir, rows: partRows, of: (m.Rows + partRows - 1) / partRows}
	g.Go(func() error {
		for sl := range cut {
			if err := out.write(sl, len(columns)); err != nil {
				return err
			}
			select {
			case spent <- sl.block:
			default:
			}
		}
		return nil
	})
	if err := errors.Join(g.Wait(), out.close()); err != nil {
		return err
	}
	if sum := s.reader.SHA256(); hex.EncodeToString(sum[:]) != m.Source.SHA256 {
		return schema.Refuse(schema.CodeFileChanged, "").At(s.plan.File, 0, 0)
	}
	return nil
}

// cutColumns returns the pairs that parts have, in the order of the template.
func (s *survey) cutColumns() []*pair {
	var columns []*pair
	for _, number := range s.written() {
		n := slices.IndexFunc(s.checker.pairs, func(p pair) bool { return p.number == number })
		columns = append(columns, &s.checker.pairs[n])
	}
	return columns
}

// cut takes out of a block what its rows that are handed off have in these columns.
func (s *survey) cut(sl *slice, columns []*pair, ready []uint64, blanked map[[2]int][]int) error {
	c := s.checker
	if err := sl.text.Parse(c.format, &sl.Records); err != nil {
		return err
	}
	for i := range sl.Records.Len() {
		if ready[i/64]&(1<<(i%64)) == 0 {
			continue
		}
		record, _ := c.layout.Fit(&sl.Records, i, c.format)
		sl.lines = append(sl.lines, sl.Records.Line(i))
		doubtful := blanked[[2]int{sl.number, i}]
		for _, p := range columns {
			cell := ""
			if raw := record[p.at]; raw != "" || p.kind == claimKind {
				cell = c.written(p, raw)
			}
			if doubtful != nil && slices.ContainsFunc(doubtful, func(n int) bool { return c.pairs[n].at == p.at }) {
				cell = ""
			}
			sl.cells = append(sl.cells, cell)
		}
	}
	return nil
}

// written returns a cell as Control Hub is to read it.
func (c *checker) written(p *pair, raw string) string {
	switch p.kind {
	case claimKind:
		return "TRUE"
	case serviceKind:
		value, _, ok := schema.ReadBool(c.layout.Cell(raw))
		switch {
		case ok && value:
			return "TRUE"
		case ok && c.mode == folder.AddRemove:
			return "FALSE"
		}
		return "" // in the other mode it would say nothing, and uploaded in the wrong one too much
	case textKind, addressKind, nameKind, readOnlyKind:
	}
	return c.layout.Cell(raw)
}

// partWriter writes rows into parts.
type partWriter struct {
	manifest *folder.Manifest
	dir      string
	rows, of int // rows of a part, parts

	file   *os.File // nil: no part is open
	hash   hash.Hash
	writer *dialect.Writer
}

// write writes the rows of a block, into the next parts where one is full.
func (w *partWriter) write(sl *slice, columns int) error {
	for i, line := range sl.lines {
		if w.file == nil {
			if err := w.open(); err != nil {
				return err
			}
		}
		// What begins with = or @ is refused, and nothing else is guarded: Control Hub takes cells as they
		// are.
		if err := w.writer.WriteRaw(sl.cells[i*columns : (i+1)*columns]); err != nil {
			return fmt.Errorf("write a part: %w", err)
		}
		part := &w.manifest.Parts[len(w.manifest.Parts)-1]
		part.Lines.Add(line)
		if part.Rows++; part.Rows == w.rows {
			if err := w.close(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *partWriter) open() (err error) {
	name := folder.PartName(len(w.manifest.Parts)+1, w.of)
	if w.file, err = create(filepath.Join(w.dir, name)); err != nil {
		return err
	}
	w.manifest.Parts = append(w.manifest.Parts, folder.Part{FileSum: folder.FileSum{File: name}})
	w.hash = sha256.New()
	w.writer = dialect.NewWriter(io.MultiWriter(w.file, w.hash), schema.Format{CRLF: true})
	if err := w.writer.WriteRaw(w.manifest.Columns); err != nil {
		return fmt.Errorf("write a part: %w", err)
	}
	return nil
}

// close ends the part that is open.
func (w *partWriter) close() error {
	if w.file == nil {
		return nil
	}
	err := errors.Join(w.writer.Flush(), w.file.Close())
	w.file = nil
	if err != nil {
		return fmt.Errorf("write a part: %w", err)
	}
	part := &w.manifest.Parts[len(w.manifest.Parts)-1]
	part.SHA256 = hex.EncodeToString(w.hash.Sum(nil))
	return nil
}
