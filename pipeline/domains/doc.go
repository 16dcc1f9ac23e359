// Package domains verifies, claims and releases the domains of an organization (see R24): the token, the
// question to the name servers, and what the store keeps of it.
package domains
