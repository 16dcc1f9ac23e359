package pipeline

import (
	"context"

	"github.com/claimline/claimline/pipeline/snapshot"
)

// LoadOrder says how somebody wants a snapshot read.
type LoadOrder struct {
	Encoding string   // of files that are neither UTF-8 nor UTF-16; blank: such a file is refused
	Ignore   []string // columns, files and services that may pass although they are not understood
	Watch    Watch
}

// Load takes in the snapshot in a folder, all or nothing. What is wrong is snapshot.Errors, with files, lines and columns.
func (p *Pipeline) Load(ctx context.Context, folder string, order LoadOrder) (*snapshot.Loaded, error) {
	return snapshot.Load(ctx, p.Store, p.clock(), folder, snapshot.Options{
		Encoding: order.Encoding, Ignore: order.Ignore, Limits: p.Limits,
		Open: func(path string) (snapshot.File, error) {
			source, err := OpenSource(path, nil)
			if err != nil {
				return nil, err
			}
			return tableFile{source}, nil
		},
		Loaded: func(rows int) { order.Watch.progress(Loading, rows, 0) },
	})
}

// tableFile is a Source as a file of a snapshot.
type tableFile struct{ source *Source }

func (f tableFile) ReadAt(into []byte, at int64) (int, error) { return f.source.file.ReadAt(into, at) }
func (f tableFile) Close() error                              { return f.source.Close() }
func (f tableFile) Size() int64                               { return f.source.info.Size() }
func (f tableFile) Unchanged() error                          { return f.source.unchanged() }
