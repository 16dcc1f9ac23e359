// Package claim is the rules R1 to R24: who may be claimed, what a claim does, and what ends it.
//
// Everything here is a pure function over facts that somebody else has looked up: no I/O, no clock, no
// context. A plan decides on facts read in bulk, an import decides again, with the same functions, inside the
// transaction on facts that are locked. Between the two a decision can only narrow: see Confirm.
package claim
