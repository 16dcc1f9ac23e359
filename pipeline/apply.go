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
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// applyStage is the stages of the second pass: it claims what the plan found ready.
type applyStage struct {
	pipeline *Pipeline
	owner    store.Owner
	order    Order
	mails    bool // activation mails
	plan     *Plan
	layout   *usersfile.Layout
	done     int // ready rows whose turn has come
	total    int
}

// batch is one chunk on its way through the second pass.
type batch struct {
	kept     store.Chunk
	verdicts []verdict // of all rows of the chunk, as planned
	*prepared
	values []usersfile.Values // of the ready rows; only where the rules are asked again
	keys   []string           // likewise: their address keys
	breaks map[int]bool       // rows, by their number among the ready ones, that break something; nil: none that is known
}

func (p *Pipeline) newApplyStage(owner store.Owner, imp schema.Import, plan *Plan) (*applyStage, error) {
	order, err := OrderOf(imp)
	if err != nil {
		return nil, err
	}
	l, err := plan.layout(order)
	if err != nil {
		return nil, err
	}
	return &applyStage{
		pipeline: p, owner: owner, plan: plan, layout: l, mails: imp.ActivationEmails,
		order: order,
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
			case batches <- &batch{kept: store.Chunk{Number: number}}:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return batches
}

// unpack is the second stage: it reads a kept chunk, with what was prepared of its ready rows. Verdicts are not made anew.
func (a *applyStage) unpack(ctx context.Context, b *batch) (err error) {
	number := b.kept.Number
	if b.kept, err = a.pipeline.Store.Chunk(ctx, a.owner.ImportID, number); err != nil {
		return fmt.Errorf("read chunk %d: %w", number, err)
	}
	if b.verdicts, err = unpackVerdicts(b.kept.Verdicts); err != nil {
		return fmt.Errorf("unpack chunk %d: %w", number, err)
	}
	if b.prepared, err = unpackPrepared(b.kept.Prepared, b.verdicts); err != nil {
		return fmt.Errorf("unpack chunk %d: %w", number, err)
	}
	if len(b.rows) > 0 && len(b.rows[0].wishes) != 0 && len(b.rows[0].wishes) != len(a.plan.Services) {
		return fmt.Errorf("unpack chunk %d: %w", number, errPreparedDamaged)
	}
	return nil
}

// readAgain reads the ready rows themselves, to ask the rules again, and returns their address keys.
func (a *applyStage) readAgain(b *batch) ([]string, error) {
	if b.keys != nil {
		return b.keys, nil
	}
	c, err := unpackRows(b.kept, a.plan.Format)
	if err != nil {
		return nil, fmt.Errorf("unpack chunk %d: %w", b.kept.Number, err)
	}
	if c.records.Len() != len(b.verdicts) {
		return nil, errVerdictsDamaged
	}
	b.keys, b.values = make([]string, len(b.rows)), make([]usersfile.Values, len(b.rows))
	for n := range b.rows {
		record, _ := a.layout.Fit(&c.records, b.rows[n].row, a.plan.Format)
		a.layout.Read(record, &b.values[n], &usersfile.Repairs{})
		usersfile.Spell(&b.values[n], &usersfile.Repairs{})
		b.keys[n], _ = schema.ParseAddress(b.values[n][usersfile.Email])
	}
	return b.keys, nil
}

// chunk is the third stage: one transaction per chunk, one after the other in file order, because licences are given out
// in that order. Its transaction runs to its end even when ctx is cancelled in the middle. Trouble that may pass costs no row:
// the chunk is tried again. A row is failed only where it is that row that breaks something.
func (a *applyStage) chunk(ctx context.Context, b *batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	patience := a.pipeline.patience()
	for looked := false; ; {
		err := a.apply(context.WithoutCancel(ctx), b, nil)
		if err == nil {
			break
		}
		if broken(err) && !looked {
			looked = true
			if b.breaks, err = a.breaking(ctx, b, err); err == nil {
				continue
			}
		}
		if !patience.wait(ctx, err) {
			return errors.Join(ctx.Err(), err)
		}
	}
	a.done += len(b.rows)
	a.pipeline.progress(Applying, a.done, a.total)
	return nil
}

// apply applies a chunk in one transaction. With a try, it does all of it and then undoes it; nil says that it could have been
// done.
func (a *applyStage) apply(ctx context.Context, b *batch, try map[int]bool) error {
	clock := a.pipeline.clock()
	leaveOut := b.breaks
	made := false
	undo := func() {}
	if try != nil {
		leaveOut = try
		ctx, undo = context.WithCancel(ctx)
		defer undo()
	}
	err := a.pipeline.Store.ApplyChunk(ctx, a.owner, clock, b.kept.Number, b.known(a.owner, clock.Now),
		func() ([]string, error) { return a.readAgain(b) },
		func(facts claim.Facts) (store.Applied, error) {
			applied, err := a.decide(clock, b, facts, leaveOut, try != nil)
			if results := applied.Results; err == nil && try != nil {
				applied.Results = func(ids []int64) []byte { // every claim has been written
					made = true
					undo()
					return results(ids)
				}
			}
			return applied, err
		})
	if made && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// breaking finds the ready rows of a chunk without which it can be applied: those that break something, like a claim that the
// database does not take. It tries, by halves and in file order, which rows work together. Where no row is to blame, it
// returns why the chunk cannot be applied.
func (a *applyStage) breaking(ctx context.Context, b *batch, why error) (map[int]bool, error) {
	out := make(map[int]bool, len(b.rows)) // rows left out
	for n := range b.rows {
		out[n] = true
	}
	var trouble error
	tries := func() bool {
		err := ctx.Err()
		if err == nil {
			err = a.apply(ctx, b, out)
		}
		if err != nil && !broken(err) {
			trouble = err
		}
		return err == nil
	}
	if !tries() { // not even without any row
		return nil, errors.Join(trouble, why)
	}
	var take func(from, to int)
	take = func(from, to int) {
		for n := from; n < to; n++ {
			delete(out, n)
		}
		if from == to || tries() || trouble != nil {
			return
		}
		for n := from; n < to; n++ {
			out[n] = true
		}
		if to-from > 1 {
			middle := (from + to) / 2
			take(from, middle)
			take(middle, to)
		}
	}
	take(0, len(b.rows))
	switch {
	case trouble != nil:
		return nil, trouble
	case len(out) == 0:
		return nil, why
	}
	a.pipeline.Log.Error().Err(why).Int("chunk", b.kept.Number).Int("rows", len(out)).Msg("rows break something, and are given up")
	return out, nil
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

// decide asks the rules again, on facts that are locked, and says what to write. It can only narrow what was planned. Where
// nothing has changed since the plan, what was decided then is what they would say.
// Rows in leaveOut, by their number among the ready ones, are failed; while trying, that spoils nothing.
func (a *applyStage) decide(clock claim.Clock, b *batch, facts claim.Facts, leaveOut map[int]bool, trying bool) (store.Applied, error) {
	if err := MayClaim(facts.Claiming); err != nil {
		return store.Applied{}, err
	}
	licensing := licensing{pool: claim.NewPool(facts.Licenses)}
	wishesFor := a.wishesFor(licensing.pool.Services())
	verdicts := slices.Clone(b.verdicts)
	claims := make([]store.NewClaim, 0, len(b.rows))
	claimed := make([]int, 0, len(b.rows)) // verdict of each claim
	var claimedLike claimedFindings
	before := withoutLicenses{}

	for n := range b.rows { // in the order of the file, for licences are given out in that order
		r := b.rows[n]
		v := &verdicts[r.row]
		if facts.Unchanged {
			v.Finding = before.of(v.Finding)
		} else if account := clock.AsOf(facts.Accounts[n]); !a.decideRow(clock, &facts, &account, b, n, v) {
			continue
		} else {
			r.target = target{Seen: store.Seen{Account: account.ID, Version: account.Version}, status: account.User.Status}
		}
		if leaveOut[n] {
			v.Finding, v.edits = schema.NewFinding(schema.CodeInternal, ""), nil
			continue
		}
		services, _ := licensing.ready(v, wishesFor(r.wishes))
		v.Finding = claimedLike.of(v.Finding)
		claims = append(claims, r.claim(v.Type, services, v.edits))
		claimed = append(claimed, r.row)
	}

	if a.order.AllOrNothing && !trying && slices.ContainsFunc(verdicts, spoils) {
		for _, i := range claimed {
			verdicts[i].Finding, verdicts[i].edits = schema.NewFinding(schema.CodeAllOrNothing, ""), nil
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

// decideRow asks the rules again about the ready row n, and reports whether it still is.
func (a *applyStage) decideRow(clock claim.Clock, facts *claim.Facts, account *claim.Account, b *batch, n int, v *verdict) bool {
	domain := schema.KeyDomain(b.keys[n])
	decision := clock.Decide(&facts.Claiming, facts.Domains[domain], *account, "").Confirm(v.Type)
	if decision.Outcome != schema.Ready {
		v.edits = nil
		v.refuse(decision, a.layout, domain, clock.TypeFor, facts, account)
		return false
	}
	var doubtful []usersfile.Field
	if !a.order.NoEdits {
		values := &b.values[n]
		if schema.UnsignedPhone(values[usersfile.Phone]) {
			values[usersfile.Phone] = "" // it was ready because that was the account's own
		}
		var edits []usersfile.Edit
		edits, doubtful = usersfile.Compare(&account.User.Profile, values, nil)
		v.edits, doubtful = asPlanned(v.edits, edits, doubtful)
	}
	v.Finding = readyFinding(decision, doubtful)
	return true
}

// asPlanned narrows edits to those that the plan showed. The fields of the others, whose account has changed since, are
// doubtful too.
func asPlanned(planned, edits []usersfile.Edit, doubtful []usersfile.Field) ([]usersfile.Edit, []usersfile.Field) {
	var shown []usersfile.Edit
	for _, edit := range edits {
		if slices.Contains(planned, edit) {
			shown = append(shown, edit)
		} else {
			doubtful = append(doubtful, edit.Field)
		}
	}
	slices.Sort(doubtful)
	return shown, doubtful
}

// claimedFindings turns findings of ready rows into those of claimed ones, one each.
type claimedFindings map[*schema.Finding]*schema.Finding

func (c *claimedFindings) of(ready *schema.Finding) *schema.Finding {
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

// spoils reports whether a row keeps an all-or-nothing import from claiming anybody.
func spoils(v verdict) bool {
	return v.Outcome == schema.Invalid || v.Outcome == schema.Ineligible || v.Outcome == schema.Failed
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
