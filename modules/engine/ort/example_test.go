package ort_test

import (
	"errors"
	"fmt"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/ort"
)

// Where the library is not there, a program goes on without it.
func ExampleOpen() {
	_, err := ort.Open("nowhere/libonnxruntime.so")
	fmt.Println(errors.Is(err, modules.ErrNoLibrary))
	// Output: true
}
