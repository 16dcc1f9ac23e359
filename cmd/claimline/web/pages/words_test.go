package pages

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestValuesAreEscaped(t *testing.T) {
	for _, lang := range languages {
		w := newWords(lang, time.UTC)
		assert.Equal(t, "&lt;b&gt;", string(w.say("%s", "<b>")))
		assert.NotContains(t, string(w.say("%s has claimed your account", `"><script>`)), "<script>")
		assert.Contains(t, string(w.say("%s has claimed your account", w.day(time.Unix(0, 0)))), "<time")
	}
	assert.Equal(t, "12,345", newWords(english, time.UTC).number(12345))
	assert.Equal(t, "12\u00a0345", newWords(swedish, time.UTC).number(12345))
}

func TestLanguages(t *testing.T) {
	for asked, want := range map[string]string{
		"": english, "sv": swedish, "sv-FI,en;q=0.8": swedish, "en,sv": english, "de": english, "de,sv;q=0.2": swedish, "*": english, ";;;": english,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("Accept-Language", asked)
		assert.Equal(t, want, languageOf(r), asked)
		assert.Equal(t, swedish, languageOf(r, "sv-SE"))
		r.Header.Set("Cookie", "language=en")
		assert.Equal(t, english, languageOf(r, "sv-SE"))
	}
}

func TestLocal(t *testing.T) {
	for to, want := range map[string]string{
		"/": "/", "/users?search=%2F%2F": "/users?search=%2F%2F", "": "/", "//x": "/", `/\x`: "/", "https://x": "/", "/\nx": "/", "x": "/",
	} {
		assert.Equal(t, want, local(to), to)
	}
}
