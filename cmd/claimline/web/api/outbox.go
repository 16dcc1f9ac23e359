package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

func (a *API) registerOutbox() {
	register(a, schema.RoleViewer, huma.Operation{
		OperationID: "list-outbox", Method: http.MethodGet, Path: "/outbox", Summary: "List the mails that wait, were sent or have failed", Tags: []string{"mails"},
	}, a.listOutbox)
}

// OutboxRequest asks for mails.
type OutboxRequest struct {
	Page
	State string `query:"state" enum:"waiting,sent,failed" doc:"only those in this state"`
}

// Outbox is a list of mails.
type Outbox struct {
	Outbox []schema.OutboxEntry `json:"outbox"`
	Next   *string              `json:"next"`
}

func (a *API) listOutbox(ctx context.Context, in *OutboxRequest) (*Answer[Outbox], error) {
	after, err := readNumber(in.After)
	if err != nil {
		return nil, err
	}
	filter := store.MailFilter{Organization: organization(ctx), State: schema.MailState(in.State)}
	found, err := a.Flow.Store.ListMails(ctx, a.People.Rules(), filter, after, in.limit()+1)
	if err != nil {
		return nil, err
	}
	list := Outbox{Outbox: []schema.OutboxEntry{}}
	if len(found) > in.limit() {
		found = found[:in.limit()]
		list.Next = cursor(strconv.FormatInt(found[len(found)-1].ID, 10))
	}
	for i := range found {
		list.Outbox = append(list.Outbox, found[i].Entry())
	}
	return answer(list), nil
}
