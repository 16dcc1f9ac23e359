// Package results finds out what became of the rows of a hand-off: by what Control Hub said of them
// (Results), by fresh exports (Verify), and by what was found out before (Status).
//
//	parts ─▶ read ─blocks▶ join with what was said, or what exports show ─▶ results-01.csv or verified-01.csv, retry.csv
//
// Of a part that is not as it was made nobody knows what its rows are: it is refused.
package results
