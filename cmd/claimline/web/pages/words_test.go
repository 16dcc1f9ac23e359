package pages

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	catalogue "github.com/claimline/claimline/pipeline/words"
)

func TestValuesAreEscaped(t *testing.T) {
	for _, lang := range catalogue.Languages {
		w := newWords(lang, time.UTC)
		assert.Equal(t, "&lt;b&gt;", string(w.say("%s", "<b>")))
		assert.NotContains(t, string(w.say("%s has claimed your account", `"><script>`)), "<script>")
		assert.Contains(t, string(w.say("%s has claimed your account", w.day(time.Unix(0, 0)))), "<time")
	}
	assert.Equal(t, "12,345", newWords(catalogue.English, time.UTC).number(12345))
	assert.Equal(t, "12\u00a0345", newWords(catalogue.Swedish, time.UTC).number(12345))
}

func TestLanguages(t *testing.T) {
	for asked, want := range map[string]catalogue.Language{
		"": catalogue.English, "sv": catalogue.Swedish, "sv-FI,en;q=0.8": catalogue.Swedish, "en,sv": catalogue.English, "de": catalogue.English, "de,sv;q=0.2": catalogue.Swedish, "*": catalogue.English, ";;;": catalogue.English,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("Accept-Language", asked)
		assert.Equal(t, want, languageOf(r), asked)
		assert.Equal(t, catalogue.Swedish, languageOf(r, "sv-SE"))
		r.Header.Set("Cookie", "language=en")
		assert.Equal(t, catalogue.English, languageOf(r, "sv-SE"))
	}
}

func TestLocal(t *testing.T) {
	for to, want := range map[string]string{
		"/": "/", "/users?search=%2F%2F": "/users?search=%2F%2F", "": "/", "//x": "/", `/\x`: "/", "https://x": "/", "/\nx": "/", "x": "/",
	} {
		assert.Equal(t, want, local(to), to)
	}
}
