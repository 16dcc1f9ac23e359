package stage

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// InOrder makes a stage that works on several items at once, at most as many as workers, and hands them on in
// the order in which they came: a queue of futures keeps it, so nothing is sorted and memory is bounded by
// the workers. The first error, in that order, ends the stage.
func InOrder[T any](ctx context.Context, g *errgroup.Group, workers int, in <-chan T, work func(context.Context, T) error) <-chan T {
	type future struct {
		item T
		err  chan error
	}
	queue := make(chan future, workers)
	out := make(chan T)

	g.Go(func() error {
		defer close(queue)
		var pool errgroup.Group
		pool.SetLimit(workers)
		defer func() { _ = pool.Wait() }() // its functions return nil: errors travel in the futures, to be told in order
		for item := range in {
			f := future{item: item, err: make(chan error, 1)}
			pool.Go(func() error {
				f.err <- work(ctx, f.item)
				return nil
			})
			select {
			case queue <- f:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})

	g.Go(func() error {
		defer close(out)
		for f := range queue {
			select {
			case err := <-f.err:
				if err != nil {
					return err
				}
			case <-ctx.Done():
				return ctx.Err()
			}
			select {
			case out <- f.item:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return out
}
