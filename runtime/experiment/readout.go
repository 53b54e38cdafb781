package experiment

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/control"
	"github.com/connectomewire/wire/wiring/reservoir"
)

// OpenReadout reads or makes what the reservoirs of a spec are scored on.
func OpenReadout(s *Spec) (*reservoir.Data, error) {
	k, err := reservoir.Find(s.Readout.Task)
	if err != nil {
		return nil, err
	}
	path := ""
	if s.Readout.Data != "" {
		path = s.Relative(s.Readout.Data)
	}
	return k.Open(path, s.Readout.options().Task)
}

// options are those of package reservoir.
func (r *Readout) options() reservoir.FitOptions {
	o := reservoir.FitOptions{Choose: r.Ridge == nil, Washout: -1, Task: reservoir.TaskOptions{Lags: r.Lags, Horizon: r.Horizon, Back: r.Back, Seed: r.Seed}}
	if r.Ridge != nil {
		o.Ridge = *r.Ridge
	}
	if r.Washout != nil {
		o.Washout = *r.Washout
	}
	return o
}

// dealt is a reservoir whose input weights are dealt out anew among the regions
// that are entered; the first seed leaves them. All networks of a seed have the
// same weights at the same places.
func dealt(p *wiring.Plan, seed uint64) *wiring.Plan {
	q := *p
	q.Readout, q.Tasks = nil, nil
	if seed == 1 {
		return &q
	}
	rates := *p.Rates
	rates.Input = nil
	for k := range p.Senses {
		width, at := p.Senses[k].Width, p.Senses[k].Regions
		old, deal := p.Rates.Input[k], make([]float64, len(p.Rates.Input[k]))
		rng := rand.New(rand.NewPCG(seed, uint64(k)))
		for to, from := range rng.Perm(len(at)) {
			copy(deal[at[to]*width:][:width], old[at[from]*width:][:width])
		}
		rates.Input = append(rates.Input, deal)
	}
	q.Rates = &rates
	return &q
}

// fit fits a reservoir's readout and scores it.
func (e *Experiment) fit(ctx context.Context, r run) (Row, error) {
	began := time.Now()
	q := dealt(r.of.plan, e.seed(r.seed))
	row := Row{Condition: r.condition, Network: r.network, Seed: r.seed, Wiring: control.FactsOf(q), Moved: control.Moved(e.setup.Plan, q)}
	if err := ctx.Err(); err != nil {
		return row, err
	}
	k, err := reservoir.Find(e.Spec.Readout.Task)
	if err != nil {
		return row, err
	}
	result, err := reservoir.Fit(q, k, e.setup.Series, e.Spec.Readout.options())
	if err != nil {
		return row, err
	}
	row.Metrics = result.Metrics()
	row.Metrics["ridge"] = result.Ridge
	var known bool
	if row.Score, known = row.Metrics[e.Spec.Metric]; !known {
		return row, noMetric("task "+k.Name, e.Spec.Metric, row.Metrics)
	}
	row.Seconds, row.Time = time.Since(began).Seconds(), time.Now().UTC().Truncate(time.Second)
	return row, nil
}

// seriesChecksum identifies what reservoirs are scored on.
func seriesChecksum(d *reservoir.Data) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d %q\n", d.Inputs, d.Outputs)
	for i := range d.Sequences {
		s := &d.Sequences[i]
		fmt.Fprintf(h, "%q %q %d\n", s.ID, s.Split, s.Steps)
		for _, list := range [][]float64{s.Inputs, s.Targets} {
			binary.Write(h, binary.LittleEndian, list) //nolint:errcheck // a hash takes everything
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
