//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
)

// peakMemory returns the most memory that a process had that has ended, in bytes.
func peakMemory(ended *os.ProcessState) int64 {
	usage, ok := ended.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	peak := int64(usage.Maxrss)   //nolint:unconvert // on some systems it has 32 bits
	if runtime.GOOS == "darwin" { // it counts in bytes, all others in KiB
		return peak
	}
	return peak << 10
}
