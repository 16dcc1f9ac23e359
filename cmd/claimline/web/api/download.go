package api

import (
	"context"
	"io"

	"github.com/danielgtaylor/huma/v2"
	"github.com/rs/zerolog"

	"github.com/claimline/claimline/cmd/claimline/web/desk"
)

// download answers with a file that work writes.
func download(ctx context.Context, media, name string, work func(io.Writer) error) (*huma.StreamResponse, error) {
	file, err := desk.NewDownload(work)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(huma.Context) {
		defer file.Close()
		r, w := request(ctx)
		if err := file.Send(w, r, media, name); err != nil {
			zerolog.Ctx(ctx).Error().Err(err).Msg("a file could not be sent")
		}
	}}, nil
}

// files describes the answers of an operation that answers with a file.
func files(media ...string) map[string]*huma.Response {
	content := map[string]*huma.MediaType{}
	for _, m := range media {
		content[m] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	}
	return map[string]*huma.Response{"200": {Description: "The file", Content: content}}
}
