package api

import (
	"bytes"
	"compress/gzip"
	_ "embed" // the page that shows the document
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/claimline/claimline/cmd/claimline/web/desk"
	"github.com/claimline/claimline/pipeline/workbook"
	"github.com/claimline/claimline/schema"
)

var (
	//go:embed docs/index.html
	docsPage []byte
	//go:embed docs/rapidoc-9.3.8.js.gz
	docsScript []byte
)

// docsPolicy lets the page show the document, and ask this service alone. The styles of RapiDoc are its own.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; img-src 'self' data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// document completes the description of the API, and answers with it. It needs no token.
func (a *API) document() error {
	d := a.huma.OpenAPI()
	csv := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	form := &huma.MediaType{Schema: &huma.Schema{
		Type: huma.TypeObject, Required: []string{desk.FilePart},
		Properties: map[string]*huma.Schema{desk.FilePart: {Type: huma.TypeString, Format: "binary"}},
	}}
	upload := &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"text/csv": csv, workbook.Media: csv, "multipart/form-data": form}}
	for _, path := range []string{"/imports", "/directory/preview"} {
		d.Paths[Prefix+path].Post.RequestBody = upload
	}
	planned := d.Paths[Prefix+"/imports"].Post
	planned.Responses["200"] = &huma.Response{
		Description: "The import that the same request has made before", Headers: planned.Responses["201"].Headers,
		Content: planned.Responses["201"].Content,
	}
	problem := d.Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	for _, path := range d.Paths {
		for _, op := range []*huma.Operation{path.Get, path.Post, path.Patch, path.Delete} {
			if op != nil {
				op.Responses["default"] = &huma.Response{
					Description: "Refused: what was wrong, and what to do about it",
					Content:     map[string]*huma.MediaType{problemType: {Schema: problem}},
				}
			}
		}
	}
	nullable(d.Components.Schemas)
	text, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("encode the description of the API: %w", err)
	}
	serve := func(path, media string, body []byte) {
		a.mux.HandleFunc("GET /api/"+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", media)
			if path == "docs" {
				w.Header().Set("Content-Security-Policy", docsPolicy)
			}
			_, _ = w.Write(body) // nobody is there to be told
		})
	}
	serve("openapi.json", "application/json", text)
	serve("docs", "text/html; charset=utf-8", docsPage)
	a.mux.HandleFunc("GET /api/docs/rapidoc.js", script)
	return nil
}

// script answers with the program of the page, compressed where that is understood.
func script(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("Vary", "Accept-Encoding")
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(docsScript) // nobody is there to be told
		return
	}
	whole, err := gzip.NewReader(bytes.NewReader(docsScript))
	if err == nil {
		_, err = io.Copy(w, whole) //nolint:gosec // G110: it is our own
	}
	if err != nil {
		WriteProblem(w, r, schema.Refuse(schema.CodeInternal, "").Because(err))
	}
}

// nullable lets those properties be null that are pointers to objects, which huma takes for objects.
func nullable(registry huma.Registry) {
	for name, described := range registry.Map() {
		of := registry.TypeFromRef("#/components/schemas/" + name)
		if of == nil || of.Kind() != reflect.Struct {
			continue
		}
		for _, field := range reflect.VisibleFields(of) {
			key, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			property := described.Properties[key]
			if field.Type.Kind() == reflect.Pointer && property != nil && property.Ref != "" {
				described.Properties[key] = &huma.Schema{
					Description: property.Description, AnyOf: []*huma.Schema{{Ref: property.Ref}, {Type: "null"}},
				}
			}
		}
	}
}
