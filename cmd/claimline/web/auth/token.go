package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"strings"

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
