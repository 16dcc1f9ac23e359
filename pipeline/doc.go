// Package pipeline claims the users of a CSV file, in two passes with a barrier between them.
//
//	PLAN     file ─▶ read ─blocks▶ validate ─verdicts▶ count ─▶ keep, or report
//	barrier  refuse, or show the plan and ask
//	APPLY    kept chunks ─▶ unpack ─ready rows▶ decide, write
//
// An import is driven in steps (steps.go): Plan, Agree or Decline, then Step until nothing is left; Cancel
// and Reopen. A terminal, a service and a schedule take the same steps. Between two of them nobody owns the
// import, and any process may take the next: no person is waited for under a lease, to stop is to give the
// import back, and to cancel is an order of its own. The states of an import, and what leads from one to the
// other, are the table in schema/life.go.
//
// run.go joins the stages, and every stage has a file of its own. What travels while a file is planned is
// blocks: some thousand whole rows, in file order. A stage that works on several at once hands them on in
// order all the same (package stage), so memory is bounded by the workers and nothing is sorted afterwards. A
// dry run ends in a report, and an import in what it keeps.
//
// What an import keeps is chunks (package kept), each made of several blocks, with their verdicts and what
// claiming their ready rows takes. A chunk is the unit of everything that comes then: of work, of progress,
// and of the transaction in which its claims, its results, the mails to send and the note that it is done are
// written together. A process that dies has done whole chunks; whoever resumes the import does the others.
// Verdicts are made once, while planning. Applying asks the rules again on locked facts, unless it has the
// policy and the program of the plan, and the store is sure that nothing has changed since but by this
// import, whichever process does it; it can only narrow: a row is claimed if it was planned ready, still is,
// and its claim is of the planned type.
//
// The rules are in package claim, the bytes in dialect, the columns of a users file in usersfile, how a file
// was meant where its bytes leave that open in meant, transactions in store, and what people read of an
// import in report. What is done to one account afterwards is in people. README.md lists all packages.
package pipeline
