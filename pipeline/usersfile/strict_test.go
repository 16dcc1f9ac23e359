package usersfile

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// FuzzChecks shows that the fast checks of a row are those that the tags of schema.Row state.
func FuzzChecks(f *testing.F) {
	long := strings.Repeat("å", 65)
	f.Add("Ann", "Lee", "", "ann@acme.example", "", "", "", "+46701234567", "sv", "", "TRUE", "T", "")
	f.Add(long, long+"\n", "\x00", "ann@acme", long, "\t", "\n", "+46 70", "sv_SE", "now", "maybe", "1", "f")
	f.Add("\xe5", "\xe5", "\ufffd", "\xe5@acme.example", "\u2028", strings.Repeat("x", 64), long, "0", "svenska", "DELAYED", "false", "x", "x")
	f.Add("'=x", " Ann ", "'", "", "\u00a0", "=1", "-1", " +467012 ", "zz-Zzzz-ZZ", " Immediate ", " t ", " TRUE", "'+")
	f.Add("", "", "", strings.Repeat("a", 250)+"@b.c", "", "", "", "", "x", "", "F", "", "")
	f.Add("", "", "", "a@b.c", "", "", "", "", "", "", "f", "bad", "bad")

	header := slices.Concat(schema.Columns, []string{"Notes", "Calling", "Rooms"})
	l, err := NewLayout("f.csv", 1, header, []string{"Calling", "Rooms", "Unused"}, Options{})
	require.NoError(f, err)
	strict := NewStrict()
	f.Fuzz(func(t *testing.T, first, last, display, address, title, department, notes, phoneNumber, language, typeCell, claims, calling, rooms string) {
		record := []string{
			first, last, display, address, notes, notes, title, department, phoneNumber, language, notes, typeCell, claims, notes, calling, rooms,
		}
		var values Values
		l.Read(record, &values, &Repairs{})
		undecodable := slices.IndexFunc(record, func(cell string) bool { return !utf8.ValidString(cell) })
		check := func(check func(*Layout, []string, *Values, int, *Row, *Repairs, *schema.Finding)) (Row, Repairs, schema.Finding) {
			read := values
			r, n, found := Row{Assignments: make([]claim.Assignment, 3)}, Repairs{}, schema.Finding{}
			check(l, record, &read, undecodable, &r, &n, &found)
			return r, n, found
		}
		fastRow, fastRepairs, fast := check((*Layout).Check)
		slowRow, slowRepairs, slow := check(strict.Check)
		require.Equal(t, slow, fast)
		require.Equal(t, slowRow, fastRow)
		require.Equal(t, slowRepairs, fastRepairs)
	})
}
