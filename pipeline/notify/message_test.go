package notify

import (
	"bytes"
	"maps"
	"mime"
	"net/http"
	netmail "net/mail"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"github.com/claimline/claimline/pipeline/claim"
	catalogue "github.com/claimline/claimline/pipeline/words"
	"github.com/claimline/claimline/schema"
)

// TestHeadersHoldWhatTheyAreFor writes mails with hostile names and subjects: no value becomes a header, an
// address or a part of its own.
func TestHeadersHoldWhatTheyAreFor(t *testing.T) {
	m := &mailer{SMTP: SMTP{From: &netmail.Address{Name: "Acme \"IT\" <x@evil.example>", Address: "it@acme.example"}}}
	hostile := rapid.OneOf(rapid.String(), rapid.StringMatching(`([a-zåÅ"<>,;:@ \\\r\n\t]|Bcc: x@evil\.example\r\n|\r\n\r\n|=\?UTF-8\?Q\?=0D=0A\?=){0,12}`))
	rapid.Check(t, func(t *rapid.T) {
		e := &envelope{
			Mail: Mail{Subject: hostile.Draw(t, "subject"), Text: hostile.Draw(t, "text"), HTML: hostile.Draw(t, "html")},
			To:   "ann@acme.example", Name: hostile.Draw(t, "name"), Language: "sv", MessageID: "id@acme.example", At: time.Unix(0, 0),
		}
		message, err := m.message(e)
		require.NoError(t, err)
		var raw bytes.Buffer
		_, err = message.WriteTo(&raw)
		require.NoError(t, err)
		read, err := netmail.ReadMessage(&raw)
		require.NoError(t, err)
		names := slices.Sorted(maps.Keys(read.Header))
		if read.Header.Get("Subject") == "" {
			names = append(names, "Subject")
			slices.Sort(names)
			names = slices.Compact(names)
		}
		require.Equal(t, []string{"Auto-Submitted", "Content-Language", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To"}, names)
		to, err := read.Header.AddressList("To")
		require.NoError(t, err)
		require.Len(t, to, 1)
		require.Equal(t, "ann@acme.example", to[0].Address)
		require.Equal(t, strings.Join(strings.Fields(strings.ReplaceAll(headerText(e.Name), `\`, "/")), " "), strings.Join(strings.Fields(to[0].Name), " "))
		from, err := read.Header.AddressList("From")
		require.NoError(t, err)
		require.Equal(t, []*netmail.Address{m.From}, from)
		subject, err := new(mime.WordDecoder).DecodeHeader(read.Header.Get("Subject"))
		require.NoError(t, err)
		require.Equal(t, strings.Join(strings.Fields(headerText(e.Subject)), " "), strings.Join(strings.Fields(subject), " "))
		require.NotContains(t, subject, "\n")
	})
}

func TestAddressesOfOthers(t *testing.T) {
	m := &mailer{SMTP: SMTP{From: &netmail.Address{Address: "it@acme.example"}}}
	for _, address := range []string{"", "ann", "ann@acme.example\r\nBcc: x@y.example", "ann@acme.example, x@evil.example", "\"a b\"@acme.example", "<ann@acme.example>"} {
		_, err := m.message(&envelope{To: address})
		require.Error(t, err, "%q", address)
	}
	message, err := m.message(&envelope{To: "ann@åkeri.example"})
	require.NoError(t, err)
	assert.Equal(t, "ann@xn--keri-poa.example", message.GetTo()[0].Address)
}

// linksIn lists where a page leads.
func linksIn(t require.TestingT, page string) (links []string) {
	root, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	for node := range root.Descendants() {
		for _, a := range node.Attr {
			if a.Key == "href" || a.Key == "src" || a.Key == "action" || strings.HasPrefix(a.Key, "on") {
				links = append(links, a.Val)
			}
		}
		assert.NotEqual(t, "script", node.Data)
	}
	return links
}

// FuzzLetter lets no name in a mail lead anywhere, break its page, or get into its subject by a second line.
func FuzzLetter(f *testing.F) {
	templates, err := LoadTemplates("")
	require.NoError(f, err)
	f.Add("# Ann", "Acme\r\nBcc: x@evil.example", "=> Click", "- item\n\n=> here")
	f.Add(`<a href="https://evil.example">`, "</title><script>", "| a | b", "~ small")
	f.Add("[x](https://evil.example)", "\u202eemca", "\xff\xfe", "{{.Page}}")
	f.Fuzz(func(t *testing.T, name, organization, source, message string) {
		for _, kind := range claim.Mails {
			for _, l := range samples(kind, "sv") {
				l.Name, l.Organization, l.Source = name, organization, source
				if l.Report != nil {
					report := *l.Report
					report.Sentence, report.File, report.Fix, report.Subject = message, name, message, "Import: "+message
					report.Problems = []Problem{{"1", message, message}}
					l.Report = &report
				}
				mail, err := templates.Render(l)
				require.NoError(t, err)
				require.NotContains(t, mail.Subject, "\n")
				require.True(t, utf8.ValidString(mail.Subject+mail.Text+mail.HTML))
				for _, link := range linksIn(t, mail.HTML) {
					require.Equal(t, l.Page, link)
				}
				require.Equal(t, 1, strings.Count(mail.HTML, "<h1"))
			}
		}
	})
}

func TestClean(t *testing.T) {
	for text, want := range map[string]string{
		"Ann\r\nBcc: x": "Ann  Bcc: x", "a\x00b": "a b", "\u202eevil\u200b": "evil", "Åsa\u00a0Öberg": "Åsa\u00a0Öberg", "\xffx": "x", "می\u200cخواهم": "می\u200cخواهم",
	} {
		assert.Equal(t, want, clean(text), "%q", text)
	}
	assert.LessOrEqual(t, utf8.RuneCountInString(clean(strings.Repeat("å", 10_000))), longest+1)
}

func TestLanguageOf(t *testing.T) {
	for tag, want := range map[string]catalogue.Language{"": "en", "sv": "sv", "sv-SE": "sv", "SV-fi": "sv", "en-GB": "en", "da": "en", "nonsense tag": "en"} {
		assert.Equal(t, want, languageOf(tag), tag)
	}
}

func TestPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"93.184.216.34": true, "2606:2800:220:1:248:1893:25c8:1946": true, "::ffff:93.184.216.34": true,
		"127.0.0.1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false, "100.64.0.1": false, "0.0.0.0": false,
		"224.0.0.1": false, "255.255.255.255": false, "198.18.0.1": false, "::1": false, "::": false, "fe80::1": false, "fc00::1": false, "ff02::1": false,
		"::ffff:10.0.0.1": false, "::ffff:127.0.0.1": false, "64:ff9b::a00:1": false, "2002:a00:1::": false, "::127.0.0.1": false, "fe80::1%eth0": false,
	} {
		assert.Equal(t, want, public(netip.MustParseAddr(address)), address)
	}
}

// TestSign holds the signature against the example of the specification.
func TestSign(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(path, []byte("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), 0o600))
	secret, err := ReadWebhookSecret(path)
	require.NoError(t, err)
	headers := (&Webhook{Secret: secret}).Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	assert.Equal(t, http.Header{
		"Webhook-Id": {"msg_p5jXN8AQM9LWM0D4loKWxJek"}, "Webhook-Timestamp": {"1614265330"}, "Webhook-Signature": {"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
	}, headers)
}

func TestTemplatesOfOthers(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	refused := func(what string) {
		t.Helper()
		_, err := LoadTemplates(folder)
		require.Equal(t, schema.CodeConfigInvalid, schema.CodeOf(err), "%v", err)
		require.ErrorContains(t, err, what)
	}
	write("claim.en.txt", "Subject: Hello {{.Name}}\n\nDear {{.Name}},\n\n=> Choose\n")
	write(".gitkeep", "")
	templates, err := LoadTemplates(folder)
	require.NoError(t, err)
	mail, err := templates.Preview(claim.MailClaim, "en")
	require.NoError(t, err)
	assert.Equal(t, "Hello Ann Öberg", mail.Subject)
	assert.Contains(t, mail.Text, "Dear Ann Öberg,\n\nChoose:\nhttps://")
	assert.Contains(t, mail.HTML, "Dear Ann Öberg,")
	swedish, err := templates.Preview(claim.MailClaim, "sv")
	require.NoError(t, err)
	assert.Contains(t, swedish.Text, "anspråk", "what is not replaced is as it was")

	write("layout.html", "<p>{{.Subject}}</p>{{range .Blocks}}<p>{{.Text}}</p>{{end}}")
	templates, err = LoadTemplates(folder)
	require.NoError(t, err)
	mail, err = templates.Preview(claim.MailClaim, "en")
	require.NoError(t, err)
	assert.Equal(t, "<p>Hello Ann Öberg</p><p>Dear Ann Öberg,</p><p>Choose</p>", mail.HTML)

	write("claim.en.txt", "Subject: {{.Nome}}\n\nHello\n")
	refused("claim.en.txt")
	write("claim.en.txt", "Subject: {{.Name\n\nHello\n")
	refused("claim.en.txt")
	write("claim.en.txt", "Hello\n")
	refused("Subject:")
	write("claim.en.txt", "Subject: Hello\n\nDear Ann\n")
	write("layout.html", "{{.Nothing}}")
	refused("layout.html")
	require.NoError(t, os.Remove(filepath.Join(folder, "layout.html")))
	write("claims.en.txt", "Subject: Hello\n\nDear Ann\n")
	refused("claims.en.txt")
	_, err = LoadTemplates(filepath.Join(folder, "absent"))
	require.Equal(t, schema.CodeConfigInvalid, schema.CodeOf(err))
}

// TestTextSaysWhatThePageSays compares the words of both forms of every mail.
func TestTextSaysWhatThePageSays(t *testing.T) {
	templates, err := LoadTemplates("")
	require.NoError(t, err)
	words := func(text string) []string {
		return regexp.MustCompile(`[\pL\d@]+`).FindAllString(text, -1)
	}
	for _, kind := range claim.Mails {
		for _, language := range catalogue.Languages {
			for _, l := range samples(kind, language) {
				mail, err := templates.Render(l)
				require.NoError(t, err)
				root, err := html.Parse(strings.NewReader(mail.HTML))
				require.NoError(t, err)
				var page strings.Builder
				for node := range root.Descendants() {
					if node.Type == html.TextNode && node.Parent.Data != "style" && node.Parent.Data != "title" {
						page.WriteString(node.Data + " ")
					}
				}
				shown := words(page.String())
				for _, word := range words(mail.Text) {
					assert.Contains(t, shown, word, "%s %s", kind, language)
				}
			}
		}
	}
}
