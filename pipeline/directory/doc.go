// Package directory reads the full list of an employer's own directory, as it was exported. Of a list only
// the addresses count; whoever cannot be read would be taken for absent, so a list is read as a whole or
// refused.
package directory
