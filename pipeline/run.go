package pipeline

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/meant"
	"github.com/claimline/claimline/pipeline/report"
	"github.com/claimline/claimline/pipeline/stage"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// planPass is the first pass over a file, ready to run: its stages, and what they share.
type planPass struct {
	reader   *dialect.Reader
	validate *validator
	plan     *counter
	source   dialect.Source
	workers  int
	claiming schema.Organization // blank where the order is Offline
	watch    Watch
}

// run reads the whole file and decides what an import would do with each row. keep, where it is not nil, is
// handed every block, in file order, once its verdicts stand.
//
//	file ─▶ read ─blocks▶ validate ─verdicts▶ plan ─▶ keep
func (p *planPass) run(ctx context.Context, keep func(context.Context, *block) error) (*schema.Plan, error) {
	g, gctx := errgroup.WithContext(ctx)
	spent := make(spentBlocks, 2*p.workers+2) // as many as may be on their way
	blocks := read(gctx, g, p.reader, spent)
	validated := stage.InOrder(gctx, g, p.workers, blocks, p.validate.validate)
	g.Go(func() error {
		for b := range validated {
			if err := p.plan.add(b); err != nil {
				return err
			}
			if keep != nil {
				if err := keep(gctx, b); err != nil {
					return err
				}
			}
			spent.put(b)
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return p.plan.finish(p.source, p.reader)
}

// errSpent ends the second pass when its budget is spent.
var errSpent = errors.New("the budget is spent")

// apply runs the second pass: it claims what the plan found ready, chunk by chunk, until none is left or the
// budget is spent; more says that some are. Each is one transaction, in which the rules are asked again where
// anything has changed since the plan.
//
//	kept chunks ─▶ unpack ─ready rows▶ decide, write
func (p *Flow) apply(ctx context.Context, owner store.Owner, budget time.Duration, watch Watch) (more bool, err error) {
	var imp schema.Import
	var numbers []int
	err = p.persist(ctx, watch, func() (err error) {
		if imp, err = p.Store.Import(ctx, "", owner.ImportID); err != nil {
			return fmt.Errorf("read the import: %w", err)
		}
		if numbers, err = p.Store.Chunks(ctx, imp.OrganizationID, imp.ID, true); err != nil {
			return fmt.Errorf("list the chunks: %w", err)
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	a, err := p.newApplyPass(owner, imp, watch)
	if err != nil {
		return false, err
	}

	var spent <-chan time.Time // without a budget, never
	if budget > 0 {
		timer := time.NewTimer(budget)
		defer timer.Stop()
		spent = timer.C
	}
	g, gctx := errgroup.WithContext(ctx)
	chunks := fetch(gctx, g, numbers)
	unpacked := stage.InOrder(gctx, g, p.Workers, chunks, a.unpack)
	g.Go(func() error {
		left := len(numbers)
		for c := range unpacked {
			if err := a.write(gctx, c); err != nil {
				return err
			}
			if left--; left == 0 {
				continue
			}
			select {
			case <-spent:
				return errSpent
			default:
			}
		}
		return nil
	})
	if err = g.Wait(); errors.Is(err, errSpent) {
		return true, nil
	}
	return false, err
}

// blockRows is how many rows a block has in which the file is read. More cost memory and gain nothing.
const blockRows = 2500

// Validate decides what an import of the file would do with each row, and changes nothing: the dry run. to,
// where it is not nil, is written as the rows come by. Refused as a whole, before any row: see the codes of
// files in package schema.
func (p *Flow) Validate(ctx context.Context, source dialect.Source, order schema.Order, to *report.Report, watch Watch) (*schema.Plan, error) {
	started := p.now()
	pass, err := p.open(ctx, source, order, maphash.MakeSeed(), &usersfile.Seen{}, watch)
	if err != nil {
		return nil, err
	}
	if to != nil && pass.validate.layout.Has(usersfile.Claim) {
		if !to.Rewinds() { // what makes a report begin again has to be known before it begins
			if _, err := pass.run(ctx, nil); err != nil {
				return nil, err
			}
			if pass, err = p.again(ctx, pass); err != nil {
				return nil, err
			}
		}
	}
	var rows *report.Writer
	plan, err := p.plan(ctx, pass, func(pass *planPass) (func(context.Context, *block) error, error) {
		if to == nil {
			return nil, nil
		}
		rows, err = to.Begin(pass.validate.layout, pass.validate.format, pass.claiming, p.Policy)
		return func(_ context.Context, b *block) error { return rows.Write(&b.Rows) }, err
	})
	if err != nil || to == nil {
		return plan, err
	}
	return plan, rows.End(report.Whole{Summary: plan.Summary(order, started, p.now()), Order: order})
}

// plan makes a plan. Two rows of one address may contradict each other, however far apart they stand, and the
// earlier one has gone by when the later one is read: then the file is read once more, with all such
// addresses known. begin is called before each reading, and returns what every block is handed to once its
// verdicts stand.
func (p *Flow) plan(ctx context.Context, pass *planPass, begin func(*planPass) (func(context.Context, *block) error, error)) (*schema.Plan, error) {
	for {
		each, err := begin(pass)
		if err != nil {
			return nil, err
		}
		plan, err := pass.run(ctx, each)
		if err != nil || !pass.plan.seen.Late() {
			return plan, err
		}
		if pass, err = p.again(ctx, pass); err != nil {
			return nil, err
		}
	}
}

// again opens the file of a pass that has been run, for one that knows what that one found out.
func (p *Flow) again(ctx context.Context, pass *planPass) (*planPass, error) {
	next, err := p.open(ctx, pass.source, pass.validate.order, pass.validate.seed, pass.plan.seen.Again(), pass.watch)
	if err != nil {
		return nil, err
	}
	next.validate.prepares = pass.validate.prepares
	return next, nil
}

// open inspects the file and gathers what its rows are checked against.
func (p *Flow) open(ctx context.Context, source dialect.Source, order schema.Order, seed maphash.Seed, seen *usersfile.Seen, watch Watch) (*planPass, error) {
	source = dialect.InSheet(source, order.Sheet)
	rules := p.rules()
	var services []string
	var pool *claim.Licenses
	var claiming schema.Organization
	if !order.Offline {
		if p.Store == nil {
			return nil, errors.New("plan an import: this flow has no store")
		}
		var err error
		if claiming, err = p.Store.Organization(ctx, order.Organization); err != nil {
			return nil, err
		}
		if err := claim.CheckMayClaim(&claiming); err != nil {
			return nil, err
		}
		licenses, err := p.Store.Licenses(ctx, rules, order.Organization)
		if err != nil {
			return nil, err
		}
		pool = claim.NewLicenses(licenses)
		services = pool.Services()
	}
	file := meant.File{Source: source, Order: order, Services: services, Limits: p.blockLimits()}
	if !order.Offline {
		file.Facts = func(ctx context.Context, keys []string) (claim.Facts, error) {
			return p.Store.Facts(ctx, order.Organization, keys)
		}
	}
	reader, l, mojibake, err := file.Open(ctx)
	if err != nil {
		return nil, err
	}
	v := &validator{pipeline: p, order: order, layout: l, format: reader.Format(), rules: rules, seed: seed}
	if p.Strict {
		v.strict = usersfile.NewStrict()
	}
	stage := p.newCounter(source, order, reader, l, pool, seen, watch)
	stage.plan.Mojibake = mojibake
	return &planPass{reader: reader, validate: v, plan: stage, source: source, workers: p.Workers, claiming: claiming, watch: watch}, nil
}

// blockLimits returns the limits of a file that is read in parts.
func (p *Flow) blockLimits() dialect.Limits {
	limits := p.Limits
	if limits.BlockRows == 0 {
		limits.BlockRows = blockRows
	}
	if p.TransactionRows != 0 {
		limits.BlockRows = min(limits.BlockRows, p.TransactionRows)
	}
	return limits
}
