// Command differential draws random small graphs and compares the engines on
// them: pure Go on one and on three threads, which must agree to the bit, ONNX
// Runtime, within a tolerance, and, of every twentieth graph, ONNX's reference
// implementation where a Python is given that has the packages onnx and numpy.
//
//	go run ./bench/differential -time 10m
//	go run ./bench/differential -time 10m -python venv/bin/python
//
// A graph is made of single operators and of blocks that engines merge or have
// kernels of their own for: quantised and half-precision arithmetic, attention,
// normalisation and gated activations, written out as exporters do. Where a last
// digit decides to which whole number a value is rounded, results may jump by
// one: such a jump is looked for, and counted, at the first value that differs.
// A result that moves as far when the graph's values change by their last three
// bits is counted too. Any other difference beyond 2e-4 of the result's largest value
// (and of 1 at least) is reported.
//
// A graph on which they differ is shrunk, printed and, with -o, written as an
// ONNX file. Without ONNX Runtime only the bits of the pure-Go engine are
// compared. The last line printed is "N graphs, D differences".
package main

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/ort"
)

// The reference implementation is slow: one graph in so many goes through it.
const referEvery = 20

func main() {
	limit := flag.Duration("time", time.Minute, "how long to draw graphs")
	seed := flag.Uint64("seed", 1, "seed of the first graph; each further one adds 1")
	size := flag.Int("size", 8, "operators of a graph")
	python := flag.String("python", "", "Python with onnx and numpy, whose reference implementation is compared too")
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
	if *python != "" {
		if c.reference, err = startReference(*python); err != nil {
			fmt.Fprintln(os.Stderr, "differential:", err)
			os.Exit(1)
		}
	}
	graphs, differences := 0, 0
	for end := time.Now().Add(*limit); time.Now().Before(end); graphs++ {
		r := rand.New(rand.NewPCG(*seed+uint64(graphs), 0))
		g := draw(r, *size)
		c.refer = graphs%referEvery == 0
		if c.check(g) == nil {
			continue
		}
		differences++
		g = g.shrink(func(h *graph) bool { return c.check(h) != nil })
		fmt.Printf("seed %d: %v\n", *seed+uint64(graphs), c.check(g))
		for i := range g.steps {
			s := &g.steps[i]
			fmt.Printf("  v%d = %v %v of %v\n", i+1, s, s.shape, s.in)
		}
		if *out != "" && differences == 1 {
			if err := atomicfile.WriteBytes(*out, g.model(false).Bytes()); err != nil {
				fmt.Fprintln(os.Stderr, "differential:", err)
				os.Exit(1)
			}
		}
	}
	if c.reference != nil {
		fmt.Printf("%d graphs by the reference implementation\n", c.referred)
	}
	fmt.Printf("%d differed by a jump of one quantum, %d by less than last digits of the values do\n", c.jumps, c.unsteady)
	fmt.Printf("%d graphs, %d differences\n", graphs, differences)
	if differences > 0 {
		os.Exit(1)
	}
}
