package schema

import "time"

// ConvertSuffix is what a source organization sees behind the address of an account that another organization
// has an open claim on. It is only shown: nothing finds an account by it (R16).
const ConvertSuffix = ".convert-user.local"

// Listing is one user as an organization lists it.
type Listing struct {
	Email         string     `json:"email"` // as written; R16's suffix in a source organization
	Name          string     `json:"-"`     // of the account as the organization that lists it has it
	Status        Status     `json:"status"`
	ClaimType     ClaimType  `json:"claim_type"` // of the open claim, or of the one that brought the account here; blank: none
	ClaimedAt     *time.Time `json:"claimed_at"`
	DaysLeft      *int       `json:"days_left"` // of an open claim: whole days, rounded up, to R21 or to the end of R22's window
	Retractable   bool       `json:"retractable"`
	RetractReason Code       `json:"retract_reason"` // why not (R22)
	Conversations *int       `json:"conversations"`  // that come along; nil: unknown (R19)
	RetentionDays int        `json:"retention_days"` // the organization's; 0: none set (R19)
	Licenses      []string   `json:"licenses"`       // held; of a delayed claim: asked for (R17)
}

// DeadlineKind says what happens when a deadline has passed.
type DeadlineKind string

// The kinds of deadline.
const (
	DeadlineDecision DeadlineKind = "decision" // a delayed claim completes by itself (R21)
	DeadlineRetract  DeadlineKind = "retract"  // an immediate claim can no longer be retracted (R22)
	DeadlineRemoval  DeadlineKind = "removal"  // an inactive member is removed (R23)
)

// Deadline is something that time will make due.
type Deadline struct {
	Email string       `json:"email"`
	Kind  DeadlineKind `json:"kind"`
	DueAt time.Time    `json:"due_at"`
}

// Retraction is what became of one claim that was to be retracted (R22).
type Retraction struct {
	Email     string `json:"email"`
	Retracted bool   `json:"retracted"`
	Reason    Code   `json:"reason"` // why not; empty where it was
}

// Reminder is what became of one owner who was to be reminded.
type Reminder struct {
	Email    string `json:"email"`
	Reminded bool   `json:"reminded"`
	Reason   Code   `json:"reason"` // why not; empty where it was
}

// Changed is an account after something was done to it.
type Changed struct {
	Email  string `json:"email"`
	Status Status `json:"status"` // in the claiming organization; StatusRemoved where it has left
	Choice Choice `json:"choice"` // empty where none was made
}

// StatusRemoved is the status of an account after it was removed from its organization.
const StatusRemoved Status = "removed"

// Swept counts what time had made due and is now written.
type Swept struct {
	Transferred    int `json:"transferred"`     // delayed claims completed (R21)
	Removed        int `json:"removed"`         // inactive users removed (R23)
	ImportsRemoved int `json:"imports_removed"` // imports past their keeping time
}

// SyncEffect is what a directory run does to one user (R23).
type SyncEffect string

// The effects of a directory run.
const (
	SyncKeep              SyncEffect = "keep"
	SyncDeactivate        SyncEffect = "deactivate"          // a member the list lacks
	SyncReactivate        SyncEffect = "reactivate"          // inactive, and back in the list
	SyncInactive          SyncEffect = "inactive"            // already, and stays so
	SyncCaseMismatch      SyncEffect = "case_mismatch"       // kept; a case-sensitive connector would deactivate it
	SyncDelayedClaim      SyncEffect = "delayed_claim"       // in the list, and not a member yet
	SyncNotInOrganization SyncEffect = "not_in_organization" // in the list only
)

// SyncEffects lists every effect, those that put somebody at risk first.
var SyncEffects = []SyncEffect{
	SyncDeactivate, SyncCaseMismatch, SyncInactive, SyncReactivate, SyncDelayedClaim, SyncNotInOrganization, SyncKeep,
}

// SyncRow is what a directory run does to one user, or would.
type SyncRow struct {
	Email  string     `json:"email"` // as the organization has it; as the list does where only that has it
	Effect SyncEffect `json:"effect"`
	Listed string     `json:"-"` // as the list has it; another address where it has that; empty where the list lacks both
}
