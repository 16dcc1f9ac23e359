package schema

import (
	"encoding/json"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// NewEncoder returns an encoder that writes one JSON value a line, in which no character can steer a
// terminal: control characters (U+0080 to U+009F too) and invisible ones, such as directional overrides, are
// written as escapes. A reader of JSON gets the same text. All JSON that people may see is written by it.
func NewEncoder(to io.Writer) *json.Encoder {
	encoder := json.NewEncoder(harmless{to})
	encoder.SetEscapeHTML(false)
	return encoder
}

// harmless escapes, in JSON that arrives in whole values, what could steer a terminal.
type harmless struct{ to io.Writer }

func (h harmless) Write(p []byte) (int, error) {
	if _, err := h.to.Write(escapeSteering(p)); err != nil {
		return 0, err //nolint:wrapcheck // the encoder's caller says what was written
	}
	return len(p), nil
}

// escapeSteering returns p with steering characters as JSON escapes. They occur in strings only, where an
// escape says the same.
func escapeSteering(p []byte) []byte {
	plain := true
	for _, b := range p {
		if b >= 0x7f {
			plain = false
			break
		}
	}
	if plain { // the encoder has escaped those below 0x20
		return p
	}
	escaped := make([]byte, 0, len(p)+64)
	for i := 0; i < len(p); {
		r, size := utf8.DecodeRune(p[i:])
		switch {
		case r == '\n' || !unicode.In(r, unicode.Cc, unicode.Cf):
			escaped = append(escaped, p[i:i+size]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			escaped = fmt.Appendf(escaped, `\u%04x\u%04x`, high, low)
		default:
			escaped = fmt.Appendf(escaped, `\u%04x`, r)
		}
		i += size
	}
	return escaped
}
