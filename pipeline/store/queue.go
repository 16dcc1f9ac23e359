package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/claimline/claimline/schema"
)

// Imports that nobody attends are driven by any process, in pieces. Whoever has a moment asks which are due,
// and takes one of them: small ones go before large ones, and organizations take turns.

// OpenImport is an import that was agreed to, that nobody attends, and that has not ended.
type OpenImport struct {
	ID           int64
	Organization string
	Epoch        int64
	Rows         int       // of its file
	Runner       string    // see schema.Import
	LeaseUntil   time.Time // likewise
	Turn         time.Time // when its organization's turn last came; zero: never
}

// Rows up to which an import goes before larger ones.
const (
	smallRows  = 1000
	mediumRows = 100_000
)

// Priority returns 1 for what is small, as claims by hand are, 2, or 3 for what is large.
func (o *OpenImport) Priority() int {
	switch {
	case o.Rows <= smallRows:
		return 1
	case o.Rows <= mediumRows:
		return 2
	}
	return 3
}

func (o *OpenImport) owned(now time.Time) bool {
	return schema.Import{Runner: o.Runner, LeaseUntil: o.LeaseUntil}.Owned(now)
}

// DueImports lists the open imports that nobody works on, in the order in which they are to be taken: by
// priority, then those of the organization whose turn is longest ago, then the oldest. Those of an
// organization of which atOnce are worked on already are left out; 0: none are.
func (s *Store) DueImports(ctx context.Context, atOnce int) (due []OpenImport, err error) {
	err = s.read(ctx, "find the imports that are due", func(tx Tx) error {
		open, err := tx.OpenImports(ctx)
		if err != nil || len(open) == 0 {
			due = nil
			return err
		}
		now, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		busy := working(open, now)
		due = slices.DeleteFunc(open, func(o OpenImport) bool {
			return o.owned(now) || atOnce > 0 && busy[o.Organization] >= atOnce
		})
		slices.SortFunc(due, func(a, b OpenImport) int {
			return cmp.Or(cmp.Compare(a.Priority(), b.Priority()), a.Turn.Compare(b.Turn), cmp.Compare(a.ID, b.ID))
		})
		return nil
	})
	return due, err
}

// working counts the imports that somebody works on, by organization.
func working(open []OpenImport, now time.Time) map[string]int {
	busy := map[string]int{}
	for i := range open {
		if open[i].owned(now) {
			busy[open[i].Organization]++
		}
	}
	return busy
}

// TakeTurn does what TakeImport does, for an import that is due: its organization's turn comes now. Refused
// with CodeImportRunning, too, where atOnce imports of the organization are worked on already; 0: there is no
// such limit.
func (s *Store) TakeTurn(ctx context.Context, id int64, runner string, lease time.Duration, atOnce int) (owner Owner, err error) {
	err = s.write(ctx, "take the import", func(tx Tx) error {
		imp, err := findImport(ctx, tx, "", id, false)
		if err != nil {
			return err
		}
		now, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		if err := tx.PutTurn(ctx, imp.OrganizationID, now); err != nil {
			return err
		}
		open, err := tx.OpenImports(ctx)
		if err != nil {
			return err
		}
		if atOnce > 0 && working(open, now)[imp.OrganizationID] >= atOnce {
			return schema.Refuse(schema.CodeImportRunning, "Other imports of the organization are running.")
		}
		owner, err = take(ctx, tx, id, runner, lease)
		return err
	})
	return owner, err
}
