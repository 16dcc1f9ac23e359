package pages

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/rs/zerolog"

	"github.com/claimline/claimline/cmd/claimline/web/auth"
	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/schema"
)

// How long a session lasts: at most, and without being used.
const (
	sessionTime = 7 * 24 * time.Hour
	idleTime    = 12 * time.Hour
	noteEvery   = 10 * time.Minute // its use is written no more often
)

// What a session holds.
const (
	tokenKey = "token" // digest of the token that somebody has signed in with
	usedKey  = "used"  // when it was used last, in seconds
)

// newSessions returns what keeps sessions. (scs.New would start a store in memory that never ends.)
func newSessions(flow *pipeline.Flow, secure bool) *scs.SessionManager {
	return &scs.SessionManager{
		Lifetime: sessionTime, Store: &sessionStore{flow}, HashTokenInStore: true, Codec: scs.GobCodec{},
		Cookie: scs.SessionCookie{Name: "claimline", Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: secure, Persist: true},
	}
}

// sessionStore keeps sessions in the database, for scs.
type sessionStore struct{ flow *pipeline.Flow }

var _ scs.CtxStore = (*sessionStore)(nil)

// FindCtx implements scs.CtxStore.
func (s *sessionStore) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	return s.flow.Store.Session(ctx, token, s.flow.Now())
}

// CommitCtx implements scs.CtxStore.
func (s *sessionStore) CommitCtx(ctx context.Context, token string, data []byte, expires time.Time) error {
	return s.flow.Persist(ctx, func() error { return s.flow.Store.KeepSession(ctx, token, data, expires, s.flow.Now()) })
}

// DeleteCtx implements scs.CtxStore.
func (s *sessionStore) DeleteCtx(ctx context.Context, token string) error {
	return s.flow.Persist(ctx, func() error { return s.flow.Store.EndSession(ctx, token) })
}

// Find implements scs.Store.
func (s *sessionStore) Find(token string) (data []byte, found bool, err error) {
	return s.FindCtx(context.Background(), token)
}

// Commit implements scs.Store.
func (s *sessionStore) Commit(token string, data []byte, expires time.Time) error {
	return s.CommitCtx(context.Background(), token, data, expires)
}

// Delete implements scs.Store.
func (s *sessionStore) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }

// load returns a context with the session that the browser names, or with a new one.
func (e *exchange) load() (context.Context, error) {
	name := ""
	if cookie, err := e.r.Cookie(e.pages.sessions.Cookie.Name); err == nil {
		name = cookie.Value
	}
	return e.pages.sessions.Load(e.r.Context(), name)
}

// keep writes the session, and tells the browser.
func (e *exchange) keep(ctx context.Context) error {
	s := e.pages.sessions
	s.Put(ctx, usedKey, e.pages.Flow.Now().Unix())
	name, expires, err := s.Commit(ctx)
	if err == nil {
		s.WriteSessionCookie(ctx, e.w, name, expires)
	}
	return err
}

// signedIn returns the token that the browser's session stands for. Refused with CodeTokenMissing, and with
// CodeTokenInvalid once the token is revoked or has expired.
func (e *exchange) signedIn() (schema.Token, error) {
	ctx, err := e.load()
	if err != nil {
		return schema.Token{}, err
	}
	s, now := e.pages.sessions, e.pages.Flow.Now()
	digest, used := s.GetBytes(ctx, tokenKey), time.Unix(s.GetInt64(ctx, usedKey), 0)
	if len(digest) == 0 || now.Sub(used) >= idleTime {
		return schema.Token{}, &schema.Error{Code: schema.CodeTokenMissing}
	}
	token, err := e.pages.Guard.Known(ctx, digest)
	if err == nil && now.Sub(used) >= noteEvery {
		if err := e.keep(ctx); err != nil { // the next request tries again
			zerolog.Ctx(ctx).Debug().Err(err).Msg("the use of a session could not be noted")
		}
	}
	return token, err
}

// page has a pattern answered for whoever has signed in with a token of at least this role.
func (p *Pages) page(pattern string, role schema.Role, do handler) {
	p.handle(pattern, p.admit(role, do))
}

// admit lets those in who have signed in with a token of at least this role; others are to sign in first.
func (p *Pages) admit(role schema.Role, do handler) handler {
	return func(e *exchange) error {
		token, err := e.signedIn()
		switch code := schema.CodeOf(err); {
		case err != nil && (code == schema.CodeTokenMissing || code == schema.CodeTokenInvalid):
			next := e.r.URL.RequestURI()
			if e.r.Method != http.MethodGet {
				next = e.back()
			}
			return e.redirect(signInPath + "?next=" + url.QueryEscape(next))
		case err != nil:
			return err
		}
		if err := e.enter(token); err != nil {
			return err
		}
		if !token.Role.May(role) {
			return schema.Refuse(schema.CodeRoleTooLow, "This needs the role %s, and you have signed in with the role %s.", role, token.Role)
		}
		e.r = e.r.WithContext(auth.With(e.r.Context(), token))
		return do(e)
	}
}

// enter notes who has signed in.
func (e *exchange) enter(token schema.Token) error {
	organization, err := e.pages.Flow.Store.Organization(e.r.Context(), token.OrganizationID)
	if err != nil {
		return err
	}
	e.token, e.organization, e.brand = token, organization, nameOf(organization)
	return nil
}

const signInPath = "/sign-in"

// signIn is what the sign-in page shows.
type signIn struct {
	Next    string
	Refused *refusal
}

func (p *Pages) registerSignIn() {
	p.handle("GET "+signInPath, func(e *exchange) error {
		return e.show(http.StatusOK, "signin", signIn{Next: local(e.r.FormValue("next"))})
	})
	p.handle("POST "+signInPath, p.signIn)
	p.handle("POST /sign-out", p.signOut)
}

// signIn signs somebody in with a token. Failures are limited by client; a token that is right is let in all
// the same.
func (p *Pages) signIn(e *exchange) error {
	next := local(e.r.PostFormValue("next"))
	_, digest, err := p.Guard.Find(e.r.Context(), e.r.PostFormValue("token"))
	if schema.CodeOf(err) == schema.CodeTokenInvalid {
		if wait := p.failures.Add(p.Guard.Proxies.Client(e.r), ""); wait > 0 {
			return &schema.Error{Code: schema.CodeTooManyRequests, Err: auth.RetryError(wait)}
		}
		said := e.words.refusalOf(err)
		return e.show(said.Status, "signin", signIn{Next: next, Refused: &said})
	} else if err != nil {
		return err
	}
	ctx, err := e.load()
	if err == nil {
		err = p.sessions.RenewToken(ctx) // else whoever knew the name of the session before would be signed in too
	}
	if err != nil {
		return err
	}
	p.sessions.Put(ctx, tokenKey, digest)
	if err := e.keep(ctx); err != nil {
		return err
	}
	return e.redirect(next)
}

func (p *Pages) signOut(e *exchange) error {
	ctx, err := e.load()
	if err == nil {
		err = p.sessions.Destroy(ctx)
	}
	if err != nil {
		return err
	}
	p.sessions.WriteSessionCookie(ctx, e.w, "", time.Time{})
	return e.redirect(signInPath)
}
