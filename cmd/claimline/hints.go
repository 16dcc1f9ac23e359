package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// commandHints are the commands behind those that people try, knowing other programs.
var commandHints = map[string]string{
	"plan":    "To see what an import would do, and change nothing: claimline validate FILE.",
	"dry-run": "To see what an import would do, and change nothing: claimline validate FILE.",
	"check":   "To see what an import would do, and change nothing: claimline validate FILE.",
	"apply":   "To claim the users of a file: claimline import FILE. It shows the plan first, and asks.",
	"undo":    "To take the claims of an import back: claimline retract --import ID. Those of one user: claimline retract ADDRESS.",
	"revert":  "To take the claims of an import back: claimline retract --import ID. Those of one user: claimline retract ADDRESS.",
	"list":    "To see who can be claimed: claimline eligible. Who is claimed: claimline users. The imports: claimline imports.",
}

// flagHints are what to use instead of flags that people try, by the name of the command; blank: any other.
var flagHints = map[string]map[string]string{
	"--dry-run": {
		"import": "To see what an import would do, and change nothing: claimline validate FILE.",
		"resume": "To see what remains to be done: claimline status ID.",
		"claim":  "To see whether users can be claimed, and change nothing: claimline eligible --why ADDRESS...",
		"run":    "To see what a run would do, and change nothing: claimline sync preview FILE.",
		"sweep":  "To see what is due, and change nothing: claimline deadlines.",
	},
	"--yes": {
		"import": "To agree beforehand that the claims are permanent: --accept-permanent.",
		"resume": "To agree beforehand that the claims are permanent: --accept-permanent.",
		"claim":  "To agree beforehand that the claims are permanent: --accept-permanent.",
	},
}

// flagHint is the refusal of a flag that a command does not have and that has a name of its own here; nil for any other.
func flagHint(cmd *cobra.Command, err error) error {
	_, flag, found := strings.Cut(err.Error(), "unknown flag: ")
	if !found {
		return nil
	}
	for _, same := range [][2]string{{"--force", "--yes"}, {"--assume-yes", "--yes"}, {"--plan", "--dry-run"}, {"--preview", "--dry-run"}} {
		if flag == same[0] {
			flag = same[1]
		}
	}
	hint := flagHints[flag][cmd.Name()]
	if hint == "" {
		return nil
	}
	return usage("%s has no flag %s.", cmd.CommandPath(), err.Error()[strings.LastIndexByte(err.Error(), ' ')+1:]).Because(err).WithFix("%s", hint)
}
