// Package dialect turns the bytes of a CSV file into records, and records into bytes. It knows nothing of
// users or rules; it reads a file as it was meant, says what it mended, and refuses what it does not
// understand for certain.
//
//	file ─▶ NewReader: encoding, delimiter, header ─▶ Next: blocks of whole records ─▶ Parse: cells ─▶ Fit, Clean
//
// A workbook is unpacked first: the sheet that is meant becomes CSV of which every record is a line, and is
// read like any other file.
//
// Next is serial and cheap: it decodes, and finds where records end. Parse does the rest of the work, and may
// run on several blocks at the same time. Fit makes a record as wide as the header, Clean reads one cell.
//
// # Which error comes first
//
// Next takes a line break for the end of a record where the number of quotes before it is even. As far as a
// file is well-formed that is exactly where records end, so the first malformed place of a file always lies
// in a block all of whose earlier records were split rightly, and Parse of that block finds it; what the
// blocks after it hold does not matter any more. Next itself refuses only a record that is over the limit,
// having looked at it from its start, and hands out all records before it first. So whoever takes the error
// of the earliest block, and that of Next only after those of all blocks before it, reports the first bad
// place in file order.
//
// # LDIF
//
// LDIF reads the exports of directories that are no CSV, entry by entry, with the values that are asked for.
//
// It is larger than other packages, for what files are like is a long list.
package dialect
