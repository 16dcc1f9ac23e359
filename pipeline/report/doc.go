// Package report writes what became of the rows of a file, or what would: as CSV, JSON Lines, text or one
// page of HTML.
//
// Whoever has rows begins a Report, writes them in file order, and ends it; Report.OfImport does so with what
// an import has kept. Every cell of a file is untrusted: CSV is guarded against formulas, text shows no
// control characters, and the page meets data through an escaping template alone.
package report
