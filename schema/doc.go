// Package schema holds the nouns of Claimline and every shape at its edges: organizations, domains,
// users, claims, the rows of the users file, results, summaries, and the one table of codes.
//
// It does no I/O and knows nothing of the other packages.
package schema
