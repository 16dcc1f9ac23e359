// Package kept is what an import keeps of its file, and how that is written and read back: the rows, what was
// found of each, and what claiming those takes that are ready.
//
// A Chunk collects rows in file order and is packed for the store. Each reads all chunks of an import back,
// with what has become of the rows; UnpackVerdicts, UnpackReady and UnpackRecords read the parts of one that
// applying it needs. Whatever is read back is checked: what is damaged is an error, never a guess.
package kept
