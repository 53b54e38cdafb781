package runtime

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/connectomewire/wire/wiring"
)

// traceBytes is how long a message of [LaneTrace] is at most, of a region with so many
// tracts.
func (h *Heading) traceBytes(width, in, out int) int {
	size := 4 + 2*8 + 2*4*in
	if h.Digests {
		size += 8 * out
	}
	if h.States {
		size += 4 * h.Batch * width
	}
	return 4 + h.Ticks*size
}

// TraceBytes is how long a message of [LaneTrace] is at most; 0 where there is no
// trace.
func (h *Heading) TraceBytes(p *wiring.Plan) int {
	if !h.Trace {
		return 0
	}
	in, out := make([]int, len(p.Regions)), make([]int, len(p.Regions))
	for _, t := range p.Tracts {
		in[t.To]++
		out[t.From]++
	}
	most := 0
	for j := range in {
		most = max(most, h.traceBytes(p.Width, in[j], out[j]))
	}
	return most
}

// outgoing are the tracts that lead from each of some regions.
func outgoing(p *wiring.Plan, regions []int) map[int][]int {
	out := make(map[int][]int, len(regions))
	for _, j := range regions {
		out[j] = nil
	}
	for k, t := range p.Tracts {
		if list, wanted := out[t.From]; wanted {
			out[t.From] = append(list, k)
		}
	}
	return out
}

// tellTrace sends the coordinator what the trace says of this worker's regions.
func (e *episode) tellTrace() error {
	if e.trace == nil {
		return nil
	}
	n, t := e.network, e.trace
	regions := n.config.Share.own(n.plan)
	out := outgoing(n.plan, regions)
	ticks := int(e.last.Load()) + 1
	for _, j := range regions {
		b := binary.LittleEndian.AppendUint32(nil, uint32(ticks))
		number := func(v float32) { b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v)) }
		lo, hi := n.plan.Incoming(j)
		for tick := range ticks {
			number(t.State[j][tick])
			b = binary.LittleEndian.AppendUint64(b, uint64(t.Begin[j][tick]))
			b = binary.LittleEndian.AppendUint64(b, uint64(t.End[j][tick]))
			for k := lo; k < hi; k++ {
				number(t.Gate[k][tick])
				number(t.Flow[k][tick])
			}
			if t.Digests != nil {
				for _, k := range out[j] {
					b = binary.LittleEndian.AppendUint64(b, t.Digests[tick][k])
				}
			}
			if t.States != nil {
				for _, v := range t.States[j][tick] {
					number(v)
				}
			}
		}
		if err := e.exchange.Send(e.ctx, 0, LaneTrace, b); err != nil {
			return err
		}
	}
	return nil
}

var errTrace = errors.New("what it traced cannot be read")

// hearTrace takes what a worker's trace says of its regions. Its times count from
// when it began the episode, a message's way later than here.
func (e *episode) hearTrace(worker int) {
	n, t := e.network, e.trace
	regions := n.config.Share.Workers[worker]
	out := outgoing(n.plan, regions)
	h := Heading{Batch: e.batch, Digests: t.Digests != nil, States: t.States != nil}
	for _, j := range regions {
		b, err := e.exchange.Receive(e.ctx, worker, LaneTrace)
		lo, hi := n.plan.Incoming(j)
		if err == nil {
			if len(b) >= 4 {
				h.Ticks = int(binary.LittleEndian.Uint32(b))
			}
			if h.Ticks > len(t.State[j]) || len(b) != h.traceBytes(n.plan.Width, hi-lo, len(out[j])) {
				err = fmt.Errorf("worker %d: region %q: %w", worker, n.plan.Regions[j].Label, errTrace)
			}
		}
		if err != nil {
			e.cancel(err)
			return
		}
		b = b[4:]
		long := func() (v uint64) { v, b = binary.LittleEndian.Uint64(b), b[8:]; return v }
		number := func() (v float32) { v, b = math.Float32frombits(binary.LittleEndian.Uint32(b)), b[4:]; return v }
		for tick := range h.Ticks {
			t.State[j][tick] = number()
			t.Begin[j][tick], t.End[j][tick] = time.Duration(long()), time.Duration(long())
			for k := lo; k < hi; k++ {
				t.Gate[k][tick], t.Flow[k][tick] = number(), number()
			}
			if h.Digests {
				for _, k := range out[j] {
					t.Digests[tick][k] = long()
				}
			}
			if h.States {
				x := make([]float32, e.batch*n.plan.Width)
				for i := range x {
					x[i] = number()
				}
				t.States[j][tick] = x
			}
		}
	}
}
