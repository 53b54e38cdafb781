package spread_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"sync"

	"github.com/connectomewire/wire/runtime/eval"
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

// An evaluation of 20 inputs in two pieces, with a worker that opens what it is told;
// [eval.OwnPiece] or [eval.SetPiece] would stand in the place of ask.
func ExampleEvaluation() {
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
	ask := func(_ context.Context, p eval.Piece) (eval.Said, error) {
		return eval.Said{Words: []eval.Words{{Condition: "plan", Ticks: make([]int, p.To-p.From)}}}, nil
	}
	checks := map[string]string{"code": "version 1"}
	w := &spread.Worker{Name: "one", Slots: 1, Open: spread.JoinEvaluation(func(context.Context, string, string) (*spread.Evaluator, error) {
		return &spread.Evaluator{Checks: checks, Do: ask, Closer: io.NopCloser(nil)}, nil
	})}
	var working sync.WaitGroup
	working.Go(func() {
		if err := l.Work(ctx, w); err != nil {
			log.Print(err)
		}
	})

	e := &spread.Evaluation{Name: "flowers", Spec: "flowers", Checks: checks}
	e.Link = l // no slots: all is left to the worker
	defer e.Drop()
	if _, err := e.Pack(); err != nil {
		log.Fatal(err)
	}
	if err := e.Begin(ctx); err != nil {
		log.Fatal(err)
	}
	inputs := 0
	err = e.Elsewhere(ctx, []eval.Piece{{From: 0, To: 16}, {From: 16, To: 20}}, func(_ int, said eval.Said) error {
		inputs += len(said.Words[0].Ticks)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(inputs)
	if err := e.Close(true); err != nil {
		log.Fatal(err)
	}
	stop()
	working.Wait()
	// Output: 20
}

func ExampleCheckAddress() {
	for _, where := range []string{"nats://brain:4222", "127.0.0.1:4222", "0.0.0.0:4222"} {
		fmt.Println(spread.CheckAddress(where))
	}
	// Output:
	// <nil>
	// <nil>
	// a server at 0.0.0.0 can be reached by strangers: give it a token, TOKEN@0.0.0.0:4222
}
