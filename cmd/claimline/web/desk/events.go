package desk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/claimline/claimline/schema"
)

// How often is looked whether an import that somebody follows has changed, and how often it is told anyhow.
const (
	lookEvery = time.Second / 4
	tellEvery = 15 * time.Second
)

// event is an import as it stands.
type event struct {
	id    string // by which a reader says what it has had
	data  []byte // in JSON
	ended bool
}

func (d *Desk) event(imp schema.Import) (event, error) {
	v, err := d.View(imp)
	if err != nil {
		return event{}, err
	}
	var text strings.Builder
	if err := schema.NewEncoder(&text).Encode(v); err != nil {
		return event{}, err
	}
	sum := sha256.Sum256([]byte(text.String()))
	return event{id: hex.EncodeToString(sum[:8]), data: []byte(strings.TrimSpace(text.String())), ended: imp.State.Ended()}, nil
}

// watched are the imports that somebody follows. However many follow one, it is looked at once.
type watched struct {
	mu        sync.Mutex
	followers map[int64]map[*follower]struct{}
	closed    bool
}

// follower is somebody who follows an import.
type follower struct {
	news chan event // the latest, if it was not taken yet; closed: there will be none
}

// follow returns a follower of an import, and how to end that.
func (w *watched) follow(id int64) (f *follower, end func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f = &follower{news: make(chan event, 1)}
	if w.closed {
		close(f.news)
		return f, func() {}
	}
	if w.followers == nil {
		w.followers = map[int64]map[*follower]struct{}{}
	}
	if w.followers[id] == nil {
		w.followers[id] = map[*follower]struct{}{}
	}
	w.followers[id][f] = struct{}{}
	return f, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.followers[id], f)
		if len(w.followers[id]) == 0 {
			delete(w.followers, id)
		}
	}
}

// ids lists the imports that somebody follows.
func (w *watched) ids() (list []int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id := range w.followers {
		list = append(list, id)
	}
	return list
}

// tell tells all who follow an import; what they have not taken yet is out of date.
func (w *watched) tell(id int64, e event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for f := range w.followers[id] {
		select {
		case <-f.news:
		default:
		}
		f.news <- e
	}
}

// close tells all who follow that there will be no more news.
func (w *watched) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for _, followers := range w.followers {
		for f := range followers {
			close(f.news)
		}
	}
	w.followers = nil
}

// Run keeps those informed who follow imports, until ctx ends; then nobody follows any more.
func (d *Desk) Run(ctx context.Context) {
	defer d.watched.close()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for _, id := range d.watched.ids() {
			if err := d.look(ctx, id); err != nil && ctx.Err() == nil {
				d.Flow.Log.Debug().Err(err).Int64("import", id).Msg("an import that is followed could not be looked at")
			}
		}
	}
}

func (d *Desk) look(ctx context.Context, id int64) error {
	imp, err := d.Flow.Store.Import(ctx, "", id)
	if err != nil {
		return err
	}
	e, err := d.event(imp)
	if err == nil {
		d.watched.tell(id, e)
	}
	return err
}

// Follow writes events of an import until it has ended, or somebody gives up; allowed refuses who may not
// know more of it. It returns before the first one where that cannot be made.
func (d *Desk) Follow(w http.ResponseWriter, r *http.Request, imp schema.Import, allowed func() error) error {
	ctx, id, had := r.Context(), imp.ID, r.Header.Get("Last-Event-ID")
	last, err := d.event(imp)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	out := http.NewResponseController(w)
	send := func(e event) error {
		if _, err := fmt.Fprintf(w, "event: import\nid: %s\ndata: %s\n\n", e.id, e.data); err != nil {
			return fmt.Errorf("send an event: %w", err)
		}
		return out.Flush()
	}
	if last.ended || last.id != had {
		if err := send(last); err != nil || last.ended {
			return err
		}
	} else if err := out.Flush(); err != nil {
		return err
	}
	follower, end := d.watched.follow(id)
	defer end()
	ticker := time.NewTicker(tellEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e, more := <-follower.news:
			if !more {
				return nil
			}
			if e.id == last.id {
				continue
			}
			last = e
		case <-ticker.C:
		}
		if err := allowed(); err != nil && schema.CodeOf(err) == schema.CodeTokenInvalid {
			return err
		}
		if err := send(last); err != nil || last.ended {
			return err
		}
	}
}
