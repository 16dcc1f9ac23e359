package schema

import (
	"slices"
	"time"
)

// Role is what somebody may do who asks the service.
type Role string

// The roles.
const (
	RoleViewer   Role = "viewer"   // looks
	RoleOperator Role = "operator" // claims, imports, retracts and removes too
	RoleAdmin    Role = "admin"    // changes settings, domains and schedules too
)

// Roles lists the roles. Each may do what those before it may.
var Roles = []Role{RoleViewer, RoleOperator, RoleAdmin}

// May reports whether the role may do what needs another. An unknown role may do nothing.
func (r Role) May(needed Role) bool {
	return slices.Contains(Roles, r) && slices.Index(Roles, r) >= slices.Index(Roles, needed)
}

// Token is access to the service, for one organization. The token itself is known to nobody but who was given
// it.
type Token struct {
	ID             int64  // of the database
	OrganizationID string // that it is for
	Name           string // its own in the organization; what is done by it bears it
	Role           Role
	CreatedAt      time.Time
	CreatedBy      string    // as in terminal:root
	ExpiresAt      time.Time // zero: never
	LastUsedAt     time.Time // zero: never; told some seconds later
}

// Expired reports whether the token has expired at a time.
func (t *Token) Expired(now time.Time) bool { return !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt) }
