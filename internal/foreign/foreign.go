// Package foreign calls libraries that read other people's files. Such a
// library may panic on hostile input; what it was to read is then damaged, no
// more: its panic becomes an error of the file, and the program lives on.
package foreign

import (
	"fmt"
	"runtime/debug"
)

// Panic is the error that a library's panic becomes.
type Panic struct {
	Library string // what panicked, such as "go-yaml"
	Value   any    // what it panicked with
	Stack   []byte // where, for a report to its authors
}

// Error says which library gave up, and how.
func (p *Panic) Error() string {
	return fmt.Sprintf("%s gave up on it: %v", p.Library, p.Value)
}

// Unwrap gives the error that the library panicked with, or nil.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// Call runs read, which hands a file's content to a library, and returns its
// error, or a [*Panic] when the library panicked. The caller adds the file's
// name and what it knows of the place. A panic in a goroutine that the library
// starts cannot be caught.
func Call(library string, read func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &Panic{Library: library, Value: v, Stack: debug.Stack()}
		}
	}()
	return read()
}

// Read is [Call] for a function with a result, which is zero when the library
// panicked.
func Read[T any](library string, read func() (T, error)) (T, error) {
	var got T
	err := Call(library, func() (err error) {
		got, err = read()
		return err
	})
	return got, err
}
