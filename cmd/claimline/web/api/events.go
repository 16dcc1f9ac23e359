package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/rs/zerolog"

	"github.com/claimline/claimline/schema"
)

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
	return &huma.StreamResponse{Body: func(huma.Context) {
		r, w := request(ctx)
		allowed := func() error { _, err := a.Guard.Token(r); return err }
		if err := a.Follow(w, r, imp, allowed); err != nil && ctx.Err() == nil {
			zerolog.Ctx(ctx).Debug().Err(err).Msg("an import is not followed any more")
		}
	}}, nil
}
