// Package controlhub reads Control Hub's files: what their columns are, what the words in their cells mean,
// exports row by row, and what a file of errors says of the rows of an upload. The file at hand is the truth
// about headers; there is no list of services here. Package handoff makes files for Control Hub and compares
// with its exports, its package results follows them, and package snapshot takes exports into the store.
package controlhub
