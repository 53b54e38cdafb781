// Package demo draws a handful of pictures and synthesises a handful of
// sounds for `wire demo`. They are made here, from shapes and formulas, so
// that the demonstration needs no download and no module can have seen them
// in training.
//
// [Items] lists them; every [Item] makes the same bytes on every call.
package demo
