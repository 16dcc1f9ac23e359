package results

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/claimline/claimline/pipeline/controlhub"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/handoff/folder"
	"github.com/claimline/claimline/pipeline/kept"
	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/schema"
)

// Follower follows hand-offs.
type Follower struct {
	Policy  schema.Policy
	Limits  dialect.Limits
	Workers int       // blocks worked on at once, at least 1
	Saw     func(int) // is told how many rows have come by; nil: nobody wants to know
}

// blockRows is how many rows a block has in which a part is read. More cost memory and gain nothing.
const blockRows = 2500

func (f *Follower) limits() dialect.Limits {
	limits := f.Limits
	if limits.BlockRows == 0 {
		limits.BlockRows = blockRows
	}
	return limits
}

// Errors is a file of errors that Control Hub has written.
type Errors struct {
	Source dialect.Source
	Part   int // the part that it is about, from 1; 0: its addresses tell
}

// Outcome is what became of the rows of a hand-off, as far as is known.
type Outcome struct {
	Folder string
	*folder.Manifest
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
	Why      schema.Text
}

// Results joins what Control Hub said to the rows of a hand-off, and adds a report of every row to its
// folder. Of a part that no file is about, what was known before still holds; where nothing was, its rows
// are accepted. firstRow, 1 or 2, is the number of a part's first row as Control Hub counts; 0: the files
// tell. to, where it is not nil, is written too.
//
// Refused with CodePartUnclear and CodeFirstRowUnclear where a file does not tell, with CodeRowUnknown
// where it is about rows that the part has not, and with CodeFileChanged where a part is not as it was
// made.
func (f *Follower) Results(ctx context.Context, dir string, files []Errors, firstRow int, to *report.Report) (*Outcome, error) {
	parts, err := f.openParts(dir)
	if err != nil {
		return nil, err
	}
	m := parts.manifest
	for _, file := range files {
		if file.Part > len(m.Parts) {
			return nil, schema.Refuse(schema.CodeUsage, "There is no part %d; the hand-off has %d.", file.Part, len(m.Parts))
		}
	}
	o := &Outcome{Folder: dir, Manifest: m}
	readings, err := parts.readings(ctx, files, firstRow)
	if err != nil {
		return nil, err
	}
	for _, r := range readings {
		o.Files = append(o.Files, r.ErrorNote)
	}
	before, err := f.openReport(ctx, dir, folder.Results)
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
	return o, parts.write(ctx, o, folder.Results, to, func(b *partRows) error {
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

// joiner holds what was said of the rows of one part at a time, so that memory does not grow with the
// parts.
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
		file, err := controlhub.OpenErrors(ctx, r.source, r.limits)
		if err != nil {
			return err
		}
		if err := file.Each(ctx, func(s controlhub.Said) error {
			if row := s.Number - r.FirstRow + 1; len(s.Messages) > 0 {
				words[row] = append(words[row], s.Messages...)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	for row, messages := range words {
		reasons := controlhub.Reasons(messages)
		j.refused[row] = &schema.Finding{
			Outcome: schema.Refused, Reasons: reasons, Message: strings.Clone(strings.Join(messages, " ")), Fix: string(fixOf(reasons[0])),
		}
	}
	return nil
}

// write gives every row of the parts its verdict, in order, and adds the report, and the rows to upload
// again, to the folder.
func (p *partsReader) write(ctx context.Context, o *Outcome, kind string, to *report.Report, judge func(*partRows) error) (err error) {
	full, err := folder.Add(p.dir, kind)
	if err != nil {
		return err
	}
	defer full.Remove()
	retry, err := folder.Add(p.dir, folder.Retry)
	if err != nil {
		return err
	}
	defer retry.Remove()
	format := schema.Format{CRLF: true, Columns: len(p.manifest.Columns)}
	reports := []*report.Report{{To: full.File, Format: report.CSV, Parts: true}}
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
	again := dialect.NewWriter(retry.File, schema.Format{CRLF: true})
	retries := 0
	err = p.each(ctx, func(b *partRows) error {
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
		Handoff: &report.Handoff{Folder: p.dir, Verified: kind == folder.Verified},
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
		if o.Retry, err = retry.Keep(); err != nil {
			return err
		}
	}
	o.Report, err = full.Keep()
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
		return v.Problem() // a licence is missing, or still there
	}
	return false
}
