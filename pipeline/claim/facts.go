package claim

import (
	"cmp"
	"strings"
	"time"

	"github.com/claimline/claimline/schema"
)

// Account is what there is to know of one account: the user, the organization it belongs to, and the open
// claim on it.
type Account struct {
	ID           int64 // the store's number for it; 0: there is no such account
	Version      int64 // the store's, of the account alone, beside that of the facts
	User         schema.User
	Organization *schema.Organization // the user's own
	Claim        *schema.Claim        // the open claim, whoever's; nil: none
	Claiming     *schema.Organization // the organization of Claim; nil where Claim is nil
}

// Domain is what is known of one e-mail domain, seen from a claiming organization.
type Domain struct {
	Ours      bool   // the claiming organization has verified or claimed it
	ClaimedBy string // id of the organization that has claimed it; empty: none
	// Elsewhere says that another organization has verified or claimed it, and Overlapping names the nearest
	// parent or sub domain that one has; empty: none. (R6)
	Elsewhere   bool
	Overlapping string
}

// Facts are what decisions about a batch of addresses are made on.
type Facts struct {
	Claiming schema.Organization
	Accounts []Account         // one per address key asked for, in that order
	Domains  map[string]Domain // by domain of the keys asked for
	Licenses []schema.License  // of the claiming organization, by service
	Version  int64             // the store's, by which it knows whether they still hold; 0: unknown
	// Unchanged means that the facts looked up before, of the Version named, still hold: Accounts and Domains
	// are left out.
	Unchanged bool
}

// Rules is the moment and the policy under which facts are judged.
type Rules struct {
	Now    time.Time
	Policy schema.Policy
}

// RulesAt returns the rules as they are at a time, which is taken in whole seconds: that is what is kept.
func RulesAt(now time.Time, policy schema.Policy) Rules {
	return Rules{Now: now.UTC().Truncate(time.Second), Policy: policy}
}

// SeenBy returns a domain as an organization sees it (R5, R6); holders are all who have verified or claimed
// it, or a domain that overlaps with it.
func SeenBy(organization, name string, holders []schema.Domain) (d Domain) {
	for _, held := range holders {
		ours := held.OrganizationID == organization
		switch {
		case held.Status == schema.DomainPending:
		case held.Domain == name:
			d.Ours, d.Elsewhere = d.Ours || ours, d.Elsewhere || !ours
			if held.Status == schema.DomainClaimed {
				d.ClaimedBy = held.OrganizationID
			}
		case !ours && Overlap(held.Domain, name) && nearer(name, held.Domain, d.Overlapping):
			d.Overlapping = held.Domain
		}
	}
	return d
}

// Overlap reports whether one of two domains is above the other (R6). A domain does not overlap with itself,
// and two below the same one do not overlap.
func Overlap(a, b string) bool {
	return strings.HasSuffix(a, "."+b) || strings.HasSuffix(b, "."+a)
}

// nearer reports whether a domain that overlaps with name is nearer to it than another; empty: there is none.
func nearer(name, domain, other string) bool {
	far := func(domain string) int { return max(len(domain)-len(name), len(name)-len(domain)) }
	return other == "" || cmp.Or(cmp.Compare(far(domain), far(other)), cmp.Compare(domain, other)) < 0
}
