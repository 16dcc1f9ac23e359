package people

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// Show returns all about one address, as an organization sees it. Refused with CodeUserNotFound.
func (p *People) Show(ctx context.Context, organization, email string) (schema.AccountView, error) {
	f, err := p.find(ctx, organization, email)
	if err != nil {
		return schema.AccountView{}, err
	}
	return f.show(), nil
}

// Member is all about one user whom an organization lists.
type Member struct {
	schema.AccountView
	Closes   bool        // removing it would close the claim, and not delete the account
	NoRemove schema.Code // why it cannot be removed; empty: it can
}

// Member returns all about one user. Refused with CodeUserNotFound where the organization does not list it.
func (p *People) Member(ctx context.Context, organization, email string) (Member, error) {
	f, err := p.find(ctx, organization, email)
	if err != nil {
		return Member{}, err
	}
	v := &f.history.View
	if _, listed := f.rules.List(v); !listed {
		return Member{}, refusal(schema.CodeUserNotFound, f.email, f.key)
	}
	effect, refused := f.rules.Remove(v)
	return Member{AccountView: f.show(), Closes: !effect.Gone, NoRemove: refused}, nil
}

// found is an account that was looked up.
type found struct {
	rules      claim.Rules
	email, key string
	history    store.History
}

// find looks one account up. Refused with CodeUserNotFound.
func (p *People) find(ctx context.Context, organization, email string) (f found, err error) {
	f.rules, f.email = p.Rules(), strings.TrimSpace(email)
	if f.key, err = accountKey(email); err != nil {
		return f, err
	}
	if f.history, err = p.Store.History(ctx, f.rules, organization, f.key); err != nil {
		return f, fmt.Errorf("look up an account: %w", err)
	}
	if f.history.View.Account.ID == 0 {
		return f, refusal(schema.CodeUserNotFound, f.email, f.key)
	}
	return f, nil
}

func (f *found) show() schema.AccountView {
	v := &f.history.View
	view := viewOf(f.rules, v)
	view.Events = events(v, f.history.Closed)
	for _, mail := range f.history.Mails {
		view.Mails = append(view.Mails, schema.MailView{Kind: string(mail.Kind), State: string(mail.State), At: cmp.Or(mail.SentAt, mail.WrittenAt)})
	}
	return view
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

// editsOf returns what a claim changes of an account, by column of the users file.
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

// events returns what happened to an account under claims of the organization, open and closed, and under the
// open one of another, in the order of time.
func events(v *claim.View, closed []store.ClosedClaim) []schema.EventView {
	list := []schema.EventView{}
	add := func(at time.Time, what string) {
		if !at.IsZero() {
			list = append(list, schema.EventView{At: at, What: what})
		}
	}
	for _, c := range closed {
		add(c.ClaimedAt, "claimed")
		add(c.SignedInAt, "signed_in")
		add(c.ClosedAt, string(c.ClosedBy))
	}
	made, own := v.Account.Claim, v.Account.User.OrganizationID == v.Organization.ID
	if made == nil && v.Closed != nil && !slices.ContainsFunc(closed, func(c store.ClosedClaim) bool { return c.ClosedAt.Equal(v.Closed.ClosedAt) }) {
		made, own = v.Closed, false // by time, though that is not written
	}
	if made != nil && (own || made.OrganizationID == v.Organization.ID) {
		add(made.ClaimedAt, "claimed")
		add(made.SignedInAt, "signed_in")
		add(made.InactiveSince, string(schema.Inactive))
		add(made.ClosedAt, string(made.ClosedBy))
	}
	slices.SortStableFunc(list, func(a, b schema.EventView) int { return a.At.Compare(b.At) })
	return list
}
