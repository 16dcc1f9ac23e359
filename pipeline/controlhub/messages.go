package controlhub

import (
	"regexp"
	"slices"
	"strings"

	"github.com/claimline/claimline/schema"
)

// numberedReasons are the reasons of Control Hub's messages by their number.
var numberedReasons = map[string]schema.Code{
	"400081": schema.CodeNotClaimed,
	"400084": schema.CodeDomainClaimedElsewhere, "400108": schema.CodeDomainClaimedElsewhere,
	"400091": schema.CodeDomainNotVerified, "400109": schema.CodeDomainNotVerified,
	"400090": schema.CodeClaimedElsewhere,
	"400110": schema.CodeDirectorySyncEnabled,
	"400111": schema.CodeLicenseUnavailable, "400112": schema.CodeLicenseUnavailable,
	"400087": schema.CodeServiceConflict, "400094": schema.CodeServiceConflict,
	"401": schema.CodeCredentialsRefused, "403": schema.CodeCredentialsRefused,
	"404": schema.CodeUserNotFound, "409": schema.CodeConflict,
	"408": schema.CodeFailed, "429": schema.CodeFailed,
}

var (
	// tracking is how a message ends: what stands there is a name, whatever digits it has.
	tracking = regexp.MustCompile(`(?i)(?:^|[\s,;.(\[]+)tracking\s*-?id\s*[:=].*`)
	// longNumber and shortNumber are the number of a message. The short ones are those of HTTP, and stand
	// only where numbers of errors do: a message may speak of 500 characters.
	longNumber  = regexp.MustCompile(`(?:^|[^0-9])(400[0-9]{3})(?:[^0-9]|$)`)
	shortNumber = regexp.MustCompile(`(?i)(?:^[^a-z0-9]*|\b(?:error|code|status|http)(?:[ _-]?code)?[\s:=#(\[]*)([45][0-9]{2})(?:[^0-9]|$)`)
)

// wordedReasons are the reasons of messages without a number that is known, by their words; the first that
// fits is the reason.
var wordedReasons = []struct {
	words  *regexp.Regexp
	reason schema.Code
}{
	{regexp.MustCompile(`(?i)director(y|ies)[ -]?(sync|connector|synchroni[sz])|synchroni[sz]ed from (a|your|the) directory`), schema.CodeDirectorySyncEnabled},
	{regexp.MustCompile(`(?i)domain.*(claimed|owned|verified) by (another|a different|other)|domain.*already (been )?claimed`), schema.CodeDomainClaimedElsewhere},
	{regexp.MustCompile(`(?i)domain.*(not|never|isn't|hasn't)( yet)?( been)? (verified|claimed)|(not|un)[ -]?verified domain|verify (the|your|this) domain`), schema.CodeDomainNotVerified},
	{regexp.MustCompile(`(?i)suspended`), schema.CodeServiceSuspended},
	{regexp.MustCompile(`(?i)(claimed|belongs?|member|managed|owned).*(by|to|of|in) (another|a different|some other) org`), schema.CodeClaimedElsewhere},
	{regexp.MustCompile(`(?i)location`), schema.CodeLocationMissing},
	{regexp.MustCompile(`(?i)(phone number|extension).*(required|missing|needed|must|mandatory)|(required|missing|need(s|ed)?|must have).*(phone number|extension)`), schema.CodeNumberMissing},
	{regexp.MustCompile(`(?i)licen[cs]es?.*(unavailable|not available|insufficient|exceed|exhausted|no longer|not enough|none left|ran out)|(insufficient|not enough|no( more| available| remaining| free)*|out of) licen[cs]es?`), schema.CodeLicenseUnavailable},
	{regexp.MustCompile(`(?i)(services?|licen[cs]es?|entitlements?).*(conflict|incompatible|mutually|cannot be combined|not both)|(conflict|incompatible|mutually).*(services?|licen[cs]es?|entitlements?)`), schema.CodeServiceConflict},
	{regexp.MustCompile(`(?i)already exists?|must be claimed|claim (the |this )?users? first|needs? to be claimed`), schema.CodeNotClaimed},
	{regexp.MustCompile(`(?i)\b(true|false|boolean)\b`), schema.CodeBooleanInvalid},
	{regexp.MustCompile(`(?i)unauthori[sz]ed|forbidden|access denied|permission|credential|not authori[sz]ed|expired token|token.*expired`), schema.CodeCredentialsRefused},
	{regexp.MustCompile(`(?i)(user|account).*(not (be )?found|does(n't| not) exist)|no such user|unknown user`), schema.CodeUserNotFound},
	{regexp.MustCompile(`(?i)invalid e-?mail|e-?mail.*(invalid|not valid|malformed)`), schema.CodeEmailInvalid},
	{regexp.MustCompile(`(?i)too many requests|rate limit|timed? ?out|internal (server )?error|unavailable|try again|retry later|bad gateway`), schema.CodeFailed},
	{regexp.MustCompile(`(?i)conflict`), schema.CodeConflict},
}

// reasonOf returns the reason of one of Control Hub's messages.
func reasonOf(message string) schema.Code {
	text := tracking.ReplaceAllString(message, "")
	for _, found := range longNumber.FindAllStringSubmatch(text, -1) {
		if reason, known := numberedReasons[found[1]]; known {
			return reason
		}
	}
	if found := shortNumber.FindStringSubmatch(text); found != nil {
		if reason, known := numberedReasons[found[1]]; known {
			return reason
		}
		if strings.HasPrefix(found[1], "5") {
			return schema.CodeFailed
		}
	}
	for _, worded := range wordedReasons {
		if worded.words.MatchString(text) {
			return worded.reason
		}
	}
	return schema.CodeMessageUnknown
}

// Reasons returns the reasons of messages, each once. What is not known is no reason beside what is.
func Reasons(messages []string) []schema.Code {
	var reasons []schema.Code
	for _, message := range messages {
		if reason := reasonOf(message); reason != schema.CodeMessageUnknown && !slices.Contains(reasons, reason) {
			reasons = append(reasons, reason)
		}
	}
	if len(reasons) == 0 {
		return []schema.Code{schema.CodeMessageUnknown}
	}
	return reasons
}
