package people

import (
	"context"
	"fmt"
	"strings"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// Decide makes the owner's choice about a claimed account (see R20); newEmail is for schema.ChangeEmail. The
// organization, where it is not blank, must be the one that made the claim. Refused as claim.Rules.Choose
// says, and with CodeUserNotFound, CodeNotClaimed or CodeNotClaimingOrg; then nothing has changed.
func (p *People) Decide(ctx context.Context, organization, email string, choice schema.Choice, newEmail string) (schema.Changed, error) {
	to := claim.NewAddress{Email: strings.TrimSpace(newEmail)}
	if choice == schema.ChangeEmail {
		to.Key, _ = schema.ParseAddress(to.Email)
	}
	return p.change(ctx, organization, email, to, func(rules claim.Rules, v *claim.View, to claim.NewAddress) (claim.Effect, schema.Changed, schema.Code) {
		effect, refused := rules.Choose(v, choice, to)
		return effect, schema.Changed{Email: v.Account.User.Email, Status: schema.Active, Choice: choice}, refused
	})
}

// SignIn notes that the owner of a claimed account has signed in without choosing (see R22). Refused with
// CodeUserNotFound, CodeNotClaimed, CodeNotClaimingOrg or CodeUserInactive.
func (p *People) SignIn(ctx context.Context, organization, email string) (schema.Changed, error) {
	return p.change(ctx, organization, email, claim.NewAddress{}, func(rules claim.Rules, v *claim.View, _ claim.NewAddress) (claim.Effect, schema.Changed, schema.Code) {
		effect, refused := rules.SignIn(v)
		listing, _ := rules.List(v)
		return effect, schema.Changed{Email: v.Account.User.Email, Status: listing.Status}, refused
	})
}

// Remove removes a member of the organization, or closes its immediate claim (see R15, R16, R23). Refused
// with CodeUserNotFound, CodeNotMember, CodeClaimPending or CodeClaimedElsewhere.
func (p *People) Remove(ctx context.Context, organization, email string) (schema.Changed, error) {
	return p.change(ctx, organization, email, claim.NewAddress{}, func(rules claim.Rules, v *claim.View, _ claim.NewAddress) (claim.Effect, schema.Changed, schema.Code) {
		effect, refused := rules.Remove(v)
		return effect, schema.Changed{Email: v.Account.User.Email, Status: schema.StatusRemoved}, refused
	})
}

// MayRemove says what Remove would do, and changes nothing: whether it would close an open claim, and not
// delete the account. Refused as Remove is.
func (p *People) MayRemove(ctx context.Context, organization, email string) (closesClaim bool, err error) {
	f, err := p.find(ctx, organization, email)
	if err != nil {
		return false, err
	}
	effect, refused := f.rules.Remove(&f.history.View)
	if refused != "" {
		return false, refusal(refused, f.email, f.key)
	}
	return !effect.Gone, nil
}

// Remind has the owner of a delayed claim mailed again. Refused with CodeUserNotFound, CodeNotClaimed,
// CodeNotClaimingOrg or CodeNotDelayed.
func (p *People) Remind(ctx context.Context, organization, email string) error {
	_, err := p.change(ctx, organization, email, claim.NewAddress{}, func(rules claim.Rules, v *claim.View, _ claim.NewAddress) (claim.Effect, schema.Changed, schema.Code) {
		effect, refused := rules.Remind(v)
		return effect, schema.Changed{}, refused
	})
	return err
}

// Retract takes back the organization's claim on one account. Refused as claim.Rules.Retract says.
func (p *People) Retract(ctx context.Context, organization, email string) error {
	_, err := p.change(ctx, organization, email, claim.NewAddress{}, func(rules claim.Rules, v *claim.View, _ claim.NewAddress) (claim.Effect, schema.Changed, schema.Code) {
		if refused := rules.Retract(v); refused != "" {
			return claim.Effect{}, schema.Changed{}, refused
		}
		return rules.Retracted(v), schema.Changed{}, ""
	})
	return err
}

// decision is what a rule says of one account.
type decision func(rules claim.Rules, v *claim.View, to claim.NewAddress) (claim.Effect, schema.Changed, schema.Code)

// change lets decide change the account with this address, in one transaction.
func (p *People) change(ctx context.Context, organization, email string, to claim.NewAddress, decide decision) (changed schema.Changed, err error) {
	email = strings.TrimSpace(email)
	key, err := accountKey(email)
	if err != nil {
		return changed, err
	}
	keys := []string{key}
	if to.Key != "" && to.Key != key {
		keys = append(keys, to.Key)
	}
	rules := p.Rules()
	err = p.Store.Change(ctx, rules, organization, keys, func(views []claim.View) ([]claim.Effect, error) {
		if len(views) > 1 {
			to.Taken, to.Domain = views[1].Account.ID != 0, views[1].Domain
		}
		effect, after, refused := decide(rules, &views[0], to)
		if refused != "" {
			return nil, refusal(refused, email, key)
		}
		changed = after
		return []claim.Effect{effect}, nil
	})
	if err != nil {
		return schema.Changed{}, fmt.Errorf("change an account: %w", err)
	}
	return changed, nil
}

// accountKey returns the address key of an account's address. Refused with CodeUserNotFound.
func accountKey(email string) (string, error) {
	email = strings.TrimSpace(email)
	key, problem := schema.ParseAddress(email)
	if problem != "" {
		return "", schema.Refuse(schema.CodeUserNotFound, "No account has the address %s: it is not a valid one.", schema.Quote(email)).
			WithFix("Write it as name@example.com.")
	}
	return key, nil
}

// refusal returns a refusal about one account, named as it was written, with the commands to run where they
// are known.
func refusal(code schema.Code, email, key string) error {
	refused := schema.Refuse(code, "%s: %s", schema.Shorten(email), code.Wrong(""))
	switch code {
	case schema.CodeDomainClaimed:
		return refused.WithFix("%s", ReleaseAndRetract(schema.KeyDomain(key), email))
	case schema.CodeClaimPending:
		return refused.WithFix("Remind the user: claimline remind %s. Or wait until the claim completes by itself.", email)
	case schema.CodeUserNotFound:
		return refused.WithFix("Check the spelling, or list the users: claimline users.")
	case schema.CodeClaimedElsewhere:
		return refused.WithFix("Wait until that claim is closed or retracted; the status then follows by itself.")
	}
	return refused
}

// ReleaseAndRetract returns how to retract where the claimed domain is all that is in the way (see R22): what
// follows the command retract is what is to be retracted.
func ReleaseAndRetract(domain, what string) schema.Text {
	return schema.Say("Run these three: claimline domain release %s; claimline retract %s; claimline domain claim %s.", domain, what, domain)
}
