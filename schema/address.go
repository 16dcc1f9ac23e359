package schema

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// MaxAddressBytes and maxLocalBytes are the length limits of an address and of what stands before its @.
const (
	MaxAddressBytes = 254
	maxLocalBytes   = 64
)

// ParseAddress checks an address that has been trimmed and returns its address key: NFC, lower case, the
// domain in ASCII form. Two addresses are the same exactly when their keys are. The problem is empty, or
// CodeEmailMissing, CodeEmailTooLong or CodeEmailInvalid.
func ParseAddress(s string) (key string, problem Code) {
	switch {
	case s == "":
		return "", CodeEmailMissing
	case len(s) > MaxAddressBytes:
		return "", CodeEmailTooLong
	}
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at > maxLocalBytes {
		return "", CodeEmailInvalid
	}
	if ok, plain := plainAddress(s, at); plain {
		if !ok {
			return "", CodeEmailInvalid
		}
		return strings.ToLower(s), ""
	}
	return parseUnicodeAddress(s, at)
}

// KeyDomain returns the domain of an address key.
func KeyDomain(key string) string { return key[strings.LastIndexByte(key, '@')+1:] }

// DomainKey checks a domain and returns its ASCII form in lower case; ok is false unless it has at least two
// labels and IDNA lookup accepts it.
func DomainKey(domain string) (key string, ok bool) {
	if strings.ContainsRune(domain, utf8.RuneError) { // undecodable bytes, which IDNA takes for a symbol
		return "", false
	}
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil {
		return "", false
	}
	labels := strings.Split(ascii, ".")
	return ascii, len(labels) >= 2 && !slices.Contains(labels, "")
}

func parseUnicodeAddress(s string, at int) (key string, problem Code) {
	if !utf8.ValidString(s) {
		return "", CodeEmailInvalid
	}
	local := norm.NFC.String(s[:at])
	if !dotAtom(local) {
		return "", CodeEmailInvalid
	}
	domain, ok := DomainKey(s[at+1:])
	if !ok {
		return "", CodeEmailInvalid
	}
	return norm.NFC.String(strings.ToLower(local)) + "@" + domain, ""
}

func dotAtom(local string) bool {
	previous := '.'
	for _, r := range local {
		switch {
		case r == '.':
			if previous == '.' {
				return false
			}
		case r < utf8.RuneSelf:
			if !atext[r] {
				return false
			}
		case r == utf8.RuneError || !unicode.In(r, unicode.L, unicode.M, unicode.N):
			return false
		}
		previous = r
	}
	return previous != '.'
}

// plainAddress takes the fast path: it decides addresses that are ASCII and have no label that IDNA would
// look into. For all others plain is false, and ok means nothing.
func plainAddress(s string, at int) (ok, plain bool) {
	previous := byte('.')
	ok = true
	for i := range at {
		c := s[i]
		if c >= utf8.RuneSelf {
			return false, false
		}
		if c == '.' && previous == '.' || c != '.' && !atext[c] {
			ok = false
		}
		previous = c
	}
	if previous == '.' {
		ok = false
	}
	labels, start := 1, at+1
	for i := at + 1; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= utf8.RuneSelf:
			return false, false
		case c == '.':
			if i == start || s[i-1] == '-' {
				ok = false
			}
			labels++
			start = i + 1
		case c == '-':
			if i == start {
				ok = false
			} else if i-start == 3 && s[i-1] == '-' {
				return false, false // xn--, and what looks like it
			}
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		default:
			ok = false
		}
	}
	if labels < 2 || start >= len(s) || s[len(s)-1] == '-' {
		ok = false
	}
	return ok, true
}

// atext is the characters of an atom in RFC 5322.
var atext = func() (set [utf8.RuneSelf]bool) {
	for _, c := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~" {
		set[c] = true
	}
	return set
}()
