package over_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/connectomewire/wire/internal/ticking"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/over"
	"github.com/connectomewire/wire/runtime/spread"
	_ "github.com/connectomewire/wire/wiring/head" // the heads that plans name
)

// A coordinator with a server of its own and a worker, here in one process.
func Example() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	dir, err := os.MkdirTemp("", "over")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	l, err := spread.Open(ctx, "127.0.0.1:0", dir, false)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()
	go over.Worker{Name: "one"}.Serve(ctx, over.NATS(l), l) // elsewhere: wire worker

	plan := ticking.Plan(20, 90, 8, 2)
	c, err := over.Gather(ctx, over.NATS(l), l, plan, over.Options{Workers: 1, Say: func(line string) {
		if strings.HasPrefix(line, "worker") {
			fmt.Println(line)
		}
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	config := runtime.Default()
	config.Share = c.Share()
	n, err := runtime.New(plan, config)
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := n.Run(ctx, runtime.Episode{Inputs: [][]float32{ticking.Numbers(ticking.Inputs)}, Ticks: 12})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Ticks, "ticks")
	// Output:
	// worker one steps 10 of 20 regions
	// 12 ticks
}
