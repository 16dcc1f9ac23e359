package main

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestListsAreOneArray reads what --json answers with as one array of objects that have the keys agreed on,
// and no others: also where the list is written as it comes, and where it is empty.
func TestListsAreOneArray(t *testing.T) {
	t.Parallel()
	s := newSite(t, filepath.Join(samples, "org"))
	users := "email status claim_type claimed_at days_left retractable retract_reason conversations retention_days licenses"
	type list struct {
		command string
		keys    string // blank: the list is empty
	}
	check := func(lists ...list) {
		for _, l := range lists {
			got := s.run(t, append(strings.Fields(l.command), "--json")...)
			var objects []map[string]any
			require.NoError(t, json.Unmarshal([]byte(got.stdout), &objects), l.command)
			assert.NotNil(t, objects, l.command)
			assert.Equal(t, l.keys == "", len(objects) == 0, l.command)
			for _, object := range objects {
				assert.ElementsMatch(t, strings.Fields(l.keys), slices.Collect(maps.Keys(object)), l.command)
			}
		}
	}
	check(
		list{"deadlines", ""},
		list{"imports", ""},
		list{"users --search nobody", ""},
		list{"users --search nobody --sort status", ""},
		list{"eligible --why nobody@acme.example nonsense", "email eligible claim_type reasons"},
	)
	file := filepath.Join(samples, "edited.csv")
	require.Equal(t, exitProblems, s.run(t, "import", "--accept-permanent", file).code)
	check(
		list{"users", users},
		list{"users --limit 3", users},
		list{"users --sort days_left", users},
		list{"users --status delayed_claim", users},
		list{"users --org consumer", users},
		list{"deadlines", "email kind due_at"},
		list{"deadlines --within 30d", "email kind due_at"},
		list{"eligible --why adam.ahmed@acme.example", "email eligible claim_type reasons"},
		list{"domain list", "domain status"},
		list{"retract adam.ahmed@acme.example", "email retracted reason"},
		list{"retract nobody@acme.example", "email retracted reason"},
		list{"retract --import 1 --dry-run", "email retracted reason"},
		list{"sync preview " + filepath.Join(samples, "directory.csv"), "email effect"},
		list{"imports", "id file sha256 organization state dry_run rows ready claimed unchanged skipped invalid ineligible failed not_attempted " +
			"warnings reasons edits repairs unknown_columns started_at finished_at"},
	)

	var eligible struct {
		Total int              `json:"total"`
		Users []map[string]any `json:"users"`
	}
	for _, narrow := range []string{"", "--domain nowhere.example"} {
		got := s.run(t, append([]string{"eligible", "--json"}, strings.Fields(narrow)...)...)
		require.NoError(t, json.Unmarshal([]byte(got.stdout), &eligible))
		assert.Len(t, eligible.Users, eligible.Total)
		assert.NotNil(t, eligible.Users)
		for _, user := range eligible.Users {
			assert.ElementsMatch(t, []string{"email", "organization", "status", "claim_type"}, slices.Collect(maps.Keys(user)))
		}
	}
}
