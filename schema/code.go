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

// Why a row is not handed off to Control Hub, beside the row checks.
const (
	CodeFormulaCell      Code = "formula_cell"
	CodeServiceSuspended Code = "service_suspended"
	CodeLocationMissing  Code = "location_missing"
	CodeNumberMissing    Code = "number_missing"
	CodeServiceConflict  Code = "service_conflict" // Control Hub says it, too
	CodeDomainNotOurs    Code = "domain_not_ours"
	CodeNotInDirectory   Code = "not_in_directory"
	CodeCaseMismatch     Code = "case_mismatch"
	CodeReadOnlyChanged  Code = "read_only_changed" // a warning; the detail is the column
)

// Why Control Hub refused a row, beside codes that have the same meaning here.
const (
	CodeCredentialsRefused Code = "credentials_refused"
	CodeConflict           Code = "conflict"
	CodeFailed             Code = "failed"
	CodeMessageUnknown     Code = "message_unknown"
)

// What a fresh export shows of a row that was handed off and is not as asked.
const (
	CodeStillClaimable Code = "still_claimable"
	CodeNotListed      Code = "not_listed"
	CodeDelayed        Code = "delayed"
	CodeTakenElsewhere Code = "taken_elsewhere"
	CodeLicenseMissing Code = "license_missing" // a warning; the detail is the service
	CodeLicenseKept    Code = "license_kept"    // likewise
)

// Refusals of a hand-off as a whole.
const (
	CodeHeaderUnknown    Code = "header_unknown"
	CodeNothingToHandOff Code = "nothing_to_hand_off"
	CodeManifestInvalid  Code = "manifest_invalid"
	CodePartUnclear      Code = "part_unclear"
	CodeFirstRowUnclear  Code = "first_row_unclear"
	CodeRowUnknown       Code = "row_unknown"
)

// The rules R1 to R9, in the order they are checked.
const (
	CodeUserNotFound            Code = "user_not_found"            // R1
	CodeAlreadyClaimed          Code = "already_claimed"           // R2
	CodeAlreadyMember           Code = "already_member"            // R3
	CodeClaimedElsewhere        Code = "claimed_elsewhere"         // R4
	CodeDomainNotVerified       Code = "domain_not_verified"       // R5
	CodeDomainClaimedElsewhere  Code = "domain_claimed_elsewhere"  // R6
	CodeDomainVerifiedElsewhere Code = "domain_verified_elsewhere" // R6
	CodeSourceSSO               Code = "source_sso"                // R7
	CodeSourceDirectorySync     Code = "source_directory_sync"     // R8
	CodeStaleClaimType          Code = "stale_claim_type"          // R9
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
	CodeLDIFMalformed      Code = "ldif_malformed"
	CodeEncodingUnknown    Code = "encoding_unknown"
	CodeSheetUnclear       Code = "sheet_unclear"

	CodeFormulaNotCalculated Code = "formula_not_calculated" // in a workbook

	CodeTooManyRows      Code = "too_many_rows"
	CodeLimitExceeded    Code = "limit_exceeded"
	CodeFileUnreadable   Code = "file_unreadable"
	CodeFileChanged      Code = "file_changed"
	CodeOutputUnwritable Code = "output_unwritable"
	CodeFileExists       Code = "file_exists"
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
	CodeUsage               Code = "usage"
	CodeConfigInvalid       Code = "config_invalid"
	CodeConsentMissing      Code = "consent_missing" // R13
	CodeConsentDeclined     Code = "consent_declined"
	CodeEditsNotAccepted    Code = "edits_not_accepted" // R17
	CodePlanChanged         Code = "plan_changed"
	CodeImportNotFound      Code = "import_not_found"
	CodeImportRunning       Code = "import_running"
	CodeImportFinished      Code = "import_finished"
	CodeImportTakenOver     Code = "import_taken_over"
	CodeImportIncomplete    Code = "import_incomplete"
	CodeImportRemoved       Code = "import_removed"
	CodeInterrupted         Code = "interrupted"
	CodeDatabaseMissing     Code = "database_missing"
	CodeDatabaseNewer       Code = "database_newer"
	CodeDatabaseReadOnly    Code = "database_read_only"
	CodeDatabaseBusy        Code = "database_busy"
	CodeDatabaseInvalid     Code = "database_invalid"
	CodeDatabaseFull        Code = "database_full"
	CodeDatabaseFailing     Code = "database_failing"
	CodeDatabaseSingle      Code = "database_single"
	CodeDatabaseUnreachable Code = "database_unreachable"
	CodeDatabaseDenied      Code = "database_denied"
	CodeTooManyAddresses    Code = "too_many_addresses" // R14
	CodeServiceUnknown      Code = "service_unknown"
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
	CodeScheduleInvalid       Code = "schedule_invalid"
	CodeScheduleExists        Code = "schedule_exists"
	CodeScheduleNotFound      Code = "schedule_not_found"
	CodeScheduleRunning       Code = "schedule_running"
	CodeCronInvalid           Code = "cron_invalid"
	CodeZoneUnknown           Code = "zone_unknown"
	CodePathNotAllowed        Code = "path_not_allowed"
)

// Refusals of the outbox.
const (
	CodeMailNotFound Code = "mail_not_found"
	CodeMailSent     Code = "mail_sent"
)

// Refusals of the service.
const (
	CodeRequestInvalid       Code = "request_invalid"
	CodeLimitInvalid         Code = "limit_invalid"
	CodeTokenMissing         Code = "token_missing"
	CodeTokenInvalid         Code = "token_invalid"
	CodeTokenNotFound        Code = "token_not_found"
	CodeTokenExists          Code = "token_exists"
	CodeRoleTooLow           Code = "role_too_low"
	CodeCrossOrigin          Code = "cross_origin"
	CodeNotFound             Code = "not_found"
	CodeMethodNotAllowed     Code = "method_not_allowed"
	CodeMediaTypeUnsupported Code = "media_type_unsupported"
	CodeUploadIncomplete     Code = "upload_incomplete"
	CodeIdempotencyKeyReused Code = "idempotency_key_reused"
	CodeIdempotencyKeyBusy   Code = "idempotency_key_busy"
	CodeTooManyUploads       Code = "too_many_uploads"
	CodeTooManyRequests      Code = "too_many_requests"
	CodeNobodyEligible       Code = "nobody_eligible"
	CodeServiceStopping      Code = "service_stopping"
	CodeWorkStuck            Code = "work_stuck"
)

// entry is what users are told about a code. The details of the case fill {1}, {2} …; what stands between "["
// and "]" is left out where a detail that it needs is missing.
type entry struct {
	outcome Outcome
	status  int // with which the service answers
	message string
	fix     string
}

// codes is the one table of everything Claimline can say no to, or warn about.
var codes = map[Code]entry{
	CodeFieldCount:       {Invalid, 422, "The row does not have as many cells as the header[ ({1} instead of {2})].", "Add the missing cells, or quote a cell that contains the delimiter."},
	CodeBooleanInvalid:   {Invalid, 422, "The cell is neither TRUE nor FALSE[: {1}].", "Write TRUE or FALSE, or leave the cell blank."},
	CodeClaimBlank:       {Skipped, 422, "Claim is blank, so the user is left alone.", "Write TRUE in the Claim column to claim this user."},
	CodeClaimFalse:       {Skipped, 422, "Claim is FALSE, so the user is left alone.", "Write TRUE in the Claim column to claim this user."},
	CodeEmailMissing:     {Invalid, 422, "The row has no e-mail address.", "Write the user's e-mail address, or delete the row."},
	CodeEmailTooLong:     {Invalid, 422, "The e-mail address is longer than 254 bytes.", "Write the address that the user signs in with."},
	CodeEmailInvalid:     {Invalid, 422, "This is not a valid e-mail address[: {1}].", "Write it as name@example.com, without quotes, comments or blanks."},
	CodeTextTooLong:      {Invalid, 422, "The text is longer than 64 characters[: {1}].", "Shorten the text to 64 characters at most."},
	CodeTextInvalid:      {Invalid, 422, "The text has a line break, a control character or unreadable bytes[: {1}].", "Type the text again on one line, and save the file as UTF-8."},
	CodePhoneInvalid:     {Invalid, 422, "This is not a phone number in international form[: {1}].", "Write + and the country code, digits only, as in +46701234567; or leave it blank."},
	CodeLanguageInvalid:  {Invalid, 422, "This is not a language tag[: {1}].", "Write a tag such as sv-SE or en, or leave it blank."},
	CodeClaimTypeInvalid: {Invalid, 422, "The claim type is neither immediate nor delayed[: {1}].", "Write immediate or delayed, or leave the cell blank."},
	CodeDuplicateRow:     {Invalid, 422, "The same address is already in this file[, on line {1}].", "Keep one of the rows and delete the other."},

	CodeClaimContradicted: {Invalid, 422, "Another row leaves this user alone[: line {1}].", "Decide which is right: delete one of the two rows, or give both the same Claim."},

	CodeFormulaCell:      {Invalid, 422, "The cell begins with = or @, and Control Hub's file takes cells as they are[: {1}].", "Write the value itself, or leave the cell blank."},
	CodeServiceSuspended: {Invalid, 422, "The service is suspended, and Control Hub takes no file with TRUE for it.", "Leave the cell blank, or have the subscription renewed first."},
	CodeLocationMissing:  {Invalid, 422, "A Calling licence needs a location[: {1}].", "Fill in Location, or leave the licence blank."},
	CodeNumberMissing:    {Invalid, 422, "A Calling licence needs a phone number or an extension[: {1}].", "Fill in Phone Number or Extension, or leave the licence blank."},
	CodeServiceConflict:  {Invalid, 422, "The row asks for services that exclude each other[: {1} and {2}].", "Leave all but one of them blank."},
	CodeDomainNotOurs:    {Ineligible, 422, "The domain of this address is none of yours[: {1}].", "Check the spelling. If the domain is yours, add it to --domains."},
	CodeNotInDirectory:   {Ineligible, 422, "Your directory has nobody with this address.", "Add the user to the directory first: else the next synchronization deletes the account."},
	CodeCaseMismatch:     {Ineligible, 422, "The address is written in another case elsewhere[: {1}].", "Write the address the same everywhere: a connector may mind its case."},
	CodeReadOnlyChanged:  {"", 422, "A read-only column differs from what the user has[ in {1}].", "Leave the column out: changing it can make the upload fail."},

	CodeCredentialsRefused: {Refused, 422, "Control Hub did not accept who uploaded the file.", "Sign in again as an administrator who may manage users and licences, then upload retry.csv."},
	CodeConflict:           {Refused, 422, "The user was being changed at the same time.", "Wait until other tasks are done, then upload retry.csv."},
	CodeFailed:             {Refused, 422, "Control Hub was too busy, or broke down.", "Wait a while, then upload retry.csv."},
	CodeMessageUnknown:     {Refused, 422, "Control Hub refused the row in words that are not known.", "Read what Control Hub says, correct the row in retry.csv, and upload that."},

	CodeStillClaimable: {StillClaimable, 422, "The user is still among those who can be claimed.", "Upload retry.csv, and wait until its task is complete."},
	CodeNotListed:      {NotFound, 422, "The fresh exports do not list the user.", "Check that they are newer than the upload, and that its task was complete."},
	CodeDelayed:        {ClaimDelayed, 422, "The claim is made, and its owner has not decided yet.", "Wait until the owner decides, or the claim completes by itself."},
	CodeTakenElsewhere: {TakenElsewhere, 422, "Another organization has claimed the user.", "Ask that organization, or wait until its claim is retracted."},
	CodeLicenseMissing: {"", 422, "The user does not have a licence that was asked for[: {1}].", "Get more licences, then upload retry.csv."},
	CodeLicenseKept:    {"", 422, "The user still has a licence that was to be removed[: {1}].", "Upload retry.csv, and choose Add and remove services."},

	CodeHeaderUnknown:    {"", 422, "Control Hub does not know a header, and refuses the whole file.", "Correct the header, or delete the column."},
	CodeNothingToHandOff: {"", 422, "No row is left to upload.", "See why: claimline handoff check FILE."},
	CodeManifestInvalid:  {"", 422, "The folder is none that claimline handoff make has made, or it is damaged.", "Make it again: claimline handoff make FILE -o DIR --template T."},
	CodePartUnclear:      {"", 422, "It is not certain which part a file of errors belongs to.", "Say which: --part 1=ERRORS.csv."},
	CodeFirstRowUnclear:  {"", 422, "It is not certain whether the header counts as row 1.", "Say the number of the first user's row: --first-row 1 or --first-row 2."},
	CodeRowUnknown:       {"", 422, "A file of errors speaks of a row that its part does not have.", "Check that the file belongs to this part: --part 1=ERRORS.csv."},

	CodeUserNotFound:            {Ineligible, 404, "No account has this address.", "Check the spelling, or delete the row."},
	CodeAlreadyClaimed:          {Unchanged, 409, "Your organization has already claimed this user.", "Nothing needs to be done."},
	CodeAlreadyMember:           {Unchanged, 409, "The user already belongs to your organization.", "Nothing needs to be done."},
	CodeClaimedElsewhere:        {Ineligible, 409, "Another organization has claimed this user.", "Wait until that claim is closed or retracted, then try again."},
	CodeDomainNotVerified:       {Ineligible, 409, "Your organization has not verified the domain of this address[: {1}].", "Verify the domain[: claimline domain verify {1}]."},
	CodeDomainClaimedElsewhere:  {Ineligible, 409, "Another organization has claimed the domain of this address[: {1}].", "Ask that organization to release the domain."},
	CodeDomainVerifiedElsewhere: {Ineligible, 409, "Another organization has verified the domain of this address, or one that overlaps with it[: {1}].", "Ask that organization to remove the domain."},
	CodeSourceSSO:               {Ineligible, 422, "The user's organization uses single sign-on.", "Ask that organization to turn single sign-on off, or to remove the user."},
	CodeSourceDirectorySync:     {Ineligible, 422, "The user's organization synchronizes its users from a directory.", "Ask that organization to turn synchronization off, or to remove the user."},
	CodeStaleClaimType:          {Ineligible, 422, "The claim type is no longer the one this user would get[, which is {1}].", "Export the file again, or leave the Claim Type cell blank."},

	CodeCancelled:            {NotAttempted, 409, "The import was cancelled before this row's turn came.", "Go on with it[: claimline resume {1}]."},
	CodeAllOrNothing:         {NotAttempted, 409, "Another row had a problem, and the import was all or nothing.", "Correct the problems and import again, or leave out --all-or-nothing."},
	CodeDirectorySyncEnabled: {NotAttempted, 409, "Directory synchronization is on in your organization, so nobody can be claimed.", "Turn it off: claimline org set directory_sync=off. Then try again."},
	CodeInternal:             {Failed, 500, "Something went wrong that has nothing to do with the data.", "Try again. If it happens again, run with --log-level debug and report what it says."},

	CodeContentNotTransferred: {"", 422, "The user's conversations stay behind in the original organization.", "Keep the original organization until its users have chosen."},
	CodeLicenseUnavailable:    {"", 422, "No licence is left[ for {1}].", "Get more licences, then assign the service to the user."},

	CodeEditDoubtful: {"", 422, "A cell seems to be damaged, so the account keeps what it has[ in {1}].", "Type the cell again, or leave it blank."},

	CodeFileEmpty:            {"", 422, "The file has no header or no row.", "Export the file again, and check that it has rows."},
	CodeEmailColumnMissing:   {"", 422, "The file has no column with the users' addresses.", "Name the column User ID/Email (Required)."},
	CodeColumnUnclear:        {"", 422, "It is not certain what a column means.", "Say what the column is: --column \"Header=Claim\". Or that it is nothing: --ignore-column \"Header\"."},
	CodeEncodingUnclear:      {"", 422, "It is not certain in which encoding the file is.", "Say which: --encoding NAME. Or save the file as CSV UTF-8."},
	CodeHeaderDuplicate:      {"", 422, "A column stands in the header twice[: {1}].", "Delete one of the two columns."},
	CodeCSVMalformed:         {"", 422, "The file is not well-formed CSV.", "Close the quoted cell, and double every quote inside it."},
	CodeLDIFMalformed:        {"", 422, "The file is not a directory's entries in well-formed LDIF.", "Export the directory again, or export it as CSV."},
	CodeSheetUnclear:         {"", 422, "It is not certain which sheet of the workbook is meant.", "Say which: --sheet NAME."},
	CodeFormulaNotCalculated: {"", 422, "A formula in the workbook has no value yet.", "Open the workbook in a spreadsheet program and save it: then its formulas have values."},
	CodeEncodingUnknown:      {"", 422, "The file is not a text file in an encoding that can be read.", "Save it as CSV UTF-8."},
	CodeTooManyRows:          {"", 422, "The file has too many rows.", "Split the file and import the parts one after the other."},
	CodeLimitExceeded:        {"", 413, "A row or the header is larger than allowed.", "Check that every quoted cell is closed, and delete what does not belong in the file."},
	CodeFileUnreadable:       {"", 422, "The file cannot be read.", "Check the file's name and that you may read it."},
	CodeFileChanged:          {"", 422, "The file was changed while it was read.", "Wait until it is written, then try again."},
	CodeOutputUnwritable:     {"", 503, "The output cannot be written.", "Check that the folder exists, that you may write to it, and that the disk has room."},

	CodeFileExists: {"", 409, "The file is there already, and somebody may be editing it.", "Choose another name, or add --force."},

	CodeFileUnclear:         {"", 422, "It is not certain what a file of the folder is.", "Give the file its right name, or leave it out: --ignore NAME."},
	CodeColumnMissing:       {"", 422, "A column is missing.", "Add the column to the file."},
	CodeValueMissing:        {"", 422, "A value that is needed is missing.", "Fill in the cell."},
	CodeValueInvalid:        {"", 422, "A value is not one of those allowed.", "Correct the cell."},
	CodeIDDuplicate:         {"", 422, "The same key stands in the file twice.", "Delete one of the two rows."},
	CodeEmailDuplicate:      {"", 422, "Two users have the same address.", "Give every user an address of its own."},
	CodeOrganizationUnknown: {"", 404, "There is no such organization.", "Use the id of an organization that has been loaded."},

	CodeUsage:               {"", 400, "The command was not understood.", "See claimline --help."},
	CodeConfigInvalid:       {"", 500, "The configuration cannot be used.", "Correct the configuration file."},
	CodeConsentMissing:      {"", 422, "A claim is permanent, and nobody has agreed to it.", "Look at the plan, then run the same command with --accept-permanent."},
	CodeConsentDeclined:     {NotAttempted, 409, "Nobody agreed to the plan, so nobody was claimed.", "Import the file again when you are ready."},
	CodeEditsNotAccepted:    {"", 422, "Many accounts would get another name, and nobody has agreed to that.", "Look at the edits, then add --accept-edits. To leave the accounts' data alone, add --no-edits."},
	CodePlanChanged:         {"", 409, "The plan is not the one that was agreed to.", "Look at the plan again, then agree to it."},
	CodeImportNotFound:      {"", 404, "There is no such import.", "List the imports: claimline imports."},
	CodeImportRunning:       {"", 409, "The import is running.", "Wait until it has ended, or cancel it: claimline cancel ID."},
	CodeImportFinished:      {"", 409, "The import has ended; nothing remains to be done.", "Read its report: claimline report ID."},
	CodeImportTakenOver:     {"", 409, "Another process has taken this import over.", "Follow it there: claimline status ID --watch."},
	CodeImportIncomplete:    {"", 409, "The import ended before its file was read to the end.", "Import the file again."},
	CodeImportRemoved:       {"", 409, "The rows of this import were removed.", "Its summary is still there: claimline status ID."},
	CodeInterrupted:         {"", 409, "The command was interrupted.", "Run it again."},
	CodeDatabaseMissing:     {"", 503, "There is no database.", "Load a snapshot first: claimline load DIR."},
	CodeDatabaseNewer:       {"", 503, "The database was written by a newer version of claimline.", "Install that version, or a later one."},
	CodeDatabaseReadOnly:    {"", 503, "The database cannot be written to.", "Check who owns the file and its folder."},
	CodeDatabaseBusy:        {"", 503, "Another process is holding the database.", "Wait until that process has ended, then try again. An import that had begun goes on with: claimline resume ID."},
	CodeDatabaseInvalid:     {"", 503, "The file is not a database of claimline.", "Check the path given with --db."},
	CodeDatabaseFull:        {"", 503, "The disk is full.", "Free some room, then go on: claimline resume ID."},
	CodeDatabaseFailing:     {"", 503, "The disk of the database refuses to read or write.", "Check the disk and the limits on the size of files, then go on: claimline resume ID."},
	CodeDatabaseSingle:      {"", 409, "A SQLite database belongs to one machine, on which serve does this work.", "Run claimline serve. For workers on other machines, use PostgreSQL: --db postgres://…."},
	CodeDatabaseUnreachable: {"", 503, "The server of the database does not answer.", "Check that it runs, and the address given with --db. An import that had begun goes on with: claimline resume ID."},
	CodeDatabaseDenied:      {"", 503, "The server of the database does not let you in.", "Check the user and the password given with --db, in PGPASSWORD or in ~/.pgpass."},
	CodeTooManyAddresses:    {"", 422, "That is too many addresses for a claim by hand.", "Export the users to a CSV file and import it: claimline export -o users.csv."},
	CodeServiceUnknown:      {"", 422, "Your organization has no such service.", "Use the name of a service that it has licences for."},

	CodeClaimPending:          {"", 409, "The user has not decided yet, so the account cannot be managed.", "Remind the user: claimline remind ADDRESS. Or wait until the claim completes by itself."},
	CodeNotClaimed:            {"", 409, "There is no open claim on this user.", "List the users: claimline users."},
	CodeNotClaimingOrg:        {"", 409, "The claim belongs to another organization.", "Only the organization that made the claim can do this."},
	CodeClaimClosed:           {"", 409, "The claim is closed: the user has chosen, or the time has run out.", "Nothing can be done; a closed claim is permanent."},
	CodeUserSignedIn:          {"", 409, "The user has signed in since the claim.", "Nothing can be done; ask the user to choose."},
	CodeRetractWindowPassed:   {"", 409, "The claim was made too long ago to be retracted.", "Nothing can be done; ask the user to choose."},
	CodeUserInactive:          {"", 409, "The user is inactive, and cannot sign in.", "Put the user back into the directory's list, then: claimline sync run FILE."},
	CodeDomainClaimed:         {"", 409, "Your organization has claimed the domain of this user.", "Release the domain, retract the claim, then claim the domain again."},
	CodeChoiceNotAvailable:    {"", 409, "This choice is not available for this claim.", "Choose change_email or delete_account; transfer_content is for delayed claims only."},
	CodeEmailUnchanged:        {"", 422, "The new address is the one the account already has.", "Give another address."},
	CodeEmailTaken:            {"", 409, "Another account has the new address.", "Give another address."},
	CodeEmailDomainTaken:      {"", 409, "The domain of the new address belongs to an organization.", "Give an address in another domain."},
	CodeNotDelayed:            {"", 409, "Only users with a delayed claim can be reminded.", "List them: claimline users --claim-type delayed."},
	CodeNotMember:             {"", 409, "The user is not a member of your organization.", "List the members: claimline users."},
	CodeDirectorySyncDisabled: {"", 409, "Directory synchronization is off in your organization.", "Turn it on: claimline org set directory_sync=on. Or look first: claimline sync preview FILE."},
	CodeMassDeactivation:      {"", 409, "The run would deactivate too many members.", "Check that the list is complete. If it is, add --allow-mass-deactivate."},
	CodeDirectoryMismatch:     {"", 422, "The list does not fit the members of your organization.", "Name the column of the addresses: --address COLUMN."},
	CodeTXTRecordMissing:      {"", 409, "The domain has no TXT record with the token.", "Publish the record, wait a while, and verify again."},
	CodeDNSFailed:             {"", 503, "The name servers gave no answer.", "Try again later, or check the resolver in the configuration."},
	CodeDomainInvalid:         {"", 400, "This is not a domain name.", "Write it as example.com."},
	CodeDomainNotClaimed:      {"", 409, "Your organization has not claimed this domain.", "List the domains: claimline domain list."},
	CodeScheduleInvalid:       {"", 422, "The schedule cannot be kept as it is.", "Correct it, and add it again. See claimline schedule add --help."},
	CodeScheduleExists:        {"", 409, "There is a schedule of this name already.", "Choose another name, or remove that one: claimline schedule remove NAME."},
	CodeScheduleNotFound:      {"", 404, "There is no such schedule.", "List the schedules: claimline schedule list."},
	CodeScheduleRunning:       {"", 409, "The schedule is running.", "Wait until its run has ended: claimline schedule runs NAME."},
	CodeCronInvalid:           {"", 422, "The time is not understood, or never comes.", "Write minute, hour, day, month and weekday, as in \"0 3 * * mon-fri\"; or a name such as @daily."},
	CodeZoneUnknown:           {"", 422, "There is no such time zone.", "Write the name of one in the IANA database, as in Europe/Stockholm or UTC."},
	CodePathNotAllowed:        {"", 422, "The path is not below a folder that schedules may read.", "Name a file below one of service.folders, or add the schedule at the terminal."},
	CodeRetractByImportOff:    {"", 409, "Retracting a whole import is turned off in the configuration.", "Retract the users one by one, or set policy.retract_by_import to true."},

	CodeRequestInvalid:       {"", 400, "The request is not as it should be.", "See how it is made: /api/docs."},
	CodeLimitInvalid:         {"", 400, "The limit is out of range.", "Ask for 1 to 1000 at a time, and for the rest with after."},
	CodeTokenMissing:         {"", 401, "The request bears no token.", "Send the header Authorization: Bearer TOKEN. To have a token made: claimline token create --role viewer."},
	CodeTokenInvalid:         {"", 401, "The token is not valid: it is wrong, was revoked, or has expired.", "Use another token. To have one made: claimline token create --role viewer."},
	CodeTokenNotFound:        {"", 404, "There is no such token.", "List the tokens: claimline token list."},
	CodeTokenExists:          {"", 409, "There is a token of this name already.", "Choose another name, or revoke that token first: claimline token revoke NAME."},
	CodeRoleTooLow:           {"", 403, "The role of the token does not allow this.", "Use a token with a higher role: viewers look, operators claim, admins change settings."},
	CodeCrossOrigin:          {"", 403, "The request comes from a page of another site.", "Send it from a program, or from the service's own pages."},
	CodeNotFound:             {"", 404, "There is nothing at this address.", "See what there is: /api/docs."},
	CodeMethodNotAllowed:     {"", 405, "This address does not answer to this method.", "See which it answers to: /api/docs."},
	CodeMediaTypeUnsupported: {"", 415, "The body is of a kind that is not read here.", "Send a CSV file with the header Content-Type: text/csv, and anything else as application/json."},
	CodeUploadIncomplete:     {"", 400, "The upload was cut off, and nothing is left of it.", "Send it again."},
	CodeIdempotencyKeyReused: {"", 422, "Another request was made with this idempotency key.", "Use a new key for each request, and the same one to repeat it."},
	CodeIdempotencyKeyBusy:   {"", 409, "The first request with this idempotency key is not answered yet.", "Wait a moment, then repeat the request."},
	CodeTooManyUploads:       {"", 429, "As many files are being planned as may be at once.", "Wait a moment, then send the file again."},
	CodeTooManyRequests:      {"", 429, "Too many requests have failed.", "Wait a minute, then try again."},
	CodeNobodyEligible:       {"", 422, "Nobody can be claimed.", "To learn why for one address: claimline eligible --why ADDRESS."},
	CodeServiceStopping:      {"", 503, "The service is stopping.", "Wait a moment, then try again."},
	CodeWorkStuck:            {"", 503, "The work that waits does not get on.", "Look into the log, and start the service again."},

	CodeMailNotFound: {"", 404, "There is no such mail in the outbox.", "List the mails: claimline outbox."},
	CodeMailSent:     {"", 409, "The mail has been sent.", "Nothing needs to be done. To remind the owner of a delayed claim: claimline remind ADDRESS."},
}

// Outcome returns the outcome of a row whose first reason is c; empty for codes that are no row's reason.
func (c Code) Outcome() Outcome { return codes[c].outcome }

// Status returns the HTTP status with which the service refuses what it refuses with c.
func (c Code) Status() int { return codes[c].status }

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
func (c Code) Message(details ...string) string { return c.Wrong(details...).String() }

// Fix says what to do about it; empty for an unknown code.
func (c Code) Fix(details ...string) string { return c.Cure(details...).String() }

// Wrong is Message in any language.
func (c Code) Wrong(details ...string) Text { return template(codes[c].message, details) }

// Cure is Fix in any language.
func (c Code) Cure(details ...string) Text { return template(codes[c].fix, details) }

// Known reports whether c is in the table of codes.
func (c Code) Known() bool { _, ok := codes[c]; return ok }

// Warning returns a warning as results show it: "code" or "code:detail".
func Warning(c Code, detail string) string {
	if detail == "" {
		return string(c)
	}
	return string(c) + ":" + detail
}
