// Package engine chooses the engine that runs a module: "onnxruntime" when
// its library is there and takes the model, else "go", which needs nothing
// installed. [Open] gives one by name; [List] says which are there and why
// one is not.
package engine
