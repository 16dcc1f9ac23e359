package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// Applied is what became of a chunk.
type Applied struct {
	Claims          []NewClaim
	ActivationMails bool // send them for claims that join at once
	Tally           schema.Tally
	// Results encodes the results; it is given the ids of the claims, in the order of Claims.
	Results func(claimIDs []int64) []byte
}

// NewClaim is a claim to make on an account of the facts.
type NewClaim struct {
	AccountID    int64
	Leaving      bool // the account holds licences, which its organization gets back when it moves
	Type         schema.ClaimType
	StatusBefore schema.Status
	Edits        *schema.Profile // nil: none
	Services     []string
	Line         int
}

// Known is what has been decided on before, under the same rules: facts, by their Version, and the accounts
// among them that are to be claimed.
type Known struct {
	Version  int64 // 0: nothing
	Accounts []Seen
}

// ApplyChunk applies one chunk in one transaction: it checks that the owner still owns the import, that the
// import is being applied and not cancelled (CodeCancelled), and that the chunk is not done (then it returns
// nil at once); makes sure of the facts under lock; calls decide; and writes what decide returns: claims,
// results, mails, "chunk done", all together or not at all.
//
// The facts are those of the address keys that keys names, with what is due for their accounts written first.
// known is what was decided on already: where the store is sure that nothing has changed since but what the
// import itself did to other chunks, decide is told so (Facts.Unchanged), and keys is not called. The
// claiming organization is always as it is at that moment, and so are its licences: what is due for it is
// written too, in transactions of its own where it is much.
//
// keys and decide may be called again after a conflict. An error of keys or of decide is returned, and
// nothing is written. A claim on an account with an open claim is an error.
func (s *Store) ApplyChunk(ctx context.Context, owner Owner, rules claim.Rules, number int, known Known, keys func() ([]string, error), decide func(claim.Facts) (Applied, error)) error {
	const doing = "apply a chunk"
	var organization string
	var done bool
	err := s.read(ctx, doing, func(tx Tx) (err error) {
		var imp schema.Import
		imp, done, err = mayApply(ctx, tx, owner, number, false)
		organization = imp.OrganizationID
		return err
	})
	if err != nil || done {
		return err
	}
	if _, err := s.settle(ctx, rules, organization); err != nil {
		return err
	}
	claimed := false // somebody has claimed an account since it was seen
	return s.write(ctx, doing, func(tx Tx) error {
		if err := tx.LockSettings(ctx, false); err != nil {
			return err
		}
		imp, done, err := mayApply(ctx, tx, owner, number, true)
		if err != nil || done {
			return err
		}
		current, err := tx.Stamp(ctx)
		if err != nil {
			return err
		}
		unchanged := !claimed && holds(imp, known.Version, current)
		if unchanged {
			if unchanged, err = tx.HoldSeen(ctx, known.Accounts); err != nil {
				return err
			}
		}
		facts, err := s.factsFor(ctx, due{tx: tx, rules: rules}, organization, keys, unchanged)
		if err != nil {
			return err
		}
		before, err := tx.Stamp(ctx) // what was due, and has been written, may concern other chunks
		if err != nil {
			return err
		}
		applied, err := decide(facts)
		if err != nil {
			return err
		}
		err = finishChunk(ctx, tx, owner, rules, facts, number, applied)
		if claimed = unchanged && errors.Is(err, ErrTwice); claimed {
			return fmt.Errorf("%w: %w", ErrConflict, err)
		}
		if err != nil {
			return err
		}
		after, err := tx.Stamp(ctx)
		if err != nil || after == before {
			return err
		}
		return tx.UpdateImport(ctx, changed(imp, before, after))
	})
}

// holds reports whether facts of one stamp still hold at another, as far as the import's other chunks are
// concerned: what it has changed itself does not concern their accounts, for every account is in one chunk.
func holds(imp schema.Import, stamp, current int64) bool {
	return stamp != 0 && (stamp == current || current == imp.OwnTo && stamp >= imp.OwnFrom)
}

// changed notes that the import has changed what a rule looks at, from one stamp to another.
func changed(imp schema.Import, before, after int64) schema.Import {
	if before != imp.OwnTo {
		imp.OwnFrom = before
	}
	imp.OwnTo = after
	return imp
}

// mayApply checks that the owner may apply the chunk now.
func mayApply(ctx context.Context, tx Tx, owner Owner, number int, hold bool) (imp schema.Import, done bool, err error) {
	imp, found, err := tx.FindImport(ctx, owner.ImportID, hold)
	if err != nil {
		return imp, false, err
	}
	if found {
		done, found, err = tx.ChunkDone(ctx, owner.ImportID, number)
	}
	switch {
	case err != nil:
	case !found:
		err = schema.Refuse(schema.CodeImportNotFound, "Import %d has no part %d.", owner.ImportID, number)
	case imp.Epoch != owner.Epoch:
		err = &schema.Error{Code: schema.CodeImportTakenOver}
	case imp.CancelRequested, imp.State == schema.StateCancelled:
		err = &schema.Error{Code: schema.CodeCancelled}
	case imp.State != schema.StateApplying:
		err = fmt.Errorf("import %d is %s", owner.ImportID, imp.State)
	}
	return imp, done, err
}

// factsFor looks up the facts of a chunk, with what is due written; unchanged says that what the caller knows
// still holds.
func (s *Store) factsFor(ctx context.Context, d due, id string, keys func() ([]string, error), unchanged bool) (claim.Facts, error) {
	claiming, err := organization(ctx, d.tx, id)
	if err != nil {
		return claim.Facts{}, err
	}
	if unchanged {
		facts := claim.Facts{Claiming: claiming, Unchanged: true}
		facts.Licenses, err = d.tx.Licenses(ctx, true, id)
		return facts, err
	}
	wanted, err := keys()
	if err != nil {
		return claim.Facts{}, err
	}
	if err := d.writeAny(ctx, id); err != nil {
		return claim.Facts{}, err
	}
	facts, err := lookUp(ctx, d.tx, claiming, wanted, true)
	if err != nil {
		return facts, err
	}
	if written, err := d.writeOf(ctx, facts.Accounts); err != nil || !written { // claimed by others, and due
		return facts, err
	}
	return lookUp(ctx, d.tx, claiming, wanted, true)
}

// writeAny writes all that is due for an organization, which is nothing in most cases.
func (d due) writeAny(ctx context.Context, id string) error {
	found, err := d.any(ctx, id)
	if err != nil || !found {
		return err
	}
	_, err = d.write(ctx, id)
	return err
}

// finishChunk writes what became of a chunk.
func finishChunk(ctx context.Context, tx Tx, owner Owner, rules claim.Rules, facts claim.Facts, number int, applied Applied) error {
	ids, err := tx.InsertClaims(ctx, ClaimBatch{
		Organization: facts.Claiming.ID, At: rules.Now, ImportID: owner.ImportID, Claims: applied.Claims,
	})
	if err != nil {
		return err
	}
	licenses := claim.NewLicenses(facts.Licenses)
	mails := map[mailing][]int64{}
	for first := 0; first < len(ids); { // most claims are like the one before
		made := &applied.Claims[first]
		next := first + 1
		for next < len(ids) && applied.Claims[next].Type == made.Type && slices.Equal(applied.Claims[next].Services, made.Services) {
			next++
		}
		licenses.Claimed(facts.Claiming.ID, made.Type, made.Services, next-first)
		for _, mail := range claim.MailsFor(made.Type, applied.ActivationMails) {
			m := mailing{mail, rules.Now}
			mails[m] = append(mails[m], ids[first:next]...)
		}
		first = next
	}
	if err := tx.PutHeld(ctx, licenses.Changed()); err != nil {
		return err
	}
	if err := addMails(ctx, tx, mails); err != nil {
		return err
	}
	var results []byte
	if applied.Results != nil {
		results = applied.Results(ids)
	}
	return tx.FinishChunk(ctx, owner.ImportID, number, results, applied.Tally)
}

// mailing is mails of a kind that are written at one time.
type mailing struct {
	kind claim.Mail
	at   time.Time
}

// addMails adds mails about claims to the outbox, in the order of time.
func addMails(ctx context.Context, tx Tx, mails map[mailing][]int64) error {
	for _, m := range slices.SortedFunc(maps.Keys(mails), func(a, b mailing) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(slices.Index(claim.Mails, a.kind), slices.Index(claim.Mails, b.kind)))
	}) {
		if err := tx.AddMails(ctx, m.kind, m.at, mails[m]); err != nil {
			return err
		}
	}
	return nil
}
