package store

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/claimline/claimline/schema"
)

// An import is planned (CreateImport, KeepChunk for each chunk, SealPlan), agreed to (Agree), and applied
// chunk by chunk (ApplyChunk) until it is finished, by one owner or by several in turn (TakeImport,
// ReleaseImport). What each of these makes of it is decided by the methods of schema.Import; here it is
// loaded, asked and saved, under lock. Methods that take an Owner refuse with CodeImportTakenOver, changing
// nothing, once somebody else has the import; those that take an organization refuse with CodeImportNotFound
// an import that is not the organization's. A blank organization is any: for machinery only.

// Owner is one runner's hold on an import. Epoch grows with every change of hands.
type Owner struct {
	ImportID int64
	Runner   string
	Epoch    int64
}

// Chunk is one part of a kept file: whole rows, in file order, with what the plan said of each and, once it
// is done, what became of each. Data, Verdicts and Results are the pipeline's own encodings, opaque to the
// store.
type Chunk struct {
	Number   int
	Data     []byte // the rows
	Verdicts []byte // the plan's result for each row
	Prepared []byte // what claiming the rows that are ready takes
	Planned  schema.Tally
	Done     bool
	Results  []byte       // nil until done; also nil where the plan's verdicts are final, no row being ready
	Applied  schema.Tally // zero until done
}

// ImportEnd is how an import ends.
type ImportEnd struct {
	State  schema.ImportState // one that has Ended
	Reason schema.Code        // why rows were not attempted, where some were not
	At     time.Time
}

// CreateImport records a new import in state planning, owned by the runner until lease runs out. Refused with
// CodeOrganizationUnknown, and with CodeIdempotencyKeyBusy where another request has its RequestKey.
func (s *Store) CreateImport(ctx context.Context, imp schema.Import, runner string, lease time.Duration) (owner Owner, err error) {
	err = s.write(ctx, "create the import", func(tx Tx) error {
		if _, err := organization(ctx, tx, imp.OrganizationID); err != nil {
			return err
		}
		now, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		if err := freeRequest(ctx, tx, imp, now); err != nil {
			return err
		}
		imp.State, imp.Runner, imp.Epoch = schema.StatePlanning, runner, 1
		imp = imp.Renew(now, lease)
		owner = Owner{Runner: runner, Epoch: imp.Epoch}
		owner.ImportID, err = tx.InsertImport(ctx, imp)
		return err
	})
	if errors.Is(err, ErrTwice) {
		err = &schema.Error{Code: schema.CodeIdempotencyKeyBusy}
	}
	return owner, err
}

// requestTime is for how long a request with the same key is the same request.
const requestTime = 24 * time.Hour

// holdsKey reports whether the import still stands for the request that made it: its key is free again after
// a day, and where nothing came of it.
func holdsKey(imp schema.Import, now time.Time) bool {
	return imp.At(now).State != schema.StateFailed && now.Sub(imp.StartedAt) < requestTime
}

// freeRequest refuses, with CodeIdempotencyKeyBusy, the key of a request that another import stands for.
func freeRequest(ctx context.Context, tx Tx, imp schema.Import, now time.Time) error {
	if imp.RequestKey == "" {
		return nil
	}
	before, found, err := tx.FindRequest(ctx, imp.OrganizationID, imp.RequestKey, true)
	switch {
	case err != nil || !found:
		return err
	case holdsKey(before, now):
		return &schema.Error{Code: schema.CodeIdempotencyKeyBusy}
	}
	return tx.DropRequest(ctx, before.ID)
}

// RepeatedImport finds the import that a request with this key made within the last day; there is none where
// nothing came of it. digest is of what the request says. Refused with CodeIdempotencyKeyReused where the
// first one said something else, and with CodeIdempotencyKeyBusy while that is being planned.
func (s *Store) RepeatedImport(ctx context.Context, organization, key string, digest []byte) (imp schema.Import, found bool, err error) {
	err = s.read(ctx, "find the request", func(tx Tx) error {
		found = false
		before, known, err := tx.FindRequest(ctx, organization, key, false)
		if err != nil || !known {
			return err
		}
		now, err := tx.Now(ctx)
		switch {
		case err != nil || !holdsKey(before, now):
			return err
		case !bytes.Equal(before.RequestDigest, digest):
			return &schema.Error{Code: schema.CodeIdempotencyKeyReused}
		case before.State == schema.StatePlanning:
			return &schema.Error{Code: schema.CodeIdempotencyKeyBusy}
		}
		found = true
		imp, err = whole(ctx, tx, before)
		return err
	})
	return imp, found, err
}

// findImport finds an import of an organization as it is written.
func findImport(ctx context.Context, tx Tx, organization string, id int64, hold bool) (schema.Import, error) {
	imp, found, err := tx.FindImport(ctx, id, hold)
	if err == nil && (!found || organization != "" && imp.OrganizationID != organization) {
		err = schema.Refuse(schema.CodeImportNotFound, "There is no import %d.", id)
	}
	return imp, err
}

// owning runs do in a transaction in which the owner owns the import.
func (s *Store) owning(ctx context.Context, owner Owner, doing string, do func(Tx, schema.Import) error) error {
	return s.write(ctx, doing, func(tx Tx) error {
		imp, err := findImport(ctx, tx, "", owner.ImportID, true)
		switch {
		case err != nil:
			return err
		case imp.Epoch != owner.Epoch:
			return &schema.Error{Code: schema.CodeImportTakenOver}
		}
		return do(tx, imp)
	})
}

// event is what a method of schema.Import makes of an import at a time, by the database's clock.
type event func(imp schema.Import, now time.Time) (schema.Import, error)

// happen saves what an event makes of an import, and tells those who are to know.
func happen(ctx context.Context, tx Tx, imp schema.Import, what event) (schema.Import, error) {
	now, err := tx.Now(ctx)
	if err != nil {
		return imp, err
	}
	before := imp
	if imp, err = what(imp, now); err != nil {
		return imp, err
	}
	if err := tx.UpdateImport(ctx, imp); err != nil {
		return imp, err
	}
	if news, tell := schema.NewsOf(before, imp, now.Truncate(time.Second)); tell {
		return imp, tellNews(ctx, tx, imp.OrganizationID, imp.Notify, news)
	}
	return imp, nil
}

// order lets an event happen to an import of an organization, and returns what has become of it.
func (s *Store) order(ctx context.Context, doing, organization string, id int64, what event) (imp schema.Import, err error) {
	err = s.write(ctx, doing, func(tx Tx) error {
		found, err := findImport(ctx, tx, organization, id, true)
		if err != nil {
			return err
		}
		tallies, err := tx.Tallies(ctx, []int64{id})
		if err != nil {
			return err
		}
		found.Tally = sum(tallies[id])
		if found, err = happen(ctx, tx, found, what); err == nil {
			imp, err = whole(ctx, tx, found)
		}
		return err
	})
	return imp, err
}

// KeepChunk keeps one chunk of the plan. Chunks come in order, each once. Refused with CodeImportFinished
// once the import is planned: what somebody may agree to does not change.
func (s *Store) KeepChunk(ctx context.Context, owner Owner, chunk Chunk) error {
	return s.owning(ctx, owner, "keep a chunk", func(tx Tx, imp schema.Import) error {
		if err := checkPlanning(imp); err != nil {
			return err
		}
		return tx.InsertChunk(ctx, owner.ImportID, chunk)
	})
}

// DropChunks deletes the chunks kept so far of an import that is still being planned, so that planning can
// begin again. Refused with CodeImportFinished once it is planned.
func (s *Store) DropChunks(ctx context.Context, owner Owner) error {
	return s.owning(ctx, owner, "drop the chunks", func(tx Tx, imp schema.Import) error {
		if err := checkPlanning(imp); err != nil {
			return err
		}
		return tx.DeleteChunks(ctx, owner.ImportID)
	})
}

// checkPlanning refuses, with CodeImportFinished, an import that is not being planned any more.
func checkPlanning(imp schema.Import) error {
	if imp.Planned || imp.State != schema.StatePlanning {
		return schema.Refuse(schema.CodeImportFinished, "Import %d has been planned.", imp.ID)
	}
	return nil
}

// DropImport deletes an import that was never applied, with all it kept. Where passing trouble keeps it from
// that, as a full disk does, DropAgain does it later.
func (s *Store) DropImport(ctx context.Context, owner Owner) error {
	err := s.owning(ctx, owner, "drop the import", func(tx Tx, _ schema.Import) error {
		return tx.DeleteImport(ctx, owner.ImportID)
	})
	if Passing(err) {
		s.undone.Lock()
		defer s.undone.Unlock()
		s.dropped = append(s.dropped, owner)
	}
	return err
}

// DropAgain deletes the imports that this process was to drop, and could not. One that is gone, or that
// somebody else has taken over, is left alone.
func (s *Store) DropAgain(ctx context.Context) error {
	s.undone.Lock()
	owners := s.dropped
	s.dropped = nil
	s.undone.Unlock()
	var errs []error
	for _, owner := range owners {
		err := s.DropImport(ctx, owner)
		if _, refused := errors.AsType[*schema.Error](err); err != nil && (!refused || Passing(err)) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Sealed is a plan that stands.
type Sealed struct {
	SHA256 string // of the file, in hex
	Plan   []byte // what else was learnt while reading, the pipeline's own encoding
	State  schema.ImportState
	Reason schema.Code // why rows are not attempted, where State has ended
	At     time.Time
}

// SealPlan ends the planning. Nobody owns the import then, and its plan, with its chunks, stays as it is: to
// agree, it is enough to name the import, and how many it claims. Refused with CodeImportFinished where that
// was done before.
func (s *Store) SealPlan(ctx context.Context, owner Owner, plan Sealed) (imp schema.Import, err error) {
	err = s.owning(ctx, owner, "keep the plan", func(tx Tx, found schema.Import) error {
		if err := checkPlanning(found); err != nil {
			return err
		}
		if err := tx.PutPlan(ctx, owner.ImportID, plan.Plan); err != nil {
			return err
		}
		found.SHA256, found.Planned = plan.SHA256, true
		found, err := happen(ctx, tx, found, func(imp schema.Import, _ time.Time) (schema.Import, error) {
			return imp.Seal(plan.State, plan.Reason, plan.At)
		})
		if err == nil {
			imp, err = whole(ctx, tx, found)
		}
		return err
	})
	return imp, err
}

// Agree records that somebody agreed to the plan, and begins to apply it: attended, a runner is expected
// within lease. Refused with CodePlanChanged, and once the import no longer waits for consent.
func (s *Store) Agree(ctx context.Context, organization string, id int64, lease time.Duration, c schema.Consent) (schema.Import, error) {
	return s.order(ctx, "record the consent", organization, id, func(imp schema.Import, now time.Time) (schema.Import, error) {
		return imp.Agree(now, lease, c)
	})
}

// Decline records that somebody did not agree. Refused once the import no longer waits for consent.
func (s *Store) Decline(ctx context.Context, organization string, id int64, at time.Time) (schema.Import, error) {
	return s.order(ctx, "record the refusal", organization, id, func(imp schema.Import, now time.Time) (schema.Import, error) {
		return imp.Decline(now, at)
	})
}

// DiscardImport deletes an import that waits for consent, with all it kept. Refused once it no longer does.
func (s *Store) DiscardImport(ctx context.Context, organization string, id int64) error {
	return s.write(ctx, "discard the import", func(tx Tx) error {
		imp, err := findImport(ctx, tx, organization, id, true)
		if err != nil {
			return err
		}
		now, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		if err := imp.CheckDiscard(now); err != nil {
			return err
		}
		return tx.DeleteImport(ctx, id)
	})
}

// TakeImport makes the runner the owner of an import that is to be applied and that nobody owns, until lease
// runs out. Refused with CodeImportRunning (somebody owns it; see Import.LeaseUntil), CodeConsentMissing,
// CodeInterrupted (it waits for a person), CodeImportFinished (it has ended, even where something is left to
// do: see ReopenImport), CodeImportIncomplete.
func (s *Store) TakeImport(ctx context.Context, id int64, runner string, lease time.Duration) (owner Owner, err error) {
	err = s.write(ctx, "take the import", func(tx Tx) error {
		owner, err = take(ctx, tx, id, runner, lease)
		return err
	})
	return owner, err
}

func take(ctx context.Context, tx Tx, id int64, runner string, lease time.Duration) (Owner, error) {
	imp, err := findImport(ctx, tx, "", id, true)
	if err == nil {
		imp, err = happen(ctx, tx, imp, func(imp schema.Import, now time.Time) (schema.Import, error) { return imp.Take(now, runner, lease) })
	}
	return Owner{ImportID: id, Runner: runner, Epoch: imp.Epoch}, err
}

// RenewImport prolongs the lease.
func (s *Store) RenewImport(ctx context.Context, owner Owner, lease time.Duration) error {
	return s.owned(ctx, owner, "renew the lease", func(imp schema.Import, now time.Time) (schema.Import, error) { return imp.Renew(now, lease), nil })
}

// owned lets an event happen that is its owner's.
func (s *Store) owned(ctx context.Context, owner Owner, doing string, what event) error {
	return s.owning(ctx, owner, doing, func(tx Tx, imp schema.Import) error {
		_, err := happen(ctx, tx, imp, what)
		return err
	})
}

// ReleaseImport gives the import back, for anybody to go on with: attended, a runner is expected within
// lease. Where a cancel was asked for, it is cancelled.
func (s *Store) ReleaseImport(ctx context.Context, owner Owner, lease time.Duration, at time.Time) error {
	return s.owned(ctx, owner, "release the import", func(imp schema.Import, now time.Time) (schema.Import, error) {
		return imp.Release(now, lease, at)
	})
}

// InterruptImport stops the import until a person reopens it.
func (s *Store) InterruptImport(ctx context.Context, owner Owner, at time.Time) error {
	return s.owned(ctx, owner, "interrupt the import", func(imp schema.Import, now time.Time) (schema.Import, error) {
		return imp.Interrupt(now, at)
	})
}

// FinishImport ends the import and releases it. Finishing again with the same state changes nothing.
func (s *Store) FinishImport(ctx context.Context, owner Owner, end ImportEnd) error {
	return s.owned(ctx, owner, "finish the import", func(imp schema.Import, _ time.Time) (schema.Import, error) {
		return imp.End(end.State, end.Reason, end.At)
	})
}

// CancelImport asks whoever owns the import to stop between chunks; one that nobody owns is cancelled at
// once, and no longer belongs to who had it. Refused with CodeImportFinished.
func (s *Store) CancelImport(ctx context.Context, organization string, id int64, at time.Time) (schema.Import, error) {
	return s.order(ctx, "cancel the import", organization, id, func(imp schema.Import, now time.Time) (schema.Import, error) {
		return imp.Cancel(now, at)
	})
}

// ReopenImport opens an import again that was cancelled or interrupted, or ended, with chunks that are not
// done: for a person at a terminal, of whom a runner is expected within lease, or for any. Where nobody has
// agreed to it yet, it waits for consent. Refused with CodeImportRunning, CodeImportFinished (no chunk is
// left, or it was rejected), CodeImportIncomplete (never planned to its end), CodeImportRemoved.
func (s *Store) ReopenImport(ctx context.Context, organization string, id int64, attended bool, lease time.Duration) (imp schema.Import, err error) {
	err = s.write(ctx, "reopen the import", func(tx Tx) error {
		found, err := findImport(ctx, tx, organization, id, true)
		if err != nil {
			return err
		}
		pending, err := tx.ChunkNumbers(ctx, id, true)
		if err != nil {
			return err
		}
		found, err = happen(ctx, tx, found, func(imp schema.Import, now time.Time) (schema.Import, error) {
			return imp.Reopen(now, lease, attended, len(pending) > 0)
		})
		if err == nil {
			imp, err = whole(ctx, tx, found)
		}
		return err
	})
	return imp, err
}

// Import finds an import, in the state that it has now.
func (s *Store) Import(ctx context.Context, organization string, id int64) (imp schema.Import, err error) {
	err = s.read(ctx, "find the import", func(tx Tx) error {
		found, err := findImport(ctx, tx, organization, id, false)
		if err == nil {
			imp, err = whole(ctx, tx, found)
		}
		return err
	})
	return imp, err
}

// ListImports lists an organization's imports, the newest first, each as Import finds it; limit 0: all.
// Refused with CodeOrganizationUnknown.
func (s *Store) ListImports(ctx context.Context, id string, limit int) (list []schema.Import, err error) {
	err = s.read(ctx, "list imports", func(tx Tx) error {
		if _, err := organization(ctx, tx, id); err != nil {
			return err
		}
		if list, err = tx.ListImports(ctx, id, 0, limit); err != nil {
			return err
		}
		return fill(ctx, tx, list)
	})
	return list, err
}

// ImportsBefore lists up to limit of an organization's imports that are older than another, the newest first,
// each as Import finds it; before 0: the newest of all. A state that is not blank leaves those in it. next is
// the id to go on before, 0 where there are no more. Refused with CodeOrganizationUnknown.
func (s *Store) ImportsBefore(ctx context.Context, id string, state schema.ImportState, before int64, limit int) (list []schema.Import, next int64, err error) {
	err = s.read(ctx, "list imports", func(tx Tx) error {
		list, next = nil, 0
		if _, err := organization(ctx, tx, id); err != nil {
			return err
		}
		now, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		for after, more := before, true; more && next == 0; {
			page, err := tx.ListImports(ctx, id, after, limit+1)
			if err != nil {
				return err
			}
			more = len(page) > limit
			for i := range page {
				after = page[i].ID
				if state != "" && page[i].At(now).State != state {
					continue
				}
				if len(list) == limit {
					next = list[limit-1].ID
					break
				}
				list = append(list, page[i])
			}
		}
		return fill(ctx, tx, list)
	})
	return list, next, err
}

// ImportCount is how many imports are in a state.
type ImportCount struct {
	State  schema.ImportState
	Count  int
	Oldest time.Time // when the oldest of them was agreed to, or begun
}

// CountImports counts the imports of all organizations by the state that was written last.
func (s *Store) CountImports(ctx context.Context) (list []ImportCount, err error) {
	err = s.read(ctx, "count the imports", func(tx Tx) error {
		list, err = tx.CountImports(ctx)
		return err
	})
	return list, err
}

// whole returns an import with its plan and tally, in the state that it has now.
func whole(ctx context.Context, tx Tx, imp schema.Import) (schema.Import, error) {
	list := []schema.Import{imp}
	err := fill(ctx, tx, list)
	return list[0], err
}

// fill gives imports their plans and tallies, and the states that they have now.
func fill(ctx context.Context, tx Tx, list []schema.Import) error {
	ids := make([]int64, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	plans, err := tx.Plans(ctx, ids)
	if err != nil {
		return err
	}
	tallies, err := tx.Tallies(ctx, ids)
	if err != nil {
		return err
	}
	now, err := tx.Now(ctx)
	if err != nil {
		return err
	}
	for i := range list {
		imp := &list[i]
		*imp = imp.At(now)
		imp.Plan, imp.Tally = plans[imp.ID], sum(tallies[imp.ID])
	}
	return nil
}

func sum(parts []schema.Tally) (total schema.Tally) {
	for _, part := range parts {
		total.Add(part)
	}
	return total
}

// Chunks lists the numbers of an import's chunks, in order; with pending, only those that are not done.
func (s *Store) Chunks(ctx context.Context, organization string, id int64, pending bool) (numbers []int, err error) {
	err = s.read(ctx, "list the chunks of an import", func(tx Tx) error {
		if _, err := findImport(ctx, tx, organization, id, false); err != nil {
			return err
		}
		numbers, err = tx.ChunkNumbers(ctx, id, pending)
		return err
	})
	return numbers, err
}

// ChunkTallies lists the numbers of an import's chunks, in order, with what each counted: as applied, or as
// planned where it is not done.
func (s *Store) ChunkTallies(ctx context.Context, organization string, id int64) (numbers []int, tallies []schema.Tally, err error) {
	err = s.read(ctx, "list the chunks of an import", func(tx Tx) error {
		if _, err := findImport(ctx, tx, organization, id, false); err != nil {
			return err
		}
		if numbers, err = tx.ChunkNumbers(ctx, id, false); err != nil {
			return err
		}
		found, err := tx.Tallies(ctx, []int64{id})
		tallies = found[id]
		return err
	})
	return numbers, tallies, err
}

// Chunk reads one kept chunk. Refused with CodeImportRemoved where it has been removed, CodeImportNotFound
// where there is none.
func (s *Store) Chunk(ctx context.Context, organization string, id int64, number int) (chunk Chunk, err error) {
	err = s.read(ctx, "read a chunk", func(tx Tx) error {
		imp, err := findImport(ctx, tx, organization, id, false)
		if err != nil {
			return err
		}
		var found bool
		if chunk, found, err = tx.FindChunk(ctx, id, number); err != nil || found {
			return err
		}
		if imp.RowsRemoved {
			return &schema.Error{Code: schema.CodeImportRemoved}
		}
		return schema.Refuse(schema.CodeImportNotFound, "Import %d has no part %d.", id, number)
	})
	return chunk, err
}

// waitTime is for how long an import that waits for somebody keeps its rows at least.
const waitTime = 24 * time.Hour

// RemoveImports removes file and rows of the imports that ended before the given time, and of those left
// unended by whoever worked on them, whose lease ran out before it; of those that wait for consent or for a
// runner, a day later. Summaries stay. Each import is a transaction of its own. What was removed cannot be
// read from the database's files either. It returns how many imports lost their rows.
func (s *Store) RemoveImports(ctx context.Context, endedBefore time.Time) (removed int, err error) {
	const doing = "remove the rows of old imports"
	var ids []int64
	err = s.read(ctx, doing, func(tx Tx) error {
		ids, err = tx.OldImports(ctx, endedBefore)
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		done := false
		err := s.write(ctx, doing, func(tx Tx) error {
			imp, found, err := tx.FindImport(ctx, id, true)
			if err != nil || !found {
				return err
			}
			now, err := tx.Now(ctx)
			if done = err == nil && old(imp.At(now), endedBefore); !done { // somebody has taken it up again
				return err
			}
			imp.Epoch++
			imp.RowsRemoved = true
			if err := tx.UpdateImport(ctx, imp); err != nil {
				return err
			}
			return tx.DeleteRows(ctx, id)
		})
		if err != nil {
			return removed, err
		}
		if done {
			removed++
		}
	}
	return removed, during("erase the rows of old imports", s.db.Erase(ctx))
}

// old reports whether the import still has rows, and ended, or was left, before a time.
func old(imp schema.Import, before time.Time) bool {
	switch imp.State {
	case schema.StateAwaitingConsent, schema.StateQueued, schema.StateApplying:
		before = before.Add(-waitTime)
	}
	return !imp.RowsRemoved && imp.Left().Before(before)
}
