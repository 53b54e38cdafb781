package spread_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"sync"

	"github.com/connectomewire/wire/runtime/spread"
)

// squares is work: it squares numbers.
type squares struct{}

func (squares) Do(_ context.Context, job []byte) ([]byte, error) {
	var n int
	if _, err := fmt.Sscan(string(job), &n); err != nil {
		return nil, err
	}
	return fmt.Append(nil, n*n), nil
}

func (squares) Close() error { return nil }

// A server, a worker and a coordinator in one process; mostly they are on three
// machines.
func Example() {
	ctx, stop := context.WithCancel(context.Background())
	dir, err := os.MkdirTemp("", "queue")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	l, err := spread.Open(ctx, "127.0.0.1:0", dir, false)
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	w := &spread.Worker{Name: "one", Slots: 2, Open: func(context.Context, spread.Offer, string) (spread.Work, error) { return squares{}, nil }}
	var working sync.WaitGroup
	working.Go(func() {
		if err := l.Work(ctx, w); err != nil {
			log.Print(err)
		}
	})

	q, err := l.Offer(ctx, spread.Offer{ID: "squares", Name: "squares"}, "", nil)
	if err != nil {
		log.Fatal(err)
	}
	sum := 0
	jobs := []spread.Job{{Name: "three", Data: []byte("3")}, {Name: "four", Data: []byte("4")}}
	err = q.Run(ctx, jobs, func(_ int, result []byte) error {
		var n int
		_, err := fmt.Sscan(string(result), &n)
		sum += n
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(sum)
	if err := q.Close(true); err != nil {
		log.Fatal(err)
	}
	stop()
	working.Wait()
	// Output: 25
}
