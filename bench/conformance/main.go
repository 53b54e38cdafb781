// Command conformance runs ONNX's own operator tests on an engine:
//
//	apt-get download libonnx-testdata && dpkg-deb -x libonnx-testdata_*.deb testdata
//	go run ./bench/conformance -engine go testdata/usr/share/libonnx-testdata/data/node
//
// The tests of the newest onnx package are written by nodetests.py, which
// lies beside this file. Each DIR, or NAME=DIR, holds one folder a test with model.onnx and test_data_set_*/{input,output}_*.pb.
// A test passes when every output has the stored type and shape and its
// elements are within 1e-3 relative (bfloat16 1/64, float16 1/512) or 1e-7
// absolute of the stored ones, the tolerances of ONNX's test runner. Tests whose stored values
// are random draws or malformed are listed by name in this package and held to
// type and shape. The last line printed is "passed N of M, wrong W"; W counts
// results that differ, tests that are refused count as neither. With -o and both engines the report sets them side by side.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/connectomewire/wire/internal/atomicfile"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/moduletest/nodetest"
)

func main() {
	engine := flag.String("engine", "go", "engine: go or onnxruntime, or both with a comma between")
	report := flag.String("o", "", "file to write the report to, in Markdown")
	verbose := flag.Bool("v", false, "print every failure")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: conformance [-engine go|onnxruntime] [-o report.md] [-v] [NAME=]DIR...")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*engine, flag.Args(), *report, *verbose); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

func run(names string, sets []string, report string, verbose bool) error {
	var columns []column
	for _, set := range sets {
		name, dir, named := strings.Cut(set, "=")
		if !named {
			name, dir = filepath.Base(set), set
		}
		for _, engine := range strings.Split(names, ",") {
			c, err := runSet(engine, dir, verbose)
			if err != nil {
				return err
			}
			c.set = name
			columns = append(columns, c)
		}
	}
	if report != "" {
		if err := atomicfile.WriteBytes(report, write(columns)); err != nil {
			return err
		}
	}
	for i, c := range columns {
		if i < len(columns)-1 {
			fmt.Printf("%s, %s: ", c.set, c.engine)
		}
		if c.listed > 0 {
			fmt.Printf("%d of these in type and shape only: ", c.listed)
		}
		fmt.Printf("passed %d of %d, wrong %d\n", c.passed, len(c.results), c.wrong)
	}
	return nil
}

// runSet runs all tests of a folder on an engine.
func runSet(name, dir string, verbose bool) (c column, err error) {
	tests, err := filepath.Glob(filepath.Join(dir, "*", "model.onnx"))
	if err != nil {
		return c, err
	}
	if len(tests) == 0 {
		return c, fmt.Errorf("%s holds no tests (folders with a model.onnx)", dir)
	}
	engine, err := open(name)
	if err != nil {
		return c, err
	}
	c.engine = name
	for _, path := range tests {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		r := result{name: strings.TrimPrefix(filepath.Base(filepath.Dir(path)), "test_")}
		listed := typeAndShape[r.name] != ""
		r.Result = nodetest.Run(ctx, engine, os.DirFS(filepath.Dir(path)), ".", nodetest.Options{TypesOnly: listed})
		cancel()
		switch {
		case r.Err == nil:
			c.passed++
			if listed {
				c.listed++
			}
		case r.Reason == nodetest.Wrong:
			c.wrong++
		}
		if r.Err != nil && verbose {
			fmt.Printf("%s: %v\n", r.name, r.Err)
		}
		c.results = append(c.results, r)
	}
	return c, nil
}

func open(name string) (modules.Engine, error) {
	e, ok := engines[name]
	if !ok {
		return nil, fmt.Errorf("unknown engine %q; known: go, onnxruntime", name)
	}
	return e()
}
