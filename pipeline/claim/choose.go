package claim

import (
	"time"

	"github.com/claimline/claimline/schema"
)

// NewAddress is the address an account is to get, and what is known of it.
type NewAddress struct {
	Email  string // as written
	Key    string // empty: it is not a valid address
	Taken  bool   // an account has it
	Domain Domain // as the claiming organization sees it
}

// Choose is what the owner's choice does, or why it cannot be made (R20). It closes the claim, activates the account, and
// counts as signing in. to is looked at for schema.ChangeEmail only.
func (c Clock) Choose(k *Case, choice schema.Choice, to NewAddress) (Effect, schema.Code) {
	if refused := k.whyNotOpen(); refused != "" {
		return Effect{}, refused
	}
	made := c.close(k.Account.Claim, schema.Closing(choice))
	noteSignIn(made, c.Now)
	effect := Effect{Claim: made}
	switch choice {
	case schema.ChangeEmail:
		if refused := k.checkAddress(to); refused != "" {
			return Effect{}, refused
		}
		old := k.Account.User
		old.Email = to.Email
		if !old.InactiveSince.IsZero() { // it has the whole time again, lest it vanish with what its owner wanted to keep
			old.InactiveSince = c.Now
		}
		effect.User, effect.Key, effect.Former = &old, to.Key, k.Former
		effect.Joins = k.joining()
	case schema.DeleteAccount:
		effect.Gone = true
		effect.Joins = k.joining()
	case schema.TransferContent:
		if made.Type != schema.Delayed {
			return Effect{}, schema.CodeChoiceNotAvailable
		}
		moved := c.completed(k.Account).User
		moved.Status, moved.InactiveSince = schema.Active, time.Time{}
		effect.User = &moved
	default:
		return Effect{}, schema.CodeChoiceNotAvailable
	}
	return effect, ""
}

// checkAddress says why an account cannot get an address.
func (k *Case) checkAddress(to NewAddress) schema.Code {
	holder := to.Domain.ClaimedBy
	switch {
	case to.Key == "":
		return schema.CodeEmailInvalid
	case to.Key == k.Key:
		return schema.CodeEmailUnchanged
	case to.Taken:
		return schema.CodeEmailTaken
	case to.Domain.Ours, holder != "" && holder != k.Account.User.OrganizationID:
		return schema.CodeEmailDomainTaken
	}
	return ""
}

// joining is the account without content that joins the claiming organization in place of the old one.
func (k *Case) joining() *schema.User {
	old, made := &k.Account.User, k.Account.Claim
	return &schema.User{
		Email: old.Email, OrganizationID: made.OrganizationID, Status: schema.Active, Services: made.Services,
		Profile: old.Edit(made.Edits),
	}
}

// SignIn is what it does that the owner signs in, without choosing; or why that cannot be.
func (c Clock) SignIn(k *Case) (Effect, schema.Code) {
	if refused := k.whyNotOpen(); refused != "" {
		return Effect{}, refused
	}
	made := *k.Account.Claim
	if made.Status == schema.Inactive && !made.InactiveSince.IsZero() { // R23
		return Effect{}, schema.CodeUserInactive
	}
	noteSignIn(&made, c.Now)
	return Effect{Claim: &made}, ""
}

// Remind is what reminding the owner of a delayed claim does, or why that cannot be.
func (c Clock) Remind(k *Case) (Effect, schema.Code) {
	if refused := k.whyNotOpen(); refused != "" {
		return Effect{}, refused
	}
	if k.Account.Claim.Type != schema.Delayed {
		return Effect{}, schema.CodeNotDelayed
	}
	return Effect{Remind: true}, ""
}
