package experiment

import (
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
			n++
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
		return verdict.Verdict{}, fmt.Errorf("%d of %d runs are left to make", n, len(e.networks)*e.Spec.Seeds)
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
	if s.Delta > 0 && len(e.left()) == 0 {
		v, err := e.Verdict()
		if err != nil {
			return err
		}
		p("\n")
		WriteVerdict(w, v)
	}
	p("\n```yaml\n%s\n```\n", strings.TrimSpace(s.Text))
	return nil
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
