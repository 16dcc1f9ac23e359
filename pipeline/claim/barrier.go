package claim

import "github.com/claimline/claimline/schema"

// Barrier decides what becomes of an import whose rows count like this (R13): it waits for consent while
// somebody is to be claimed, else it has ended. All or nothing, one problem rejects it.
func Barrier(allOrNothing bool, rows schema.Tally) (schema.ImportState, schema.Code) {
	switch problems := rows.Problems() > 0; {
	case allOrNothing && problems:
		return schema.StateRejected, schema.CodeAllOrNothing
	case rows.Outcomes[schema.Ready] > 0:
		return schema.StateAwaitingConsent, ""
	case problems:
		return schema.StateCompletedWithErrors, ""
	}
	return schema.StateCompleted, ""
}
