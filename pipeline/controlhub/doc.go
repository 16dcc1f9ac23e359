// Package controlhub knows what stands in Control Hub's files: what its columns are, and what the words in
// their cells mean. The file at hand is the truth about headers; there is no list of services here. Package
// handoff makes such files and compares with them, and package snapshot takes them into the store.
package controlhub
