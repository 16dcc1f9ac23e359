package pages

import "github.com/claimline/claimline/schema"

// pageFixes says what to do about codes whose own fix is for the terminal.
var pageFixes = map[schema.Code]schema.Word{
	schema.CodeNotFound:         "Check the address, or begin at the first page.",
	schema.CodeMethodNotAllowed: "Begin at the first page.",
	schema.CodeRequestInvalid:   "Go back, look at what you filled in, and try again.",
	schema.CodeCrossOrigin:      "Open the page again in this browser, and send the form from there.",
	schema.CodeInternal:         "Try again. If it happens again, tell your administrator.",
	schema.CodeUserInactive:     "Ask the organization to make the account active again.",
	schema.CodeUserNotFound:     "Check the spelling.",
	schema.CodeNotClaimed:       "There is nothing to do.",
	schema.CodeTokenInvalid:     "Copy the whole token again, or ask your administrator for another.",
}
