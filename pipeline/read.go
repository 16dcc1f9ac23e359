package pipeline

import (
	"context"
	"errors"
	"io"

	"golang.org/x/sync/errgroup"

	"github.com/claimline/claimline/pipeline/dialect"
)

// read cuts the file into blocks of whole rows. It is the first stage.
func read(ctx context.Context, g *errgroup.Group, reader *dialect.Reader, spent spentBlocks) <-chan *block {
	blocks := make(chan *block)
	g.Go(func() error {
		defer close(blocks)
		for {
			text, err := reader.Next(ctx)
			if errors.Is(err, io.EOF) {
				return nil
			}
			b := spent.get()
			if b.err = err; err == nil {
				b.text = *text
			}
			select {
			case blocks <- b: // an error too: what is wrong in an earlier block must be told first
			case <-ctx.Done():
				return ctx.Err()
			}
			if err != nil {
				return nil
			}
		}
	})
	return blocks
}
