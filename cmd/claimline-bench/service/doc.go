// Package service measures a service: what it answers, and what it holds, while files are uploaded and people
// look on.
package service
