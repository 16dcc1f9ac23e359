package store

import (
	"context"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// Settings changes what an organization has set, and the domains it holds. Its methods take the settings lock
// exclusively: no chunk is applied meanwhile. Refused with CodeOrganizationUnknown.
type Settings interface {
	// SetOrganization lets change decide, under the lock, on the organization's BringConversations, DirectorySync,
	// ActivationEmails and RetentionDays, and returns the organization as it is then. What time has made due is written
	// first, under the old settings. change may be called again after a conflict; its error is returned, and nothing is
	// changed.
	SetOrganization(ctx context.Context, clock claim.Clock, organization string, change func(*schema.Organization) error) (schema.Organization, error)
	// SetDomain lets change decide, under the lock, on the status and token of a domain in the organization, and returns
	// the domain as it is then. change is given the domain as the organization holds it, its Status blank where it does
	// not, and the id of the organization that has claimed it, blank where none has. change may be called again after a
	// conflict; its error is returned, and nothing is changed. The domain is named by its key (schema.DomainKey).
	SetDomain(ctx context.Context, organization, domain string, change func(held *schema.Domain, claimedBy string) error) (schema.Domain, error)
}
