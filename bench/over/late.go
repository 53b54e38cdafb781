package main

import (
	"slices"
	"time"

	"github.com/connectomewire/wire/runtime/over"
)

// late is a transport whose frames leave so much later.
func late(t over.Transport, delay time.Duration) over.Transport {
	if delay == 0 {
		return t
	}
	l := &lateTransport{t, delay, make(chan lateFrame, 1<<16)}
	go func() { // as long as the process
		for f := range l.frames {
			nap(time.Until(f.due))
			t.Send(f.address, f.frame) //nolint:errcheck // it is sent again
		}
	}()
	return l
}

type lateTransport struct {
	over.Transport
	delay  time.Duration
	frames chan lateFrame
}

type lateFrame struct {
	due     time.Time
	address string
	frame   []byte
}

func (l *lateTransport) Send(address string, frame []byte) error {
	l.frames <- lateFrame{time.Now().Add(l.delay), address, slices.Clone(frame)}
	return nil
}
