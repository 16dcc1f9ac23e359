package people

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// Eligibility says whether one address can be claimed now, and why not.
type Eligibility struct {
	Email    string           `json:"email"` // as asked
	Eligible bool             `json:"eligible"`
	Type     schema.ClaimType `json:"claim_type"` // blank unless eligible
	Reasons  []schema.Code    `json:"reasons"`    // every one that applies, in the order of the checks
	Warnings []schema.Code    `json:"-"`          // of a claim that could be made

	// Elsewhere is the domain of another organization for which it cannot be claimed, that of the address or
	// one that overlaps with it (see R6); empty: none.
	Elsewhere string `json:"-"`
}

// Explain answers for each address, in the order asked, what the rules say of the account (see R1 to R8). An
// address that is not valid gets the code of its row check.
func (p *People) Explain(ctx context.Context, organization string, addresses []string) ([]Eligibility, error) {
	answers := make([]Eligibility, len(addresses))
	keys := make([]string, len(addresses))
	var wanted []string
	for i, address := range addresses {
		key, problem := schema.ParseAddress(address)
		answers[i] = Eligibility{Email: address, Reasons: []schema.Code{}}
		if problem != "" {
			answers[i].Reasons = append(answers[i].Reasons, problem)
			continue
		}
		keys[i] = key
		wanted = append(wanted, key)
	}
	slices.Sort(wanted)
	wanted = slices.Compact(wanted)
	facts, err := p.Store.Facts(ctx, organization, wanted)
	if err != nil {
		return nil, err
	}
	rules := p.Rules()
	for i, key := range keys {
		if n, found := slices.BinarySearch(wanted, key); found {
			domain := facts.Domains[schema.KeyDomain(key)]
			decision := rules.Decide(&facts.Claiming, domain, facts.Accounts[n], "")
			if reason, overlapping := rules.Elsewhere(&facts.Claiming, domain); reason != "" {
				answers[i].Elsewhere = cmp.Or(overlapping, schema.KeyDomain(key))
			}
			answers[i].Eligible = decision.Outcome == schema.Ready
			answers[i].Type, answers[i].Warnings = decision.Type, decision.Warnings
			answers[i].Reasons = append(answers[i].Reasons, decision.Reasons...)
		}
	}
	return answers, nil
}

// EligibleUser is an eligible user as JSON shows one.
type EligibleUser struct {
	Email        string           `json:"email"`
	Organization string           `json:"organization"` // by id
	Status       schema.Status    `json:"status"`
	ClaimType    schema.ClaimType `json:"claim_type"`
}

// EligibleList is the first users that may be claimed now, and how many there are.
type EligibleList struct {
	Total int            `json:"total"`
	Users []EligibleUser `json:"users"`
}

// Stands tells how far each domain is that the organization has verified or claimed, by name.
func (p *People) Stands(ctx context.Context, organization string) ([]store.Stand, error) {
	stands, err := p.Store.Stands(ctx, p.Rules(), organization)
	if err != nil {
		return nil, fmt.Errorf("count the accounts by domain: %w", err)
	}
	return stands, nil
}

// ListEligible lists the first users that may be claimed now, at most limit of them, and counts all.
func (p *People) ListEligible(ctx context.Context, organization string, selection Selection, limit int) (list EligibleList, err error) {
	users, more, err := p.FirstEligible(ctx, organization, selection, limit)
	if err != nil {
		return list, err
	}
	list = EligibleList{Total: len(users), Users: make([]EligibleUser, len(users))}
	for i, e := range users {
		list.Users[i] = EligibleUser{e.User.Email, e.Organization.ID, e.User.Status, e.Type}
	}
	if more {
		list.Total, err = p.CountEligible(ctx, organization, selection)
	}
	return list, err
}

// FirstEligible lists the first users that may be claimed now, at most limit of them, and reports whether
// there are more.
func (p *People) FirstEligible(ctx context.Context, organization string, selection Selection, limit int) (users []Eligible, more bool, err error) {
	err = p.EachEligible(ctx, organization, selection, func(e *Eligible) error {
		if len(users) == limit {
			return errEnough
		}
		users = append(users, *e)
		return nil
	})
	if errors.Is(err, errEnough) {
		return users, true, nil
	}
	return users, false, err
}

// CountEligible counts the users that may be claimed now.
func (p *People) CountEligible(ctx context.Context, organization string, selection Selection) (int, error) {
	n, err := p.Store.CountEligible(ctx, p.Rules(), organization, selection)
	if err != nil {
		return 0, fmt.Errorf("count the eligible users: %w", err)
	}
	return n, nil
}

// Services returns the names of the services of an organization, sorted.
func (p *People) Services(ctx context.Context, organization string) ([]string, error) {
	licenses, err := p.Store.Licenses(ctx, p.Rules(), organization)
	if err != nil {
		return nil, err
	}
	return claim.NewLicenses(licenses).Services(), nil
}
