//go:build !linux

package main

import "time"

func nap(d time.Duration) { time.Sleep(d) }

// processorTime is that of another process; it is not known here.
func processorTime(int) time.Duration { return 0 }
