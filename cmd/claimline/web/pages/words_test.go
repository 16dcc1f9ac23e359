package pages

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	saidInGo = regexp.MustCompile(`\.(?:say|count)\((?:[\w.()\[\]]+, )?("(?:[^"\\]|\\.)*")(?:, ("(?:[^"\\]|\\.)*"))?`)
	verb     = regexp.MustCompile(`%\[?\d*\]?[a-z%]`)
	numbered = regexp.MustCompile(`[({] ?-? ?n [^"{}]*("(?:[^"\\]|\\.)*") ("(?:[^"\\]|\\.)*")`)
	said     = regexp.MustCompile(`[({] ?-? ?t ("(?:[^"\\]|\\.)*")`)
)

// Everything that is said in English is said in Swedish, too, and nothing else.
func TestCatalogue(t *testing.T) {
	texts := map[string]string{}
	note := func(quoted, where string) {
		if quoted == "" {
			return
		}
		text, err := strconv.Unquote(quoted)
		require.NoError(t, err)
		texts[text] = where
	}
	files, err := filepath.Glob("templates/*.html")
	require.NoError(t, err)
	sources, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, file := range append(files, sources...) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, pattern := range []*regexp.Regexp{said, numbered, saidInGo} {
			if (pattern == saidInGo) != (filepath.Ext(file) == ".go") {
				continue
			}
			for _, found := range pattern.FindAllStringSubmatch(string(source), -1) {
				for _, quoted := range found[1:] {
					note(quoted, file)
				}
			}
		}
	}
	require.Greater(t, len(texts), 50)
	for text, file := range texts {
		translated, found := catalogue[text]
		if !assert.True(t, found, "%s: %q is not in the catalogue", file, text) {
			continue
		}
		assert.ElementsMatch(t, verb.FindAllString(text, -1), verb.FindAllString(translated, -1), text)
	}
	for text := range catalogue {
		assert.Contains(t, texts, text, "the catalogue has a text that no page says")
	}
}

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
