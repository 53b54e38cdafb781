package task

// Example is one thing to learn from or to be asked about, before any module
// saw it.
type Example struct {
	// ID names the example in messages, rows and files.
	ID string
	// Key changes when the example's content does: caches go by it.
	Key string
	// Group names what belongs together and is never split between training
	// and what is scored; "" means the example alone.
	Group string
	// Inputs are read when they are needed, by the sense that takes them; a
	// sense without one is blank.
	Inputs map[string]Input
	// Targets are what effectors should answer, by a task's target: a string,
	// []string (alternatives of a text, or several labels), a float64,
	// []float64, or [][]float64 (one a step).
	Targets map[string]any
	// Mirror says that pictures may be flipped left to right in training.
	Mirror bool
	// Repeat is how often an epoch shows it; 0 means once.
	Repeat int
	// Views is the number of views of its pictures in training; 0 leaves it to
	// the options.
	Views int
	// Blur is the length of the random vector that is added in training to
	// what modules make of it, at length 1 ([learn.Sample.Blur]): a text that
	// stands for a picture errs by as much as the picture's bridge.
	Blur float64
}

// GroupID is the example's group, or its ID when it stands alone.
func (e *Example) GroupID() string {
	if e.Group == "" {
		return e.ID
	}
	return e.Group
}

// Input is what an example gives one sense.
type Input struct {
	// Kind is "image", "sound", "text", "vector" or "series". It decides which
	// of a sense's encoders takes it.
	Kind string
	// Read returns an image.Image, a Sound, a string, a []float32 or a
	// [Series].
	Read func() (any, error)
}

// Sound is a mono sound, Rate samples a second.
type Sound struct {
	Samples []float32
	Rate    int
}

// Series is a vector a step, [steps, width].
type Series struct {
	Steps, Width int
	Values       []float32
}

// Given wraps a value that is at hand.
func Given(kind string, value any) Input {
	return Input{Kind: kind, Read: func() (any, error) { return value, nil }}
}
