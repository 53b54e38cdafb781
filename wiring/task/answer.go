package task

// Answer is what an effector answered; which fields hold anything depends on
// its head.
type Answer struct {
	// Text is a sentence, Tokens its words (head language).
	Text   string   `json:"text,omitempty"`
	Tokens []string `json:"tokens,omitempty"`
	// Label is the likeliest label; Labels are those that hold where several
	// may. Probabilities are those of all labels, in the head's order (head
	// softmax).
	Label         string    `json:"label,omitempty"`
	Labels        []string  `json:"labels,omitempty"`
	Probabilities []float64 `json:"-"`
	// Values are numbers in their own units, one row a step of a series (head
	// linear), or a vector of length 1 (head embedding).
	Values [][]float64 `json:"values,omitempty"`
	// Confidence, 0 to 1, is the chance that the answer is right, where the plan
	// is calibrated ([wiring.Calibration]); otherwise of a sentence the mean
	// probability of its words and its end, of a label its probability; 0 where
	// there is none.
	Confidence float64 `json:"confidence,omitempty"`
	// Unsure says that the chance is too small to go by.
	Unsure bool `json:"unsure,omitempty"`
}
