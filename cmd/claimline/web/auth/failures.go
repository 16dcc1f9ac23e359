package auth

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Failures counts what fails, by client and by what it was tried on, so that nobody can go on guessing. It is
// safe for concurrent use.
type Failures struct {
	now    func() time.Time
	minute int // how often something may fail in a minute

	mu    sync.Mutex
	since map[string]*rate.Limiter
}

// How often something may fail in a minute. A token cannot be guessed: there, the limit is for who wastes our
// time, and not for a program that was left with a token that has expired.
const (
	SignInFailures = 10
	TokenFailures  = 300
)

// mostCounted is how many clients are remembered; then those are forgotten that have not failed lately.
const mostCounted = 10_000

// NewFailures returns a count by a clock, of what may fail so often in a minute.
func NewFailures(now func() time.Time, minute int) *Failures {
	return &Failures{now: now, minute: minute, since: map[string]*rate.Limiter{}}
}

// Add counts one more failure, of a client and on something, which may be blank. Where there have been too
// many it returns for how long nothing more of it is listened to; else 0.
func (f *Failures) Add(client netip.Addr, on string) (wait time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	for _, key := range keys(client, on) {
		limiter := f.since[key]
		if limiter == nil {
			f.forget(now)
			limiter = rate.NewLimiter(rate.Every(time.Minute/time.Duration(f.minute)), f.minute)
			f.since[key] = limiter
		}
		if !limiter.AllowN(now, 1) {
			wait = max(wait, untilNext(limiter, now))
		}
	}
	return wait
}

// Wait returns for how long a client, or something, is not listened to; 0: it is.
func (f *Failures) Wait(client netip.Addr, on string) (wait time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	for _, key := range keys(client, on) {
		if limiter := f.since[key]; limiter != nil && limiter.TokensAt(now) < 1 {
			wait = max(wait, untilNext(limiter, now))
		}
	}
	return wait
}

func keys(client netip.Addr, on string) []string {
	list := []string{"client " + group(client)}
	if on != "" {
		list = append(list, "on "+on)
	}
	return list
}

// untilNext returns when one more failure is allowed, in whole seconds.
func untilNext(limiter *rate.Limiter, now time.Time) time.Duration {
	missing := 1 - limiter.TokensAt(now)
	wait := time.Duration(missing / float64(limiter.Limit()) * float64(time.Second))
	return max(time.Second, (wait + time.Second - 1).Truncate(time.Second))
}

// forget makes room where there is none.
func (f *Failures) forget(now time.Time) {
	if len(f.since) < mostCounted {
		return
	}
	for key, limiter := range f.since {
		if limiter.TokensAt(now) >= float64(f.minute) {
			delete(f.since, key)
		}
	}
	const some = 10            // make room for so many at once, one in so many
	for key := range f.since { // an attack from everywhere: whoever comes first in the map
		if len(f.since) < mostCounted-mostCounted/some {
			return
		}
		delete(f.since, key)
	}
}
