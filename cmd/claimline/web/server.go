package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log" //nolint:depguard // http.Server wants one; what it writes goes to zerolog
	"net"
	"net/http"
	"time"

	"github.com/rs/zerolog"
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

// The times after which clients are cut off that do not get on, and after which the server ends.
const (
	headerTime = 10 * time.Second // for the header of a request
	idleTime   = 2 * time.Minute  // between two requests of a connection
	graceTime  = 20 * time.Second // for requests in hand, once the server is to end
	lastTime   = 5 * time.Second  // for those that were then given up
	headerSize = 64 << 10         // bytes
)

// New returns a server.
func New(c Config) (*Server, error) {
	s := &Server{Config: c}
	var err error
	s.handler, err = s.handle()
	return s, err
}

// Run serves on a listener, and metrics on another, which may be nil, until ctx ends. Then nobody new is
// listened to, requests in hand and the work in hand are finished, as far as that does not take too long, and
// Run returns.
func (s *Server) Run(ctx context.Context, listener, metrics net.Listener) error {
	if s.Certificate != nil {
		listener = tls.NewListener(listener, s.Certificate.config())
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.serve(ctx, listener, s.handler) })
	if metrics != nil {
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
		Handler: handler, ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: headerSize,
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
