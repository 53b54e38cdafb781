package task

// Target is what is asked of an effector in one episode, in numbers.
type Target struct {
	// Name is the target in words, for people and memories.
	Name string
	// Rows are what is read and wanted: rows of one reading stand together, in
	// the order of the head's readings, and within a reading by tick.
	Rows []Row
	// Context holds, for the rows of readings that have one, what the head's
	// module gave, [such rows, context width].
	Context []float32
	// Feedback is what comes back in at the ticks after settling, [ticks,
	// feedback width]; nil without.
	Feedback []float32
}

// Row is one reading of an effector's state.
type Row struct {
	// Reading is which of the head's.
	Reading int
	// Tick is the tick after which the state is read, from 1.
	Tick int
	// Classes are indices of predicted values that should be chosen; with none
	// and no Values the row asks for nothing.
	Classes []int32
	// Values are predicted values as they should be; NaN asks for nothing.
	Values []float32
}

// asks says that the row wants anything.
func (r *Row) asks() bool { return len(r.Classes) > 0 || len(r.Values) > 0 }

// Last is the last tick that the target reads.
func (t *Target) Last() int {
	last := 0
	for i := range t.Rows {
		last = max(last, t.Rows[i].Tick)
	}
	return last
}

// Sum is what rows of one reading cost.
type Sum struct {
	// Loss is summed over Rows.
	Loss float64
	// Rows asked for something; Right of them predicted it best, where that
	// can be said.
	Rows, Right int
}

// Add adds another sum.
func (s *Sum) Add(o Sum) {
	s.Loss += o.Loss
	s.Rows += o.Rows
	s.Right += o.Right
}

// Mean is the mean loss of a row.
func (s Sum) Mean() float64 { return s.Loss / float64(max(s.Rows, 1)) }

// Share is the share of rows that are right.
func (s Sum) Share() float64 { return float64(s.Right) / float64(max(s.Rows, 1)) }

// Batch is what a loss sees at once: rows of several episodes.
type Batch struct {
	// Rows stand by reading, and within one in the order of the episodes.
	Rows []*Row
	// Example is, for each row, the index of its example in the batch that is
	// learned from: rows of one example's episodes share it. Side tells these
	// episodes apart.
	Example, Side []int
	// Width is that of a prediction; Predictions are [rows, Width]. A loss
	// leaves its gradients in their place.
	Width       int
	Predictions []float32
	// Weight multiplies the loss of each row of a reading: the reading's weight
	// over the number of its rows in the whole batch.
	Weight []float32
}

// Reading is one of a loss's parts.
type Reading struct {
	// Name of its mean loss among the metrics.
	Name string
	// Weight of its mean in the total loss.
	Weight float64
}

// Loss compares predictions with what rows ask for.
type Loss interface {
	// Readings lists the parts, by the head's readings.
	Readings() []Reading
	// Score returns the sum of every reading and, when gradients are wanted,
	// leaves those of the weighted loss in the place of the predictions, which
	// are lost either way.
	Score(b *Batch, gradients bool) []Sum
	// Joint says that Score must see the whole batch at once, since rows are
	// compared with each other.
	Joint() bool
	// Metrics names what sums came to, and which of them the best epoch is
	// chosen by; more of that one is better.
	Metrics(sums []Sum) (metrics map[string]float64, best string)
}

// Counts returns how many rows of each reading ask for something.
func Counts(readings int, rows []Row) []int {
	n := make([]int, readings)
	for i := range rows {
		if rows[i].asks() {
			n[rows[i].Reading]++
		}
	}
	return n
}
