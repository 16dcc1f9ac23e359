package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// ttyName is the console that the process belongs to.
const ttyName = "CONIN$"

// tempVariable names the folder for temporary files.
const tempVariable = "TMP"

// discardInput throws away what was typed and not read yet, where that comes from a console.
func discardInput(console *os.File) {
	_ = windows.FlushConsoleInputBuffer(windows.Handle(console.Fd()))
}
