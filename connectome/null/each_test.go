package null_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/null"
	"github.com/connectomewire/wire/connectome/synthetic"
)

func TestEachIsTheSameOnAnyNumberOfProcessors(t *testing.T) {
	c := synthetic.Default()
	opt := null.Options{Seed: 5, Index: 2, Swaps: 2}
	run := func(processors int) map[int][]int32 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
		var lock sync.Mutex
		found := map[int][]int32{}
		err := null.Each(context.Background(), c, null.DegreePreserving, opt, 6, func(i int, d *connectome.Connectome) error {
			lock.Lock()
			defer lock.Unlock()
			found[i] = d.Tracts.Target
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	one, many := run(1), run(8)
	if len(one) != 6 || len(many) != 6 {
		t.Fatalf("%d and %d networks", len(one), len(many))
	}
	for i := 2; i < 8; i++ {
		if !slices.Equal(one[i], many[i]) {
			t.Errorf("network %d differs", i)
		}
		o := opt
		o.Index = i
		alone, err := null.Generate(c, null.DegreePreserving, o)
		if err != nil || !slices.Equal(alone.Tracts.Target, one[i]) {
			t.Errorf("network %d differs from the one made alone: %v", i, err)
		}
	}
	if slices.Equal(one[2], one[3]) {
		t.Error("two indices gave the same network")
	}
}

func TestEachStopsAtTheFirstError(t *testing.T) {
	stop := errors.New("disk full")
	var lock sync.Mutex
	visits := 0
	err := null.Each(context.Background(), synthetic.Default(), null.WeightShuffle, null.Options{}, 1000, func(int, *connectome.Connectome) error {
		lock.Lock()
		defer lock.Unlock()
		visits++
		return stop
	})
	if !errors.Is(err, stop) || visits > 100 {
		t.Errorf("%v after %d visits", err, visits)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err = null.Each(ctx, synthetic.Default(), null.WeightShuffle, null.Options{}, 3, func(int, *connectome.Connectome) error { return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := null.Each(context.Background(), synthetic.Default(), null.WeightShuffle, null.Options{}, 0, nil); err == nil {
		t.Error("0 networks accepted")
	}
}

// TestEachStopsInTheMiddleOfANetwork asks for more swaps than there is
// patience for.
func TestEachStopsInTheMiddleOfANetwork(t *testing.T) {
	for _, kind := range []null.Kind{null.DegreePreserving, null.StrengthPreserving} {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		err := null.Each(ctx, synthetic.Default(), kind, null.Options{Swaps: 10000}, 1, func(int, *connectome.Connectome) error {
			t.Errorf("%s: a network was finished in spite of the end", kind)
			return nil
		})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: error %v; want that of the context", kind, err)
		}
	}
}
