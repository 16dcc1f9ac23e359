package schema

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// declaredCodes reads the constants of type Code from the source, so that none can be forgotten.
func declaredCodes(t *testing.T) []Code {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "code.go", nil, 0)
	require.NoError(t, err)
	var found []Code
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || fmt.Sprint(spec.Type) != "Code" {
			return true
		}
		for _, value := range spec.Values {
			text, err := strconv.Unquote(value.(*ast.BasicLit).Value)
			require.NoError(t, err)
			found = append(found, Code(text))
		}
		return true
	})
	require.NotEmpty(t, found)
	return found
}

func TestEveryCodeIsInTheTable(t *testing.T) {
	seen := map[Code]bool{}
	for _, code := range declaredCodes(t) {
		assert.False(t, seen[code], "%s is declared twice", code)
		seen[code] = true
		assert.True(t, code.Known(), code)
		assert.Regexp(t, `^[a-z0-9]+(_[a-z0-9]+)*$`, string(code))

		message, fix := code.Message(""), code.Fix()
		detailed := code.Message("DETAIL", "ANOTHER")
		for _, text := range []string{message, detailed, fix} {
			assert.NotEmpty(t, text, code)
			assert.NotContains(t, text, "{", code)
			assert.NotContains(t, text, "[", code)
			assert.NotContains(t, text, "]", code)
			assert.Equal(t, strings.TrimSpace(text), text, code)
			assert.NotContains(t, text, "  ", code)
			assert.True(t, strings.HasSuffix(text, "."), "%s: %q does not end with a full stop", code, text)
			for sentence := range strings.SplitSeq(text, ". ") {
				assert.Less(t, len(strings.Fields(sentence)), 25, "%s: %q", code, sentence)
			}
		}
		assert.True(t, code.Status() >= 400 && code.Status() < 600, "%s: %d", code, code.Status())
		if strings.Contains(codes[code].message, "{1}") {
			assert.Equal(t, 1, strings.Count(detailed, "DETAIL"), code)
		} else {
			assert.Equal(t, message, detailed, code)
		}
	}
	assert.Len(t, codes, len(seen), "the table has codes that are not declared")
}

// The outcome of each reason a row can have, as the contract has it.
func TestOutcomeOfReasons(t *testing.T) {
	outcomes := map[Outcome][]Code{
		Invalid: {
			"field_count", "boolean_invalid", "email_missing", "email_too_long", "email_invalid", "text_too_long", "text_invalid",
			"phone_invalid", "language_invalid", "claim_type_invalid", "duplicate_row", "claim_contradicted",
			"formula_cell", "service_suspended", "location_missing", "number_missing", "service_conflict",
		},
		Skipped:   {"claim_false", "claim_blank"},
		Unchanged: {"already_claimed", "already_member"},
		Ineligible: {
			"user_not_found", "claimed_elsewhere", "domain_not_verified", "domain_claimed_elsewhere", "domain_verified_elsewhere", "source_sso", "source_directory_sync", "stale_claim_type",
			"domain_not_ours", "not_in_directory", "case_mismatch",
		},
		NotAttempted: {"cancelled", "consent_declined", "all_or_nothing", "directory_sync_enabled"},
		Failed:       {"internal"},

		Refused:        {"credentials_refused", "conflict", "failed", "message_unknown"},
		StillClaimable: {"still_claimable"},
		NotFound:       {"not_listed"},
		ClaimDelayed:   {"delayed"},
		TakenElsewhere: {"taken_elsewhere"},
	}
	reasons := map[Code]bool{}
	for outcome, codes := range outcomes {
		for _, code := range codes {
			assert.Equal(t, outcome, code.Outcome(), code)
			reasons[code] = true
		}
	}
	for _, code := range declaredCodes(t) {
		if !reasons[code] {
			assert.Empty(t, code.Outcome(), code)
		}
	}
}

func TestUnknownCode(t *testing.T) {
	unknown := Code("no_such_code")
	assert.False(t, unknown.Known())
	assert.Empty(t, unknown.Message("x"))
	assert.Empty(t, unknown.Fix())
	assert.Empty(t, unknown.Outcome())
	assert.Zero(t, unknown.Status())
}

func TestMessage(t *testing.T) {
	assert.Equal(t, "The same address is already in this file, on line 7.", CodeDuplicateRow.Message("7"))
	assert.Equal(t, "The same address is already in this file.", CodeDuplicateRow.Message(""))
	assert.Equal(t, `This is not a valid e-mail address: "{}[]".`, CodeEmailInvalid.Message(`"{}[]"`))
}

// A hint says something of its own, and needs no more details than it is given.
func TestHints(t *testing.T) {
	for hint := range hints {
		for _, text := range []string{hint.Message("ONE", "TWO", "THREE"), hint.Fix("ONE", "TWO", "THREE")} {
			assert.True(t, strings.HasSuffix(text, "."), "%s: %q", hint, text)
			assert.NotContains(t, text, "{", hint)
			assert.NotContains(t, text, "[", hint)
		}
		assert.Regexp(t, `^[a-z]+(_[a-z]+)*$`, string(hint))
	}
	assert.Equal(t, "Write one row for each address.", HintEmailSeveral.Fix())
	assert.Equal(t, "Type the address again.", HintLookAlike.Fix("U+0430"))
	assert.Equal(t, "Type the address again: b@c.d has an account.", HintLookAlike.Fix("U+0430", "b@c.d"))
	assert.Equal(t, "[{2}] stays as it is", fill("{1}", []string{"[{2}] stays as it is"}, nil))
}

func TestWarning(t *testing.T) {
	assert.Equal(t, "content_not_transferred", Warning(CodeContentNotTransferred, ""))
	assert.Equal(t, "license_unavailable:Webex: Calling", Warning(CodeLicenseUnavailable, "Webex: Calling"))
}

func TestError(t *testing.T) {
	cause := errors.New("secret cause")
	err := Refuse(CodeCSVMalformed, "Line %d is bad.", 3).At("a.csv", 3, 4).WithFix("Fix it %s.", "so").Because(cause)
	assert.Equal(t, "a.csv:3:4: Line 3 is bad. (csv_malformed)", err.Error())
	assert.Equal(t, "Fix it so.", err.Remedy())
	assert.NotContains(t, err.Error(), "secret")
	require.ErrorIs(t, err, cause)

	assert.Equal(t, "The file has no header or no row. (file_empty)", (&Error{Code: CodeFileEmpty}).Error())
	assert.Equal(t, CodeFileEmpty.Fix(), (&Error{Code: CodeFileEmpty}).Remedy())
	for want, e := range map[string]*Error{"": {}, "f": {File: "f"}, "f:2": {File: "f", Line: 2}, "2:3": {Line: 2, Column: 3}, "f:": {File: "f:", Column: 3}} {
		assert.Equal(t, want, e.Place())
	}

	assert.Equal(t, CodeCSVMalformed, CodeOf(fmt.Errorf("read: %w", err)))
	assert.Equal(t, CodeInternal, CodeOf(errors.New("broken")))
}
