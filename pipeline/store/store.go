// Package store is what Claimline needs of a database. The comments of Store are the contract that every back end
// keeps; package storetest checks it.
package store

import (
	"context"
	"time"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// Store keeps organizations, accounts, claims and imports. It is safe for concurrent use, by several processes too.
//
// Refusals are *schema.Error with a code; any other error is broken machinery. Every method that writes is one
// transaction, or as many as its comment says, and does nothing where it fails. Times are whole seconds in UTC. What time
// has made due (claim.Clock.AsOf) is treated as done by every method that takes a Clock, whether or not it has been written.
type Store interface {
	Close() error

	// Organizations lists all organizations by id.
	Organizations(ctx context.Context) ([]schema.Organization, error)
	// Organization finds one; CodeOrganizationUnknown where there is none.
	Organization(ctx context.Context, id string) (schema.Organization, error)
	// Licenses lists the licences of an organization by service, with what is held of each (R17).
	Licenses(ctx context.Context, clock claim.Clock, organization string) ([]schema.License, error)
	// Domains lists the domains that an organization holds, by name.
	Domains(ctx context.Context, organization string) ([]schema.Domain, error)

	// Load takes in a snapshot, all or nothing: fill hands it over, part by part, and an error of fill undoes
	// everything. It takes the settings lock exclusively.
	Load(ctx context.Context, clock claim.Clock, fill func(Loader) error) error

	// Facts looks up what decisions about the address keys need, in bulk. Two equal keys are not allowed. Accounts and
	// licences are as written; claim.Clock.AsOf and Licenses say what has become of them.
	Facts(ctx context.Context, organization string, keys []string) (claim.Facts, error)
	// Candidates hands over, in batches ordered by address key, every account whose domain the organization has verified
	// or claimed and that is neither its own nor under its claim, with the facts to decide on: all who could be eligible.
	// Members and claimed accounts for whom time may have changed that are among them.
	// A domain, where given, leaves only the addresses in it. The batch is not valid after each returns; an error of
	// each ends the listing and is returned.
	Candidates(ctx context.Context, organization, domain string, each func(Batch) error) error

	Settings
	Claims
	Imports
}

// Batch is one part of a listing of accounts.
type Batch struct {
	Keys  []string // address keys, one per account of Facts
	Facts claim.Facts
}

// Loader takes in the parts of a snapshot, in this order: organizations, licences, domains, users, claims. Values have
// been checked one by one; what can only be checked against the rest is checked here. A refusal names the file and, where
// the value has one, the line. Each method may be called many times.
//
// What has the same key is updated, without undoing what was done here: organization, address and status of an
// account that a closed claim changed stay, a claim that was closed is not restored, a removed account does not come back.
type Loader interface {
	Organizations(ctx context.Context, organizations []LoadOrganization) error
	Licenses(ctx context.Context, licenses []LoadLicense) error
	Domains(ctx context.Context, domains []LoadDomain) error
	// Users refuses, at the latest when Load commits, with CodeIDDuplicate an id that stands in the snapshot twice, and
	// with CodeEmailDuplicate an address key that does, or that an account has which this snapshot does not move away.
	Users(ctx context.Context, users []LoadUser) error
	// Claims restores open claims, without licences or mail. One that is open already is brought up to date, unless it
	// was made here; one on a member, or closed here since it was made, is left out. Refused with CodeUserNotFound,
	// CodeIDDuplicate (two on one account), and CodeClaimedElsewhere: another organization has an open claim there.
	Claims(ctx context.Context, claims []LoadClaim) error
}

// LoadOrganization is an organization of a snapshot with the line it stands on, for messages.
type LoadOrganization struct {
	schema.Organization
	Line int
}

// LoadLicense is a licence of a snapshot with the line it stands on, for messages.
type LoadLicense struct {
	schema.License
	Line int
}

// LoadDomain is a domain of a snapshot with the line it stands on, for messages.
type LoadDomain struct {
	schema.Domain
	Line int
}

// LoadUser is a user of a snapshot with its address key and the line it stands on, for messages.
type LoadUser struct {
	schema.User
	Key  string
	Line int
}

// LoadClaim is an open claim of a snapshot: on the account with this address key.
type LoadClaim struct {
	schema.Claim
	Key  string
	Line int
}

// Imports keeps imports: durable jobs that one runner at a time owns.
//
// An import is planned (CreateImport, KeepChunk for each chunk, SealPlan), consented to (Consent), applied chunk by
// chunk (ApplyChunk) and finished. Whoever drives it holds an Owner, got from CreateImport or AcquireImport; methods that
// take an Owner refuse with CodeImportTakenOver, changing nothing, once somebody else has acquired the import.
type Imports interface {
	// CreateImport records a new import in state planning, owned by the runner until lease runs out, and returns it with
	// its id.
	CreateImport(ctx context.Context, imp schema.Import, runner string, now time.Time, lease time.Duration) (Owner, error)
	// KeepChunk keeps one chunk of the plan. Chunks come in order, each once.
	KeepChunk(ctx context.Context, owner Owner, chunk Chunk) error
	// SealPlan ends the planning: state awaiting_consent. sha256 is the file's, in hex; plan is what else was learnt while
	// reading, the pipeline's own encoding.
	SealPlan(ctx context.Context, owner Owner, sha256 string, plan []byte) error
	// DropChunks deletes the chunks kept so far of an import that is still being planned, so that its plan can begin again.
	DropChunks(ctx context.Context, owner Owner) error
	// DropImport deletes an import that was never applied, with all it kept.
	DropImport(ctx context.Context, owner Owner) error
	// Consent records that somebody agreed, at that time, and starts applying.
	Consent(ctx context.Context, owner Owner, at time.Time) error

	// AcquireImport makes the runner the owner of an import that nobody owns now: one whose lease has run out, or that was
	// released. An import that ended but has chunks that are not done is opened again (state applying, or
	// awaiting_consent where no consent was recorded). Refused with CodeImportNotFound, CodeImportRunning (the lease runs; see
	// Import.LeaseUntil), CodeImportFinished (ended with no chunk left, or rejected), CodeImportIncomplete (never planned to
	// its end), CodeImportRemoved.
	AcquireImport(ctx context.Context, id int64, runner string, now time.Time, lease time.Duration) (Owner, error)
	// RenewImport prolongs the lease.
	RenewImport(ctx context.Context, owner Owner, now time.Time, lease time.Duration) error
	// ApplyChunk applies one chunk in one transaction: it checks that the owner still owns the import, that the import is
	// being applied and not cancelled (CodeCancelled), and that the chunk is not done (then it returns nil at once);
	// makes sure of the facts under lock; calls decide; and writes what decide returns: claims, results, mails, "chunk done",
	// all together or not at all.
	//
	// The facts are those of the address keys that keys names, with what is due for their accounts written first. known, where
	// it is not 0, is the Version of facts on which the caller has decided already: where the store is sure that nothing has
	// changed since but what this owner did to other chunks, decide is told so (Facts.Unchanged), and keys is not called. A
	// store that cannot be sure looks everything up. The claiming organization is always as it is at that moment, and so are
	// its licences: what is due for it is written too, in transactions of its own where it is much.
	//
	// keys and decide may be called again after a conflict with other transactions. An error of keys or of decide is returned, and
	// nothing is written. A claim on an account with an open claim is an error.
	ApplyChunk(ctx context.Context, owner Owner, clock claim.Clock, number int, known int64, keys func() ([]string, error), decide func(claim.Facts) (Applied, error)) error
	// FinishImport ends the import and releases it: state is one that has Ended; reason says why rows were not attempted,
	// where some were not. Finishing again with the same state changes nothing. It removes file and rows if RemoveRows.
	FinishImport(ctx context.Context, owner Owner, end ImportEnd) error

	// RequestCancel asks whoever applies the import to stop between chunks; an import that nobody owns at that time is
	// cancelled at once, and no longer belongs to who had it. Refused with CodeImportNotFound, CodeImportFinished.
	RequestCancel(ctx context.Context, id int64, now time.Time) error

	// Import finds one import, CodeImportNotFound where there is none; its state is computed at now (interrupted; failed, where
	// it was still being planned).
	Import(ctx context.Context, id int64, now time.Time) (schema.Import, error)
	// ListImports lists an organization's imports, the newest first; limit 0: all.
	ListImports(ctx context.Context, organization string, now time.Time, limit int) ([]schema.Import, error)
	// Chunks lists the numbers of an import's chunks, in order; with pending, only those that are not done.
	Chunks(ctx context.Context, id int64, pending bool) ([]int, error)
	// Chunk reads one kept chunk, CodeImportRemoved where it has been removed.
	Chunk(ctx context.Context, id int64, number int) (Chunk, error)
	// RemoveImports removes file and rows of the imports that ended before the given time, and of those left unended by
	// whoever worked on them, whose lease ran out before it; summaries stay. Each import is a transaction of its own. It
	// returns how many imports lost their rows.
	RemoveImports(ctx context.Context, endedBefore time.Time) (int, error)
}

// Owner is one runner's hold on an import. Epoch grows with every change of hands.
type Owner struct {
	ImportID int64
	Runner   string
	Epoch    int64
}

// Chunk is one part of a kept file: whole rows, in file order, with what the plan said of each and, once it is
// done, what became of each. Data, Verdicts and Results are the pipeline's own encodings, opaque to the store.
type Chunk struct {
	Number   int
	Data     []byte // the rows
	Verdicts []byte // the plan's result for each row
	Prepared []byte // what claiming the rows that are ready takes
	Planned  schema.Tally
	Done     bool
	Results  []byte       // nil until done; also nil where the plan's verdicts are final, no row being ready
	Applied  schema.Tally // of Results; Planned where those are nil
}

// Applied is what applying a chunk has to write.
type Applied struct {
	Claims          []NewClaim
	ActivationMails bool           // immediate claims get their activation mail too, not only the claim mail (R18)
	Assigned        map[string]int // licences given out to Claims, by service (R17)
	Tally           schema.Tally
	// Results encodes the results; it is given the ids of the claims, in the order of Claims.
	Results func(claimIDs []int64) []byte
}

// NewClaim is a claim to make on an account of the facts.
type NewClaim struct {
	AccountID    int64
	Type         schema.ClaimType
	StatusBefore schema.Status
	Edits        *schema.Profile // nil: none
	Services     []string
	Line         int
}

// ImportEnd is how an import ends.
type ImportEnd struct {
	State      schema.ImportState
	Reason     schema.Code
	At         time.Time
	RemoveRows bool
}
