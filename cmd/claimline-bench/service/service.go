package service

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// service is a process of the program that serves, on a database of its own, and what it has answered.
type service struct {
	cmd                 *exec.Cmd
	log                 *os.File
	url, metrics, token string
	client              *http.Client
	answers             answers
}

// startService makes a database of a snapshot and starts the program on it, in a folder that must be there.
func startService(ctx context.Context, program, dir, snapshot string, uploads int) (s *service, err error) {
	database, config := filepath.Join(dir, "service.db"), filepath.Join(dir, "service.yaml")
	metrics, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	content := fmt.Sprintf("service: {metrics_listen: %q, uploads: %d}\n", metrics, uploads)
	for _, left := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(database + left); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	if err := os.WriteFile(config, []byte(content), 0o600); err != nil {
		return nil, err
	}
	global := []string{"--config", config, "--db", "sqlite:" + database}
	command := func(args ...string) (output []byte, err error) {
		cmd := exec.CommandContext(ctx, program, append(slices.Clip(global), args...)...) //nolint:gosec // running the program is what this is for
		if output, err = cmd.Output(); err != nil {
			if exit, ok := errors.AsType[*exec.ExitError](err); ok {
				err = fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, tail(string(exit.Stderr)))
			}
			return nil, err
		}
		return output, nil
	}
	if _, err := command("-q", "load", snapshot); err != nil {
		return nil, err
	}
	token, err := command("token", "create", "--org", "acme", "--role", "operator", "--name", "bench")
	if err != nil {
		return nil, err
	}
	s = &service{
		metrics: "http://" + metrics + "/metrics", token: strings.TrimSpace(string(token)),
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 10_000}},
	}
	if s.log, err = os.Create(filepath.Join(dir, "service.log")); err != nil {
		return nil, err
	}
	s.cmd = exec.CommandContext(ctx, program, append(slices.Clip(global), "serve", "--listen", "127.0.0.1:0")...) //nolint:gosec // running the program is what this is for
	s.cmd.Stderr = s.log
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	if err := s.cmd.Start(); err != nil {
		return nil, errors.Join(err, s.log.Close())
	}
	if s.url, err = s.listening(ctx); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// listening waits until the service says in its log where it listens.
func (s *service) listening(ctx context.Context) (string, error) {
	for ctx, cancel := context.WithTimeout(ctx, time.Minute); ; {
		log, err := os.ReadFile(s.log.Name())
		if err != nil {
			cancel()
			return "", err
		}
		for line := range strings.Lines(string(log)) {
			var entry struct {
				Message string `json:"message"`
				URL     string `json:"url"`
			}
			if json.Unmarshal([]byte(line), &entry) == nil && entry.Message == "serving" {
				cancel()
				return entry.URL, nil
			}
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			cancel()
			return "", fmt.Errorf("wait for the service: %w: %s", err, tail(string(log)))
		}
	}
}

// stop ends the service as a supervisor does, and returns an error where it does not end well.
func (s *service) stop() error {
	s.client.CloseIdleConnections()
	err := s.cmd.Process.Signal(syscall.SIGTERM)
	if waited := s.cmd.Wait(); waited != nil {
		err = fmt.Errorf("the service ended badly: %w; see %s", waited, s.log.Name())
	}
	return errors.Join(err, s.log.Close())
}

// standing is what there is to know of an import.
type standing struct {
	ID      string `json:"id"`
	State   string `json:"state"`
	Rows    int    `json:"rows"`
	Ready   int    `json:"ready"`
	Claimed int    `json:"claimed"`
}

func (s standing) ended() bool {
	switch s.State {
	case "completed", "completed_with_errors", "rejected", "cancelled", "failed":
		return true
	}
	return false
}

// send asks the service; the answer's body is the caller's to close.
func (s *service) send(ctx context.Context, method, path, media string, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, s.url+"/api/v1"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+s.token)
	request.Header.Set("Content-Type", media)
	return s.client.Do(request)
}

// ask asks the service, notes how long that took, and reads the answer. It returns after what time to ask
// again where there is no room now; 0: it was answered.
func (s *service) ask(ctx context.Context, kind, method, path, media string, body []byte, into any) (again time.Duration, err error) {
	start := time.Now()
	response, err := s.send(ctx, method, path, media, body)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", kind, err)
	}
	text, err := io.ReadAll(response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return 0, fmt.Errorf("%s: %w", kind, err)
	}
	s.answers.add(kind, response.StatusCode, time.Since(start))
	switch {
	case response.StatusCode == http.StatusTooManyRequests:
		seconds, err := strconv.Atoi(response.Header.Get("Retry-After"))
		if err != nil || seconds < 1 {
			return 0, fmt.Errorf("%s: there is no room, and it is not said when there is", kind)
		}
		return time.Duration(seconds) * time.Second, nil
	case response.StatusCode >= http.StatusBadRequest:
		return 0, fmt.Errorf("%s: %s: %s", kind, response.Status, tail(string(text)))
	}
	return 0, json.Unmarshal(text, into)
}

// upload sends a file until there is room for it, and agrees to the plan.
func (s *service) upload(ctx context.Context, name string, file []byte) (imp standing, err error) {
	for {
		again, err := s.ask(ctx, uploading, http.MethodPost, "/imports?file="+name, "text/csv", file, &imp)
		if err == nil && again > 0 {
			err = pause(ctx, again)
		} else if err == nil {
			break
		}
		if err != nil {
			return imp, err
		}
	}
	ready := imp.Ready
	consent := fmt.Appendf(nil, `{"accept_permanent":true,"accept_edits":true,"claims":%d}`, ready)
	_, err = s.ask(ctx, "consent", http.MethodPost, "/imports/"+imp.ID+"/consent", "application/json", consent, &imp)
	imp.Ready = ready
	return imp, err
}

// get asks how an import stands.
func (s *service) get(ctx context.Context, id string) (imp standing, err error) {
	_, err = s.ask(ctx, "import", http.MethodGet, "/imports/"+id, "", nil, &imp)
	return imp, err
}

// follow reads the events of an import until it has ended; what counts is how long the first one took.
func (s *service) follow(ctx context.Context, id string) (imp standing, err error) {
	start := time.Now()
	response, err := s.send(ctx, http.MethodGet, "/imports/"+id+"/events", "", nil)
	if err != nil {
		return imp, fmt.Errorf("events: %w", err)
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	if response.StatusCode != http.StatusOK {
		return imp, fmt.Errorf("events: %s", response.Status)
	}
	lines, first := bufio.NewScanner(response.Body), true
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		data, found := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		if !found {
			continue
		}
		if first {
			s.answers.add("events", response.StatusCode, time.Since(start))
			first = false
		}
		imp = standing{}
		if err := json.Unmarshal(data, &imp); err != nil {
			return imp, fmt.Errorf("events: %w", err)
		}
	}
	if err := lines.Err(); err != nil {
		return imp, fmt.Errorf("events: %w", err)
	}
	if !imp.ended() {
		return imp, fmt.Errorf("the events of import %s ended while it is %s", id, imp.State)
	}
	return imp, nil
}

// gauges are what a process holds.
type gauges struct {
	memory     float64 // bytes, resident
	heap       float64 // bytes, in use
	files      float64
	goroutines float64
}

func (g gauges) String() string {
	return fmt.Sprintf("%4.0f MiB resident, %3.0f MiB of heap, %3.0f files, %4.0f goroutines", g.memory/(1<<20), g.heap/(1<<20), g.files, g.goroutines)
}

// holds asks the service's metrics what the process holds.
func (s *service) holds(ctx context.Context) (g gauges, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.metrics, nil)
	if err != nil {
		return g, err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return g, fmt.Errorf("ask for metrics: %w", err)
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	wanted := map[string]*float64{
		"process_resident_memory_bytes": &g.memory, "go_memstats_heap_inuse_bytes": &g.heap, "process_open_fds": &g.files, "go_goroutines": &g.goroutines,
	}
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if to, found := wanted[name]; found {
			if *to, err = strconv.ParseFloat(value, 64); err != nil {
				return g, fmt.Errorf("read the metric %s: %w", name, err)
			}
		}
	}
	return g, lines.Err()
}

// uploading is the kind of request whose time depends on the file, and is told apart.
const uploading = "upload"

// answers are how requests were answered.
type answers struct {
	mu     sync.Mutex
	status map[string]int // by kind and status
	took   map[string][]time.Duration
}

func (a *answers) add(kind string, status int, took time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.status == nil {
		a.status, a.took = map[string]int{}, map[string][]time.Duration{}
	}
	a.status[fmt.Sprintf("%-8s %d", kind, status)]++
	if kind != uploading {
		a.took["all"] = append(a.took["all"], took)
	} else if status == http.StatusTooManyRequests {
		kind = "no room"
	}
	a.took[kind] = append(a.took[kind], took)
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// tail returns the end of what somebody complained about.
func tail(text string) string {
	const most = 800
	text = strings.TrimSpace(text)
	return text[max(0, len(text)-most):]
}
