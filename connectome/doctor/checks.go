package doctor

import (
	"fmt"
	"math"
	"strings"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/metrics"
	"github.com/connectomewire/wire/internal/plural"
	"github.com/connectomewire/wire/internal/rank"
)

func (x *examination) format() {
	if x.c.Synthetic {
		x.add(Info, "synthetic", "take a measured connectome for claims about brains", "the connectome was made by a rule; it is not a measurement")
	}
	if x.report.Format == "" {
		return
	}
	text := x.report.Format
	if x.report.Dialect != "" {
		text += ", " + x.report.Dialect
	}
	x.add(Info, "format", "", "%s", text)
}

func (x *examination) orientation() {
	switch {
	case x.report.Orientation == connectome.RowsUnset:
	case !x.c.Directed:
		x.add(Info, "orientation", "", "rows are read as the %s of tracts (%s); the matrix is symmetric, so it does not matter", x.report.Orientation, x.report.OrientationHow)
	case strings.HasPrefix(x.report.OrientationHow, "the corner"), strings.HasPrefix(x.report.OrientationHow, "as asked"):
		x.add(Info, "orientation", "", "rows are read as the %s of tracts: %s", x.report.Orientation, x.report.OrientationHow)
	default:
		x.add(Warning, "orientation", "make sure with whoever made the file; --rows target or --rows source settles it",
			"rows are read as the %s of tracts: %s; the matrix is directed, so the other reading reverses every tract", x.report.Orientation, x.report.OrientationHow)
	}
}

func (x *examination) labels() {
	n := len(x.c.Regions)
	var missing []string
	at := map[string][]int{}
	var order []string
	for i := range x.c.Regions {
		l := x.c.Regions[i].Label
		if l == "" {
			missing = append(missing, x.name(i))
			continue
		}
		if len(at[l]) == 0 {
			order = append(order, l)
		}
		at[l] = append(at[l], i)
	}
	switch {
	case n > 0 && len(missing) == n || n > 0 && x.report.Format != "" && x.report.Labels == "" && len(order) == 0:
		x.add(Warning, "no-labels", "give a file of labels with --labels FILE", "the regions have no labels")
		return
	case len(missing) > 0:
		x.add(Warning, "missing-labels", "complete the labels: joins and placement go by name", "%d of %d regions have no label: %s", len(missing), n, some(missing))
	}
	var repeated, onBothSides []string
	for _, l := range order {
		if len(at[l]) == 1 {
			continue
		}
		sides := map[connectome.Hemisphere]bool{}
		for _, i := range at[l] {
			sides[x.c.Regions[i].Hemisphere] = true
		}
		if len(sides) == len(at[l]) {
			onBothSides = append(onBothSides, l)
		} else {
			repeated = append(repeated, fmt.Sprintf("%s (%d times)", l, len(at[l])))
		}
	}
	if len(onBothSides) > 0 {
		x.add(Info, "labels-by-side", "", "%d labels occur once in each hemisphere; the side tells them apart", len(onBothSides))
	}
	if len(repeated) > 0 {
		x.add(Warning, "duplicate-labels", "make labels unique; until then regions are named by their number", "%d regions bear %d distinct labels: %s", n-len(missing), len(order), some(repeated))
	}
	if x.report.Labels == "" {
		return
	}
	if x.report.LabelOrderProven {
		x.add(Info, "label-order", "", "labels from %s; their order is proven: %s", x.report.Labels, x.report.LabelHow)
	} else {
		x.add(Warning, "label-order", "compare a region whose connections you know, or use a file that carries its labels with its rows",
			"labels from %s; nothing in the matrix confirms their order: %s", x.report.Labels, x.report.LabelHow)
	}
}

func (x *examination) atlas() {
	m := x.match
	if len(x.c.Regions) == 0 || x.has("no-labels") {
		return
	}
	if m.Atlas == "" {
		x.add(Warning, "no-atlas", "name regions by hand where roles are asked for (--place role=LABEL), or correct the labels", "no atlas recognised: %d of %d labels are known", m.Matched, m.Total)
		return
	}
	if m.Matched == m.Total {
		x.add(Info, "atlas", "", "%s", m)
	} else {
		var unknown []string
		for _, u := range m.Unknown {
			text := u.Label
			if u.Suggestion != "" {
				text += " (did you mean " + u.Suggestion + "?)"
			}
			unknown = append(unknown, text)
		}
		x.add(Warning, "atlas-partial", "correct the labels, or leave those regions without a role", "%s (%.0f %%); unknown: %s", m, 100*m.Share, some(unknown))
	}
	if len(m.Repeated) > 0 {
		x.add(Info, "atlas-repeated", "", "%d canonical names stand for several regions: %s", len(m.Repeated), some(m.Repeated))
	}
}

func (x *examination) symmetry() {
	r := x.report
	switch {
	case r.Symmetry == connectome.NearSymmetric:
		x.add(Info, "near-symmetric", "", "the two directions differ by at most %.3g, which is rounding: %s", r.MaxAsymmetry, r.SymmetryHow)
	case !x.c.Directed:
		text := "undirected"
		if r.SymmetryHow != "" {
			text += ": " + r.SymmetryHow
		}
		x.add(Info, "symmetry", "", "%s", text)
	default:
		x.add(Info, "symmetry", "", "directed; %.1f %% of the tracts are reciprocated", 100*x.facts.Reciprocity)
		if x.facts.Reciprocity <= 0.9 {
			return
		}
		if rho := x.agreement(); rho > 0.8 {
			x.add(Warning, "almost-symmetric", "if it comes from diffusion tractography, whose streamlines have no direction, use --undirected or the transform symmetrise=mean",
				"the two directions are almost the same: %.1f %% reciprocated, correlation of their weights %.3f", 100*x.facts.Reciprocity, rho)
		}
	}
}

// agreement is the rank correlation of the weights of reciprocated tracts in
// their two directions.
func (x *examination) agreement() float64 {
	var there, back []float64
	for t := range x.c.Tracts.All() {
		if k, ok := x.c.Tracts.Find(t.To, t.From); ok && t.From < t.To {
			there = append(there, t.Weight)
			back = append(back, x.c.Tracts.Weight[k])
		}
	}
	if len(there) < 3 {
		return 0
	}
	return correlation(rank.Mean(there), rank.Mean(back))
}

func correlation(a, b []float64) float64 {
	x, y := metrics.Describe(a), metrics.Describe(b)
	if x.SD == 0 || y.SD == 0 {
		return 0
	}
	sum := 0.0
	for i := range a {
		sum += (a[i] - x.Mean) * (b[i] - y.Mean)
	}
	return sum / float64(len(a)) / (x.SD * y.SD)
}

func (x *examination) weights() {
	r := x.report
	if r.Infinite > 0 {
		x.add(Error, "infinite-weights", "find out where they come from: a logarithm of 0, or a division by 0, is likely", "%s%s; they are taken as no tract", plural.Count(r.Infinite, "weight is infinite", "weights are infinite"), where(r.InfiniteHow))
	}
	if r.Missing > 0 {
		x.add(Warning, "missing-weights", "absent is not the same as unknown; say with --missing what is to count as missing", "%s marked as missing (%s) and taken as no tract", plural.Count(r.Missing, "entry is", "entries are"), r.MissingHow)
	}
	var w []float64
	var negative few
	whole := true
	distinct := map[float64]bool{}
	for t := range x.c.Tracts.All() {
		if t.From == t.To {
			continue
		}
		w = append(w, t.Weight)
		if t.Weight < 0 {
			negative.add(func() string { return x.tract(t) })
		}
		whole = whole && t.Weight == math.Trunc(t.Weight)
		if len(distinct) <= 10 {
			distinct[t.Weight] = true
		}
	}
	if len(w) == 0 {
		return
	}
	d := metrics.Describe(w)
	share := float64(negative.n) / float64(len(w))
	range_ := fmt.Sprintf("%.4g … %.4g, median %.4g", d.Min, d.Max, d.Median)
	switch {
	case negative.n > 0 && share < 0.1 && d.Min > -5 && d.Max > 3 && d.Max < 25:
		x.add(Info, "log-negative", "keep them, or use threshold; do not read them as inhibition",
			"%d weights (%.1f %%) are negative, down to %.3g; with a maximum of %.3g they look like logarithms of streamline counts below one: negative is not inhibitory", negative.n, 100*share, d.Min, d.Max)
	case negative.n > 0 && d.Min >= -1 && d.Max <= 1:
		x.add(Warning, "correlation-like", "a functional network says who acts alike, not who is wired to whom; take a structural one for wiring", "weights lie in -1 … 1 and %.1f %% are negative: this looks like correlations, not tracts", 100*share)
	case negative.n > 0:
		x.add(Warning, "negative-weights", "find out what sign means here; modularity and log need positive weights (transform absolute, or threshold)", "%d weights (%.1f %%) are negative (%s): %s", negative.n, 100*share, range_, negative)
	case len(distinct) == 1:
		x.add(Info, "binary-weights", "", "all weights are %g: tracts are present or absent", d.Max)
	case whole && len(distinct) <= 10:
		x.add(Info, "ordinal-weights", "differences between grades need not be equal; consider rank", "weights take only %d values, %g to %g, as graded tracer studies have", len(distinct), d.Min, d.Max)
	case d.Skewness > 3 || d.Median > 0 && d.Max > 100*d.Median:
		x.add(Warning, "heavy-tailed", "take logarithms (transform log) before comparing or simulating, or a few tracts decide everything", "weights are heavy-tailed (%s, skewness %.1f), as raw streamline counts are", range_, d.Skewness)
	case !whole && d.Max > 4 && d.Max < 25 && d.Median > 0.3*d.Max:
		x.add(Info, "log-like", "do not take logarithms again", "weights look like logarithms of streamline counts (%s)", range_)
	default:
		x.add(Info, "weights", "", "weights %s, none negative", range_)
	}
	if x.facts.Density > 0.95 && x.facts.Nodes > 10 {
		x.add(Warning, "complete", "threshold it (density=0.3, say, or density-tree=) before measuring or rewiring", "%.1f %% of all possible tracts are there; unthresholded probabilistic tractography and correlations look like this", 100*x.facts.Density)
	}
}

// where puts the place of the first of several faults behind a comma.
func where(how string) string {
	if how == "" {
		return ""
	}
	return ", " + how
}

func (x *examination) structure() {
	c := x.c
	n := len(c.Regions)
	switch {
	case n == 0:
		x.add(Error, "no-regions", "check that this is the file you meant", "there are no regions")
		return
	case x.facts.EdgesOffdiag == 0:
		x.add(Error, "no-tracts", "check which matrix, column or attribute holds the weights (--var, --weight)", "there is no tract between any two of %d regions", n)
		return
	}
	if x.facts.DiagNonzero > 0 {
		ones := true
		var loops []string
		for i := range n {
			w := c.Tracts.At(i, i)
			ones = ones && w == 1
			if w != 0 {
				loops = append(loops, x.name(i))
			}
		}
		advice := "most measures leave them out; the transform no-self-loops removes them"
		if ones {
			x.add(Info, "self-loops", advice, "the diagonal is all ones, as in correlation matrices")
		} else {
			x.add(Warning, "self-loops", advice, "%s: %s", plural.Count(x.facts.DiagNonzero, "region has a tract to itself", "regions have a tract to themselves"), some(loops))
		}
	}
	if n := x.report.ListedBothWays; n > 0 {
		x.add(Info, "listed-both-ways", "", "%s listed in both directions with the same weight; each is one tract", plural.Count(n, "undirected pair is", "undirected pairs are"))
	}
	if n := x.report.Parallel - x.report.ListedBothWays; n > 0 {
		x.add(Warning, "parallel-edges", "make sure that merging them is right: add counts, average densities", "%s%s", plural.Count(n, "tract repeats another between the same regions and was merged", "tracts repeat another between the same regions and were merged"), where(x.report.ParallelHow))
	}
	degree := metrics.Degrees(c)
	var isolated []string
	for i := range n {
		if degree.In[i]+degree.Out[i] == 0 {
			isolated = append(isolated, x.name(i))
		}
	}
	if len(isolated) > 0 {
		x.add(Warning, "isolated-regions", "leave them out (transform largest-component) or find out why nothing reaches them", "%s no tract: %s", plural.Count(len(isolated), "region has", "regions have"), some(isolated))
	}
	if extra := x.facts.WeakComponents - len(isolated); extra > 1 {
		x.add(Warning, "components", "path lengths and rewiring need one piece: transform largest-component", "the connectome falls into %d pieces of two regions or more; the largest has %d regions", extra, x.facts.LargestComponent)
	}
}
