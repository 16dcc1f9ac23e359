package api

import (
	"context"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/people"
	"github.com/claimline/claimline/pipeline/usersfile"
	"github.com/claimline/claimline/schema"
)

// byHand returns who is to be claimed by hand, and the services for each (see R14).
func (a *API) byHand(ctx context.Context, in *ClaimRequest) (persons []usersfile.Person, services []string, err error) {
	body := &in.Body
	persons = usersfile.ParsePeople(body.Addresses...)
	selection, err := selectionOf(body.Domain, body.Type)
	switch {
	case err != nil:
		return nil, nil, err
	case body.Listed && len(persons) > 0:
		return nil, nil, schema.Refuse(schema.CodeRequestInvalid, "listed claims the users that are listed, and takes no addresses.")
	case !body.Listed && selection != (people.Selection{}):
		return nil, nil, schema.Refuse(schema.CodeRequestInvalid, "domain and type narrow what listed claims.")
	case !body.Listed && len(persons) == 0:
		return nil, nil, schema.Refuse(schema.CodeRequestInvalid, "There is nobody to claim.").WithFix(`Name addresses, or say "listed": true.`)
	}
	if err := claim.CheckByHand(len(persons), a.Flow.Policy); err != nil {
		return nil, nil, err
	}
	if services, err = a.People.FindServices(ctx, organization(ctx), body.Services, ""); err != nil {
		return nil, nil, err
	}
	if body.Listed {
		persons, err = a.People.Listed(ctx, organization(ctx), selection)
		if err == nil && len(persons) == 0 {
			err = &schema.Error{Code: schema.CodeNobodyEligible}
		}
	}
	return persons, services, err
}

// selectionOf reads what narrows a list of eligible users.
func selectionOf(domain, claimType string) (s people.Selection, err error) {
	s.Type = schema.ClaimType(claimType)
	if domain != "" {
		s.Domain, err = domainKey(domain)
	}
	return s, err
}

func domainKey(domain string) (string, error) {
	key, ok := schema.DomainKey(domain)
	if !ok {
		return "", schema.Refuse(schema.CodeDomainInvalid, "%s is not a domain name.", schema.Quote(domain))
	}
	return key, nil
}
