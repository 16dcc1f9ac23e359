package main

import (
	"context"
	"path/filepath"
)

// listings measures what is shown of an organization of so many users: the first pages, and all of it.
func (b *bench) listings(ctx context.Context) error {
	in, err := b.loaded(ctx, b.Rows)
	if err != nil {
		return err
	}
	b.say("claiming everybody")
	claimed := b.importJob(in, in)
	if err := claimed.prepare(ctx); err != nil {
		return err
	}
	if _, _, err := claimed.start(ctx); err != nil {
		return err
	}
	look := func(name, database string, args ...string) *job {
		return &job{name: "claimline " + name, rows: b.Rows, args: append([]string{b.Program, "--db", "sqlite:" + database, "--org", "acme", "-q"}, args...)}
	}
	pages := []*job{
		look("users, first page", in.copied(), "users"),
		look("users --status delayed_claim, first page", in.copied(), "users", "--status", "delayed_claim", "--json", "--limit", "250"),
		look("deadlines, first page", in.copied(), "deadlines"),
		look("eligible, first page and total", in.database(), "eligible"), // before anybody is claimed
	}
	ours, theirs := filepath.Join(in.dir, "users.json"), filepath.Join(in.dir, "sqlite3.json")
	all := look("users --json", in.copied(), "users", "--json")
	all.stdout = ours
	peer := &job{
		name: "sqlite3 -json, the same columns", rows: b.Rows, peer: true, needs: []need{{command: "sqlite3"}},
		args: []string{"sqlite3", "-readonly", "import.db", ".read ../peers/users.sql"}, dir: in.dir, stdout: theirs,
	}
	if lookFor(peer.needs, b.Dir) == "" {
		if all.want, err = b.listed(ctx, peer); err != nil {
			peer.missing = "its users could not be counted: " + err.Error()
		} else { // ours has one user a line, and one line to end the list
			all.count = rowsOf(ours)
		}
	}
	if err := b.measure(ctx, append(pages, all, peer)...); err != nil {
		return err
	}
	for _, j := range pages {
		b.line(j, &check{against: "start to end", value: j.wall().Seconds(), unit: " s", target: 0.2, dream: 0.05, digits: 2})
	}
	b.line(all, slower(all, peer, "sqlite3", 2, 1), within(all, 60, 0))
	b.line(peer)
	return nil
}

// listed returns how many users a peer lists, one a line.
func (*bench) listed(ctx context.Context, peer *job) (int, error) {
	if _, _, err := peer.start(ctx); err != nil {
		return 0, err
	}
	return linesOf(peer.stdout)
}
