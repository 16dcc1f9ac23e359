//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// ttyName is the terminal that the process belongs to.
const ttyName = "/dev/tty"

// tempVariable names the folder for temporary files.
const tempVariable = "TMPDIR"

// discardInput throws away what was typed and not read yet, where that comes from a terminal.
func discardInput(terminal *os.File) {
	const input = 1 // FREAD
	_ = unix.IoctlSetPointerInt(int(terminal.Fd()), unix.TIOCFLUSH, input)
}
