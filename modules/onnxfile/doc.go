// Package onnxfile reads ONNX models into a graph of operators: what the
// pure-Go engine executes, what `wire modules inspect` prints and what is
// drawn as a module's inside.
//
// [Read] and [Open] work in three steps.
//
//  1. The protobuf is walked once, bounded by the size of the file: operator
//     set versions, operator domains, node names, symbolic dimensions,
//     initializers of every element type, external data and subgraphs.
//  2. A skeleton of each graph (nodes with their names, inputs, outputs and
//     plain attributes) is decoded by github.com/owulveryck/onnx-go into a
//     recording backend, a gonum directed weighted graph that keeps every
//     (output, input, position) edge. Tensors, subgraphs, type information
//     and the attribute kinds that onnx-go does not know are set aside before
//     and put back after.
//  3. The result is checked (every value is produced once, everything read
//     exists, no cycle) and sorted topologically.
//
// Malformed, cyclic, truncated or malicious files give a [*Error] that names the
// graph, node and tensor concerned. Nothing is allocated on the word of a
// header: a tensor must bring the bytes its shape asks for. External data
// must lie below the model's own folder: absolute paths and ".." are refused.
//
// Tensors keep views of the file's bytes, so the model passed to Read must not
// be changed afterwards. [Map] leaves the bytes in the file.
package onnxfile
