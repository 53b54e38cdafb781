// Package inference is generated of inference.proto: the messages and the
// service of the Open Inference Protocol.
//
// The generators are protoc (of PyPI's grpcio-tools), and protoc-gen-go and
// protoc-gen-go-grpc of the versions that the files name.
package inference

//go:generate python3 -m grpc_tools.protoc -I . --go_out=. --go_opt=paths=source_relative --go-grpc_out=. --go-grpc_opt=paths=source_relative inference.proto
