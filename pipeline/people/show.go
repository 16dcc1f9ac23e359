package people

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// Show returns all about one address, as an organization sees it. Refused with CodeUserNotFound.
func (p *People) Show(ctx context.Context, organization, email string) (view schema.AccountView, err error) {
	email = strings.TrimSpace(email)
	key, problem := schema.ParseAddress(email)
	if problem != "" {
		return view, schema.Refuse(schema.CodeUserNotFound, "No account has the address %s: it is not a valid one.", schema.Quote(email)).
			WithFix("Write it as name@example.com.")
	}
	rules := p.Rules()
	v, err := p.oneView(ctx, rules, organization, key)
	if err != nil {
		return view, fmt.Errorf("look up an account: %w", err)
	}
	if v.Account.ID == 0 {
		return view, refusal(schema.CodeUserNotFound, email, key)
	}
	return viewOf(rules, &v), nil
}

// errFound ends a listing in which what was looked for is found.
var errFound = errors.New("found")

// oneView is the account with an address key as it stands now. An account of the organization itself is looked up among its
// members: only there is the claim that brought it, which has closed.
func (p *People) oneView(ctx context.Context, rules claim.Rules, organization, key string) (claim.View, error) {
	facts, err := p.Store.Facts(ctx, organization, []string{key})
	if err != nil {
		return claim.View{}, err
	}
	v := claim.View{Key: key, Organization: &facts.Claiming, Account: rules.AsOf(facts.Accounts[0]), Domain: facts.Domains[schema.KeyDomain(key)]}
	if v.Account.ID == 0 || v.Account.User.OrganizationID != organization {
		return v, nil
	}
	err = p.Store.Members(ctx, rules, organization, func(views []claim.View) error {
		i, found := slices.BinarySearchFunc(views, key, func(v claim.View, key string) int { return strings.Compare(v.Key, key) })
		if found {
			v = views[i]
			return errFound
		}
		return nil
	})
	if errors.Is(err, errFound) {
		err = nil
	}
	return v, err
}

func viewOf(rules claim.Rules, v *claim.View) schema.AccountView {
	a := &v.Account
	view := schema.AccountView{
		Email: a.User.Email, Name: a.User.FullName(), Status: a.User.Status, Organization: a.User.OrganizationID, Edits: schema.Edits{},
		Licenses: []string{}, Mails: []schema.MailView{}, Events: []schema.EventView{},
	}
	l, listed := rules.List(v)
	if !listed {
		return view
	}
	view.Email, view.Name, view.Status, view.Licenses = l.Email, l.Name, l.Status, l.Licenses
	made := a.Claim
	if made == nil {
		made = v.Closed
	}
	if made != nil && l.ClaimType != "" {
		view.Claim = claimView(made, &l)
		if made.OrganizationID == v.Organization.ID {
			view.Edits = editsOf(a.User.Profile, made.Edits)
		}
		view.Events = events(made)
	}
	return view
}

func claimView(made *schema.Claim, l *schema.Listing) *schema.ClaimView {
	shown := &schema.ClaimView{
		Type: made.Type, ClaimedAt: made.ClaimedAt, DaysLeft: l.DaysLeft, Retractable: l.Retractable, RetractReason: l.RetractReason,
		ClosedAt: schema.Moment(made.ClosedAt),
	}
	if made.ImportID != 0 {
		id := strconv.FormatInt(made.ImportID, 10)
		shown.Import = &id
	}
	if made.Line != 0 {
		shown.Line = &made.Line
	}
	switch choice := schema.Choice(made.ClosedBy); choice {
	case schema.ChangeEmail, schema.TransferContent, schema.DeleteAccount:
		shown.Choice = &choice
	}
	return shown
}

// editsOf is what a claim changes of an account, by column of the users file.
func editsOf(own, edits schema.Profile) schema.Edits {
	changed := schema.Edits{}
	before, after := reflect.ValueOf(own), reflect.ValueOf(own.Edits(edits))
	for i, field := range schema.RowFields {
		value := after.FieldByName(field)
		if value.IsValid() && value.String() != "" {
			changed[schema.Columns[i]] = [2]string{before.FieldByName(field).String(), value.String()}
		}
	}
	return changed
}

// events is what happened under a claim, in the order of time.
func events(made *schema.Claim) []schema.EventView {
	var list []schema.EventView
	for _, e := range []struct {
		at   time.Time
		what string
	}{
		{made.ClaimedAt, "claimed"}, {made.SignedInAt, "signed_in"}, {made.InactiveSince, string(schema.Inactive)}, {made.ClosedAt, string(made.ClosedBy)},
	} {
		if !e.at.IsZero() {
			list = append(list, schema.EventView{At: e.at, What: e.what})
		}
	}
	slices.SortStableFunc(list, func(a, b schema.EventView) int { return a.At.Compare(b.At) })
	return list
}
