package api

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/rs/zerolog"

	"github.com/claimline/claimline/cmd/claimline/web/auth"
	"github.com/claimline/claimline/schema"
)

// Problem is a refusal, as RFC 9457 has it, with what the product says of each.
type Problem struct { //nolint:errname // what RFC 9457 calls it, and the description of the API
	Type   string      `json:"type" doc:"names the kind of problem"`
	Title  string      `json:"title" doc:"what the code means"`
	Status int         `json:"status" doc:"the HTTP status"`
	Detail string      `json:"detail" doc:"what was wrong"`
	Code   schema.Code `json:"code" doc:"the same as in reports and at the terminal"`
	Fix    string      `json:"fix" doc:"what to do about it"`
	File   string      `json:"file,omitempty" doc:"of a file: its name"`
	Line   int         `json:"line,omitempty" doc:"the physical line, the first being 1"`
	Column string      `json:"column,omitempty" doc:"the header of the column, or its number where there is none"`

	headers http.Header
}

// problemOf returns a refusal as it is answered. What is no refusal is CodeInternal, and tells nothing.
func problemOf(err error) *Problem {
	refused, ok := errors.AsType[*schema.Error](err)
	if !ok {
		refused = &schema.Error{Code: schema.CodeInternal, Err: err}
	}
	p := &Problem{
		Type: "urn:claimline:" + string(refused.Code), Title: refused.Code.Message(), Status: refused.Code.Status(), Detail: refused.Text(),
		Code: refused.Code, Fix: refused.Remedy(), File: refused.File, Line: refused.Line, Column: refused.Header, headers: http.Header{},
	}
	if p.Column == "" && refused.Column > 0 {
		p.Column = strconv.Itoa(refused.Column)
	}
	const soon = "5" // seconds
	switch p.Status {
	case http.StatusUnauthorized:
		p.headers.Set("WWW-Authenticate", `Bearer realm="claimline"`)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		p.headers.Set("Retry-After", soon)
	}
	if after, ok := errors.AsType[auth.RetryError](err); ok {
		p.headers.Set("Retry-After", after.Seconds())
	}
	return p
}

// Error returns what was wrong.
func (p *Problem) Error() string { return p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header { return p.headers }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

// WriteProblem answers a request with a refusal.
func WriteProblem(w http.ResponseWriter, r *http.Request, err error) {
	p := refuse(r.Context(), err)
	maps.Copy(w.Header(), p.headers)
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_ = schema.NewEncoder(w).Encode(p) // nobody is there to be told
}

// refuse returns a refusal as it is answered, and logs what nobody is told.
func refuse(ctx context.Context, err error) *Problem {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) { // else who asked has gone, and hears nothing
		err = (&schema.Error{Code: schema.CodeServiceStopping}).Because(err)
	}
	p := problemOf(err)
	log := zerolog.Ctx(ctx)
	switch {
	case ctx.Err() != nil:
		log.Debug().Str("code", string(p.Code)).Msg("given up")
	case p.Code == schema.CodeInternal:
		log.Error().Err(err).Msg("internal error")
	case p.Status >= http.StatusInternalServerError:
		refused, _ := errors.AsType[*schema.Error](err)
		log.Warn().Str("code", string(p.Code)).AnErr("cause", refused.Err).Msg("could not be done")
	default:
		log.Debug().Str("code", string(p.Code)).Msg("refused")
	}
	return p
}

// requestProblem returns the answer to a request of which huma says that something is wrong with it.
func requestProblem(status int, message string, errs ...error) huma.StatusError {
	code := schema.CodeRequestInvalid
	switch status {
	case http.StatusRequestEntityTooLarge:
		return problemOf(schema.Refuse(schema.CodeLimitExceeded, "The body is larger than allowed."))
	case http.StatusUnsupportedMediaType:
		return problemOf(&schema.Error{Code: schema.CodeMediaTypeUnsupported})
	case http.StatusInternalServerError:
		return problemOf(errors.Join(append([]error{errors.New(message)}, errs...)...))
	}
	var details []string
	for _, err := range errs {
		var said huma.ErrorDetailer
		switch {
		case err == nil:
		case errors.As(err, &said):
			detail := said.ErrorDetail()
			if detail.Location == "query.limit" {
				code = schema.CodeLimitInvalid
			}
			details = append(details, strings.TrimPrefix(detail.Location+": ", ": ")+detail.Message)
		default:
			if refused, ok := errors.AsType[*schema.Error](err); ok {
				return problemOf(refused)
			}
			details = append(details, err.Error())
		}
	}
	slices.Sort(details) // query parameters come in any order
	detail := cmp.Or(strings.Join(details, "; "), message)
	return problemOf(schema.Refuse(code, "The request is not as it should be: %s.", schema.Printable(detail)))
}
