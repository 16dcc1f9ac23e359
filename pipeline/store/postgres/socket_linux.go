package postgres

import (
	"errors"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// giveUp lets a connection fail once nothing that was sent has been confirmed for as long as keepAlive waits
// where nothing is sent. Otherwise it would be a quarter of an hour.
func giveUp(network, _ string, conn syscall.RawConn) (err error) {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	after := keepAlive.Idle + keepAlive.Interval*time.Duration(keepAlive.Count)
	controlErr := conn.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(after.Milliseconds()))
	})
	return errors.Join(err, controlErr)
}
