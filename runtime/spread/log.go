package spread

import (
	"fmt"
	"sync"
)

// lastError is a server's log that keeps the last error only.
type lastError struct {
	mu   sync.Mutex
	last string
}

func (l *lastError) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

func (l *lastError) Errorf(format string, v ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = fmt.Sprintf(format, v...)
}

func (l *lastError) Fatalf(format string, v ...any) { l.Errorf(format, v...) }
func (l *lastError) Noticef(string, ...any)         {}
func (l *lastError) Warnf(string, ...any)           {}
func (l *lastError) Debugf(string, ...any)          {}
func (l *lastError) Tracef(string, ...any)          {}
