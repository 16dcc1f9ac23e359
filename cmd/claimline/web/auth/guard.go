package auth

import (
	"context"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

// Guard finds out who asks.
type Guard struct {
	Store    *store.Store
	Now      func() time.Time
	Log      zerolog.Logger
	Proxies  Proxies
	Failures *Failures

	mu   sync.Mutex
	used map[int64]time.Time // tokens, whose use has not been written
}

// Token returns the token that a request bears. Refused with CodeTokenMissing, CodeTokenInvalid, and with
// CodeTooManyRequests where a client fails again and again; what is right is let in all the same.
func (g *Guard) Token(r *http.Request) (schema.Token, error) {
	given := r.Header.Values("Authorization")
	if len(given) == 0 {
		return schema.Token{}, &schema.Error{Code: schema.CodeTokenMissing}
	}
	scheme, text, found := strings.Cut(given[0], " ")
	if !found || !strings.EqualFold(scheme, "Bearer") || len(given) > 1 {
		return schema.Token{}, schema.Refuse(schema.CodeTokenMissing, "The header Authorization bears no token.").
			WithFix("Send one header Authorization: Bearer TOKEN.")
	}
	t, _, err := g.Find(r.Context(), text)
	if schema.CodeOf(err) == schema.CodeTokenInvalid {
		if wait := g.Failures.Add(g.Proxies.Client(r), ""); wait > 0 {
			return schema.Token{}, &schema.Error{Code: schema.CodeTooManyRequests, Err: RetryError(wait)}
		}
	}
	return t, err
}

// Find returns the token that somebody names, with its digest, as Known does.
func (g *Guard) Find(ctx context.Context, text string) (t schema.Token, digest []byte, err error) {
	if digest, err = Digest(strings.TrimSpace(text)); err == nil {
		t, err = g.Known(ctx, digest)
	}
	return t, digest, err
}

// Known returns the token with this digest, and notes that it is used. Refused with CodeTokenInvalid.
func (g *Guard) Known(ctx context.Context, digest []byte) (schema.Token, error) {
	t, err := g.Store.FindToken(ctx, digest)
	if err != nil {
		return schema.Token{}, err
	}
	now := g.Now()
	if t.Expired(now) {
		return schema.Token{}, schema.Refuse(schema.CodeTokenInvalid, "The token has expired.")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.used == nil {
		g.used = map[int64]time.Time{}
	}
	g.used[t.ID] = now
	return t, nil
}

// noteEvery is how often the use of tokens is written.
const noteEvery = 10 * time.Second

// Run writes when tokens were used, now and then and at the end: no request waits for it.
func (g *Guard) Run(ctx context.Context) {
	ticker := time.NewTicker(noteEvery)
	defer ticker.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
		g.note(context.WithoutCancel(ctx))
	}
}

// note writes the use of tokens. What cannot be written now is written the next time.
func (g *Guard) note(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, noteEvery/2)
	defer cancel()
	g.mu.Lock()
	used := g.used
	g.used = nil
	g.mu.Unlock()
	if err := g.Store.TouchTokens(ctx, used); err != nil {
		g.Log.Debug().Err(err).Msg("the use of tokens could not be noted; it is tried again")
		g.mu.Lock()
		defer g.mu.Unlock()
		maps.Copy(used, g.used)
		g.used = used
	}
}

// RetryError is the cause of a refusal that passes after some time.
type RetryError time.Duration

func (r RetryError) Error() string { return "try again after " + time.Duration(r).String() }

// Seconds returns the time as the header Retry-After has it.
func (r RetryError) Seconds() string { return strconv.Itoa(int(time.Duration(r) / time.Second)) }

type tokenKey struct{}

// With returns a context of a request that bears a token.
func With(ctx context.Context, t schema.Token) context.Context {
	return context.WithValue(ctx, tokenKey{}, t)
}

// Of returns the token of a request that the guard has let in.
func Of(ctx context.Context) schema.Token {
	t, _ := ctx.Value(tokenKey{}).(schema.Token)
	return t
}
