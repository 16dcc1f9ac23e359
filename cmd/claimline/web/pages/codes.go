package pages

import "github.com/claimline/claimline/schema"

// pageFixes says what to do about codes whose own fix is for the terminal.
var pageFixes = map[schema.Code]schema.Word{
	schema.CodeNotFound:           "Check the address, or begin at the first page.",
	schema.CodeMethodNotAllowed:   "Begin at the first page.",
	schema.CodeRequestInvalid:     "Go back, look at what you filled in, and try again.",
	schema.CodeCrossOrigin:        "Open the page again in this browser, and send the form from there.",
	schema.CodeInternal:           "Try again. If it happens again, tell your administrator.",
	schema.CodeUserInactive:       "Ask the organization to make the account active again.",
	schema.CodeUserNotFound:       "Check the spelling.",
	schema.CodeNotClaimed:         "There is nothing to do.",
	schema.CodeChoiceNotAvailable: "Choose one of those on the page.",
	schema.CodeEmailDomainTaken:   "Give an address in another domain, for example a private one.",
	schema.CodeScheduleNotFound:   "See which there are under Schedules.",
	schema.CodeScheduleRunning:    "Wait until its run has ended.",
	schema.CodeScheduleInvalid:    "Let it go on first.",
	schema.CodeTokenNotFound:      "See which there are under Settings.",
	schema.CodeDomainNotClaimed:   "There is nothing to release.",
	schema.CodeTXTRecordMissing:   "Publish the record exactly as it is shown, wait a while, and check again.",
	schema.CodeDNSFailed:          "Try again later, or ask whoever runs the service to look at its name server.",
	schema.CodeDirectoryMismatch:  "Name the column of the addresses, under More choices.",
	schema.CodeTokenInvalid:       "Copy the whole token again, or ask your administrator for another.",
	schema.CodeRoleTooLow:         "Ask your administrator for a token that may do more.",
}
