package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// A token is the prefix and, in base64url, random bytes with their check sum behind them.
const (
	tokenPrefix = "clm_"
	tokenBytes  = 32
	tokenSum    = 4
)

// NewToken returns a token that nobody has had before.
func NewToken() string {
	data := make([]byte, tokenBytes, tokenBytes+tokenSum)
	_, _ = rand.Read(data) // never fails
	data = binary.BigEndian.AppendUint32(data, crc32.ChecksumIEEE(data))
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(data)
}

// Digest returns what is kept of a token. Refused with CodeTokenInvalid where it cannot be one, as after a
// typing error.
func Digest(token string) ([]byte, error) {
	text, found := strings.CutPrefix(token, tokenPrefix)
	data, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if !found || err != nil || len(data) != tokenBytes+tokenSum || crc32.ChecksumIEEE(data[:tokenBytes]) != binary.BigEndian.Uint32(data[tokenBytes:]) {
		return nil, schema.Refuse(schema.CodeTokenInvalid, "The token is not complete, or has a typing error.").
			WithFix("Copy the whole token again: it begins with %s.", tokenPrefix)
	}
	sum := sha256.Sum256([]byte(token))
	return sum[:], nil
}

// Create makes a token, and returns it, which is known to nobody else from then on. Where it has no name it
// gets one of its role and a number. Refused with CodeUsage where the name could be taken for
// another's, or for somebody else, and as store.Store.CreateToken is.
func Create(ctx context.Context, s *store.Store, t schema.Token) (made schema.Token, token string, err error) {
	switch {
	case t.Name == "":
		list, err := s.Tokens(ctx, t.OrganizationID)
		if err != nil {
			return t, "", err
		}
		t.Name = freeName(t.Role, list)
	case !nameAllowed(t.Name):
		return t, "", schema.Refuse(schema.CodeUsage, "%s is no name for a token.", schema.Quote(t.Name)).
			WithFix("Write up to %d letters, digits or signs, without colons and without blanks around, as in nightly.", longestName)
	}
	token = NewToken()
	digest, err := Digest(token)
	if err != nil {
		return t, "", err
	}
	return t, token, s.CreateToken(ctx, t, digest)
}

// longestName is how many characters the name of a token may have.
const longestName = 64

// nameAllowed reports whether a name can be taken for nothing else: for somebody at a terminal, for a
// schedule, or for another token.
func nameAllowed(name string) bool {
	return name == strings.TrimSpace(name) && utf8.RuneCountInString(name) <= longestName && !strings.Contains(name, ":") && schema.Printable(name) == name
}

// freeName returns a name that none of the tokens has.
func freeName(role schema.Role, list []schema.Token) string {
	for n := 1; ; n++ {
		name := fmt.Sprintf("%s-%d", role, n)
		if !slices.ContainsFunc(list, func(t schema.Token) bool { return t.Name == name }) {
			return name
		}
	}
}
