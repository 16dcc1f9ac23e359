package workbook

import (
	"archive/zip"
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"
)

// tester is a test, of package testing or of rapid.
type tester interface {
	require.TestingT
	Helper()
	Context() context.Context
}

// pack makes a ZIP archive of parts.
func pack(t tester, parts map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	names := make([]string, 0, len(parts))
	for name := range parts {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		into, err := w.Create(name)
		require.NoError(t, err)
		_, err = into.Write([]byte(parts[name]))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.String()
}

// parts returns the parts of a workbook with one sheet, its XML behind the header as given, and others that
// take the place of those or stand beside them.
func parts(sheet string, others map[string]string) map[string]string {
	all := map[string]string{
		"[Content_Types].xml": typesPart, "_rels/.rels": rootRelations, "xl/workbook.xml": workbookPart,
		"xl/_rels/workbook.xml.rels": workbookRelations, "xl/styles.xml": stylesPart,
		"xl/worksheets/sheet1.xml": declaration + `<worksheet xmlns="` + namespace + `">` + sheet + `</worksheet>`,
	}
	maps.Copy(all, others)
	return all
}

// readAll reads the rows of a sheet, each with its number, as people see them.
func readAll(t tester, file string, sheet int) (rows map[int][]string, hidden []int, notes *Notes, err error) {
	t.Helper()
	book, err := Open(strings.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, nil, nil, err
	}
	rows = map[int][]string{}
	notes, err = book.Rows(t.Context(), sheet, func(row *Row) error {
		rows[row.Number] = slices.Clone(row.Cells)
		if row.Hidden {
			hidden = append(hidden, row.Number)
		}
		return nil
	})
	return rows, hidden, notes, err
}

// write writes rows as a workbook.
func write(t tester, columns []Column, rows [][]string) string {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, columns)
	require.NoError(t, err)
	for _, row := range rows {
		require.NoError(t, w.Write(row))
	}
	require.NoError(t, w.Close())
	return b.String()
}
