// Package goengine runs ONNX models in pure Go: it needs no native library and
// is the engine that is always there. It is usable on its own:
//
//	s, err := goengine.New().LoadFile("model.onnx", modules.LoadOptions{Threads: 2})
//	if err != nil {
//		log.Fatal(err)
//	}
//	out, err := s.Run(ctx, map[string]*modules.Tensor{"x": modules.Floats(values, 1, 3, 224, 224)}, nil)
//
// What it promises:
//
//   - A model that it loads gives what the ONNX standard says, within the
//     rounding of float32 (docs/conformance.md); one that it cannot run is
//     refused at load, by an error that names operator and node.
//   - The same inputs give the same bits, for any number of threads and whatever
//     else runs.
//   - No input and no model file makes it panic, hang or take memory without
//     bound: errors name the node.
//   - From the second call of the same shapes on, the values of a call take no
//     new memory; a session with threads or of some operators makes small
//     objects.
//   - A session may be used from many goroutines, and a cancelled context ends
//     a call at the next step.
//
// Weights stay in their file where the engine has no packed copy of them (see
// [Engine.LoadFile]).
//
// Loading a model reads it with package onnxfile, computes everything that
// depends on constants only, merges nodes (convolution with batch
// normalisation, bias, residual and activation; products with their bias;
// x·sigmoid(x), hard swish, layer normalisation and attention out of their
// parts; the last never holds all scores), packs
// constant matrices for the kernels, and finds for every value the step that
// reads it last. Running walks the steps in order. Values live in an arena:
// a buffer is free again after its value's last reader, views (Reshape,
// Squeeze …) share their source's buffer, and element-wise steps work in
// place. For unchanged input shapes a run asks for the same buffers in the
// same order, so from the second run on the arena allocates nothing. Where the
// model fixes all sizes the buffers are planned at load.
//
// [Infer] finds shapes, work and memory without data, by running the same
// operators up to the point where they know their outputs' shapes.
//
// A [Session] may be used from many goroutines; each run that is under way
// has an arena of its own. With LoadOptions.Threads greater than one, large
// steps are split over goroutines in a way that does not change a single bit
// of the result. A cancelled context stops a run between two steps. A panic
// inside a step becomes an error that names the node.
//
// [Session.Record] runs a second plan of the graph, compiled at the first
// recording of an output, in which only such nodes are merged as gradients can
// be pulled through; record.go says what it keeps. [Gradients] lists which
// operators are differentiable, which stop gradients and which are refused.
//
// Operators are in one file per family (elementwise.go, conv.go, rnn.go …);
// each has a builder, which reads attributes and constants once at load, and
// returns the operation that computes a call. [Operators] lists them;
// docs/conformance.md says how they fare in ONNX's own tests, and
// testdata/fixtures.py makes the ones that are kept here, with ONNX's reference
// implementation. Operators that are others in a row are expanded at load
// (expand.go).
//
// Beside tensors, sequences, maps and optional values cross a session's ports:
// see [modules.Tensor]. 16-bit floats are computed in float32 and rounded once
// an operator; types of eight bits and less take a byte an element.
package goengine
