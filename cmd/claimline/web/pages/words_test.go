package pages

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	catalogue "github.com/claimline/claimline/pipeline/words"
	"github.com/claimline/claimline/schema"
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

func TestWhoDidSomething(t *testing.T) {
	w := newWords(catalogue.Swedish, time.UTC)
	for name, want := range map[string]string{
		"Ann <Lee>": "Ann &lt;Lee&gt;", "terminal:root": "root i terminalen", "schedule:a&b": "schemat a&amp;b", "ci:nightly": "ci:nightly", "": "",
	} {
		assert.Equal(t, want, string(w.who(name)))
	}
}

// A row has its outcome in the singular, and what is wrong with a cell in the language of the page, but for
// the cell itself.
func TestWordsOfARow(t *testing.T) {
	w := newWords(catalogue.Swedish, time.UTC)
	many, _ := w.outcome(schema.Invalid)
	assert.Equal(t, "Ogiltiga ogiltig", string(many+" "+w.rowOutcome(schema.Invalid)))
	assert.Equal(t, "ett blanksteg", w.cause("a blank"))
	assert.Equal(t, `"a blank"`, w.cause(`"a blank"`))
	assert.Equal(t, "users.csv", w.fileName("in/box/users.csv"))
	assert.Equal(t, "anspråk för hand", w.fileName(schema.ByHand))
}

func TestMoments(t *testing.T) {
	at := time.Date(2026, 3, 9, 7, 5, 0, 0, time.UTC)
	zone := time.FixedZone("CET", 3600)
	sv, en := newWords(catalogue.Swedish, zone), newWords(catalogue.English, zone)
	assert.Equal(t, "<time class=\"moment\" datetime=\"2026-03-09T07:05:00Z\">9\u00a0mars\u00a02026 kl.\u00a008.05\u00a0CET</time>", string(sv.moment(at)))
	assert.Equal(t, "<time class=\"day\" datetime=\"2026-03-09T07:05:00Z\">9\u00a0March\u00a02026</time>", string(en.day(at)))
	assert.Equal(t, "<time class=\"wall\" datetime=\"2026-03-09T07:05:00Z\">Monday\u00a09\u00a0March\u00a02026, 07:05\u00a0UTC</time>", string(en.wall(at, time.UTC)))
}
