package pages

import (
	"net/http"

	"github.com/claimline/claimline/schema"
)

// home is how it stands.
type home struct{}

func (p *Pages) registerHome() {
	p.page("GET /{$}", schema.RoleViewer, func(e *exchange) error { return e.show(http.StatusOK, "home", home{}) })
}
