package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/rs/zerolog"

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

func (a *API) event(imp schema.Import) (event, error) {
	v, err := a.View(imp)
	if err != nil {
		return event{}, err
	}
	var text strings.Builder
	if err := marshal(&text, v); err != nil {
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
func (a *API) Run(ctx context.Context) {
	defer a.watched.close()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for _, id := range a.watched.ids() {
			if err := a.look(ctx, id); err != nil && ctx.Err() == nil {
				a.Flow.Log.Debug().Err(err).Int64("import", id).Msg("an import that is followed could not be looked at")
			}
		}
	}
}

func (a *API) look(ctx context.Context, id int64) error {
	imp, err := a.Flow.Store.Import(ctx, "", id)
	if err != nil {
		return err
	}
	e, err := a.event(imp)
	if err == nil {
		a.watched.tell(id, e)
	}
	return err
}

// EventsRequest asks to follow an import.
type EventsRequest struct {
	ImportPath
	LastEventID string `header:"Last-Event-ID" doc:"the id of the event that was had last: it is not sent again, unless the import has ended"`
}

func (a *API) registerEvents() {
	register(a, schema.RoleViewer, huma.Operation{
		OperationID: "follow-import", Method: http.MethodGet, Path: "/imports/{id}/events", Tags: []string{imports}, Summary: "Follow an import",
		Description: "An event import whenever the import changes, at most four a second, and every 15 seconds. It ends when the import has ended.",
		Responses: map[string]*huma.Response{"200": {
			Description: "Events of server-sent events, each the import in JSON",
			Content:     map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}},
		}},
	}, a.follow)
}

func (a *API) follow(ctx context.Context, in *EventsRequest) (*huma.StreamResponse, error) {
	imp, err := a.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	first, err := a.event(imp)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(huma.Context) {
		if err := a.stream(ctx, imp.ID, first, in.LastEventID); err != nil && ctx.Err() == nil {
			zerolog.Ctx(ctx).Debug().Err(err).Msg("an import is not followed any more")
		}
	}}, nil
}

// stream writes events until the import has ended, or somebody gives up.
func (a *API) stream(ctx context.Context, id int64, last event, had string) error {
	r, w := request(ctx)
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
	follower, end := a.watched.follow(id)
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
		if _, err := a.Guard.Token(r); err != nil && schema.CodeOf(err) == schema.CodeTokenInvalid {
			return err
		}
		if err := send(last); err != nil || last.ended {
			return err
		}
	}
}
