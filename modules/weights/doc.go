// Package weights reads the tensors of trained models from files of
// safetensors and PyTorch (.pth, .pt, .bin: zip archives and the older plain
// pickles), without Python.
//
// A pickle is a program. The machine here knows only the instructions that
// build lists, tuples, dictionaries and tensors, and of callables only those
// that PyTorch's state dictionaries name; any other, such as os.system, is an
// error that names it. Nothing is imported or executed.
//
// Tensors are views of the file's bytes: memory is bounded by the size of the
// file, whatever it claims. Compressed archives are refused, since PyTorch
// writes none.
package weights
