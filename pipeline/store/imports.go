package store

import (
	"context"
	"time"

	"github.com/claimline/claimline/schema"
)

// An import is planned (CreateImport, KeepChunk for each chunk, SealPlan), consented to (Consent), applied chunk by chunk
// (ApplyChunk) and finished. Whoever drives it holds an Owner, got from CreateImport or AcquireImport; methods that take an
// Owner refuse with CodeImportTakenOver, changing nothing, once somebody else has acquired the import.

// Owner is one runner's hold on an import. Epoch grows with every change of hands.
type Owner struct {
	ImportID int64
	Runner   string
	Epoch    int64
}

// Chunk is one part of a kept file: whole rows, in file order, with what the plan said of each and, once it is
// done, what became of each. Data, Verdicts and Results are the pipeline's own encodings, opaque to the store.
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
	State      schema.ImportState
	Reason     schema.Code
	At         time.Time
	RemoveRows bool
}

// leaseEnd returns when a lease taken now runs out, in whole seconds; never too early.
func leaseEnd(now time.Time, lease time.Duration) time.Time {
	return now.Add(lease + time.Second - 1).Truncate(time.Second)
}

// byDatabase returns the time by the database's clock, when it is now by this machine's. Leases are written, and judged, by it.
func byDatabase(ctx context.Context, tx Tx, now time.Time) (time.Time, error) {
	ahead, err := tx.Ahead(ctx)
	return now.Add(ahead), err
}

// at computes the state of an import at a time: whoever worked on it has died where the lease has run out. Without a plan
// there is nothing to go on with.
func (r ImportRow) at(now time.Time) ImportRow {
	if !r.LeaseUntil.IsZero() && !r.LeaseUntil.After(now) {
		switch r.State {
		case schema.StateApplying:
			r.State = schema.StateInterrupted
		case schema.StatePlanning:
			r.State = schema.StateFailed
		}
	}
	return r
}

// acquired is the import in the hands of a new runner.
func (r ImportRow) acquired(runner string, until time.Time) ImportRow {
	r.State = schema.StateApplying
	if r.ConsentedAt.IsZero() {
		r.State = schema.StateAwaitingConsent
	}
	r.Reason, r.CancelRequested, r.FinishedAt = "", false, time.Time{}
	r.Runner, r.LeaseUntil = runner, until
	r.Epoch++
	return r
}

// ended is the import after its end; ending it again in the same state changes nothing.
func (r ImportRow) ended(state schema.ImportState, reason schema.Code, at time.Time) ImportRow {
	if !r.FinishedAt.IsZero() && r.State == state {
		return r
	}
	r.State, r.Reason, r.FinishedAt = state, reason, at
	r.CancelRequested, r.LeaseUntil = false, time.Time{}
	return r
}

// CreateImport records a new import in state planning, owned by the runner until lease runs out. Refused with
// CodeOrganizationUnknown.
func (s *Store) CreateImport(ctx context.Context, imp schema.Import, runner string, now time.Time, lease time.Duration) (owner Owner, err error) {
	err = s.write(ctx, "create the import", func(tx Tx) error {
		if _, err := organization(ctx, tx, imp.OrganizationID); err != nil {
			return err
		}
		leased, err := byDatabase(ctx, tx, now)
		if err != nil {
			return err
		}
		imp.State, imp.StartedAt, imp.LeaseUntil = schema.StatePlanning, now, leaseEnd(leased, lease)
		owner = Owner{Runner: runner, Epoch: 1}
		owner.ImportID, err = tx.InsertImport(ctx, ImportRow{Import: imp, Runner: runner, Epoch: owner.Epoch})
		return err
	})
	return owner, err
}

// findImport finds an import as it is written.
func findImport(ctx context.Context, tx Tx, id int64, hold bool) (ImportRow, error) {
	row, found, err := tx.FindImport(ctx, id, hold)
	if err == nil && !found {
		err = schema.Refuse(schema.CodeImportNotFound, "There is no import %d.", id)
	}
	return row, err
}

// owning runs do in a transaction in which the owner owns the import.
func (s *Store) owning(ctx context.Context, owner Owner, doing string, do func(Tx, ImportRow) error) error {
	return s.write(ctx, doing, func(tx Tx) error {
		row, err := findImport(ctx, tx, owner.ImportID, true)
		switch {
		case err != nil:
			return err
		case row.Epoch != owner.Epoch:
			return &schema.Error{Code: schema.CodeImportTakenOver}
		}
		return do(tx, row)
	})
}

// KeepChunk keeps one chunk of the plan. Chunks come in order, each once.
func (s *Store) KeepChunk(ctx context.Context, owner Owner, chunk Chunk) error {
	return s.owning(ctx, owner, "keep a chunk", func(tx Tx, _ ImportRow) error {
		return tx.InsertChunk(ctx, owner.ImportID, chunk)
	})
}

// DropChunks deletes the chunks kept so far of an import that is still being planned, so that planning can begin again.
// Refused with CodeImportFinished once it is planned.
func (s *Store) DropChunks(ctx context.Context, owner Owner) error {
	return s.owning(ctx, owner, "drop the chunks", func(tx Tx, row ImportRow) error {
		if row.Planned || row.State != schema.StatePlanning {
			return schema.Refuse(schema.CodeImportFinished, "Import %d has been planned.", row.ID)
		}
		return tx.DeleteChunks(ctx, owner.ImportID)
	})
}

// SealPlan ends the planning: state awaiting_consent. sha256 is the file's, in hex; plan is what else was learnt while
// reading, the pipeline's own encoding.
func (s *Store) SealPlan(ctx context.Context, owner Owner, sha256 string, plan []byte) error {
	return s.owning(ctx, owner, "keep the plan", func(tx Tx, row ImportRow) error {
		row.State, row.SHA256 = schema.StateAwaitingConsent, sha256
		if err := tx.UpdateImport(ctx, row); err != nil {
			return err
		}
		return tx.PutPlan(ctx, owner.ImportID, plan)
	})
}

// DropImport deletes an import that was never applied, with all it kept.
func (s *Store) DropImport(ctx context.Context, owner Owner) error {
	return s.owning(ctx, owner, "drop the import", func(tx Tx, _ ImportRow) error {
		return tx.DeleteImport(ctx, owner.ImportID)
	})
}

// Consent records that somebody agreed, at that time, and starts applying. by says who, as free text.
func (s *Store) Consent(ctx context.Context, owner Owner, at time.Time, by string) error {
	return s.owning(ctx, owner, "record the consent", func(tx Tx, row ImportRow) error {
		row.State, row.ConsentedAt, row.ConsentedBy = schema.StateApplying, at, by
		return tx.UpdateImport(ctx, row)
	})
}

// AcquireImport makes the runner the owner of an import that nobody owns now: one whose lease has run out, or that was
// released. An import that ended but has chunks that are not done is opened again (state applying, or
// awaiting_consent where no consent was recorded). Refused with CodeImportNotFound, CodeImportRunning (the lease runs; see
// Import.LeaseUntil), CodeImportFinished (ended with no chunk left, or rejected), CodeImportIncomplete (never planned to
// its end), CodeImportRemoved.
func (s *Store) AcquireImport(ctx context.Context, id int64, runner string, now time.Time, lease time.Duration) (owner Owner, err error) {
	err = s.write(ctx, "take the import over", func(tx Tx) error {
		row, err := findImport(ctx, tx, id, true)
		if err != nil {
			return err
		}
		now, err := byDatabase(ctx, tx, now)
		if err != nil {
			return err
		}
		pending, err := tx.ChunkNumbers(ctx, id, true)
		if err != nil {
			return err
		}
		state := row.at(now).State
		switch {
		case row.LeaseUntil.After(now):
			return schema.Refuse(schema.CodeImportRunning, "Import %d is running.", id).
				WithFix("Wait until it has ended, or cancel it: claimline cancel %d. If its process has died, try again after %s.",
					id, row.LeaseUntil.Format(time.RFC3339))
		case !row.Planned:
			return &schema.Error{Code: schema.CodeImportIncomplete}
		case state == schema.StateRejected, state.Ended() && len(pending) == 0:
			return finished(id)
		case row.RowsRemoved:
			return &schema.Error{Code: schema.CodeImportRemoved}
		}
		row = row.acquired(runner, leaseEnd(now, lease))
		owner = Owner{ImportID: id, Runner: runner, Epoch: row.Epoch}
		return tx.UpdateImport(ctx, row)
	})
	return owner, err
}

func finished(id int64) error {
	return (&schema.Error{Code: schema.CodeImportFinished}).WithFix("Read its report: claimline report %d.", id)
}

// RenewImport prolongs the lease.
func (s *Store) RenewImport(ctx context.Context, owner Owner, now time.Time, lease time.Duration) error {
	return s.owning(ctx, owner, "renew the lease", func(tx Tx, row ImportRow) error {
		if !row.FinishedAt.IsZero() {
			return nil
		}
		now, err := byDatabase(ctx, tx, now)
		if err != nil {
			return err
		}
		row.LeaseUntil = leaseEnd(now, lease)
		return tx.UpdateImport(ctx, row)
	})
}

// FinishImport ends the import and releases it: state is one that has Ended; reason says why rows were not attempted,
// where some were not. Finishing again with the same state changes nothing. It removes file and rows if RemoveRows.
func (s *Store) FinishImport(ctx context.Context, owner Owner, end ImportEnd) error {
	return s.owning(ctx, owner, "finish the import", func(tx Tx, row ImportRow) error {
		row = row.ended(end.State, end.Reason, end.At)
		row.RowsRemoved = row.RowsRemoved || end.RemoveRows
		if err := tx.UpdateImport(ctx, row); err != nil || !end.RemoveRows {
			return err
		}
		return tx.DeleteRows(ctx, owner.ImportID)
	})
}

// RequestCancel asks whoever applies the import to stop between chunks; an import that nobody owns at that time is
// cancelled at once, and no longer belongs to who had it. Refused with CodeImportNotFound, CodeImportFinished.
func (s *Store) RequestCancel(ctx context.Context, id int64, now time.Time) error {
	return s.write(ctx, "cancel the import", func(tx Tx) error {
		row, err := findImport(ctx, tx, id, true)
		if err != nil {
			return err
		}
		leased, err := byDatabase(ctx, tx, now)
		switch {
		case err != nil:
			return err
		case row.at(leased).State.Ended():
			return finished(id)
		case row.LeaseUntil.After(leased):
			row.CancelRequested = true
		default: // a runner that was only asleep finds that the import is no longer its own
			row = row.ended(schema.StateCancelled, schema.CodeCancelled, now)
			row.Epoch++
		}
		return tx.UpdateImport(ctx, row)
	})
}

// Import finds one import, CodeImportNotFound where there is none; its state is computed at now (interrupted; failed, where
// it was still being planned).
func (s *Store) Import(ctx context.Context, id int64, now time.Time) (imp schema.Import, err error) {
	err = s.read(ctx, "find the import", func(tx Tx) error {
		row, err := findImport(ctx, tx, id, false)
		if err != nil {
			return err
		}
		list, err := whole(ctx, tx, now, []ImportRow{row})
		if err == nil {
			imp = list[0]
		}
		return err
	})
	return imp, err
}

// ListImports lists an organization's imports, the newest first, each as Import finds it; limit 0: all. Refused with
// CodeOrganizationUnknown.
func (s *Store) ListImports(ctx context.Context, id string, now time.Time, limit int) (list []schema.Import, err error) {
	err = s.read(ctx, "list imports", func(tx Tx) error {
		if _, err := organization(ctx, tx, id); err != nil {
			return err
		}
		rows, err := tx.ListImports(ctx, id, limit)
		if err != nil {
			return err
		}
		list, err = whole(ctx, tx, now, rows)
		return err
	})
	return list, err
}

// whole returns imports with their plans and tallies, as they are at a time, by which their leases are told too.
func whole(ctx context.Context, tx Tx, now time.Time, rows []ImportRow) ([]schema.Import, error) {
	ids := make([]int64, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	plans, err := tx.Plans(ctx, ids)
	if err != nil {
		return nil, err
	}
	tallies, err := tx.Tallies(ctx, ids)
	if err != nil {
		return nil, err
	}
	ahead, err := tx.Ahead(ctx)
	if err != nil {
		return nil, err
	}
	var list []schema.Import
	for _, row := range rows {
		imp := row.at(now.Add(ahead)).Import
		if !imp.LeaseUntil.IsZero() {
			imp.LeaseUntil = imp.LeaseUntil.Add(-ahead)
		}
		imp.Plan = plans[row.ID]
		for _, part := range tallies[row.ID] {
			imp.Tally.Add(part)
		}
		list = append(list, imp)
	}
	return list, nil
}

// Chunks lists the numbers of an import's chunks, in order; with pending, only those that are not done.
func (s *Store) Chunks(ctx context.Context, id int64, pending bool) (numbers []int, err error) {
	err = s.read(ctx, "list the chunks of an import", func(tx Tx) error {
		numbers, err = tx.ChunkNumbers(ctx, id, pending)
		return err
	})
	return numbers, err
}

// Chunk reads one kept chunk. Refused with CodeImportRemoved where it has been removed, CodeImportNotFound where there is
// none.
func (s *Store) Chunk(ctx context.Context, id int64, number int) (chunk Chunk, err error) {
	err = s.read(ctx, "read a chunk", func(tx Tx) error {
		var found bool
		if chunk, found, err = tx.FindChunk(ctx, id, number); err != nil || found {
			return err
		}
		row, err := findImport(ctx, tx, id, false)
		switch {
		case err != nil:
			return err
		case row.RowsRemoved:
			return &schema.Error{Code: schema.CodeImportRemoved}
		}
		return schema.Refuse(schema.CodeImportNotFound, "Import %d has no part %d.", id, number)
	})
	return chunk, err
}

// RemoveImports removes file and rows of the imports that ended before the given time, and of those left unended by
// whoever worked on them, whose lease ran out before it; summaries stay. Each import is a transaction of its own. What was
// removed cannot be read from the database's files either. It returns how many imports lost their rows.
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
			row, found, err := tx.FindImport(ctx, id, true)
			if done = err == nil && found && row.old(endedBefore); !done { // somebody has taken it up again
				return err
			}
			row.Epoch++
			row.RowsRemoved = true
			if err := tx.UpdateImport(ctx, row); err != nil {
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
func (r ImportRow) old(before time.Time) bool {
	left := r.FinishedAt
	if left.IsZero() {
		left = r.LeaseUntil
	}
	if left.IsZero() {
		left = r.StartedAt
	}
	return !r.RowsRemoved && left.Before(before)
}
