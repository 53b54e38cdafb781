package goengine

import (
	"fmt"
	"math"
	"slices"

	"github.com/connectomewire/wire/modules/onnxfile"
)

var shapeTable = map[string]operator{
	"Identity":        {native: true, build: buildIdentity},
	"Reshape":         {native: true, build: buildReshape},
	"Flatten":         {native: true, build: buildFlatten},
	"Squeeze":         {native: true, build: buildSqueeze},
	"Unsqueeze":       {native: true, build: buildUnsqueeze},
	"Shape":           {native: true, build: buildShape},
	"Size":            {native: true, build: buildSize},
	"Constant":        {native: true, build: buildConstant},
	"ConstantOfShape": {native: true, build: buildConstantOfShape},
	"Transpose":       {native: true, build: buildTranspose},
	"Expand":          {native: true, build: buildExpand},
	"Tile":            {native: true, build: buildTile},
	"Concat":          {native: true, build: buildConcat},
	"Split":           {native: true, build: buildSplit},
	"Slice":           {native: true, build: buildSlice},
	"Pad":             {native: true, build: buildPad},
	"DepthToSpace":    {native: true, build: buildDepthToSpace},
	"SpaceToDepth":    {native: true, build: buildSpaceToDepth},
	"Trilu":           {native: true, build: buildTrilu},
	"ReverseSequence": {native: true, build: buildReverseSequence},
	"Range":           {build: buildRange},
	"EyeLike":         {native: true, build: buildEyeLike},
	"Dropout":         {build: buildDropout, impure: true},
}

func buildIdentity(*spec) (operation, error) {
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		c.alias(0, x, x.shape...)
		return nil
	}, nil
}

// intsOf reads the integers of an input, or of an attribute in older operator
// sets. They are scratch: valid until the call ends.
func (c *call) intsOf(i int) ([]int, error) {
	t, err := c.need(i)
	if err != nil {
		return nil, err
	}
	start := len(c.frame.lists)
	c.frame.lists, err = t.ints(c.frame.lists)
	return c.frame.lists[start:], err
}

func buildReshape(s *spec) (operation, error) {
	attr, fromAttr := s.ints("shape"), s.opset < 5
	allowZero := s.int("allowzero", 0) == 1
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		want := attr
		if !fromAttr {
			if want, err = c.intsOf(1); err != nil {
				return err
			}
		}
		var room [maxRank]int
		if len(want) > maxRank {
			return fmt.Errorf("shape %v has too many dimensions", want)
		}
		shape := append(room[:0], want...)
		infer, n := -1, 1
		for i, d := range shape {
			switch {
			case d == 0 && !allowZero:
				if i >= len(x.shape) {
					return fmt.Errorf("shape %v copies dimension %d of %v", want, i, x.shape)
				}
				shape[i] = x.shape[i]
			case d == -1:
				if infer >= 0 {
					return fmt.Errorf("shape %v leaves two dimensions open", want)
				}
				infer = i
				continue
			case d < -1:
				return fmt.Errorf("shape %v is negative", want)
			}
			n *= shape[i]
		}
		if infer >= 0 {
			if n == 0 || x.n%n != 0 {
				return fmt.Errorf("cannot reshape %v to %v", x.shape, want)
			}
			shape[infer] = x.n / n
			n *= shape[infer]
		}
		if n != x.n {
			return fmt.Errorf("cannot reshape %v to %v", x.shape, want)
		}
		c.alias(0, x, shape...)
		return nil
	}, nil
}

func buildFlatten(s *spec) (operation, error) {
	axis := s.int("axis", 1)
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		a := axis
		if a < 0 {
			a += len(x.shape)
		}
		if a < 0 || a > len(x.shape) {
			return fmt.Errorf("axis %d is out of range for %v", axis, x.shape)
		}
		c.alias(0, x, product(x.shape[:a]), product(x.shape[a:]))
		return nil
	}, nil
}

// axesOf returns the axes from input i (operator set 13 and later) or the
// attribute; nil if there are none.
func axesOf(c *call, i int, attr []int) ([]int, error) {
	if c.input(i) == nil {
		return attr, nil
	}
	return c.intsOf(i)
}

func buildSqueeze(s *spec) (operation, error) {
	attr := s.ints("axes")
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		axes, err := axesOf(c, 1, attr)
		if err != nil {
			return err
		}
		var drop [maxRank]bool
		for _, a := range axes {
			if a, err = axisOf(a, len(x.shape)); err != nil {
				return err
			}
			if x.shape[a] != 1 {
				return fmt.Errorf("dimension %d of %v is not 1", a, x.shape)
			}
			drop[a] = true
		}
		var room [maxRank]int
		shape := room[:0]
		for i, d := range x.shape {
			if drop[i] || (axes == nil && d == 1) {
				continue
			}
			shape = append(shape, d)
		}
		c.alias(0, x, shape...)
		return nil
	}, nil
}

func buildUnsqueeze(s *spec) (operation, error) {
	attr := s.ints("axes")
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		axes, err := axesOf(c, 1, attr)
		if err != nil {
			return err
		}
		rank := len(x.shape) + len(axes)
		if rank > maxRank {
			return fmt.Errorf("too many dimensions")
		}
		var isNew [maxRank]bool
		for _, a := range axes {
			if a, err = axisOf(a, rank); err != nil {
				return err
			}
			if isNew[a] {
				return fmt.Errorf("axis %d is given twice", a)
			}
			isNew[a] = true
		}
		var room [maxRank]int
		shape := room[:0]
		j := 0
		for i := range rank {
			if isNew[i] {
				shape = append(shape, 1)
				continue
			}
			shape = append(shape, x.shape[j])
			j++
		}
		c.alias(0, x, shape...)
		return nil
	}, nil
}

func buildShape(s *spec) (operation, error) {
	start, end := s.int("start", 0), s.int("end", math.MaxInt)
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		rank := len(x.shape)
		clamp := func(i int) int {
			if i < 0 {
				i += rank
			}
			return max(0, min(i, rank))
		}
		from, to := clamp(start), clamp(end)
		part := x.shape[from:max(from, to)]
		out, err := c.output(0, i64, len(part))
		if err != nil {
			return err
		}
		dst := view[int64](out)
		for i, d := range part {
			dst[i] = int64(d)
		}
		return nil
	}, nil
}

func buildSize(*spec) (operation, error) {
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		out, err := c.output(0, i64)
		if err != nil {
			return err
		}
		view[int64](out)[0] = int64(x.n)
		return nil
	}, nil
}

func buildConstant(s *spec) (operation, error) {
	var t *tensor
	for name, a := range s.node.Attrs {
		switch name {
		case "value":
			t = fromFile(a.T)
		case "value_float":
			t = of(f32, []float32{a.F})
		case "value_floats":
			t = of(f32, slices.Clone(a.Floats), len(a.Floats))
		case "value_int":
			t = of(i64, []int64{a.I})
		case "value_ints":
			t = of(i64, slices.Clone(a.Ints), len(a.Ints))
		case "value_string":
			t = of(text, []string{a.S})
		case "value_strings":
			t = of(text, slices.Clone(a.Strings), len(a.Strings))
		}
	}
	if t == nil {
		return nil, fmt.Errorf("has no value")
	}
	return func(c *call) error {
		c.alias(0, t, t.shape...)
		return nil
	}, nil
}

func buildConstantOfShape(s *spec) (operation, error) {
	value := of(f32, []float32{0}, 1)
	if a := s.node.Attrs["value"]; a != nil && a.T != nil {
		value = fromFile(a.T)
		if value.n != 1 {
			return nil, fmt.Errorf("value has %d elements, want 1", value.n)
		}
	}
	return func(c *call) error {
		shape, err := c.intsOf(0)
		if err != nil {
			return err
		}
		out, err := c.output(0, value.dt, shape...)
		if err != nil {
			return err
		}
		fillWith(out, value)
		return nil
	}, nil
}

// fillWith repeats the single element of v.
func fillWith(out, v *tensor) {
	if out.n == 0 {
		return
	}
	zeros := [maxRank]int{}
	if len(out.shape) > maxRank {
		panic("too many dimensions")
	}
	copyStrided(out, 0, v, 0, out.shape, zeros[:len(out.shape)])
}

// copyRange copies n elements.
func copyRange(dst *tensor, d int, src *tensor, s, n int) {
	if dst.dt == text {
		copy(view[string](dst)[d:d+n], view[string](src)[s:s+n])
		return
	}
	size := elemSize(dst.dt)
	copy(dst.bytes()[d*size:(d+n)*size], src.bytes()[s*size:(s+n)*size])
}

// copyStrided fills dst[start:] densely, in the row-major order of shape, with
// the elements of src at base + index·strides.
func copyStrided(dst *tensor, start int, src *tensor, base int, shape, strides []int) {
	n := product(shape)
	if n == 0 {
		return
	}
	switch {
	case dst.dt == text:
		strided(view[string](dst)[start:], view[string](src), base, shape, strides)
	case elemSize(dst.dt) == 1:
		strided(view[uint8](dst)[start:], view[uint8](src), base, shape, strides)
	case elemSize(dst.dt) == 2:
		strided(view[uint16](dst)[start:], view[uint16](src), base, shape, strides)
	case elemSize(dst.dt) == 4:
		strided(view[uint32](dst)[start:], view[uint32](src), base, shape, strides)
	case elemSize(dst.dt) == 8:
		strided(view[uint64](dst)[start:], view[uint64](src), base, shape, strides)
	default:
		strided(view[[2]uint64](dst)[start:], view[[2]uint64](src), base, shape, strides)
	}
}

func strided[T any](dst, src []T, base int, shape, strides []int) {
	// merge neighbouring dimensions
	var dims, st, at [maxRank]int
	rank := 0
	for i := len(shape) - 1; i >= 0; i-- {
		if shape[i] == 1 {
			continue
		}
		if rank > 0 && strides[i] == st[rank-1]*dims[rank-1] {
			dims[rank-1] *= shape[i]
			continue
		}
		dims[rank], st[rank] = shape[i], strides[i]
		rank++
	}
	if rank == 0 {
		dst[0] = src[base]
		return
	}
	n, step := dims[0], st[0]
	o := 0
	if rank >= 2 && step != 1 && st[1] == 1 && n >= 4 && dims[1] >= 4 { // a transposition inside
		rows := dims[1]
		for {
			transpose(dst[o:o+n*rows], src[base:], rows, n, step)
			o += n * rows
			if !advance(at[2:rank], dims[2:rank], st[2:rank], &base) {
				return
			}
		}
	}
	for {
		switch step {
		case 1:
			copy(dst[o:o+n], src[base:base+n])
		case 0:
			v := src[base]
			run := dst[o : o+n]
			for i := range run {
				run[i] = v
			}
		default:
			run := dst[o : o+n]
			for i, j := 0, base; i < len(run); i, j = i+1, j+step {
				run[i] = src[j]
			}
		}
		o += n
		if !advance(at[1:rank], dims[1:rank], st[1:rank], &base) {
			return
		}
	}
}

// advance steps an index, fastest dimension first.
func advance(at, dims, st []int, base *int) bool {
	for i := range at {
		at[i]++
		*base += st[i]
		if at[i] < dims[i] {
			return true
		}
		*base -= st[i] * dims[i]
		at[i] = 0
	}
	return false
}

// transpose fills dst [rows, n] with dst[r][i] = src[i·step + r], block by
// block.
func transpose[T any](dst, src []T, rows, n, step int) {
	const block = 16
	for i0 := 0; i0 < n; i0 += block {
		i1 := min(i0+block, n)
		for r0 := 0; r0 < rows; r0 += block {
			r1 := min(r0+block, rows)
			for i := i0; i < i1; i++ {
				s := src[i*step+r0 : i*step+r1]
				d := r0*n + i
				for _, v := range s {
					dst[d] = v
					d += n
				}
			}
		}
	}
}

func buildTranspose(s *spec) (operation, error) {
	perm := s.ints("perm")
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		rank := len(x.shape)
		if rank > maxRank {
			return fmt.Errorf("too many dimensions")
		}
		if perm != nil && len(perm) != rank {
			return fmt.Errorf("perm %v does not fit shape %v", perm, x.shape)
		}
		var shapeRoom, strideRoom, stride [maxRank]int
		n := 1
		for i := rank - 1; i >= 0; i-- {
			stride[i] = n
			n *= x.shape[i]
		}
		var used [maxRank]bool
		moved, last := false, -1
		for i := range rank {
			p := rank - 1 - i
			if perm != nil {
				p = perm[i]
			}
			if p < 0 || p >= rank || used[p] {
				return fmt.Errorf("perm %v is no permutation", perm)
			}
			used[p] = true
			shapeRoom[i], strideRoom[i] = x.shape[p], stride[p]
			if x.shape[p] != 1 {
				moved = moved || p < last
				last = p
			}
		}
		if !moved {
			c.alias(0, x, shapeRoom[:rank]...)
			return nil
		}
		out, err := c.output(0, x.dt, shapeRoom[:rank]...)
		if err != nil {
			return err
		}
		copyStrided(out, 0, x, 0, shapeRoom[:rank], strideRoom[:rank])
		return nil
	}, nil
}

func buildExpand(*spec) (operation, error) {
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		want, err := c.intsOf(1)
		if err != nil {
			return err
		}
		for _, d := range want {
			if d < 0 {
				return fmt.Errorf("shape %v is negative", want)
			}
		}
		var room [maxRank]int
		shape, err := broadcastShape(room[:0], x.shape, want)
		if err != nil {
			return err
		}
		out, err := c.output(0, x.dt, shape...)
		if err != nil {
			return err
		}
		copyStrided(out, 0, x, 0, out.shape, broadcastStrides(out.shape, x.shape))
		return nil
	}, nil
}

func buildTile(s *spec) (operation, error) {
	old := s.opset < 6
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		repeats, err := c.intsOf(1)
		if err != nil {
			return err
		}
		if old { // one axis: inputs tiles and axis
			axis, err := c.intsOf(2)
			if err != nil {
				return err
			}
			r := slices.Repeat([]int{1}, len(x.shape))
			r[axis[0]] = repeats[0]
			repeats = r
		}
		if len(repeats) != len(x.shape) || len(repeats)*2 > maxRank {
			return fmt.Errorf("repeats %v do not fit shape %v", repeats, x.shape)
		}
		shape := make([]int, len(x.shape))
		var dims, strides []int
		st := stridesOf(x.shape)
		for i, r := range repeats {
			if r < 0 {
				return fmt.Errorf("repeats %v are negative", repeats)
			}
			shape[i] = x.shape[i] * r
			dims = append(dims, r, x.shape[i])
			strides = append(strides, 0, st[i])
		}
		out, err := c.output(0, x.dt, shape...)
		if err != nil {
			return err
		}
		copyStrided(out, 0, x, 0, dims, strides)
		return nil
	}, nil
}

func buildConcat(s *spec) (operation, error) {
	axis := s.int("axis", 1)
	if s.opset >= 4 && !s.has("axis") {
		return nil, fmt.Errorf("has no axis")
	}
	return func(c *call) error {
		first, err := c.need(0)
		if err != nil {
			return err
		}
		a, err := axisOf(axis, len(first.shape))
		if err != nil {
			return err
		}
		var room [maxRank]int
		shape := append(room[:0], first.shape...)
		shape[a] = 0
		for i, t := range c.in {
			if t == nil {
				return fmt.Errorf("input %d is missing", i)
			}
			if t.dt != first.dt || len(t.shape) != len(first.shape) {
				return fmt.Errorf("input %d is %s, the first is %s", i, t.describe(), first.describe())
			}
			for d := range t.shape {
				if d != a && t.shape[d] != first.shape[d] {
					return fmt.Errorf("input %d is %s, the first is %s", i, t.describe(), first.describe())
				}
			}
			shape[a] += t.shape[a]
		}
		out, err := c.output(0, first.dt, shape...)
		if err != nil {
			return err
		}
		concatInto(out, c.in, a)
		return nil
	}, nil
}

func concatInto(out *tensor, parts []*tensor, axis int) {
	outer, _, inner := splitAt(out.shape, axis)
	row := out.shape[axis] * inner
	at := 0
	for _, t := range parts {
		n := t.shape[axis] * inner
		for o := range outer {
			if n > 0 {
				copyRange(out, o*row+at, t, o*n, n)
			}
		}
		at += n
	}
}

func buildSplit(s *spec) (operation, error) {
	axis, attr, parts := s.int("axis", 0), s.ints("split"), len(s.node.Outputs)
	if n := s.int("num_outputs", 0); n > 0 {
		parts = n
	}
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		a, err := axisOf(axis, len(x.shape))
		if err != nil {
			return err
		}
		sizes, err := axesOf(c, 1, attr)
		if err != nil {
			return err
		}
		if sizes == nil {
			sizes = evenSplit(x.shape[a], parts)
		}
		sum := 0
		for _, n := range sizes {
			sum += n
		}
		if len(sizes) != len(c.out) || sum != x.shape[a] || slices.Min(sizes) < 0 {
			return fmt.Errorf("cannot split %d into %v for %d outputs", x.shape[a], sizes, len(c.out))
		}
		var room [maxRank]int
		shape := append(room[:0], x.shape...)
		for i, n := range sizes {
			shape[a] = n
			if _, err := c.output(i, x.dt, shape...); err != nil {
				return err
			}
		}
		outer, whole, inner := splitAt(x.shape, a)
		at := 0
		for i, n := range sizes {
			for o := range outer {
				if n > 0 {
					copyRange(c.slot(i), o*n*inner, x, (o*whole+at)*inner, n*inner)
				}
			}
			at += n
		}
		return nil
	}, nil
}

// evenSplit makes equal parts, the last smaller if need be.
func evenSplit(n, parts int) []int {
	each := (n + parts - 1) / parts
	sizes := make([]int, parts)
	for i := range sizes {
		sizes[i] = max(0, min(each, n-i*each))
	}
	return sizes
}

func buildSlice(s *spec) (operation, error) {
	aStarts, aEnds, aAxes, fromAttr := s.ints("starts"), s.ints("ends"), s.ints("axes"), s.opset < 10
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		starts, ends, axes := aStarts, aEnds, aAxes
		var steps []int
		if !fromAttr {
			if starts, err = c.intsOf(1); err != nil {
				return err
			}
			if ends, err = c.intsOf(2); err != nil {
				return err
			}
			if axes, err = axesOf(c, 3, nil); err != nil {
				return err
			}
			if steps, err = axesOf(c, 4, nil); err != nil {
				return err
			}
		}
		if len(ends) != len(starts) || (axes != nil && len(axes) != len(starts)) || (steps != nil && len(steps) != len(starts)) {
			return fmt.Errorf("starts, ends, axes and steps differ in length")
		}
		rank := len(x.shape)
		if rank > maxRank || len(starts) > rank {
			return fmt.Errorf("%d ranges for shape %v", len(starts), x.shape)
		}
		var shapeRoom, strideRoom [maxRank]int
		shape, strides := shapeRoom[:rank], strideRoom[:rank]
		n := 1
		for i := rank - 1; i >= 0; i-- {
			shape[i], strides[i] = x.shape[i], n
			n *= x.shape[i]
		}
		base := 0
		for i := range starts {
			a, step := i, 1
			if axes != nil {
				a = axes[i]
			}
			if a, err = axisOf(a, rank); err != nil {
				return err
			}
			if steps != nil {
				step = steps[i]
			}
			from, count, err := sliceRange(starts[i], ends[i], step, x.shape[a])
			if err != nil {
				return err
			}
			shape[a] = count
			base += from * strides[a]
			strides[a] *= step
		}
		out, err := c.output(0, x.dt, shape...)
		if err != nil || out.n == 0 {
			return err
		}
		copyStrided(out, 0, x, base, shape, strides)
		return nil
	}, nil
}

// sliceRange resolves start:end:step on a dimension of size n.
func sliceRange(start, end, step, n int) (from, count int, err error) {
	if step == 0 {
		return 0, 0, fmt.Errorf("step is 0")
	}
	if start < 0 {
		start = max(start, -n-1) + n
	}
	if end < 0 {
		end = max(end, -n-1) + n
	}
	if step > 0 {
		start, end = max(0, min(start, n)), max(0, min(end, n))
		if end <= start {
			return 0, 0, nil
		}
		return start, (end - start + step - 1) / step, nil
	}
	start, end = max(-1, min(start, n-1)), max(-1, min(end, n-1))
	if end >= start {
		return 0, 0, nil
	}
	return start, (start - end - step - 1) / -step, nil
}

func buildPad(s *spec) (operation, error) {
	mode, attr, value, fromAttr := s.str("mode", "constant"), s.ints("pads"), s.float("value", 0), s.opset < 11
	if s.has("paddings") {
		attr = s.ints("paddings")
	}
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		pads := attr
		fill := newTensor(x.dt, 1)
		if !fromAttr {
			if pads, err = c.intsOf(1); err != nil {
				return err
			}
			if t := c.input(2); t != nil && t.n > 0 {
				fill = t
			}
		} else if err := cast(fill, of(f32, []float32{value}, 1)); err != nil {
			return err
		}
		rank := len(x.shape)
		if rank > maxRank {
			return fmt.Errorf("too many dimensions")
		}
		before, after := make([]int, rank), make([]int, rank)
		if axes, err := axesOf(c, 3, nil); err != nil {
			return err
		} else if axes != nil {
			if len(pads) != 2*len(axes) {
				return fmt.Errorf("pads %v do not fit axes %v", pads, axes)
			}
			for i, a := range axes {
				if a, err = axisOf(a, rank); err != nil {
					return err
				}
				before[a], after[a] = pads[i], pads[i+len(axes)]
			}
		} else {
			if len(pads) != 2*rank {
				return fmt.Errorf("pads %v do not fit shape %v", pads, x.shape)
			}
			copy(before, pads[:rank])
			copy(after, pads[rank:])
		}
		shape := make([]int, rank)
		for i := range shape {
			shape[i] = x.shape[i] + before[i] + after[i]
			if shape[i] < 0 || (x.shape[i] == 0 && shape[i] > 0 && mode != "constant") {
				return fmt.Errorf("cannot pad %v by %v", x.shape, pads)
			}
		}
		out, err := c.output(0, x.dt, shape...)
		if err != nil || out.n == 0 {
			return err
		}
		return pad(out, x, before, fill, mode)
	}, nil
}

// pad fills out dimension by dimension: index maps say which element of x, if
// any, each position takes.
func pad(out, x *tensor, before []int, fill *tensor, mode string) error {
	rank := len(out.shape)
	maps := make([][]int, rank)
	for d := range maps {
		maps[d] = make([]int, out.shape[d])
		n := x.shape[d]
		for i := range maps[d] {
			j := i - before[d]
			if j < 0 || j >= n {
				switch mode {
				case "constant":
					j = -1
				case "edge":
					j = max(0, min(j, n-1))
				case "reflect":
					j = reflect(j, n)
				case "wrap":
					j = ((j % n) + n) % n
				default:
					return fmt.Errorf("mode %q is not known", mode)
				}
			}
			maps[d][i] = j
		}
	}
	switch {
	case out.dt == text:
		padInto[string](out, x, fill, maps)
	case elemSize(out.dt) == 1:
		padInto[uint8](out, x, fill, maps)
	case elemSize(out.dt) == 2:
		padInto[uint16](out, x, fill, maps)
	case elemSize(out.dt) == 4:
		padInto[uint32](out, x, fill, maps)
	default:
		padInto[uint64](out, x, fill, maps)
	}
	return nil
}

func reflect(j, n int) int {
	if n == 1 {
		return 0
	}
	period := 2 * (n - 1)
	j = ((j % period) + period) % period
	if j >= n {
		j = period - j
	}
	return j
}

func padInto[T any](out, x, fill *tensor, maps [][]int) {
	dst, src, v := view[T](out), view[T](x), view[T](fill)[0]
	strides := stridesOf(x.shape)
	rank := len(maps)
	if rank == 0 {
		dst[0] = src[0]
		return
	}
	last := maps[rank-1]
	at := make([]int, rank-1)
	for o := 0; o < len(dst); o += len(last) {
		base, inside := 0, true
		for d, i := range at {
			j := maps[d][i]
			inside = inside && j >= 0
			base += j * strides[d]
		}
		row := dst[o : o+len(last)]
		for i, j := range last {
			if inside && j >= 0 {
				row[i] = src[base+j]
			} else {
				row[i] = v
			}
		}
		for d := rank - 2; d >= 0; d-- {
			if at[d]++; at[d] < len(maps[d]) {
				break
			}
			at[d] = 0
		}
	}
}

func blocks(c *call, s int) (x *tensor, err error) {
	if x, err = c.need(0); err == nil && (len(x.shape) != 4 || s < 1) {
		err = fmt.Errorf("wants [batch, channels, height, width] and a block size, got %v", x.shape)
	}
	return x, err
}

func buildDepthToSpace(s *spec) (operation, error) {
	b, crd := s.int("blocksize", 0), s.str("mode", "DCR") == "CRD"
	return func(c *call) error {
		x, err := blocks(c, b)
		if err != nil {
			return err
		}
		n, ch, h, w := x.shape[0], x.shape[1], x.shape[2], x.shape[3]
		if ch%(b*b) != 0 {
			return fmt.Errorf("%d channels do not divide by %d", ch, b*b)
		}
		d := ch / (b * b)
		out, err := c.output(0, x.dt, n, d, h*b, w*b)
		if err != nil {
			return err
		}
		// output index: n, d, h, by, w, bx
		dims := []int{n, d, h, b, w, b}
		st := []int{ch * h * w, h * w, w, b * d * h * w, 1, d * h * w}
		if crd {
			st = []int{ch * h * w, b * b * h * w, w, b * h * w, 1, h * w}
		}
		copyStrided(out, 0, x, 0, dims, st)
		return nil
	}, nil
}

func buildSpaceToDepth(s *spec) (operation, error) {
	b := s.int("blocksize", 0)
	return func(c *call) error {
		x, err := blocks(c, b)
		if err != nil {
			return err
		}
		n, ch, h, w := x.shape[0], x.shape[1], x.shape[2], x.shape[3]
		if h%b != 0 || w%b != 0 {
			return fmt.Errorf("%v does not divide into blocks of %d", x.shape, b)
		}
		out, err := c.output(0, x.dt, n, ch*b*b, h/b, w/b)
		if err != nil {
			return err
		}
		// output index: n, by, bx, c, h, w
		copyStrided(out, 0, x, 0, []int{n, b, b, ch, h / b, w / b}, []int{ch * h * w, w, 1, h * w, b * w, b})
		return nil
	}, nil
}

func buildTrilu(s *spec) (operation, error) {
	upper := s.int("upper", 1) == 1
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		k := 0
		if c.input(1) != nil {
			ks, err := c.intsOf(1)
			if err != nil || len(ks) != 1 {
				return fmt.Errorf("k is no single integer")
			}
			k = ks[0]
		}
		rank := len(x.shape)
		if rank < 2 {
			return fmt.Errorf("wants a matrix, got %v", x.shape)
		}
		out, err := c.output(0, x.dt, x.shape...)
		if err != nil {
			return err
		}
		rows, cols := x.shape[rank-2], x.shape[rank-1]
		copyElems(out, x)
		zero := newTensor(x.dt, 1)
		for at := 0; at < x.n; at += max(cols, 1) {
			r := at / cols % rows
			for j := range cols {
				if (upper && j < r+k) || (!upper && j > r+k) {
					copyRange(out, at+j, zero, 0, 1)
				}
			}
		}
		return nil
	}, nil
}

func buildReverseSequence(s *spec) (operation, error) {
	batchAxis, timeAxis := s.int("batch_axis", 1), s.int("time_axis", 0)
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		lens, err := c.intsOf(1)
		if err != nil {
			return err
		}
		if len(x.shape) < 2 || batchAxis+timeAxis != 1 || len(lens) != x.shape[batchAxis] {
			return fmt.Errorf("lengths %v do not fit %v", lens, x.shape)
		}
		out, err := c.output(0, x.dt, x.shape...)
		if err != nil {
			return err
		}
		inner := product(x.shape[2:])
		for i := range x.shape[0] {
			for j := range x.shape[1] {
				b, t := i, j
				if batchAxis == 1 {
					b, t = j, i
				}
				from := t
				if n := lens[b]; t < n {
					from = n - 1 - t
				}
				if from < 0 || from >= x.shape[timeAxis] {
					return fmt.Errorf("length %d exceeds %v", lens[b], x.shape)
				}
				src := i*x.shape[1] + from
				if timeAxis == 0 {
					src = from*x.shape[1] + j
				}
				copyRange(out, (i*x.shape[1]+j)*inner, x, src*inner, inner)
			}
		}
		return nil
	}, nil
}

func buildRange(*spec) (operation, error) {
	return func(c *call) error {
		for i := range 3 {
			if t, err := c.need(i); err != nil {
				return err
			} else if t.n != 1 {
				return fmt.Errorf("input %d is no scalar", i)
			}
		}
		start, limit, delta := c.in[0], c.in[1], c.in[2]
		if delta.at(0) == 0 {
			return fmt.Errorf("delta is 0")
		}
		n := max(0, int(math.Ceil((limit.at(0)-start.at(0))/delta.at(0))))
		out, err := c.output(0, start.dt, n)
		if err != nil {
			return err
		}
		switch start.dt {
		case f32:
			ramp[float32](out, start, delta)
		case f64:
			ramp[float64](out, start, delta)
		case i16:
			ramp[int16](out, start, delta)
		case i32:
			ramp[int32](out, start, delta)
		case i64:
			ramp[int64](out, start, delta)
		default:
			return fmt.Errorf("does not count in %v", start.dt)
		}
		return nil
	}, nil
}

func ramp[T number](out, start, delta *tensor) {
	from, step := view[T](start)[0], view[T](delta)[0]
	dst := view[T](out)
	for i := range dst {
		dst[i] = from + T(i)*step
	}
}

func buildEyeLike(s *spec) (operation, error) {
	dt, k := onnxfile.ElemType(s.int("dtype", 0)), s.int("k", 0)
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		if len(x.shape) != 2 {
			return fmt.Errorf("wants a matrix, got %v", x.shape)
		}
		to := dt
		if to == 0 {
			to = x.dt
		}
		eye := make([]float32, x.n)
		for i := range x.shape[0] {
			if j := i + k; j >= 0 && j < x.shape[1] {
				eye[i*x.shape[1]+j] = 1
			}
		}
		out, err := c.output(0, to, x.shape...)
		if err != nil {
			return err
		}
		return cast(out, of(f32, eye, x.shape...))
	}, nil
}

// buildDropout is the identity outside training; in training mode elements
// are dropped with the node's seed.
func buildDropout(s *spec) (operation, error) {
	ratioAttr, seed := s.float("ratio", 0.5), s.int("seed", 0)
	modern := s.opset >= 12
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		ratio, training := float64(ratioAttr), false
		if modern {
			if t := c.input(1); t != nil && t.n > 0 {
				ratio = t.at(0)
			}
			if t := c.input(2); t != nil && t.n > 0 {
				training = t.at(0) != 0
			}
		}
		var mask *tensor
		if len(c.out) > 1 && c.out[1] != nil {
			dt := bool8
			if !modern && s.opset < 10 {
				dt = x.dt
			}
			if mask, err = c.output(1, dt, x.shape...); err != nil {
				return err
			}
			one := newTensor(dt, 1)
			if err := cast(one, of(u8, []uint8{1}, 1)); err != nil {
				return err
			}
			fillWith(mask, one)
		}
		if !training || ratio == 0 {
			c.alias(0, x, x.shape...)
			return nil
		}
		if x.dt != f32 {
			return fmt.Errorf("drops elements of float32 only, got %v", x.dt)
		}
		out, err := c.output(0, x.dt, x.shape...)
		if err != nil {
			return err
		}
		rng := newRandom(uint64(seed))
		dst := view[float32](out)
		for i, v := range view[float32](x) {
			keep := rng.Float64() >= ratio
			if keep {
				dst[i] = v / float32(1-ratio)
			} else {
				dst[i] = 0
			}
			if mask != nil {
				view[uint8](mask)[i] = b2u(keep)
			}
		}
		return nil
	}, nil
}
