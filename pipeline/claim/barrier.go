package claim

import "github.com/claimline/claimline/schema"

// CheckByHand refuses, with CodeTooManyAddresses, to claim more addresses in one go than can be by hand
// (R14).
func CheckByHand(addresses int, policy schema.Policy) error {
	if most := policy.ManualLimit; addresses > most {
		return schema.Refuse(schema.CodeTooManyAddresses, "These are %d addresses; at most %d can be claimed by hand.", addresses, most)
	}
	return nil
}

// CheckListed refuses, with CodeTooManyAddresses, to claim more eligible users than can be listed (R14).
func CheckListed(eligible int, policy schema.Policy) error {
	if most := policy.ScreenLimit; eligible > most {
		return schema.Refuse(schema.CodeTooManyAddresses, "These are %d users; at most %d can be claimed without a file.", eligible, most)
	}
	return nil
}

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

// CheckStanding decides whether a consent holds that was given before there was a plan: to at most so many
// claims (R13), and to many accounts getting another name or not (R17). The code says why not.
func CheckStanding(plan *schema.Plan, most int, edits bool) schema.Code {
	switch {
	case plan.Tally.Outcomes[schema.Ready] > most:
		return schema.CodeConsentMissing
	case plan.ManyNameEdits() && !edits:
		return schema.CodeEditsNotAccepted
	}
	return ""
}
