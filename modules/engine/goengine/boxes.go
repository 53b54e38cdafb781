package goengine

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// roiAlign is what a RoiAlign node says.
type roiAlign struct {
	average       bool
	oh, ow, ratio int
	scale, offset float64
}

func newRoiAlign(s *spec) *roiAlign {
	r := &roiAlign{average: s.str("mode", "avg") == "avg", oh: s.int("output_height", 1), ow: s.int("output_width", 1),
		ratio: s.int("sampling_ratio", 0), scale: float64(s.float("spatial_scale", 1))}
	mode := "output_half_pixel"
	if s.opset >= 16 {
		mode = "half_pixel"
	}
	if s.str("coordinate_transformation_mode", mode) == "half_pixel" {
		r.offset = 0.5
	}
	return r
}

// eachBin calls f for every bin of a region; samples calls its argument with
// each of the bin's count points.
func (r *roiAlign) eachBin(roi []float32, f func(bin int, samples func(f func(y, x float64)), count int)) {
	x0, y0 := float64(roi[0])*r.scale-r.offset, float64(roi[1])*r.scale-r.offset
	x1, y1 := float64(roi[2])*r.scale-r.offset, float64(roi[3])*r.scale-r.offset
	rw, rh := x1-x0, y1-y0
	if r.offset == 0 {
		rw, rh = max(rw, 1), max(rh, 1)
	}
	bw, bh := rw/float64(r.ow), rh/float64(r.oh)
	sy, sx := r.ratio, r.ratio
	if r.ratio <= 0 {
		sy, sx = int(math.Ceil(rh/float64(r.oh))), int(math.Ceil(rw/float64(r.ow)))
	}
	for py := range r.oh {
		for px := range r.ow {
			f(py*r.ow+px, func(f func(y, x float64)) {
				for iy := range sy {
					yy := y0 + float64(py)*bh + (float64(iy)+0.5)*bh/float64(sy)
					for ix := range sx {
						f(yy, x0+float64(px)*bw+(float64(ix)+0.5)*bw/float64(sx))
					}
				}
			}, max(sy*sx, 1))
		}
	}
}

func buildRoiAlign(s *spec) (operation, error) {
	r := newRoiAlign(s)
	return func(c *call) error {
		if err := c.first(3); err != nil {
			return err
		}
		x, rois := c.in[0], c.in[1]
		if err := wantF32(x, rois); err != nil {
			return err
		}
		batch, err := c.intsOf(2)
		if err != nil {
			return err
		}
		if len(x.shape) != 4 || len(rois.shape) != 2 || rois.shape[1] != 4 || len(batch) != rois.shape[0] {
			return fmt.Errorf("operands do not fit: %s", describeAll(c.in))
		}
		ch, h, w := x.shape[1], x.shape[2], x.shape[3]
		out, err := c.output(0, f32, rois.shape[0], ch, r.oh, r.ow)
		if err != nil {
			return err
		}
		dst, src, regions := view[float32](out), view[float32](x), view[float32](rois)
		for i, b := range batch {
			if b < 0 || b >= x.shape[0] {
				return fmt.Errorf("batch index %d is out of range", b)
			}
			for k := range ch {
				plane := src[(b*ch+k)*h*w : (b*ch+k+1)*h*w]
				r.eachBin(regions[i*4:], func(bin int, samples func(f func(y, x float64)), count int) {
					sum, largest := 0.0, math.Inf(-1)
					samples(func(y, x float64) {
						v, m := roiSample(plane, h, w, y, x)
						sum += v
						largest = max(largest, m)
					})
					v := largest
					if r.average {
						v = sum / float64(count)
					}
					dst[(i*ch+k)*r.oh*r.ow+bin] = float32(v)
				})
			}
		}
		return nil
	}, nil
}

// roiSample interpolates at (y, x) and also gives the largest weighted corner,
// which RoiAlign's max mode takes.
func roiSample(plane []float32, h, w int, y, x float64) (v, largest float64) {
	largest = math.Inf(-1)
	if !roiCorners(h, w, y, x, func(at int, f float64) {
		p := f * float64(plane[at])
		v += p
		largest = max(largest, p)
	}) {
		return 0, 0
	}
	return v, largest
}

// roiCorners calls f with the four elements around (y, x) and their weights;
// there are none outside of the plane.
func roiCorners(h, w int, y, x float64, f func(at int, weight float64)) (inside bool) {
	if y < -1 || y > float64(h) || x < -1 || x > float64(w) {
		return false
	}
	y, x = max(y, 0), max(x, 0)
	y0, x0 := int(y), int(x)
	y1, x1 := y0+1, x0+1
	if y0 >= h-1 {
		y0, y1, y = h-1, h-1, float64(h-1)
	}
	if x0 >= w-1 {
		x0, x1, x = w-1, w-1, float64(w-1)
	}
	fy, fx := y-float64(y0), x-float64(x0)
	f(y0*w+x0, (1-fy)*(1-fx))
	f(y0*w+x1, (1-fy)*fx)
	f(y1*w+x0, fy*(1-fx))
	f(y1*w+x1, fy*fx)
	return true
}

func buildNMS(s *spec) (operation, error) {
	center := s.int("center_point_box", 0) == 1
	return func(c *call) error {
		boxes, scores, err := c.pair()
		if err != nil {
			return err
		}
		if err := wantF32(boxes, scores); err != nil {
			return err
		}
		if len(boxes.shape) != 3 || boxes.shape[2] != 4 || len(scores.shape) != 3 || scores.shape[0] != boxes.shape[0] || scores.shape[2] != boxes.shape[1] {
			return fmt.Errorf("operands do not fit: %s", describeAll(c.in))
		}
		limit, iou, least := 0, 0.0, math.Inf(-1)
		if t := c.input(2); t != nil && t.n > 0 {
			limit = int(t.at(0))
		}
		if t := c.input(3); t != nil && t.n > 0 {
			iou = t.at(0)
		}
		if t := c.input(4); t != nil && t.n > 0 {
			least = t.at(0)
		}
		bv, sv := view[float32](boxes), view[float32](scores)
		n, classes := boxes.shape[1], scores.shape[1]
		var chosen []int64
		for b := range boxes.shape[0] {
			for k := range classes {
				row := sv[(b*classes+k)*n : (b*classes+k+1)*n]
				var order []int
				for i, v := range row {
					if float64(v) > least {
						order = append(order, i)
					}
				}
				slices.SortStableFunc(order, func(p, q int) int { return cmp.Compare(row[q], row[p]) })
				var kept []int
				for _, i := range order {
					if len(kept) >= limit {
						break
					}
					free := true
					for _, j := range kept {
						if overlap(bv[(b*n+i)*4:], bv[(b*n+j)*4:], center) > iou {
							free = false
							break
						}
					}
					if free {
						kept = append(kept, i)
						chosen = append(chosen, int64(b), int64(k), int64(i))
					}
				}
			}
		}
		out, err := c.output(0, i64, len(chosen)/3, 3)
		if err != nil {
			return err
		}
		copy(view[int64](out), chosen)
		return nil
	}, nil
}

// overlap is the intersection over union of two boxes.
func overlap(p, q []float32, center bool) float64 {
	corners := func(b []float32) (y0, x0, y1, x1 float64) {
		if center {
			cx, cy, w, h := float64(b[0]), float64(b[1]), float64(b[2]), float64(b[3])
			return cy - h/2, cx - w/2, cy + h/2, cx + w/2
		}
		y0, x0, y1, x1 = float64(b[0]), float64(b[1]), float64(b[2]), float64(b[3])
		return min(y0, y1), min(x0, x1), max(y0, y1), max(x0, x1)
	}
	ay0, ax0, ay1, ax1 := corners(p)
	by0, bx0, by1, bx1 := corners(q)
	h, w := min(ay1, by1)-max(ay0, by0), min(ax1, bx1)-max(ax0, bx0)
	if h <= 0 || w <= 0 {
		return 0
	}
	return h * w / ((ay1-ay0)*(ax1-ax0) + (by1-by0)*(bx1-bx0) - h*w)
}

// maxRoiPool takes the maximum of each cell of regions [batch, x1, y1, x2, y2].
type maxRoiPool struct {
	rows, columns int
	scale         float64
}

func newMaxRoiPool(s *spec) (*maxRoiPool, error) {
	pooled := s.ints("pooled_shape")
	if len(pooled) != 2 || pooled[0] < 1 || pooled[1] < 1 {
		return nil, fmt.Errorf("pooled_shape is %v", pooled)
	}
	return &maxRoiPool{pooled[0], pooled[1], float64(s.float("spatial_scale", 1))}, nil
}

func buildMaxRoiPool(s *spec) (operation, error) {
	m, err := newMaxRoiPool(s)
	if err != nil {
		return nil, err
	}
	return func(c *call) error {
		x, rois, err := c.pair()
		if err != nil {
			return err
		}
		if err := wantF32(x, rois); err != nil {
			return err
		}
		if len(x.shape) != 4 || len(rois.shape) != 2 || rois.shape[1] != 5 {
			return fmt.Errorf("operands do not fit: %s", describeAll(c.in))
		}
		out, err := c.output(0, f32, rois.shape[0], x.shape[1], m.rows, m.columns)
		if err != nil {
			return err
		}
		dst, src := view[float32](out), view[float32](x)
		return m.each(x, rois, func(at, best int) {
			dst[at] = 0
			if best >= 0 {
				dst[at] = src[best]
			}
		})
	}, nil
}

// each calls f with every element of the result and the element of x that it is, -1
// for an empty cell.
func (m *maxRoiPool) each(x, rois *tensor, f func(at, best int)) error {
	ch, h, w := x.shape[1], x.shape[2], x.shape[3]
	src := view[float32](x)
	// where cell i of n begins and ends
	cell := func(i, n int, first, size float64, limit int) (from, to int) {
		each := size / float64(n)
		from = int(math.Floor(float64(i)*each) + first)
		to = int(math.Ceil(float64(i+1)*each) + first)
		return max(0, min(from, limit)), max(0, min(to, limit))
	}
	at := 0
	for r := range rois.shape[0] {
		roi := view[float32](rois)[r*5 : (r+1)*5]
		b := int(roi[0])
		if b < 0 || b >= x.shape[0] {
			return fmt.Errorf("region %d is of picture %d of %d", r, b, x.shape[0])
		}
		var edge [4]float64
		for k := range edge {
			edge[k] = math.Round(float64(roi[k+1]) * m.scale)
		}
		width, height := max(edge[2]-edge[0]+1, 1), max(edge[3]-edge[1]+1, 1)
		for k := range ch {
			plane := (b*ch + k) * h * w
			for i := range m.rows {
				y0, y1 := cell(i, m.rows, edge[1], height, h)
				for j := range m.columns {
					x0, x1 := cell(j, m.columns, edge[0], width, w)
					best := -1
					for y := y0; y < y1; y++ {
						for xx := x0; xx < x1; xx++ {
							if p := plane + y*w + xx; best < 0 || src[p] > src[best] {
								best = p
							}
						}
					}
					f(at, best)
					at++
				}
			}
		}
	}
	return nil
}
