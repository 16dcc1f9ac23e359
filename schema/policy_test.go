package schema_test

import (
	"math"
	"testing"
	"time"

	"github.com/go-playground/validator/v10"
	"github.com/stretchr/testify/assert"

	"github.com/claimline/claimline/schema"
)

// No number of days that can be configured, or that slips through, makes a time span that is too long to be
// one.
func TestPolicyDays(t *testing.T) {
	const century = 36500 * 24 * time.Hour
	for _, days := range []int{0, 1, 36500, 36501, 999_999, math.MaxInt, -1, math.MinInt} {
		policy := schema.DefaultPolicy()
		policy.DecisionDays, policy.InactiveDays, policy.KeepImports = days, days, days
		for _, span := range []time.Duration{policy.DecisionTime(), policy.InactiveTime(), policy.KeepTime()} {
			assert.GreaterOrEqual(t, span, time.Duration(0), days)
			assert.LessOrEqual(t, span, century, days)
		}
		assert.Equal(t, days >= 1 && days <= 36500, validator.New().Struct(policy) == nil, days)
	}
}
