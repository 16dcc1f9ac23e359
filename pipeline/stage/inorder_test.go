package stage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"
)

// feed sends the numbers below n, as a stage does.
func feed(ctx context.Context, g *errgroup.Group, n int) <-chan int {
	out := make(chan int)
	g.Go(func() error {
		defer close(out)
		for i := range n {
			select {
			case out <- i:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return out
}

// Items come out in the order in which they came, none lost, never more under way than there are workers; the
// first error in that order is the one that is told, after everything before it; and no goroutine is left.
func TestInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
		n := rapid.IntRange(0, 60).Draw(t, "items")
		workers := rapid.IntRange(1, 5).Draw(t, "workers")
		bad := rapid.SliceOfN(rapid.IntRange(0, 80), 0, 3).Draw(t, "bad")
		last := n // of the items that come out, the first that does not
		for _, i := range bad {
			last = min(last, i)
		}

		g, ctx := errgroup.WithContext(t.Context())
		var underway, most atomic.Int32
		done := InOrder(ctx, g, workers, feed(ctx, g, n), func(_ context.Context, i int) error {
			now := underway.Add(1)
			defer underway.Add(-1)
			for seen := most.Load(); now > seen && !most.CompareAndSwap(seen, now); seen = most.Load() {
			}
			if slices.Contains(bad, i) {
				return fmt.Errorf("item %d", i)
			}
			return nil
		})
		var got []int
		g.Go(func() error {
			for i := range done {
				got = append(got, i)
			}
			return nil
		})
		err := g.Wait()

		require.Len(t, got, last)
		for i := range got {
			require.Equal(t, i, got[i])
		}
		if last < n {
			require.EqualError(t, err, fmt.Sprintf("item %d", last))
		} else {
			require.NoError(t, err)
		}
		require.LessOrEqual(t, int(most.Load()), workers)
	})
}

// Later items that fail sooner do not go before an earlier one that fails late.
func TestInOrderTellsTheFirstError(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	g, ctx := errgroup.WithContext(t.Context())
	second := make(chan struct{})
	done := InOrder(ctx, g, 2, feed(ctx, g, 2), func(_ context.Context, i int) error {
		if i == 0 {
			<-second
			return errors.New("first")
		}
		defer close(second)
		return errors.New("second")
	})
	for range done {
		require.Fail(t, "an item came out")
	}
	require.EqualError(t, g.Wait(), "first")
}

// A stage further on that gives up ends this one.
func TestInOrderIsCancelled(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for _, taken := range []int{0, 1, 7} {
		g, ctx := errgroup.WithContext(t.Context())
		done := InOrder(ctx, g, 3, feed(ctx, g, 1000), func(context.Context, int) error { return nil })
		gaveUp := errors.New("gave up")
		g.Go(func() error {
			for range taken {
				<-done
			}
			return gaveUp
		})
		require.ErrorIs(t, g.Wait(), gaveUp)
	}
}
