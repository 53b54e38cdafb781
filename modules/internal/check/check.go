// Package check names the key of a specification that is wrong, so that the
// manifest reader can point at its line.
package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/connectomewire/wire/internal/edit"
)

// Problem is a mistake in a specification: the key that holds it and what
// is wrong with it.
type Problem struct {
	Key     string
	Message string
}

func (p *Problem) Error() string { return p.Key + ": " + p.Message }

// Errorf is a [Problem] with the key.
func Errorf(key, format string, args ...any) error {
	return &Problem{key, fmt.Sprintf(format, args...)}
}

// OneOf reports a value that is neither empty nor allowed.
func OneOf(key, value string, allowed ...string) error {
	if value == "" || slices.Contains(allowed, value) {
		return nil
	}
	return Errorf(key, "%q is none of %s%s", value, strings.Join(allowed, ", "), edit.Suggestion(value, allowed))
}

// First returns the first error, or nil.
func First(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
