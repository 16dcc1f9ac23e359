package api

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/claimline/claimline/cmd/claimline/web/auth"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// busyTime is after what time a file that there was no room for may be sent again.
const busyTime = 2 * time.Second

// upload is a file that was sent, in a temporary file of its own.
type upload struct {
	*dialect.File
	sha256 []byte
}

// receive takes in the file that a request sends, as its body or as the part file of a form; name is what it
// is called, blank: as the form calls it. work is done with it, and then it is gone. No more files are on
// their way than may be planned at once. Refused with CodeTooManyUploads, CodeMediaTypeUnsupported,
// CodeLimitExceeded, and with CodeUploadIncomplete where it does not come to its end.
func (a *API) receive(ctx context.Context, name string, work func(upload) error) (err error) {
	r, w := request(ctx)
	select {
	case a.uploads <- struct{}{}:
		defer func() { <-a.uploads }()
	default:
		return &schema.Error{Code: schema.CodeTooManyUploads, Err: auth.RetryError(busyTime)}
	}
	if r.ContentLength > a.UploadBytes {
		return a.tooLarge()
	}
	body, part, err := a.file(w, r)
	if err != nil {
		return err
	}
	in := &incoming{from: body, hash: sha256.New(), tooLarge: a.tooLarge}
	file, err := dialect.Spool(fileName(name, part), in)
	if err != nil {
		if _, refused := errors.AsType[*schema.Error](err); !refused {
			err = schema.Refuse(schema.CodeOutputUnwritable, "The file could not be kept while it is planned.").Because(err)
		}
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return work(upload{file, in.hash.Sum(nil)})
}

func (a *API) tooLarge() error {
	return schema.Refuse(schema.CodeLimitExceeded, "The file is larger than %d bytes.", a.UploadBytes).
		WithFix("Split it and send the parts one after the other, or have service.upload_bytes raised.")
}

// file returns the file that a request sends, and what a form calls it.
func (a *API) file(w http.ResponseWriter, r *http.Request) (body io.Reader, name string, err error) {
	media, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if encoding := r.Header.Get("Content-Encoding"); err != nil || encoding != "" && encoding != "identity" {
		return nil, "", &schema.Error{Code: schema.CodeMediaTypeUnsupported, Err: err}
	}
	r.Body = http.MaxBytesReader(w, r.Body, a.UploadBytes)
	switch {
	case media == "text/csv":
		return r.Body, "", nil
	case media == "multipart/form-data" && parameters["boundary"] != "":
		form := &formFile{form: multipart.NewReader(r.Body, parameters["boundary"])}
		if err := form.open(); err != nil {
			return nil, "", a.readError(err)
		}
		return form, form.part.FileName(), nil
	}
	return nil, "", &schema.Error{Code: schema.CodeMediaTypeUnsupported}
}

// filePart is the part of a form that is the file.
const filePart = "file"

// formFile is the file of a form, which has no other parts.
type formFile struct {
	form *multipart.Reader
	part *multipart.Part
}

func (f *formFile) open() error {
	part, err := f.form.NextPart()
	switch {
	case errors.Is(err, io.EOF):
		return schema.Refuse(schema.CodeRequestInvalid, "The form has no part %q.", filePart).WithFix("Send the file as the part %q.", filePart)
	case err != nil:
		return err
	case part.FormName() != filePart:
		return schema.Refuse(schema.CodeRequestInvalid, "The form has a part %q, which means nothing.", schema.Shorten(part.FormName())).
			WithFix("Send the file alone, as the part %q, and all else in the query.", filePart)
	}
	f.part = part
	return nil
}

// Read reads the file. At its end it looks whether the form ends there, too.
func (f *formFile) Read(p []byte) (int, error) {
	n, err := f.part.Read(p)
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	if _, err := f.form.NextPart(); err == nil {
		return n, schema.Refuse(schema.CodeRequestInvalid, "The form has more than one part.").WithFix("Send one file alone, as the part %q.", filePart)
	} else if !errors.Is(err, io.EOF) {
		return n, err
	}
	return n, io.EOF
}

// incoming is what is on its way.
type incoming struct {
	from     io.Reader
	hash     hash.Hash
	tooLarge func() error
}

// Read implements io.Reader.
func (i *incoming) Read(p []byte) (int, error) {
	n, err := i.from.Read(p)
	i.hash.Write(p[:n])
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	return n, readError(err, i.tooLarge)
}

func (a *API) readError(err error) error { return readError(err, a.tooLarge) }

// readError says why a file does not come to its end.
func readError(err error, tooLarge func() error) error {
	if _, refused := errors.AsType[*schema.Error](err); refused {
		return err
	}
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return tooLarge()
	}
	return (&schema.Error{Code: schema.CodeUploadIncomplete}).Because(err)
}

// fileName returns what a file is called: the last part of the first name that is one.
func fileName(names ...string) string {
	const most = 255
	for _, name := range names {
		name = path.Base(strings.ReplaceAll(strings.ToValidUTF8(name, "\uFFFD"), `\`, "/"))
		for len(name) > most {
			_, size := utf8.DecodeLastRuneInString(name)
			name = name[:len(name)-size]
		}
		if name != "." && name != ".." && name != "/" {
			return name
		}
	}
	return "upload.csv"
}

// digest returns what a request says, by which another one is known to say the same.
func digest(request any) ([]byte, error) {
	text, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("encode the request: %w", err)
	}
	sum := sha256.Sum256(text)
	return sum[:], nil
}
