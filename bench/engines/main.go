// Command engines times the engines side by side on real models and on single
// operators:
//
//	python3 bench/engines/models.py DIR     # fetches packages, writes the models
//	go run ./bench/engines DIR
//
// Every case runs on both engines in the same process, in turns. The time of
// a call is processor time of the calling thread (wall time where the system
// does not tell it, or with more threads than one), the least mean of several
// rounds, so that a busy machine changes little. Outputs are compared, and
// allocations per call of the pure-Go engine counted. A model that one of the
// engines does not run is listed with its reason.
package main

import (
	"flag"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/connectomewire/wire/bench/internal/cases"
	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/internal/cputime"
	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/engine/ort"
)

func main() {
	report := flag.String("o", "", "file to write the tables to, in Markdown")
	library := flag.String("library", "", "ONNX Runtime's shared library; empty: search")
	budget := flag.Duration("time", time.Second, "time for each case and engine")
	only := flag.String("only", "", "run the cases whose folder's name contains this")
	threads := flag.Int("threads", 1, "threads of each engine")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: engines [-o report.md] [-only NAME] [-threads N] [-time 1s] DIR")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *only, *report, *library, *threads, *budget); err != nil {
		fmt.Fprintln(os.Stderr, "engines:", err)
		os.Exit(1)
	}
}

func run(dir, only, report, library string, threads int, budget time.Duration) error {
	native, err := ort.Open(library)
	if err != nil {
		return err
	}
	list, err := cases.Read(dir, only)
	if err != nil {
		return err
	}
	clock := cputime.Name
	if threads > 1 {
		clock = "wall time"
	}
	text := fmt.Sprintf("Kernels: %v. Threads: %d. Time: %s.\n", kernel.Current(), threads, clock)
	for _, kind := range []string{"model", "operator"} {
		logs, n, worst, failed := 0.0, 0, 0.0, 0
		table := fmt.Sprintf("\n| %s | pure Go | ONNX Runtime | ratio | largest difference | allocations a call (Go) |\n|---|---|---|---|---|---|\n", kind)
		for _, c := range list {
			if c.Kind != kind {
				continue
			}
			r, err := measure(c, threads, goengine.New(), native, budget)
			if err != nil {
				table += fmt.Sprintf("| %s | %v | | | | |\n", c.Title, err)
				failed++
				continue
			}
			ratio := float64(r.pure) / float64(r.native)
			logs += math.Log(ratio)
			worst = max(worst, ratio)
			n++
			row := fmt.Sprintf("| %s | %v | %v | %.2f | %.1e | %.0f |\n", c.Title, round(r.pure), round(r.native), ratio, r.difference, r.allocations)
			fmt.Fprint(os.Stderr, row)
			table += row
		}
		if n > 0 {
			text += table + fmt.Sprintf("\nGeometric mean of the ratios of %d: **%.2f**; the largest is %.2f; %d not compared.\n", n, math.Exp(logs/float64(n)), worst, failed)
		}
	}
	fmt.Print(text)
	if report != "" {
		return atomicfile.WriteBytes(report, []byte(text))
	}
	return nil
}

// round keeps three digits.
func round(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit)
}
