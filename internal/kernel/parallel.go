package kernel

import (
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// Parallel calls f(worker, begin, end) for consecutive ranges of [0, n) on up
// to the given number of goroutines and waits for all. Ranges begin at
// multiples of grain. A panic in f reaches the caller.
func Parallel(workers, n, grain int, f func(worker, begin, end int)) {
	if n <= 0 {
		return
	}
	grain = max(grain, 1)
	blocks := (n + grain - 1) / grain
	workers = min(workers, blocks)
	if workers <= 1 {
		f(0, 0, n)
		return
	}
	var wg sync.WaitGroup
	var once sync.Once
	var failure any
	run := func(w int) {
		debug.SetPanicOnFault(true) // weights may lie in a mapped file
		defer func() {
			if r := recover(); r != nil {
				once.Do(func() { failure = r })
			}
		}()
		begin, end := w*blocks/workers*grain, min((w+1)*blocks/workers*grain, n)
		f(w, begin, end)
	}
	for w := 1; w < workers; w++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			run(w)
		}()
	}
	before := debug.SetPanicOnFault(true)
	run(0)
	debug.SetPanicOnFault(before)
	wg.Wait()
	if failure != nil {
		panic(failure)
	}
}

// Share calls f(worker, i) for every i of [0, n) on up to the given number of
// goroutines and waits for all. Each takes what is next when it is ready for
// it, so that one that starts late does less. A panic in f reaches the caller.
func Share(workers, n int, f func(worker, i int)) {
	workers = min(workers, n)
	if workers <= 1 {
		for i := range n {
			f(0, i)
		}
		return
	}
	var next atomic.Int64
	Parallel(workers, workers, 1, func(w, _, _ int) {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			f(w, i)
		}
	})
}

// GemmParallel is [Gemm] on up to the given number of workers. The result's
// bits do not depend on their number.
func GemmParallel(workers int, transA, transB bool, m, n, k int, a, b, c []float32, accumulate bool) {
	lda, ldb := k, n
	if transA {
		lda = m
	}
	if transB {
		ldb = k
	}
	const worth = 1 << 16 // multiplications below which a goroutine does not pay
	if workers <= 1 || m*n*k < worth {
		GemmStrided(transA, transB, m, n, k, a, lda, b, ldb, c, n, accumulate)
		return
	}
	if m >= n {
		Parallel(workers, m, 12, func(_, i0, i1 int) {
			at := i0 * lda
			if transA {
				at = i0
			}
			GemmStrided(transA, transB, i1-i0, n, k, a[at:], lda, b, ldb, c[i0*n:], n, accumulate)
		})
		return
	}
	Parallel(workers, n, PanelWidth(), func(_, j0, j1 int) {
		at := j0
		if transB {
			at = j0 * ldb
		}
		GemmStrided(transA, transB, m, j1-j0, k, a, lda, b[at:], ldb, c[j0:], n, accumulate)
	})
}
