package pages

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/claimline/claimline/cmd/claimline/web/auth"
	"github.com/claimline/claimline/cmd/claimline/web/desk"
	"github.com/claimline/claimline/pipeline/domains"
	"github.com/claimline/claimline/pipeline/schedule"
	catalogue "github.com/claimline/claimline/pipeline/words"
	"github.com/claimline/claimline/schema"
)

// Config is what the pages work with.
type Config struct {
	*desk.Desk
	Schedules *schedule.Scheduler
	Guard     *auth.Guard
	Resolver  domains.Resolver
	Location  *time.Location // in which times are shown until a browser knows better
	Mailed    bool           // mails are sent: else they wait until mail is set up
	Contact   string         // address to which owners of accounts may turn; blank: none
	Secure    bool           // browsers come by TLS, so that cookies are for TLS only
}

// Pages answers requests of browsers.
type Pages struct {
	Config
	mux      *http.ServeMux
	words    map[catalogue.Language]*words
	sheets   map[catalogue.Language]map[string]*template.Template // by language and name
	assets   map[string]asset                                     // by path
	failures *auth.Failures                                       // of owners' links, and of signing in
	sessions *scs.SessionManager
}

//go:embed templates/*.html
var templates embed.FS

// layout is the sheet that all others are laid into.
const layout = "layout.html"

// New returns the pages.
func New(c Config) (*Pages, error) {
	p := &Pages{
		Config: c, mux: http.NewServeMux(), words: map[catalogue.Language]*words{}, sheets: map[catalogue.Language]map[string]*template.Template{},
		failures: auth.NewFailures(c.Flow.Now, auth.SignInFailures), sessions: newSessions(c.Flow, c.Secure),
	}
	var err error
	if p.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	for _, lang := range catalogue.Languages {
		p.words[lang] = newWords(lang, c.Location)
		if p.sheets[lang], err = p.parse(p.words[lang]); err != nil {
			return nil, err
		}
	}
	p.mux.HandleFunc("GET "+assetPrefix+"{name...}", p.asset)
	p.handle("POST /language", p.setLanguage)
	p.registerChoices()
	p.registerSignIn()
	p.registerHome()
	p.registerImports()
	p.registerClaim()
	p.registerUsers()
	p.registerDeadlines()
	p.registerSchedules()
	p.registerDirectory()
	p.registerSettings()
	return p, nil
}

// Handler answers what is not below /api/.
func (p *Pages) Handler() *http.ServeMux { return p.mux }

// parse returns the sheets in a language.
func (p *Pages) parse(w *words) (map[string]*template.Template, error) {
	functions := w.functions()
	functions["asset"] = func(name string) string { return p.assets[name].url }
	base, err := template.New(layout).Funcs(functions).ParseFS(templates, "templates/"+layout)
	if err != nil {
		return nil, fmt.Errorf("read the templates: %w", err)
	}
	names, err := fs.Glob(templates, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("list the templates: %w", err)
	}
	sheets := map[string]*template.Template{}
	for _, name := range names {
		if path.Base(name) == layout {
			continue
		}
		sheet, err := base.Clone()
		if err == nil {
			sheet, err = sheet.ParseFS(templates, name)
		}
		if err != nil {
			return nil, fmt.Errorf("read the templates: %w", err)
		}
		sheets[strings.TrimSuffix(path.Base(name), ".html")] = sheet
	}
	return sheets, nil
}

// exchange is a request and what it is answered with.
type exchange struct {
	pages *Pages
	w     http.ResponseWriter
	r     *http.Request
	words *words
	brand string // what the head of the page says; blank: the program's name

	token        schema.Token // of who has signed in
	organization schema.Organization
}

// handler answers a request, or returns why it is refused.
type handler func(*exchange) error

// policy lets a page use what is this service's own, and nothing that stands in the page itself.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// formSize is how large a form may be that is no file, in bytes.
const formSize = 1 << 20

// handle has a pattern answered. The form that a request sends is read first.
func (p *Pages) handle(pattern string, do handler) {
	p.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		e := p.exchange(w, r)
		if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media != "multipart/form-data" {
			r.Body = http.MaxBytesReader(w, r.Body, formSize)
		}
		err := r.ParseForm() // what is sent with a file is left to who reads the file
		if err != nil {
			err = (&schema.Error{Code: schema.CodeRequestInvalid}).Because(err)
		} else {
			err = do(e)
		}
		if err != nil {
			e.refuse(err)
		}
	})
}

func (p *Pages) exchange(w http.ResponseWriter, r *http.Request) *exchange {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	// Without its own referrer a browser says of a form that it comes from nowhere, which looks like another
	// site.
	h.Set("Referrer-Policy", "same-origin")
	return &exchange{pages: p, w: w, r: r, words: p.words[languageOf(r)]}
}

// view is what a sheet is filled in with.
type view struct {
	Language catalogue.Language
	Other    catalogue.Language // the language that one may switch to
	Brand    string
	Path     string      // of the page
	Role     schema.Role // of who has signed in; blank: nobody has
	User     string      // name of the token
	Data     any
}

// Operates reports whether the reader may claim.
func (v view) Operates() bool { return v.Role.May(schema.RoleOperator) }

// Administers reports whether the reader may change settings.
func (v view) Administers() bool { return v.Role.May(schema.RoleAdmin) }

// In reports whether the page is one of those below a path.
func (v view) In(path string) bool {
	return v.Path == path || path != "/" && strings.HasPrefix(v.Path, path+"/")
}

// show answers with a sheet.
func (e *exchange) show(status int, sheet string, data any) error {
	v := view{Language: e.words.language, Other: catalogue.English, Brand: e.brand, Path: e.r.URL.Path, Role: e.token.Role, User: e.token.Name, Data: data}
	if v.Language == v.Other {
		v.Other = catalogue.Swedish
	}
	var text bytes.Buffer
	if err := e.pages.sheets[e.words.language][sheet].Execute(&text, v); err != nil {
		return fmt.Errorf("fill in the page %s: %w", sheet, err)
	}
	h := e.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", string(v.Language))
	h.Add("Vary", "Cookie, Accept-Language")
	e.w.WriteHeader(status)
	_, _ = text.WriteTo(e.w) // who asked may be gone
	return nil
}

// redirect sends the browser to another page, which it asks for with GET.
func (e *exchange) redirect(to string) error {
	http.Redirect(e.w, e.r, to, http.StatusSeeOther) //nolint:gosec // G710: it is local, wherever it comes from
	return nil
}

// setLanguage keeps the language that somebody has chosen, and returns to the page where that was.
func (p *Pages) setLanguage(e *exchange) error {
	const year = 365 * 24 * time.Hour
	if chosen := catalogue.Language(e.r.PostFormValue("language")); p.words[chosen] != nil {
		http.SetCookie(e.w, &http.Cookie{ //nolint:gosec // G124: without TLS there is no Secure
			Name: languageCookie, Value: string(chosen), Path: "/", MaxAge: int(year / time.Second), Secure: p.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		})
	}
	return e.redirect(e.back())
}

// back returns the path of the page of ours from which a form was sent; else the first page.
func (e *exchange) back() string {
	_, rest, found := strings.Cut(e.r.Referer(), "://"+e.r.Host+"/")
	if !found {
		return "/"
	}
	return local("/" + rest)
}

// local returns a path of this service; what leads elsewhere becomes the first page.
func local(to string) string {
	if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsFunc(to, func(r rune) bool { return r == '\\' || r < ' ' || r == 0x7f }) {
		return "/"
	}
	return to
}

func nameOf(o schema.Organization) string {
	if o.Name != "" {
		return o.Name
	}
	return o.ID
}
