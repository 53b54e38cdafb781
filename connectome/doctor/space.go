package doctor

import (
	"fmt"
	"math"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/metrics"
	"github.com/connectomewire/wire/internal/plural"
)

func (x *examination) lengths() {
	c := x.c
	if x.facts.EdgesOffdiag == 0 {
		return
	}
	if c.Tracts.Length == nil {
		x.add(Info, "no-lengths", "delays then come from the distance between centres, or are all one tick", "the file has no tract lengths")
		return
	}
	total, unit, compared, largest := 0, 0, 0, 0.0
	var missing, zero, short few
	for t := range c.Tracts.All() {
		if t.From == t.To {
			continue
		}
		total++
		switch {
		case math.IsNaN(t.Length):
			missing.add(func() string { return x.tract(t) })
			continue
		case t.Length == 0:
			zero.add(func() string { return x.tract(t) })
		case t.Length <= 1:
			unit++
		}
		largest = max(largest, t.Length)
		if d := x.distance(t.From, t.To); d > 0 {
			compared++
			if t.Length < 0.95*d {
				short.add(func() string {
					return fmt.Sprintf("%s is %.3g mm long and %.3g mm apart", x.tract(t), t.Length, d)
				})
			}
		}
	}
	known := total - missing.n
	switch {
	case known == 0:
		x.add(Info, "no-lengths", "delays then come from the distance between centres, or are all one tick", "no tract has a length")
		return
	case missing.n > 0:
		x.add(Warning, "missing-lengths", "delays of those tracts will be guessed", "%d of %d tracts have no length: %s", missing.n, total, missing)
	}
	switch {
	case zero.n == known:
		x.add(Warning, "zero-lengths", "treat the lengths as unknown", "all tract lengths are 0")
		return
	case zero.n+unit == known:
		x.add(Warning, "placeholder-lengths", "treat the lengths as unknown: distances of a millimetre or less between brain regions are placeholders, or in other units", "all tract lengths lie in 0 … 1")
		return
	case zero.n > 0:
		x.add(Warning, "zero-lengths", "treat those lengths as unknown", "%d of %d tracts have length 0: %s", zero.n, total, zero)
	}
	switch {
	case largest > 500:
		x.add(Warning, "long-lengths", "they may be in other units than mm", "tract lengths reach %.4g mm; no tract of a human brain is longer than about 300 mm", largest)
	case compared > 0 && short.n > compared/20:
		if x.has("voxels") || x.strange() {
			x.add(Info, "short-lengths", "see the remarks on coordinates", "%d of %d tracts are shorter than the straight line between their centres, but the coordinates are not mm", short.n, compared)
		} else {
			x.add(Warning, "short-lengths", "lengths and coordinates disagree: one may be in other units, of another brain, or in another order", "%d of %d tracts are shorter than the straight line between their regions' centres: %s", short.n, compared, short.first[0])
		}
	default:
		x.add(Info, "lengths", "", "tract lengths up to %.0f mm", largest)
	}
}

// distance is the straight distance of two regions, 0 when unknown.
func (x *examination) distance(i, j int) float64 {
	a, b := &x.c.Regions[i], &x.c.Regions[j]
	if !a.Located || !b.Located {
		return 0
	}
	return math.Hypot(math.Hypot(a.Position[0]-b.Position[0], a.Position[1]-b.Position[1]), a.Position[2]-b.Position[2])
}

// extent returns the range of every axis over the located regions.
func (x *examination) extent() (low, high [3]float64, located int, whole bool) {
	whole = true
	for axis := range 3 {
		low[axis], high[axis] = math.Inf(1), math.Inf(-1)
	}
	for i := range x.c.Regions {
		r := &x.c.Regions[i]
		if !r.Located {
			continue
		}
		located++
		for axis, v := range r.Position {
			low[axis], high[axis] = min(low[axis], v), max(high[axis], v)
			whole = whole && v == math.Trunc(v)
		}
	}
	return low, high, located, whole
}

// unlocated names the regions without coordinates.
func (x *examination) unlocated() []string {
	var names []string
	for i := range x.c.Regions {
		if !x.c.Regions[i].Located {
			names = append(names, x.name(i))
		}
	}
	return names
}

// strange says whether the coordinates cannot be mm around the origin.
func (x *examination) strange() bool {
	low, high, located, _ := x.extent()
	if located == 0 {
		return true
	}
	for axis := range 3 {
		if low[axis] < -150 || high[axis] > 150 {
			return true
		}
	}
	return min(low[0], low[1], low[2]) >= 0 || max(high[0]-low[0], high[1]-low[1], high[2]-low[2]) < 20
}

func (x *examination) positions() {
	n := len(x.c.Regions)
	if n == 0 {
		return
	}
	low, high, located, whole := x.extent()
	switch {
	case located == 0:
		x.add(Info, "no-coordinates", "pictures and distance-based null models need them; an atlas's centroids can be joined by label", "the regions have no coordinates")
		return
	case located < n:
		x.add(Warning, "missing-coordinates", "complete them, or leave those regions out", "%d of %d regions have no coordinates: %s", n-located, n, some(x.unlocated()))
	}
	span := max(high[0]-low[0], high[1]-low[1], high[2]-low[2])
	switch {
	case span == 0 && low == [3]float64{}:
		x.add(Warning, "zero-coordinates", "treat the coordinates as unknown", "all coordinates are 0")
		return
	case span == 0:
		x.add(Warning, "equal-coordinates", "treat the coordinates as unknown", "all regions have the same coordinates %v", low)
		return
	case n > 10 && min(low[0], low[1], low[2]) >= 0:
		kind := "no coordinate is negative"
		if whole {
			kind = "coordinates are whole numbers and none is negative"
		}
		x.add(Warning, "voxels", "apply the image's affine to get mm in RAS+ order (right, anterior, superior)", "%s (up to %.0f): they look like voxel indices, not mm around the anterior commissure", kind, max(high[0], high[1], high[2]))
	case span > 400:
		x.add(Warning, "coordinate-scale", "convert to mm", "coordinates span %.4g; a human brain spans about 170 mm", span)
	case n > 10 && span < 20:
		x.add(Warning, "coordinate-scale", "convert to mm, unless this is a small animal's brain", "coordinates span only %.3g; a human brain spans about 170 mm", span)
	default:
		x.add(Info, "coordinates", "", "%d of %d regions have coordinates, spanning %.0f × %.0f × %.0f mm", located, n, high[0]-low[0], high[1]-low[1], high[2]-low[2])
	}
	x.hemispheres()
}

// hemispheres holds the sides that labels state against coordinates: the
// hemispheres must differ along x, the right one being the positive.
func (x *examination) hemispheres() {
	var left, right [3][]float64
	var wrong []string // regions clearly across the midline
	for i := range x.c.Regions {
		r := &x.c.Regions[i]
		if !r.Located {
			continue
		}
		if r.Hemisphere == connectome.Left && r.Position[0] > 5 || r.Hemisphere == connectome.Right && r.Position[0] < -5 {
			wrong = append(wrong, x.name(i))
		}
		for axis, v := range r.Position {
			switch r.Hemisphere {
			case connectome.Left:
				left[axis] = append(left[axis], v)
			case connectome.Right:
				right[axis] = append(right[axis], v)
			}
		}
	}
	if len(left[0]) < 2 || len(right[0]) < 2 {
		return
	}
	// The separation of the sides along each axis, in standard deviations.
	best, most := 0, 0.0
	var difference [3]float64
	for axis := range 3 {
		l, r := metrics.Describe(left[axis]), metrics.Describe(right[axis])
		difference[axis] = r.Mean - l.Mean
		if s := math.Abs(difference[axis]) / (1e-9 + l.SD + r.SD); s > most {
			best, most = axis, s
		}
	}
	axes := [3]string{"x", "y", "z"}
	switch {
	case most < 0.3:
		x.add(Warning, "hemispheres-mixed", "labels and coordinates may be in different orders", "the coordinates do not separate left from right along any axis")
	case best != 0:
		x.add(Error, "axes", "reorder the axes to RAS+ (x right, y anterior, z superior): pictures, mirrors and distances by axis are wrong until then", "left and right differ along the %s axis rather than x: the coordinates are not in RAS order", axes[best])
	case difference[0] < 0:
		x.add(Warning, "hemispheres-swapped", "either the labels' sides or the sign of x is wrong (radiological LAS+ files have x to the left): negate x or exchange the sides", "regions labelled right lie at smaller x than those labelled left (mean x %.3g and %.3g)",
			metrics.Describe(right[0]).Mean, metrics.Describe(left[0]).Mean)
	default:
		if len(wrong) > 0 && !x.has("voxels") {
			x.add(Warning, "hemisphere-mismatch", "check those regions' labels or coordinates", "%s more than 5 mm on the other side of the midline than the label says: %s", plural.Count(len(wrong), "region lies", "regions lie"), some(wrong))
		}
	}
}
