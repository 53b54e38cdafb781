package live_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"time"

	"github.com/connectomewire/wire/runtime/live"
)

// Two senses by clocks of their own: a step each second has the latest of both,
// unless that is too old.
func ExampleAligner() {
	ctx := context.Background()
	a, err := live.NewAligner(live.Timing{Period: time.Second})
	if err != nil {
		log.Fatal(err)
	}
	rules := live.DefaultRules()
	rules.Age = 1500 * time.Millisecond
	for name, stamps := range map[string][]float64{"eye": {0, 0.9, 1.1, 3}, "ear": {0.5, 0.7}} {
		feed, err := a.Feed(map[string]live.Rules{name: rules})
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			defer feed.Close()
			for _, t := range stamps {
				if err := feed.Push(ctx, name, live.Sample{At: time.Duration(t * float64(time.Second))}); err != nil {
					return
				}
			}
		}()
	}
	show := func(c *live.Chosen) any {
		if c == nil {
			return "nothing"
		}
		return c.At
	}
	for {
		step, err := a.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%v: eye %v, ear %v\n", step.At, show(step.Chosen["eye"]), show(step.Chosen["ear"]))
	}
	// Output:
	// 0s: eye 0s, ear nothing
	// 1s: eye 900ms, ear 700ms
	// 2s: eye 1.1s, ear 700ms
	// 3s: eye 3s, ear nothing
}
