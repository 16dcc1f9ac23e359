package web_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/cmd/claimline/web/api"
)

// described is the API as its own description has it, in OpenAPI 3.1, whose schemas are JSON Schema.
type described struct {
	text  any
	paths map[string]*regexp.Regexp // by path
	known map[string]*jsonschema.Schema
}

const describedAt = "https://claimline.example/api/openapi.json"

var parameter = regexp.MustCompile(`\\\{[a-z]+\\\}`)

func newDescribed(t *testing.T, document []byte) *described {
	t.Helper()
	text, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	require.NoError(t, err)
	d := &described{text: text, paths: map[string]*regexp.Regexp{}, known: map[string]*jsonschema.Schema{}}
	for path := range d.at("paths").(map[string]any) {
		d.paths[path] = regexp.MustCompile("^" + parameter.ReplaceAllString(regexp.QuoteMeta(path), "[^/]+") + "$")
	}
	return d
}

// at returns what is at a place in the description; nil: nothing is.
func (d *described) at(place ...string) any {
	here := d.text
	for _, name := range place {
		object, _ := here.(map[string]any)
		here = object[name]
	}
	return here
}

// path returns the path, with its parameters, of the operation that a request is for.
func (d *described) path(request *http.Request) (path string) {
	for candidate, pattern := range d.paths { // one that is written out goes before one that fits
		if candidate == request.URL.EscapedPath() || path == "" && pattern.MatchString(request.URL.EscapedPath()) {
			path = candidate
		}
	}
	return path
}

// holds requires an answer to be one that is described, with a body that fits its schema.
func (d *described) holds(t *testing.T, request *http.Request, response *http.Response, body []byte) {
	t.Helper()
	path := d.path(request)
	require.NotEmpty(t, path, request.URL.Path)
	responses := []string{"paths", path, strings.ToLower(request.Method), "responses"}
	status := fmt.Sprint(response.StatusCode)
	if d.at(slices.Concat(responses, []string{status})...) == nil {
		status = "default"
		assert.GreaterOrEqual(t, response.StatusCode, http.StatusBadRequest, "%s %s: %d is not described", request.Method, path, response.StatusCode)
	}
	content := slices.Concat(responses, []string{status, "content"})
	if d.at(content...) == nil {
		assert.Empty(t, body)
		return
	}
	media, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.NotNil(t, d.at(slices.Concat(content, []string{media})...), "%s %s: %s is not described", request.Method, path, media)
	if media != "application/json" && media != "application/problem+json" {
		return
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	require.NoError(t, err, string(body))
	require.NoError(t, d.schema(t, slices.Concat(content, []string{media, "schema"})).Validate(value), "%s %s: %s", request.Method, path, body)
}

// schema returns the schema at a place.
func (d *described) schema(t *testing.T, place []string) *jsonschema.Schema {
	t.Helper()
	pointer := describedAt + "#"
	for _, name := range place {
		pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(name)
	}
	if d.known[pointer] == nil {
		compiler := jsonschema.NewCompiler()
		require.NoError(t, compiler.AddResource(describedAt, d.text))
		var err error
		d.known[pointer], err = compiler.Compile(pointer)
		require.NoError(t, err)
	}
	return d.known[pointer]
}

// Every schema of the description is one, and says of every object which keys it has.
func TestDescription(t *testing.T) {
	s := start(t, options{idle: true})
	d := s.document()
	assert.Equal(t, "3.1.0", d.at("openapi"))
	schemas := d.at("components", "schemas").(map[string]any)
	assert.Greater(t, len(schemas), 20)
	for name := range schemas {
		d.schema(t, []string{"components", "schemas", name})
	}
	var problem api.Problem
	require.NoError(t, json.Unmarshal(s.ask(http.MethodGet, api.Prefix+"/imports/1", asked{}).body, &problem))
	wrong := d.schema(t, []string{"components", "schemas", "Problem"})
	require.NoError(t, wrong.Validate(map[string]any{
		"type": "t", "title": "t", "status": json.Number("404"), "detail": "d", "code": "c", "fix": "f",
	}))
	require.Error(t, wrong.Validate(map[string]any{"type": "t"}), "a key is missing")
}
