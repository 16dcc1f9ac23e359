package pages

import (
	"html/template"
	"net/http"
	"strings"

	"github.com/claimline/claimline/schema"
)

// mistake is what is wrong with one field of a form.
type mistake struct {
	Field        string // id of the field
	Code         schema.Code
	Message, Fix template.HTML
}

// mistakes is all that is wrong with a form, in the order of its fields.
type mistakes []mistake

// At returns what is wrong with a field; nil: nothing.
func (m mistakes) At(field string) *mistake {
	for i := range m {
		if m[i].Field == field {
			return &m[i]
		}
	}
	return nil
}

// status returns the status with which the form is answered.
func (m mistakes) status() int {
	if len(m) == 0 {
		return http.StatusOK
	}
	return m[0].Code.Status()
}

// question is a page that asks before something far-reaching is done.
type question struct {
	Back  string        // path of the page to go back to
	Where template.HTML // what that page is called
	Title template.HTML
	Says  []template.HTML // what it means
	Grave bool            // it cannot be undone

	Action string            // path to which the answer is posted
	Fields map[string]string // that are posted with it
	Yes    template.HTML
	No     template.HTML
}

// ask shows a question.
func (e *exchange) ask(q question) error { return e.show(http.StatusOK, "ask", q) }

// addresses splits what people write into a field for several addresses.
func addresses(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(",; \t\r\n", r) })
}

// filledLines returns the lines of a text that are not blank.
func filledLines(text string) (lines []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}
