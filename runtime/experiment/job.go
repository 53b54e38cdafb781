package experiment

import (
	"context"
	"fmt"
	"strings"
)

// Job is a run as it is told to another machine: with the same spec, plan and
// data any machine makes the same row of it, but for its times.
type Job struct {
	Condition string  `json:"condition"`
	Network   int     `json:"network,omitempty"`
	Seed      int     `json:"seed"`
	At        float64 `json:"at,omitempty"`
	// Way is how a network of a tuned condition learns; nil is as the spec says.
	Way *Way `json:"way,omitempty"`
}

// Way is a learning rate and a weight decay, see [Tune].
type Way struct {
	Rate  float64 `json:"rate"`
	Decay float64 `json:"decay"`
}

// String names the job as errors do.
func (j Job) String() string {
	s := j.Condition
	if j.Network > 0 {
		s += fmt.Sprintf(", network %d", j.Network)
	}
	if j.At != 0 {
		s += fmt.Sprintf(" at %g", j.At)
	}
	return s + fmt.Sprintf(", seed %d", j.Seed)
}

// job is a run told.
func (r *run) job() Job {
	j := Job{Condition: r.condition, Network: r.network, Seed: r.seed, At: r.at}
	if r.way != nil {
		j.Way = &Way{r.way.rate, r.way.decay}
	}
	return j
}

// of says whether a row is that of the job.
func (j Job) of(r Row) bool {
	return r.Condition == j.Condition && r.Network == j.Network && r.Seed == j.Seed && r.At == j.At
}

// elsewhere has runs made by others and keeps what came of them.
func (e *Experiment) elsewhere(ctx context.Context, left []run, keep func(Row) error) error {
	if len(left) == 0 {
		return nil
	}
	jobs := make([]Job, len(left))
	for i := range left {
		jobs[i] = left[i].job()
	}
	return e.setup.Elsewhere(ctx, jobs, func(j Job, row Row) error {
		if !j.of(row) {
			return fmt.Errorf("%s: the row that came back is that of %s, network %d, seed %d at %g", j, row.Condition, row.Network, row.Seed, row.At)
		}
		return keep(row)
	})
}

// Join draws the networks of an experiment whose record another machine keeps.
// checks are the record's: where a plan, data, modules, the program or its kernels
// are others here, their results would be too, and the error says which.
func Join(s *Spec, x Setup, checks map[string]string) (*Experiment, error) {
	e, err := plan(s, x)
	if err != nil {
		return nil, err
	}
	own, err := x.checks(s)
	if err != nil {
		return nil, err
	}
	if d := differences(checks, own); len(d) > 0 {
		return nil, fmt.Errorf("not what the experiment was begun with: %s", strings.Join(d, ", "))
	}
	return e, nil
}

// Do makes one run and keeps nothing of it. Several may be made at once.
func (e *Experiment) Do(ctx context.Context, j Job) (Row, error) {
	for _, r := range e.all() {
		if r.job() != (Job{j.Condition, j.Network, j.Seed, j.At, nil}) {
			continue
		}
		if j.Way != nil {
			r.way = &trial{j.Way.Rate, j.Way.Decay}
		}
		return e.do(ctx, r)
	}
	return Row{}, fmt.Errorf("the experiment has no run %s", j)
}
