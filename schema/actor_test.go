package schema

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestEveryProblemOfARowHasAnActor(t *testing.T) {
	t.Parallel()
	for code, e := range codes {
		assert.Equal(t, e.outcome.Problem(), code.Actor() != "", code)
	}
	assert.Contains(t, Actors, CodeSourceSSO.Actor())
	assert.False(t, CodeSourceSSO.OfImport())
	assert.True(t, CodeCancelled.OfImport())
	assert.False(t, CodeAlreadyMember.OfImport())
}
