package desk

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"

	"github.com/rs/zerolog"

	"github.com/claimline/claimline/schema"
)

// spool is a temporary file.
type spool struct{ *os.File }

// Download answers with a file that work writes, as a whole or not at all: work may be refused half-way, and
// no slow reader keeps the database waiting.
type Download struct {
	file   *os.File
	remove func()
}

// NewDownload has work write a file. Close it.
func NewDownload(work func(io.Writer) error) (*Download, error) {
	file, err := os.CreateTemp("", "claimline-*")
	if err != nil {
		return nil, (&schema.Error{Code: schema.CodeOutputUnwritable}).Because(err)
	}
	named := os.Remove(file.Name()) != nil // where the system lets it go at once, nothing can leave it behind
	d := &Download{file, func() {
		_ = file.Close()
		if named {
			_ = os.Remove(file.Name())
		}
	}}
	if err := work(&spool{file}); err != nil {
		d.Close()
		if path, ok := errors.AsType[*os.PathError](err); ok {
			err = (&schema.Error{Code: schema.CodeOutputUnwritable}).Because(path)
		}
		return nil, err
	}
	return d, nil
}

// Close lets go of the file.
func (d *Download) Close() { d.remove() }

// Send answers a request with the file.
func (d *Download) Send(w http.ResponseWriter, r *http.Request, media, name string) error {
	size, err := d.file.Seek(0, io.SeekCurrent)
	if err == nil {
		_, err = d.file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return fmt.Errorf("read what was written: %w", err)
	}
	w.Header().Set("Content-Type", media)
	w.Header().Set("Content-Length", fmt.Sprint(size))
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	w.WriteHeader(http.StatusOK)
	if _, err := io.Copy(w, d.file); err != nil && r.Context().Err() == nil {
		zerolog.Ctx(r.Context()).Debug().Err(err).Msg("a file was not read to its end")
	}
	return nil
}
