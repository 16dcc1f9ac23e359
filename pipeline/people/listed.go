package people

import (
	"context"
	"slices"
	"strings"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// Listed returns the users that are listed as eligible, to be claimed by hand. Refused with
// CodeTooManyAddresses where not all are listed (see R14), and with CodeDirectorySyncEnabled (see R10).
func (p *People) Listed(ctx context.Context, organization string, selection Selection) ([]usersfile.Person, error) {
	claiming, err := p.Store.Organization(ctx, organization)
	if err != nil {
		return nil, err
	}
	if err := claim.CheckMayClaim(&claiming); err != nil {
		return nil, err
	}
	list, more, err := p.FirstEligible(ctx, organization, selection, p.Policy.ScreenLimit)
	if err != nil {
		return nil, err
	}
	if more {
		total, err := p.CountEligible(ctx, organization, selection)
		if err != nil {
			return nil, err
		}
		return nil, claim.CheckListed(max(total, len(list)+1), p.Policy)
	}
	persons := make([]usersfile.Person, len(list))
	for i, e := range list {
		persons[i].Email = e.User.Email
	}
	return persons, nil
}

// FindServices finds services of an organization by name, whatever the case. Refused with CodeServiceUnknown;
// the fix has a prefix before a name, as in --service.
func (p *People) FindServices(ctx context.Context, organization string, names []string, prefix string) ([]string, error) {
	if len(names) == 0 {
		return nil, nil
	}
	known, err := p.Services(ctx, organization)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, name := range names {
		i := slices.IndexFunc(known, func(service string) bool { return schema.SameHeader(service, name) })
		if i < 0 {
			refused := schema.Refuse(schema.CodeServiceUnknown, "Your organization has no service %q.", name)
			if near, ok := schema.Nearest([]string{name}, known); ok {
				return nil, refused.WithFix("Did you mean %s%q?", prefix, near)
			}
			if len(known) == 0 {
				return nil, refused.WithFix("Name no service: there are none to assign.")
			}
			return nil, refused.WithFix("The services are: %s.", strings.Join(known, ", "))
		}
		if !slices.Contains(found, known[i]) {
			found = append(found, known[i])
		}
	}
	return found, nil
}
