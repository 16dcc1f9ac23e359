package desk

import (
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/claimline/claimline/cmd/claimline/web/auth"
	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/workbook"
	"github.com/claimline/claimline/schema"
)

// busyTime is after what time a file that there was no room for may be sent again.
const busyTime = 2 * time.Second

// Upload is a file that was sent, in a temporary file of its own.
type Upload struct {
	*dialect.File
	SHA256 []byte
	Fields url.Values // of the form
}

// Receive takes in the file that a request sends, as its body or as the part file of a form; name is what it
// is called, blank: as the form calls it. The form may have these fields beside it. work is done with it, and
// then it is gone. No more files are on their way than may be planned at once. Refused with
// CodeTooManyUploads, CodeMediaTypeUnsupported, CodeLimitExceeded, and with CodeUploadIncomplete where it
// does not come to its end.
func (d *Desk) Receive(w http.ResponseWriter, r *http.Request, name string, fields []string, work func(Upload) error) (err error) {
	select {
	case d.uploads <- struct{}{}:
		defer func() { <-d.uploads }()
	default:
		return &schema.Error{Code: schema.CodeTooManyUploads, Err: auth.RetryError(busyTime)}
	}
	if r.ContentLength > d.UploadBytes {
		return d.tooLarge()
	}
	body, form, err := d.file(w, r, fields)
	if err != nil {
		return err
	}
	in := &incoming{from: body, hash: sha256.New(), tooLarge: d.tooLarge}
	file, err := dialect.Spool(fileName(name, form.name), in)
	if err != nil {
		if _, refused := errors.AsType[*schema.Error](err); !refused {
			err = schema.Refuse(schema.CodeOutputUnwritable, "The file could not be kept while it is planned.").Because(err)
		}
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return work(Upload{file, in.hash.Sum(nil), form.fields})
}

func (d *Desk) tooLarge() error {
	return schema.Refuse(schema.CodeLimitExceeded, "The file is larger than %d bytes.", d.UploadBytes).
		WithFix("Split it and send the parts one after the other, or have service.upload_bytes raised.")
}

// file returns the file that a request sends, and what a form says of it.
func (d *Desk) file(w http.ResponseWriter, r *http.Request, fields []string) (body io.Reader, form *formFile, err error) {
	media, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if encoding := r.Header.Get("Content-Encoding"); err != nil || encoding != "" && encoding != "identity" {
		return nil, nil, &schema.Error{Code: schema.CodeMediaTypeUnsupported, Err: err}
	}
	r.Body = http.MaxBytesReader(w, r.Body, d.UploadBytes)
	switch {
	case media == "text/csv", media == workbook.Media: // which of the two it is, its content says
		return r.Body, &formFile{}, nil
	case media == "multipart/form-data" && parameters["boundary"] != "":
		form = &formFile{form: multipart.NewReader(r.Body, parameters["boundary"]), fields: url.Values{}}
		if err := form.open(fields); err != nil {
			return nil, nil, readError(err, d.tooLarge)
		}
		return form, form, nil
	}
	return nil, nil, &schema.Error{Code: schema.CodeMediaTypeUnsupported}
}

// FilePart is the part of a form that is the file.
const FilePart = "file"

// formFile is the file of a form.
type formFile struct {
	form   *multipart.Reader
	known  []string   // fields that the form may have
	fields url.Values // those before the file, and, when that is read, those behind it
	count  int        // of fields
	part   *multipart.Part
	name   string // of the file, as the form has it
}

// The fields of a form that has a file, at most: how many, and how long each is in bytes.
const (
	mostFields   = 2000
	longestField = 4 << 10
)

// open reads the form up to the file.
func (f *formFile) open(known []string) error {
	f.known = known
	for {
		part, err := f.next()
		switch {
		case errors.Is(err, io.EOF):
			return schema.Refuse(schema.CodeRequestInvalid, "The form has no part %q.", FilePart).WithFix("Send the file as the part %q.", FilePart)
		case err != nil:
			return err
		case part != nil:
			f.part, f.name = part, part.FileName()
			return nil
		}
	}
}

// next reads a part of the form: a field, or the beginning of the file, which is returned.
func (f *formFile) next() (file *multipart.Part, err error) {
	part, err := f.form.NextPart()
	switch {
	case err != nil:
		return nil, err
	case part.FormName() == FilePart && f.part == nil:
		return part, nil
	case part.FormName() == FilePart, f.part != nil && len(f.known) == 0:
		return nil, schema.Refuse(schema.CodeRequestInvalid, "The form has more than one part.").WithFix("Send one file alone, as the part %q.", FilePart)
	case !slices.Contains(f.known, part.FormName()):
		return nil, schema.Refuse(schema.CodeRequestInvalid, "The form has a part %q, which means nothing.", schema.Shorten(part.FormName())).
			WithFix("Send the file alone, as the part %q, and all else in the query.", FilePart)
	}
	value, err := io.ReadAll(io.LimitReader(part, longestField+1))
	switch {
	case err != nil:
		return nil, err
	case len(value) > longestField:
		return nil, schema.Refuse(schema.CodeLimitExceeded, "A field of the form is longer than %d bytes.", longestField)
	}
	if f.count++; f.count > mostFields {
		return nil, schema.Refuse(schema.CodeLimitExceeded, "The form has more than %d fields.", mostFields)
	}
	f.fields.Add(part.FormName(), string(value))
	return nil, nil
}

// Read reads the file. At its end it reads what follows in the form.
func (f *formFile) Read(p []byte) (int, error) {
	n, err := f.part.Read(p)
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	for {
		if _, err := f.next(); err != nil {
			return n, err
		}
	}
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
