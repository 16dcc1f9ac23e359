package main

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/cmd/claimline/web"
	"github.com/claimline/claimline/cmd/claimline/web/api"
	"github.com/claimline/claimline/cmd/claimline/web/auth"
	"github.com/claimline/claimline/cmd/claimline/web/desk"
	"github.com/claimline/claimline/cmd/claimline/web/pages"
	"github.com/claimline/claimline/pipeline/domains"
	"github.com/claimline/claimline/pipeline/jobs"
	"github.com/claimline/claimline/schema"
)

func (a *app) serveCommand() *cobra.Command {
	var listen string
	var workers int
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve pages and the API, and do the work that waits",
		Long: `Serves the pages, for who will not open a terminal and for owners who choose, and the API; and does the work that waits: imports that
were agreed to and that nobody at a terminal drives, schedules, mails, and what time makes due. It logs in JSON, on stderr. SIGTERM and Ctrl-C
finish what is in hand, and give the imports back: the next start goes on with them. A second one ends at once. Who uses it needs a token:
claimline token create.`,
		Example: `  claimline serve --listen 127.0.0.1:8080
  claimline serve --listen 127.0.0.1:8443 --workers 4`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("workers") {
				workers = defaultWorkers()
			}
			if workers < 0 {
				return usage("--workers %d is too few.", workers).WithFix("Write --workers 0 to answer requests alone, or leave it out.")
			}
			if listen == "" {
				listen = a.config.Service.Listen
			}
			if err := a.openLogAt("info"); err != nil {
				return err
			}
			err := a.withStore(cmd.Context(), writes, func(p *session) error { return a.serve(cmd.Context(), p, listen, workers) })
			if cmd.Context().Err() != nil && errors.Is(err, context.Canceled) { // stopped while it started
				return nil
			}
			return err
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "", "`HOST:PORT` to answer at (default 127.0.0.1:8080)")
	cmd.Flags().IntVar(&workers, "workers", 0, "imports worked on at once; 0: none (default: one per processor, at least 2)")
	return cmd
}

// requestRetry is for how long a request waits for passing trouble with the database.
const requestRetry = 2 * time.Second

// serve answers requests and does the work until ctx ends.
func (a *app) serve(ctx context.Context, p *session, listen string, workers int) error {
	metrics := web.NewMetrics(p.Store, a.now, a.log)
	p.Applied = metrics.Applied
	config := web.Config{Store: p.Store, Metrics: metrics, Log: a.log, Now: a.now}
	work, err := a.work(p, workers)
	if err != nil {
		return err
	}
	wake := func(ctx context.Context) { work.Wake(ctx, jobs.ImportsLoop); work.Wake(ctx, schedulesLoop) }
	if workers > 0 {
		alive := &pulse{now: a.now}
		alive.listen(work.Loops)
		config.Stuck, config.Work = alive.stuck, work.Run
	}
	d, err := a.setUp(p, &config, wake)
	if err != nil {
		return err
	}
	defer d.Close()
	server, err := web.New(config)
	if err != nil {
		return err
	}
	listener, err := listenAt(listen)
	if err != nil {
		return err
	}
	var operators net.Listener
	if at := a.config.Service.MetricsListen; at != "" {
		if operators, err = listenAt(at); err != nil {
			return errors.Join(err, listener.Close())
		}
	}
	scheme := "http"
	if config.Certificate != nil {
		scheme = "https"
	}
	a.log.Info().Str("url", scheme+"://"+listener.Addr().String()).Int("workers", workers).Msg("serving")
	a.say("Serving at %s://%s. Stop with Ctrl-C.", scheme, listener.Addr())
	if err := a.sayTokens(ctx, p); err != nil {
		return err
	}
	if err := server.Run(ctx, listener, operators); err != nil {
		return err
	}
	a.log.Info().Msg("stopped")
	return nil
}

// setUp completes what a server works with, and returns the desk that serves its requests.
func (a *app) setUp(p *session, config *web.Config, wake func(context.Context)) (*desk.Desk, error) {
	proxies, err := auth.ParseProxies(a.config.Service.TrustedProxies)
	if err != nil {
		return nil, err
	}
	config.Guard = &auth.Guard{Store: p.Store, Now: a.now, Log: a.log, Proxies: proxies, Failures: auth.NewFailures(a.now, auth.TokenFailures)}
	if base := a.config.Service.BaseURL; base != "" {
		config.Origins = []string{base}
	}
	if files := a.config.TLS; files.Certificate != "" {
		if config.Certificate, err = web.LoadCertificate(files.Certificate, files.Key, a.now, a.log); err != nil {
			return nil, err
		}
	}
	location := time.Local
	if zone := a.config.Service.Zone; zone != "" {
		if location, err = time.LoadLocation(zone); err != nil {
			return nil, schema.Refuse(schema.CodeZoneUnknown, "The configuration's service.zone %q is no time zone.", zone).Because(err)
		}
	}
	flow := *p.Flow
	flow.Retry = min(flow.Retry, requestRetry)
	people := *p.people
	people.Persist = flow.Persist
	d := desk.New(desk.Config{Flow: &flow, People: &people, Wake: wake, Uploads: a.config.Service.Uploads, UploadBytes: a.config.Service.UploadBytes})
	resolver := domains.Resolver{Address: a.config.Resolver, Timeout: a.config.ResolverTimeout}
	schedules := *p.schedules
	schedules.Flow = &flow
	config.API, err = api.New(api.Config{Desk: d, Schedules: &schedules, Guard: config.Guard, Resolver: resolver, Version: version, Location: location})
	if err != nil {
		return nil, err
	}
	config.Pages, err = pages.New(pages.Config{
		Desk: d, Schedules: &schedules, Guard: config.Guard, Resolver: resolver, Location: location, Contact: a.config.contact(), Mailed: a.config.mailed(),
		Secure: config.Certificate != nil || strings.HasPrefix(a.config.Service.BaseURL, "https:"),
	})
	return d, err
}

// sayTokens says how to make a token where nobody has one.
func (a *app) sayTokens(ctx context.Context, p *session) error {
	some, err := p.Store.AnyTokens(ctx)
	if err == nil && !some {
		a.log.Warn().Msg("there is no token yet, so nobody is let in; make one: claimline token create --org ID --role admin")
	}
	return err
}

func listenAt(address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address) //nolint:noctx // it is there until the server ends
	if err != nil {
		return nil, schema.Refuse(schema.CodeConfigInvalid, "Nobody can be listened to at %s.", address).
			WithFix("Choose another address: --listen HOST:PORT. Or end the process that listens there.").Because(err)
	}
	return listener, nil
}
