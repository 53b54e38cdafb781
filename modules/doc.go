// Package modules describes frozen pretrained ONNX models and runs them: what
// goes in and out, how pictures, sounds and text are prepared, and which
// engine computes.
//
// A module is a directory with a module.yaml (a [Manifest]) beside its ONNX
// files. The manifest names typed ports, so that a caller asks for the
// "embedding" of an "image" and need not know tensor names, sizes or colour
// orders; every file's SHA-256 is checked when the module is opened. [Open]
// gives a [Module]; [Module.Encode] prepares the inputs, runs the parts they
// reach and returns the outputs asked for.
//
// An [Engine] executes ONNX models: modules/engine/goengine in pure Go,
// modules/engine/ort through ONNX Runtime's shared library. modules/engine
// chooses between them. modules/moduletest is the suite both pass.
//
// The preparation is done by modules/picture, modules/sound and
// modules/text, which follow the reference implementations their models were
// trained with. modules/library fetches and keeps modules, modules/zoo holds
// those embedded in the program.
//
// Nothing here knows of brains: package wiring puts modules into regions.
package modules
