package pipeline

import (
	"context"
	"fmt"
	"math"

	"github.com/claimline/claimline/pipeline/kept"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// keeper is the last stage of planning an import: it keeps the file, with the verdicts and what claiming
// takes. What it keeps as one chunk, and what is applied in one transaction, is several of the blocks in
// which the file is read: large transactions make shuffled files cheaper, small blocks keep memory low.
type keeper struct {
	store   *store.Store
	owner   store.Owner
	persist func(ctx context.Context, watch Watch, do func() error) error
	watch   Watch
	done    func(rows schema.Tally) // told of rows that are never to be applied

	// How much a kept chunk has; the last block that comes may go beyond.
	maxRows, maxBytes int

	chunk kept.Chunk
}

// keptBytes is how much text a transaction applies.
const keptBytes = 4 << 20

func (p *Flow) newKeeper(owner store.Owner, order schema.Order, watch Watch) *keeper {
	k := &keeper{store: p.Store, owner: owner, persist: p.persist, watch: watch, done: func(rows schema.Tally) { p.applied(rows, 0) }, maxRows: DefaultTransactionRows, maxBytes: keptBytes}
	if p.TransactionRows != 0 {
		k.maxRows = p.TransactionRows
	}
	if order.AllOrNothing { // one chunk, for it is one transaction
		k.maxRows, k.maxBytes = math.MaxInt, math.MaxInt
	}
	return k
}

// add takes in one more block.
func (k *keeper) add(ctx context.Context, b *block) error {
	for i := range b.checked {
		if b.Verdicts[i].Outcome == schema.Ready {
			b.ready.Rows = append(b.ready.Rows, kept.ReadyRow{
				Row: i, Line: b.Records.Line(i), Assignments: b.checked[i].Assignments, Target: b.checked[i].Target,
			})
		}
	}
	k.chunk.Add(&b.text, b.Verdicts, &b.ready)
	if k.chunk.Len() < k.maxRows && k.chunk.Bytes() < k.maxBytes {
		return nil
	}
	return k.flush(ctx)
}

// flush keeps what there is.
func (k *keeper) flush(ctx context.Context) error {
	if k.chunk.Len() == 0 {
		return nil
	}
	packed := k.chunk.Pack()
	if err := k.persist(ctx, k.watch, func() error { return k.store.KeepChunk(ctx, k.owner, packed) }); err != nil {
		return fmt.Errorf("keep chunk %d: %w", packed.Number, err)
	}
	if packed.Done {
		k.done(packed.Planned)
	}
	k.chunk.Next()
	return nil
}
