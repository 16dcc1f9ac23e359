package claim

import (
	"github.com/claimline/claimline/schema"
)

// NewAddress is the address an account is to get, and what is known of it.
type NewAddress struct {
	Email  string // as written
	Key    string // empty: it is not a valid address
	Taken  bool   // an account has it
	Domain Domain // as the claiming organization sees it
}

// Choose returns the effect of the owner's choice, or why it is refused (R20). It closes the claim, activates
// the account, and counts as signing in. to is looked at for schema.ChangeEmail only.
func (r Rules) Choose(v *View, choice schema.Choice, to NewAddress) (Effect, schema.Code) {
	if refused := v.whyNotOpen(); refused != "" {
		return Effect{}, refused
	}
	made := closed(v.Account.Claim, r.Now, schema.Closing(choice))
	noteSignIn(made, r.Now)
	effect := Effect{Before: v.Account, At: r.Now, Claim: made, Pinned: true, Mails: joiningMails(&v.Account)}
	switch choice {
	case schema.ChangeEmail:
		if refused := v.checkAddress(to); refused != "" {
			return Effect{}, refused
		}
		old := v.Account.User
		old.Email = to.Email
		if !old.InactiveSince.IsZero() { // it has the whole time again, lest it vanish with what its owner wanted to keep
			old.InactiveSince = r.Now
		}
		effect.User, effect.Key, effect.Former = &old, to.Key, v.Former
		effect.Joins = v.joining()
	case schema.DeleteAccount:
		effect.Gone = true
		effect.Joins = v.joining()
	case schema.TransferContent:
		if made.Type != schema.Delayed {
			return Effect{}, schema.CodeChoiceNotAvailable
		}
		moved := moved(&v.Account)
		moved.Status = schema.Active
		effect.User, effect.Moves = &moved, true
	default:
		return Effect{}, schema.CodeChoiceNotAvailable
	}
	return effect, ""
}

// checkAddress says why an account cannot get an address.
func (v *View) checkAddress(to NewAddress) schema.Code {
	holder := to.Domain.ClaimedBy
	switch {
	case to.Key == "":
		return schema.CodeEmailInvalid
	case to.Key == v.Key:
		return schema.CodeEmailUnchanged
	case to.Taken:
		return schema.CodeEmailTaken
	case to.Domain.Ours, holder != "" && holder != v.Account.User.OrganizationID:
		return schema.CodeEmailDomainTaken
	}
	return ""
}

// joining returns the account without content that joins the claiming organization in place of the old one.
func (v *View) joining() *schema.User {
	old, made := &v.Account.User, v.Account.Claim
	return &schema.User{
		Email: old.Email, OrganizationID: made.OrganizationID, Status: schema.Active, Services: made.Services,
		Profile: old.Edit(made.Edits),
	}
}

// SignIn returns the effect of the owner signing in without choosing, or why it is refused.
func (r Rules) SignIn(v *View) (Effect, schema.Code) {
	if refused := v.whyNotOpen(); refused != "" {
		return Effect{}, refused
	}
	made := *v.Account.Claim
	if made.Status == schema.Inactive && !made.InactiveSince.IsZero() { // R23
		return Effect{}, schema.CodeUserInactive
	}
	noteSignIn(&made, r.Now)
	return Effect{Before: v.Account, At: r.Now, Claim: &made}, ""
}

// Remind returns the effect of reminding the owner of a delayed claim, or why it is refused.
func (r Rules) Remind(v *View) (Effect, schema.Code) {
	if refused := v.whyNotOpen(); refused != "" {
		return Effect{}, refused
	}
	if v.Account.Claim.Type != schema.Delayed {
		return Effect{}, schema.CodeNotDelayed
	}
	return Effect{Before: v.Account, At: r.Now, Mails: []Mail{MailReminder}}, ""
}
