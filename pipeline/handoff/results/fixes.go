package results

import "github.com/claimline/claimline/schema"

// fixOf says what to do about a row that Control Hub refused.
func fixOf(reason schema.Code) schema.Word {
	switch reason {
	case schema.CodeNotClaimed:
		return "Claim the user in Control Hub first, then upload retry.csv."
	case schema.CodeDomainClaimedElsewhere:
		return "Ask the organization that has claimed the domain to release it."
	case schema.CodeDomainNotVerified:
		return "Verify the domain in Control Hub, then upload retry.csv."
	case schema.CodeClaimedElsewhere:
		return "Ask that organization to retract its claim, or wait until it is closed."
	case schema.CodeDirectorySyncEnabled:
		return "Turn directory synchronization off in Control Hub, then upload retry.csv."
	case schema.CodeLicenseUnavailable:
		return "Get more licences, or leave the service blank; then upload retry.csv."
	case schema.CodeServiceConflict:
		return "Leave all but one of the services blank in retry.csv, then upload it."
	case schema.CodeServiceSuspended:
		return "Leave the cell blank, or have the subscription renewed first. Then upload retry.csv."
	case schema.CodeBooleanInvalid:
		return "Write TRUE or FALSE, or leave the cell blank. Then upload retry.csv."
	case schema.CodeLocationMissing:
		return "Fill in Location, or leave the licence blank. Then upload retry.csv."
	case schema.CodeNumberMissing:
		return "Fill in Phone Number or Extension, or leave the licence blank. Then upload retry.csv."
	case schema.CodeUserNotFound, schema.CodeEmailInvalid:
		return "Check the address, and correct it in retry.csv."
	}
	return schema.Word(reason.Fix())
}

// mendable reports whether a row that was refused for this reason can be uploaded again, once it is mended
// or some time has passed.
func mendable(reason schema.Code) bool {
	return reason != schema.CodeDomainClaimedElsewhere && reason != schema.CodeClaimedElsewhere
}
