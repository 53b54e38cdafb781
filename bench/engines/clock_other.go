//go:build !linux

package main

import "time"

const clockName = "wall time"

var began = time.Now()

func now() time.Duration { return time.Since(began) }
