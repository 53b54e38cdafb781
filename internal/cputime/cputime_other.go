//go:build !linux

package cputime

import "time"

// Name says what the clock measures: systems differ in how they tell a
// thread's time, so elsewhere than on Linux it is wall time.
const Name = "wall time"

var began = time.Now()

// Now is the time since the program began.
func Now() time.Duration { return time.Since(began) }

// Process is the same time.
func Process() time.Duration { return Now() }
