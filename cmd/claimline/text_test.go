package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestCommandsThatAreToldCanBeCopied(t *testing.T) {
	t.Parallel()
	a := &app{}
	plain := "Go on with it: claimline resume 7."
	assert.Equal(t, plain, a.withGlobals(plain))
	a.flags.org, a.flags.db = "acme", "sqlite:my file.db"
	const flags = " --org acme --db 'sqlite:my file.db'"
	for told, want := range map[string]string{
		plain: "Go on with it: claimline resume 7" + flags + ".",
		"Run these three: claimline domain release a.example; claimline retract bo@a.example; claimline domain claim a.example.": "Run these three: claimline domain release a.example" +
			flags + "; claimline retract bo@a.example" + flags + "; claimline domain claim a.example" + flags + ".",
		"Remind the user: claimline remind bo@a.example. Or wait until the claim completes by itself.": "Remind the user: claimline remind bo@a.example" + flags +
			". Or wait until the claim completes by itself.",
		"To have the report: claimline report 7 --format csv -o 'my report.csv'.": "To have the report: claimline report 7 --format csv -o 'my report.csv'" + flags + ".",
		`To have the report: claimline report 7 -o 'it'\''s. mine.csv'.`:          `To have the report: claimline report 7 -o 'it'\''s. mine.csv'` + flags + ".",
		"Load a snapshot first: claimline load DIR.":                              "Load a snapshot first: claimline load DIR.",
		"Install a newer claimline.":                                              "Install a newer claimline.",
	} {
		assert.Equal(t, want, a.withGlobals(told))
	}
	assert.Equal(t, "claimline report 7 -o 'it'\\''s.csv'", commandLine("report", "7", "-o", "it's.csv"))
}
