//go:build !race

package main

// everyVariant is false where the race detector watches: see runHunt.
const everyVariant = true
