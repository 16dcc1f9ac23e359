// Package web serves: it listens, knows who asks, keeps slow and hostile clients off, and tells operators how
// it stands. What is answered is the business of the packages below it.
package web
