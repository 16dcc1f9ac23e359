package schema

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

func TestFold(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "Åsa Öberg": "asa oberg", "A\u030Asa": "asa", "O'Neil": "o'neil", "Đorđe": "đorđe", "Ωmega": "ωmega", "ﬁ": "fi", "ª": "a", "a\xff": "a\uFFFD",
	} {
		assert.Equal(t, want, Fold(text), text)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		assert.Equal(t, fold(text), Fold(text))
	})
}
