// Package directory reads the full list of an employer's own directory, as it was exported: CSV of Active
// Directory, Entra, Microsoft 365 or Google, or LDIF. Of a list only the addresses count; whoever cannot be
// read would be taken for absent, so a list is read as a whole or refused.
package directory
