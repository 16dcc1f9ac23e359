package schema

import (
	"strconv"
	"strings"
	"time"
)

// ParseSpan reads a length of time, at most a hundred years: 3d, 36h, 1d12h.
func ParseSpan(s string) (span time.Duration, ok bool) {
	const day = 24 * time.Hour
	if number, rest, found := strings.Cut(s, "d"); found {
		days, err := strconv.Atoi(number)
		if err != nil || days < 0 || days > maxDays {
			return 0, false
		}
		span, s = time.Duration(days)*day, rest
		if s == "" {
			return span, true
		}
	}
	rest, err := time.ParseDuration(s)
	if err != nil || rest < 0 || rest > maxDays*day {
		return 0, false
	}
	return span + rest, true
}
