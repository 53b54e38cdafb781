// Package process names processes across the machines that share a disk, and
// tells which of this machine's have ended.
package process

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Name is this process's name, "HOST-PID": it stands in the names of
// temporary files.
func Name() string { return fmt.Sprintf("%s-%d", host(), os.Getpid()) }

// Ended says whether the process of that name ran on this machine and runs no
// more. Of other machines' processes nothing is known, so it says no.
func Ended(name string) bool {
	k := strings.LastIndexByte(name, '-')
	if k < 0 || name[:k] != host() {
		return false
	}
	pid, err := strconv.Atoi(name[k+1:])
	return err == nil && pid > 0 && !alive(pid)
}

// host is the machine's name as far as it is fit for the name of a file.
func host() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "localhost"
	}
	return strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || r == '*' || r == '?' || r == '[' || r < ' ' {
			return '_'
		}
		return r
	}, name)
}
