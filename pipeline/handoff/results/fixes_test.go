package results

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/claimline/claimline/pipeline/controlhub"
	"github.com/claimline/claimline/schema"
)

// Whatever Control Hub's reason is, there is something to do about it.
func TestEveryReasonHasAFix(t *testing.T) {
	for _, message := range []string{"400081", "400084", "400091", "400090", "400110", "400111", "400087", "403", "404", "409", "429", "suspended", "location", "extension required", "boolean", "invalid email", "odd"} {
		reasons := controlhub.Reasons([]string{message})
		require.Len(t, reasons, 1)
		require.NotEmpty(t, fixOf(reasons[0]), message)
	}
	require.NotEmpty(t, fixOf(schema.CodeMessageUnknown))
}
