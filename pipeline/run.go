package pipeline

import (
	"context"
	"fmt"
	"hash/maphash"

	"golang.org/x/sync/errgroup"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// planning is the first pass over a file, ready to run: its stages, and what they share.
type planning struct {
	reader   *dialect.Reader
	validate *validateStage
	plan     *planStage
	source   *Source
	workers  int
	claiming schema.Organization // blank where the order is Offline
}

// run reads the whole file and decides what an import would do with each row. keep, where it is not nil, is handed
// every chunk, in file order, once its verdicts stand.
//
//	file ─▶ read ─chunks▶ validate ─verdicts▶ plan ─▶ keep
func (p *planning) run(ctx context.Context, keep func(context.Context, *chunk) error) (*Plan, error) {
	g, gctx := errgroup.WithContext(ctx)
	spent := make(spentChunks, 2*p.workers+2) // as many as may be on their way
	chunks := read(gctx, g, p.reader, spent)
	validated := inOrder(gctx, g, p.workers, chunks, p.validate.chunk)
	g.Go(func() error {
		for c := range validated {
			if err := p.plan.chunk(c); err != nil {
				return err
			}
			if keep != nil {
				if err := keep(gctx, c); err != nil {
					return err
				}
			}
			spent.put(c)
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return p.plan.finish(p.source, p.reader)
}

// apply is the second pass: it claims what the plan found ready, chunk by chunk. Each is one transaction, in which the
// rules are asked again where anything has changed since the plan.
//
//	kept chunks ─▶ unpack ─ready rows▶ decide, write
func (p *Pipeline) apply(ctx context.Context, owner store.Owner, imp schema.Import, plan *Plan) error {
	a, err := p.newApplyStage(owner, imp, plan)
	if err != nil {
		return err
	}
	numbers, err := p.Store.Chunks(ctx, owner.ImportID, true)
	if err != nil {
		return fmt.Errorf("list the chunks: %w", err)
	}

	g, gctx := errgroup.WithContext(ctx)
	batches := fetch(gctx, g, numbers)
	unpacked := inOrder(gctx, g, p.Workers, batches, a.unpack)
	g.Go(func() error {
		for b := range unpacked {
			if err := a.chunk(gctx, b); err != nil {
				return err
			}
		}
		return nil
	})
	return g.Wait()
}

// chunkRows is how many rows a chunk has in which the file is read. More cost memory and gain nothing.
const chunkRows = 2500

// Plan decides what an import of the file would do with each row, and changes nothing: the dry run. report, where it is
// not nil, is written as the rows come by. Refused as a whole, before any row: see the codes of files in package schema.
func (p *Pipeline) Plan(ctx context.Context, source *Source, order Order, report *Report) (*Plan, error) {
	started := p.now()
	planning, err := p.open(ctx, source, order)
	if err != nil {
		return nil, err
	}
	if report == nil {
		return planning.run(ctx, nil)
	}
	rows := report.begin(planning.validate.layout, planning.validate.format, planning.claiming, p.Policy)
	plan, err := planning.run(ctx, func(_ context.Context, c *chunk) error { return rows.chunk(c) })
	if err != nil {
		return nil, err
	}
	return plan, rows.end(plan.Summary(order, started, p.now()))
}

// open inspects the file and gathers what its rows are checked against.
func (p *Pipeline) open(ctx context.Context, source *Source, order Order) (*planning, error) {
	clock := p.clock()
	var services []string
	var pool *claim.Pool
	var claiming schema.Organization
	if !order.Offline {
		var err error
		if claiming, err = p.Store.Organization(ctx, order.Organization); err != nil {
			return nil, err
		}
		if err := MayClaim(claiming); err != nil {
			return nil, err
		}
		licenses, err := p.Store.Licenses(ctx, clock, order.Organization)
		if err != nil {
			return nil, err
		}
		pool = claim.NewPool(licenses)
		services = pool.Services()
	}

	limits := p.Limits
	if limits.ChunkRows == 0 {
		limits.ChunkRows = chunkRows
	}
	if p.TransactionRows != 0 {
		limits.ChunkRows = min(limits.ChunkRows, p.TransactionRows)
	}
	reader, err := dialect.NewReader(ctx, source.Name, source.file, source.info.Size(),
		dialect.Options{Limits: limits, Names: emailNames, SingleByte: singleByte})
	if err != nil {
		return nil, err
	}
	l, err := newLayout(source.Name, reader.HeaderLine(), reader.HeaderCells(), services)
	if err != nil {
		return nil, err
	}
	v := &validateStage{pipeline: p, order: order, layout: l, format: reader.Format(), clock: clock, seed: maphash.MakeSeed()}
	if p.Strict {
		v.strict = newStrictChecks()
	}
	return &planning{
		reader: reader, validate: v, plan: p.newPlanStage(source, order, reader, l, pool), source: source, workers: p.Workers,
		claiming: claiming,
	}, nil
}

// MayClaim refuses, with CodeDirectorySyncEnabled, an organization that can claim nobody now (R10).
func MayClaim(organization schema.Organization) error {
	if !organization.DirectorySync {
		return nil
	}
	return schema.Refuse(schema.CodeDirectorySyncEnabled, "Directory synchronization is on in %s, so nobody can be claimed.", organization.Name)
}
