package repository

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
)

// resident is how much memory the process holds, in bytes: what is resident and
// belongs to no file, which counts what is not Go's; where that is not told, the
// heap of Go. What is free is given back first, so as not to count.
func resident() int64 {
	debug.FreeOSMemory()
	if b, err := os.ReadFile("/proc/self/status"); err == nil {
		if n, ok := anonymous(string(b)); ok {
			return n
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// anonymous reads the field RssAnon of Linux's status of a process.
func anonymous(status string) (int64, bool) {
	_, rest, ok := strings.Cut(status, "\nRssAnon:")
	if !ok {
		return 0, false
	}
	number, _, _ := strings.Cut(strings.TrimSpace(rest), " kB")
	kb, err := strconv.ParseInt(number, 10, 64)
	return kb << 10, err == nil
}
