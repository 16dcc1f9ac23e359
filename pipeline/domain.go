package pipeline

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// txtPrefix is what the TXT record of a domain begins with, the token coming after it.
const txtPrefix = "claimline-domain-verification="

// TXTRecord is the TXT record to publish for a domain that is to be verified (R24).
func TXTRecord(held schema.Domain) string { return txtPrefix + held.Token }

// OfferToken gives out the token for a domain, the same one every time, and returns the domain as the organization
// holds it: pending, unless it has been verified before (R24).
func (p *Pipeline) OfferToken(ctx context.Context, organization, domain string) (schema.Domain, error) {
	token := strings.ToLower(rand.Text())
	return p.Store.SetDomain(ctx, organization, domain, func(held *schema.Domain, _ string) error {
		claim.MarkPending(held, token)
		return nil
	})
}

// VerifyDomain looks for the TXT record of a pending domain, and verifies the domain where it is there (R24). Refused
// with CodeTXTRecordMissing, saying what is there instead, and CodeDNSFailed.
func (p *Pipeline) VerifyDomain(ctx context.Context, pending schema.Domain, resolver Resolver) (schema.Domain, error) {
	records, err := resolver.TXT(ctx, pending.Domain)
	if err != nil {
		return pending, err
	}
	ours := func(record string) bool { return strings.HasPrefix(strings.TrimSpace(record), txtPrefix) }
	switch {
	case slices.ContainsFunc(records, func(record string) bool { return strings.TrimSpace(record) == TXTRecord(pending) }):
	case slices.ContainsFunc(records, ours):
		return pending, schema.Refuse(schema.CodeTXTRecordMissing, "The TXT record of %s has another token.", pending.Domain).
			WithFix("Publish the record exactly as it is shown, wait a while, and verify again.")
	case len(records) > 0:
		return pending, schema.Refuse(schema.CodeTXTRecordMissing, "The domain %s has TXT records, but not this one.", pending.Domain)
	default:
		return pending, schema.Refuse(schema.CodeTXTRecordMissing, "The domain %s has no TXT record.", pending.Domain)
	}
	return p.Store.SetDomain(ctx, pending.OrganizationID, pending.Domain, func(held *schema.Domain, _ string) error {
		if held.Status == schema.DomainPending {
			held.Status = schema.DomainVerified
		}
		return nil
	})
}

// ClaimDomain claims a domain for an organization (R24): see claim.MarkClaimed.
func (p *Pipeline) ClaimDomain(ctx context.Context, organization, domain string) (schema.Domain, error) {
	return p.Store.SetDomain(ctx, organization, domain, claim.MarkClaimed)
}

// RetractableIn counts the organization's claims on users of a domain that can be retracted: claiming the domain ends that (R22).
func (p *Pipeline) RetractableIn(ctx context.Context, organization, domain string) (n int, err error) {
	err = p.EachMember(ctx, organization, MemberFilter{Retractable: true}, func(l schema.Listing) error {
		if key, problem := schema.ParseAddress(l.Email); problem == "" && schema.KeyDomain(key) == domain {
			n++
		}
		return nil
	})
	return n, err
}

// ReleaseDomain undoes the claim of a domain (R24): see claim.MarkReleased.
func (p *Pipeline) ReleaseDomain(ctx context.Context, organization, domain string) (schema.Domain, error) {
	return p.Store.SetDomain(ctx, organization, domain, func(held *schema.Domain, _ string) error { return claim.MarkReleased(held) })
}
