// Package library fetches modules and keeps them.
//
// A [Library] is a directory with one directory a module, each with its
// module.yaml. [Library.Pull] brings a module from npm, Python or Debian packages
// (through the user's own npm, pip and apt-get), from the Hugging Face hub, from
// an https address or from a file, and either the whole module is in the library
// afterwards, or nothing has changed. The SHA-256 of every file is recorded in
// the manifest and checked whenever the module is opened.
//
// [Catalog] lists modules with ready manifests. For any other model
// [Describe] writes a manifest from what the ONNX file and the configuration
// files beside it tell.
package library
