package storetest

import (
	"strconv"
	"time"

	"github.com/stretchr/testify/require"
)

var sessionTests = map[string]func(*suite){
	"a session is found until it expires or is ended": func(s *suite) {
		found := func(digest string, at time.Time) string {
			data, ok, err := s.another().Session(s.ctx(), digest, at)
			require.NoError(s, err)
			require.Equal(s, ok, data != nil)
			return string(data)
		}
		require.NoError(s, s.KeepSession(s.ctx(), "a", []byte("one"), s.now.Add(time.Hour), s.now))
		require.NoError(s, s.KeepSession(s.ctx(), "b", []byte("two"), s.now.Add(time.Hour), s.now))
		require.Equal(s, "one", found("a", s.now))
		require.Equal(s, "one", found("a", s.now.Add(time.Hour-time.Second)))
		require.Empty(s, found("a", s.now.Add(time.Hour)))
		require.Empty(s, found("A", s.now))

		require.NoError(s, s.KeepSession(s.ctx(), "a", []byte("three"), s.now.Add(2*time.Hour), s.now))
		require.Equal(s, "three", found("a", s.now.Add(time.Hour)))

		require.NoError(s, s.EndSession(s.ctx(), "a"))
		require.NoError(s, s.EndSession(s.ctx(), "a"))
		require.Empty(s, found("a", s.now))
		require.Equal(s, "two", found("b", s.now))
	},
	"sessions that have expired are deleted when others are kept": func(s *suite) {
		const many = 250
		for i := range many {
			require.NoError(s, s.KeepSession(s.ctx(), strconv.Itoa(i), []byte("x"), s.now.Add(time.Hour), s.now))
		}
		later := s.now.Add(2 * time.Hour)
		for range 3 {
			require.NoError(s, s.KeepSession(s.ctx(), "new", []byte("x"), later.Add(time.Hour), later))
		}
		for i := range many { // as if it were earlier: they are gone, and not only out of sight
			_, ok, err := s.Session(s.ctx(), strconv.Itoa(i), s.now)
			require.NoError(s, err)
			require.False(s, ok)
		}
		_, ok, err := s.Session(s.ctx(), "new", later)
		require.NoError(s, err)
		require.True(s, ok)
	},
}
