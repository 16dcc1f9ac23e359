package results

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/claimline/claimline/pipeline/controlhub"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/handoff/folder"
	"github.com/claimline/claimline/pipeline/kept"
	"github.com/claimline/claimline/pipeline/stage"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// partsReader reads the parts of a hand-off again, as they were made.
type partsReader struct {
	*Follower
	dir      string
	manifest *folder.Manifest
	layout   *usersfile.Layout
	address  int // the column of the addresses
}

// partRows is a block of one part.
type partRows struct {
	kept.Rows

	text   dialect.Block
	format schema.Format
	part   int // from 1
	first  int // number of the first row among those of the part, from 1; of the block behind the last: one more
	lines  []int
	ended  bool // there is nothing but the end of the part here
	err    error
}

// openParts returns a reader of the parts that the manifest of a folder names.
func (f *Follower) openParts(dir string) (*partsReader, error) {
	m, err := folder.ReadManifest(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, header := range m.Columns {
		if _, field := controlhub.Field(header); field < 0 {
			names = append(names, header)
		}
	}
	l, err := usersfile.NewLayout(filepath.Join(dir, folder.PartName(1, len(m.Parts))), 1, m.Columns, names, usersfile.Options{Offline: true})
	if err != nil {
		return nil, schema.Refuse(schema.CodeManifestInvalid, "The manifest's columns are none of a part.").At(filepath.Join(dir, folder.ManifestFile), 0, 0).Because(err)
	}
	return &partsReader{Follower: f, dir: dir, manifest: m, layout: l, address: slices.Index(m.Columns, m.Address)}, nil
}

// each hands over the rows of all parts, in their order. A part that is not as it was made is refused, with
// CodeFileChanged: at its end for what its bytes are, so nothing that was handed over counts then.
func (p *partsReader) each(ctx context.Context, hand func(*partRows) error) error {
	g, gctx := errgroup.WithContext(ctx)
	blocks := make(chan *partRows)
	g.Go(func() error {
		defer close(blocks)
		for i := range p.manifest.Parts {
			if err := p.read(gctx, i, blocks); err != nil {
				return err
			}
		}
		return nil
	})
	parsed := stage.InOrder(gctx, g, p.Workers, blocks, func(_ context.Context, b *partRows) error {
		if b.err != nil || b.ended {
			return b.err
		}
		if err := b.text.Parse(b.format, &b.Records); err != nil {
			return err
		}
		b.Verdicts = make([]kept.Verdict, b.Records.Len())
		return nil
	})
	g.Go(func() error {
		row, rows := 1, 0
		for b := range parsed {
			b.first = row
			count := p.manifest.Parts[b.part-1].Rows
			if row += b.Records.Len(); row > count+1 || b.ended && row != count+1 {
				return p.changed(b.part)
			}
			if b.ended {
				row = 1
				continue
			}
			b.Origins = make([]kept.Origin, b.Records.Len())
			for i := range b.Origins {
				b.Origins[i] = kept.Origin{Line: b.lines[b.first-1+i], Part: b.part, Row: b.first + i}
			}
			if err := hand(b); err != nil {
				return err
			}
			if rows += b.Records.Len(); p.Saw != nil {
				p.Saw(rows)
			}
		}
		return nil
	})
	return g.Wait()
}

// read sends the blocks of one part.
func (p *partsReader) read(ctx context.Context, i int, blocks chan<- *partRows) (err error) {
	part := &p.manifest.Parts[i]
	path := filepath.Join(p.dir, part.File)
	lines, err := part.Lines.Numbers(part.Rows)
	if err != nil {
		return schema.Refuse(schema.CodeManifestInvalid, "The manifest is damaged: %s of %s.", err, part.File).At(filepath.Join(p.dir, folder.ManifestFile), 0, 0)
	}
	file, err := dialect.OpenFile(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	reader, err := dialect.NewReader(ctx, file, dialect.Options{Limits: p.limits(), Encoding: "utf-8", Names: []string{p.manifest.Address}})
	if err != nil {
		return p.changed(i + 1).Because(err)
	}
	if !slices.Equal(reader.HeaderCells(), p.manifest.Columns) {
		return p.changed(i + 1)
	}
	send := func(b *partRows) error {
		b.part, b.format, b.lines = i+1, reader.Format(), lines
		select {
		case blocks <- b:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for {
		text, err := reader.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		b := &partRows{err: err}
		if err == nil {
			b.text = *text
		}
		if sent := send(b); sent != nil || err != nil {
			return sent
		}
	}
	if sum := reader.SHA256(); hex.EncodeToString(sum[:]) != part.SHA256 {
		return send(&partRows{err: p.changed(i + 1)})
	}
	return send(&partRows{ended: true})
}

// changed refuses a part that is not as it was made.
func (p *partsReader) changed(part int) *schema.Error {
	return schema.Refuse(schema.CodeFileChanged, "The part is not as it was made, so nobody knows what its rows are.").
		At(filepath.Join(p.dir, p.manifest.Parts[part-1].File), 0, 0).
		WithFix("Put it back as it was, or make the hand-off again in another folder: the same file and flags make the same parts.")
}

// key returns the address key of a row. The parts hold valid addresses, as they are.
func (p *partsReader) key(cells []string) string {
	if p.address >= len(cells) {
		return ""
	}
	key, _ := schema.ParseAddress(cells[p.address])
	return key
}
