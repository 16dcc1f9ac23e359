package results

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/handoff/folder"
	"github.com/claimline/claimline/schema"
)

// Status says how far a hand-off is.
type Status struct {
	*folder.Manifest

	Parts   []PartStatus
	Results string // the last report of what Control Hub said; blank: none
	Checked string // the last report of what fresh exports show; blank: none
	Retry   string // the file of the rows to upload again, by the last report; blank: there are none
}

// PartStatus is how the rows of one part stand, by the last report that there is: one that was verified
// before what Control Hub said.
type PartStatus struct {
	File     string
	Rows     int
	There    bool // the file is in the folder
	Outcomes map[schema.Outcome]int
}

// Tally counts the rows of all parts by outcome.
func (s *Status) Tally() map[schema.Outcome]int {
	all := map[schema.Outcome]int{}
	for _, p := range s.Parts {
		for outcome, n := range p.Outcomes {
			all[outcome] += n
		}
	}
	return all
}

// Status says how far a hand-off is, and changes nothing.
func (f *Follower) Status(ctx context.Context, dir string) (*Status, error) {
	m, err := folder.ReadManifest(dir)
	if err != nil {
		return nil, err
	}
	s := &Status{Manifest: m, Parts: make([]PartStatus, len(m.Parts))}
	for i := range m.Parts {
		info, err := os.Stat(filepath.Join(dir, m.Parts[i].File))
		s.Parts[i] = PartStatus{File: m.Parts[i].File, Rows: m.Parts[i].Rows, There: err == nil && info.Mode().IsRegular(), Outcomes: map[schema.Outcome]int{}}
	}
	for kind, name := range map[string]*string{folder.Results: &s.Results, folder.Verified: &s.Checked, folder.Retry: &s.Retry} {
		if *name, _, err = folder.Latest(dir, kind); err != nil {
			return nil, err
		}
	}
	kind := folder.Results
	if s.Checked != "" {
		kind = folder.Verified
	}
	return s, f.count(ctx, dir, kind, s)
}

// count counts the rows of the last report of its kind, if there is one.
func (f *Follower) count(ctx context.Context, dir, kind string, s *Status) error {
	e, err := f.openReport(ctx, dir, kind)
	if err != nil || e == nil {
		return err
	}
	defer e.close()
	var records dialect.Records
	again := false
	for {
		err := e.reader.NextRecords(ctx, &records)
		if errors.Is(err, io.EOF) {
			if !again { // the file is of an earlier report
				s.Retry = ""
			}
			return nil
		}
		if err != nil {
			return err
		}
		for i := range records.Len() {
			cells := records.Cells(i)
			if slices.Max(e.columns[:]) >= len(cells) {
				return e.changed(records.Line(i))
			}
			part, err := strconv.Atoi(cells[e.columns[0]])
			outcome := schema.Outcome(cells[e.columns[2]])
			if err != nil || part < 1 || part > len(s.Parts) || !slices.Contains(schema.HandoffOutcomes, outcome) {
				return e.changed(records.Line(i))
			}
			s.Parts[part-1].Outcomes[outcome]++
			switch outcome {
			case schema.Refused:
				again = again || mendable(schema.Code(cells[e.columns[3]]))
			case schema.StillClaimable:
				again = true
			case schema.Claimed: // with a message where a licence is not as asked
				again = again || cells[e.columns[4]] != ""
			}
		}
	}
}
