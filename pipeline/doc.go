// Package pipeline claims the users of a CSV file, in two passes with a barrier between them.
//
//	PLAN     file ─▶ read ─chunks▶ validate ─verdicts▶ plan ─▶ keep
//	barrier  refuse, or show the plan and ask
//	APPLY    kept chunks ─▶ unpack ─ready rows▶ decide, write ─results▶ report
//
// run.go joins the stages, and every stage has a file of its own. What travels between them is chunks: some
// thousand whole rows, in file order. A stage that works on several at once hands them on in order all the
// same (inorder.go), so memory is bounded by the workers and nothing is sorted afterwards.
//
// What an import keeps is larger chunks, made of several of these, each with its verdicts and what claiming
// its ready rows takes (prepared.go). Such a chunk is the unit of everything that comes then: of work, of
// progress, and of the transaction in which its claims, its results, the mails to send and the note that it
// is done are written together. A process that dies has done whole chunks; whoever resumes the import does
// the others. Verdicts are made once, while planning. Applying asks the rules again on locked facts, unless
// the store is sure that nothing has changed since; it can only narrow: a row is claimed if it was planned
// ready, still is, and its claim is of the planned type.
//
// The rules are in package claim, the bytes in package dialect, the database behind package store.
package pipeline
