package web

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/claimline/claimline/cmd/claimline/web/api"
	"github.com/claimline/claimline/cmd/claimline/web/auth"
	"github.com/claimline/claimline/schema"
)

// handle puts together what every request goes through.
func (s *Server) handle() (http.Handler, error) {
	mux := http.NewServeMux()
	mux.Handle("/api/", s.API.Handler())
	mux.Handle("/", s.Pages.Handler())
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("GET /readyz", s.ready)
	protection := http.NewCrossOriginProtection()
	for _, origin := range s.Origins {
		if err := protection.AddTrustedOrigin(origin); err != nil {
			return nil, schema.Refuse(schema.CodeConfigInvalid, "The configuration's service.base_url is not the address of a service.").
				WithFix("Write it as in https://claims.acme.example.").Because(err)
		}
	}
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.refuse(w, r, &schema.Error{Code: schema.CodeCrossOrigin})
	}))
	return s.observe(protect(protection.Handler(s.known(mux)))), nil
}

// known answers, with a refusal of ours, what no pattern answers to.
func (s *Server) known(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler, pattern := mux.Handler(r)
		switch pattern {
		case "/api/":
			handler, pattern = s.API.Handler().Handler(r)
		case "/":
			handler, pattern = s.Pages.Handler().Handler(r)
		}
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		probe := &probe{header: http.Header{}}
		handler.ServeHTTP(probe, r)
		refused := &schema.Error{Code: schema.CodeNotFound}
		switch {
		case probe.status == http.StatusMethodNotAllowed:
			refused.Code = schema.CodeMethodNotAllowed
			w.Header().Set("Allow", probe.header.Get("Allow"))
		case probe.status < http.StatusBadRequest: // a path that is written in another way
			handler.ServeHTTP(w, r)
			return
		}
		s.refuse(w, r, refused)
	})
}

// refuse answers with a refusal: a page to people, who ask for one with a browser, and a problem to programs.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if strings.HasPrefix(r.URL.Path, "/api/") || !strings.Contains(r.Header.Get("Accept"), "text/html") {
		api.WriteProblem(w, r, err)
		return
	}
	s.Pages.Refuse(w, r, err)
}

// probe finds out with which status something is answered.
type probe struct {
	header http.Header
	status int
}

func (p *probe) Header() http.Header         { return p.header }
func (p *probe) WriteHeader(status int)      { p.status = status }
func (p *probe) Write(b []byte) (int, error) { return len(b), nil }

// protect sets the headers that tell browsers to be careful.
func protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		if r.TLS != nil {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// observe gives a request its id, and notes how it was answered: neither who asked for what, nor what was
// said.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := s.Now()
		id := s.requestID(r)
		w.Header().Set("X-Request-Id", id)
		log := s.Log.With().Str("request", id).Logger()
		answer := &observed{ResponseWriter: w}
		r = r.WithContext(log.WithContext(r.Context()))
		defer func() {
			if failed := recover(); failed != nil && failed != http.ErrAbortHandler { //nolint:errorlint // it is this very value
				log.Error().Str("panic", fmt.Sprint(failed)).Bytes("stack", debug.Stack()).Msg("internal error")
				if answer.status == 0 {
					s.refuse(answer, r, errors.New("a request has failed"))
				}
			}
			took := s.Now().Sub(begun)
			route := r.Pattern // the one that answers writes it there
			s.Metrics.answered(r.Method, route, answer.status, took)
			log.Info().Str("method", r.Method).Str("route", route).Int("status", answer.status).Int64("bytes", answer.bytes).
				Dur("took", took).Stringer("client", s.Guard.Proxies.Client(r)).Msg("answered")
			if answer.status == 0 {
				panic(http.ErrAbortHandler)
			}
		}()
		next.ServeHTTP(answer, r)
		if answer.status == 0 { // an answer without a body
			answer.status = http.StatusOK
		}
	})
}

// given are ids of requests that are taken over from a proxy.
var given = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// requestID returns the id of a request: that which a proxy of ours has given it, or a new one.
func (s *Server) requestID(r *http.Request) string {
	if id := r.Header.Get("X-Request-Id"); given.MatchString(id) && s.Guard.Proxies.Trusts(auth.Peer(r)) {
		return id
	}
	return strings.ToLower(rand.Text())
}

// observed is an answer of which is known how it went.
type observed struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader implements http.ResponseWriter.
func (o *observed) WriteHeader(status int) {
	if o.status == 0 {
		o.status = status
	}
	o.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (o *observed) Write(p []byte) (int, error) {
	if o.status == 0 {
		o.status = http.StatusOK
	}
	n, err := o.ResponseWriter.Write(p)
	o.bytes += int64(n)
	return n, err
}

// Unwrap serves http.ResponseController.
func (o *observed) Unwrap() http.ResponseWriter { return o.ResponseWriter }

// pieceSize is how many bytes of a body must come in the time for a piece.
const pieceSize = 4 << 10

// getOn cuts off clients that do not get on: of a body, a piece must come within a time, and of an answer one
// be taken.
func (s *Server) getOn(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pace := &pace{deadlines: http.NewResponseController(w), time: s.Limits.Piece}
		if r.Body != nil && r.Body != http.NoBody {
			r = r.WithContext(r.Context()) // the server looks at the body of its own, for where the next request begins
			r.Body = &pacedBody{ReadCloser: r.Body, pace: pace}
			pace.unread = true
			pace.read()
		}
		next.ServeHTTP(&pacedWriter{ResponseWriter: w, pace: pace}, r)
		if pace.unread {
			pace.read()
		}
		pace.write() // what is left of the answer
	})
}

// pace is for how long a client may take to read or write the next piece. A connection of which that cannot
// be said is waited for.
type pace struct {
	deadlines *http.ResponseController
	time      time.Duration
	unread    bool // the body may have more: before anything is answered, the server reads the rest of one that is not large
}

// read limits for how long the next piece may take to come.
func (p *pace) read() { _ = p.deadlines.SetReadDeadline(time.Now().Add(p.time)) }

// write limits for how long it may take until the next piece is taken.
func (p *pace) write() {
	end := time.Now().Add(p.time)
	if p.unread {
		end = end.Add(p.time)
	}
	_ = p.deadlines.SetWriteDeadline(end)
}

// pacedBody is a body of which the next piece must come in time.
type pacedBody struct {
	io.ReadCloser
	pace  *pace
	piece int // bytes that have come of it
	begun bool
}

// Read implements io.Reader.
func (b *pacedBody) Read(p []byte) (int, error) {
	if !b.begun || b.piece >= pieceSize {
		b.begun, b.piece = true, 0
		b.pace.read()
	}
	n, err := b.ReadCloser.Read(p)
	b.piece += n
	if err != nil {
		b.pace.unread = false
	}
	if errors.Is(err, io.EOF) {
		_ = b.pace.deadlines.SetReadDeadline(time.Time{}) // else the connection would be taken for lost
	}
	return n, err
}

// pacedWriter is an answer of which every piece must be taken in time.
type pacedWriter struct {
	http.ResponseWriter
	pace *pace
}

// Write implements http.ResponseWriter.
func (w *pacedWriter) Write(p []byte) (int, error) {
	w.pace.write()
	return w.ResponseWriter.Write(p)
}

// Unwrap serves http.ResponseController.
func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
