package schema

import "time"

// AccountView is all about one address, as the organization that asks sees it. What there is nothing of is
// null, or empty.
type AccountView struct {
	Email        string      `json:"email"` // as written; R16's suffix in a source organization
	Name         string      `json:"-"`
	Status       Status      `json:"status"`
	Organization string      `json:"organization"` // id of the one the account belongs to
	Claim        *ClaimView  `json:"claim"`        // the open one, else the one that brought the account here
	Edits        Edits       `json:"edits"`        // what the open claim changes (R17)
	Licenses     []string    `json:"licenses"`     // held; of a delayed claim: asked for (R17)
	Mails        []MailView  `json:"mails"`
	Events       []EventView `json:"events"` // in the order of time
}

// ClaimView is a claim as AccountView shows it.
type ClaimView struct {
	Type          ClaimType  `json:"type"`
	ClaimedAt     time.Time  `json:"claimed_at"`
	Import        *string    `json:"import"` // null: restored from a snapshot
	Line          *int       `json:"line"`   // of the row in that import; null: unknown
	DaysLeft      *int       `json:"days_left"`
	Retractable   bool       `json:"retractable"`
	RetractReason Code       `json:"retract_reason"` // why not (R22)
	ClosedAt      *time.Time `json:"closed_at"`      // null: open
	Choice        *Choice    `json:"choice"`         // of the owner (R20); null: none
}

// MailView is a mail to the owner as AccountView shows it.
type MailView struct {
	Kind  string    `json:"kind"`
	State string    `json:"state"`
	At    time.Time `json:"at"`
}

// EventView is something that happened to an account.
type EventView struct {
	At   time.Time `json:"at"`
	What string    `json:"what"` // claimed, signed_in, inactive, a Choice or a Closing
}
