// Package stage joins the stages of a pipeline: goroutines on the caller's group, which hand items on through
// channels.
package stage
