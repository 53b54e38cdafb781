package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What is known of the server's memory at a time.
const (
	resident = iota // bytes, as Linux says
	live            // bytes of heap that the last collection left
	kinds
)

// memory is what the server holds from time to time.
type memory [][kinds]float64

// memory looks at the server's memory twice a second.
func (x *target) memory(ctx context.Context) (m memory) {
	for ctx.Err() == nil {
		var now [kinds]float64
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", x.pid))
		now[resident] = 1024 * number(string(b), "VmRSS:")
		if r, err := x.client.Get(x.url + "/metrics"); err == nil {
			b, _ := io.ReadAll(r.Body)
			r.Body.Close()
			now[live] = number(string(b), "go_gc_heap_live_bytes")
		}
		m = append(m, now)
		time.Sleep(500 * time.Millisecond)
	}
	return m
}

// processorTime is what the server has used so far, s.
func (x *target) processorTime() float64 {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", x.pid))
	_, rest, _ := strings.Cut(string(b), ") ") // behind the name
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	var ticks float64
	for _, f := range fields[11:13] { // utime and stime
		v, _ := strconv.ParseFloat(f, 64)
		ticks += v
	}
	return ticks / 100 // of a hundredth each, whatever the kernel's own are
}

// number is what stands behind a name at the beginning of a line; 0 for none.
func number(text, name string) float64 {
	_, rest, _ := strings.Cut("\n"+text, "\n"+name)
	if fields := strings.Fields(rest); len(fields) > 0 {
		v, _ := strconv.ParseFloat(fields[0], 64)
		return v
	}
	return 0
}

// thirds are the means of the first and the last third, and the most.
func (m memory) thirds(kind int) string {
	var v []float64
	for _, now := range m {
		v = append(v, now[kind]/1e6)
	}
	third := len(v) / 3
	return fmt.Sprintf("%.0f in the first third, %.0f in the last, %.0f at most", mean(v[:third]), mean(v[len(v)-third:]), slices.Max(append(v, 0)))
}

func mean(v []float64) float64 {
	var sum float64
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}
