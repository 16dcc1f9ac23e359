package schema

import "time"

// Kind is what sort of organization users live in.
type Kind string

// The kinds of organization.
const (
	Enterprise Kind = "enterprise"
	Personal   Kind = "personal" // self-signed-up
	Consumer   Kind = "consumer" // the free one
)

// Organization is a tenant that owns users.
type Organization struct {
	ID                 string    `json:"id"`
	Name               string    `json:"name"`
	Kind               Kind      `json:"kind"`
	Created            time.Time `json:"created"`
	SSO                bool      `json:"sso"`
	DirectorySync      bool      `json:"directory_sync"`      // R10 where it claims, R8 where it is the source
	BringConversations bool      `json:"bring_conversations"` // R11
	ActivationEmails   bool      `json:"activation_emails"`   // R18
	RetentionDays      int       `json:"retention_days"`      // R19; 0: none set
}

// License is what an organization has bought of one service.
type License struct {
	OrganizationID string `json:"organization_id"`
	Service        string `json:"service"`
	Quantity       int    `json:"quantity"` // negative: unlimited
	AutoAssign     bool   `json:"auto_assign"`
	Held           int    `json:"held"` // by members, open immediate claims and completed claims (R17)
}

// Unlimited is the Quantity of a licence without a limit.
const Unlimited = -1

// DomainStatus is what an organization has done with a domain.
type DomainStatus string

// The statuses of a domain in an organization.
const (
	DomainPending  DomainStatus = "pending" // a token was given out, and its TXT record has not been seen (R24)
	DomainVerified DomainStatus = "verified"
	DomainClaimed  DomainStatus = "claimed" // and verified
)

// Domain is an e-mail domain as one organization holds it.
type Domain struct {
	Domain         string       `json:"domain"` // in ASCII form, lower case
	OrganizationID string       `json:"organization_id"`
	Status         DomainStatus `json:"status"`
	Token          string       `json:"token,omitempty"` // to be published in DNS (R24)
}
