package schema

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What administrators are told is short: no sentence of 25 words or more, and each ends as a sentence does.
func TestWhatUsersAreToldIsShort(t *testing.T) {
	sentenceEnd := regexp.MustCompile(`[.?!:;]( |$)`)
	for code, told := range codes {
		for _, text := range []string{code.Message("detail"), told.fix} {
			assert.Regexp(t, `^[A-Z+].*[.?]$`, text, code)
			for _, sentence := range sentenceEnd.Split(text, -1) {
				assert.Less(t, len(strings.Fields(sentence)), 25, "%s: %s", code, sentence)
			}
		}
	}
}
