package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// applyStage is the stages of the second pass: it claims what the plan found ready.
type applyStage struct {
	pipeline *Pipeline
	owner    store.Owner
	order    Order
	mails    bool // activation mails
	plan     *Plan
	layout   *layout
	done     int // rows whose turn has come
	total    int
}

// batch is one chunk on its way through the second pass: the rows that are ready, with their address keys, sorted.
type batch struct {
	number   int
	verdicts []verdict // of all rows of the chunk, as planned
	ready    []readyRow
	keys     []string    // one per ready row
	facts    claim.Facts // of keys, looked up ahead of the transaction
}

type readyRow struct {
	row     int // index into verdicts
	line    int
	wishes  []claim.Wish
	profile schema.Profile
}

func (p *Pipeline) newApplyStage(owner store.Owner, imp schema.Import, plan *Plan) (*applyStage, error) {
	l, err := newLayout(imp.File, 1, plan.Header, plan.Services)
	if err != nil {
		return nil, fmt.Errorf("read the kept header: %w", err)
	}
	return &applyStage{
		pipeline: p, owner: owner, plan: plan, layout: l, mails: imp.ActivationEmails,
		order: Order{Organization: imp.OrganizationID, AllOrNothing: imp.AllOrNothing},
		total: imp.Tally.Outcomes[schema.Ready],
	}, nil
}

// fetch is the first stage: it names the chunks whose turn comes.
func fetch(ctx context.Context, g *errgroup.Group, numbers []int) <-chan *batch {
	batches := make(chan *batch)
	g.Go(func() error {
		defer close(batches)
		for _, number := range numbers {
			select {
			case batches <- &batch{number: number}:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return batches
}

// unpack is the second stage: it reads a kept chunk, picks the rows that are ready, and looks their accounts up. Verdicts
// are not made anew.
func (a *applyStage) unpack(ctx context.Context, b *batch) error {
	kept, err := a.pipeline.Store.Chunk(ctx, a.owner.ImportID, b.number)
	if err != nil {
		return fmt.Errorf("read chunk %d: %w", b.number, err)
	}
	c, err := unpackChunk(kept, a.plan.Format, kept.Verdicts)
	if err != nil {
		return fmt.Errorf("unpack chunk %d: %w", b.number, err)
	}
	b.verdicts, c.verdicts = c.verdicts, nil
	defer spentChunks.Put(c)
	var values cells
	c.rows = cleared(c.rows, len(b.verdicts))
	numbers := make([]int, 0, len(b.verdicts))
	profiles := make([]schema.Profile, 0, len(b.verdicts))
	hasServices := a.layout.hasServices()
	for i := range b.verdicts {
		if b.verdicts[i].Outcome != schema.Ready {
			continue
		}
		record := c.records.Cells(i)
		a.layout.clean(record, &values)
		c.rows[i].key, _ = schema.ParseAddress(values[email])
		if hasServices {
			c.rows[i].wishes = make([]claim.Wish, len(a.layout.names))
			a.layout.checkServices(record, &c.rows[i], &finding{})
		}
		profiles = append(profiles, values.profile())
		numbers = append(numbers, i)
	}
	keys, place := uniqueKeys(c.rows, numbers)
	b.keys, b.ready = keys, make([]readyRow, len(keys))
	for n, i := range numbers {
		b.ready[place[n]] = readyRow{row: i, line: c.records.Line(i), wishes: c.rows[i].wishes, profile: profiles[n]}
	}
	if b.facts, err = a.pipeline.Store.Facts(ctx, a.order.Organization, keys); err != nil {
		return fmt.Errorf("look up chunk %d: %w", b.number, err)
	}
	return nil
}

// tries is how often a chunk is tried before its rows are failed.
const tries = 3

// chunk is the third stage: one transaction per chunk, one after the other in file order, because licences are given out
// in that order. Its transaction runs to its end even when ctx is cancelled in the middle.
func (a *applyStage) chunk(ctx context.Context, b *batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	whole := context.WithoutCancel(ctx)
	apply := func(decide func(claim.Clock, *batch, claim.Facts) (store.Applied, error)) error {
		clock := a.pipeline.clock()
		return a.pipeline.Store.ApplyChunk(whole, a.owner, clock, b.number, b.keys, b.facts,
			func(facts claim.Facts) (store.Applied, error) { return decide(clock, b, facts) })
	}
	err := apply(a.decide)
	for try := 1; err != nil && try < tries && mayPass(err); try++ {
		a.pipeline.Log.Warn().Err(err).Int("chunk", b.number).Int("try", try).Msg("applying a chunk failed, trying again")
		if !wait(ctx, time.Duration(try)*100*time.Millisecond) {
			return ctx.Err()
		}
		err = apply(a.decide)
	}
	if err != nil && mayPass(err) {
		a.pipeline.Log.Error().Err(err).Int("chunk", b.number).Msg("applying a chunk failed, its rows are given up")
		err = apply(a.fail)
	}
	if err != nil {
		return err
	}
	a.done += len(b.ready)
	a.pipeline.progress(Applying, a.done, a.total)
	return nil
}

// mayPass reports whether an error is neither a refusal nor a state of the database in which the next chunk would fail
// as well: then the import had better stop, to be resumed.
func mayPass(err error) bool {
	_, refused := errors.AsType[*schema.Error](err)
	return !refused && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// decide asks the rules again, on facts that are locked, and says what to write. It can only narrow what was planned.
func (a *applyStage) decide(clock claim.Clock, b *batch, facts claim.Facts) (store.Applied, error) {
	if err := MayClaim(facts.Claiming); err != nil {
		return store.Applied{}, err
	}
	licensing := licensing{pool: claim.NewPool(facts.Licenses)}
	wishesFor := a.wishesFor(licensing.pool.Services())
	verdicts := slices.Clone(b.verdicts)
	claims := make([]store.NewClaim, 0, len(b.ready))
	claimed := make([]int, 0, len(b.ready)) // verdict of each claim
	var claimedLike claimedFindings

	for _, n := range b.fileOrder() {
		r, account := &b.ready[n], clock.AsOf(facts.Accounts[n])
		v := &verdicts[r.row]
		planned := v.Type
		decision := clock.Decide(&facts.Claiming, facts.Domains[schema.KeyDomain(b.keys[n])], account, "").Confirm(planned)
		v.take(decision, a.layout)
		if decision.Outcome != schema.Ready {
			continue
		}
		services, _ := licensing.ready(v, wishesFor(r.wishes))
		v.finding = claimedLike.of(v.finding)
		claims = append(claims, store.NewClaim{
			AccountID: account.ID, Type: v.Type, StatusBefore: account.User.Status, Line: r.line,
			Edits: account.User.Edits(r.profile), Services: services,
		})
		claimed = append(claimed, r.row)
	}

	if a.order.AllOrNothing && slices.ContainsFunc(verdicts, spoils) {
		for _, i := range claimed {
			verdicts[i].finding = found(schema.CodeAllOrNothing, "", "")
		}
		claims, claimed = nil, nil
	}
	return store.Applied{
		Claims: claims, ActivationMails: a.mails, Assigned: assigned(claims), Tally: tally(verdicts),
		Results: func(ids []int64) []byte {
			for n, id := range ids {
				verdicts[claimed[n]].claimID = id
			}
			return pack(encodeVerdicts(verdicts))
		},
	}, nil
}

// claimedFindings turns findings of ready rows into those of claimed ones, one each.
type claimedFindings map[*finding]*finding

func (c *claimedFindings) of(ready *finding) *finding {
	claimed, ok := (*c)[ready]
	if !ok {
		claimed = new(*ready)
		claimed.Outcome = schema.Claimed
		if *c == nil {
			*c = claimedFindings{}
		}
		(*c)[ready] = claimed
	}
	return claimed
}

// fail gives up the ready rows of a chunk that broken machinery kept from being applied.
func (a *applyStage) fail(_ claim.Clock, b *batch, _ claim.Facts) (store.Applied, error) {
	verdicts := slices.Clone(b.verdicts)
	for _, r := range b.ready {
		verdicts[r.row].finding = found(schema.CodeInternal, "", "")
	}
	return store.Applied{
		Tally:   tally(verdicts),
		Results: func([]int64) []byte { return pack(encodeVerdicts(verdicts)) },
	}, nil
}

// spoils reports whether a row keeps an all-or-nothing import from claiming anybody.
func spoils(v verdict) bool {
	return v.Outcome == schema.Invalid || v.Outcome == schema.Ineligible || v.Outcome == schema.Failed
}

// fileOrder lists the ready rows in the order of the file, which is the order in which licences are given out.
func (b *batch) fileOrder() []int {
	order := make([]int, len(b.ready))
	for n := range order {
		order[n] = n
	}
	slices.SortFunc(order, func(x, y int) int { return b.ready[x].row - b.ready[y].row })
	return order
}

// wishesFor maps a row's wishes, which stand in the order of the services when the plan was made, to the services
// there are now.
func (a *applyStage) wishesFor(services []string) func([]claim.Wish) []claim.Wish {
	if slices.Equal(services, a.plan.Services) {
		return func(wishes []claim.Wish) []claim.Wish { return wishes }
	}
	return func(wishes []claim.Wish) []claim.Wish {
		if wishes == nil {
			return nil
		}
		now := make([]claim.Wish, len(services))
		for i, service := range services {
			if was := slices.Index(a.plan.Services, service); was >= 0 {
				now[i] = wishes[was]
			}
		}
		return now
	}
}

// assigned counts the licences that immediate claims were given.
func assigned(claims []store.NewClaim) map[string]int {
	counts := map[string]int{}
	for i := range claims {
		if claims[i].Type == schema.Immediate {
			for _, service := range claims[i].Services {
				counts[service]++
			}
		}
	}
	return counts
}
