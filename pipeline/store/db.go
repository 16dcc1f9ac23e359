package store

import (
	"context"
	"time"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// DB is a database: statements, and nothing that decides. Its only refusals are the database_… codes; see
// Passing for those that may go away by themselves. It is safe for concurrent use, by several processes too.
type DB interface {
	Close() error
	// Read runs do on one state of the database. do must not wait for anything but the database.
	Read(ctx context.Context, do func(Tx) error) error
	// Write runs do in a transaction, which is committed where do returns nil, and undone otherwise. After a
	// conflict with another transaction, ErrConflict of do included, it runs do again, where there can be
	// others at all. Where the database cannot be written to, do is not run.
	Write(ctx context.Context, do func(Tx) error) error
	// Check finds out whether the database can be reached, and has the schema that this program knows.
	Check(ctx context.Context) error
	// Erase sees to it that nobody can read from the database's files what has been deleted, as far as
	// deleting alone does not. While others use the database that may not be possible: then the next one does
	// it.
	Erase(ctx context.Context) error
}

// Tx is one transaction: rows in, rows out. Organizations are named by the ids that users know, accounts,
// claims and imports by the database's own numbers. Locks are taken in the order in which the parts stand
// here: settings, the schedule, an organization's turn, the import, accounts by key, licences by name, the
// outbox last. hold keeps others from changing what was found until the transaction ends.
type Tx interface {
	// LockSettings keeps others from changing settings, or, exclusively, from doing anything that looks at
	// them.
	LockSettings(ctx context.Context, exclusive bool) error
	// Stamp names the state of all that a rule looks at, but for what HoldSeen answers: two equal ones mean
	// that nothing has changed between. It grows with each change, in the transaction that makes it too. 0:
	// this database cannot say.
	Stamp(ctx context.Context) (int64, error)
	// Now is the time by the database's clock, which issues leases: by it, many machines agree on who has
	// one.
	Now(ctx context.Context) (time.Time, error)

	Organizations
	Tokens
	Sessions
	Schedules
	Imports
	Accounts
	Claims
	Outbox
	Snapshots
}

// Organizations keeps organizations, with their licences and domains.
type Organizations interface {
	// ListOrganizations lists all, by id.
	ListOrganizations(ctx context.Context) ([]schema.Organization, error)
	FindOrganization(ctx context.Context, id string) (o schema.Organization, found bool, err error)
	// KnownOrganizations finds out which of these ids there are.
	KnownOrganizations(ctx context.Context, ids []string) (map[string]bool, error)
	// PutOrganizations inserts organizations, or updates all of those there are.
	PutOrganizations(ctx context.Context, organizations []schema.Organization) error

	// Licenses lists the licences of organizations, by organization and service; of all where none is named.
	Licenses(ctx context.Context, hold bool, organizations ...string) ([]schema.License, error)
	// PutLicenses inserts licences, of which none is held, or updates quantity and automatic assignment of
	// those there are.
	PutLicenses(ctx context.Context, licenses []schema.License) error
	// PutHeld writes what is held of licences. Less than 0 is an error.
	PutHeld(ctx context.Context, licenses []schema.License) error

	// Domains lists the domains that an organization holds, by name.
	Domains(ctx context.Context, organization string) ([]schema.Domain, error)
	// Holders lists these domains in every organization that holds one, pending or not.
	Holders(ctx context.Context, domains []string) ([]schema.Domain, error)
	// Below lists the domains below these, as Holders does.
	Below(ctx context.Context, domains []string) ([]schema.Domain, error)
	// PutDomains inserts domains, or updates status and token of those there are; a blank token leaves what
	// there is.
	PutDomains(ctx context.Context, domains []schema.Domain) error
}

// Tokens keeps tokens. Nobody but who was given one knows more of it than its digest.
type Tokens interface {
	// InsertToken inserts a token. A name that the organization has already, or a digest that there is, is
	// ErrTwice.
	InsertToken(ctx context.Context, t schema.Token, digest []byte) error
	// ListTokens lists the tokens of an organization, by name.
	ListTokens(ctx context.Context, organization string) ([]schema.Token, error)
	// AnyTokens reports whether some organization has a token.
	AnyTokens(ctx context.Context) (bool, error)
	FindToken(ctx context.Context, digest []byte) (t schema.Token, found bool, err error)
	DeleteToken(ctx context.Context, organization, name string) (found bool, err error)
	// TouchTokens writes when tokens, by their ids, were used last.
	TouchTokens(ctx context.Context, used map[int64]time.Time) error
}

// Sessions keeps sessions of browsers, each by the digest of its name.
type Sessions interface {
	// FindSession finds what is kept of a session that has not expired.
	FindSession(ctx context.Context, digest string, now time.Time) (data []byte, found bool, err error)
	// PutSession inserts a session, or replaces it.
	PutSession(ctx context.Context, digest string, data []byte, expires time.Time) error
	DeleteSession(ctx context.Context, digest string) error
	// DeleteExpiredSessions deletes sessions that have expired, up to limit of them.
	DeleteExpiredSessions(ctx context.Context, now time.Time, limit int) error
}

// Accounts finds accounts, as they are written: see claim.Rules.AsOf.
type Accounts interface {
	// Accounts finds accounts by address key, one per key in the order given, the zero Account where there is
	// none. Two equal keys are not allowed.
	Accounts(ctx context.Context, keys []string, hold bool) ([]claim.Account, error)
	// AccountsByID finds accounts by number, in their order; those that are gone are left out.
	AccountsByID(ctx context.Context, ids []int64, hold bool) ([]claim.Account, error)
	// HoldSeen keeps others from changing accounts, and reports whether all of them are as they were seen,
	// but for claims made on them since: InsertClaims tells of those. Where Stamp says as much, it looks at
	// nothing.
	HoldSeen(ctx context.Context, seen []Seen) (bool, error)
	// Views finds views by address key, by which they are returned. Who asks, and the domain, are not filled
	// in.
	Views(ctx context.Context, keys []string) ([]claim.View, error)
	// ViewsByID is Views by number.
	ViewsByID(ctx context.Context, ids []int64) ([]claim.View, error)
	// Members lists accounts that belong to the organization or are under its open claim, and that the filter
	// might leave in: nobody else need be left out. By address key, up to limit of those behind a key; views
	// are as with Views.
	Members(ctx context.Context, organization string, filter MemberFilter, after string, limit int) ([]claim.View, error)
	// MembersByClaim lists accounts under open claims of the organization that the filter might leave in, by
	// when the claim was made and by its number, up to limit of those behind a mark; newest: the last first.
	// The zero mark is before all.
	MembersByClaim(ctx context.Context, organization string, filter MemberFilter, after ClaimMark, limit int, newest bool) ([]MarkedAccount, error)
	// CountMembers counts the accounts that belong to the organization, and those under its open claims.
	CountMembers(ctx context.Context, organization string) (int, error)
	// Candidates lists accounts that the organization might claim and that the filter might leave in, and
	// members and claimed ones for whom time may have changed that, by address key, up to limit of those
	// behind a key.
	Candidates(ctx context.Context, organization string, filter CandidateFilter, after string, limit int) ([]Candidate, error)
	// CountUnclaimed counts the accounts in these domains, and those of them without an open claim, by domain
	// and organization.
	CountUnclaimed(ctx context.Context, domains []string) ([]Unclaimed, error)
	// CountClaimed counts the accounts under open claims of the organization, by domain.
	CountClaimed(ctx context.Context, organization string) (map[string]int, error)

	// Due finds accounts of which something is due that changes what the organization's members, claims or
	// licences are; see claim.Rules.NextDue. Delayed claims made until decided, and accounts inactive until
	// inactive, are due. Of each kind of due thing the first limit are found, in the order of Due.Compare; 0:
	// all.
	Due(ctx context.Context, organization string, decided, inactive time.Time, limit int) ([]Due, error)
	// Upcoming finds accounts of which something of a kind has begun, from a mark on, the earliest first and
	// those of one time by address key, up to limit of them.
	Upcoming(ctx context.Context, organization string, kind Upcoming, from BegunMark, limit int) ([]BegunAccount, error)
	// CountUpcoming counts by when it began, after a time and before another, what of a kind falls due of
	// accounts as they are written: UpcomingRetract of those in no claimed domain, and UpcomingRemoval of
	// those over which nobody's claim lies but an immediate one of the organization. claimed are the
	// organization's claimed domains. UpcomingJoined is not counted.
	CountUpcoming(ctx context.Context, organization string, kind Upcoming, after, before time.Time, claimed []string) ([]Begun, error)
	// DueOrganizations lists organizations that have made claims, or have members, of which something is due.
	DueOrganizations(ctx context.Context, decided, inactive time.Time) ([]string, error)
	// Given counts the accounts that hold services, as members or by an open immediate claim, by organization
	// and services.
	Given(ctx context.Context) ([]Given, error)
}

// MemberFilter narrows a listing of members. Zero values leave everybody in.
type MemberFilter struct {
	Status      schema.Status    // as listed
	ClaimType   schema.ClaimType // as listed
	Retractable bool             // only users whose claim can be retracted now (see R22)
	// Search leaves out most accounts where a word of it does not occur in the address or a name, edited or
	// not. It is folded, as schema.Fold does.
	Search    string
	Unclaimed bool // only accounts under no open claim of the organization
	NoProfile bool // names and other data, and edits of them, need not be filled in
}

// ClaimMark is a place among open claims, as they were made.
type ClaimMark struct {
	ClaimedAt time.Time
	Claim     int64
}

// MarkedAccount is an account with the place of its open claim.
type MarkedAccount struct {
	ClaimMark
	Account int64
}

// CandidateFilter narrows a listing of candidates.
type CandidateFilter struct {
	Search  string   // as in MemberFilter
	Domains []string // of their addresses; others have no candidates
	Sources []string // ids of organizations that they belong to, where no open delayed claim moves them on; nil: any
	Except  bool     // Sources are those that they do not belong to
}

// SourcesIn returns the operator that holds an account's organization against Sources.
func (f CandidateFilter) SourcesIn() string {
	if f.Except {
		return "NOT IN"
	}
	return "IN"
}

// Unclaimed is so many accounts that no rule tells apart, but for what time has made due of them.
type Unclaimed struct {
	Domain       string
	Organization *schema.Organization
	Accounts     int
	All          int // with those under open claims
}

// Seen names the state in which an account was found: Version is claim.Account's.
type Seen struct{ Account, Version int64 }

// Candidate is an account that might be claimed.
type Candidate struct {
	Key     string // its address key
	Account claim.Account
}

// BegunMark is a place among what has begun.
type BegunMark struct {
	Since time.Time
	Key   string // address key
}

// BegunAccount is an account of which something has begun.
type BegunAccount struct {
	BegunMark
	Account int64
}

// Begun is so many things that began at a time.
type Begun struct {
	Since time.Time
	Count int
}

// Given is services held by so many accounts of an organization.
type Given struct {
	Organization string
	Services     []string
	Accounts     int
}

// Claims keeps claims, and what becomes of accounts.
type Claims interface {
	// InsertClaims inserts open claims, and returns their ids, in the order of the claims. A second open
	// claim on an account is an error: ErrTwice, where others can have made the first since the account was
	// seen.
	InsertClaims(ctx context.Context, batch ClaimBatch) (ids []int64, err error)
	// WriteEffects writes effects one after the other: accounts, claims, and tombstones of accounts that are
	// gone. A closed claim remembers the address key of the account it was on. Joins has an id, made up by
	// the caller.
	WriteEffects(ctx context.Context, effects []claim.Effect) error
	// ImportClaims lists the claims that an import made, or those of them that have ended, by their ids, up
	// to limit of those behind an id.
	ImportClaims(ctx context.Context, importID int64, ended bool, after int64, limit int) ([]MadeClaim, error)
	// CountOpen counts the open claims that an import made, alike ones together. Told apart are claims on
	// accounts in one of these domains, by domain; those whose accounts are, or were, inactive; and, by the
	// status before them, delayed ones made until longAgo.
	CountOpen(ctx context.Context, importID int64, domains []string, longAgo time.Time) ([]OpenMade, error)
	// LastClaim finds an id that no claim of an import exceeds, and all that it makes from now on do.
	LastClaim(ctx context.Context, importID int64) (int64, error)
	// ClosedClaims finds the closed claims that were on these accounts, or on an account with one of these
	// address keys.
	ClosedClaims(ctx context.Context, accounts []int64, keys []string) ([]ClosedClaim, error)
}

// ClaimBatch is claims to insert, with what they have in common.
type ClaimBatch struct {
	Organization string
	At           time.Time
	ImportID     int64
	Claims       []NewClaim
}

// MadeClaim is a claim that an import made.
type MadeClaim struct {
	Claim   int64
	Line    int
	Account int64
}

// OpenMade is so many open claims of an import that no rule about taking them back tells apart. Of the claim
// only what it has by itself is filled in, and only what tells it apart; SignedInAt only where it is not
// before ClaimedAt.
type OpenMade struct {
	Domain        string // of the addresses; blank: one that was not asked about
	Claim         schema.Claim
	InactiveSince time.Time // of the accounts below
	Claims        int
}

// ClosedClaim is a claim that has ended.
type ClosedClaim struct {
	ID           int64
	Account      int64
	Key          string // of the account when it was closed
	Organization string
	ClaimedAt    time.Time
	SignedInAt   time.Time // zero: never
	ClosedAt     time.Time
	ClosedBy     schema.Closing
}

// Outbox keeps mails. Those about claims wait in a line for their first turn; a mail that is taken up leaves
// the line, and is kept with what became of each attempt. A mail keeps its number.
type Outbox interface {
	// CountMails counts mails by state, also those that nobody wants any more.
	CountMails(ctx context.Context) (map[schema.MailState]int, error)
	// AddMails adds one mail of a kind for each claim, written at a time, to the end of the line.
	AddMails(ctx context.Context, kind claim.Mail, at time.Time, claims []int64) error
	// InsertMail adds a mail that waits outside the line. Its number is left out.
	InsertMail(ctx context.Context, m Mail) error
	// TakeUp takes a mail out of the line, and holds it; number 0: the first.
	TakeUp(ctx context.Context, id int64) (m Mail, found bool, err error)
	// DueMail finds and holds the mail outside the line that is due for the longest time, and that nobody
	// else holds.
	DueMail(ctx context.Context, due DueMail) (m Mail, found bool, err error)
	// FindMail finds and holds a mail outside the line.
	FindMail(ctx context.Context, id int64) (m Mail, found bool, err error)
	// UpdateMail writes what changes of a mail outside the line while it is sent.
	UpdateMail(ctx context.Context, m Mail) error
	// DeleteMail deletes a mail outside the line.
	DeleteMail(ctx context.Context, id int64) error
	// RetryMails makes mails of an organization due that are outside the line, wait or have failed, and are
	// in nobody's hand, and counts them; blank organization: of all; no numbers: all of them. Servers that
	// were away are forgotten.
	RetryMails(ctx context.Context, organization string, ids []int64) (int, error)
	// MailsTaken counts the mails that have been taken up since a time. Others that write and count wait
	// until the transaction ends.
	MailsTaken(ctx context.Context, since time.Time) (int, error)
	// Lined reports whether a mail waits in the line.
	Lined(ctx context.Context) (bool, error)
	// ServerAway reports whether a mail waits beyond a time because there was no server to take any.
	ServerAway(ctx context.Context, now time.Time) (bool, error)
	// ListMails lists mails by number, up to limit of those behind one, in the line and outside.
	ListMails(ctx context.Context, filter MailFilter, after int64, limit int) ([]ListedMail, error)
	// Mails finds the mails about claims, in the order in which they were written.
	Mails(ctx context.Context, claims []int64) ([]Mail, error)
	// ClaimMail finds the claim mail about a claim where it is outside the line.
	ClaimMail(ctx context.Context, claim int64) (m Mail, found bool, err error)

	// ClaimsByID finds claims, open and closed, by number.
	ClaimsByID(ctx context.Context, ids []int64) (map[int64]AnyClaim, error)
	// Undecided lists open delayed claims by when they were made and by number, up to limit of those behind
	// one.
	Undecided(ctx context.Context, after Reminded, until time.Time, limit int) ([]Reminded, error)
	// LastReminded finds the claim up to which owners have been reminded so many days before the date, and
	// holds it.
	LastReminded(ctx context.Context, days int) (Reminded, error)
	PutReminded(ctx context.Context, days int, last Reminded) error

	// InsertLinks keeps links to the choices about claims, by their hashes.
	InsertLinks(ctx context.Context, links []Link) error
	DeleteLink(ctx context.Context, hash []byte) error
	// FindLink finds the claim that a link is for.
	FindLink(ctx context.Context, hash []byte) (claim int64, found bool, err error)
}

// Mail is a mail, or a message to a program, as the outbox keeps it. In the line it has a number, a kind, a
// claim and the time at which it was written.
type Mail struct {
	ID            int64
	Kind          claim.Mail
	Claim         int64        // that it is about; 0: none
	Organization  string       // whose news it is; blank: that of the claim
	To            string       // address, or URL; blank: found out when it is sent
	News          *schema.News // that it tells; nil: it is about a claim
	WrittenAt     time.Time
	State         schema.MailState
	Attempts      int           // grows when it is taken up, and so tells one who has lost it
	Lost          int           // attempts since it waits of which nobody knows how they ended
	TriedSince    time.Time     // zero: not tried
	Pause         time.Duration // from the last attempt to the next
	NextAttemptAt time.Time     // zero: as soon as its turn comes
	TakenAt       time.Time     // when the last attempt began
	LeaseUntil    time.Time     // zero: nobody is sending it; by the database's clock
	SentAt        time.Time
	Error         string // of the last attempt
	Away          bool   // that found no server which would take anything
	MessageID     string
}

// MailWebhook is the kind of a message to a program. It is listed among mails, and is none.
const MailWebhook claim.Mail = "webhook"

// DueMail says which mails are due.
type DueMail struct {
	Now   time.Time // for which they wait
	Free  time.Time // leases that end until then have run out
	Mails bool      // mails
	Hooks bool      // messages to programs
	Tried bool      // of the mails only those that have been tried
}

// MailFilter narrows a listing of mails. Zero values leave all in.
type MailFilter struct {
	Organization string
	State        schema.MailState
}

// ListedMail is a mail as it is listed, with what it is about.
type ListedMail struct {
	Mail
	Made    schema.Claim // its type, when it was made and closed, and by what
	Account int64        // that the claim is on
	Address string       // of that account; blank: it is gone
}

// AnyClaim is a claim, open or closed, and the account that it is on, or brought.
type AnyClaim struct {
	schema.Claim
	Account int64
}

// Reminded is a delayed claim whose owner is, or has been, reminded.
type Reminded struct {
	ClaimedAt time.Time
	Claim     int64
}

// Link is a personal link to the choices, as it is kept.
type Link struct {
	Hash  []byte
	Claim int64
}

// Snapshots takes snapshots in. Users are staged, and merged when all of them are known: only then can
// addresses be exchanged. The stage is the transaction's own.
type Snapshots interface {
	// StageUsers stages users of organizations that there are.
	StageUsers(ctx context.Context, users []LoadUser) error
	// StagedTwice finds the first staged line whose id, or else whose address key, stands on an earlier one
	// too; Line is 0 where there is none.
	StagedTwice(ctx context.Context) (Twice, error)
	// StagedTaken finds the first staged line whose address key an account has that keeps it: one that is not
	// staged, or that is pinned. Lines of accounts that are pinned or gone do not count. 0: there is none.
	StagedTaken(ctx context.Context) (line int, err error)
	// StagedMoves finds the first lines, up to limit, of accounts under an open claim that would get another
	// organization.
	StagedMoves(ctx context.Context, limit int) ([]int, error)
	// Staged finds out which of these address keys are staged.
	Staged(ctx context.Context, keys []string) (map[string]bool, error)
	// KnownUsers finds the accounts that have these address keys, whatever is staged, by key; but for those
	// whose id is the key, and on which there is no open claim.
	KnownUsers(ctx context.Context, keys []string) (map[string]KnownUser, error)
	// MergeStaged inserts or updates the accounts of the staged users, and ends the stage. Accounts that are
	// gone do not come back; pinned ones keep all but last sign-in and conversations. A broken key is
	// ErrTwice.
	MergeStaged(ctx context.Context) error
	// ClaimedTwice finds the first domain that two organizations have claimed; blank: there is none.
	ClaimedTwice(ctx context.Context) (domain, one, other string, err error)
	// InsertRestored inserts open claims as a snapshot has them.
	InsertRestored(ctx context.Context, claims []RestoredClaim) error
	// JoinedAt finds out when accounts joined by a claim, of those that did.
	JoinedAt(ctx context.Context, accounts []int64) (map[int64]time.Time, error)
}

// KnownUser is an account as whoever loads knows it again.
type KnownUser struct {
	ID           string // its id
	Organization string // the id of its organization
	Claiming     string // the id of the one that has an open claim on it; blank: none
}

// Twice is a staged line that repeats what an earlier one has.
type Twice struct {
	First, Line int
	ID          bool // the id; else the address
}

// RestoredClaim is an open claim of a snapshot, on an account.
type RestoredClaim struct {
	schema.Claim
	Account int64
}

// Imports keeps imports and their chunks.
type Imports interface {
	// InsertImport inserts an import, and returns its id. A RequestKey that the organization has already is
	// ErrTwice.
	InsertImport(ctx context.Context, imp schema.Import) (id int64, err error)
	// FindImport finds an import in the state that was written last, without its Plan and its Tally.
	FindImport(ctx context.Context, id int64, hold bool) (imp schema.Import, found bool, err error)
	// FindRequest finds, like FindImport, an organization's import with a RequestKey; its RequestDigest too.
	FindRequest(ctx context.Context, organization, key string, hold bool) (imp schema.Import, found bool, err error)
	// DropRequest takes the RequestKey from an import.
	DropRequest(ctx context.Context, id int64) error
	// ListImports lists an organization's imports like FindImport, the newest first, of those older than an
	// id, 0 being older than none; limit 0: all.
	ListImports(ctx context.Context, organization string, before int64, limit int) ([]schema.Import, error)
	// UpdateImport writes what changes while an import lives: all but its id, organization, file, order and
	// Plan.
	UpdateImport(ctx context.Context, imp schema.Import) error
	// DeleteImport deletes an import with all it kept.
	DeleteImport(ctx context.Context, id int64) error
	// PutPlan keeps the plan.
	PutPlan(ctx context.Context, id int64, plan []byte) error
	// Plans finds the plans of imports that have one.
	Plans(ctx context.Context, ids []int64) (map[int64][]byte, error)
	// Tallies finds what the chunks of imports counted, in order: as applied, or as planned where they are
	// not done.
	Tallies(ctx context.Context, ids []int64) (map[int64][]schema.Tally, error)
	// CountImports counts imports by the state that was written last, with when the oldest of each was agreed
	// to, or begun.
	CountImports(ctx context.Context) ([]ImportCount, error)
	// OpenImports lists imports in state queued or applying that nobody attends, by their ids.
	OpenImports(ctx context.Context) ([]OpenImport, error)
	// PutTurn writes when an organization's turn has come, which nobody else does until the transaction ends.
	PutTurn(ctx context.Context, organization string, at time.Time) error
	// OldImports lists imports that still have rows, and that ended, or whose lease ran out, or that were
	// started, before a time.
	OldImports(ctx context.Context, before time.Time) ([]int64, error)
	// DeleteRows deletes what an import keeps of its file; what was counted stays.
	DeleteRows(ctx context.Context, id int64) error

	InsertChunk(ctx context.Context, importID int64, c Chunk) error
	// FinishChunk marks a chunk as done, with what became of its rows.
	FinishChunk(ctx context.Context, importID int64, number int, results []byte, tally schema.Tally) error
	FindChunk(ctx context.Context, importID int64, number int) (c Chunk, found bool, err error)
	// ChunkDone finds out whether a chunk is done.
	ChunkDone(ctx context.Context, importID int64, number int) (done, found bool, err error)
	// ChunkNumbers lists the numbers of an import's chunks, in order; with pending, only those that are not
	// done.
	ChunkNumbers(ctx context.Context, importID int64, pending bool) ([]int, error)
	// DeleteChunks deletes an import's chunks, with their rows and results.
	DeleteChunks(ctx context.Context, importID int64) error
}

// Schedules keeps schedules and their runs.
type Schedules interface {
	// InsertSchedule inserts a schedule, and returns its id. A second one of a name in an organization is
	// ErrTwice.
	InsertSchedule(ctx context.Context, s schema.Schedule) (id int64, err error)
	FindSchedule(ctx context.Context, organization, name string, hold bool) (s schema.Schedule, found bool, err error)
	ScheduleByID(ctx context.Context, id int64) (s schema.Schedule, found bool, err error)
	// ListSchedules lists an organization's schedules by name.
	ListSchedules(ctx context.Context, organization string) ([]schema.Schedule, error)
	// DueSchedules lists schedules that are not paused and whose next run is not after a time, the earliest
	// first.
	DueSchedules(ctx context.Context, at time.Time) ([]schema.Schedule, error)
	// UpdateSchedule writes all of a schedule but its id, organization and name.
	UpdateSchedule(ctx context.Context, s schema.Schedule) error
	// DeleteSchedule deletes a schedule with its runs.
	DeleteSchedule(ctx context.Context, id int64) error
	// UnnotedImports lists the imports that the schedule has made since it was agreed to, that wait for
	// consent, and that none of its runs names.
	UnnotedImports(ctx context.Context, s schema.Schedule) ([]int64, error)

	InsertRun(ctx context.Context, run schema.ScheduleRun) (id int64, err error)
	// UpdateRun writes what changes of a run: all but its id, schedule, number, time and file.
	UpdateRun(ctx context.Context, run schema.ScheduleRun) error
	DeleteRun(ctx context.Context, id int64) error
	// DeleteOldRuns deletes up to limit entries from before a time that are closed and told, of runs before a
	// schedule's last two; but none that is the newest of its import, or, where it has none, of its file. It
	// returns how many it deleted.
	DeleteOldRuns(ctx context.Context, before time.Time, limit int) (int, error)
	// ListRuns lists runs, the newest first. An import that is gone is none.
	ListRuns(ctx context.Context, filter RunFilter) ([]schema.ScheduleRun, error)
}

// RunFilter narrows a listing of runs. Zero values leave every run in.
type RunFilter struct {
	Schedule int64
	Number   int64
	SHA256   string
	Open     bool  // only those
	Untold   bool  // only those that are not told
	Before   int64 // only those with a smaller id
	Limit    int   // 0: all
	Hold     bool  // keep others from changing them until the transaction ends
}
