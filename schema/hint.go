package schema

import "strings"

// Hint names what in particular is wrong with a row, where that is known: it has words of its own instead of
// its code's.
type Hint string

// The hints, by the code they belong to.
const (
	HintClaimWord Hint = "claim_word" // boolean_invalid

	HintRowNames       Hint = "row_names" // field_count
	HintTooManyCells   Hint = "too_many_cells"
	HintOtherDelimiter Hint = "other_delimiter"
	HintBrokeOff       Hint = "broke_off"
	HintCutOff         Hint = "cut_off"
	HintNoUser         Hint = "no_user" // any code

	HintEmailPrefix    Hint = "email_prefix" // email_invalid
	HintEmailBrackets  Hint = "email_brackets"
	HintEmailSeveral   Hint = "email_several"
	HintEmailCharacter Hint = "email_character"

	HintSpreadsheetError Hint = "spreadsheet_error" // text_invalid
	HintUndecodable      Hint = "undecodable"

	HintPhoneShortened Hint = "phone_shortened" // phone_invalid
	HintPhoneNational  Hint = "phone_national"
	HintPhoneNoPlus    Hint = "phone_no_plus"
	HintPhoneTrunk     Hint = "phone_trunk"

	HintLanguageName Hint = "language_name" // language_invalid

	HintCallingNameLong Hint = "calling_name_long" // text_too_long
	HintCallingNameSign Hint = "calling_name_sign" // text_invalid
	HintCellShortened   Hint = "cell_shortened"
	HintSameButCase     Hint = "same_but_case" // duplicate_row

	HintLicenses      Hint = "licenses"      // license_missing
	HintLicensesKept  Hint = "licenses_kept" // license_kept
	HintLicensesWrong Hint = "licenses_wrong"

	HintApostrophe Hint = "apostrophe" // user_not_found
	HintLookAlike  Hint = "look_alike"

	HintOtherAddress Hint = "other_address" // not_in_directory
	HintListedApart  Hint = "listed_apart"
)

// saying is what users are told.
type saying struct{ message, fix string }

// hints is the one table of what is told instead of a code's own words.
var hints = map[Hint]saying{
	HintClaimWord: {"The cell is neither TRUE nor FALSE[: {1}].", "Write TRUE or FALSE. A blank cell leaves the user alone."},

	HintRowNames: {
		"The row has one cell more than the header ({1} instead of {2}), as each row has behind row names.",
		"Give the first column a name: the header has one cell less than the rows.",
	},
	HintTooManyCells: {
		"The row has more cells than the header ({1} instead of {2}).",
		"Put a cell that contains the delimiter in quotes, or delete the surplus cells.",
	},
	HintOtherDelimiter: {"The row's cells are separated by {=1}, and those of the header by {=2}.", "Save the file again, with the same delimiter in all lines."},
	HintBrokeOff: {
		"The row broke off ({1} cells instead of {2}): line {3} may be its rest.",
		"Join the two lines to one row, or delete them.",
	},
	HintCutOff: {"The last row is cut off ({1} cells instead of {2}).", "Copy the file again as a whole, or complete the row."},
	HintNoUser: {"The line is no user[: {1}].", "Delete the line."},

	HintEmailPrefix:   {"Before the address stands {1}[: {2}].", "Delete {1} and write the address alone."},
	HintEmailBrackets: {"The cell holds more than the address, in brackets[: {1}].", "Write the address alone[: {2}]."},
	HintEmailSeveral:  {"The cell holds several addresses[: {1}].", "Write one row for each address."},
	HintEmailCharacter: {
		"The address has a character that no address has: {=1}[, in {2}].", "Type the address again, without that character.",
	},

	HintSpreadsheetError: {"The cell is the error of a spreadsheet's formula[: {1}].", "Write the value itself, or leave the cell blank."},
	HintUndecodable:      {"The cell has bytes that are no text[: {1}].", "Type the text again, and save the file as CSV UTF-8."},

	HintPhoneShortened: {
		"A spreadsheet has shortened the number to {1}: its last digits are lost.",
		"Write the whole number with + in front, in a cell formatted as text; or leave it blank.",
	},
	HintPhoneNational: {
		"The number has no country code: {1}.", "Write + and the country code instead of the first 0, as in +46701234567; or leave it blank.",
	},
	HintPhoneNoPlus: {
		"The number has no + in front, and the account has another number: {1}.", "Write +{1} if that is the number; or leave it blank.",
	},
	HintPhoneTrunk: {"The number has a (0) that is not dialled from abroad: {1}.", "Delete the (0); or leave the cell blank."},

	HintLanguageName: {"This is the name of a language, and not its tag: {1}.", "Write {2}, or leave the cell blank."},

	HintCallingNameLong: {
		"A user with a Calling licence has a name of at most 30 characters[: {1}].", "Shorten the name to 30 characters.",
	},
	HintCallingNameSign: {
		`The name of a user with a Calling licence has none of % # < > \ / "[: {1}].`, "Write the name without these signs.",
	},
	HintCellShortened: {
		"A spreadsheet has shortened the number to {1}: its last digits are lost.",
		"Write the whole number, in a cell formatted as text; or leave it blank.",
	},
	HintSameButCase: {
		"The same address in another case is already in this file[, on line {1}].", "Keep one of the rows and delete the other.",
	},
	HintLicenses:      {"The user does not have what was asked for: {1}.", "Get more licences, then upload retry.csv."},
	HintLicensesKept:  {"The user does not have what was asked for: {1}.", "Upload retry.csv, and choose Add and remove services."},
	HintLicensesWrong: {"The user does not have what was asked for: {1}.", "Get more licences, then upload retry.csv, and choose Add and remove services."},
	HintApostrophe: {
		"The address begins or ends with an apostrophe, and there is an account without it[: {1}].", "Delete the apostrophe.",
	},
	HintLookAlike: {
		"The address has a letter that only looks like another: {1}. No account has it.", "Type the address again[: {2} has an account].",
	},
	HintOtherAddress: {
		"The user is in the directory under another address, on line {1}: this one is not the address that counts there.",
		"Make it the user's main address in the directory first, or leave the user out: else the next synchronization deletes the account.",
	},
	HintListedApart: {
		"The directory has this address on line {1}, but as that of a guest, a group, or somebody without an address that counts.",
		"Make it a person's main address in the directory first, or leave the user out: else the next synchronization deletes the account.",
	},
}

// Message says what was wrong; details fill it.
func (h Hint) Message(details ...string) string { return h.Wrong(details...).String() }

// Fix says what to do about it; details fill it.
func (h Hint) Fix(details ...string) string { return h.Cure(details...).String() }

// OfMany is Wrong for rows that differ in their details; ok is false where it says nothing without them.
func (h Hint) OfMany() (wrong Text, ok bool) {
	always, _, _ := strings.Cut(hints[h].message, "[")
	return h.Wrong(""), always != "" && !strings.Contains(always, "{")
}

// Wrong is Message in any language.
func (h Hint) Wrong(details ...string) Text { return template(hints[h].message, details) }

// Cure is Fix in any language.
func (h Hint) Cure(details ...string) Text { return template(hints[h].fix, details) }
