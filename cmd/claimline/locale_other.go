//go:build !windows

package main

// systemLocale returns nothing: these systems say it in the environment.
func systemLocale() string { return "" }
