package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"

	"github.com/danielgtaylor/huma/v2"
	"github.com/rs/zerolog"

	"github.com/claimline/claimline/schema"
)

// spool is a temporary file.
type spool struct{ *os.File }

// download answers with a file that work writes, as a whole or not at all: work may be refused half-way, and
// no slow reader keeps the database waiting.
func download(ctx context.Context, media, name string, work func(*spool) error) (*huma.StreamResponse, error) {
	file, err := os.CreateTemp("", "claimline-*")
	if err != nil {
		return nil, (&schema.Error{Code: schema.CodeOutputUnwritable}).Because(err)
	}
	named := os.Remove(file.Name()) != nil // where the system lets it go at once, nothing can leave it behind
	remove := func() {
		_ = file.Close()
		if named {
			_ = os.Remove(file.Name())
		}
	}
	if err := work(&spool{file}); err != nil {
		remove()
		if path, ok := errors.AsType[*os.PathError](err); ok {
			err = (&schema.Error{Code: schema.CodeOutputUnwritable}).Because(path)
		}
		return nil, err
	}
	size, err := file.Seek(0, io.SeekCurrent)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		remove()
		return nil, fmt.Errorf("read what was written: %w", err)
	}
	return &huma.StreamResponse{Body: func(huma.Context) {
		defer remove()
		_, w := request(ctx)
		w.Header().Set("Content-Type", media)
		w.Header().Set("Content-Length", fmt.Sprint(size))
		w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
		w.WriteHeader(http.StatusOK)
		if _, err := io.Copy(w, file); err != nil && ctx.Err() == nil {
			zerolog.Ctx(ctx).Debug().Err(err).Msg("a file was not read to its end")
		}
	}}, nil
}

// files are the answers of an operation that answers with a file.
func files(media ...string) map[string]*huma.Response {
	content := map[string]*huma.MediaType{}
	for _, m := range media {
		content[m] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	}
	return map[string]*huma.Response{"200": {Description: "The file", Content: content}}
}
