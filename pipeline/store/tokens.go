package store

import (
	"context"
	"errors"
	"time"

	"github.com/claimline/claimline/schema"
)

// CreateToken keeps a new token of an organization, of which only a digest is known here. Refused with
// CodeOrganizationUnknown, and with CodeTokenExists where there is one of its name.
func (s *Store) CreateToken(ctx context.Context, t schema.Token, digest []byte) error {
	err := s.write(ctx, "create the token", func(tx Tx) error {
		if _, err := organization(ctx, tx, t.OrganizationID); err != nil {
			return err
		}
		return tx.InsertToken(ctx, t, digest)
	})
	if errors.Is(err, ErrTwice) {
		return schema.Refuse(schema.CodeTokenExists, "There is a token %q already.", t.Name)
	}
	return err
}

// Tokens lists the tokens of an organization, expired ones too, by name. Refused with
// CodeOrganizationUnknown.
func (s *Store) Tokens(ctx context.Context, id string) (list []schema.Token, err error) {
	err = s.read(ctx, "list tokens", func(tx Tx) error {
		if _, err := organization(ctx, tx, id); err != nil {
			return err
		}
		list, err = tx.ListTokens(ctx, id)
		return err
	})
	return list, err
}

// AnyTokens reports whether some organization has a token.
func (s *Store) AnyTokens(ctx context.Context) (some bool, err error) {
	err = s.read(ctx, "look for tokens", func(tx Tx) error {
		some, err = tx.AnyTokens(ctx)
		return err
	})
	return some, err
}

// FindToken finds the token with this digest, expired or not. Refused with CodeTokenInvalid.
func (s *Store) FindToken(ctx context.Context, digest []byte) (t schema.Token, err error) {
	err = s.read(ctx, "find the token", func(tx Tx) error {
		var found bool
		if t, found, err = tx.FindToken(ctx, digest); err == nil && !found {
			err = &schema.Error{Code: schema.CodeTokenInvalid}
		}
		return err
	})
	return t, err
}

// RevokeToken deletes a token of an organization. Refused with CodeOrganizationUnknown, CodeTokenNotFound.
func (s *Store) RevokeToken(ctx context.Context, id, name string) error {
	return s.write(ctx, "revoke the token", func(tx Tx) error {
		if _, err := organization(ctx, tx, id); err != nil {
			return err
		}
		found, err := tx.DeleteToken(ctx, id, name)
		if err == nil && !found {
			err = schema.Refuse(schema.CodeTokenNotFound, "There is no token %q.", name)
		}
		return err
	})
}

// TouchTokens notes when tokens, by their ids, were used last. Those that are gone are left out.
func (s *Store) TouchTokens(ctx context.Context, used map[int64]time.Time) error {
	if len(used) == 0 {
		return nil
	}
	return s.write(ctx, "note the use of tokens", func(tx Tx) error { return tx.TouchTokens(ctx, used) })
}
