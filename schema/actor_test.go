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
	assert.True(t, CodeSourceSSO.OwnProblem())
	assert.False(t, CodeCancelled.OwnProblem())
	assert.False(t, CodeAlreadyMember.OwnProblem())
}
