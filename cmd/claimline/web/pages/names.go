package pages

import (
	"html/template"
	"net/url"
	"strings"

	"golang.org/x/net/idna"

	"github.com/claimline/claimline/schema"
)

// domainName returns a domain as people write it. Where that is not as it is kept, both are shown: letters of
// one script can look like those of another, and only the form in ASCII tells them apart.
func domainName(name string) template.HTML { return shown("", name) }

// emailAddress returns an address with its domain as people write it, likewise.
func emailAddress(address string) template.HTML {
	at := strings.LastIndexByte(address, '@') + 1
	return shown(address[:at], address[at:])
}

func shown(local, domain string) template.HTML {
	text, ascii := domain, ""
	if key, ok := schema.DomainKey(domain); ok && strings.Contains(key, "xn--") {
		text = key
		if people, err := idna.Display.ToUnicode(key); err == nil && people != key {
			text, ascii = people, key
		}
	}
	text = template.HTMLEscapeString(schema.Printable(local + text))
	if ascii == "" && isASCII(text) {
		return template.HTML(text) //nolint:gosec // G203: it is escaped
	}
	text = "<bdi>" + text + "</bdi>" // what is written from the right does not draw in what is beside it
	if ascii != "" {
		text += ` <small class="ascii">` + template.HTMLEscapeString(ascii) + "</small>"
	}
	return template.HTML(text) //nolint:gosec // G203: likewise
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r >= 0x80 })
}

// userPath returns the path of the page of a user, whatever signs the address has.
func userPath(email string) string { return "/users/" + url.PathEscape(email) }
