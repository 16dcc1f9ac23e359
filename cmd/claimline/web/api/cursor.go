package api

import (
	"encoding/base64"
	"strings"

	"github.com/claimline/claimline/schema"
)

// A cursor tells where a page ends, in a form that nobody needs to understand.

func cursor(parts ...string) *string {
	text := base64.RawURLEncoding.EncodeToString([]byte(strings.Join(parts, "\n")))
	return &text
}

// readCursor returns the parts of a cursor, which are so many; blank ones where there is no cursor. Refused
// with CodeRequestInvalid.
func readCursor(text string, parts int) ([]string, error) {
	if text == "" {
		return make([]string, parts), nil
	}
	data, err := base64.RawURLEncoding.DecodeString(text)
	list := strings.Split(string(data), "\n")
	if err != nil || len(list) != parts {
		return nil, badCursor()
	}
	return list, nil
}

func badCursor() error {
	return schema.Refuse(schema.CodeRequestInvalid, "after is not the next of a page.").WithFix("Begin at the first page, without after.")
}
