package controlhub

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/dialect"
	"github.com/claimline/claimline/schema"
)

// FuzzErrorFile reads whatever somebody calls a file of errors: it is refused, or every message in it
// belongs to a row number and says something.
func FuzzErrorFile(f *testing.F) {
	for _, seed := range []string{
		"Row Number,Error Message\n2,\"400081: a, b\nTrackingID: X\"\n3,x\n", "Row Number,User ID/Email,Error Message\r\n1,a@b.example,409\r\n",
		"row number;error message\n2;a;b\n;c\nmore of it, TrackingID: X\n", "Row Number,Error Message\n", "Row Number\n1\n", "",
		"Row Number,Error Message\n-1,x\n", "Row Number,Error Message\n99999999999999999999,x\n", "Error Message,Row Number\nx,2\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		e, err := OpenErrors(t.Context(), dialect.Text("errors.csv", string(text)), dialect.Limits{BlockRows: 2})
		if err == nil {
			err = e.Each(t.Context(), func(s Said) error {
				require.GreaterOrEqual(t, s.Number, 0)
				require.Positive(t, s.Line)
				for _, message := range s.Messages {
					require.NotEmpty(t, strings.TrimSpace(message))
					require.True(t, reasonOf(message).Known())
				}
				return nil
			})
		}
		if err != nil {
			var refused *schema.Error
			require.ErrorAs(t, err, &refused)
			require.Equal(t, "errors.csv", refused.File)
		}
	})
}

// The reasons that stand in the contract, by number; what a tracking id or a limit has for digits is none.
func TestReasonOf(t *testing.T) {
	for message, want := range map[string]schema.Code{
		"400081":                                 schema.CodeNotClaimed,
		"Error 400084: x":                        schema.CodeDomainClaimedElsewhere,
		"[400108]":                               schema.CodeDomainClaimedElsewhere,
		"code=400091":                            schema.CodeDomainNotVerified,
		"400109.":                                schema.CodeDomainNotVerified,
		"400090":                                 schema.CodeClaimedElsewhere,
		"400110":                                 schema.CodeDirectorySyncEnabled,
		"400111":                                 schema.CodeLicenseUnavailable,
		"400112":                                 schema.CodeLicenseUnavailable,
		"400087":                                 schema.CodeServiceConflict,
		"400094":                                 schema.CodeServiceConflict,
		"401 Unauthorized":                       schema.CodeCredentialsRefused,
		"HTTP 403":                               schema.CodeCredentialsRefused,
		"Status code: 404":                       schema.CodeUserNotFound,
		"Error code 409":                         schema.CodeConflict,
		"429":                                    schema.CodeFailed,
		"error: 500":                             schema.CodeFailed,
		"503 Service Unavailable":                schema.CodeFailed,
		"408":                                    schema.CodeFailed,
		"The name is longer than 500 characters": schema.CodeMessageUnknown,
		"Odd. TrackingID: ROUTER_400081-404":     schema.CodeMessageUnknown,
		"tracking-id: 409":                       schema.CodeMessageUnknown,
		"User is claimed by another organization":           schema.CodeClaimedElsewhere,
		"The domain is already claimed":                     schema.CodeDomainClaimedElsewhere,
		"The domain acme.example is not verified":           schema.CodeDomainNotVerified,
		"User already exists":                               schema.CodeNotClaimed,
		"User not found":                                    schema.CodeUserNotFound,
		"Insufficient licenses for Webex Calling":           schema.CodeLicenseUnavailable,
		"License is not available":                          schema.CodeLicenseUnavailable,
		"The services conflict with each other":             schema.CodeServiceConflict,
		"Please enable directory sync again":                schema.CodeDirectorySyncEnabled,
		"A location is required for calling":                schema.CodeLocationMissing,
		"Phone number or extension is required":             schema.CodeNumberMissing,
		"Access denied":                                     schema.CodeCredentialsRefused,
		"Request timed out":                                 schema.CodeFailed,
		"The subscription of this service is suspended":     schema.CodeServiceSuspended,
		"Conflict with another request":                     schema.CodeConflict,
		"Invalid email":                                     schema.CodeEmailInvalid,
		"The value of Messaging must be either TRUE or not": schema.CodeBooleanInvalid,
	} {
		require.Equal(t, want, reasonOf(message), message)
	}
}
