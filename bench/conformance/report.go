package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// write makes the report: counts by operator, failures by reason.
func write(engine string, results []result) []byte {
	var b bytes.Buffer
	passed := 0
	type count struct{ passed, all int }
	byOp := map[string]*count{}
	byReason := map[string][]string{}
	for _, r := range results {
		if r.err == nil {
			passed++
		} else {
			byReason[r.reason] = append(byReason[r.reason], r.name)
		}
		for _, op := range r.operators {
			if byOp[op] == nil {
				byOp[op] = &count{}
			}
			byOp[op].all++
			if r.err == nil {
				byOp[op].passed++
			}
		}
	}
	fmt.Fprintf(&b, "# Operator conformance of the %s engine\n\n", engine)
	fmt.Fprintf(&b, "ONNX's node tests (Debian's `libonnx-testdata`), tolerance %g relative or %g absolute.\nWritten by `go run ./bench/conformance -engine %s -o docs/conformance.md DIR`.\n\n", relative, absolute, engine)
	fmt.Fprintf(&b, "**Passed %d of %d.**\n\n## Failures by reason\n\n", passed, len(results))
	reasons := keys(byReason)
	slices.SortStableFunc(reasons, func(x, y string) int { return len(byReason[y]) - len(byReason[x]) })
	for _, reason := range reasons {
		fmt.Fprintf(&b, "- %s (%d): %s\n", reason, len(byReason[reason]), strings.Join(byReason[reason], ", "))
	}
	fmt.Fprintf(&b, "\n## Wrong results and failed runs\n\n")
	for _, r := range results {
		if r.err != nil && (r.reason == "wrong result" || r.reason == "run fails" || r.reason == "not loaded" || r.reason == "panic") {
			fmt.Fprintf(&b, "- `%s`: %v\n", r.name, r.err)
		}
	}
	fmt.Fprintf(&b, "\n## Tests by operator\n\nA test counts for every operator its model holds.\n\n| operator | passed | of |\n|---|---|---|\n")
	for _, op := range keys(byOp) {
		fmt.Fprintf(&b, "| %s | %d | %d |\n", op, byOp[op].passed, byOp[op].all)
	}
	return b.Bytes()
}

func keys[T any](m map[string]T) []string {
	var ks []string
	for k := range m {
		ks = append(ks, k)
	}
	slices.Sort(ks)
	return ks
}
