package pages

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"mime"
	"net/http"
	"path"
	"strings"
)

//go:embed assets/*
var assetFiles embed.FS

// assetPrefix is below what the assets are, each below a name for its content: one that changes is another.
const assetPrefix = "/assets/"

// asset is a style sheet, a script or a picture.
type asset struct {
	url, media string
	plain      []byte
	gzipped    []byte
}

// loadAssets returns the assets by their names.
func loadAssets() (map[string]asset, error) {
	entries, err := assetFiles.ReadDir("assets")
	if err != nil {
		return nil, fmt.Errorf("list the assets: %w", err)
	}
	assets := map[string]asset{}
	for _, entry := range entries {
		a := asset{media: mime.TypeByExtension(path.Ext(entry.Name()))}
		if a.plain, err = assetFiles.ReadFile("assets/" + entry.Name()); err != nil {
			return nil, fmt.Errorf("read the assets: %w", err)
		}
		sum := sha256.Sum256(a.plain)
		a.url = assetPrefix + base64.RawURLEncoding.EncodeToString(sum[:9]) + "/" + entry.Name()
		var small bytes.Buffer
		w := gzip.NewWriter(&small)
		if _, err = w.Write(a.plain); err == nil {
			err = w.Close()
		}
		if err != nil {
			return nil, fmt.Errorf("compress the assets: %w", err)
		}
		a.gzipped = small.Bytes()
		assets[entry.Name()] = a
	}
	return assets, nil
}

// asset answers with an asset, which a browser may keep.
func (p *Pages) asset(w http.ResponseWriter, r *http.Request) {
	a, found := p.assets[path.Base(r.URL.Path)]
	if !found || a.url != r.URL.Path {
		p.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", a.media)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	body := a.plain
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = a.gzipped
	}
	_, _ = w.Write(body) // nobody is there to be told
}
