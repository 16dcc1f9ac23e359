// Package workbook reads the sheets of Excel workbooks (.xlsx), and writes workbooks of one sheet. It knows
// nothing of users or of CSV.
//
//	file ─▶ Open: parts, sheets, number formats ─▶ Rows: the cells of a sheet as they are shown, row by row
//	cells ─▶ Writer: a sheet of text
//
// A workbook is untrusted: a ZIP archive of XML. Its parts are read as streams, with a limit on what each
// unpacks to; only the shared strings are held in memory. There are no entities to expand and nothing outside
// the archive to fetch, macros and everything else that is no sheet are left alone, and XML that ends too
// early is refused, for rows would be missing.
package workbook
