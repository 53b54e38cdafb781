package reservoir

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/connectomewire/wire/datasets/metrics"
	"github.com/connectomewire/wire/internal/double"
	"github.com/connectomewire/wire/wiring"
)

// FitOptions say how a readout is fitted.
type FitOptions struct {
	// Ridge is λ over the number of training steps. With Choose it is found by
	// leaving out blocks of the training steps.
	Ridge  float64
	Choose bool
	// Washout is how many first steps of each series are not asked about; below
	// 0 it is the task's own.
	Washout int
	// Share of the steps, or of several series, that are learned from where the
	// data have no splits; 0 means 0.7.
	Share float64
	// Noise is the standard deviation of what is added to every state at every step,
	// of those that are learned from and of those that are tested on; it is drawn by
	// NoiseSeed, alike for all reservoirs.
	Noise     float64
	NoiseSeed uint64
	// Task are the options that the data were read or made with.
	Task TaskOptions
	// Command is written into the plan's history.
	Command string
}

// DefaultShare is that of [FitOptions.Share].
const DefaultShare = 0.7

func (o FitOptions) withDefaults(k *Task) (FitOptions, error) {
	if o.Washout < 0 {
		o.Washout = k.Washout
	}
	if o.Share == 0 {
		o.Share = DefaultShare
	}
	if !(o.Share > 0 && o.Share < 1) {
		return o, fmt.Errorf("a share of %v to learn from, want between 0 and 1", o.Share)
	}
	if !o.Choose && !(o.Ridge >= 0) || math.IsInf(o.Ridge, 0) {
		return o, fmt.Errorf("ridge is %v, want 0 or more", o.Ridge)
	}
	if !(o.Noise >= 0) || math.IsInf(o.Noise, 0) {
		return o, fmt.Errorf("noise is %v, want 0 or more", o.Noise)
	}
	var err error
	o.Task, err = o.Task.withDefaults()
	return o, err
}

// Result is how a readout does on the steps that it did not learn from.
type Result struct {
	Task string `json:"task"`
	// Capacity is the sum of R2 over the lags, of memory capacity.
	Capacity *float64 `json:"capacity,omitempty"`
	// R2 are the squared correlations of predictions with targets, RMSE the
	// roots of the mean squared errors, NRMSE those over the targets' standard
	// deviations; one an output, of tasks that ask for numbers.
	R2    []float64 `json:"r2,omitempty"`
	RMSE  []float64 `json:"rmse,omitempty"`
	NRMSE []float64 `json:"nrmse,omitempty"`
	// Accuracy is the share of right signs, of tasks that ask for decisions.
	Accuracy *float64 `json:"accuracy,omitempty"`
	// References are scores of the same kind on the same steps.
	References []Reference `json:"references"`
	Outputs    []string    `json:"outputs"`
	// Ridge is λ over the training steps, and whether it was chosen by blocks.
	Ridge      float64 `json:"ridge"`
	Chosen     bool    `json:"ridge_chosen"`
	Train      int     `json:"train_steps"`
	Test       int     `json:"test_steps"`
	Washout    int     `json:"washout"`
	Parameters int     `json:"parameters"`
}

// Metrics are the result's scores by name: "accuracy", or the means over the
// outputs of "nrmse" and "r2", and "capacity" where there is one.
func (r *Result) Metrics() map[string]float64 {
	out := map[string]float64{}
	if r.Capacity != nil {
		out["capacity"] = *r.Capacity
	}
	if r.Accuracy != nil {
		out["accuracy"] = *r.Accuracy
	} else {
		out["nrmse"], out["r2"] = metrics.Mean(r.NRMSE), metrics.Mean(r.R2)
	}
	return out
}

// Reference is what a result is compared with.
type Reference struct {
	Name   string  `json:"name"`
	Metric string  `json:"metric"` // "capacity", "nrmse" or "accuracy"
	Score  float64 `json:"score"`
}

// Fit fits a readout to the plan's states under the data and scores it on the
// steps that are not learned from. The plan keeps the readout and the task.
func Fit(p *wiring.Plan, k *Task, d *Data, o FitOptions) (*Result, error) {
	o, err := o.withDefaults(k)
	if err != nil {
		return nil, err
	}
	states, err := run(p, d, o)
	if err != nil {
		return nil, err
	}
	train, test, err := d.divide(o.Washout, o.Share)
	if err != nil {
		return nil, err
	}
	regions := p.Effectors[0].Regions
	stride, outputs := len(p.Regions), len(d.Outputs)
	all := append(slices.Clone(train), test...)
	// What is asked for lies outside the spread, so that the steps of the test may
	// count: peers measure it over everything after the washout.
	scale := spread(states, stride, regions, all)
	q := &problem{features: len(regions), outputs: outputs, fill: func(row int, features, targets []float64) {
		a := all[row]
		x := states[a.sequence][a.t*stride:][:stride]
		for i, j := range regions {
			features[i] = x[j] / scale[i]
		}
		copy(targets, d.Sequences[a.sequence].Targets[a.t*outputs:][:outputs])
	}}
	rows := make([]int, len(all))
	for i := range rows {
		rows[i] = i
	}
	learned, asked := rows[:len(train)], rows[len(train):]
	w, ridge, err := regress(q, learned, o.Ridge, o.Choose)
	if err != nil {
		return nil, fmt.Errorf("task %s: %w", k.Name, err)
	}
	r := &Result{
		Task: k.Name, Outputs: d.Outputs, Ridge: ridge, Chosen: o.Choose, Train: len(train), Test: len(test), Washout: o.Washout,
		Parameters: (1 + len(regions)) * outputs,
	}
	r.score(k, q, w, asked)
	if err := r.compare(p, k, d, o, all, learned, asked); err != nil {
		return nil, err
	}
	for i := range regions {
		for c := range outputs {
			w[(1+i)*outputs+c] /= scale[i]
		}
	}
	p.Readout, p.Trained = &wiring.Readout{Outputs: d.Outputs, Weights: w}, true
	p.Tasks = []wiring.Task{{Kind: k.Name, Effector: p.Effectors[0].Name, Target: "output", Settings: k.settings(o.Task)}}
	p.History = append(p.History, wiring.Event{What: "readout", Command: o.Command, Seed: o.Task.Seed, Facts: r.facts(), Notes: []string{"task " + k.Name + ", data " + d.Name}})
	return r, p.Validate()
}

// run steps the plan through every series.
func run(p *wiring.Plan, d *Data, o FitOptions) ([][]float64, error) {
	stepper, err := p.RateStepper()
	if err != nil {
		return nil, err
	}
	stepper.Noise = o.Noise
	if width := p.Senses[0].Width; len(p.Senses) != 1 || width != d.Inputs {
		return nil, fmt.Errorf("%s gives %d numbers a step, and plan %q takes %d: build it with `--inputs %d`", d.Name, d.Inputs, p.Name, width, d.Inputs)
	}
	total := 0
	for i := range d.Sequences {
		total += d.Sequences[i].Steps
	}
	if err := p.CheckSeries(nil, total); err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	states := make([][]float64, len(d.Sequences))
	for i := range d.Sequences {
		s := &d.Sequences[i]
		stepper.NoiseSeed = o.NoiseSeed + uint64(i)<<32
		if states[i], err = stepper.Run([][]float64{s.Inputs}, s.Steps); err != nil {
			return nil, fmt.Errorf("%s: series %q: %w", d.Name, s.ID, err)
		}
	}
	return states, nil
}

// spread are the standard deviations of the regions' states; 1 for one that
// does not move. Sums are of differences from the first row, so that one pass
// keeps its precision.
func spread(states [][]float64, stride int, regions []int, rows []step) []float64 {
	sum, squares := make([]float64, len(regions)), make([]float64, len(regions))
	first := states[rows[0].sequence][rows[0].t*stride:][:stride]
	for _, a := range rows {
		x := states[a.sequence][a.t*stride:][:stride]
		for i, j := range regions {
			d := x[j] - first[j]
			sum[i] += d
			squares[i] += d * d
		}
	}
	n := float64(len(rows))
	for i, s := range squares {
		mean := sum[i] / n
		if squares[i] = math.Sqrt(max(s/n-mean*mean, 0)); squares[i] == 0 {
			squares[i] = 1
		}
	}
	return squares
}

// score scores predictions of rows by weights, [1+features, outputs].
func (r *Result) score(k *Task, q *problem, w []float64, rows []int) {
	predicted, targets := predict(q, w, rows)
	if k.Decision {
		right := 0
		for i, y := range targets {
			if y > 0 == (predicted[i] > 0) {
				right++
			}
		}
		accuracy := float64(right) / float64(len(targets))
		r.Accuracy = &accuracy
		return
	}
	sum := 0.0
	for _, f := range agreement(predicted, targets, q.outputs) {
		r.R2, r.RMSE, r.NRMSE = append(r.R2, f.r2), append(r.RMSE, f.rmse), append(r.NRMSE, f.nrmse)
		sum += f.r2
	}
	if k.lags {
		r.Capacity = &sum
	}
}

// predict returns the predictions and the targets of rows, [rows, outputs].
func predict(q *problem, w []float64, rows []int) (predicted, targets []float64) {
	predicted, targets = make([]float64, len(rows)*q.outputs), make([]float64, len(rows)*q.outputs)
	features := make([]float64, q.features)
	for i, row := range rows {
		q.fill(row, features, targets[i*q.outputs:][:q.outputs])
		to := predicted[i*q.outputs:][:q.outputs]
		copy(to, w)
		double.Accumulate(to, features, 1, w[q.outputs:], q.outputs, q.features)
	}
	return predicted, targets
}

// fitted is how predictions of one output agree with its targets.
type fitted struct{ r2, rmse, nrmse float64 }

// agreement compares predictions and targets, [rows, outputs].
func agreement(p, y []float64, outputs int) []fitted {
	type sums struct{ p, y, pp, yy, py, ee float64 }
	n := float64(len(p) / outputs)
	all := make([]sums, outputs)
	for from := 0; from < len(p); from += outputs {
		for c := range all {
			all[c].p += p[from+c]
			all[c].y += y[from+c]
		}
	}
	for c := range all {
		all[c].p /= n
		all[c].y /= n
	}
	for from := 0; from < len(p); from += outputs {
		for c := range all {
			s := &all[c]
			dp, dy, e := p[from+c]-s.p, y[from+c]-s.y, p[from+c]-y[from+c]
			s.pp += dp * dp
			s.yy += dy * dy
			s.py += dp * dy
			s.ee += e * e
		}
	}
	out := make([]fitted, outputs)
	for c, s := range all {
		out[c].rmse = math.Sqrt(s.ee / n)
		if s.pp > 0 && s.yy > 0 {
			out[c].r2 = s.py * s.py / (s.pp * s.yy)
		}
		if s.yy > 0 {
			out[c].nrmse = math.Sqrt(s.ee / s.yy)
		}
	}
	return out
}

// facts are the figures that a plan's history keeps.
func (r *Result) facts() map[string]float64 {
	facts := map[string]float64{"ridge": r.Ridge, "train_steps": float64(r.Train), "test_steps": float64(r.Test)}
	switch {
	case r.Capacity != nil:
		facts["capacity"] = *r.Capacity
	case r.Accuracy != nil:
		facts["accuracy"] = *r.Accuracy
	default:
		facts["rmse"], facts["nrmse"], facts["r2"] = r.RMSE[0], r.NRMSE[0], r.R2[0]
	}
	for _, x := range r.References {
		facts["reference: "+x.Name] = x.Score
	}
	maps.DeleteFunc(facts, func(_ string, v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
	return facts
}
