package pipeline

import (
	"testing"

	"go.uber.org/goleak"
)

// Whatever the tests of this package start ends with them.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
