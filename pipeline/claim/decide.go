package claim

import (
	"time"

	"github.com/claimline/claimline/schema"
)

// Decision is what the rules say of one address.
type Decision struct {
	Outcome  schema.Outcome // Ready, Unchanged or Ineligible
	Type     schema.ClaimType
	Reasons  []schema.Code // in the order of the rules; empty when Ready
	Warnings []schema.Code // of a claim that would be made all the same
}

// Decide applies R1 to R9 to one account, as it stands now, and to the claim type the row asks for (blank:
// whatever type is planned). It is the only place where it is decided whether somebody may be claimed.
func (r Rules) Decide(claiming *schema.Organization, domain Domain, account Account, asked schema.ClaimType) Decision {
	a := r.AsOf(account)
	switch {
	case a.ID == 0:
		return refuse(schema.Ineligible, schema.CodeUserNotFound) // R1
	case a.Claim != nil && a.Claim.OrganizationID == claiming.ID:
		return refuse(schema.Unchanged, schema.CodeAlreadyClaimed) // R2
	case a.User.OrganizationID == claiming.ID:
		return refuse(schema.Unchanged, schema.CodeAlreadyMember) // R3
	}

	planned := r.TypeFor(claiming, a.Organization)
	var reasons []schema.Code
	when := func(applies bool, reason schema.Code) {
		if applies {
			reasons = append(reasons, reason)
		}
	}
	when(a.Claim != nil, schema.CodeClaimedElsewhere) // R4
	when(!domain.Ours, schema.CodeDomainNotVerified)  // R5
	elsewhere, _ := r.Elsewhere(claiming, domain)
	when(elsewhere != "", elsewhere)                                   // R6
	when(a.Organization.SSO, schema.CodeSourceSSO)                     // R7
	when(a.Organization.DirectorySync, schema.CodeSourceDirectorySync) // R8
	when(asked != "" && asked != planned, schema.CodeStaleClaimType)   // R9
	if len(reasons) > 0 {
		return Decision{Outcome: schema.Ineligible, Reasons: reasons}
	}

	decision := Decision{Outcome: schema.Ready, Type: planned}
	if planned == schema.Immediate && a.User.Conversations != 0 {
		decision.Warnings = contentStaysBehind // R11
	}
	return decision
}

// Elsewhere says what another organization's hold on a domain makes of its users (R6): the reason for which
// they cannot be claimed, and the parent or sub domain that is held there, empty where it is the domain
// itself. No reason: nothing hinders.
func (r Rules) Elsewhere(claiming *schema.Organization, domain Domain) (reason schema.Code, overlapping string) {
	policy := r.Policy.DomainElsewhere
	switch {
	case domain.ClaimedBy != "" && domain.ClaimedBy != claiming.ID:
		return schema.CodeDomainClaimedElsewhere, ""
	case domain.Elsewhere && (policy == schema.ElsewhereVerified || policy == schema.ElsewhereOverlapping):
		return schema.CodeDomainVerifiedElsewhere, ""
	case domain.Overlapping != "" && policy == schema.ElsewhereOverlapping:
		return schema.CodeDomainVerifiedElsewhere, domain.Overlapping
	}
	return "", ""
}

var contentStaysBehind = []schema.Code{schema.CodeContentNotTransferred}

func refuse(outcome schema.Outcome, reason schema.Code) Decision {
	return Decision{Outcome: outcome, Reasons: []schema.Code{reason}}
}

// TypeFor returns the type a claim gets (R11): delayed exactly when delayed claims exist, the claiming
// organization lets users bring their conversations, and the source organization is personal and old enough.
func (r Rules) TypeFor(claiming, source *schema.Organization) schema.ClaimType {
	if r.Policy.DelayedClaims && claiming.BringConversations && source.Kind == schema.Personal &&
		!laterThan(source.Created, r.Policy.DelayedCreatedUntil) {
		return schema.Delayed
	}
	return schema.Immediate
}

// laterThan reports whether t's UTC date comes after date, which is written as 2006-01-02.
func laterThan(t time.Time, date string) bool {
	year, month, day := t.UTC().Date()
	number := 0
	for _, c := range []byte(date) {
		if c != '-' {
			number = 10*number + int(c-'0')
		}
	}
	return (100*year+int(month))*100+day > number
}

// Confirm narrows a decision made in the transaction to what the plan promised (promise 1): a claim whose
// type is no longer the planned one is not made (R12). A row that was not planned ready must not be asked
// about.
func (d Decision) Confirm(planned schema.ClaimType) Decision {
	if d.Outcome == schema.Ready && d.Type != planned {
		return refuse(schema.Ineligible, schema.CodeStaleClaimType)
	}
	return d
}
