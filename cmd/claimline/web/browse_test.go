package web_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
)

// visitor is somebody with a browser that runs no scripts.
type visitor struct {
	*service
	client   *http.Client
	language string // that the browser asks for
	at       *url.URL
	status   int
	header   http.Header
	text     string     // of the page, with its tags
	page     *html.Node // that is shown now
}

// visit returns a visitor who has not seen anything yet.
func (s *service) visit(language string) *visitor {
	s.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(s, err)
	transport := &http.Transport{}
	s.Cleanup(transport.CloseIdleConnections)
	return &visitor{service: s, language: language, client: &http.Client{Jar: jar, Transport: transport}}
}

// do sends a request and shows what comes of it, redirections followed.
func (v *visitor) do(request *http.Request) *visitor {
	v.Helper()
	request.Header.Set("Accept", "text/html,application/xhtml+xml")
	request.Header.Set("Accept-Language", v.language)
	if v.at != nil {
		request.Header.Set("Referer", v.at.String())
		request.Header.Set("Origin", v.url)
	}
	response, err := v.client.Do(request)
	require.NoError(v, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	require.NoError(v, err)
	v.at, v.status, v.header, v.text = response.Request.URL, response.StatusCode, response.Header, string(body)
	if strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") {
		v.page, err = html.ParseWithOptions(strings.NewReader(v.text), html.ParseOptionEnableScripting(false))
		require.NoError(v, err)
		v.careful()
	}
	return v
}

// careful requires a page to tell the browser to be so.
func (v *visitor) careful() {
	v.Helper()
	policy := v.header.Get("Content-Security-Policy")
	assert.Contains(v, policy, "default-src 'none'")
	assert.NotContains(v, policy, "unsafe")
	assert.Equal(v, "no-store", v.header.Get("Cache-Control"))
	assert.Equal(v, "nosniff", v.header.Get("X-Content-Type-Options"))
	assert.Equal(v, "DENY", v.header.Get("X-Frame-Options"))
	assert.NotContains(v, v.text, "<style")
	assert.NotRegexp(v, ` on[a-z]+="| style="`, v.text)
	assert.NotRegexp(v, `(href|src|action)="(https?:)?//`, v.text, "nothing comes from elsewhere")
	assert.NotContains(v, v.text, "%!", "a value does not fit its place")
	assert.Less(v, len(v.text), 100_000)
}

// open opens a page.
func (v *visitor) open(path string) *visitor {
	v.Helper()
	request, err := http.NewRequestWithContext(v.Context(), http.MethodGet, v.service.url+path, nil)
	require.NoError(v, err)
	return v.do(request)
}

// send sends a form to a path, whether or not a page has such a one.
func (v *visitor) send(path string, fields url.Values) *visitor {
	v.Helper()
	request, err := http.NewRequestWithContext(v.Context(), http.MethodPost, v.service.url+path, strings.NewReader(fields.Encode()))
	require.NoError(v, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.do(request)
}

// press presses the button of this name, filling in fields of its form first, as in "new_email=x@y.example".
func (v *visitor) press(button string, fill ...string) *visitor {
	v.Helper()
	b, _ := v.find(v.page, "button", func(b *html.Node) bool { return words(b) == button })
	require.NotNil(v, b, "no button %q on:\n%s", button, words(v.page))
	form := v.formOf(b)
	require.NotNil(v, form, "the button %q is of no form", button)
	fields := url.Values{}
	add := func(n *html.Node) {
		if name := attribute(n, "name"); name != "" {
			fields.Add(name, attribute(n, "value"))
		}
	}
	for n := range v.page.Descendants() {
		if n.Type != html.ElementNode || v.formOf(n) != form {
			continue
		}
		switch n.Data {
		case "input":
			switch kind := attribute(n, "type"); {
			case kind == "file":
			case (kind == "checkbox" || kind == "radio") && !has(n, "checked"):
			default:
				add(n)
			}
		case "select":
			chosen, _ := v.find(n, "option", func(o *html.Node) bool { return has(o, "selected") })
			if chosen == nil {
				chosen, _ = v.find(n, "option", func(*html.Node) bool { return true })
			}
			value := words(chosen)
			if has(chosen, "value") {
				value = attribute(chosen, "value")
			}
			fields.Add(attribute(n, "name"), value)
		case "textarea":
			text := ""
			if n.FirstChild != nil {
				text = n.FirstChild.Data
			}
			fields.Add(attribute(n, "name"), text)
		}
	}
	add(b)
	for _, field := range fill {
		name, value, _ := strings.Cut(field, "=")
		known, _ := v.find(v.page, "", func(n *html.Node) bool { return attribute(n, "name") == name && v.formOf(n) == form })
		require.NotNil(v, known, "the form has no field %s", name)
		fields.Set(name, value)
	}
	action := attribute(form, "action")
	if has(b, "formaction") {
		action = attribute(b, "formaction")
	}
	to, err := v.at.Parse(action)
	require.NoError(v, err)
	if attribute(form, "method") != "post" {
		return v.open(to.Path + "?" + fields.Encode())
	}
	return v.send(to.RequestURI(), fields)
}

// formOf returns the form that an element belongs to; nil: none.
func (v *visitor) formOf(n *html.Node) (form *html.Node) {
	if id := attribute(n, "form"); id != "" {
		form, _ = v.find(v.page, "form", func(form *html.Node) bool { return attribute(form, "id") == id })
		return form
	}
	for form = n.Parent; form != nil && form.Data != "form"; form = form.Parent {
	}
	return form
}

// find returns the first element that is so.
func (v *visitor) find(in *html.Node, tag string, is func(*html.Node) bool) (found *html.Node, ok bool) {
	for n := range in.Descendants() {
		if n.Type == html.ElementNode && (tag == "" || n.Data == tag) && is(n) {
			return n, true
		}
	}
	return nil, false
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

// words returns the text of an element, with one blank between words.
func words(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// says returns the words of the page that is shown.
func (v *visitor) says() string {
	v.Helper()
	main, _ := v.find(v.page, "main", func(*html.Node) bool { return true })
	require.NotNil(v, main)
	return words(main)
}

// heading returns the heading of the page.
func (v *visitor) heading() string {
	v.Helper()
	h, _ := v.find(v.page, "h1", func(*html.Node) bool { return true })
	require.NotNil(v, h, v.text)
	return words(h)
}

// value returns what a field of the page holds, by its name and, where there are more of that name, its id.
func (v *visitor) value(name string, id ...string) string {
	v.Helper()
	field, _ := v.find(v.page, "input", func(n *html.Node) bool {
		return attribute(n, "name") == name && (len(id) == 0 || attribute(n, "id") == id[0])
	})
	require.NotNil(v, field, "the page has no field %s", name)
	return attribute(field, "value")
}

// wrong returns what the page says is wrong with a field, which the list at its top leads to.
func (v *visitor) wrong(id string) string {
	v.Helper()
	said, _ := v.find(v.page, "", func(n *html.Node) bool { return attribute(n, "id") == id+"_wrong" })
	require.NotNil(v, said, "nothing is wrong with %s on:\n%s", id, words(v.page))
	link, _ := v.find(v.page, "a", func(n *html.Node) bool { return attribute(n, "href") == "#"+id })
	require.NotNil(v, link)
	return words(said)
}

// link returns where a link leads to, by its words.
func (v *visitor) link(text string) string {
	v.Helper()
	link, _ := v.find(v.page, "a", func(n *html.Node) bool { return words(n) == text })
	require.NotNil(v, link, "no link %q on:\n%s", text, words(v.page))
	return attribute(link, "href")
}
