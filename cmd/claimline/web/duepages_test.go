package web_test

import (
	"encoding/csv"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/claim"
	"github.com/claimline/claimline/pipeline/store"
	"github.com/claimline/claimline/schema"
)

func TestDeadlinePages(t *testing.T) {
	s := start(t, options{})
	v := s.signedIn(schema.RoleViewer, "en").open("/deadlines")
	assert.Contains(t, v.says(), "Nothing is due.")
	rows := strings.SplitAfter(strings.TrimSpace(good(t))+"\n", "\n")
	slices.Reverse(rows[1 : len(rows)-1]) // what falls due in one second is not found in the order in which it is listed
	s.agree(s.planned("", strings.Join(rows, "")))
	var due []schema.Deadline
	for mark, more := (store.DeadlineMark{}), true; more; {
		var part []schema.Deadline
		var err error
		part, mark, more, err = s.deadlines(mark)
		require.NoError(t, err)
		due = append(due, part...)
	}
	require.NotEmpty(t, due)
	all, _, _, err := s.store.FirstDeadlines(t.Context(), claim.RulesAt(time.Now(), schema.DefaultPolicy()), "acme", store.DeadlineMark{}, 1000)
	require.NoError(t, err)
	assert.Equal(t, all, due, "part by part it is the same list")
	first := due[0].DueAt.UTC()
	v.open("/deadlines")
	days, month := map[string]int{}, 0
	for _, d := range due {
		days[d.DueAt.UTC().Format(time.DateOnly)]++
		if d.DueAt.UTC().Format("2006-01") == first.Format("2006-01") {
			month++
		}
	}
	assert.Contains(t, v.says(), itoa(month)+" things are due in "+first.Format("January 2006"))
	day := first.Format(time.DateOnly)
	assert.Contains(t, v.text, `href="#day-`+day+`"`)
	assert.Greater(t, days[day], 5)
	v.open(v.link("See all " + itoa(days[day]) + " of " + first.Format("2 January 2006")))
	assert.Equal(t, "Due on "+first.Format("2 January 2006"), v.heading())
	for _, d := range due {
		if d.DueAt.UTC().Format(time.DateOnly) == day {
			assert.Contains(t, v.says(), d.Email)
		}
	}
	v.open("/deadlines?month=" + first.AddDate(0, 2, 0).Format("2006-01"))
	assert.Contains(t, v.says(), "Nothing is due in")
	for _, odd := range []string{"?month=x", "?day=x", "?day=" + day + "&at=x&key=%00", "?month=9999-12", "?month=0001-01"} {
		assert.Equal(t, http.StatusOK, v.open("/deadlines"+odd).status, odd)
	}
	v.open(v.open("/deadlines").link("Download for your calendar"))
	assert.Equal(t, "text/calendar; charset=utf-8", v.header.Get("Content-Type"))
	assert.Contains(t, v.text, "BEGIN:VCALENDAR")
	assert.Equal(t, 1, strings.Count(v.text, "DTSTART;VALUE=DATE:"+first.Format("20060102")+"\r\nSUMMARY:10 delayed claims"))
}

// A list is uploaded once, and what it would do is looked at page by page, and effect by effect.
func TestDirectoryPages(t *testing.T) {
	s := start(t, options{idle: true})
	v := s.signedIn(schema.RoleViewer, "en").open("/directory")
	assert.Contains(t, v.says(), "Upload the full list")
	assert.Equal(t, http.StatusNotFound, v.open("/directory.csv").status)
	text, err := os.ReadFile(filepath.Join(samples, "directory.csv"))
	require.NoError(t, err)
	v.attachTo("/directory", "empty.csv", "", "address=mail")
	assert.Equal(t, http.StatusUnprocessableEntity, v.status)
	assert.Equal(t, "mail", v.value("address"))
	v.attachTo("/directory", "directory.csv", string(text), "address=mail")
	require.Equal(t, http.StatusOK, v.status, v.says())
	assert.Equal(t, "/directory", v.at.Path)
	assert.Contains(t, v.says(), "What directory.csv would do")
	assert.Contains(t, v.says(), "Nothing has been changed.")
	v.open("/directory.csv")
	all, err := csv.NewReader(strings.NewReader(v.text)).ReadAll()
	require.NoError(t, err)
	assert.Equal(t, []string{"email", "effect", "in_list_as"}, all[0])
	counts := map[string]int{}
	for _, row := range all[1:] {
		counts[row[1]]++
	}
	seen := 0
	for next := "/directory"; ; next = v.link("More rows") {
		v.open(next)
		seen += strings.Count(v.text, "<tr><td>")
		if !strings.Contains(v.says(), "More rows") {
			break
		}
	}
	assert.Len(t, all, 1+seen, "every row is on one page")
	v.open("/directory").press("Filter", "effect=keep")
	assert.Contains(t, v.says(), "1 to 50 of "+itoa(counts["keep"]))
	assert.NotContains(t, v.says(), "are in the list only")
	v.open(v.link("Download these as CSV"))
	assert.Equal(t, 1+counts["keep"], strings.Count(v.text, "\n"))
	assert.Equal(t, counts["keep"], strings.Count(v.text, ",keep,"))

	list, err := os.ReadFile(filepath.Join(samples, "directories", "csvde.csv"))
	require.NoError(t, err)
	v.attachTo("/directory", "csvde.csv", string(list))
	require.Equal(t, http.StatusOK, v.status, v.says())
	assert.Contains(t, v.says(), "How the list was read")
	assert.Contains(t, v.says(), "is in it otherwise, for example under another address.")
	assert.Regexp(t, `In the list (under another|without an) address.*\(line \d+, column “\w+”\)`, v.says())

	for _, odd := range []string{"?from=x", "?from=-7", "?from=999999", "?effect=odd"} {
		assert.Equal(t, http.StatusOK, v.open("/directory"+odd).status, odd)
	}
	other := s.signedIn(schema.RoleAdmin, "sv").open("/directory")
	assert.NotContains(t, other.text, "directory.csv would do", "what was uploaded with a token is shown to who has signed in with it")
}

func itoa(n int) string { return strconv.Itoa(n) }

// deadlines returns what is due behind a mark.
func (s *service) deadlines(after store.DeadlineMark) (list []schema.Deadline, last store.DeadlineMark, more bool, err error) {
	const part = 7
	return s.store.FirstDeadlines(s.Context(), claim.RulesAt(time.Now(), schema.DefaultPolicy()), "acme", after, part)
}
