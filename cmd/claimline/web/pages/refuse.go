package pages

import (
	"errors"
	"net/http"
	"strings"

	"github.com/rs/zerolog"

	"github.com/claimline/claimline/cmd/claimline/web/auth"
	"github.com/claimline/claimline/schema"
)

// refusal is a refusal as a page shows it.
type refusal struct {
	Status  int
	Code    schema.Code
	Message string
	Fix     string
	Place   string // in a file; blank: none
	Request string // id, by which operators find what was logged; blank where nothing was
}

// refusalOf returns a refusal as it is said in a language. What is no refusal is CodeInternal, and tells
// nothing.
func (w *words) refusalOf(err error) refusal {
	refused, ok := errors.AsType[*schema.Error](err)
	if !ok {
		refused = &schema.Error{Code: schema.CodeInternal, Err: err}
	}
	said := refusal{Status: refused.Code.Status(), Code: refused.Code, Place: refused.Where().In(w.language)}
	message, _ := refused.Told()
	said.Message = message.In(w.language)
	_, said.Fix = w.problem(refused.Code)
	if fix := refused.Fix.In(w.language); fix != "" && !forTerminal(fix) {
		said.Fix = fix
	}
	return said
}

// forTerminal reports whether a fix is a command, which does not help who reads a page.
func forTerminal(fix string) bool {
	return strings.Contains(fix, "claimline ") || strings.Contains(fix, "--")
}

// refuse answers with why something was not done.
func (e *exchange) refuse(err error) {
	said := e.words.refusalOf(err)
	ctx := e.r.Context()
	log := zerolog.Ctx(ctx)
	switch {
	case ctx.Err() != nil: // who asked has gone
		log.Debug().Str("code", string(said.Code)).Msg("given up")
	case said.Code == schema.CodeInternal:
		log.Error().Err(err).Msg("internal error")
		said.Request = e.w.Header().Get("X-Request-Id")
	case said.Status >= http.StatusInternalServerError:
		refused, _ := errors.AsType[*schema.Error](err)
		log.Warn().Str("code", string(said.Code)).AnErr("cause", refused.Err).Msg("could not be done")
	default:
		log.Debug().Str("code", string(said.Code)).Msg("refused")
	}
	if after, ok := errors.AsType[auth.RetryError](err); ok {
		e.w.Header().Set("Retry-After", after.Seconds())
	}
	if err := e.show(said.Status, "refused", said); err != nil {
		log.Error().Err(err).Msg("internal error")
		http.Error(e.w, said.Message, said.Status)
	}
}

// Refuse answers a request of a browser with a refusal. Where there is no page, whoever has signed in still
// has the way to the others.
func (p *Pages) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	e := p.exchange(w, r)
	if schema.CodeOf(err) == schema.CodeNotFound {
		if token, unknown := e.signedIn(); unknown == nil {
			_ = e.enter(token) // without it the page says the same
		}
	}
	e.refuse(err)
}

// NotFound answers where there is no page.
func (p *Pages) NotFound(w http.ResponseWriter, r *http.Request) {
	p.Refuse(w, r, &schema.Error{Code: schema.CodeNotFound})
}
