package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
)

// listings measures what is shown of an organization into which everybody has been claimed: first pages, and everything.
func (b *bench) listings(ctx context.Context) error {
	in, err := b.loaded(ctx, b.Rows)
	if err != nil {
		return err
	}
	b.say("claiming everybody")
	claimed := b.importJob(in, in)
	if err := copyDatabase(in.database(), in.copied()); err != nil {
		return err
	}
	if _, _, err := claimed.start(ctx); err != nil {
		return err
	}
	// Before the claims, eligible lists everybody; after them, users and deadlines do.
	look := func(name, database string, args ...string) *job {
		return &job{name: "claimline " + name, rows: b.Rows, args: append([]string{b.Program, "--db", "sqlite:" + database, "--org", "acme", "-q"}, args...)}
	}
	pages := []*job{
		look("users, first page", in.copied(), "users"),
		look("users --status delayed_claim --limit 50 --json", in.copied(), "users", "--status", "delayed_claim", "--limit", "50", "--json"),
		look("deadlines, first page", in.copied(), "deadlines"),
		look("eligible, first page and total", in.database(), "eligible"),
	}
	ours, theirs := filepath.Join(in.dir, "users.json"), filepath.Join(in.dir, "sqlite3.json")
	all := look("users --json", in.copied(), "users", "--json")
	all.stdout, all.count = ours, objectsOf(ours)
	peer := &job{
		name: "sqlite3 -json, the same columns", rows: b.Rows, peer: true, needs: []need{{command: "sqlite3"}}, count: objectsOf(theirs),
		args: []string{"sqlite3", "-readonly", "import.db", ".read ../peers/users.sql"}, dir: in.dir, stdout: theirs,
	}
	// How many there are, only the two can tell: they are held against each other.
	if all.want, err = countObjects(ctx, peer); err != nil {
		all.count = nil
	}
	peer.want = all.want
	if err := b.measure(ctx, append(pages, all, peer)...); err != nil {
		return err
	}
	for _, j := range pages {
		b.line(j, &check{against: "start to end", value: j.wall().Seconds(), unit: " s", target: 0.2, dream: 0.05, digits: 3})
	}
	b.line(all, slower(all, peer, "sqlite3", 2, 1), within(all, 60, 0))
	b.line(peer)
	return nil
}
