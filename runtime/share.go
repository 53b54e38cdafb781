package runtime

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/connectomewire/wire/wiring"
)

// Share has a plan stepped by several networks, the workers, each perhaps on a
// machine of its own. The first coordinates: an episode is its [Network.Run], for
// which the others, by [Network.Join], step their regions. Results have the bits
// that one network gives.
type Share struct {
	// Workers are the regions that each steps, by index, every region in one. The
	// coordinator's, Workers[0], has all that [Bound] lists. [Divide] makes them.
	Workers [][]int
	// Own says which of them this network is.
	Own int
	// Team are the others, where it is the coordinator; else nil.
	Team Team
}

// Team begins episodes at the workers of a coordinator. It may be asked by several
// networks at once, of one plan and one share.
type Team interface {
	// Begin has every worker begin an episode, and ends when it may be sent to.
	Begin(ctx context.Context, h Heading) (Exchange, error)
}

// Heading is what workers must know of an episode, see [Episode], and of the
// coordinator's [Config].
type Heading struct {
	Batch    int   `json:"batch"`
	Requests []int `json:"requests,omitempty"`
	Ticks    int   `json:"ticks"`
	Cut      []int `json:"cut,omitempty"`
	Continue bool  `json:"continue,omitempty"`
	Reorders bool  `json:"reorders,omitempty"`

	// Network tells the coordinator's networks apart, each with a state that an
	// episode may continue.
	Network       uint64 `json:"network,omitempty"`
	Half          bool   `json:"half,omitempty"`
	Trace         bool   `json:"trace,omitempty"`
	States        bool   `json:"states,omitempty"`
	Digests       bool   `json:"digests,omitempty"`
	LesionRegions []int  `json:"lesion_regions,omitempty"`
	LesionTracts  []int  `json:"lesion_tracts,omitempty"`
}

// Lane is a kind of message between two workers.
type Lane uint8

const (
	// LaneAxons has one message a tick, of the tracts that lead from the one's
	// regions to the other's: what they carry, in the plan's order, [tract, batch,
	// r] numbers of four bytes, little-endian, or [tract, r, batch] of batches that
	// [wiring.Columns] lays so. Where no tract does it has none.
	LaneAxons Lane = iota
	// LaneOrders has the coordinator's new order of the beams after each tick, of
	// episodes that reorder: four bytes a row, or nothing where all stay.
	LaneOrders
	// LaneEnd has the coordinator's word of the last tick, four bytes, once.
	LaneEnd
	// LaneTrace has what a worker's trace says of each of its regions, in their
	// order, when it has stepped the last tick.
	LaneTrace
	// LaneFaults has what was silenced at a worker, each as JSON, and in the end,
	// after all else, an empty message.
	LaneFaults
	// Lanes is their number.
	Lanes
)

// LongestFault bounds a message of [LaneFaults], in bytes.
const LongestFault = 1 << 16

// Exchange carries the messages of one episode between its workers: each once, in
// the order in which they were sent in their lane. A lane in one direction is used
// by one goroutine.
type Exchange interface {
	// Send sends a message to a worker, and does not keep data. It waits while the
	// other has not taken enough of those before. Where the context ends first
	// nothing was sent.
	Send(ctx context.Context, to int, l Lane, data []byte) error
	// Receive takes the next message of a worker; it may be read until the next is
	// taken. Where the context ends first none was.
	Receive(ctx context.Context, from int, l Lane) ([]byte, error)
	// Close says that the episode is over.
	Close() error
}

// owners are the workers of a plan's regions.
func (s *Share) owners(regions int) ([]int, error) {
	of := make([]int, regions)
	for j := range of {
		of[j] = -1
	}
	for w, regions := range s.Workers {
		for _, j := range regions {
			if j < 0 || j >= len(of) {
				return nil, fmt.Errorf("runtime: worker %d has region %d of %d", w, j, len(of))
			}
			if of[j] >= 0 {
				return nil, fmt.Errorf("runtime: region %d is at workers %d and %d", j, of[j], w)
			}
			of[j] = w
		}
	}
	if j := slices.Index(of, -1); j >= 0 {
		return nil, fmt.Errorf("runtime: region %d is at no worker", j)
	}
	return of, nil
}

// Crossings counts the tracts that lead to a worker, by where they come from, and
// those that lead from it, by where to.
func (s *Share) Crossings(p *wiring.Plan, worker int) (in, out []int, err error) {
	of, err := s.owners(len(p.Regions))
	if err != nil {
		return nil, nil, err
	}
	in, out = make([]int, len(s.Workers)), make([]int, len(s.Workers))
	for _, t := range p.Tracts {
		switch from, to := of[t.From], of[t.To]; {
		case from == to:
		case to == worker:
			in[from]++
		case from == worker:
			out[to]++
		}
	}
	return in, out, nil
}

// check reports what is wrong with a share; nil is none.
func (s *Share) check(p *wiring.Plan) error {
	if s == nil {
		return nil
	}
	of, err := s.owners(len(p.Regions))
	if err != nil {
		return err
	}
	if s.Own < 0 || s.Own >= len(s.Workers) || len(s.own(p)) == 0 {
		return fmt.Errorf("runtime: worker %d of %d has no region", s.Own, len(s.Workers))
	}
	for _, j := range Bound(p) {
		if of[j] != 0 {
			return fmt.Errorf("runtime: region %q is at worker %d: those with senses, effectors or parts have to be the coordinator's", p.Regions[j].Label, of[j])
		}
	}
	if s.Own == 0 && s.Team == nil && len(s.Workers) > 1 {
		return errors.New("runtime: a coordinator without a team")
	}
	return nil
}

// own are the regions that are stepped here.
func (s *Share) own(p *wiring.Plan) []int {
	if s == nil {
		return everyRegion(p)
	}
	return s.Workers[s.Own]
}

// cells are those of the regions that are stepped here.
func (s *Share) cells(p *wiring.Plan, half bool) ([]*wiring.Cell, error) {
	switch {
	case s != nil:
		return p.SomeCells(s.own(p), half)
	case half:
		return p.HalfCells()
	}
	return p.Cells()
}

// works says that the network works for a coordinator.
func (n *Network) works() bool { return n.config.Share != nil && n.config.Share.Own > 0 }

// others are the numbers of the workers that this network is not.
func (n *Network) others() (others []int) {
	if s := n.config.Share; s != nil {
		for w := range s.Workers {
			if w != s.Own {
				others = append(others, w)
			}
		}
	}
	return others
}

// gather begins the episode at the others.
func (n *Network) gather(e *episode, ep *Episode) (err error) {
	if n.works() {
		return errors.New("runtime: a worker runs no episodes of its own, it joins those of its coordinator")
	}
	if len(n.others()) == 0 {
		return nil
	}
	c := n.config
	e.exchange, err = c.Share.Team.Begin(e.ctx, Heading{
		Batch: ep.Batch, Requests: ep.Requests, Ticks: ep.Ticks, Cut: ep.Cut, Continue: ep.Continue, Reorders: e.reorder,
		Network: n.number, Half: c.Half, Trace: c.Trace, States: c.States, Digests: c.Digests, LesionRegions: c.LesionRegions, LesionTracts: c.LesionTracts,
	})
	return err
}

// Config is a worker's configuration for the network that joins an episode, made of
// that of another.
func (h *Heading) Config(c Config) Config {
	c.Half, c.Trace, c.States, c.Digests = h.Half, h.Trace, h.States, h.Digests
	c.LesionRegions, c.LesionTracts = h.LesionRegions, h.LesionTracts
	return c
}

// Join steps a worker's regions through an episode that its coordinator began. It
// returns when the coordinator has said how the episode ended, and every goroutine
// that it started has. What was silenced the coordinator is told of; it is no
// error.
func (n *Network) Join(ctx context.Context, h Heading, x Exchange) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.works() {
		return errors.New("runtime: a coordinator joins no episode")
	}
	if c := n.config; c.Half != h.Half || c.Trace != h.Trace || c.States != h.States || c.Digests != h.Digests ||
		!slices.Equal(c.LesionRegions, h.LesionRegions) || !slices.Equal(c.LesionTracts, h.LesionTracts) {
		return errors.New("runtime: the coordinator's network has another configuration, see Heading.Config")
	}
	ep := Episode{Batch: h.Batch, Requests: h.Requests, Ticks: h.Ticks, Cut: h.Cut, Continue: h.Continue}
	if err := n.check(&ep); err != nil {
		return err
	}
	e := n.begin(ctx, &ep)
	defer e.cancel(nil)
	e.exchange, e.reorder = x, h.Reorders
	n.live(e)
	if !e.whole {
		return context.Cause(e.ctx)
	}
	if !e.reorder && int(e.last.Load())+1 == ep.Ticks {
		n.keep(e)
	}
	return nil
}

// ErrLost says that an episode ended because a worker was lost, by no fault of its
// own: it may be run again, with actors of its own.
var ErrLost = errors.New("a worker was lost")
