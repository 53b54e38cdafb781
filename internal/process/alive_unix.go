//go:build unix

package process

import (
	"errors"
	"syscall"
)

// alive says whether there is a process of that number. Signal 0 only asks.
func alive(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
