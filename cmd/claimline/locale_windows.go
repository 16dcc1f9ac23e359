package main

import (
	"sync"

	"golang.org/x/sys/windows"
)

// systemLocale returns the first of the languages in which the user wants programs; blank: the system does
// not say.
var systemLocale = sync.OnceValue(func() string {
	languages, err := windows.GetUserPreferredUILanguages(windows.MUI_LANGUAGE_NAME)
	if err != nil || len(languages) == 0 {
		return ""
	}
	return languages[0]
})
