package grpcserve_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/connectomewire/wire/runtime/serve"
	"github.com/connectomewire/wire/runtime/serve/grpcserve"
	"github.com/connectomewire/wire/runtime/serve/grpcserve/inference"
)

// The models of a server answer by gRPC too.
func Example() {
	s, err := serve.New(serve.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	if err := s.AddRunner("numbers", openSmall); err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	if err := s.Load(ctx); err != nil {
		log.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- grpcserve.Listen(ctx, s, l, nil, 10*time.Second) }()

	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	m, err := inference.NewGRPCInferenceServiceClient(conn).ModelMetadata(ctx, &inference.ModelMetadataRequest{Name: "numbers"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Inputs[0].Name, m.Inputs[0].Datatype, m.Inputs[0].Shape)
	conn.Close()
	cancel()
	fmt.Println(<-ended)
	// Output:
	// vector FP32 [-1 3]
	// <nil>
}
