// Package words says in a language what people are told. English is how a sentence is written in the code,
// and the key by which the others are found: there is one catalogue of Swedish, in the files swedish_*.go.
//
// Codes, statuses, JSON, the columns of files, commands and flags are the same in every language. A sentence
// is translated where it is shown: refusals carry a schema.Text, which is English until then.
package words
