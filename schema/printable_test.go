package schema

import (
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// What a message quotes of a file is short, on one line, and text.
func TestQuote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := string(rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "cell"))
		quoted := Quote(cell)
		require.True(t, utf8.ValidString(quoted))
		require.True(t, ValidText(quoted) || quoted == Printable(quoted))
		require.LessOrEqual(t, utf8.RuneCountInString(quoted), 41*10+2)
	})
}
