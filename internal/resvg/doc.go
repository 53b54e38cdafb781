// Package resvg draws SVG pictures with resvg, the Rust library of
// github.com/linebender/resvg, compiled to WebAssembly and published on npm
// as @resvg/resvg-wasm (MPL-2.0). The module runs inside wazero, so no
// browser, Node.js or C compiler is needed, and a drawing gives the same
// pixels on every machine.
//
// The WebAssembly file is not part of this repository: the caller reads it
// from wherever it was downloaded to and hands its bytes to [New].
package resvg
