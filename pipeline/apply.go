package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/kept"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// applyPass is the stages of the second pass: it claims what the plan found ready.
type applyPass struct {
	pipeline *Flow
	owner    store.Owner
	order    schema.Order
	mails    bool // activation mails
	plan     *schema.Plan
	layout   *usersfile.Layout
	decided  bool // what decides here is what decided the plan
	watch    Watch
	done     int // ready rows whose turn has come
	total    int
}

// chunk is a kept chunk on its way through the second pass.
type chunk struct {
	packed   store.Chunk
	verdicts []kept.Verdict // of all rows of the chunk, as planned
	ready    *kept.Ready
	values   []usersfile.Values // of the ready rows; only where the rules are asked again
	keys     []string           // likewise: their address keys
	breaks   map[int]bool       // rows, by their number among the ready ones, that break something; nil: none that is known
}

func (p *Flow) newApplyPass(owner store.Owner, imp schema.Import, watch Watch) (*applyPass, error) {
	file, err := kept.FileOf(imp)
	if err != nil {
		return nil, err
	}
	total := 0
	for _, n := range file.Plan.Types {
		total += n
	}
	return &applyPass{
		pipeline: p, owner: owner, plan: file.Plan, layout: file.Layout, mails: imp.ActivationEmails,
		order: file.Order, decided: file.Plan.Rules == p.rulesDigest(), watch: watch,
		done: total - imp.Tally.Outcomes[schema.Ready], total: total,
	}, nil
}

// rulesDigest names all that decides here: the policy, and the program. Where a plan has another, its rows
// are decided on anew.
func (p *Flow) rulesDigest() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%+v\n%s", p.Policy, p.Version))
	return hex.EncodeToString(sum[:])
}

// fetch runs the first stage: it names the chunks whose turn comes.
func fetch(ctx context.Context, g *errgroup.Group, numbers []int) <-chan *chunk {
	chunks := make(chan *chunk)
	g.Go(func() error {
		defer close(chunks)
		for _, number := range numbers {
			select {
			case chunks <- &chunk{packed: store.Chunk{Number: number}}:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return chunks
}

// unpack runs the second stage: it reads a kept chunk, with what claiming its ready rows takes. Verdicts are
// not made anew. What trouble that may pass keeps from being read is read when its turn comes.
func (a *applyPass) unpack(ctx context.Context, c *chunk) error {
	err := a.read(ctx, c)
	switch {
	case err == nil:
		return a.decode(c)
	case mayPass(err):
		return nil
	}
	return err
}

func (a *applyPass) read(ctx context.Context, c *chunk) error {
	packed, err := a.pipeline.Store.Chunk(ctx, a.order.Organization, a.owner.ImportID, c.packed.Number)
	if err != nil {
		return fmt.Errorf("read chunk %d: %w", c.packed.Number, err)
	}
	c.packed = packed
	return nil
}

func (a *applyPass) decode(c *chunk) (err error) {
	number := c.packed.Number
	if c.verdicts, err = kept.UnpackVerdicts(c.packed.Verdicts); err != nil {
		return fmt.Errorf("unpack chunk %d: %w", number, err)
	}
	if c.ready, err = kept.UnpackReady(c.packed.Prepared, c.verdicts, len(a.plan.Services)); err != nil {
		return fmt.Errorf("unpack chunk %d: %w", number, err)
	}
	return nil
}

// reread reads the ready rows themselves, to ask the rules again, and returns their address keys.
func (a *applyPass) reread(c *chunk) ([]string, error) {
	if c.keys != nil {
		return c.keys, nil
	}
	records, err := kept.UnpackRecords(c.packed, a.plan.Format, len(c.verdicts))
	if err != nil {
		return nil, fmt.Errorf("unpack chunk %d: %w", c.packed.Number, err)
	}
	c.keys, c.values = make([]string, len(c.ready.Rows)), make([]usersfile.Values, len(c.ready.Rows))
	for n := range c.ready.Rows {
		record, _ := a.layout.Fit(records, c.ready.Rows[n].Row, a.plan.Format)
		a.layout.Read(record, &c.values[n], &usersfile.Repairs{})
		usersfile.Spell(&c.values[n], &usersfile.Repairs{})
		c.keys[n], _ = schema.ParseAddress(c.values[n][usersfile.Email])
	}
	return c.keys, nil
}

// write runs the third stage: one transaction per chunk, one after the other in file order, because licences
// are given out in that order. Its transaction runs to its end even when ctx is cancelled in the middle.
// Trouble that may pass costs no row: the chunk is tried again. A row is failed only where it is that row
// that breaks something.
func (a *applyPass) write(ctx context.Context, c *chunk) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if c.ready == nil { // see unpack
		err := a.pipeline.persist(ctx, a.watch, func() error { return a.read(ctx, c) })
		if err == nil {
			err = a.decode(c)
		}
		if err != nil {
			return err
		}
	}
	patience := a.pipeline.patience(a.watch)
	for looked := false; ; {
		err := a.apply(context.WithoutCancel(ctx), c, nil)
		if err == nil {
			break
		}
		if broken(err) && !looked {
			looked = true
			if c.breaks, err = a.breaking(ctx, c, err); err == nil {
				continue
			}
		}
		if !patience.wait(ctx, err) {
			return errors.Join(ctx.Err(), err)
		}
	}
	a.done += len(c.ready.Rows)
	a.watch.progress(Applying, a.done, a.total)
	return nil
}

// apply applies a chunk in one transaction. With a try, it does all of it and then undoes it; nil says that
// it could have been done.
func (a *applyPass) apply(ctx context.Context, c *chunk, try map[int]bool) error {
	rules := a.pipeline.rules()
	leaveOut := c.breaks
	made := false
	undo := func() {}
	if try != nil {
		leaveOut = try
		ctx, undo = context.WithCancel(ctx)
		defer undo()
	}
	var known store.Known
	if a.decided {
		known = c.ready.Known(rules.Now)
	}
	var rows schema.Tally
	err := a.pipeline.Store.ApplyChunk(ctx, a.owner, rules, c.packed.Number, known,
		func() ([]string, error) { return a.reread(c) },
		func(facts claim.Facts) (store.Applied, error) {
			applied, err := a.decide(rules, c, facts, leaveOut, try != nil)
			rows = applied.Tally
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
	if err == nil {
		a.pipeline.applied(rows, max(a.pipeline.Now().Sub(rules.Now), 1))
	}
	return err
}

// breaking finds the ready rows of a chunk without which it can be applied: those that break something, like
// a claim that the database does not take. It tries, by halves and in file order, which rows work together.
// Where no row is to blame, it returns why the chunk cannot be applied.
func (a *applyPass) breaking(ctx context.Context, c *chunk, why error) (map[int]bool, error) {
	out := make(map[int]bool, len(c.ready.Rows)) // rows left out
	for n := range c.ready.Rows {
		out[n] = true
	}
	var trouble error
	tries := func() bool {
		err := ctx.Err()
		if err == nil {
			err = a.apply(ctx, c, out)
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
	take(0, len(c.ready.Rows))
	switch {
	case trouble != nil:
		return nil, trouble
	case len(out) == 0:
		return nil, why
	}
	a.pipeline.Log.Error().Err(why).Int("chunk", c.packed.Number).Int("rows", len(out)).Msg("rows break something, and are given up")
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

// decide asks the rules again, on facts that are locked, and says what to write. It can only narrow what was
// planned. Where nothing has changed since the plan, what was decided then is what they would say. Rows in
// leaveOut, by their number among the ready ones, are failed; while trying, that blocks nothing.
func (a *applyPass) decide(rules claim.Rules, c *chunk, facts claim.Facts, leaveOut map[int]bool, trying bool) (store.Applied, error) {
	if err := claim.CheckMayClaim(&facts.Claiming); err != nil {
		return store.Applied{}, err
	}
	licensing := licensing{pool: claim.NewLicenses(facts.Licenses)}
	assignmentsFor := a.assignmentsFor(licensing.pool.Services())
	verdicts := slices.Clone(c.verdicts)
	claims := make([]store.NewClaim, 0, len(c.ready.Rows))
	claimed := make([]int, 0, len(c.ready.Rows)) // verdict of each claim
	var claimedLike claimedFindings
	before := withoutLicenses{}

	for n := range c.ready.Rows { // in the order of the file, for licences are given out in that order
		r := c.ready.Rows[n]
		v := &verdicts[r.Row]
		if facts.Unchanged {
			v.Finding = before.of(v.Finding)
		} else if account := rules.AsOf(facts.Accounts[n]); !a.decideRow(rules, &facts, &account, c, n, v) {
			continue
		} else {
			r.Target = kept.NewTarget(&account)
		}
		if leaveOut[n] {
			v.Finding, v.Edits = schema.NewFinding(schema.CodeInternal, ""), nil
			continue
		}
		services, _ := licensing.ready(v, assignmentsFor(r.Assignments))
		v.Finding = claimedLike.of(v.Finding)
		claims = append(claims, r.Claim(v.Type, services, v.Edits))
		claimed = append(claimed, r.Row)
	}

	if a.order.AllOrNothing && !trying && slices.ContainsFunc(verdicts, blocksAllOrNothing) {
		for _, i := range claimed {
			verdicts[i].Finding, verdicts[i].Edits = schema.NewFinding(schema.CodeAllOrNothing, ""), nil
		}
		claims, claimed = nil, nil
	}
	return store.Applied{
		Claims: claims, ActivationMails: a.mails, Tally: kept.Tally(verdicts),
		Results: func(ids []int64) []byte {
			for n, id := range ids {
				verdicts[claimed[n]].ClaimID = id
			}
			return kept.PackVerdicts(verdicts)
		},
	}, nil
}

// decideRow asks the rules again about the ready row n, and reports whether it still is.
func (a *applyPass) decideRow(rules claim.Rules, facts *claim.Facts, account *claim.Account, c *chunk, n int, v *kept.Verdict) bool {
	domain := schema.KeyDomain(c.keys[n])
	decision := rules.Decide(&facts.Claiming, facts.Domains[domain], *account, "").Confirm(v.Type)
	if decision.Outcome != schema.Ready {
		v.Edits = nil
		refuse(v, decision, a.layout, domain, rules, facts, account)
		return false
	}
	var doubtful []usersfile.Field
	if !a.order.NoEdits {
		values := &c.values[n]
		if schema.UnsignedPhone(values[usersfile.Phone]) {
			values[usersfile.Phone] = "" // it was ready because that was the account's own
		}
		var edits []usersfile.Edit
		edits, doubtful = usersfile.Compare(&account.User.Profile, values)
		v.Edits, doubtful = asPlanned(v.Edits, edits, doubtful)
	}
	v.Finding = readyFinding(decision, doubtful)
	return true
}

// asPlanned narrows edits to those that the plan showed. The fields of the others, whose account has changed
// since, are doubtful too.
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

// blocksAllOrNothing reports whether a row keeps an all-or-nothing import from claiming anybody.
func blocksAllOrNothing(v kept.Verdict) bool {
	return v.Outcome == schema.Invalid || v.Outcome == schema.Ineligible || v.Outcome == schema.Failed
}

// assignmentsFor maps a row's assignments, which stand in the order of the services when the plan was made,
// to the services there are now.
func (a *applyPass) assignmentsFor(services []string) func([]claim.Assignment) []claim.Assignment {
	if slices.Equal(services, a.plan.Services) {
		return func(assignments []claim.Assignment) []claim.Assignment { return assignments }
	}
	return func(assignments []claim.Assignment) []claim.Assignment {
		if assignments == nil {
			return nil
		}
		now := make([]claim.Assignment, len(services))
		for i, service := range services {
			if was := slices.Index(a.plan.Services, service); was >= 0 {
				now[i] = assignments[was]
			}
		}
		return now
	}
}
