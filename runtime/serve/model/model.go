// Package model makes plans and modules answer requests of the Open Inference
// Protocol.
//
// Of a plan, senses are inputs and effectors are outputs, by their names.
// Pictures and sounds go as files, of type BYTES (in base64 where JSON holds
// them), or as tensors: pictures as UINT8 0–255 or floats 0–1 [rows, height,
// width, channels], sounds as floats [rows, samples] with a parameter "rate".
// The first dimension of all counts the rows, each of which is answered as if it
// were alone. A sense that is left out is blank, and so is an element of no bytes.
//
// An effector that speaks or labels gives BYTES [rows], one that gives numbers
// FP64 [rows, width] or [rows, steps, width]. Beside each EFFECTOR there are
// EFFECTOR.confidence and, of labels, EFFECTOR.probabilities; the output
// "answers", given only when asked for, holds the answers of each row as `wire
// run --json` prints them.
package model

import (
	"context"

	"github.com/connectomewire/wire/runtime/serve/media"
	"github.com/connectomewire/wire/runtime/serve/protocol"
)

// Model answers requests. It is safe for concurrent use.
type Model interface {
	// Metadata says what the model takes and gives; its name and versions are
	// for the caller to fill in.
	Metadata() protocol.Metadata
	// Cost is about how long a request takes one processor at the least, s, as far
	// as can be told before it is decoded.
	Cost(*protocol.Request) float64
	// Infer answers a request. When it is decoded, weigh is told how long it will
	// take one processor, s; its error ends the request. Errors are
	// [*protocol.Error]s where the request is to blame.
	Infer(ctx context.Context, q *protocol.Request, d *media.Decoder, weigh func(seconds float64) error) (*protocol.Response, error)
	// Close ends it.
	Close() error
}
