package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/claimline/claimline/cmd/claimline/web/auth"
	"github.com/claimline/claimline/cmd/claimline/web/desk"
	"github.com/claimline/claimline/pipeline/domains"
	"github.com/claimline/claimline/pipeline/schedule"
	"github.com/claimline/claimline/schema"
)

// Prefix is below what the operations are.
const Prefix = "/api/v1"

// Config is what an API works with.
type Config struct {
	*desk.Desk
	Schedules *schedule.Scheduler
	Guard     *auth.Guard
	Resolver  domains.Resolver
	Location  *time.Location // whose days calendars have, and whose clock counts for schedules that name none
	Version   string         // of the program
}

// API answers requests.
type API struct {
	Config
	mux   *http.ServeMux
	huma  huma.API
	roles map[string]schema.Role // that operations need, by their names
}

func init() { //nolint:gochecknoinits // huma keeps these for the whole program
	huma.NewError = requestProblem
	huma.DefaultArrayNullable = false
}

// New returns an API.
func New(c Config) (*API, error) {
	a := &API{Config: c, mux: http.NewServeMux(), roles: map[string]schema.Role{}}
	a.huma = humago.New(a.mux, config(c.Version))
	a.huma.UseMiddleware(a.admit)
	a.registerImports()
	a.registerEvents()
	a.registerUsers()
	a.registerSettings()
	a.registerSchedules()
	a.registerOutbox()
	if err := a.document(); err != nil {
		return nil, err
	}
	return a, nil
}

// config returns what huma works with: JSON as the commands write it, and no document and no page of its own.
func config(version string) huma.Config {
	json := huma.Format{Marshal: marshal, Unmarshal: json.Unmarshal}
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Claimline", Version: version,
				Description: "Claims unmanaged accounts into an organization: plan a file, agree to the plan, follow the import, read its report.\n\n" +
					"A token belongs to one organization, and sees nothing of others.",
			},
			Components: &huma.Components{
				Schemas:         huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{bearer: {Type: "http", Scheme: "bearer", Description: "claimline token create"}},
			},
		},
		Formats:                      map[string]huma.Format{"application/json": json, "json": json},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
	}
}

const bearer = "token"

// marshal writes an answer. Who has hung up is not told.
func marshal(to io.Writer, value any) error {
	var text bytes.Buffer
	if err := schema.NewEncoder(&text).Encode(value); err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	_, _ = text.WriteTo(to)
	return nil
}

// Handler answers what is below /api/.
func (a *API) Handler() *http.ServeMux { return a.mux }

type requestKey struct{}

// request returns the request that is answered, and what it is answered with.
func request(ctx context.Context) (*http.Request, http.ResponseWriter) {
	exchange, _ := ctx.Value(requestKey{}).(exchange)
	return exchange.r, exchange.w
}

// receive takes in the file that a request sends.
func (a *API) receive(ctx context.Context, name string, work func(desk.Upload) error) error {
	r, w := request(ctx)
	return a.Receive(w, r, name, nil, work)
}

type exchange struct {
	r *http.Request
	w http.ResponseWriter
}

// admit lets a request in whose token may do what it asks for.
func (a *API) admit(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	token, err := a.Guard.Token(r)
	if err == nil && !token.Role.May(a.roles[ctx.Operation().OperationID]) {
		err = schema.Refuse(schema.CodeRoleTooLow, "This needs the role %s, and the token has the role %s.", a.roles[ctx.Operation().OperationID], token.Role)
	}
	if err != nil {
		WriteProblem(w, r, err)
		return
	}
	next(huma.WithContext(ctx, context.WithValue(auth.With(ctx.Context(), token), requestKey{}, exchange{r, w})))
}

// register adds an operation that needs a role.
func register[In, Out any](a *API, role schema.Role, op huma.Operation, do func(context.Context, *In) (*Out, error)) {
	a.roles[op.OperationID] = role
	op.Path = Prefix + op.Path
	op.Security = []map[string][]string{{bearer: {}}}
	op.BodyReadTimeout = -1 // the server looks whether a body gets on
	op.Description += fmt.Sprintf("\n\nNeeds the role %s.", role)
	huma.Register(a.huma, op, func(ctx context.Context, in *In) (*Out, error) {
		out, err := do(ctx, in)
		if err != nil {
			return nil, refuse(ctx, err)
		}
		return out, nil
	})
}

// organization returns the organization for which is asked.
func organization(ctx context.Context) string { return auth.Of(ctx).OrganizationID }

// Answer is an answer in JSON.
type Answer[T any] struct{ Body T }

func answer[T any](body T) *Answer[T] { return &Answer[T]{body} }

// Stated is an answer in JSON with a status.
type Stated[T any] struct {
	Status   int
	Location string `header:"Location"`
	Body     T
}

// Limit is how much of a list is asked for.
type Limit struct {
	Limit int `query:"limit" minimum:"1" maximum:"1000" doc:"how many at most; 100 where nothing is said"`
}

// Page is which part of a list is asked for.
type Page struct {
	Limit
	After string `query:"after" doc:"the next of the page before"`
}

const pageSize = 100

// limit returns how many are wanted.
func (l Limit) limit() int {
	if l.Limit == 0 {
		return pageSize
	}
	return l.Limit
}
