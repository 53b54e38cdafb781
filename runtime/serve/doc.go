// Package serve answers over the network: with plans and modules, by the Open
// Inference Protocol (version 2) and by simpler requests.
//
// A [Server] is made by [New], given models by [Server.AddPlan] and
// [Server.AddModule], and mounted as an [http.Handler]:
//
//	s, err := serve.New(serve.Options{})
//	err = s.AddPlan("default", "default", wire.Options{})
//	err = s.Load(ctx)
//	http.Handle("/", s)
//
// What comes is admitted by what it will cost, and refused with 429 and
// Retry-After before memory or waiting times grow; sizes, pixels, durations and
// times are bounded ([Options]). Requests that wait for a network of a plan are
// answered together, each with the bits it would get alone ([wire.Runner]).
//
// [Listen] is an HTTP server with the time limits that strangers need, and
// package runtime/serve/grpcserve serves the same models by gRPC.
package serve
