package claim

import "github.com/claimline/claimline/schema"

// MarkClaimed lets an organization claim a domain that it has verified (R24); claimedBy is the organization
// that has claimed it, blank where none has. A domain of its own stays claimed. Refused with
// CodeDomainNotVerified, CodeDomainClaimedElsewhere.
func MarkClaimed(held *schema.Domain, claimedBy string) error {
	switch {
	case held.Status != schema.DomainVerified && held.Status != schema.DomainClaimed:
		return schema.Refuse(schema.CodeDomainNotVerified, "Your organization has not verified %s.", held.Domain).
			WithFix("Verify it first: claimline domain verify %s.", held.Domain)
	case claimedBy != "" && claimedBy != held.OrganizationID:
		return schema.Refuse(schema.CodeDomainClaimedElsewhere, "Another organization has claimed %s.", held.Domain)
	}
	held.Status = schema.DomainClaimed
	return nil
}

// MarkReleased undoes the claim of a domain, which stays verified (R24). Refused with CodeDomainNotClaimed.
func MarkReleased(held *schema.Domain) error {
	if held.Status != schema.DomainClaimed {
		return schema.Refuse(schema.CodeDomainNotClaimed, "Your organization has not claimed %s.", held.Domain)
	}
	held.Status = schema.DomainVerified
	return nil
}

// MarkPending begins to verify a domain (R24): it gives out the token, unless one was given out before. A
// domain that is verified stays so.
func MarkPending(held *schema.Domain, token string) {
	if held.Status != "" {
		return
	}
	held.Status, held.Token = schema.DomainPending, token
}
