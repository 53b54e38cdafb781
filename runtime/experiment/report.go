package experiment

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/connectomewire/wire/datasets/metrics"
	"github.com/connectomewire/wire/runtime/verdict"
)

// Summary is a condition's scores.
type Summary struct {
	Condition string  `json:"condition"`
	Networks  int     `json:"networks"`
	Seeds     int     `json:"seeds"` // the fewest of a network
	Mean      float64 `json:"mean"`
	// Least and Most are means over seeds of single networks.
	Least float64 `json:"least"`
	Most  float64 `json:"most"`
	// Hops and Ticks are the means over networks of the shortest ways from senses
	// to effectors, Radius that of the spectral radii, Moved of the shares of
	// tracts that the plan does not have.
	Hops   float64 `json:"hops"`
	Ticks  float64 `json:"ticks"`
	Radius float64 `json:"spectral_radius"`
	Moved  float64 `json:"moved"`
	// Tracts, Width, Rank, Parameters (what is learned) and MultiplyAdds of a tick
	// are those of the condition's first run.
	Tracts       int `json:"tracts"`
	Width        int `json:"width"`
	Rank         int `json:"rank"`
	Parameters   int `json:"parameters"`
	MultiplyAdds int `json:"multiply_adds"`
}

// scores are a condition's, by network and seed, as far as they go.
func (e *Experiment) scores(condition string) [][]float64 {
	by := map[int]map[int]float64{}
	for _, r := range e.Log.Rows {
		if r.Condition != condition {
			continue
		}
		if by[r.Network] == nil {
			by[r.Network] = map[int]float64{}
		}
		by[r.Network][r.Seed] = r.Score
	}
	var out [][]float64
	for _, n := range e.networks {
		if n.condition != condition || len(by[n.number]) == 0 {
			continue
		}
		var scores []float64
		for seed := range e.Spec.Seeds {
			if v, ok := by[n.number][seed+1]; ok {
				scores = append(scores, v)
			}
		}
		out = append(out, scores)
	}
	return out
}

// Network is a network's mean score over its seeds.
type Network struct {
	Condition string
	Network   int // from 1 on; 0 of the plan and of controls
	Mean      float64
}

// Networks are those that were run, in their order.
func (e *Experiment) Networks() []Network {
	var out []Network
	at := map[string]int{}
	for _, n := range e.networks {
		all := e.scores(n.condition)
		if k := at[n.condition]; k < len(all) {
			out = append(out, Network{n.condition, n.number, metrics.Mean(all[k])})
		}
		at[n.condition]++
	}
	return out
}

// conditions in the order in which they are told.
func (e *Experiment) conditions() []string {
	var out []string
	for _, n := range e.networks {
		if !slices.Contains(out, n.condition) {
			out = append(out, n.condition)
		}
	}
	return out
}

// Summaries are those of all conditions that were run.
func (e *Experiment) Summaries() []Summary {
	var out []Summary
	for _, name := range e.conditions() {
		scores := e.scores(name)
		if len(scores) == 0 {
			continue
		}
		s := Summary{Condition: name, Networks: len(scores), Seeds: len(scores[0])}
		var means []float64
		for _, list := range scores {
			means = append(means, metrics.Mean(list))
			s.Seeds = min(s.Seeds, len(list))
		}
		s.Mean, s.Least, s.Most = metrics.Mean(means), slices.Min(means), slices.Max(means)
		n, ways := 0.0, 0.0
		for _, r := range e.Log.Rows {
			if r.Condition != name {
				continue
			}
			if n++; n == 1 {
				w := &r.Wiring
				s.Tracts, s.Width, s.Rank, s.Parameters, s.MultiplyAdds = w.Tracts, w.Width, w.Rank, w.Parameters, w.MultiplyAdds
			}
			s.Radius += r.Wiring.Radius
			s.Moved += r.Moved
			for _, w := range r.Wiring.Ways {
				ways++
				s.Hops += float64(w.Hops)
				s.Ticks += float64(w.Ticks)
			}
		}
		s.Radius, s.Moved = s.Radius/n, s.Moved/n
		if ways > 0 {
			s.Hops, s.Ticks = s.Hops/ways, s.Ticks/ways
		}
		out = append(out, s)
	}
	return out
}

// Verdict compares the plan with the networks of every null model, when all runs
// are made.
func (e *Experiment) Verdict() (verdict.Verdict, error) {
	if n := len(e.left()); n > 0 {
		return verdict.Verdict{}, fmt.Errorf("%d of %d runs are left to make", n, e.runs())
	}
	real := e.scores("plan")[0]
	sign := 1.0
	if e.Spec.Lower {
		sign = -1
	}
	turn := func(list []float64) []float64 {
		out := make([]float64, len(list))
		for i, v := range list {
			out[i] = sign * v
		}
		return out
	}
	var all []verdict.Comparison
	for _, n := range e.Spec.Nulls {
		var nulls [][]float64
		for _, list := range e.scores(n.Name()) {
			nulls = append(nulls, turn(list))
		}
		c, err := verdict.Compare(n.Name(), turn(real), nulls, e.Spec.Delta)
		if err != nil {
			return verdict.Verdict{}, err
		}
		c.Confirms = n.Confirms
		all = append(all, c)
	}
	return verdict.Decide(all, e.Spec.Delta), nil
}

// Calibrated is how often a verdict on a confirming null model's networks is
// right.
type Calibrated struct {
	Null  string          `json:"null"`
	Tried []verdict.Tried `json:"tried"`
}

// Trials of a calibration, each with as few other networks as a verdict takes.
const trials = 200

// Calibration puts networks of each confirming null model in the plan's place,
// made better by effects of 0 to 6 times the smallest of interest, see
// [verdict.Calibrate]; none for models with too few networks for that.
func (e *Experiment) Calibration() ([]Calibrated, error) {
	var out []Calibrated
	for _, n := range e.Spec.Nulls {
		scores := slices.DeleteFunc(e.scores(n.Name()), func(list []float64) bool { return len(list) < e.Spec.Seeds })
		if !n.Confirms || len(scores) <= verdict.LeastNulls {
			continue
		}
		sign := 1.0
		if e.Spec.Lower {
			sign = -1
		}
		for _, list := range scores {
			for i := range list {
				list[i] *= sign
			}
		}
		var effects []float64
		for k := range 13 {
			effects = append(effects, float64(k)/2*e.Spec.Delta)
		}
		tried, err := verdict.Calibrate(scores, verdict.LeastNulls, trials, e.Spec.Delta, effects, 1)
		if err != nil {
			return nil, err
		}
		out = append(out, Calibrated{n.Name(), tried})
	}
	return out, nil
}

// ShareAxis is that of curves over shares of the training examples.
const ShareAxis = "share of the training examples"

// Axes are those of the curves that can be drawn, in their order.
func (e *Experiment) Axes() []string {
	var out []string
	for i := range e.Spec.Curves {
		if c := &e.Spec.Curves[i]; (c.Cut == nil || c.Cut.By != byEach) && !slices.Contains(out, c.axis()) {
			out = append(out, c.axis())
		}
	}
	return out
}

// OnAxis are the curves of an axis, as far as they were run.
func (e *Experiment) OnAxis(axis string) [][]Point {
	var out [][]Point
	for i := range e.Spec.Curves {
		if c := &e.Spec.Curves[i]; c.axis() == axis {
			if points := e.points(c); len(points) > 0 {
				out = append(out, points)
			}
		}
	}
	return out
}

// WriteReport writes what came of it, in Markdown.
func (e *Experiment) WriteReport(w io.Writer) error {
	s := e.Spec
	p := func(format string, args ...any) { fmt.Fprintf(w, format, args...) }
	title := s.Question
	if title == "" {
		title = "Experiment on " + e.setup.Plan.Name
	}
	p("# %s\n\n", title)
	p("Settled on %s; %d of %d runs made", e.Log.Record.Time.Format("2006-01-02 15:04 MST"), len(e.Log.Rows), e.Log.Record.Runs)
	if n := len(e.Log.Rows); n > 0 {
		last := e.Log.Rows[0].Time
		var seconds float64
		for _, r := range e.Log.Rows {
			seconds += r.Seconds
			if r.Time.After(last) {
				last = r.Time
			}
		}
		p(", the last on %s; %.0f s of learning and scoring", last.Format("2006-01-02 15:04 MST"), seconds)
	}
	p(". Score: %s", s.Metric)
	if s.Lower {
		p(", lower is better")
	}
	if e.setup.Series != nil {
		p(", task %s", s.Readout.Task)
	} else {
		p(", on %d examples", len(e.setup.Test))
	}
	p("; %d seeds a network. Record: `%s`; results, each with the checksum of the one before: `%s`.\n\n", s.Seeds, short(e.Log.Record.Spec), filepath.Base(e.Log.path))
	p("| condition | networks | mean | least | most | tracts new | spectral radius | hops | ticks |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, c := range e.Summaries() {
		p("| %s | %d | %.4f | %.4f | %.4f | %.0f %% | %.3f | %.2f | %.2f |\n", c.Condition, c.Networks, c.Mean, c.Least, c.Most, 100*c.Moved, c.Radius, c.Hops, c.Ticks)
	}
	e.writeSizes(w)
	e.writeTuning(w)
	if s.Delta > 0 && len(e.left()) == 0 {
		v, err := e.Verdict()
		if err != nil {
			return err
		}
		p("\n")
		WriteVerdict(w, v)
		if err := e.writeCalibration(w); err != nil {
			return err
		}
	}
	e.writeGates(w)
	for i := range s.Curves {
		e.writeCurve(w, &s.Curves[i])
	}
	p("\n```yaml\n%s\n```\n", strings.TrimSpace(s.Text))
	return nil
}

// writeSizes writes what each condition computes with, in Markdown.
func (e *Experiment) writeSizes(w io.Writer) {
	all := e.Summaries()
	if !slices.ContainsFunc(all, func(s Summary) bool { return s.Parameters > 0 }) {
		return
	}
	fmt.Fprint(w, "\n| condition | tracts | width | rank | parameters | multiply-adds a tick |\n|---|---|---|---|---|---|\n")
	for _, s := range all {
		fmt.Fprintf(w, "| %s | %d | %d | %d | %d | %d |\n", s.Condition, s.Tracts, s.Width, s.Rank, s.Parameters, s.MultiplyAdds)
	}
}

// writeCalibration writes how often verdicts on the null networks that were run
// are right.
func (e *Experiment) writeCalibration(w io.Writer) error {
	found, err := e.Calibration()
	if err != nil || len(found) == 0 {
		return err
	}
	fmt.Fprintf(w, "\n## Would a difference be found?\n\nIn each of %d trials one of a model's networks takes the plan's place, made better by an effect, beside %d others.\n\n", trials, verdict.LeastNulls)
	fmt.Fprint(w, "| null model | effect | helps | hurts | no difference | undecided |\n|---|---|---|---|---|---|\n")
	for _, c := range found {
		for k, t := range c.Tried {
			if k%2 == 0 {
				fmt.Fprintf(w, "| %s | %.4g | %.3f | %.3f | %.3f | %.3f |\n", c.Null, t.Effect,
					t.Answers[verdict.Helps], t.Answers[verdict.Hurts], t.Answers[verdict.NoDifference], t.Answers[verdict.Undecided])
			}
		}
	}
	return nil
}

// Point is a place of a curve, with the scores of all seeds there.
type Point struct {
	Curve string  `json:"curve"`
	At    float64 `json:"at"`
	// What was cut there, where it is one thing.
	What  string  `json:"what,omitempty"`
	Seeds int     `json:"seeds"`
	Mean  float64 `json:"mean"`
	Least float64 `json:"least"`
	Most  float64 `json:"most"`
}

// Points are those of all curves, as far as they were run; of "each", which cuts
// one thing at a time, by what is lost.
func (e *Experiment) Points() []Point {
	var out []Point
	for i := range e.Spec.Curves {
		out = append(out, e.points(&e.Spec.Curves[i])...)
	}
	return out
}

func (e *Experiment) points(c *Curve) []Point {
	var out []Point
	for _, at := range c.points(e.networks[0].plan) {
		x := Point{Curve: c.Name, At: at}
		var scores []float64
		for _, r := range e.Log.Rows {
			if r.Condition == c.Name && r.At == at {
				scores, x.What = append(scores, r.Score), r.What
			}
		}
		if x.Seeds = len(scores); x.Seeds > 0 {
			x.Mean, x.Least, x.Most = metrics.Mean(scores), slices.Min(scores), slices.Max(scores)
			out = append(out, x)
		}
	}
	if c.Cut != nil && c.Cut.By == byEach {
		sign := 1.0
		if e.Spec.Lower {
			sign = -1
		}
		slices.SortStableFunc(out, func(a, b Point) int { return cmp.Compare(sign*a.Mean, sign*b.Mean) })
	}
	return out
}

// most of the things that are cut one at a time are told.
const most = 20

// writeCurve writes a curve's points in Markdown.
func (e *Experiment) writeCurve(w io.Writer, c *Curve) {
	fmt.Fprintf(w, "\n## %s\n\n", c.Name)
	if c.Cut != nil && c.Cut.By == byEach {
		fmt.Fprintf(w, "| cut | seeds | mean | least | most |\n|---|---|---|---|---|\n")
		all := e.points(c)
		for _, x := range all[:min(len(all), most)] {
			fmt.Fprintf(w, "| %s | %d | %.4f | %.4f | %.4f |\n", x.What, x.Seeds, x.Mean, x.Least, x.Most)
		}
		if len(all) > most {
			fmt.Fprintf(w, "\nThe %d others lose less, or as little.\n", len(all)-most)
		}
		return
	}
	fmt.Fprintf(w, "| %s | seeds | mean | least | most |\n|---|---|---|---|---|\n", c.axis())
	for _, x := range e.points(c) {
		fmt.Fprintf(w, "| %g | %d | %.4f | %.4f | %.4f |\n", x.At, x.Seeds, x.Mean, x.Least, x.Most)
	}
}

// WriteVerdict writes a verdict in Markdown.
func WriteVerdict(w io.Writer, v verdict.Verdict) {
	fmt.Fprintf(w, "**The wiring: %s** (smallest effect of interest %g).\n\n", v.Answer, v.Delta)
	fmt.Fprint(w, "| null model | networks | plan − null, middle 90 % | p | corrected | answer |\n|---|---|---|---|---|---|\n")
	for _, c := range v.Comparisons {
		holm := "confirms"
		if !c.Confirms {
			holm = fmt.Sprintf("%.3f", c.Holm)
		}
		fmt.Fprintf(w, "| %s | %d | [%+.4f, %+.4f] | %.3f | %s | %s |\n", c.Null, c.N, c.Low, c.High, c.P, holm, c.Answer)
	}
}
