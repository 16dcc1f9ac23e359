package main

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/claimline/claimline/schema"
)

// systemZone returns the IANA name of the system's time zone. Refused with CodeZoneUnknown where the system
// does not name it, for a schedule means the same on every machine.
func systemZone(env func(string) string) (string, error) {
	known := func(name string) bool {
		zone, err := time.LoadLocation(name)
		return err == nil && name != "" && zone != time.Local
	}
	if name := time.Local.String(); known(name) { // as TZ has it, or UTC
		return name, nil
	}
	if target, err := filepath.EvalSymlinks("/etc/localtime"); err == nil && env("TZ") == "" {
		if _, name, found := strings.Cut(filepath.ToSlash(target), "zoneinfo/"); found && known(name) {
			return name, nil
		}
	}
	if text, err := os.ReadFile("/etc/timezone"); err == nil && env("TZ") == "" && known(strings.TrimSpace(string(text))) {
		return strings.TrimSpace(string(text)), nil
	}
	return "", schema.Refuse(schema.CodeZoneUnknown, "The system does not say by name which time zone it is in.").
		WithFix("Name the zone: --tz Europe/Stockholm, say, or service.zone in the configuration.")
}
