// Package protocol holds the requests and responses of the Open Inference
// Protocol, version 2, apart from what carries them: tensors, metadata, and
// their forms as JSON and as binary tensor data.
//
// A [Tensor] keeps its elements as the binary form has them, little-endian one
// after the other, or, of type BYTES, as a list. [ParseRequest] reads a body:
// JSON, and behind it the data of the inputs that say binary_data_size. What it
// takes is bounded by the body's length: no more than about ten times as much.
// [Response.Append] writes one.
package protocol
