// Package browsertest lets tests look at pages in a real browser, Debian's Chromium.
package browsertest

import (
	"context"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// Start starts a browser of its own, with an empty profile, that lives as long as the test.
func Start(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	require.NoError(t, err, "this test needs the browser Chromium. Run: sudo apt-get install -y chromium")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // against hanging for ever, not a measure
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx,
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true))
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits until the browser has gone, and with it what it writes to its profile
		cancel()
	})
	return ctx
}

// Colours makes the reader one who prefers this colour scheme.
func Colours(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
		return err
	})
}

// Requests are the addresses that pages asked for.
type Requests struct {
	mutex sync.Mutex
	urls  []string
}

// Listen takes note of an event of the browser.
func (r *Requests) Listen(event any) {
	if request, ok := event.(*network.EventRequestWillBeSent); ok {
		r.mutex.Lock()
		defer r.mutex.Unlock()
		r.urls = append(r.urls, request.Request.URL)
	}
}

// URLs returns the addresses noted so far.
func (r *Requests) URLs() []string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return slices.Clone(r.urls)
}
