package pipeline

import (
	"context"

	"github.com/claimline/claimline/pipeline/snapshot"
)

// LoadOrder says how somebody wants a snapshot read.
type LoadOrder struct {
	Encoding string   // of files that are neither UTF-8 nor UTF-16; blank: such a file is refused
	Ignore   []string // columns, files and services that may pass although they are not understood
}

// Load takes in the snapshot in a folder, all or nothing. What is wrong is snapshot.Errors, with files, lines and columns.
func (p *Pipeline) Load(ctx context.Context, folder string, order LoadOrder) (*snapshot.Loaded, error) {
	return snapshot.Load(ctx, p.Store, p.rules(), folder, snapshot.Options{
		Encoding: order.Encoding, Ignore: order.Ignore, Limits: p.Limits,
		Loaded: func(rows int) { p.progress(Loading, rows, 0) },
	})
}
