package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/connectomewire/wire/modules/moduletest/nodetest"
)

// result is a test's outcome with its name.
type result struct {
	name string
	nodetest.Result
}

// column is an engine with its results on a set of tests.
type column struct {
	set     string
	engine  string
	results []result
	passed  int
	listed  int // of these, held to type and shape only
	wrong   int
}

// wholeModels says how near the engines are to each other beyond single
// operators.
const wholeModels = `
## Whole models

"wire modules check NAME" and, given the packages' models, "WIRE_TEST_MODELS=DIR go test -run Shipped ./modules/engine/goengine" run whole
models on both engines. Every ONNX file that the packages of the catalogue ship agrees to 1e-4 (relative where a value exceeds 1).

Chains are as exact as what they are made of. The module speech-embedding differs by up to 4.5e-4 where its values reach 57, which is 8e-6 of
the largest: its log-mel front end takes logarithms of bins 80 dB below the loudest, whose sums of 512 products have lost four of float32's
seven digits. Against float64 the pure-Go engine is off by 0.7 thousandths of a decibel there and ONNX Runtime by 1.1
("go test -v -run LogMel ./modules/engine/goengine"), so neither is wrong. Given the same spectrogram, the embedding itself differs by
5e-5 (1e-6 of the largest value).
`

// write makes the report: totals, failures by reason, counts by operator.
func write(columns []column) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Operator conformance\n\n")
	fmt.Fprintf(&b, "ONNX's own node tests: those that Debian packages (`libonnx-testdata`, ONNX 1.12) and those of the newest `onnx` package, which\n")
	fmt.Fprintf(&b, "`bench/conformance/nodetests.py` writes. An element may be off by %g relative (bfloat16 1/64, float16 1/512: two units in the last place)\n", nodetest.Relative)
	fmt.Fprintf(&b, "or %g absolute. Written by\n\n```\ngo run ./bench/conformance -engine onnxruntime,go -o docs/conformance.md ONNX-1.12=DIR newest=DIR\n```\n\n", nodetest.Absolute)
	fmt.Fprintf(&b, "| tests | engine | passed | of | wrong |\n|---|---|---|---|---|\n")
	for _, c := range columns {
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %d |\n", c.set, c.engine, c.passed, len(c.results), c.wrong)
	}
	fmt.Fprintf(&b, "\nOf these, some are held to type and shape only, because no engine can be held to what they store:\n\n")
	byWhy := map[string][]string{}
	for _, name := range keys(typeAndShape) {
		byWhy[typeAndShape[name]] = append(byWhy[typeAndShape[name]], "`"+name+"`")
	}
	for _, why := range keys(byWhy) {
		fmt.Fprintf(&b, "- %s: %s\n", why, strings.Join(byWhy[why], ", "))
	}
	b.WriteString(strings.ReplaceAll(wholeModels, "\"", "`"))
	for _, c := range columns {
		failures(&b, c)
	}
	last := columns[len(columns)-1].set
	byOperator(&b, slices.DeleteFunc(slices.Clone(columns), func(c column) bool { return c.set != last }))
	return b.Bytes()
}

func failures(b *bytes.Buffer, c column) {
	byReason := map[string][]string{}
	for _, r := range c.results {
		if r.Err != nil {
			byReason[r.Reason] = append(byReason[r.Reason], "`"+r.name+"`")
		}
	}
	reasons := keys(byReason)
	slices.SortStableFunc(reasons, func(x, y string) int { return len(byReason[y]) - len(byReason[x]) })
	fmt.Fprintf(b, "\n## What fails on %s, %s, by reason\n\n", c.engine, c.set)
	for _, reason := range reasons {
		fmt.Fprintf(b, "- %s (%d): %s\n", reason, len(byReason[reason]), strings.Join(byReason[reason], ", "))
	}
	fmt.Fprintf(b, "\nIn detail, where the reason does not say it all:\n\n")
	for _, r := range c.results {
		switch r.Reason {
		case "wrong result", "run fails", "not loaded", "model not read", "panic":
			fmt.Fprintf(b, "- `%s`: %s\n", r.name, strings.Join(strings.Fields(r.Err.Error()), " "))
		}
	}
}

func byOperator(b *bytes.Buffer, columns []column) {
	type count struct {
		all    int
		passed []int
	}
	ops := map[string]*count{}
	for i, c := range columns {
		for _, r := range c.results {
			for _, op := range r.Operators {
				if ops[op] == nil {
					ops[op] = &count{passed: make([]int, len(columns))}
				}
				if i == 0 {
					ops[op].all++
				}
				if r.Err == nil {
					ops[op].passed[i]++
				}
			}
		}
	}
	fmt.Fprintf(b, "\n## Tests by operator\n\nOf the tests %s. A test counts for every operator its model holds.\n\n| operator | tests |", columns[0].set)
	for _, c := range columns {
		fmt.Fprintf(b, " %s |", c.engine)
	}
	fmt.Fprintf(b, "\n|---|---|%s\n", strings.Repeat("---|", len(columns)))
	for _, op := range keys(ops) {
		fmt.Fprintf(b, "| %s | %d |", op, ops[op].all)
		for _, n := range ops[op].passed {
			fmt.Fprintf(b, " %d |", n)
		}
		fmt.Fprintln(b)
	}
}

func keys[T any](m map[string]T) []string {
	var ks []string
	for k := range m {
		ks = append(ks, k)
	}
	slices.Sort(ks)
	return ks
}
