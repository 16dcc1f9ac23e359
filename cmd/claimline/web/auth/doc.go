// Package auth tells who asks the service, and what they may do: tokens and roles, the address of the
// client, and how often something may fail.
package auth
