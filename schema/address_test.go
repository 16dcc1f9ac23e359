package schema

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
)

func TestParseAddress(t *testing.T) {
	label := strings.Repeat("d", 60)
	long := strings.Repeat(label+".", 3) + strings.Repeat("e", 254-3*61-2) // with a@ before it, 254 bytes

	for name, c := range map[string]struct {
		address, key string
		problem      Code
	}{
		"plain":                       {address: "ann@acme.example", key: "ann@acme.example"},
		"capitals":                    {address: "Ann.LEE@Acme.EXAMPLE", key: "ann.lee@acme.example"},
		"every special of an atom":    {address: "a!#$%&'*+-/=?^_`{|}~9@acme.example", key: "a!#$%&'*+-/=?^_`{|}~9@acme.example"},
		"letters beyond ASCII":        {address: "Åsa.Öberg@acme.example", key: "åsa.öberg@acme.example"},
		"decomposed letters":          {address: "A\u030asa@acme.example", key: "åsa@acme.example"},
		"a script without case":       {address: "用户@acme.example", key: "用户@acme.example"},
		"IDN":                         {address: "ann@Åkeri.example", key: "ann@xn--keri-poa.example"},
		"IDN, decomposed":             {address: "ann@A\u030akeri.example", key: "ann@xn--keri-poa.example"},
		"IDN, in ASCII already":       {address: "ann@XN--KERI-poa.example", key: "ann@xn--keri-poa.example"},
		"IDN, with an ideographic":    {address: "ann@åkeri。example", key: "ann@xn--keri-poa.example"},
		"sharp s":                     {address: "ann@straße.example", key: "ann@xn--strae-oqa.example"},
		"digits for labels":           {address: "ann@1.2.3.4", key: "ann@1.2.3.4"},
		"hyphens inside":              {address: "ann@a-b--c.example", key: "ann@a-b--c.example"},
		"local part of 64 bytes":      {address: strings.Repeat("a", 64) + "@acme.example", key: strings.Repeat("a", 64) + "@acme.example"},
		"local part of 64 bytes, Å":   {address: strings.Repeat("å", 32) + "@acme.example", key: strings.Repeat("å", 32) + "@acme.example"},
		"254 bytes":                   {address: "a@" + long, key: "a@" + long},
		"nothing":                     {address: "", problem: CodeEmailMissing},
		"255 bytes":                   {address: "ab@" + long, problem: CodeEmailTooLong},
		"255 bytes, and no address":   {address: strings.Repeat("x", 255), problem: CodeEmailTooLong},
		"local part of 65 bytes":      {address: strings.Repeat("a", 65) + "@acme.example", problem: CodeEmailInvalid},
		"local part of 65 bytes, Å":   {address: strings.Repeat("å", 32) + "a@acme.example", problem: CodeEmailInvalid},
		"no @":                        {address: "acme.example", problem: CodeEmailInvalid},
		"no local part":               {address: "@acme.example", problem: CodeEmailInvalid},
		"no domain":                   {address: "ann@", problem: CodeEmailInvalid},
		"two @":                       {address: "ann@lee@acme.example", problem: CodeEmailInvalid},
		"one label":                   {address: "ann@localhost", problem: CodeEmailInvalid},
		"one label, IDN":              {address: "ann@åkeri", problem: CodeEmailInvalid},
		"dot at the end":              {address: "ann@acme.example.", problem: CodeEmailInvalid},
		"dot at the end, IDN":         {address: "ann@åkeri.example.", problem: CodeEmailInvalid},
		"dot at the beginning":        {address: "ann@.acme.example", problem: CodeEmailInvalid},
		"two dots":                    {address: "ann@acme..example", problem: CodeEmailInvalid},
		"local part begins with dot":  {address: ".ann@acme.example", problem: CodeEmailInvalid},
		"local part ends with dot":    {address: "ann.@acme.example", problem: CodeEmailInvalid},
		"local part with two dots":    {address: "ann..lee@acme.example", problem: CodeEmailInvalid},
		"two dots after Å":            {address: "å..a@acme.example", problem: CodeEmailInvalid},
		"quotes":                      {address: `"ann"@acme.example`, problem: CodeEmailInvalid},
		"quotes with a blank":         {address: `"ann lee"@acme.example`, problem: CodeEmailInvalid},
		"blank":                       {address: "ann lee@acme.example", problem: CodeEmailInvalid},
		"blank in the domain":         {address: "ann@acme .example", problem: CodeEmailInvalid},
		"comment":                     {address: "ann(lee)@acme.example", problem: CodeEmailInvalid},
		"comment after the domain":    {address: "ann@acme.example (Ann)", problem: CodeEmailInvalid},
		"display name":                {address: "Ann Lee <ann@acme.example>", problem: CodeEmailInvalid},
		"IP literal":                  {address: "ann@[192.0.2.1]", problem: CodeEmailInvalid},
		"IPv6 literal":                {address: "ann@[IPv6:2001:db8::1]", problem: CodeEmailInvalid},
		"underscore in the domain":    {address: "ann@ac_me.example", problem: CodeEmailInvalid},
		"hyphen at a label's start":   {address: "ann@-acme.example", problem: CodeEmailInvalid},
		"hyphen at a label's end":     {address: "ann@acme-.example", problem: CodeEmailInvalid},
		"hyphen at the domain's end":  {address: "ann@acme.example-", problem: CodeEmailInvalid},
		"hyphens like those of IDN":   {address: "ann@ab--c.example", problem: CodeEmailInvalid},
		"xn-- of nothing":             {address: "ann@xn--.example", problem: CodeEmailInvalid},
		"xn-- of no Punycode":         {address: "ann@xn--99999999.example", problem: CodeEmailInvalid},
		"symbol in the local part":    {address: "ann☃@acme.example", problem: CodeEmailInvalid},
		"zero width in local part":    {address: "ann\u200b@acme.example", problem: CodeEmailInvalid},
		"undecodable local part":      {address: "\xe5sa@acme.example", problem: CodeEmailInvalid},
		"undecodable domain":          {address: "ann@\xe5keri.example", problem: CodeEmailInvalid},
		"replacement character":       {address: "\ufffdsa@acme.example", problem: CodeEmailInvalid},
		"replacement in the domain":   {address: "ann@\ufffdkeri.example", problem: CodeEmailInvalid},
		"line break":                  {address: "ann\n@acme.example", problem: CodeEmailInvalid},
		"NUL":                         {address: "ann@acme\x00.example", problem: CodeEmailInvalid},
		"list":                        {address: "ann@acme.example,bo@acme.example", problem: CodeEmailInvalid},
		"list of two with semicolons": {address: "ann@acme.example;bo@acme.example", problem: CodeEmailInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			key, problem := ParseAddress(c.address)
			assert.Equal(t, c.problem, problem)
			assert.Equal(t, c.key, key)
		})
	}
}

func TestKeyDomain(t *testing.T) {
	assert.Equal(t, "acme.example", KeyDomain("ann@acme.example"))
	assert.Equal(t, "acme.example", KeyDomain("å!#@acme.example"))
}

func TestDomainKey(t *testing.T) {
	for domain, want := range map[string]string{
		"acme.example": "acme.example", "ACME.Example": "acme.example", "åkeri.example": "xn--keri-poa.example",
		"Åkeri.EXAMPLE": "xn--keri-poa.example", "mail.acme.example": "mail.acme.example",
		"": "", "acme": "", "acme.": "", ".acme.example": "", "acme..example": "", "acme.example.": "", "acme example.com": "", "a_b.example": "",
		"*.acme.example": "", "https://acme.example": "", "ann@acme.example": "", "xn--99999999.example": "", "\xe5keri.example": "",
	} {
		key, ok := DomainKey(domain)
		assert.Equal(t, want != "", ok, "%q", domain)
		if ok {
			assert.Equal(t, want, key, "%q", domain)
		}
	}
}

// FuzzParseAddress shows that the short cut for ASCII decides as the long way does, and that a key is its own
// key.
func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{
		"", "@", "a@b", "ann@acme.example", "Ann.Lee+x@Acme.Example", "a..b@c.d", ".a@b.c", "a.@b.c", "a@b.c.", "a@.b.c", "a@b..c", "a@-b.c", "a@b-.c",
		"a@b.c-", "a@ab--c.d", "a@abc--d.e", "a@xn--keri-poa.example", "a@XN--KERI-POA.example", "a@xn--a.b", "åsa@acme.example", "a\u030asa@x.y", "a@åkeri.example",
		"a@x。y", "\"a\"@b.c", "a b@c.d", "a@[1.2.3.4]", "a@1.2", "a@b_c.d", "a@b.c\n", "a@b.\x00c", "\xff@b.c", "a@\xff.c", "Ⱥ@b.c", "K@b.c", "İ@b.c", "ß@ß.de",
		strings.Repeat("a", 64) + "@b.c", strings.Repeat("Ⱥ", 32) + "@b.c", "a@" + strings.Repeat("b", 64) + ".c", "a@א.b", "1@א1.b", "a@b.c@d.e",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		key, problem := ParseAddress(s)
		if at := strings.LastIndexByte(s, '@'); at >= 1 && at <= maxLocalBytes && len(s) <= MaxAddressBytes {
			if ok, plain := plainAddress(s, at); plain {
				longKey, longProblem := parseUnicodeAddress(s, at)
				require.Equal(t, longProblem == "", ok)
				require.Equal(t, longProblem, problem)
				require.Equal(t, longKey, key)
			}
		}
		if problem != "" {
			require.Empty(t, key)
			require.Contains(t, []Code{CodeEmailMissing, CodeEmailTooLong, CodeEmailInvalid}, problem)
			return
		}
		domain, ok := DomainKey(KeyDomain(key))
		require.True(t, ok)
		require.Equal(t, KeyDomain(key), domain)
		require.True(t, norm.NFC.IsNormalString(key))
		if strings.LastIndexByte(key, '@') > maxLocalBytes || len(key) > MaxAddressBytes {
			return // the limits are those of the address as written; its key may be longer
		}
		again, problem := ParseAddress(key)
		require.Empty(t, problem)
		require.Equal(t, key, again)
	})
}
