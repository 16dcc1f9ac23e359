// Package snapshot takes a folder of tables into the store: organizations, licences, domains, users and open
// claims.
//
//	folder ─▶ survey: which files there are, and what their columns mean ─▶ read: rows, checked ─▶ store.Loader
//
// LoadControlHub takes Control Hub's own exports in instead: two files of users, of which the organizations,
// licences, domains and open claims follow.
//
// All of it is taken in, or nothing. What is not understood for certain is refused: a column that may be
// another's, a file that may be one of the five, a service that nobody has licences for. What was mended on
// the way is told per file. What only holds against what the store has already, such as an address that
// another account keeps, is the store's business.
package snapshot
