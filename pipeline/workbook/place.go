package workbook

import (
	"strconv"
	"strings"
)

// name returns how spreadsheet programs call a cell, such as B12.
func name(row, column int) string { return letters(column) + strconv.Itoa(row) }

// letters returns how spreadsheet programs call a column, the first being A.
func letters(column int) string {
	var name []byte
	for ; column > 0; column = (column - 1) / 26 {
		name = append([]byte{byte('A' + (column-1)%26)}, name...)
	}
	return string(name)
}

// areaOf returns the area that a reference such as B2:D7 names.
func areaOf(reference string) (a Area, ok bool) {
	first, last, found := strings.Cut(reference, ":")
	if !found {
		last = first
	}
	a.FirstRow, a.FirstColumn, ok = place(first)
	if !ok {
		return a, false
	}
	a.LastRow, a.LastColumn, ok = place(last)
	return a, ok && a.FirstRow <= a.LastRow && a.FirstColumn <= a.LastColumn
}
