//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	netmail "net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/claimline/claimline/schema"
)

// postedUsers are few enough to mail each of them.
const postedUsers = 150

// postSite loads an organization of postedUsers into an empty site, and returns the files that claim a third
// of them each. Its configuration has a mail server, and transactions of so many rows.
func postSite(t *testing.T, s *site, rows, port int) (_ *site, files []string) {
	t.Helper()
	l := openLab(t)
	folder := t.TempDir()
	made, err := exec.CommandContext(t.Context(), l.generator, "generate", "-users", fmt.Sprint(postedUsers), folder).CombinedOutput()
	require.NoError(t, err, string(made))
	s.load(t, filepath.Join(folder, "org"))
	s.program = l.program
	s.global = append(s.global, "--config", write(t, "claimline.yaml", fmt.Sprintf(`transaction_rows: %d
lease: 1s
service: {base_url: "https://claimline.acme.example"}
smtp: {host: 127.0.0.1, port: %d, security: none, from: it@acme.example, per_minute: 100000}
`, rows, port)))
	header, users, _ := strings.Cut(readFile(t, filepath.Join(folder, "users.csv")), "\n")
	for part := range slices.Chunk(slices.Collect(strings.Lines(users)), postedUsers/3) {
		files = append(files, write(t, "part.csv", header+"\n"+strings.Join(part, "")))
	}
	return s, files
}

// untilPosted waits until no mail waits.
func (s *site) untilPosted(t *testing.T) {
	t.Helper()
	s.waitFor(t, nil, "SELECT NOT EXISTS (SELECT 1 FROM outbox) AND NOT EXISTS (SELECT 1 FROM deliveries WHERE state = 'waiting')")
}

// A service that is killed again and again, in the middle of an import, with imports waiting and mails in
// hand, goes on by itself: each row is claimed once, and each mail sent once, but for those that were in
// hand, which come again under the same Message-ID.
func TestServeKilledWithMails(t *testing.T) {
	const kills, senders = 3, 2
	held, goOn := make(chan struct{}), make(chan struct{})
	c := &catcher{}
	holding := 0
	c.took = func() { // one at a time
		if holding < kills && len(c.mails)%3 == 1 {
			holding++
			held <- struct{}{}
			<-goOn
		}
	}
	s, files := postSite(t, emptySite(t), 1, c.listen(t))
	token := s.labToken(t)
	require.Zero(t, s.execute(t, "import", "--accept-permanent", files[0]).code) // its mails wait
	p := s.serve(t, token)
	<-held
	ids := []string{"1"}
	for _, imp := range []schema.Summary{p.planned(t, files[1]), p.planned(t, files[2])} {
		ids = append(ids, p.agree(t, imp).ID)
	}
	p.freezeBetweenChunks(t, s, "SELECT count(*) BETWEEN 1 AND 90 FROM import_chunks WHERE import > 1 AND done")
	require.True(t, p.kill())
	goOn <- struct{}{}
	require.Contains(t, []schema.ImportState{schema.StateQueued, schema.StateApplying, schema.StateInterrupted}, s.latest(t).State)
	for range kills - 1 {
		p = s.serve(t, token)
		<-held
		require.True(t, p.kill())
		goOn <- struct{}{}
	}
	p = s.serve(t, token)
	for _, id := range ids {
		done := p.until(t, id)
		assert.Equal(t, schema.StateCompleted, done.State)
		assert.Equal(t, postedUsers/3, done.Claimed)
	}
	s.untilPosted(t)
	p.signal(t, syscall.SIGTERM)
	assert.Equal(t, exitDone, p.wait(t).code)

	readers := map[string]string{}
	for _, mail := range c.mails {
		read, err := netmail.ReadMessage(strings.NewReader(mail))
		require.NoError(t, err)
		id, to := read.Header.Get("Message-Id"), read.Header.Get("To")
		require.NotEmpty(t, id)
		if before, found := readers[id]; found {
			assert.Equal(t, before, to, "one Message-ID is one mail")
		}
		readers[id] = to
	}
	assert.LessOrEqual(t, len(c.mails)-len(readers), kills*senders, "only what was in hand came again")
	db := openSQL(t, s.db)
	var mails, claims int
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT (SELECT count(*) FROM deliveries WHERE state = 'sent'), count(*) FROM claims WHERE import IS NOT NULL").Scan(&mails, &claims))
	require.NoError(t, db.Close())
	assert.Equal(t, postedUsers, claims)
	assert.GreaterOrEqual(t, mails, claims)
	assert.Len(t, readers, mails, "each mail was sent")
}

// A service that is stopped while files come in, imports are followed and others wait ends well: what comes
// in is answered, readers are told to come again, and no import is held any more.
func TestServeStopsUnderLoad(t *testing.T) {
	c := &catcher{}
	s, files := postSite(t, emptySite(t), 10, c.listen(t))
	token := s.labToken(t)
	p := s.serve(t, token)
	body, sender := io.Pipe()
	upload := p.request(t, http.MethodPost, "/imports", "text/csv", body)
	uploaded := make(chan error, 1)
	var third schema.Summary
	go func() { uploaded <- created(upload, &third) }()
	text := readFile(t, files[2])
	_, err := io.WriteString(sender, text[:len(text)/2])
	require.NoError(t, err)
	first := p.agreed(t, files[0])
	second := p.agreed(t, files[1])
	followed := make(chan error, 20)
	for range cap(followed) {
		response, err := http.DefaultClient.Do(p.request(t, http.MethodGet, "/imports/"+second.ID+"/events", "", nil)) //nolint:bodyclose // whoever reads it closes it
		require.NoError(t, err)
		go func() {
			_, err := io.Copy(io.Discard, response.Body)
			followed <- errors.Join(err, response.Body.Close())
		}()
	}
	p.signal(t, syscall.SIGTERM)
	for range cap(followed) {
		require.NoError(t, <-followed, "a stream ends as it should")
	}
	require.False(t, p.ended(), "the upload is waited for")
	_, err = io.WriteString(sender, text[len(text)/2:])
	require.NoError(t, errors.Join(err, sender.Close()))
	require.NoError(t, <-uploaded)
	assert.Equal(t, exitDone, p.wait(t).code)
	var held int
	db := openSQL(t, s.db)
	require.NoError(t, db.QueryRowContext(t.Context(), inWords("SELECT count(*) FROM imports WHERE lease_until > unixepoch()")).Scan(&held))
	require.NoError(t, db.Close())
	assert.Zero(t, held, "all are given back")

	p = s.serve(t, token)
	for _, imp := range []schema.Summary{first, second} {
		assert.Equal(t, postedUsers/3, p.until(t, imp.ID).Claimed)
	}
	var waits schema.Summary
	p.ask(t, http.MethodGet, "/imports/"+third.ID, "", nil, &waits)
	assert.Equal(t, schema.StateAwaitingConsent, waits.State)
	assert.Equal(t, postedUsers/3, waits.Ready)
}

// created sends a file, and reads the import that is made of it.
func created(request *http.Request, imp *schema.Summary) error {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusCreated {
		return errors.New(response.Status)
	}
	return json.NewDecoder(response.Body).Decode(imp)
}

// inWords returns a query in the words of the database that tests use.
func inWords(query string) string {
	if onPostgres() {
		return inPostgres.Replace(query)
	}
	return query
}

// A disk that is full costs no row: the service answers, tries again, and goes on once there is room.
func TestServeOnFullDisk(t *testing.T) {
	l := openLab(t)
	s := l.site(t)
	fill := s.onSmallDisk(t)
	p := s.serve(t, s.labToken(t))
	imp := p.planned(t, l.users)
	makeRoom := fill(p)
	p.agree(t, imp)
	eventually(t, "the disk is full for the import", func() bool {
		return strings.Contains(p.log.String(), `"message":"trying again"`)
	})
	var now schema.Summary
	require.Equal(t, http.StatusOK, p.ask(t, http.MethodGet, "/imports/"+imp.ID, "", nil, &now))
	assert.Equal(t, schema.StateApplying, now.State)
	assert.Equal(t, labUsers, now.Claimed+now.NotAttempted)
	assert.Less(t, now.Claimed, labUsers)
	file, err := os.Open(l.users)
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	var problem struct{ Code schema.Code }
	assert.GreaterOrEqual(t, p.ask(t, http.MethodPost, "/imports", "text/csv", file, &problem), http.StatusInternalServerError)
	assert.Contains(t, []schema.Code{schema.CodeDatabaseFull, schema.CodeDatabaseFailing, schema.CodeDatabaseBusy}, problem.Code)
	makeRoom()
	done := p.until(t, imp.ID)
	assert.Equal(t, schema.StateCompleted, done.State)
	assert.Equal(t, labUsers, done.Claimed)
	p.signal(t, syscall.SIGTERM)
	require.Equal(t, exitDone, p.wait(t).code)
	s.assertClaims(t, labUsers)
}

// onSmallDisk moves the database to a disk of its own, where the system allows to make one. What it returns
// leaves next to no room there, or, where there is no such disk, lets the process's files grow no further.
func (s *site) onSmallDisk(t *testing.T) (fill func(*served) (makeRoom func())) {
	t.Helper()
	folder := t.TempDir()
	const room = "size=512m"
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, room); err != nil {
		return func(p *served) func() {
			limit := func(bytes uint64) {
				require.NoError(t, unix.Prlimit(p.cmd.Process.Pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: bytes, Max: unix.RLIM_INFINITY}, nil))
			}
			info, err := os.Stat(s.db)
			require.NoError(t, err)
			limit(uint64(info.Size()))
			return func() { limit(unix.RLIM_INFINITY) }
		}
	}
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(folder, syscall.MNT_DETACH)) })
	small := filepath.Join(folder, filepath.Base(s.db))
	copyFile(t, s.db, small)
	s.global[slices.Index(s.global, "sqlite:"+s.db)] = "sqlite:" + small
	s.db = small
	return func(*served) func() {
		resize := func(size string) {
			require.NoError(t, syscall.Mount("tmpfs", folder, "tmpfs", syscall.MS_REMOUNT, size))
		}
		var disk syscall.Statfs_t
		require.NoError(t, syscall.Statfs(folder, &disk))
		resize(fmt.Sprintf("size=%d", (disk.Blocks-disk.Bfree)*uint64(disk.Bsize)+1<<19))
		return func() { resize(room) }
	}
}
