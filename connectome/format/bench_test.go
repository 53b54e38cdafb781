package format_test

import (
	"archive/zip"
	"bufio"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"sync/atomic"
	"testing"
	"time"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/format"
)

// benchmarkRead reads a file over and over and reports MB/s, and bytes an
// edge at rest and at the peak of reading.
func benchmarkRead(b *testing.B, path string, opts ...format.Option) {
	b.Helper()
	fi, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(fi.Size())
	var c *connectome.Connectome
	var peak, rest uint64
	for b.Loop() {
		b.StopTimer()
		c = nil
		runtime.GC()
		before := heapInUse()
		stop := watchHeap()
		b.StartTimer()
		if c, err = format.Read(path, opts...); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		peak = max(peak, stop()-min(before, stop()))
		runtime.GC()
		rest = heapInUse() - before
		b.StartTimer()
	}
	edges := float64(c.Tracts.Len())
	b.ReportMetric(edges, "edges")
	b.ReportMetric(float64(rest)/edges, "B/edge-rest")
	b.ReportMetric(float64(peak)/edges, "B/edge-peak")
	b.ReportMetric(float64(peak)/1e6, "MB-peak")
}

func heapInUse() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// watchHeap samples the heap until the function it returns is called, which
// gives the largest sample.
func watchHeap() func() uint64 {
	var most atomic.Uint64
	done := make(chan struct{})
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		for {
			most.Store(max(most.Load(), heapInUse()))
			select {
			case <-done:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	stopped := false
	return func() uint64 {
		if !stopped {
			stopped = true
			close(done)
			<-finished
		}
		return most.Load()
	}
}

// benchFile makes a file of the given rows once a run.
func benchFile(b *testing.B, name string, fill func(w *bufio.Writer)) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	fill(w)
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

func writeBenchEdges(nodes, edges int) func(w *bufio.Writer) {
	return func(w *bufio.Writer) {
		rng := rand.New(rand.NewPCG(1, 2))
		for range edges {
			fmt.Fprintf(w, "%d\t%d\t%d\n", rng.IntN(nodes), rng.IntN(nodes), 1+rng.IntN(99))
		}
	}
}

// An edge list of 10^5 nodes and 5·10^6 edges.
func BenchmarkEdgeList5M(b *testing.B) {
	benchmarkRead(b, benchFile(b, "edges.tsv", writeBenchEdges(100_000, 5_000_000)))
}

// The same with 10^7 edges.
func BenchmarkEdgeList10M(b *testing.B) {
	benchmarkRead(b, benchFile(b, "edges.tsv", writeBenchEdges(100_000, 10_000_000)))
}

// 10^7 edges as a structured array in an NPZ archive.
func BenchmarkNPZ10M(b *testing.B) {
	const nodes, edges = 100_000, 10_000_000
	benchmarkRead(b, benchFile(b, "edges.npz", func(w *bufio.Writer) {
		z := zip.NewWriter(w)
		m, err := z.Create("edges.npy")
		if err != nil {
			b.Fatal(err)
		}
		header := fmt.Sprintf("{'descr': [('source', '<i4'), ('target', '<i4'), ('weight', '<f4')], 'fortran_order': False, 'shape': (%d,), }", edges)
		header = fmt.Sprintf("%-117s\n", header)
		buf := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), byte(len(header)>>8))
		buf = append(buf, header...)
		rng := rand.New(rand.NewPCG(1, 2))
		for range edges {
			buf = binary.LittleEndian.AppendUint32(buf, uint32(rng.IntN(nodes)))
			buf = binary.LittleEndian.AppendUint32(buf, uint32(rng.IntN(nodes)))
			buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(float32(1+rng.IntN(99))))
			if len(buf) >= 1<<16 {
				if _, err := m.Write(buf); err != nil {
					b.Fatal(err)
				}
				buf = buf[:0]
			}
		}
		if _, err := m.Write(buf); err != nil {
			b.Fatal(err)
		}
		if err := z.Close(); err != nil {
			b.Fatal(err)
		}
	}))
}

// A matrix of 1,000 × 1,000 values with seven digits.
func BenchmarkMatrixCSV1000(b *testing.B) {
	benchmarkRead(b, benchFile(b, "matrix.csv", func(w *bufio.Writer) {
		rng := rand.New(rand.NewPCG(1, 2))
		for range 1000 {
			for j := range 1000 {
				if j > 0 {
					w.WriteByte(',')
				}
				fmt.Fprintf(w, "%.7g", rng.ExpFloat64())
			}
			w.WriteByte('\n')
		}
	}))
}

// A GraphML file of 1,000 regions and 50,000 tracts as braingraph.org writes
// them.
func BenchmarkGraphML1000(b *testing.B) {
	benchmarkRead(b, benchFile(b, "x.graphml", func(w *bufio.Writer) {
		rng := rand.New(rand.NewPCG(1, 2))
		fmt.Fprintln(w, `<graphml xmlns="http://graphml.graphdrawing.org/xmlns">`)
		for k, n := range []string{"dn_position_x", "dn_position_y", "dn_position_z", "dn_name", "dn_hemisphere"} {
			fmt.Fprintf(w, "<key attr.name=%q attr.type=\"string\" for=\"node\" id=\"d%d\"/>\n", n, k)
		}
		for k, n := range []string{"number_of_fibers", "FA_mean", "fiber_length_mean"} {
			fmt.Fprintf(w, "<key attr.name=%q attr.type=\"double\" for=\"edge\" id=\"d%d\"/>\n", n, 5+k)
		}
		fmt.Fprintln(w, `<graph edgedefault="undirected">`)
		for i := range 1000 {
			fmt.Fprintf(w, "<node id=\"%d\"><data key=\"d0\">%.6g</data><data key=\"d1\">%.6g</data><data key=\"d2\">%.6g</data><data key=\"d3\">rh.region_%d</data><data key=\"d4\">right</data></node>\n",
				i+1, rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64(), i)
		}
		for k := range 50_000 {
			fmt.Fprintf(w, "<edge source=\"%d\" target=\"%d\"><data key=\"d5\">%d</data><data key=\"d6\">%.6g</data><data key=\"d7\">%.6g</data></edge>\n",
				k/50+1, (k/50+1+k%50*7)%1000+1, 1+rng.IntN(500), rng.Float64(), 10+100*rng.Float64())
		}
		fmt.Fprintln(w, "</graph></graphml>")
	}))
}

// TestMemoryOfEdgeLists holds the reader to its promise on a tenth of the
// large list: at most 24 bytes an edge at rest and three times that while
// reading.
func TestMemoryOfEdgeLists(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 500,000 edges")
	}
	path := filepath.Join(t.TempDir(), "x.tsv")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	writeBenchEdges(2_000, 500_000)(w)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	before := heapInUse()
	stop := watchHeap()
	c, err := format.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	peak := stop()
	runtime.GC()
	rest := heapInUse()
	edges := float64(c.Tracts.Len())
	restPer, peakPer := (float64(rest)-float64(before))/edges, (float64(peak)-float64(before))/edges
	t.Logf("%.0f edges: %.1f bytes an edge at rest, %.1f at the peak", edges, restPer, peakPer)
	if restPer > 24 || peakPer > 72 {
		t.Errorf("%.1f bytes an edge at rest and %.1f at the peak; the bounds are 24 and 72", restPer, peakPer)
	}
	runtime.KeepAlive(c)
}
