package pages

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/claimline/claimline/cmd/claimline/web/desk"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/directory"
	"github.com/claimline/claimline/pipeline/people"
	"github.com/claimline/claimline/schema"
)

func (p *Pages) registerDirectory() {
	p.page("GET /directory", schema.RoleViewer, func(e *exchange) error { return p.showDirectory(e, nil, "") })
	p.page("POST /directory", schema.RoleViewer, p.previewDirectory)
	p.page("GET /directory.csv", schema.RoleViewer, p.downloadDirectory)
}

// directoryPage is what a run over a directory's list would do.
type directoryPage struct {
	Preview *preview // nil: no list was uploaded lately
	Effects []effectCount
	Total   int // rows of the effect that is shown; of all where none is
	Effect  schema.SyncEffect
	Rows    []previewRow
	From    int    // the number of the first of them
	To      int    // and of the last
	Earlier string // what to ask for to see those before; blank: there are none
	Next    string
	Risk    int // members that would be deactivated
	Notes   []template.HTML
	Address string // the column that was typed
	Refused *refusal
}

// effectCount is on how many users a run would have this effect.
type effectCount struct {
	Effect schema.SyncEffect
	Label  template.HTML
	Count  int
}

// preview is what a run would do, kept for a while, so that its rows can be looked at page by page. The rows
// are those of one effect after those of another, and lie in parts, each of which is kept by itself.
type preview struct {
	ID     string // of its parts
	File   string
	At     time.Time
	Counts map[schema.SyncEffect]int
	Rows   int
	Notes  directory.Notes
	Beside int // members that the list lacks, and has otherwise
}

// previewRow is a row of a preview.
type previewRow struct {
	Email  string
	Listed string // as the list has it; blank where that is the same, or the list lacks it
	Effect schema.SyncEffect
	Beside *directory.Beside // where the list has a member whom it lacks; nil: nowhere
}

const (
	previewTime = time.Hour
	previewPart = 5_000 // rows
	rowsOfPage  = 50
)

// previewName names what is kept of the preview of a token. No session of a browser has such a name: those
// are digests.
func previewName(token schema.Token) string { return "directory:" + strconv.FormatInt(token.ID, 10) }

func (v *preview) part(n int) string { return "directory:" + v.ID + ":" + strconv.Itoa(n) }

func (v *preview) parts() int { return (v.Rows + previewPart - 1) / previewPart }

// previewDirectory takes in a list, and keeps what a run over it would do in place of what was kept before.
func (p *Pages) previewDirectory(e *exchange) error {
	column := ""
	err := p.Receive(e.w, e.r, "", []string{"address"}, func(file desk.Upload) error {
		column = file.Fields.Get("address")
		plan, err := p.People.PreviewSync(e.r.Context(), e.organization.ID, file, column)
		if err != nil {
			return err
		}
		return p.keepPreview(e, file.Name(), plan)
	})
	if err == nil {
		return e.redirect("/directory#preview")
	}
	said := e.words.refusalOf(err)
	if said.Status >= http.StatusInternalServerError || said.Status == http.StatusTooManyRequests {
		return err
	}
	return p.showDirectory(e, &said, column)
}

func (p *Pages) keepPreview(e *exchange, file string, plan *people.SyncPlan) error {
	ctx, now := e.r.Context(), p.Flow.Now()
	old, err := p.preview(ctx, e.token)
	if err != nil {
		return err
	}
	v := &preview{ID: rand.Text(), File: file, At: now, Counts: plan.Counts, Rows: len(plan.Rows), Notes: plan.List, Beside: len(plan.Beside)}
	beside := map[string]*directory.Beside{}
	for i := range plan.Beside {
		beside[plan.Beside[i].Email] = &plan.Beside[i].Beside
	}
	part := 0
	for of := range slices.Chunk(plan.Rows, previewPart) {
		rows := make([]previewRow, len(of))
		for i, row := range of {
			if rows[i] = (previewRow{Email: row.Email, Effect: row.Effect, Beside: beside[row.Email]}); row.Listed != row.Email {
				rows[i].Listed = row.Listed
			}
		}
		if err := p.keepPacked(ctx, v.part(part), rows, now); err != nil {
			return err
		}
		part++
	}
	if err := p.keepPacked(ctx, previewName(e.token), v, now); err != nil || old == nil {
		return err
	}
	for n := range old.parts() {
		if err := p.Flow.Persist(ctx, func() error { return p.Flow.Store.EndSession(ctx, old.part(n)) }); err != nil {
			return err
		}
	}
	return nil
}

func (p *Pages) keepPacked(ctx context.Context, name string, value any, now time.Time) error {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	err := json.NewEncoder(w).Encode(value)
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return fmt.Errorf("pack a preview: %w", err)
	}
	return p.Flow.Persist(ctx, func() error { return p.Flow.Store.KeepSession(ctx, name, packed.Bytes(), now.Add(previewTime), now) })
}

// unpack reads what was kept; found is false once its time is over.
func (p *Pages) unpack(ctx context.Context, name string, into any) (found bool, err error) {
	packed, found, err := p.Flow.Store.Session(ctx, name, p.Flow.Now())
	if err != nil || !found {
		return false, err
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err == nil {
		err = json.NewDecoder(r).Decode(into)
	}
	if err != nil {
		return false, fmt.Errorf("unpack a preview: %w", err)
	}
	return true, nil
}

// preview returns what is kept of the list that was uploaded last with a token; nil: nothing.
func (p *Pages) preview(ctx context.Context, token schema.Token) (*preview, error) {
	v := &preview{}
	found, err := p.unpack(ctx, previewName(token), v)
	if err != nil || !found {
		return nil, err
	}
	return v, nil
}

// each hands over the rows of a preview from one number up to another.
func (p *Pages) each(ctx context.Context, v *preview, from, to int, each func([]previewRow) error) error {
	for from < to {
		var rows []previewRow
		part := from / previewPart
		found, err := p.unpack(ctx, v.part(part), &rows)
		if err != nil {
			return err
		}
		begin, end := from-part*previewPart, min(to-part*previewPart, len(rows))
		if !found || begin >= end { // another list was uploaded meanwhile
			return &schema.Error{Code: schema.CodeNotFound}
		}
		if err := each(rows[begin:end]); err != nil {
			return err
		}
		from += end - begin
	}
	return nil
}

// span returns between which numbers the rows of an effect are; those of all where it is no effect.
func (v *preview) span(effect schema.SyncEffect) (from, to int, of schema.SyncEffect) {
	for _, other := range schema.SyncEffects {
		to = from + v.Counts[other]
		if other == effect {
			return from, to, effect
		}
		from = to
	}
	return 0, v.Rows, ""
}

// showDirectory shows the form, and what a run over the list that was uploaded last would do.
func (p *Pages) showDirectory(e *exchange, refused *refusal, column string) error {
	page := directoryPage{Refused: refused, Address: column}
	if refused != nil {
		return e.show(refused.Status, "directory", page)
	}
	ctx, query := e.r.Context(), e.r.URL.Query()
	var err error
	if page.Preview, err = p.preview(ctx, e.token); err != nil {
		return err
	}
	if v := page.Preview; v != nil {
		page.Notes = e.words.listNotes(&v.Notes)
		page.Risk = v.Counts[schema.SyncDeactivate]
		for _, effect := range schema.SyncEffects {
			if n := v.Counts[effect]; n > 0 {
				page.Effects = append(page.Effects, effectCount{effect, e.words.effect(effect), n})
			}
		}
		var from, to int
		from, to, page.Effect = v.span(schema.SyncEffect(query.Get("effect")))
		page.Total = to - from
		skip, _ := strconv.Atoi(query.Get("from")) // what is no number is the first page
		skip = max(0, min(skip, page.Total-1))
		page.From, page.To = skip+1, min(skip+rowsOfPage, page.Total)
		if err := p.each(ctx, v, from+skip, from+page.To, func(rows []previewRow) error {
			page.Rows = append(page.Rows, rows...)
			return nil
		}); err != nil {
			return err
		}
		at := func(from int) string {
			return "/directory?" + url.Values{"effect": {string(page.Effect)}, "from": {strconv.Itoa(from)}}.Encode() + "#rows"
		}
		if skip > 0 {
			page.Earlier = at(max(0, skip-rowsOfPage))
		}
		if page.To < page.Total {
			page.Next = at(page.To)
		}
	}
	return e.show(http.StatusOK, "directory", page)
}

// downloadDirectory hands out the rows of an effect, or all.
func (p *Pages) downloadDirectory(e *exchange) error {
	ctx := e.r.Context()
	v, err := p.preview(ctx, e.token)
	if err != nil {
		return err
	}
	if v == nil {
		return &schema.Error{Code: schema.CodeNotFound}
	}
	begin, end, _ := v.span(schema.SyncEffect(e.r.URL.Query().Get("effect")))
	file, err := desk.NewDownload(func(to io.Writer) error {
		w := dialect.NewWriter(to, schema.Format{})
		if err := w.Write([]string{"email", "effect", "in_list_as"}); err != nil {
			return err
		}
		err := p.each(ctx, v, begin, end, func(rows []previewRow) error {
			for _, row := range rows {
				if err := w.Write([]string{row.Email, string(row.Effect), row.Listed}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		return w.Flush()
	})
	if err != nil {
		return err
	}
	defer file.Close()
	return file.Send(e.w, e.r, "text/csv; charset=utf-8", "directory-preview.csv")
}

// listNotes says how a list was read, one sentence for each thing to know.
func (w *words) listNotes(list *directory.Notes) (said []template.HTML) {
	if len(list.Others) > 0 {
		said = append(said, w.say("The addresses are those of the column “%s”. Other columns could be meant: %s.", list.Column, strings.Join(list.Others, ", ")))
	}
	add := func(n int, text template.HTML) {
		if n > 0 {
			said = append(said, text)
		}
	}
	repaired := 0
	for _, n := range list.Repairs {
		repaired += n
	}
	add(repaired, w.count(repaired, "%d thing was mended while the list was read.", "%d things were mended while the list was read."))
	add(list.NoAddress, w.count(list.NoAddress, "%d row has no address and was left out.", "%d rows have no address and were left out."))
	add(list.Objects, w.count(list.Objects, "%d object is no person (column “%s”) and was left out.", "%d objects are no persons (column “%s”) and were left out.", list.ObjectColumn))
	add(list.Several, w.count(list.Several, "%d row has several addresses, and the first was taken.", "%d rows have several addresses, and the first was taken."))
	add(list.Guests, w.count(list.Guests, "%d guest (#EXT#) was left out.", "%d guests (#EXT#) were left out."))
	add(list.Disabled, w.count(list.Disabled, "%d account is disabled in the directory (column “%s”), and in the list all the same.", "%d accounts are disabled in the directory (column “%s”), and in the list all the same.", list.DisabledColumn))
	if list.Lost != "" {
		said = append(said, w.say("The column “%s” has the name of a type instead of addresses, as Export-Csv writes it, so other addresses of people are not known.", list.Lost))
	}
	return said
}

// beside says where a list has a member whom it lacks.
func (w *words) beside(b *directory.Beside) template.HTML {
	switch b.Why {
	case directory.OtherAddress:
		return w.say("In the list under another address: %s (line %d, column “%s”)", emailAddress(b.Email), b.Line, b.Column)
	case directory.NoAddress:
		return w.say("In the list without an address in the right column (line %d, column “%s”)", b.Line, b.Column)
	case directory.Guest:
		return w.say("In the list as a guest (line %d, column “%s”)", b.Line, b.Column)
	}
	return w.say("In the list as an object that is no person (line %d, column “%s”)", b.Line, b.Column)
}
