// Package demo has five photographs of free licence, draws a handful of
// pictures and synthesises a handful of sounds for `wire demo`. Drawings and
// sounds are made here, from shapes and formulas, so that no module can have
// seen them in training. The photographs are five of the 142 whose captions
// fitted the bridge from pictures to texts; photographs/SOURCES.tsv names them.
//
// [Items] lists them; every [Item] makes the same bytes on every call.
package demo
