package schema

import (
	"strings"
	"time"
)

// Status is the status of an account in the organization it belongs to.
type Status string

// The statuses of an account.
const (
	Active      Status = "active"
	Verified    Status = "verified"
	NotVerified Status = "not_verified"
	Pending     Status = "pending"
	Inactive    Status = "inactive" // cannot sign in, and is removed after policy.inactive_days (R23)

	// DelayedClaim is how the claiming organization lists an account whose owner has not decided yet (R15).
	DelayedClaim Status = "delayed_claim"
)

// Statuses lists the statuses an account itself can have.
var Statuses = []Status{Active, Verified, NotVerified, Pending, Inactive}

// UnknownConversations is the number of conversations of a user for whom nobody knows it.
const UnknownConversations = -1

// Profile is what a row of the users file may change of an account (R17).
type Profile struct {
	FirstName         string `json:"first_name,omitempty"`
	LastName          string `json:"last_name,omitempty"`
	DisplayName       string `json:"display_name,omitempty"`
	Title             string `json:"title,omitempty"`
	Department        string `json:"department,omitempty"`
	Phone             string `json:"phone,omitempty"`
	PreferredLanguage string `json:"preferred_language,omitempty"`
}

// FullName returns the name people know the user by: the display name, else first and last name.
func (p Profile) FullName() string {
	if p.DisplayName != "" {
		return p.DisplayName
	}
	return strings.TrimSpace(p.FirstName + " " + p.LastName)
}

// Edit returns p as the row wants it: every cell of the row that is not blank, and p's own value for the
// others (R17).
func (p Profile) Edit(row Profile) Profile {
	pick := func(own *string, cell string) {
		if cell != "" {
			*own = cell
		}
	}
	pick(&p.FirstName, row.FirstName)
	pick(&p.LastName, row.LastName)
	pick(&p.DisplayName, row.DisplayName)
	pick(&p.Title, row.Title)
	pick(&p.Department, row.Department)
	pick(&p.Phone, row.Phone)
	pick(&p.PreferredLanguage, row.PreferredLanguage)
	return p
}

// Edits returns what of row would change p: blank where the row's cell is blank or says what p has.
func (p Profile) Edits(row Profile) Profile {
	drop := func(cell *string, own string) {
		if *cell == own {
			*cell = ""
		}
	}
	drop(&row.FirstName, p.FirstName)
	drop(&row.LastName, p.LastName)
	drop(&row.DisplayName, p.DisplayName)
	drop(&row.Title, p.Title)
	drop(&row.Department, p.Department)
	drop(&row.Phone, p.Phone)
	drop(&row.PreferredLanguage, p.PreferredLanguage)
	return row
}

// User is an account as its organization has it.
type User struct {
	ID             string // from the snapshot; made up for accounts that joined here
	Email          string // as written
	OrganizationID string
	Status         Status
	InactiveSince  time.Time // zero: not inactive, or unknown since when
	LastSignIn     time.Time // zero: never, or unknown
	Conversations  int       // negative: unknown
	Services       []string  // licences held, sorted
	Profile
}

// Choice is an owner's decision about a claimed account (R20).
type Choice string

// The choices of an owner.
const (
	ChangeEmail     Choice = "change_email"
	TransferContent Choice = "transfer_content" // delayed claims only
	DeleteAccount   Choice = "delete_account"
)

// Closing says what closed a claim.
type Closing string

// How a claim is closed; a Choice closes it too, under its own name.
const (
	ClosedRetracted Closing = "retracted" // R22
	ClosedCompleted Closing = "completed" // R21
	ClosedRemoved   Closing = "removed"   // R23, or the command remove
)

// Claim is a claim on one account. While it is open it lies over the account like a sheet: the account itself
// is not touched, and is what it was when the claim is retracted.
type Claim struct {
	ID             int64
	OrganizationID string // the claiming one
	Type           ClaimType
	ClaimedAt      time.Time
	SignedInAt     time.Time // the owner's first sign-in since; zero: none (R22)
	StatusBefore   Status    // of the account when it was claimed (R15)
	Status         Status    // in the claiming organization; differs from StatusBefore after a directory run (R23)
	InactiveSince  time.Time // of Status; zero: not inactive there
	Edits          Profile   // R17
	Services       []string  // immediate: assigned; delayed: asked for (R17)
	ImportID       int64     // the import that made it; 0: restored from a snapshot
	Line           int       // the row's line in that import
	ClosedAt       time.Time // zero: open
	ClosedBy       Closing
}

// Open reports whether the claim is neither closed by a choice or completion nor retracted.
func (c *Claim) Open() bool { return c.ClosedAt.IsZero() }
