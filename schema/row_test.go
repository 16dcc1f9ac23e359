package schema

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

func TestColumns(t *testing.T) {
	assert.Equal(t, []string{
		"First Name", "Last Name", "Display Name", "User ID/Email (Required)", "User Status", "Last Service Accessed Time", "Title", "Department",
		"Phone Number", "Preferred Language", "Source Organization", "Claim Type", "Claim",
	}, Columns)
	assert.Equal(t, []string{"Claimline Line", "Claimline Result", "Claimline Reason", "Claimline Message", "Claimline Fix", "Claimline Edits"}, ReportHeaders)
	assert.Contains(t, Columns, EmailHeader)
	assert.Contains(t, Columns, ClaimTypeHeader)
	assert.Contains(t, Columns, ClaimHeader)
	assert.Len(t, RowFields, len(Columns))
}

func TestSameHeader(t *testing.T) {
	assert.True(t, SameHeader("First Name", " first NAME\t"))
	assert.False(t, SameHeader("First Name", "FirstName"))
}

func TestDefaultPolicy(t *testing.T) {
	assert.Equal(t, Policy{
		ScreenLimit: 250, ManualLimit: 25, DecisionDays: 14, InactiveDays: 30, DelayedCreatedUntil: "2020-05-05", DelayedClaims: true,
		MaxRows: 0, AllOrNothingMaxRows: 20000, KeepImports: 90, RetractByImport: true, DomainElsewhere: "claimed",
	}, DefaultPolicy())
}

// Of a row only what is filled in changes an account, and what it would change is all that has to be kept
// (R17).
func TestEdits(t *testing.T) {
	text := rapid.SampledFrom([]string{"", "a", "b"})
	profile := rapid.Custom(func(t *rapid.T) Profile {
		draw := func(name string) string { return text.Draw(t, name) }
		return Profile{draw("first"), draw("last"), draw("display"), draw("title"), draw("department"), draw("phone"), draw("language")}
	})
	rapid.Check(t, func(t *rapid.T) {
		own, row := profile.Draw(t, "own"), profile.Draw(t, "row")
		edited := own.Edit(row)
		assert.Equal(t, own, own.Edit(Profile{}))
		assert.Equal(t, edited, own.Edit(own.Edits(row)))
		assert.Equal(t, edited, edited.Edit(row))
		assert.Equal(t, Profile{}, edited.Edits(row))
		for _, c := range [][3]string{
			{own.FirstName, row.FirstName, edited.FirstName}, {own.LastName, row.LastName, edited.LastName}, {own.DisplayName, row.DisplayName, edited.DisplayName},
			{own.Title, row.Title, edited.Title}, {own.Department, row.Department, edited.Department}, {own.Phone, row.Phone, edited.Phone},
			{own.PreferredLanguage, row.PreferredLanguage, edited.PreferredLanguage},
		} {
			want := c[1]
			if want == "" {
				want = c[0]
			}
			assert.Equal(t, want, c[2])
		}
	})
}
