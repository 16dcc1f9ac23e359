package web_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/claimline/claimline/schema"
)

// attach sends the form of a new import, with a file; fields come before it, as in "encoding=macintosh".
func (v *visitor) attach(name, content string, fields ...string) *visitor {
	v.Helper()
	return v.attachTo("/imports/new", name, content, fields...)
}

// attachTo sends a file to a path, in a form with fields as in "address=mail".
func (v *visitor) attachTo(path, name, content string, fields ...string) *visitor {
	v.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, field := range fields {
		key, value, _ := strings.Cut(field, "=")
		require.NoError(v, w.WriteField(key, value))
	}
	part, err := w.CreateFormFile("file", name)
	require.NoError(v, err)
	_, err = part.Write([]byte(content))
	require.NoError(v, err)
	require.NoError(v, w.Close())
	request, err := http.NewRequestWithContext(v.Context(), http.MethodPost, v.service.url+path, &body)
	require.NoError(v, err)
	request.Header.Set("Content-Type", w.FormDataContentType())
	return v.do(request)
}

// ended opens the page again until the import has ended.
func (v *visitor) ended() *visitor {
	v.Helper()
	path := v.at.Path
	v.open(path + "/events") // it ends with the import
	return v.open(path)
}

func TestImportPages(t *testing.T) {
	s := start(t, options{})
	v := s.signedIn(schema.RoleOperator, "en")
	v.open("/imports")
	assert.Contains(t, v.says(), "There are no imports yet.")
	v.open("/imports/new")
	assert.Equal(t, "Import a file", v.heading())
	text, err := os.ReadFile(filepath.Join(samples, "edited.csv"))
	require.NoError(t, err)
	v.attach("edited.csv", string(text))
	require.Equal(t, http.StatusOK, v.status, v.text)
	require.Regexp(t, `^/imports/\d+$`, v.at.Path)
	assert.Contains(t, v.says(), "Nobody has been claimed yet")
	assert.Contains(t, v.says(), "To correct in your file")
	assert.Contains(t, v.says(), "A claim is permanent.")

	var imp struct{ Ready int }
	s.get(v.at.Path, &imp)
	count := message.NewPrinter(language.English).Sprintf("%d", imp.Ready)
	users := "Claim " + count + " users"
	for _, wrong := range []string{"", "abc", "1", strconv.Itoa(imp.Ready + 1)} {
		v.press(users, "claims="+wrong)
		assert.GreaterOrEqual(t, v.status, 400, wrong)
		v.open(strings.TrimSuffix(v.at.Path, "/consent"))
		assert.Contains(t, v.says(), "Nobody has been claimed yet", wrong)
	}
	v.send(v.at.Path+"/consent", url.Values{"claims": {strconv.Itoa(imp.Ready)}})
	assert.Equal(t, http.StatusUnprocessableEntity, v.status, "the consent is missing")
	v.open(strings.TrimSuffix(v.at.Path, "/consent"))
	fill := []string{fmt.Sprintf("claims= %d", imp.Ready)}
	if strings.Contains(v.text, "accept_edits") {
		fill = append(fill, "accept_edits=yes")
	}
	v.press(users, fill...)
	require.Equal(t, http.StatusOK, v.status, v.text)
	v.ended()
	assert.Contains(t, v.says(), "Done, with problems")
	assert.Contains(t, v.says(), "The import claimed "+count+" of")

	path := v.at.Path
	v.open(path + "?only=problems&search=@")
	assert.Contains(t, v.says(), "Show all rows")
	v.open(path + "/report?format=csv&only=problems")
	assert.Equal(t, http.StatusOK, v.status)
	assert.Contains(t, v.header.Get("Content-Disposition"), "problems-import-")
	v.attach("problems.csv", v.text)
	assert.Contains(t, v.says(), "Nobody was claimed: ")
	v.open("/imports")
	assert.Contains(t, v.says(), "edited.csv")

	v.open(path + "/retract")
	n, _, found := strings.Cut(v.heading(), " claims can be taken back")
	require.True(t, found)
	assert.Contains(t, v.says(), "Your organization has claimed the domain of this user.")
	v.press("Take " + n + " claims back")
	for strings.HasSuffix(v.heading(), "so far") {
		v.press("Go on")
	}
	assert.Equal(t, n+" claims were taken back", v.heading())
	assert.Contains(t, v.open(path+"/retract").heading(), "0 claims can be taken back")
	v.open("/eligible.csv")
	assert.Contains(t, v.header.Get("Content-Type"), "text/csv")
	assert.Contains(t, v.text, "User ID/Email (Required)")

	viewer := s.signedIn(schema.RoleViewer, "sv").open(path)
	assert.NotContains(t, viewer.text, "/retract")
	assert.Equal(t, http.StatusForbidden, viewer.open("/imports/new").status)
	assert.Equal(t, "/users", viewer.link("Användare"), "the way to the other pages stays")
	assert.Equal(t, http.StatusForbidden, viewer.send(path+"/cancel", nil).status)
	theirs := s.visit("en").send("/sign-in", url.Values{"token": {s.theirs}})
	assert.Equal(t, http.StatusNotFound, theirs.open(path).status)
	assert.Equal(t, http.StatusNotFound, theirs.open("/imports/x").status)
}

func TestDecliningOnAPage(t *testing.T) {
	s := start(t, options{idle: true})
	v := s.signedIn(schema.RoleOperator, "sv")
	v.attach("good.csv", good(t))
	v.press("Gör inga anspråk")
	assert.Contains(t, v.says(), "Avvisad")
	v.attach("good.csv", good(t)).press("Gör anspråk på 20 användare", "claims=20")
	assert.Contains(t, v.says(), "Väntar på sin tur")
	v.press("Avbryt importen")
	assert.Contains(t, v.says(), "Avbruten")
	v.press("Fortsätt där den stannade")
	assert.Contains(t, v.says(), "Väntar på sin tur")
}

// A file of which something is not certain is asked about.
func TestAskingAboutFiles(t *testing.T) {
	s := start(t, options{idle: true})
	v := s.signedIn(schema.RoleOperator, "en")
	v.attach("x.csv", "a,b\n1,2\n")
	assert.Equal(t, http.StatusUnprocessableEntity, v.status)
	assert.Contains(t, v.says(), "x.csv was not read")
	v.attach("", "")
	assert.GreaterOrEqual(t, v.status, 400)

	header := "User ID/Email (Required),First Name,Claim\n"
	v.attach("mac.csv", header+"angla.noren@acme.test,\x80ngla,TRUE\n")
	assert.Equal(t, http.StatusUnprocessableEntity, v.status)
	assert.Contains(t, v.says(), "How should this cell read?")
	assert.Contains(t, v.text, `value="macintosh"`)
	v.attach("mac.csv", header+"angla.noren@acme.test,\x80ngla,TRUE\n", "encoding=macintosh")
	assert.Contains(t, v.says(), "1 of 1 users would be claimed.")

	marks := "User ID/Email (Required),Claim this one\nangla.noren@acme.test,TRUE\n"
	v.attach("marks.csv", marks)
	assert.Contains(t, v.says(), "What is the column “Claim this one”?")
	v.attach("marks.csv", marks, "column=Claim this one=Claim")
	assert.Contains(t, v.says(), "1 of 1 users would be claimed.")
	v.attach("marks.csv", marks, "column=\x01Claim this one")
	assert.GreaterOrEqual(t, v.status, 200)
}
