package null

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"github.com/connectomewire/wire/connectome"
)

// Each makes n null networks, those of indices opt.Index to opt.Index+n−1, side
// by side on all processors, and hands each to visit with its index. visit is
// called from several goroutines at once and in any order; the networks
// themselves are the same in any case. The first error, of a model or of
// visit, stops the rest and is returned.
func Each(ctx context.Context, c *connectome.Connectome, kind Kind, opt Options, n int, visit func(index int, d *connectome.Connectome) error) error {
	if n < 1 {
		return fmt.Errorf("null model: %d networks asked for; want at least 1", n)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	indices := make(chan int)
	var workers sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for index := range indices {
				o := opt
				o.Index = index
				d, err := generate(ctx, c, kind, o)
				if err == nil {
					err = visit(index, d)
				}
				if err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	for i := range n {
		select {
		case indices <- opt.Index + i:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(indices)
	workers.Wait()
	return context.Cause(ctx)
}
