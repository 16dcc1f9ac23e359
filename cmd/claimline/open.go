package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/people"
	"github.com/claimline/claimline/pipeline/schedule"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/pipeline/store/postgres"
	"github.com/claimline/claimline/pipeline/store/sqlite"
	"github.com/claimline/claimline/schema"
)

// access is what a command does with the database.
type access int

const (
	reads   access = iota
	writes         // the database must be there
	creates        // it is made where there is none
)

// session is an open database, with what works on it.
type session struct {
	*pipeline.Flow
	people    *people.People
	schedules *schedule.Scheduler
	pool      *pgxpool.Pool // of a database in PostgreSQL; nil: it is a file
}

// withStore opens the database, does the work, and closes the database again.
func (a *app) withStore(ctx context.Context, how access, work func(*session) error) (err error) {
	path, isFile := a.databaseFile()
	made := how == creates && isFile && missing(path)
	s, pool, err := a.openStore(ctx, how)
	if err != nil {
		return err
	}
	defer func() {
		empty := false
		if made && err != nil {
			loaded, listErr := s.Organizations(context.WithoutCancel(ctx))
			empty = listErr == nil && len(loaded) == 0
		}
		closeErr := s.Close()
		if err == nil && closeErr != nil {
			err = fmt.Errorf("close the database: %w", closeErr)
		}
		if empty && closeErr == nil {
			removeDatabase(path)
		}
	}()
	opened, err := a.session(s)
	if err != nil {
		return err
	}
	opened.pool = pool
	return work(opened)
}

// databaseFile returns the file of the database that --db names, where it is one.
func (a *app) databaseFile() (path string, isFile bool) {
	scheme, path, _ := strings.Cut(a.config.DB, ":")
	return path, scheme == "sqlite"
}

func missing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// removeDatabase removes a database that was made in vain, unless its log tells that somebody else has it
// open by now.
func removeDatabase(path string) {
	if missing(path + "-wal") {
		_ = os.Remove(path)
	}
}

// openStore opens the database that --db names; pool leads to it where it is in PostgreSQL.
func (a *app) openStore(ctx context.Context, how access) (_ *store.Store, pool *pgxpool.Pool, err error) {
	var db store.DB
	scheme, rest, _ := strings.Cut(a.config.DB, ":")
	switch {
	case scheme == "sqlite" && rest != "":
		db, err = sqlite.Open(ctx, rest, sqlite.Options{Create: how == creates, ReadOnly: how == reads})
	case (scheme == "postgres" || scheme == "postgresql") && strings.HasPrefix(rest, "//"):
		var server *postgres.DB
		if server, err = postgres.Open(ctx, a.config.DB, postgres.Options{Create: how == creates, ReadOnly: how == reads}); err == nil {
			db, pool = server, server.Pool()
		}
	default:
		shown := " " + strconv.Quote(a.config.DB)
		if strings.Contains(a.config.DB, "@") || strings.Contains(a.config.DB, "password") { // nobody else is to read it
			shown = ""
		}
		return nil, nil, usage("--db%s is not the name of a database.", shown).
			WithFix("Write sqlite:PATH, as in sqlite:claimline.db, or postgres://USER@HOST/DATABASE.")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("open the database: %w", err)
	}
	return store.New(db), pool, nil
}

// session sets up what works on a store; nil: what does without.
func (a *app) session(s *store.Store) (*session, error) {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	limits := dialect.Limits{RecordBytes: a.config.Limits.RecordBytes, Columns: a.config.Limits.Columns}
	flow, err := pipeline.New(pipeline.Config{
		Store: s, Now: a.now, Policy: a.config.Policy, Workers: a.config.Workers, TransactionRows: a.config.TransactionRows, Lease: a.config.Lease,
		Log: a.log, Limits: limits, Runner: fmt.Sprintf("%s/%d", host, os.Getpid()), Version: version,
		Retry: a.config.Retry,
	})
	if err != nil {
		return nil, err
	}
	return &session{
		Flow:      flow,
		people:    &people.People{Store: s, Now: a.now, Policy: a.config.Policy, Limits: limits, Persist: flow.Persist},
		schedules: &schedule.Scheduler{Flow: flow, Folders: a.config.Service.Folders},
	}, nil
}

// byTerminal names who runs the program, as imports keep it.
func byTerminal() string { return "terminal:" + userName() }

// userName returns who runs the program.
func userName() string {
	if me, err := user.Current(); err == nil && me.Username != "" {
		return me.Username
	}
	return first(os.Getenv("USER"), os.Getenv("USERNAME"), "unknown")
}

// withOrganization does what withStore does, for commands that work for one organization, which must be
// known.
func (a *app) withOrganization(ctx context.Context, how access, work func(*session, schema.Organization) error) error {
	return a.withStore(ctx, how, func(p *session) error {
		organization, err := a.organization(ctx, p.Store)
		if err != nil {
			return err
		}
		return work(p, organization)
	})
}

// finder finds the organization a command works for.
type finder func(context.Context, *store.Store) (schema.Organization, error)

// anyOrganization does what organization does, for commands that can do without: where --org names none, it
// returns none.
func (a *app) anyOrganization(ctx context.Context, s *store.Store) (schema.Organization, error) {
	if a.config.Org == "" {
		return schema.Organization{}, nil
	}
	return a.organization(ctx, s)
}

// organization finds the organization that --org names; the refusal lists those there are.
func (a *app) organization(ctx context.Context, s *store.Store) (schema.Organization, error) {
	if a.config.Org != "" {
		organization, err := s.Organization(ctx, a.config.Org)
		if schema.CodeOf(err) != schema.CodeOrganizationUnknown {
			return organization, err
		}
	}
	all, err := s.Organizations(ctx)
	if err != nil {
		return schema.Organization{}, err
	}
	const listed = 10
	var ids, shown []string
	for _, organization := range all {
		ids = append(ids, organization.ID)
		// An organization that claims is an enterprise; there may be thousands of others.
		if len(all) <= listed || organization.Kind == schema.Enterprise && len(shown) < listed {
			shown = append(shown, organization.ID)
		}
	}
	list := schema.Say("%s", strings.Join(shown, ", "))
	if len(ids) > len(shown) {
		list = schema.Say("%s and %d more", list, len(ids)-len(shown))
	}
	if a.config.Org == "" {
		return schema.Organization{}, usage("Nothing says which organization claims.").WithFix("Add --org ID, or set CLAIMLINE_ORG. Known: %s.", list)
	}
	refused := schema.Refuse(schema.CodeOrganizationUnknown, "There is no organization %q. Known: %s.", a.config.Org, list)
	if near, ok := schema.Nearest([]string{a.config.Org}, ids); ok {
		return schema.Organization{}, refused.WithFix("Did you mean --org %s?", near)
	}
	return schema.Organization{}, refused
}
