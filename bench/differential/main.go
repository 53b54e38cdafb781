// Command differential draws random small graphs and compares the engines on
// them: pure Go on one and on three threads, which must agree to the bit, and
// ONNX Runtime, within a tolerance.
//
//	go run ./bench/differential -time 10m
//
// A graph on which they differ is shrunk, printed and, with -o, written as an
// ONNX file. Without ONNX Runtime only the bits of the pure-Go engine are
// compared. The last line printed is "N graphs, D differences".
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"time"

	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/engine/ort"
)

// tolerance is relative to the largest value of a result, and at least to 1.
const tolerance = 2e-4

func main() {
	limit := flag.Duration("time", time.Minute, "how long to draw graphs")
	seed := flag.Uint64("seed", 1, "seed of the first graph; each further one adds 1")
	size := flag.Int("size", 8, "operators of a graph")
	out := flag.String("o", "", "file to write the first graph that differs to")
	flag.Parse()
	if flag.NArg() != 0 || *size < 1 || *limit <= 0 {
		flag.Usage()
		os.Exit(2)
	}
	native, err := ort.Open("")
	if errors.Is(err, modules.ErrNoLibrary) {
		fmt.Println("ONNX Runtime is not there: only bits and threads are compared")
	} else if err != nil {
		fmt.Fprintln(os.Stderr, "differential:", err)
		os.Exit(1)
	}
	c := comparison{native: native}
	graphs, differences := 0, 0
	for end := time.Now().Add(*limit); time.Now().Before(end); graphs++ {
		r := rand.New(rand.NewPCG(*seed+uint64(graphs), 0))
		g := draw(r, *size)
		if c.check(g) == nil {
			continue
		}
		differences++
		g = g.shrink(func(h *graph) bool { return c.check(h) != nil })
		fmt.Printf("seed %d: %v\n", *seed+uint64(graphs), c.check(g))
		for i, s := range g.steps {
			fmt.Printf("  v%d = %s %v of %v\n", i+1, s.node.Op, s.shape, s.in)
		}
		if *out != "" && differences == 1 {
			if err := atomicfile.WriteBytes(*out, g.model().Bytes()); err != nil {
				fmt.Fprintln(os.Stderr, "differential:", err)
				os.Exit(1)
			}
		}
	}
	fmt.Printf("%d graphs, %d differences\n", graphs, differences)
	if differences > 0 {
		os.Exit(1)
	}
}

type comparison struct{ native *ort.Engine }

func run(e modules.Engine, g *graph, x *modules.Tensor, threads int) ([]float32, error) {
	m := g.model()
	s, err := e.Load(m.Bytes(), modules.LoadOptions{Threads: threads})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	out, err := s.Run(context.Background(), map[string]*modules.Tensor{"v0": x}, nil)
	if err != nil {
		return nil, err
	}
	return out[m.Outputs[0].Name].F32, nil
}

// check returns how the engines differ, nil if they do not.
func (c *comparison) check(g *graph) error {
	x := constant(rand.New(rand.NewPCG(7, 7)), g.input...)
	one, err := run(goengine.New(), g, x, 1)
	if err != nil {
		return err
	}
	three, err := run(goengine.New(), g, x, 3)
	if err != nil {
		return err
	}
	for i := range one {
		if math.Float32bits(one[i]) != math.Float32bits(three[i]) {
			return fmt.Errorf("element %d is %v on one thread and %v on three", i, one[i], three[i])
		}
	}
	if c.native == nil {
		return nil
	}
	other, err := run(c.native, g, x, 1)
	if err != nil {
		return nil // its own affair
	}
	if len(other) != len(one) {
		return fmt.Errorf("%d elements in pure Go and %d in ONNX Runtime", len(one), len(other))
	}
	largest := 1.0
	for _, v := range other {
		if a := math.Abs(float64(v)); !math.IsInf(a, 0) {
			largest = max(largest, a)
		}
	}
	for i, v := range other {
		a, b := float64(one[i]), float64(v)
		if a == b || math.IsNaN(a) && math.IsNaN(b) {
			continue
		}
		if !(math.Abs(a-b) <= tolerance*largest) {
			return fmt.Errorf("element %d is %v in pure Go and %v in ONNX Runtime", i, a, b)
		}
	}
	return nil
}
