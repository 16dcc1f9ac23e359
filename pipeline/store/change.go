package store

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/schema"
)

// Change changes accounts together with their claims, in one transaction. It finds the views of the address
// keys under lock, with what is due of them, and of the licences of the organization, written; calls decide
// with them, in the order of the keys; and writes the effects decide returns. A blank organization stands for
// the one with an open claim on the first address, or the one it belongs to. Two equal keys are not allowed.
// Refused with CodeOrganizationUnknown.
//
// With the effects go licences (see R17), mails (see R18), and tombstones of accounts that are Gone. A claim
// that a choice has closed is from then on the claim of the account that joined, and accounts that it changed
// stay as they are in later loads. decide may be called again after a conflict; its error is returned, and
// nothing is written.
func (s *Store) Change(ctx context.Context, rules claim.Rules, id string, keys []string, decide func([]claim.View) ([]claim.Effect, error)) error {
	const doing = "change accounts"
	var actor string
	err := s.read(ctx, doing, func(tx Tx) (err error) {
		actor, err = asking(ctx, tx, id, keys[0])
		return err
	})
	if err != nil {
		return err
	}
	if actor != "" {
		if _, err := s.settle(ctx, rules, actor); err != nil {
			return err
		}
	}
	return s.write(ctx, doing, func(tx Tx) error {
		if err := tx.LockSettings(ctx, false); err != nil {
			return err
		}
		views, err := due{tx: tx, rules: rules}.views(ctx, id, keys)
		if err != nil {
			return err
		}
		effects, err := decide(views)
		if err != nil {
			return err
		}
		var holders []string
		for i := range effects {
			holders = append(holders, effects[i].Holders()...)
		}
		var list []schema.License
		if len(holders) > 0 {
			if list, err = tx.Licenses(ctx, true, holders...); err != nil {
				return err
			}
		}
		licenses := claim.NewLicenses(list)
		licenses.Follow(effects)
		return writeEffects(ctx, tx, effects, licenses)
	})
}

// asking returns the organization that asks; where none is named, the one with an open claim on the address,
// or the one it belongs to, and none where there is no such account.
func asking(ctx context.Context, tx Tx, id, key string) (string, error) {
	if id != "" {
		_, err := organization(ctx, tx, id)
		return id, err
	}
	found, err := tx.Accounts(ctx, []string{key}, false)
	if err != nil {
		return "", err
	}
	if found[0].Claim != nil {
		return found[0].Claim.OrganizationID, nil
	}
	return found[0].User.OrganizationID, nil
}

// views finds the views of address keys under lock, in the order of the keys, with what is due of them
// written.
func (d due) views(ctx context.Context, id string, keys []string) ([]claim.View, error) {
	actor, err := asking(ctx, d.tx, id, keys[0])
	if err != nil {
		return nil, err
	}
	var o *schema.Organization
	if actor != "" {
		if err := d.writeAny(ctx, actor); err != nil {
			return nil, err
		}
		found, err := organization(ctx, d.tx, actor)
		if err != nil {
			return nil, err
		}
		o = &found
	}
	accounts, err := d.tx.Accounts(ctx, keys, true)
	if err != nil {
		return nil, err
	}
	if _, err := d.writeOf(ctx, accounts); err != nil {
		return nil, err
	}
	found, err := d.tx.Views(ctx, keys)
	if err != nil {
		return nil, err
	}
	byKey := make(map[string]claim.View, len(found))
	for _, v := range found {
		byKey[v.Key] = v
	}
	views := make([]claim.View, len(keys))
	for i, key := range keys {
		views[i] = byKey[key]
		views[i].Key = key
	}
	return views, complete(ctx, d.tx, o, views)
}

// complete fills in who asks, and the domains as that organization sees them, but for what overlaps with
// them.
func complete(ctx context.Context, tx Tx, o *schema.Organization, views []claim.View) error {
	keys := make([]string, len(views))
	for i := range views {
		keys[i] = views[i].Key
	}
	var actor string
	if o != nil {
		actor = o.ID
	}
	seen, err := heldDomains(ctx, tx, actor, domainsOf(keys))
	for i := range views {
		views[i].Organization, views[i].Domain = o, seen[schema.KeyDomain(views[i].Key)]
	}
	return err
}

// writeEffects writes effects that licences have followed, with the licences and the mails.
func writeEffects(ctx context.Context, tx Tx, effects []claim.Effect, licenses *claim.Licenses) error {
	mails := map[mailing][]int64{}
	happening := effects[:0:0]
	for i := range effects {
		e := &effects[i]
		if e.Empty() {
			continue
		}
		if e.Before.ID == 0 {
			return errors.New("an effect on no account")
		}
		if e.Joins != nil {
			e.Joins.ID = "joined-" + rand.Text() // nobody else can have made up the same one
		}
		for _, mail := range e.Mails {
			if mail == claim.MailRetracted {
				sent, found, err := tx.ClaimMail(ctx, e.Before.Claim.ID)
				if err != nil {
					return err
				}
				if !found || !sent.told() { // nobody has told the owner of the claim
					continue
				}
			}
			m := mailing{mail, e.At}
			mails[m] = append(mails[m], e.Before.Claim.ID)
		}
		happening = append(happening, *e)
	}
	if len(happening) == 0 {
		return nil
	}
	if err := tx.WriteEffects(ctx, happening); err != nil {
		return err
	}
	if err := tx.PutHeld(ctx, licenses.Changed()); err != nil {
		return err
	}
	return addMails(ctx, tx, mails)
}
