package wiring

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/connectomewire/wire/internal/plural"
)

// Part fills a region, besides its tracts, with a frozen module. It reads the
// region's normalised state through a learned adapter, and what the module
// makes of it comes back in through another: after every k-th tick t,
//
//	x = A n(h_j(t)) + a        y = module(x)        u_i(t+1), …, u_i(t+k) += B n(y)
//
// with i = j unless the part joins another region; between its runs the last
// output is held. Before its first run a part gives nothing. Package
// wiring/part computes it.
type Part struct {
	Name string
	// Module is frozen; Input and Output are its ports.
	Module, Input, Output string
	// Takes is the number of values of x, all that the input port takes of one
	// example; Gives that of y.
	Takes, Gives int
	// Region is read; Into is the region that the output joins, Region itself
	// as a rule.
	Region, Into int
	// Every is k ≥ 1: the module runs after the ticks k, 2k, …
	Every int
	// RankIn and RankOut make A and B products of two matrices of so many rows
	// and columns; 0 leaves them whole.
	RankIn, RankOut int
	// Sizes are those of the input port's open dimensions, by name.
	Sizes map[string]int
	// Detach stops gradients at the module's output: the adapter before it,
	// and what leads to it, learn nothing through this part. A module that
	// passes no gradients can take part so.
	Detach bool
}

// Part returns the index of the part with the given name, or −1.
func (p *Plan) Part(name string) int {
	return slices.IndexFunc(p.Parts, func(x Part) bool { return x.Name == name })
}

// PartName is the name in [Params] of a part's tensor.
func PartName(part, tensor string) string { return "part:" + part + "/" + tensor }

// PartWeights are a part's tensors, views into the parameters they were taken
// from. With a rank, In is [takes, rank] behind InDown, and Out [d, rank]
// behind OutDown; else these two are nil.
type PartWeights struct {
	InDown  []float32 // [rank, d]
	In      []float32 // A [takes, d]
	Bias    []float32 // a [takes]
	OutDown []float32 // [rank, gives]
	Out     []float32 // B [d, gives]
}

// PartWeights returns the tensors of a part in q.
func (p *Plan) PartWeights(q *Params, part int) PartWeights {
	name := p.Parts[part].Name
	get := func(tensor string) []float32 { return q.Get(PartName(name, tensor)) }
	return PartWeights{InDown: get("in.down"), In: get("in"), Bias: get("in.bias"), OutDown: get("out.down"), Out: get("out")}
}

// specs lists a part's tensors. Both adapters start with gain 1: x and what
// joins the drive have about unit variance. Behind a detached module there is
// nothing to learn from.
func (x *Part) specs(d int) []TensorSpec {
	var list []TensorSpec
	add := func(tensor string, rows, columns int, frozen bool) {
		list = append(list, TensorSpec{Name: PartName(x.Name, tensor), Shape: []int{rows, columns}, Deviation: 1 / math.Sqrt(float64(columns)), Decay: !frozen, Frozen: frozen})
	}
	between := func(tensor string, rows, columns, rank int, frozen bool) {
		if rank > 0 {
			add(tensor+".down", rank, columns, frozen)
			columns = rank
		}
		add(tensor, rows, columns, frozen)
	}
	between("in", x.Takes, d, x.RankIn, x.Detach)
	list = append(list, TensorSpec{Name: PartName(x.Name, "in.bias"), Shape: []int{x.Takes}, Frozen: x.Detach})
	between("out", d, x.Gives, x.RankOut, false)
	return list
}

// PartFacts are what running a module once in a part's place shows.
type PartFacts struct {
	// Gives is the number of values of the output, of one example.
	Gives int
	// Kept is what learning keeps of one example's run, in bytes, while it
	// pulls the gradient through; 0 of a detached part.
	Kept int64
}

// maxPartPort bounds the numbers that a part's module takes and gives: a
// picture of 512 × 512 pixels and more.
const maxPartPort = 1 << 20

// checkParts checks what plan.yaml says of parts.
func (p *Plan) checkParts(names map[string]bool) error {
	for i := range p.Parts {
		x := &p.Parts[i]
		path := fmt.Sprintf("$.parts[%d]", i)
		if x.Name == "" || names[x.Name] {
			return problemAt(path+".name", "a part needs a name of its own, %q is none", x.Name)
		}
		names[x.Name] = true
		if err := p.checkModule(path+".module", x.Module); err != nil {
			return err
		}
		if x.Input == "" || x.Output == "" {
			return problemAt(path, "part %q needs an input and an output port of module %q", x.Name, x.Module)
		}
		if x.Region < 0 || x.Region >= len(p.Regions) || x.Into < 0 || x.Into >= len(p.Regions) {
			return problemAt(path+".region", "part %q is in region %d and joins region %d of %d", x.Name, x.Region, x.Into, len(p.Regions))
		}
		for _, n := range []struct {
			key      string
			v, lo, m int
		}{
			{"takes", x.Takes, 1, maxPartPort}, {"gives", x.Gives, 1, maxPartPort}, {"every", x.Every, 1, maxTicks},
			{"ranks.in", x.RankIn, 0, maxWidth}, {"ranks.out", x.RankOut, 0, maxWidth},
		} {
			if n.v < n.lo || n.v > n.m {
				return problemAt(path+"."+n.key, "%s of part %q is %d, want %d to %d", n.key, x.Name, n.v, n.lo, n.m)
			}
		}
		for _, dim := range slices.Sorted(maps.Keys(x.Sizes)) {
			if n := x.Sizes[dim]; n < 1 || n > maxPartPort {
				return problemAt(path+".sizes", "size %s of part %q is %d, want 1 to %d", dim, x.Name, n, maxPartPort)
			}
		}
	}
	return nil
}

// arrivals returns, for each region, the first tick at whose end something
// that is in the given regions at given ticks can be in its state, by tracts
// and parts; 0 when it never is.
func (p *Plan) arrivals(from map[int]int) []int {
	first := make([]int, len(p.Regions))
	for j, tick := range from {
		first[j] = tick
	}
	reach := func(j, tick int) bool {
		if first[j] != 0 && first[j] <= tick {
			return false
		}
		first[j] = tick
		return true
	}
	for changed := true; changed; {
		changed = false
		for _, t := range p.Tracts {
			if first[t.From] != 0 {
				changed = reach(t.To, first[t.From]+t.Delay) || changed
			}
		}
		for i := range p.Parts {
			if x := &p.Parts[i]; first[x.Region] != 0 {
				changed = reach(x.Into, x.runs(first[x.Region])+1) || changed
			}
		}
	}
	return first
}

// runs is the first tick from the given one on after which the module runs.
func (x *Part) runs(tick int) int { return (tick + x.Every - 1) / x.Every * x.Every }

// bridged says that tracts of the list and parts lead from one region to
// another.
func (p *Plan) bridged(list []candidate, from, to int) bool {
	reached := make([]bool, len(p.Regions))
	reached[from] = true
	for changed := true; changed; {
		changed = false
		pass := func(from, to int) {
			if reached[from] && !reached[to] {
				reached[to], changed = true, true
			}
		}
		for i := range list {
			pass(list[i].from, list[i].to)
		}
		for i := range p.Parts {
			pass(p.Parts[i].Region, p.Parts[i].Into)
		}
	}
	return reached[to]
}

// keepPartPaths keeps, for every part, the tracts by which what the senses
// bring reaches it, and by which it reaches the effectors, where the
// connectome has some.
func (p *Plan) keepPartPaths(list []candidate, report *BuildReport) {
	keep := func(from, to int, what string) {
		if from == to {
			return
		}
		if _, _, ok := route(len(p.Regions), list, from, to, true); ok {
			return
		}
		path, _, ok := route(len(p.Regions), list, from, to, false)
		if !ok {
			return // lateParts says so
		}
		added := 0
		for _, k := range path {
			if !list[k].keep {
				list[k].keep = true
				added++
			}
		}
		report.Notes = append(report.Notes, fmt.Sprintf("%s kept so that %s", plural.Count(added, "weaker tract", "weaker tracts"), what))
	}
	for i := range p.Parts {
		x := &p.Parts[i]
		for _, s := range p.Senses {
			for _, j := range s.Regions {
				keep(j, x.Region, fmt.Sprintf("%s reaches part %s in %s", s.Name, x.Name, p.Regions[x.Region].Label))
			}
		}
		for _, e := range p.Effectors {
			for _, j := range e.Regions {
				keep(x.Into, j, fmt.Sprintf("part %s reaches %s in %s", x.Name, e.Name, p.Regions[j].Label))
			}
		}
	}
}

// allowParts lengthens the settling until what enters by some sense has passed
// every part and reached an effector when it is first read, and warns of parts
// that it cannot pass.
func (p *Plan) allowParts(report *BuildReport) {
	if len(p.Parts) == 0 {
		return
	}
	entry := map[int]int{}
	for _, s := range p.Senses {
		for _, j := range s.Regions {
			entry[j] = 1
		}
	}
	reached := p.arrivals(entry)
	for i := range p.Parts {
		x := &p.Parts[i]
		label := p.Regions[x.Region].Label
		if reached[x.Region] == 0 {
			report.Warnings = append(report.Warnings, fmt.Sprintf("no sense reaches part %s in %s: no chain of kept tracts leads there", x.Name, label))
			continue
		}
		after := p.arrivals(map[int]int{x.Into: x.runs(reached[x.Region]) + 1})
		need := 0
		for _, j := range p.read() {
			if after[j] != 0 && (need == 0 || after[j] < need) {
				need = after[j]
			}
		}
		switch {
		case need == 0:
			report.Warnings = append(report.Warnings, fmt.Sprintf("part %s reaches no effector: what its module makes cannot matter", x.Name))
		case need > maxTicks:
			report.Warnings = append(report.Warnings, fmt.Sprintf("what part %s makes reaches an effector only at tick %d", x.Name, need))
		case need > p.Ticks.Settle:
			report.Notes = append(report.Notes, fmt.Sprintf("settling lengthened from %d to %d ticks: what enters is in %s at tick %d, and what part %s (every %s) makes of it is with an effector at tick %d",
				p.Ticks.Settle, need, label, reached[x.Region], x.Name, plural.Count(x.Every, "tick", "ticks"), need))
			p.Ticks.Settle = need
		}
	}
}

// String says what the part does, for people.
func (x *Part) String() string {
	var notes []string
	if x.RankIn > 0 || x.RankOut > 0 {
		notes = append(notes, fmt.Sprintf("ranks %s and %s", rankText(x.RankIn), rankText(x.RankOut)))
	}
	for _, dim := range slices.Sorted(maps.Keys(x.Sizes)) {
		notes = append(notes, fmt.Sprintf("%s %d", dim, x.Sizes[dim]))
	}
	if x.Detach {
		notes = append(notes, "no gradient passes")
	}
	s := fmt.Sprintf("%s of %s (%d numbers) to %s (%d), every %s", x.Input, x.Module, x.Takes, x.Output, x.Gives, plural.Count(x.Every, "tick", "ticks"))
	if len(notes) > 0 {
		s += "; " + strings.Join(notes, ", ")
	}
	return s
}

func rankText(rank int) string {
	if rank == 0 {
		return "full"
	}
	return fmt.Sprint(rank)
}
