// Package usersfile knows what the columns of the users file mean, and what is wrong with one row of it.
//
//	header ─▶ NewLayout: which column means what ─▶ Read: the cells of a record ─▶ Check: what is wrong with them
//
// Whom a row means is never guessed: a column that could be Claim and is not known for certain refuses the
// file. What a row would change of an account is found by Compare; rules and accounts themselves are not this
// package's business.
package usersfile
