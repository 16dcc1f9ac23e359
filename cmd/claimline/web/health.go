package web

import (
	"context"
	"net/http"
	"time"

	"github.com/rs/zerolog"

	"github.com/claimline/claimline/schema"
)

// readyTime is for how long the database may take to answer.
const readyTime = 5 * time.Second

// Health is how the service stands.
type Health struct {
	Status string      `json:"status"`         // ok or unavailable
	Code   schema.Code `json:"code,omitempty"` // why it is unavailable
}

// health tells that the process answers.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	writeHealth(w, http.StatusOK, Health{Status: "ok"})
}

// ready tells whether requests can be answered: the database is there and has the schema of this program, and
// the work gets on.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTime)
	defer cancel()
	err := s.Store.Check(ctx)
	if err == nil && s.Stuck != nil {
		err = s.Stuck(ctx)
	}
	if err != nil {
		zerolog.Ctx(r.Context()).Warn().Err(err).Msg("not ready")
		writeHealth(w, http.StatusServiceUnavailable, Health{Status: "unavailable", Code: schema.CodeOf(err)})
		return
	}
	writeHealth(w, http.StatusOK, Health{Status: "ok"})
}

func writeHealth(w http.ResponseWriter, status int, h Health) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = schema.NewEncoder(w).Encode(h) // nobody is there to be told
}
