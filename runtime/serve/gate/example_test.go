package gate_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/connectomewire/wire/runtime/serve/gate"
)

// Work is admitted while what waits can be done in time.
func Example() {
	g := gate.New(2*time.Second, 1<<20, 1)
	first, err := g.Enter(1.5)
	fmt.Println("first:", err)

	_, err = g.Enter(1)
	var full *gate.Full
	if errors.As(err, &full) {
		fmt.Println("second: ask again after", full.After)
	}
	first.Leave(true)
	_, err = g.Enter(1)
	fmt.Println("then:", err)
	// Output:
	// first: <nil>
	// second: ask again after 1s
	// then: <nil>
}
