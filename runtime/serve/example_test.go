package serve_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/connectomewire/wire"
	"github.com/connectomewire/wire/runtime/demo"
	"github.com/connectomewire/wire/runtime/serve"
)

// A server is mounted in a program beside what else the program answers.
func Example() {
	s, err := serve.New(serve.Options{MaxBytes: 8 << 20})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	if err := s.AddPlan("captions", "default", wire.Options{Engine: "go"}); err != nil {
		log.Fatal(err)
	}
	if err := s.Load(context.Background()); err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/v2/", s) // the Open Inference Protocol
	mux.Handle("/brain/", http.StripPrefix("/brain", s))
	mux.HandleFunc("/hello", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") })
	h := httptest.NewServer(mux)
	defer h.Close()

	picture, err := demo.Items()[0].Encode()
	if err != nil {
		log.Fatal(err)
	}
	r, err := http.Post(h.URL+"/brain/answer", "application/octet-stream", bytes.NewReader(picture))
	if err != nil {
		log.Fatal(err)
	}
	defer r.Body.Close()
	var said serve.Said
	if err := json.NewDecoder(r.Body).Decode(&said); err != nil {
		log.Fatal(err)
	}
	fmt.Println(said.Model, "version", said.Version)
	fmt.Println(said.Text)
	r, err = http.Get(h.URL + "/v2/models/captions/ready")
	if err != nil {
		log.Fatal(err)
	}
	r.Body.Close()
	fmt.Println("ready:", r.StatusCode)
	// Output:
	// captions version 1
	// two people riding horses on beach sand
	// ready: 200
}
