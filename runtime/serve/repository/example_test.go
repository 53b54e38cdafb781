package repository_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/connectomewire/wire/runtime/serve/gate"
	"github.com/connectomewire/wire/runtime/serve/model"
	"github.com/connectomewire/wire/runtime/serve/repository"
)

// nothing is a model of which nothing is asked here.
type nothing struct{ model.Model }

func (nothing) Close() error { return nil }

// A model is replaced while it is in use, and ends with its last user.
func Example() {
	r := repository.New(gate.New(time.Second, 1<<30, 1))
	defer r.Close()
	err := r.Add("m", func(context.Context) (model.Model, error) { return nothing{}, nil })
	if err != nil {
		log.Fatal(err)
	}
	load := func() {
		if _, err := r.Load(context.Background(), "m"); err != nil {
			log.Fatal(err)
		}
	}
	load()
	old, release, err := r.Use("m", "")
	if err != nil {
		log.Fatal(err)
	}
	load()
	fmt.Println("in use:", old.Version, "for others:", r.Index()[0].Version)
	release()
	// Output: in use: 1 for others: 2
}
