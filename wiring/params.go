package wiring

// Params are a plan's learned parameters (all float32, row-major).
type Params struct {
	// Tensors maps a parameter's name to its values; names and shapes are
	// listed by Layout in a fixed order.
	Tensors map[string][]float32
}
