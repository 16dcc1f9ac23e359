package web

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log" //nolint:depguard // http.Server wants one; what it writes goes to zerolog
	"net"
	"net/http"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/net/netutil"
	"golang.org/x/sync/errgroup"

	"github.com/claimline/claimline/cmd/claimline/web/api"
	"github.com/claimline/claimline/cmd/claimline/web/auth"
	"github.com/claimline/claimline/cmd/claimline/web/pages"
	"github.com/claimline/claimline/pipeline/store"
)

// Config is what a Server works with.
type Config struct {
	Store   *store.Store
	API     *api.API
	Pages   *pages.Pages
	Guard   *auth.Guard
	Metrics *Metrics
	Log     zerolog.Logger
	Now     func() time.Time
	Origins []string // besides the service's own, from which browsers may post: those it is known by

	Certificate *Certificate // nil: no TLS
	Limits      Limits
	// Work is done beside answering, until its context ends and what is in hand is finished; nil: none is.
	Work func(ctx context.Context)
	// Stuck says what keeps the work from getting on; nil: nothing does.
	Stuck func(ctx context.Context) error
}

// Server answers requests.
type Server struct {
	Config
	handler http.Handler
}

// Limits are how long the server waits for clients that do not get on, and how many may be connected. What is
// zero is as New has it.
type Limits struct {
	Header      time.Duration // for a handshake, and for the header of a request: 10 s
	Piece       time.Duration // for the next piece of a body, and until one of an answer is taken: 30 s
	Idle        time.Duration // between two requests of a connection: 2 min
	Connections int           // more wait until one is closed: 4096 on each listener
}

// The times after which the server ends, and how long a header may be.
const (
	graceTime  = 20 * time.Second // for requests in hand, once the server is to end
	lastTime   = 5 * time.Second  // for those that were then given up
	headerSize = 64 << 10         // bytes
)

// New returns a server.
func New(c Config) (*Server, error) {
	c.Limits.Header = cmp.Or(c.Limits.Header, 10*time.Second)
	c.Limits.Piece = cmp.Or(c.Limits.Piece, 30*time.Second)
	c.Limits.Idle = cmp.Or(c.Limits.Idle, 2*time.Minute)
	c.Limits.Connections = cmp.Or(c.Limits.Connections, 4096)
	s := &Server{Config: c}
	var err error
	s.handler, err = s.handle()
	return s, err
}

// Run serves on a listener, and metrics on another, which may be nil, until ctx ends. Then nobody new is
// listened to, requests in hand and the work in hand are finished, as far as that does not take too long, and
// Run returns.
func (s *Server) Run(ctx context.Context, listener, metrics net.Listener) error {
	listener = netutil.LimitListener(listener, s.Limits.Connections)
	if s.Certificate != nil {
		listener = tls.NewListener(listener, s.Certificate.config())
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.serve(ctx, listener, s.handler) })
	if metrics != nil {
		metrics = netutil.LimitListener(metrics, s.Limits.Connections)
		g.Go(func() error { return s.serve(ctx, metrics, s.Metrics.handler()) })
	}
	g.Go(func() error { s.API.Run(ctx); return nil })
	g.Go(func() error { s.Guard.Run(ctx); return nil })
	if s.Work != nil {
		g.Go(func() error { s.Work(ctx); return nil })
	}
	return g.Wait()
}

// serve answers on one listener until ctx ends, and what is in hand then.
func (s *Server) serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	requests, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	server := &http.Server{
		Handler: s.getOn(handler), ReadHeaderTimeout: s.Limits.Header, IdleTimeout: s.Limits.Idle, MaxHeaderBytes: headerSize,
		HTTP2:       &http.HTTP2Config{WriteByteTimeout: s.Limits.Piece},
		BaseContext: func(net.Listener) context.Context { return requests },
		ErrorLog:    log.New(serverLog{s.Log}, "", 0),
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve %s: %w", listener.Addr(), err)
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		whole := context.WithoutCancel(ctx)
		for _, wait := range []time.Duration{graceTime, lastTime} {
			ending, cancel := context.WithTimeout(whole, wait)
			err := server.Shutdown(ending)
			cancel()
			if err == nil {
				return nil
			}
			giveUp()
		}
		s.Log.Warn().Msg("requests that do not end were given up")
		return server.Close()
	})
	return g.Wait()
}

// serverLog logs what the HTTP server has to say of connections.
type serverLog struct{ log zerolog.Logger }

// Write implements io.Writer.
func (l serverLog) Write(line []byte) (int, error) {
	l.log.Debug().Str("trouble", string(line)).Msg("connection")
	return len(line), nil
}
