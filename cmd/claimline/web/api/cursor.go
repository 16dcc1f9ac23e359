package api

import (
	"encoding/base64"
	"strconv"
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

// readNumber returns the number that a cursor holds; 0 where there is no cursor. Refused with
// CodeRequestInvalid.
func readNumber(text string) (int64, error) {
	parts, err := readCursor(text, 1)
	if err != nil || text == "" {
		return 0, err
	}
	number, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil || number < 1 {
		return 0, badCursor()
	}
	return number, nil
}

func badCursor() error {
	return schema.Refuse(schema.CodeRequestInvalid, "after is not the next of a page.").WithFix("Begin at the first page, without after.")
}
