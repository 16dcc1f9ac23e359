package schema

import "slices"

// Code names one reason, warning or error, the same everywhere: in results, summaries, messages and JSON.
type Code string

// Row checks, in the order they are made.
const (
	CodeFieldCount       Code = "field_count"
	CodeBooleanInvalid   Code = "boolean_invalid"
	CodeClaimFalse       Code = "claim_false"
	CodeClaimBlank       Code = "claim_blank"
	CodeEmailMissing     Code = "email_missing"
	CodeEmailTooLong     Code = "email_too_long"
	CodeEmailInvalid     Code = "email_invalid"
	CodeTextTooLong      Code = "text_too_long"
	CodeTextInvalid      Code = "text_invalid"
	CodePhoneInvalid     Code = "phone_invalid"
	CodeLanguageInvalid  Code = "language_invalid"
	CodeClaimTypeInvalid Code = "claim_type_invalid"
	CodeDuplicateRow     Code = "duplicate_row"

	CodeClaimContradicted Code = "claim_contradicted"
)

// The rules R1 to R9, in the order they are checked.
const (
	CodeUserNotFound           Code = "user_not_found"           // R1
	CodeAlreadyClaimed         Code = "already_claimed"          // R2
	CodeAlreadyMember          Code = "already_member"           // R3
	CodeClaimedElsewhere       Code = "claimed_elsewhere"        // R4
	CodeDomainNotVerified      Code = "domain_not_verified"      // R5
	CodeDomainClaimedElsewhere Code = "domain_claimed_elsewhere" // R6
	CodeSourceSSO              Code = "source_sso"               // R7
	CodeSourceDirectorySync    Code = "source_directory_sync"    // R8
	CodeStaleClaimType         Code = "stale_claim_type"         // R9
)

// Why a row was not attempted, or failed.
const (
	CodeCancelled            Code = "cancelled"
	CodeAllOrNothing         Code = "all_or_nothing"
	CodeDirectorySyncEnabled Code = "directory_sync_enabled" // R10
	CodeInternal             Code = "internal"
)

// Warnings of a claim that is made all the same.
const (
	CodeContentNotTransferred Code = "content_not_transferred" // R11
	CodeLicenseUnavailable    Code = "license_unavailable"     // R17; the detail is the service
	CodeEditDoubtful          Code = "edit_doubtful"           // R17; the detail is the column
)

// Refusals of a file as a whole.
const (
	CodeFileEmpty          Code = "file_empty"
	CodeEmailColumnMissing Code = "email_column_missing"
	CodeColumnUnclear      Code = "column_unclear"
	CodeEncodingUnclear    Code = "encoding_unclear"
	CodeHeaderDuplicate    Code = "header_duplicate"
	CodeCSVMalformed       Code = "csv_malformed"
	CodeEncodingUnknown    Code = "encoding_unknown"
	CodeTooManyRows        Code = "too_many_rows"
	CodeLimitExceeded      Code = "limit_exceeded"
	CodeFileUnreadable     Code = "file_unreadable"
	CodeFileChanged        Code = "file_changed"
	CodeOutputUnwritable   Code = "output_unwritable"
	CodeFileExists         Code = "file_exists"
)

// Refusals of a snapshot.
const (
	CodeFileUnclear         Code = "file_unclear"
	CodeColumnMissing       Code = "column_missing"
	CodeValueMissing        Code = "value_missing"
	CodeValueInvalid        Code = "value_invalid"
	CodeIDDuplicate         Code = "id_duplicate"
	CodeEmailDuplicate      Code = "email_duplicate"
	CodeOrganizationUnknown Code = "organization_unknown"
)

// Refusals of a command.
const (
	CodeUsage            Code = "usage"
	CodeConfigInvalid    Code = "config_invalid"
	CodeConsentMissing   Code = "consent_missing" // R13
	CodeConsentDeclined  Code = "consent_declined"
	CodeEditsNotAccepted Code = "edits_not_accepted" // R17
	CodePlanChanged      Code = "plan_changed"
	CodeImportNotFound   Code = "import_not_found"
	CodeImportRunning    Code = "import_running"
	CodeImportFinished   Code = "import_finished"
	CodeImportTakenOver  Code = "import_taken_over"
	CodeImportIncomplete Code = "import_incomplete"
	CodeImportRemoved    Code = "import_removed"
	CodeInterrupted      Code = "interrupted"
	CodeDatabaseMissing  Code = "database_missing"
	CodeDatabaseNewer    Code = "database_newer"
	CodeDatabaseReadOnly Code = "database_read_only"
	CodeDatabaseBusy     Code = "database_busy"
	CodeDatabaseInvalid  Code = "database_invalid"
	CodeDatabaseFull     Code = "database_full"
	CodeDatabaseFailing  Code = "database_failing"
	CodeDatabaseSingle   Code = "database_single"

	CodeDatabaseUnreachable Code = "database_unreachable"
	CodeDatabaseDenied      Code = "database_denied"

	CodeTooManyAddresses Code = "too_many_addresses" // R14
	CodeServiceUnknown   Code = "service_unknown"
)

// Refusals after the claim (R15 to R24).
const (
	CodeClaimPending          Code = "claim_pending"
	CodeNotClaimed            Code = "not_claimed"
	CodeNotClaimingOrg        Code = "not_claiming_organization"
	CodeClaimClosed           Code = "claim_closed"
	CodeUserSignedIn          Code = "user_signed_in"
	CodeRetractWindowPassed   Code = "retract_window_passed"
	CodeUserInactive          Code = "user_inactive" // R23
	CodeDomainClaimed         Code = "domain_claimed"
	CodeChoiceNotAvailable    Code = "choice_not_available"
	CodeEmailUnchanged        Code = "email_unchanged"
	CodeEmailTaken            Code = "email_taken"
	CodeEmailDomainTaken      Code = "email_domain_taken"
	CodeNotDelayed            Code = "not_delayed"
	CodeNotMember             Code = "not_member"
	CodeDirectorySyncDisabled Code = "directory_sync_disabled"
	CodeMassDeactivation      Code = "mass_deactivation"
	CodeDirectoryMismatch     Code = "directory_mismatch" // R23
	CodeTXTRecordMissing      Code = "txt_record_missing"
	CodeDNSFailed             Code = "dns_failed"
	CodeDomainInvalid         Code = "domain_invalid"
	CodeDomainNotClaimed      Code = "domain_not_claimed"
	CodeRetractByImportOff    Code = "retract_by_import_off"
)

// Refusals of the outbox.
const (
	CodeMailNotFound Code = "mail_not_found"
	CodeMailSent     Code = "mail_sent"
)

// What is refused about schedules.
const (
	CodeScheduleInvalid  Code = "schedule_invalid"
	CodeScheduleExists   Code = "schedule_exists"
	CodeScheduleNotFound Code = "schedule_not_found"
	CodeScheduleRunning  Code = "schedule_running"
	CodeCronInvalid      Code = "cron_invalid"
	CodeZoneUnknown      Code = "zone_unknown"
	CodePathNotAllowed   Code = "path_not_allowed"
)

// entry is what users are told about a code. The details of the case fill {1}, {2} …; what stands between "["
// and "]" is left out where a detail that it needs is missing.
type entry struct {
	outcome Outcome
	message string
	fix     string
}

// codes is the one table of everything Claimline can say no to, or warn about.
var codes = map[Code]entry{
	CodeFieldCount:       {Invalid, "The row does not have as many cells as the header[ ({1})].", "Add the missing cells, or quote a cell that contains the delimiter."},
	CodeBooleanInvalid:   {Invalid, "The cell is neither TRUE nor FALSE[: {1}].", "Write TRUE or FALSE, or leave the cell blank."},
	CodeClaimBlank:       {Skipped, "Claim is blank, so the user is left alone.", "Write TRUE in the Claim column to claim this user."},
	CodeClaimFalse:       {Skipped, "Claim is FALSE, so the user is left alone.", "Write TRUE in the Claim column to claim this user."},
	CodeEmailMissing:     {Invalid, "The row has no e-mail address.", "Write the user's e-mail address, or delete the row."},
	CodeEmailTooLong:     {Invalid, "The e-mail address is longer than 254 bytes.", "Write the address that the user signs in with."},
	CodeEmailInvalid:     {Invalid, "This is not a valid e-mail address[: {1}].", "Write it as name@example.com, without quotes, comments or blanks."},
	CodeTextTooLong:      {Invalid, "The text is longer than 64 characters[: {1}].", "Shorten the text to 64 characters at most."},
	CodeTextInvalid:      {Invalid, "The text has a line break, a control character or unreadable bytes[: {1}].", "Type the text again on one line, and save the file as UTF-8."},
	CodePhoneInvalid:     {Invalid, "This is not a phone number in international form[: {1}].", "Write + and the country code, digits only, as in +46701234567; or leave it blank."},
	CodeLanguageInvalid:  {Invalid, "This is not a language tag[: {1}].", "Write a tag such as sv-SE or en, or leave it blank."},
	CodeClaimTypeInvalid: {Invalid, "The claim type is neither immediate nor delayed[: {1}].", "Write immediate or delayed, or leave the cell blank."},
	CodeDuplicateRow:     {Invalid, "The same address is already in this file[, on line {1}].", "Keep one of the rows and delete the other."},

	CodeClaimContradicted: {Invalid, "Another row leaves this user alone[: line {1}].", "Decide which is right: delete one of the two rows, or give both the same Claim."},

	CodeUserNotFound:           {Ineligible, "No account has this address.", "Check the spelling, or delete the row."},
	CodeAlreadyClaimed:         {Unchanged, "Your organization has already claimed this user.", "Nothing needs to be done."},
	CodeAlreadyMember:          {Unchanged, "The user already belongs to your organization.", "Nothing needs to be done."},
	CodeClaimedElsewhere:       {Ineligible, "Another organization has claimed this user.", "Wait until that claim is closed or retracted, then try again."},
	CodeDomainNotVerified:      {Ineligible, "Your organization has not verified the domain of this address[: {1}].", "Verify the domain[: claimline domain verify {1}]."},
	CodeDomainClaimedElsewhere: {Ineligible, "Another organization has claimed the domain of this address[: {1}].", "Ask that organization to release the domain."},
	CodeSourceSSO:              {Ineligible, "The user's organization uses single sign-on.", "Ask that organization to turn single sign-on off, or to remove the user."},
	CodeSourceDirectorySync:    {Ineligible, "The user's organization synchronizes its users from a directory.", "Ask that organization to turn synchronization off, or to remove the user."},
	CodeStaleClaimType:         {Ineligible, "The claim type is no longer the one this user would get[, which is {1}].", "Export the file again, or leave the Claim Type cell blank."},

	CodeCancelled:            {NotAttempted, "The import was cancelled before this row's turn came.", "Go on with it[: claimline resume {1}]."},
	CodeAllOrNothing:         {NotAttempted, "Another row had a problem, and the import was all or nothing.", "Correct the problems and import again, or leave out --all-or-nothing."},
	CodeDirectorySyncEnabled: {NotAttempted, "Directory synchronization is on in your organization, so nobody can be claimed.", "Turn it off: claimline org set directory_sync=off. Then try again."},
	CodeInternal:             {Failed, "Something went wrong that has nothing to do with the data.", "Try again. If it happens again, run with --log-level debug and report what it says."},

	CodeContentNotTransferred: {"", "The user's conversations stay behind in the original organization.", "Keep the original organization until its users have chosen."},
	CodeLicenseUnavailable:    {"", "No licence is left[ for {1}].", "Get more licences, then assign the service to the user."},

	CodeEditDoubtful: {"", "A cell seems to be damaged, so the account keeps what it has[ in {1}].", "Type the cell again, or leave it blank."},

	CodeFileEmpty:          {"", "The file has no header or no row.", "Export the file again: claimline export -o users.csv."},
	CodeEmailColumnMissing: {"", "The file has no column with the users' addresses.", "Name the column User ID/Email (Required)."},
	CodeColumnUnclear:      {"", "It is not certain what a column means.", "Say what the column is: --column \"Header=Claim\". Or that it is nothing: --ignore-column \"Header\"."},
	CodeEncodingUnclear:    {"", "It is not certain in which encoding the file is.", "Say which: --encoding NAME. Or save the file as CSV UTF-8."},
	CodeHeaderDuplicate:    {"", "A column stands in the header twice[: {1}].", "Delete one of the two columns."},
	CodeCSVMalformed:       {"", "The file is not well-formed CSV.", "Close the quoted cell, and double every quote inside it."},
	CodeEncodingUnknown:    {"", "The file is not a text file in an encoding that can be read.", "Save it as CSV UTF-8."},
	CodeTooManyRows:        {"", "The file has too many rows.", "Split the file and import the parts one after the other."},
	CodeLimitExceeded:      {"", "A row or the header is larger than allowed.", "Check that every quoted cell is closed, and delete what does not belong in the file."},
	CodeFileUnreadable:     {"", "The file cannot be read.", "Check the file's name and that you may read it."},
	CodeFileChanged:        {"", "The file was changed while it was read.", "Wait until it is written, then try again."},
	CodeOutputUnwritable:   {"", "The output cannot be written.", "Check that the folder exists, that you may write to it, and that the disk has room."},

	CodeFileExists: {"", "The file is there already, and somebody may be editing it.", "Choose another name, or add --force."},

	CodeFileUnclear:         {"", "It is not certain what a file of the folder is.", "Give the file its right name, or leave it out: --ignore NAME."},
	CodeColumnMissing:       {"", "A column is missing.", "Add the column to the file."},
	CodeValueMissing:        {"", "A value that is needed is missing.", "Fill in the cell."},
	CodeValueInvalid:        {"", "A value is not one of those allowed.", "Correct the cell."},
	CodeIDDuplicate:         {"", "The same key stands in the file twice.", "Delete one of the two rows."},
	CodeEmailDuplicate:      {"", "Two users have the same address.", "Give every user an address of its own."},
	CodeOrganizationUnknown: {"", "There is no such organization.", "Use the id of an organization that has been loaded."},

	CodeUsage:            {"", "The command was not understood.", "See claimline --help."},
	CodeConfigInvalid:    {"", "The configuration cannot be used.", "Correct the configuration file."},
	CodeConsentMissing:   {"", "A claim is permanent, and nobody has agreed to it.", "Look at the plan, then run the same command with --accept-permanent."},
	CodeConsentDeclined:  {NotAttempted, "Nobody agreed to the plan, so nobody was claimed.", "Import the file again when you are ready."},
	CodeEditsNotAccepted: {"", "Many accounts would get another name, and nobody has agreed to that.", "Look at the edits, then add --accept-edits. To leave the accounts' data alone, add --no-edits."},
	CodePlanChanged:      {"", "The plan is not the one that was agreed to.", "Look at the plan again, then agree to it."},
	CodeImportNotFound:   {"", "There is no such import.", "List the imports: claimline imports."},
	CodeImportRunning:    {"", "The import is running.", "Wait until it has ended, or cancel it: claimline cancel ID."},
	CodeImportFinished:   {"", "The import has ended; nothing remains to be done.", "Read its report: claimline report ID."},
	CodeImportTakenOver:  {"", "Another process has taken this import over.", "Follow it there: claimline status ID --watch."},
	CodeImportIncomplete: {"", "The import ended before its file was read to the end.", "Import the file again."},
	CodeImportRemoved:    {"", "The rows of this import were removed.", "Its summary is still there: claimline status ID."},
	CodeInterrupted:      {"", "The command was interrupted.", "Run it again."},
	CodeDatabaseMissing:  {"", "There is no database.", "Load a snapshot first: claimline load DIR."},
	CodeDatabaseNewer:    {"", "The database was written by a newer version of claimline.", "Install that version, or a later one."},
	CodeDatabaseReadOnly: {"", "The database cannot be written to.", "Check who owns the file and its folder."},
	CodeDatabaseBusy:     {"", "Another process is holding the database.", "Wait until that process has ended, then try again. An import that had begun goes on with: claimline resume ID."},
	CodeDatabaseInvalid:  {"", "The file is not a database of claimline.", "Check the path given with --db."},
	CodeDatabaseFull:     {"", "The disk is full.", "Free some room, then go on: claimline resume ID."},
	CodeDatabaseFailing:  {"", "The disk of the database refuses to read or write.", "Check the disk and the limits on the size of files, then go on: claimline resume ID."},
	CodeDatabaseSingle:   {"", "A SQLite database belongs to one machine, on which serve does this work.", "Run claimline serve. For workers on other machines, use PostgreSQL: --db postgres://…."},

	CodeDatabaseUnreachable: {"", "The server of the database does not answer.", "Check that it runs, and the address given with --db. An import that had begun goes on with: claimline resume ID."},
	CodeDatabaseDenied:      {"", "The server of the database does not let you in.", "Check the user and the password given with --db, in PGPASSWORD or in ~/.pgpass."},

	CodeTooManyAddresses: {"", "That is too many addresses for a claim by hand.", "Export the users to a CSV file and import it: claimline export -o users.csv."},
	CodeServiceUnknown:   {"", "Your organization has no such service.", "Use the name of a service that it has licences for."},

	CodeClaimPending:          {"", "The user has not decided yet, so the account cannot be managed.", "Remind the user: claimline remind ADDRESS. Or wait until the claim completes by itself."},
	CodeNotClaimed:            {"", "There is no open claim on this user.", "List the users: claimline users."},
	CodeNotClaimingOrg:        {"", "The claim belongs to another organization.", "Only the organization that made the claim can do this."},
	CodeClaimClosed:           {"", "The claim is closed: the user has chosen, or the time has run out.", "Nothing can be done; a closed claim is permanent."},
	CodeUserSignedIn:          {"", "The user has signed in since the claim.", "Nothing can be done; ask the user to choose."},
	CodeRetractWindowPassed:   {"", "The claim was made too long ago to be retracted.", "Nothing can be done; ask the user to choose."},
	CodeUserInactive:          {"", "The user is inactive, and cannot sign in.", "Put the user back into the directory's list, then: claimline sync run FILE."},
	CodeDomainClaimed:         {"", "Your organization has claimed the domain of this user.", "Release the domain, retract the claim, then claim the domain again."},
	CodeChoiceNotAvailable:    {"", "This choice is not available for this claim.", "Choose change_email or delete_account; transfer_content is for delayed claims only."},
	CodeEmailUnchanged:        {"", "The new address is the one the account already has.", "Give another address."},
	CodeEmailTaken:            {"", "Another account has the new address.", "Give another address."},
	CodeEmailDomainTaken:      {"", "The domain of the new address belongs to an organization.", "Give an address in another domain."},
	CodeNotDelayed:            {"", "Only users with a delayed claim can be reminded.", "List them: claimline users --claim-type delayed."},
	CodeNotMember:             {"", "The user is not a member of your organization.", "List the members: claimline users."},
	CodeDirectorySyncDisabled: {"", "Directory synchronization is off in your organization.", "Turn it on: claimline org set directory_sync=on. Or look first: claimline sync preview FILE."},
	CodeMassDeactivation:      {"", "The run would deactivate too many members.", "Check that the list is complete. If it is, add --allow-mass-deactivate."},
	CodeDirectoryMismatch:     {"", "The list does not fit the members of your organization.", "Name the column of the addresses: --address COLUMN."},
	CodeTXTRecordMissing:      {"", "The domain has no TXT record with the token.", "Publish the record, wait a while, and verify again."},
	CodeDNSFailed:             {"", "The name servers gave no answer.", "Try again later, or check the resolver in the configuration."},
	CodeDomainInvalid:         {"", "This is not a domain name.", "Write it as example.com."},
	CodeDomainNotClaimed:      {"", "Your organization has not claimed this domain.", "List the domains: claimline domain list."},
	CodeScheduleInvalid:       {"", "The schedule cannot be kept as it is.", "Correct it, and add it again. See claimline schedule add --help."},
	CodeScheduleExists:        {"", "There is a schedule of this name already.", "Choose another name, or remove that one: claimline schedule remove NAME."},
	CodeScheduleNotFound:      {"", "There is no such schedule.", "List the schedules: claimline schedule list."},
	CodeScheduleRunning:       {"", "The schedule is running.", "Wait until its run has ended: claimline schedule runs NAME."},
	CodeCronInvalid:           {"", "The time is not understood, or never comes.", "Write minute, hour, day, month and weekday, as in \"0 3 * * mon-fri\"; or a name such as @daily."},
	CodeZoneUnknown:           {"", "There is no such time zone.", "Write the name of one in the IANA database, as in Europe/Stockholm or UTC."},
	CodePathNotAllowed:        {"", "The path is not below a folder that schedules may read.", "Name a file below one of service.folders, or add the schedule at the terminal."},

	CodeRetractByImportOff: {"", "Retracting a whole import is turned off in the configuration.", "Retract the users one by one, or set policy.retract_by_import to true."},

	CodeMailNotFound: {"", "There is no such mail in the outbox.", "List the mails: claimline outbox."},
	CodeMailSent:     {"", "The mail has been sent.", "Nothing needs to be done. To remind the owner of a delayed claim: claimline remind ADDRESS."},
}

// Outcome returns the outcome of a row whose first reason is c; empty for codes that are no row's reason.
func (c Code) Outcome() Outcome { return codes[c].outcome }

// RowReasons lists the codes that can be a row's reason, by name.
func RowReasons() []Code {
	var list []Code
	for code, entry := range codes {
		if entry.outcome != "" {
			list = append(list, code)
		}
	}
	slices.Sort(list)
	return list
}

// Message says what was wrong, for an administrator; details are what the case adds, and may be left out.
func (c Code) Message(details ...string) string { return fill(codes[c].message, details) }

// Fix says what to do about it; empty for an unknown code.
func (c Code) Fix(details ...string) string { return fill(codes[c].fix, details) }

// Known reports whether c is in the table of codes.
func (c Code) Known() bool { _, ok := codes[c]; return ok }

// Warning returns a warning as results show it: "code" or "code:detail".
func Warning(c Code, detail string) string {
	if detail == "" {
		return string(c)
	}
	return string(c) + ":" + detail
}
