package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/claimline/claimline/schema"
)

// flagHints say what to write instead of flags that other programs have.
var flagHints = map[string]schema.Word{
	"import --dry-run":   "The dry run is a command: claimline validate FILE.",
	"import --yes":       "To agree without being asked that the claims are permanent: --accept-permanent.",
	"claim --yes":        "To agree without being asked that the claims are permanent: --accept-permanent.",
	"claim --dry-run":    "To see what would be claimed, leave out --accept-permanent, or ask: claimline eligible --why ADDRESS.",
	"resume --dry-run":   "What remains to be done is shown by: claimline status, and the import's number.",
	"sweep --dry-run":    "What is due is shown by: claimline deadlines.",
	"resume --yes":       "To agree without being asked that the claims are permanent: --accept-permanent.",
	"validate --yes":     "validate changes nothing, and asks for nothing. To claim: claimline import FILE.",
	"validate --dry-run": "validate is the dry run: leave the flag out.",
	"sync --dry-run":     "The dry run is a command: claimline sync preview FILE.",
	"sync run --dry-run": "The dry run is a command: claimline sync preview FILE.",

	"schedule run --dry-run": "What an import of a file would do is shown by: claimline validate FILE.",
	"schedule add --max":     "How many users one run may claim at most: --max-claims.",
	"schedule add --zone":    "The zone whose clock counts: --tz.",
}

// commandHints say which command does what people look for under another name.
var commandHints = map[string]schema.Word{
	"plan":      "The plan of a file is shown by: claimline validate FILE.",
	"check":     "A file is checked by: claimline validate FILE.",
	"dry-run":   "The dry run is: claimline validate FILE.",
	"apply":     "A file is claimed by: claimline import FILE.",
	"run":       "A file is claimed by: claimline import FILE.",
	"undo":      "Claims are taken back by: claimline retract ADDRESS, or claimline retract --import with the import's number.",
	"rollback":  "Claims are taken back by: claimline retract ADDRESS, or claimline retract --import with the import's number.",
	"revert":    "Claims are taken back by: claimline retract ADDRESS, or claimline retract --import with the import's number.",
	"unclaim":   "Claims are taken back by: claimline retract ADDRESS, or claimline retract --import with the import's number.",
	"list":      "Lists are: claimline users, claimline eligible, claimline imports, claimline deadlines, claimline domain list.",
	"ls":        "Lists are: claimline users, claimline eligible, claimline imports, claimline deadlines, claimline domain list.",
	"continue":  "An import goes on where it stopped with: claimline resume, and the import's number.",
	"stop":      "An import is stopped by: claimline cancel, and the import's number.",
	"abort":     "An import is stopped by: claimline cancel, and the import's number.",
	"user":      "All about one user is shown by: claimline show ADDRESS.",
	"verify":    "Domains are verified by: claimline domain verify DOMAIN.",
	"delete":    "A member is removed by: claimline remove ADDRESS.",
	"cron":      "Imports are scheduled by: claimline schedule add.",
	"schedules": "Schedules are listed by: claimline schedule list.",
	"init":      "The database is made by the first: claimline load DIR.",
}

// flagHint returns the refusal of a flag that a command does not have and that has a name of its own here;
// nil for any other.
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
	hint := flagHints[strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")+" "+flag]
	if hint == "" {
		return nil
	}
	return usage("%s has no flag %s.", cmd.CommandPath(), err.Error()[strings.LastIndexByte(err.Error(), ' ')+1:]).Because(err).WithFix("%s", hint)
}
