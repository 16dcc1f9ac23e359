// Package folder is the folder of a hand-off: its manifest, which says which line of the source each row of a
// part came from, and the files that steps add. It is only ever added to. The address of a row stands in the
// part itself, which the manifest knows by its hash.
package folder
