package sqlite

import (
	"context"
	"database/sql"
	"strings"
)

// inserter inserts rows many at a time, which costs a fraction of one statement per row.
type inserter struct {
	tx      *tx
	head    string // up to VALUES
	tail    string // what follows the rows
	columns int

	full *sql.Stmt // for insertRows rows
	args []any
}

// insertRows is how many rows an inserter inserts with one statement.
const insertRows = 100

// add inserts one row, now or with later ones.
func (i *inserter) add(ctx context.Context, row ...any) error {
	i.args = append(i.args, row...)
	if len(i.args) < insertRows*i.columns {
		return nil
	}
	if i.full == nil {
		var err error
		if i.full, err = i.tx.PrepareContext(ctx, i.statement(insertRows)); err != nil {
			return err
		}
	}
	_, err := i.full.ExecContext(ctx, i.args...)
	i.args = i.args[:0]
	return err
}

// flush inserts the rows that are left.
func (i *inserter) flush(ctx context.Context) error {
	if len(i.args) == 0 {
		return nil
	}
	_, err := i.tx.ExecContext(ctx, i.statement(len(i.args)/i.columns), i.args...)
	i.args = i.args[:0]
	return err
}

func (i *inserter) statement(rows int) string {
	row := "(?" + strings.Repeat(",?", i.columns-1) + ")"
	return i.head + " VALUES " + row + strings.Repeat(","+row, rows-1) + " " + i.tail
}
