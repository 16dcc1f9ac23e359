package snapshot_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/pipeline/snapshot"
	"github.com/claimline/claimline/schema"
)

// exports are Control Hub's files, as texts.
type exports struct{ users, claimable, licenses string }

func loadHub(ctx context.Context, s snapshot.Store, files exports, options snapshot.Options) (*snapshot.Loaded, error) {
	from := snapshot.ControlHub{Organization: "acme", Domains: []string{"acme.example"}, Users: dialect.Text("users.csv", files.users)}
	if files.claimable != "" {
		from.Claimable = dialect.Text("claimable.csv", files.claimable)
	}
	if files.licenses != "" {
		from.Licenses = dialect.Text("licenses.csv", files.licenses)
	}
	return snapshot.LoadControlHub(ctx, s, rules(), from, options)
}

const hubHeader = "First Name,User ID/Email (Required),User Status,Last Service Accessed Time,Preferred Language,Phone Number,Title,Messaging,Notes,Calling [sub.1],Calling [sub.2] (Suspended)\n"

// What each cell is read as, or that it is left out.
func TestControlHubCells(t *testing.T) {
	read := func(t *testing.T, cells string) (schema.User, *snapshot.Loaded) {
		t.Helper()
		c := &collector{}
		loaded, err := loadHub(t.Context(), c, exports{users: hubHeader + cells + "\nx,other@acme.example,Active,,,,,TRUE,no list,,\n"}, snapshot.Options{})
		require.NoError(t, err)
		require.Len(t, c.users, 2)
		return c.users[0].User, loaded
	}
	const row = "Ann,Ann@ACME.example,"
	for cell, want := range map[string]schema.Status{
		"Active": "active", "AKTIV": "active", "Verified": "verified", "Verifierad": "verified", "Not Verified": "not_verified", "not_verified": "not_verified",
		"Ej verifierad": "not_verified", "Invite Pending": "pending", "Väntande": "pending", "Inactive": "inactive", "Inaktiv": "inactive", "": "active",
	} {
		u, _ := read(t, row+cell+",,,,,,,,")
		assert.Equal(t, want, u.Status, cell)
		assert.Equal(t, "ann@acme.example", u.ID)
		assert.Equal(t, "Ann@ACME.example", u.Email)
		assert.Equal(t, "acme", u.OrganizationID)
		assert.Equal(t, schema.UnknownConversations, u.Conversations)
	}
	for cell, want := range map[string]string{
		"+46401234567": "+46401234567", "+46 (40) 123-45.67/8": "+46401234567" + "8", "0046401234567": "+46401234567", "": "",
		"040-123": "", "+46 (0)40 123": "", "12345678": "", "ring": "",
	} {
		u, loaded := read(t, row+"Active,,,"+cell+",,,,,")
		assert.Equal(t, want, u.Phone, cell)
		assert.Equal(t, want == "" && cell != "", loaded.LeftOut["users.csv"]["Phone Number"] == 1, cell)
	}
	for cell, want := range map[string]string{
		"sv": "sv", "en_US": "en-US", "English": "en", "Svenska": "sv", "swedish": "sv", "svenska (Sverige)": "sv-SE", "English (US)": "en-US", "Engelska": "en", "Deutsch": "de",
		"Chinese (Simplified)": "zh-CN", "": "", "Klingonska": "", "x y z": "",
	} {
		u, loaded := read(t, row+"Active,,"+cell+",,,,,,")
		assert.Equal(t, want, u.PreferredLanguage, cell)
		assert.Equal(t, want == "" && cell != "", loaded.LeftOut["users.csv"]["Preferred Language"] == 1, cell)
	}
	day := time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC)
	for cell, want := range map[string]time.Time{
		"2026-11-03": day, "2026-11-03T08:09:10Z": day.Add(8*time.Hour + 9*time.Minute + 10*time.Second), "2026-11-03 08:09": day.Add(8*time.Hour + 9*time.Minute),
		"2026-11-03T02:00:00+02:00": day, "2026-11-03 00:00:00 UTC": day, `"Nov 3, 2026"`: day, "2026/11/03": day, "": {}, "NULL": {},
		"03/11/2026": {}, "2026-13-01": {}, "2026-11-03 00:00:00 CET": {}, "1969-01-01": {}, "igår": {},
	} {
		u, loaded := read(t, row+"Active,"+cell+",,,,,,,")
		assert.Equal(t, want, u.LastSignIn, cell)
		assert.Equal(t, want.IsZero() && cell != "" && cell != "NULL", loaded.LeftOut["users.csv"]["Last Service Accessed Time"] == 1, cell)
	}
	u, loaded := read(t, row+"Active,,,,Chef,ja,x,t,FALSE")
	assert.Equal(t, []string{"Messaging", "Calling [sub.1]"}, u.Services)
	assert.Equal(t, "Chef", u.Title)
	assert.Equal(t, 3, loaded.Licenses)
	assert.Equal(t, 1, loaded.OtherColumns["users.csv"], "Notes, in which there is a boolean, and another word")
	assert.Equal(t, "users.csv", loaded.Notices[0].File)
	assert.Equal(t, 3, loaded.Notices[0].Line)
}

// Licences are named as the header has them or without the subscription; what is not certain is refused.
func TestControlHubLicenses(t *testing.T) {
	users := hubHeader + "Ann,ann@acme.example,Active,,,,,TRUE,,TRUE,\n"
	s := openStore(t)
	_, err := loadHub(t.Context(), s, exports{users: users, licenses: "Service,Quantity\nmessaging,2\nCALLING [sub.1],\n"}, snapshot.Options{})
	require.NoError(t, err)
	quantities := func() map[string][2]int {
		list, err := s.Licenses(t.Context(), rules(), "acme")
		require.NoError(t, err)
		found := map[string][2]int{}
		for _, l := range list {
			found[l.Service] = [2]int{l.Quantity, l.Held}
		}
		return found
	}
	require.Equal(t, map[string][2]int{"Messaging": {2, 1}, "Calling [sub.1]": {-1, 1}, "Calling [sub.2]": {-1, 0}}, quantities())

	// Without the file, what there was stays.
	_, err = loadHub(t.Context(), s, exports{users: users}, snapshot.Options{})
	require.NoError(t, err)
	require.Equal(t, [2]int{2, 1}, quantities()["Messaging"])

	for text, want := range map[string]schema.Code{
		"service,quantity\nCalling,5\n": "service_unknown", "service,quantity\nMeetings,5\n": "service_unknown", "service,quantity\nMessaging,many\n": "value_invalid",
		"service,quantity\nMessaging,1\nmessaging,2\n": "id_duplicate", "service\nMessaging\n": "column_missing", "service,quantity\n,4\n": "value_missing",
	} {
		_, err := loadHub(t.Context(), s, exports{users: users, licenses: text}, snapshot.Options{})
		refused := all(t, err)
		assert.Equal(t, want, refused[0].Code, text)
		assert.Equal(t, "licenses.csv", refused[0].File)
	}
	require.Equal(t, [2]int{2, 1}, quantities()["Messaging"])
}

// What makes a file one that nobody can be certain of.
func TestControlHubRefused(t *testing.T) {
	for text, want := range map[string]schema.Code{
		"": "file_empty", "Name,Status\nAnn,Active\n": "email_column_missing", "Email,E-mail\na@acme.example,\n": "header_duplicate",
		"Email,Calling [a],calling [A] (Suspended)\na@acme.example,,\n": "header_duplicate", "Email,X;Y [a]\na@acme.example,\n": "value_invalid",
		"Email,Phone Nummer\na@acme.example,\n": "column_unclear", "Email,Title\na@acme.example,x,y\n": "field_count", "Email,Title\na@acme.example,\"x\ny\"\n": "text_invalid",
		"Email,Title\na@acme.example," + strings.Repeat("x", 65) + "\n": "text_too_long", "Email\nann\n": "email_invalid", "Email,Title\n,x\n": "email_missing",
		"Email,Title\n\xe5sa@acme.example,\n": "encoding_unclear",
	} {
		_, err := loadHub(t.Context(), &collector{}, exports{users: text}, snapshot.Options{})
		require.Error(t, err, text)
		assert.Equal(t, want, schema.CodeOf(err), text)
		for _, refused := range all(t, err) {
			assert.Equal(t, "users.csv", refused.File)
		}
	}
}

// TestControlHubRefusedForOthers refuses what a users file, and the database, could not hold.
func TestControlHubRefusedForOthers(t *testing.T) {
	services := "Email,A [1],B [1],C [1]\nann@acme.example,,,\n"
	limits := snapshot.Options{Limits: dialect.Limits{Columns: len(schema.Columns) + len(schema.ReportHeaders) + 2}}
	_, err := loadHub(t.Context(), &collector{}, exports{users: services}, limits)
	refused := all(t, err)
	require.Equal(t, schema.CodeLimitExceeded, refused[0].Code)
	require.Equal(t, 4, refused[0].Column)

	s := openStore(t)
	_, err = load(t, s, with(t, "users.csv", "\n2,", "\nzoe@acme.example,"), snapshot.Options{})
	require.NoError(t, err)
	_, err = loadHub(t.Context(), s, exports{users: "Email\nbo@acme.example\n", claimable: "Email\nzoe@acme.example\n"}, snapshot.Options{})
	refused = all(t, err)
	require.Equal(t, schema.CodeIDDuplicate, refused[0].Code)
	require.Equal(t, []any{"claimable.csv", 2, "Email"}, []any{refused[0].File, refused[0].Line, refused[0].Header})
	require.Contains(t, refused[0].Remedy(), "--db")
}

// Fresh exports bring what has changed, and undo nothing that was done here; the same ones change nothing.
func TestControlHubAgain(t *testing.T) {
	s := openStore(t)
	users := hubHeader + "Ann,ann@acme.example,Active,,,,,TRUE,,,\nDan,dan@acme.example,Delayed Claim,,,,,,,,\n"
	claimable := "Email,First Name\nbo@acme.example,Bo\ncy@acme.example,Cy\n"
	loaded, err := loadHub(t.Context(), s, exports{users: users, claimable: claimable}, snapshot.Options{})
	require.NoError(t, err)
	require.Equal(t, []int{2, 4, 1}, []int{loaded.Organizations, loaded.Users, loaded.Claims})
	before := everything(t, s)
	for range 2 {
		_, err = loadHub(t.Context(), s, exports{users: users, claimable: claimable}, snapshot.Options{})
		require.NoError(t, err)
		require.Equal(t, before, everything(t, s))
	}

	// Bo has been claimed in Control Hub; Cy has another name; Dan waits as before, from the same day.
	users += "Bo,bo@acme.example,Verified,,,,,,,,\n"
	loaded, err = loadHub(t.Context(), s, exports{users: users, claimable: "Email,First Name\nbo@acme.example,Bo\ncy@acme.example,Cyrus\n"}, snapshot.Options{})
	require.NoError(t, err)
	require.Equal(t, 3, loaded.Users, "Dan stays, and Bo is a member")
	facts, err := s.Facts(t.Context(), "acme", []string{"bo@acme.example", "cy@acme.example", "dan@acme.example"})
	require.NoError(t, err)
	require.Equal(t, "acme", facts.Accounts[0].User.OrganizationID)
	require.Equal(t, "Cyrus", facts.Accounts[1].User.FirstName)
	require.Equal(t, snapshot.Outside, facts.Accounts[2].User.OrganizationID)
	require.Equal(t, now, facts.Accounts[2].Claim.ClaimedAt)

	// A store that has the users under other ids knows them again.
	other := openStore(t)
	_, err = load(t, other, good(), snapshot.Options{})
	require.NoError(t, err)
	loaded, err = loadHub(t.Context(), other, exports{users: "Email,First Name\nbo@acme.example,Bob\nann@acme.example,Ann\n"}, snapshot.Options{})
	require.NoError(t, err)
	require.Equal(t, 1, loaded.Users, "Ann is under a claim")
	facts, err = other.Facts(t.Context(), "acme", []string{"bo@acme.example", "ann@acme.example"})
	require.NoError(t, err)
	require.Equal(t, "Bob", facts.Accounts[0].User.FirstName)
	require.Equal(t, "free", facts.Accounts[1].User.OrganizationID)
	require.NotNil(t, facts.Accounts[1].Claim)
}

// TestControlHubBegunAgain reads the files again where the transaction begins again.
func TestControlHubBegunAgain(t *testing.T) {
	s := openStore(t)
	loaded, err := loadHub(t.Context(), conflicted{s}, exports{users: hubHeader + "Ann,ann@acme.example,Active,,,x,,TRUE,,,\n"}, snapshot.Options{})
	require.NoError(t, err)
	require.Equal(t, 1, loaded.Users)
	require.Equal(t, 1, loaded.LeftOut["users.csv"]["Phone Number"])
}

// FuzzControlHub reads whatever somebody calls an export: it is refused with places and fixes, or every user
// of it is one that can be exported and imported again.
func FuzzControlHub(f *testing.F) {
	f.Add([]byte(hubHeader + "Ann,ann@acme.example,Active,2026-01-02,en_US,+46 40 123,Chef,ja,x,t,FALSE\n"))
	f.Add([]byte("\ufeffa note\nEmail;User Status;Calling [x]\nann@acme.example;Fördröjt anspråk;TRUE\nbo@acme.example.convert-user.local;;\n"))
	f.Add([]byte("Email,Title,A,B\na@acme.example,,TRUE,maybe\nA@acme.example,,,\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c := &collector{}
		limits := snapshot.Options{Limits: dialect.Limits{BlockRows: 2}}
		loaded, err := loadHub(t.Context(), c, exports{users: hubHeader + "Eve,eve@acme.example,Active,,,,,TRUE,,,\n", claimable: string(text)}, limits)
		if err != nil {
			require.NotEmpty(t, all(t, err))
			return
		}
		require.Len(t, c.users, loaded.Users)
		for i, u := range c.users {
			key, problem := schema.ParseAddress(u.Email)
			require.Empty(t, problem)
			require.Equal(t, key, u.Key)
			require.Equal(t, key, u.ID)
			require.Equal(t, i == 0, u.OrganizationID == "acme")
			require.Contains(t, schema.Statuses, u.Status)
			require.True(t, schema.ValidText(u.FirstName) && schema.ValidText(u.Title))
			require.True(t, u.Phone == "" || schema.ValidPhone(u.Phone))
			require.True(t, u.PreferredLanguage == "" || schema.ValidLanguage(u.PreferredLanguage))
		}
	})
}
