// Package grpcserve serves the models of a [serve.Server] by gRPC, in the Open
// Inference Protocol's service inference.GRPCInferenceService.
//
// Requests are admitted as those of HTTP are, by the same gate. Until a message
// has come whole it is counted as if it had the greatest size that is taken.
package grpcserve
