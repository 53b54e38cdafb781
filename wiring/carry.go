package wiring

import "slices"

// Carry copies what another plan's parameters have in common with the plan's: a
// tensor of the same name and shape, and of a region's tracts the blocks of each
// that joins regions of the same labels. The rest stays as it is. It returns the
// names of the tensors that were not, or not wholly, carried over.
func (p *Plan) Carry(from *Plan) (left []string) {
	q, old := p.Params, from.Params
	type ends struct{ from, to string }
	before := map[ends]int{}
	for k, t := range from.Tracts {
		before[ends{from.Regions[t.From].Label, from.Regions[t.To].Label}] = k
	}
	match := make([]int, len(p.Tracts)) // the other plan's tract, or −1
	for k, t := range p.Tracts {
		other, ok := before[ends{p.Regions[t.From].Label, p.Regions[t.To].Label}]
		if !ok {
			other = -1
		}
		match[k] = other
	}
	byTract := map[string]bool{}
	for j := range p.Regions {
		label := p.Regions[j].Label
		for _, suffix := range []string{suffixAxon, suffixSynapse, suffixGateBias, suffixGateSignal, suffixGateState} {
			byTract[label+suffix] = true
		}
		if p.Width == from.Width && p.Rank == from.Rank {
			left = append(left, p.carryTracts(from, j, match)...)
		} else if lo, hi := p.Incoming(j); hi > lo {
			left = append(left, label+suffixSynapse)
		}
	}
	for i := range q.Layout {
		t := &q.Layout[i]
		if byTract[t.Name] {
			continue
		}
		k, ok := old.index[t.Name]
		if !ok || !slices.Equal(old.Layout[k].Shape, t.Shape) {
			left = append(left, t.Name)
			continue
		}
		copy(q.Get(t.Name), old.Get(t.Name))
	}
	for name, list := range old.Lists {
		q.SetList(name, list)
	}
	return left
}

// carryTracts copies the blocks of a region's tracts; match names the other
// plan's tract of each of the plan's.
func (p *Plan) carryTracts(from *Plan, region int, match []int) (left []string) {
	d, r := p.Width, p.Rank
	label := p.Regions[region].Label
	q, old := p.Params, from.Params
	// The places of the other plan's tracts in its stacked matrices.
	place := func(x *Plan, k int, outgoing bool) int {
		if !outgoing {
			lo, _ := x.Incoming(x.Tracts[k].To)
			return k - lo
		}
		return slices.Index(x.Outgoing(x.Tracts[k].From), k)
	}
	whole := true
	for slot, k := range p.Outgoing(region) {
		if match[k] < 0 {
			whole = false
			continue
		}
		at := place(from, match[k], true)
		copy(q.Get(label + suffixAxon)[slot*r*d:][:r*d], old.Get(label + suffixAxon)[at*r*d:][:r*d])
	}
	if !whole {
		left = append(left, label+suffixAxon)
	}
	lo, hi := p.Incoming(region)
	whole = true
	for k := lo; k < hi; k++ {
		if match[k] < 0 {
			whole = false
			continue
		}
		slot, at := k-lo, place(from, match[k], false)
		a, b := q.Get(label+suffixSynapse), old.Get(label+suffixSynapse)
		in, before := (hi-lo)*r, len(b)/d
		for i := range d {
			copy(a[i*in+slot*r:][:r], b[i*before+at*r:][:r])
		}
		if q.Get(label+suffixGateBias) == nil || old.Get(label+suffixGateBias) == nil {
			continue // fixed gates
		}
		q.Get(label + suffixGateBias)[slot] = old.Get(label + suffixGateBias)[at]
		copy(q.Get(label + suffixGateSignal)[slot*r:][:r], old.Get(label + suffixGateSignal)[at*r:][:r])
		copy(q.Get(label + suffixGateState)[slot*d:][:d], old.Get(label + suffixGateState)[at*d:][:d])
	}
	if !whole {
		left = append(left, label+suffixSynapse)
	}
	return left
}
