// Package api answers the requests of programs, under /api/v1, and describes itself in OpenAPI. It does
// nothing of its own: each operation calls what the commands call, for the organization of the token that the
// request bears, and answers in the commands' JSON.
package api
