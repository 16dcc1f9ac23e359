package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// group is what is measured in turn.
type group struct {
	name    string
	measure func(*bench, context.Context) error
}

// groups in the order in which they are measured: what can be done without comes last.
var groups = []group{
	{"validate", (*bench).validate},
	{"import", (*bench).imports},
	{"export", (*bench).export},
	{"listings", (*bench).listings},
	{"small", (*bench).small},
	{"growth", (*bench).growth},
	{"others", (*bench).others},
}

func groupNames() string {
	names := make([]string, len(groups))
	for i, g := range groups {
		names[i] = g.name
	}
	return strings.Join(names, ", ")
}

// chooseGroups returns the groups of these names, or all of them where no name is given.
func chooseGroups(only string) ([]group, error) {
	if only == "" {
		return groups, nil
	}
	var chosen []group
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(groups, func(g group) bool { return g.name == strings.TrimSpace(name) })
		if i < 0 {
			return nil, fmt.Errorf("there is no group %q; there are %s", name, groupNames())
		}
		chosen = append(chosen, groups[i])
	}
	return chosen, nil
}

// validate measures reading and checking a file, without a store.
func (b *bench) validate(ctx context.Context) error {
	in, err := b.input(ctx, b.Rows, false)
	if err != nil {
		return err
	}
	plain := &job{name: "encoding/csv, read only", rows: b.Rows, args: []string{b.self, "plain", in.file()}, count: lastNumber, want: b.Rows}
	read := &job{name: "read and decode", rows: b.Rows, args: []string{b.self, "read", in.file()}, count: lastNumber, want: b.Rows}
	validate := b.validateJob(in)
	duckdb := &job{name: "DuckDB, the same checks", needs: []need{{command: "node"}, {pkg: "@duckdb/node-api"}}, args: []string{"node", b.script("duckdb.mjs"), in.file()}}
	zod := &job{name: "PapaParse + Zod", runs: slowRuns, needs: []need{{command: "node"}, {pkg: "papaparse"}, {pkg: "zod"}}, args: []string{"node", b.script("papaparse.mjs"), in.file()}}
	python := &job{name: "Python, csv + re", runs: slowRuns, needs: []need{{command: "python3"}}, args: []string{"python3", b.script("validate.py"), in.file()}}
	for _, j := range []*job{duckdb, zod, python} {
		j.rows, j.peer, j.count, j.want = b.Rows, true, lastNumber, in.offlineBad()
	}
	if err := b.measure(ctx, plain, read, validate, duckdb, zod, python); err != nil {
		return err
	}
	b.line(plain)
	b.line(read, slower(read, plain, "encoding/csv", 1.0, 0.5))
	b.line(validate,
		slower(validate, plain, "encoding/csv", 3.0, 1.3),
		faster(validate, duckdb, "DuckDB", 1.5, 3),
		smaller(validate, duckdb, "DuckDB", 0.2),
		faster(validate, zod, "PapaParse + Zod", 5, 10),
		faster(validate, python, "Python", 6, 12),
		within(validate, 80, 48))
	b.line(duckdb)
	b.line(zod)
	b.line(python)
	return nil
}

// others measures peers that are far behind, or check less, once each.
func (b *bench) others(ctx context.Context) error {
	in, err := b.input(ctx, b.Rows, false)
	if err != nil {
		return err
	}
	ragged := in.stats.Reasons["field_count"]
	validate := b.validateJob(in)
	csvclean := &job{
		name: "csvclean, number of fields only", needs: []need{{command: "csvclean"}},
		args: []string{"csvclean", "-n", in.file()}, count: countLines("Line "), want: ragged,
	}
	miller := &job{
		name: "Miller, all but the number of fields", needs: []need{{command: "mlr"}},
		args:  []string{"mlr", "-S", "--icsv", "--onidx", "--allow-ragged-csv-input", "put", "-q", "-f", b.script("checks.mlr"), in.file()},
		count: lastNumber, want: in.offlineBad() - ragged,
	}
	for _, j := range []*job{validate, csvclean, miller} {
		j.rows, j.runs = b.Rows, 1
	}
	csvclean.peer, miller.peer = true, true
	if err := b.measure(ctx, validate, csvclean, miller); err != nil {
		return err
	}
	b.line(csvclean, faster(validate, csvclean, "claimline validate --offline is", 0, 0))
	b.line(miller, faster(validate, miller, "claimline validate --offline is", 0, 0))
	return nil
}

// imports measures a whole import, sorted and shuffled, beside a bulk load of what it writes.
func (b *bench) imports(ctx context.Context) error {
	in, err := b.loaded(ctx, b.Rows)
	if err != nil {
		return err
	}
	mixed, err := b.input(ctx, b.Rows, true)
	if err != nil {
		return err
	}
	sorted, shuffled := b.importJob(in, in), b.importJob(in, mixed)
	shuffled.name += ", shuffled"
	bulk := &job{
		name: "sqlite3, bulk load of claims and results", rows: b.Rows, peer: true, needs: []need{{command: "sqlite3"}},
		args: []string{"sqlite3", "bulk.db", ".read ../peers/bulk.sql"}, dir: in.dir, count: lastNumber,
		prepare: func(context.Context) error { return removeDatabase(filepath.Join(in.dir, "bulk.db")) },
	}
	if lookFor(bulk.needs, b.Dir) == "" {
		if bulk.want, err = b.bulkInput(ctx, in, sorted); err != nil {
			bulk.missing = "its input could not be made: " + err.Error()
		}
	}
	if err := b.measure(ctx, sorted, bulk, shuffled); err != nil {
		return err
	}
	b.line(sorted, slower(sorted, bulk, "sqlite3", 1.5, 1.0), within(sorted, 160, 128))
	b.line(shuffled, slower(shuffled, sorted, "sorted", 2, 1.2))
	b.line(bulk)
	return nil
}

// bulkInput runs an import to the end and writes its claims and results to files for sqlite3 to load.
// It returns how many there are.
func (b *bench) bulkInput(ctx context.Context, in *inputFiles, sorted *job) (int, error) {
	b.say("making the claims and results to bulk-load")
	if err := copyDatabase(in.database(), in.copied()); err != nil {
		return 0, err
	}
	for _, step := range []*job{
		{args: sorted.args, problem: true},
		{args: []string{b.Program, "--db", "sqlite:" + in.copied(), "--org", "acme", "-q", "report", "--format", "jsonl", "-o", filepath.Join(in.dir, "results.jsonl")}},
		{args: []string{"sqlite3", "", ".read ../peers/results.sql"}, dir: in.dir},
		{args: []string{"sqlite3", "-readonly", "import.db", ".read ../peers/claims.sql"}, dir: in.dir},
	} {
		if _, _, err := step.start(ctx); err != nil {
			return 0, err
		}
	}
	claims, err := linesOf(filepath.Join(in.dir, "claims.csv"))
	if err != nil {
		return 0, err
	}
	results, err := linesOf(filepath.Join(in.dir, "results.csv"))
	if err != nil {
		return 0, err
	}
	return claims + results, remove(filepath.Join(in.dir, "results.jsonl"))
}

// export measures writing the users file from a loaded database.
func (b *bench) export(ctx context.Context) error {
	in, err := b.loaded(ctx, b.Rows)
	if err != nil {
		return err
	}
	ours, theirs := filepath.Join(in.dir, "export.csv"), filepath.Join(in.dir, "sqlite3.csv")
	export := &job{
		name: "claimline export", rows: b.Rows, count: rowsOf(ours), want: b.Rows,
		args: []string{b.Program, "--db", "sqlite:" + in.database(), "--org", "acme", "-q", "export", "--force", "-o", ours},
	}
	sqlite := &job{
		name: "sqlite3 -csv, the same rows", rows: b.Rows, peer: true, needs: []need{{command: "sqlite3"}}, count: rowsOf(theirs), want: b.Rows,
		args: []string{"sqlite3", "-readonly", "claimline.db", ".read ../peers/export.sql"}, dir: in.dir, stdout: theirs,
	}
	if err := b.measure(ctx, export, sqlite); err != nil {
		return err
	}
	b.line(export, slower(export, sqlite, "sqlite3", 2.5, 1.2))
	b.line(sqlite)
	return nil
}

// small measures the file that most people have.
func (b *bench) small(ctx context.Context) error {
	const rows = 20_000
	in, err := b.loaded(ctx, rows)
	if err != nil {
		return err
	}
	validate := &job{
		name: "claimline validate, 20,000 rows", rows: rows, problem: true, count: invalidRows, want: in.stats.Bad,
		args: []string{b.Program, "--db", "sqlite:" + in.database(), "--org", "acme", "validate", "--json", in.file()},
	}
	imported := b.importJob(in, in)
	imported.name += ", 20,000 rows"
	if err := b.measure(ctx, validate, imported); err != nil {
		return err
	}
	for _, j := range []*job{validate, imported} {
		b.line(j, &check{against: "start to end", value: j.wall().Seconds(), unit: " s", target: 1, digits: 2})
	}
	return nil
}

// growth measures what more rows cost.
func (b *bench) growth(ctx context.Context) error {
	sizes := []int{b.Rows / 100, b.Rows / 10, b.Rows, b.Rows * 3}
	var validates, imported, all []*job
	for _, rows := range sizes {
		in, err := b.loaded(ctx, rows)
		if err != nil {
			return err
		}
		validates = append(validates, b.validateJob(in))
		imported = append(imported, b.importJob(in, in))
	}
	for i, rows := range sizes {
		for _, j := range []*job{validates[i], imported[i]} {
			j.runs = slowRuns
			j.name += ", " + showCount(rows) + " rows"
			all = append(all, j)
		}
	}
	if err := b.measure(ctx, all...); err != nil {
		return err
	}
	for _, jobs := range [][]*job{validates, imported} {
		for i, j := range jobs {
			if i == 0 {
				b.line(j)
				continue
			}
			b.line(j, grown(jobs[i-1], j, i == len(jobs)-1)...)
		}
	}
	return nil
}

// grown holds a job against the same with fewer rows.
// Only the last step is judged: before, the buffers fill and the start of the process counts.
func grown(from, to *job, judged bool) []*check {
	against := showCount(from.rows) + " rows"
	perRow := to.wall().Seconds() / float64(to.rows) * float64(from.rows) / from.wall().Seconds()
	wall := &check{against: against, value: perRow, unit: "× its time per row", digits: 2}
	if judged {
		wall.target = 1.2 // linear, but for noise
	}
	if from.memory() == 0 || to.memory() == 0 {
		return []*check{wall}
	}
	memory := &check{against: against, value: float64(to.memory()-from.memory()) / float64(to.rows-from.rows), unit: " B per further row"}
	if judged {
		memory.target = 24
	}
	return []*check{wall, memory}
}

func (b *bench) script(name string) string { return filepath.Join(b.Dir, "peers", name) }

// loaded makes a sorted input and its database.
func (b *bench) loaded(ctx context.Context, rows int) (*inputFiles, error) {
	in, err := b.input(ctx, rows, false)
	if err != nil {
		return nil, err
	}
	return in, b.load(ctx, in)
}

func (b *bench) validateJob(in *inputFiles) *job {
	return &job{
		name: "claimline validate --offline", rows: in.rows, problem: true, count: invalidRows, want: in.offlineBad(),
		args: []string{b.Program, "validate", "--offline", "--json", in.file()},
	}
}

// importJob imports a file into a fresh copy of the database of the input loaded.
func (b *bench) importJob(loaded, in *inputFiles) *job {
	return &job{
		name: "claimline import", rows: in.rows, problem: true, count: invalidRows, want: in.stats.Bad,
		args:    []string{b.Program, "--db", "sqlite:" + loaded.copied(), "--org", "acme", "import", "--accept-permanent", "--json", in.file()},
		prepare: func(context.Context) error { return copyDatabase(loaded.database(), loaded.copied()) },
	}
}
