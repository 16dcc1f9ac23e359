package desk

import (
	"context"

	"github.com/claimline/claimline/pipeline"
	"github.com/claimline/claimline/pipeline/people"
)

// Config is what a Desk works with.
type Config struct {
	Flow   *pipeline.Flow // its Retry is for how long a request waits for passing trouble
	People *people.People
	Wake   func(ctx context.Context) // tells those who work on imports and schedules that something is due

	Uploads     int   // files that are planned at once
	UploadBytes int64 // of one file
}

// Desk serves requests, whoever they come from.
type Desk struct {
	Config
	uploads chan struct{} // one for each file that is being planned
	watched watched
	counts  counts
}

// New returns a desk. Close it.
func New(c Config) *Desk {
	return &Desk{Config: c, uploads: make(chan struct{}, c.Uploads), counts: counts{of: map[string]*count{}}}
}
