package protocol

import (
	"fmt"
	"net/http"
	"time"
)

// Error is a refusal, with the HTTP status that says its kind.
type Error struct {
	Status int
	Text   string
	// After, where it is more than 0, is how long to wait before trying again.
	After time.Duration
}

func (e *Error) Error() string { return e.Text }

// Errorf makes an [Error].
func Errorf(status int, format string, args ...any) *Error {
	return &Error{Status: status, Text: fmt.Sprintf(format, args...)}
}

// Invalid is what is wrong with a request: status 400.
func Invalid(format string, args ...any) *Error {
	return Errorf(http.StatusBadRequest, format, args...)
}
