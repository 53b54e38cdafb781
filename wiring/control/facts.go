package control

import (
	"fmt"
	"math"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/metrics"
	"github.com/connectomewire/wire/wiring"
)

// Facts are what tells one wiring from another before anything is learned.
type Facts struct {
	Tracts int `json:"tracts"`
	// Radius is the spectral radius that the plan starts with.
	Radius float64 `json:"spectral_radius"`
	Settle int     `json:"settle"`
	// MeanDelay of the tracts, in ticks.
	MeanDelay float64 `json:"mean_delay"`
	Ways      []Way   `json:"ways"`
	// Width and Rank are the plan's, Parameters how many it learns, and
	// MultiplyAdds those of a tick, see [wiring.Plan.MultiplyAdds].
	Width        int `json:"width,omitempty"`
	Rank         int `json:"rank,omitempty"`
	Parameters   int `json:"parameters,omitempty"`
	MultiplyAdds int `json:"multiply_adds,omitempty"`
}

// Way is the shortest one from a sense to an effector.
type Way struct {
	Sense    string `json:"sense"`
	Effector string `json:"effector"`
	// Hops is the number of tracts, Ticks what the fastest way takes; −1 where
	// there is none. They need not be of the same way.
	Hops  int `json:"hops"`
	Ticks int `json:"ticks"`
}

// FactsOf returns the facts of a plan. Its spectral radius is that of the
// parameters it has.
func FactsOf(p *wiring.Plan) Facts {
	f := Facts{Tracts: len(p.Tracts), Settle: p.Ticks.Settle, Radius: p.SpectralRadius(), Width: p.Width, Rank: p.Rank, MultiplyAdds: p.MultiplyAdds()}
	if p.Params != nil {
		f.Parameters = p.Params.Count()
	}
	for _, t := range p.Tracts {
		f.MeanDelay += float64(t.Delay) / float64(len(p.Tracts))
	}
	f.Ways = waysOf(p)
	return f
}

// least is the smallest of some entries that are not −1.
func least(ticks, regions []int) int {
	best := math.MaxInt
	for _, j := range regions {
		if ticks[j] >= 0 {
			best = min(best, ticks[j])
		}
	}
	if best == math.MaxInt {
		return -1
	}
	return best
}

// Moved is the share of a plan's tracts that join other regions than those of
// another plan do.
func Moved(p, q *wiring.Plan) float64 {
	have := make(map[[2]int]bool, len(p.Tracts))
	for _, t := range p.Tracts {
		have[[2]int{t.From, t.To}] = true
	}
	moved := 0
	for _, t := range q.Tracts {
		if !have[[2]int{t.From, t.To}] {
			moved++
		}
	}
	return float64(moved) / float64(max(len(q.Tracts), 1))
}

// Communities divides a plan's regions by its own strengths, whatever their signs (see
// [metrics.Modularity]); regions of one number belong together.
func Communities(p *wiring.Plan, seed uint64) ([]int, error) {
	var tracts []connectome.Tract
	for _, t := range p.Tracts {
		tracts = append(tracts, connectome.Tract{From: t.From, To: t.To, Weight: math.Abs(t.Scale)})
	}
	csr, err := connectome.FromTracts(len(p.Regions), tracts)
	if err != nil {
		return nil, fmt.Errorf("communities: %w", err)
	}
	c := &connectome.Connectome{Name: p.Name, Directed: true, Tracts: csr}
	for i := range p.Regions {
		c.Regions = append(c.Regions, connectome.Region{Label: p.Regions[i].Label})
	}
	m, err := metrics.Modularity(c, 1, seed)
	return m.Community, err
}
