package domains

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// txtPrefix is what the TXT record of a domain begins with, the token coming after it.
const txtPrefix = "claimline-domain-verification="

// TXTRecord returns the TXT record to publish for a domain that is to be verified (see R24).
func TXTRecord(held schema.Domain) string { return txtPrefix + held.Token }

// BeginVerification gives out the token for a domain, the same one every time, and returns the domain as the
// organization holds it: pending, unless it has been verified before (see R24).
func BeginVerification(ctx context.Context, s *store.Store, organization, domain string) (schema.Domain, error) {
	token := strings.ToLower(rand.Text())
	return s.SetDomain(ctx, organization, domain, func(held *schema.Domain, _ string) error {
		claim.MarkPending(held, token)
		return nil
	})
}

// Verify looks for the TXT record of a pending domain, and verifies the domain where it is there (see R24).
// Refused with CodeTXTRecordMissing, saying what is there instead, and CodeDNSFailed.
func Verify(ctx context.Context, s *store.Store, pending schema.Domain, resolver Resolver) (schema.Domain, error) {
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
	return s.SetDomain(ctx, pending.OrganizationID, pending.Domain, func(held *schema.Domain, _ string) error {
		if held.Status == schema.DomainPending {
			held.Status = schema.DomainVerified
		}
		return nil
	})
}

// Claim claims a domain for an organization (see R24): see claim.MarkClaimed.
func Claim(ctx context.Context, s *store.Store, organization, domain string) (schema.Domain, error) {
	return s.SetDomain(ctx, organization, domain, claim.MarkClaimed)
}

// Release undoes the claim of a domain (see R24): see claim.MarkReleased.
func Release(ctx context.Context, s *store.Store, organization, domain string) (schema.Domain, error) {
	return s.SetDomain(ctx, organization, domain, func(held *schema.Domain, _ string) error { return claim.MarkReleased(held) })
}
