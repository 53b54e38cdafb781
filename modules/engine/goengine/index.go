package goengine

import (
	"cmp"
	"fmt"
	"slices"
)

var indexTable = map[string]operator{
	"Gather":          {native: true, build: buildGather},
	"GatherElements":  {native: true, build: buildGatherElements},
	"GatherND":        {native: true, build: buildGatherND},
	"Scatter":         {native: true, build: buildScatterElements},
	"ScatterElements": {native: true, build: buildScatterElements},
	"ScatterND":       {native: true, build: buildScatterND},
	"OneHot":          {native: true, build: buildOneHot},
	"NonZero":         {native: true, build: buildNonZero},
	"Compress":        {native: true, build: buildCompress},
	"TopK":            {build: buildTopK},
	"Unique":          {build: buildUnique},
}

// wrapIndex resolves a possibly negative index into a dimension of size n.
func wrapIndex(i, n int) (int, error) {
	if i < -n || i >= n {
		return 0, fmt.Errorf("index %d is out of range for a dimension of %d", i, n)
	}
	if i < 0 {
		i += n
	}
	return i, nil
}

func buildGather(s *spec) (operation, error) {
	axis := s.int("axis", 0)
	return func(c *call) error {
		x, idx, err := c.pair()
		if err != nil {
			return err
		}
		a, err := axisOf(axis, len(x.shape))
		if err != nil {
			return err
		}
		var room [maxRank]int
		if len(x.shape)+len(idx.shape) > maxRank {
			return fmt.Errorf("too many dimensions")
		}
		shape := append(append(append(room[:0], x.shape[:a]...), idx.shape...), x.shape[a+1:]...)
		out, err := c.output(0, x.dt, shape...)
		if err != nil {
			return err
		}
		list, err := c.intsOf(1)
		if err != nil {
			return err
		}
		outer, n, inner := splitAt(x.shape, a)
		for k, i := range list {
			if list[k], err = wrapIndex(i, n); err != nil {
				return err
			}
		}
		if inner == 0 {
			return nil
		}
		at := 0
		for o := range outer {
			for _, i := range list {
				copyRange(out, at, x, (o*n+i)*inner, inner)
				at += inner
			}
		}
		return nil
	}, nil
}

// elementOffsets turns the indices of GatherElements and ScatterElements into
// offsets into data.
func elementOffsets(c *call, data, idx *tensor, axis int) ([]int, error) {
	if len(data.shape) != len(idx.shape) {
		return nil, fmt.Errorf("indices %v do not fit data %v", idx.shape, data.shape)
	}
	a, err := axisOf(axis, len(data.shape))
	if err != nil {
		return nil, err
	}
	for d := range idx.shape {
		if d != a && idx.shape[d] > data.shape[d] {
			return nil, fmt.Errorf("indices %v do not fit data %v", idx.shape, data.shape)
		}
	}
	list, err := c.intsOf(1)
	if err != nil {
		return nil, err
	}
	strides := stridesOf(data.shape)
	step := strides[a]
	strides[a] = 0
	var failure error
	eachIndex(idx.shape, strides, func(i, o int) {
		k, err := wrapIndex(list[i], data.shape[a])
		if err != nil {
			failure = err
		}
		list[i] = o + k*step
	})
	return list, failure
}

func buildGatherElements(s *spec) (operation, error) {
	axis := s.int("axis", 0)
	return func(c *call) error {
		x, idx, err := c.pair()
		if err != nil {
			return err
		}
		offsets, err := elementOffsets(c, x, idx, axis)
		if err != nil {
			return err
		}
		out, err := c.output(0, x.dt, idx.shape...)
		if err != nil {
			return err
		}
		for i, o := range offsets {
			copyRange(out, i, x, o, 1)
		}
		return nil
	}, nil
}

func buildScatterElements(s *spec) (operation, error) {
	axis, red := s.int("axis", 0), s.str("reduction", "none")
	return func(c *call) error {
		x, idx, err := c.pair()
		if err != nil {
			return err
		}
		upd, err := c.need(2)
		if err != nil {
			return err
		}
		if !slices.Equal(idx.shape, upd.shape) || upd.dt != x.dt {
			return fmt.Errorf("updates do not fit: %s", describeAll(c.in))
		}
		offsets, err := elementOffsets(c, x, idx, axis)
		if err != nil {
			return err
		}
		out, err := c.output(0, x.dt, x.shape...)
		if err != nil {
			return err
		}
		copyElems(out, x)
		for i, o := range offsets {
			if err := combine(out, o, upd, i, 1, red); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// combine writes n elements of upd into out, through a reduction.
func combine(out *tensor, o int, upd *tensor, u, n int, red string) error {
	ops := map[string]arithOp{"add": opAdd, "mul": opMul, "max": opMax, "min": opMin}
	if red == "none" || red == "" {
		copyRange(out, o, upd, u, n)
		return nil
	}
	op, ok := ops[red]
	if !ok {
		return fmt.Errorf("reduction %q is not known", red)
	}
	switch out.dt {
	case f32:
		combineAs[float32](op, out, o, upd, u, n)
	case f64:
		combineAs[float64](op, out, o, upd, u, n)
	case i32:
		combineAs[int32](op, out, o, upd, u, n)
	case i64:
		combineAs[int64](op, out, o, upd, u, n)
	default:
		return fmt.Errorf("does not reduce %v", out.dt)
	}
	return nil
}

func combineAs[T number](op arithOp, out *tensor, o int, upd *tensor, u, n int) {
	dst := view[T](out)[o : o+n]
	arithInner(op, dst, dst, view[T](upd)[u:], 1, 1)
}

// ndOffsets turns rows of indices into offsets of slices of data.
func ndOffsets(c *call, data, idx *tensor, batchDims int) (offsets []int, inner int, err error) {
	if len(idx.shape) == 0 || batchDims < 0 || batchDims >= len(idx.shape) || batchDims > len(data.shape) {
		return nil, 0, fmt.Errorf("indices %v do not fit data %v", idx.shape, data.shape)
	}
	k := idx.shape[len(idx.shape)-1]
	if batchDims+k > len(data.shape) {
		return nil, 0, fmt.Errorf("indices %v do not fit data %v", idx.shape, data.shape)
	}
	list, err := c.intsOf(1)
	if err != nil {
		return nil, 0, err
	}
	strides := stridesOf(data.shape)
	inner = product(data.shape[batchDims+k:])
	perBatch := product(idx.shape[batchDims : len(idx.shape)-1])
	batchSize := product(data.shape[batchDims:])
	rows := product(idx.shape[:len(idx.shape)-1])
	for r := range rows {
		o := 0
		if perBatch > 0 {
			o = r / perBatch * batchSize
		}
		for d := range k {
			i, err := wrapIndex(list[r*k+d], data.shape[batchDims+d])
			if err != nil {
				return nil, 0, err
			}
			o += i * strides[batchDims+d]
		}
		offsets = append(offsets, o)
	}
	return offsets, inner, nil
}

func buildGatherND(s *spec) (operation, error) {
	batchDims := s.int("batch_dims", 0)
	return func(c *call) error {
		x, idx, err := c.pair()
		if err != nil {
			return err
		}
		offsets, inner, err := ndOffsets(c, x, idx, batchDims)
		if err != nil {
			return err
		}
		k := idx.shape[len(idx.shape)-1]
		shape := append(slices.Clone(idx.shape[:len(idx.shape)-1]), x.shape[batchDims+k:]...)
		out, err := c.output(0, x.dt, shape...)
		if err != nil {
			return err
		}
		for i, o := range offsets {
			copyRange(out, i*inner, x, o, inner)
		}
		return nil
	}, nil
}

func buildScatterND(s *spec) (operation, error) {
	red := s.str("reduction", "none")
	return func(c *call) error {
		x, idx, err := c.pair()
		if err != nil {
			return err
		}
		upd, err := c.need(2)
		if err != nil {
			return err
		}
		offsets, inner, err := ndOffsets(c, x, idx, 0)
		if err != nil {
			return err
		}
		if upd.n != len(offsets)*inner || upd.dt != x.dt {
			return fmt.Errorf("updates do not fit: %s", describeAll(c.in))
		}
		out, err := c.output(0, x.dt, x.shape...)
		if err != nil {
			return err
		}
		copyElems(out, x)
		for i, o := range offsets {
			if err := combine(out, o, upd, i*inner, inner, red); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

func buildOneHot(s *spec) (operation, error) {
	axis := s.int("axis", -1)
	return func(c *call) error {
		if err := c.first(3); err != nil {
			return err
		}
		idx, depthT, values := c.in[0], c.in[1], c.in[2]
		depth := int(depthT.at(0))
		if depth < 0 || values.n != 2 {
			return fmt.Errorf("depth %d or values %v are wrong", depth, values.shape)
		}
		a, err := axisOf(axis, len(idx.shape)+1)
		if err != nil {
			return err
		}
		out, err := c.output(0, values.dt, slices.Insert(slices.Clone(idx.shape), a, depth)...)
		if err != nil {
			return err
		}
		outer, inner := product(idx.shape[:a]), product(idx.shape[a:])
		for i := range out.n {
			copyRange(out, i, values, 0, 1)
		}
		for o := range outer {
			for i := range inner {
				k := int(idx.at(o*inner + i))
				if k < 0 {
					k += depth
				}
				if k >= 0 && k < depth {
					copyRange(out, (o*depth+k)*inner+i, values, 1, 1)
				}
			}
		}
		return nil
	}, nil
}

func buildNonZero(*spec) (operation, error) {
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		var hits []int
		for i := range x.n {
			if x.at(i) != 0 {
				hits = append(hits, i)
			}
		}
		rank := max(len(x.shape), 1)
		out, err := c.output(0, i64, rank, len(hits))
		if err != nil {
			return err
		}
		dst := view[int64](out)
		strides := stridesOf(x.shape)
		for k, i := range hits {
			for d, st := range strides {
				dst[d*len(hits)+k] = int64(i / st)
				i %= st
			}
		}
		if len(x.shape) == 0 {
			clear(dst)
		}
		return nil
	}, nil
}

func buildCompress(s *spec) (operation, error) {
	axis, hasAxis := s.int("axis", 0), s.has("axis")
	return func(c *call) error {
		x, cond, err := c.pair()
		if err != nil {
			return err
		}
		shape, a := []int{x.n}, 0
		if hasAxis {
			shape = slices.Clone(x.shape)
			if a, err = axisOf(axis, len(shape)); err != nil {
				return err
			}
		}
		outer, n, inner := splitAt(shape, a)
		var take []int
		for i, v := range view[uint8](cond) {
			if v != 0 {
				if i >= n {
					return fmt.Errorf("condition %d lies outside %v", i, x.shape)
				}
				take = append(take, i)
			}
		}
		shape[a] = len(take)
		out, err := c.output(0, x.dt, shape...)
		if err != nil {
			return err
		}
		at := 0
		for o := range outer {
			for _, i := range take {
				copyRange(out, at, x, (o*n+i)*inner, inner)
				at += inner
			}
		}
		return nil
	}, nil
}

func buildTopK(s *spec) (operation, error) {
	axis, largest, kAttr := s.int("axis", -1), s.int("largest", 1) == 1, s.int("k", 0)
	fromAttr := s.opset < 10
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		k := kAttr
		if !fromAttr {
			ks, err := c.intsOf(1)
			if err != nil || len(ks) != 1 {
				return fmt.Errorf("k is no single integer")
			}
			k = ks[0]
		}
		a, err := axisOf(axis, len(x.shape))
		if err != nil {
			return err
		}
		outer, n, inner := splitAt(x.shape, a)
		if k < 0 || k > n {
			return fmt.Errorf("cannot take %d of %d", k, n)
		}
		shape := slices.Clone(x.shape)
		shape[a] = k
		values, err := c.output(0, x.dt, shape...)
		if err != nil {
			return err
		}
		indices, err := c.output(1, i64, shape...)
		if err != nil {
			return err
		}
		ids := view[int64](indices)
		order := make([]int, n)
		for o := range outer {
			for i := range inner {
				at := func(j int) float64 { return x.at((o*n+j)*inner + i) }
				for j := range order {
					order[j] = j
				}
				slices.SortStableFunc(order, func(p, q int) int {
					if largest {
						p, q = q, p
						if d := cmp.Compare(at(p), at(q)); d != 0 {
							return d
						}
						return 0
					}
					return cmp.Compare(at(p), at(q))
				})
				for j, from := range order[:k] {
					to := (o*k+j)*inner + i
					copyRange(values, to, x, (o*n+from)*inner+i, 1)
					ids[to] = int64(from)
				}
			}
		}
		return nil
	}, nil
}

func buildUnique(s *spec) (operation, error) {
	axis, hasAxis, sorted := s.int("axis", 0), s.has("axis"), s.int("sorted", 1) == 1
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		shape, a := []int{x.n}, 0
		if hasAxis {
			shape = slices.Clone(x.shape)
			if a, err = axisOf(axis, len(shape)); err != nil {
				return err
			}
		}
		outer, n, inner := splitAt(shape, a)
		compareAt := func(p, q int) int {
			for o := range outer {
				for i := range inner {
					u, v := (o*n+p)*inner+i, (o*n+q)*inner+i
					var d int
					if x.dt == text {
						d = cmp.Compare(view[string](x)[u], view[string](x)[v])
					} else {
						d = cmp.Compare(x.at(u), x.at(v))
					}
					if d != 0 {
						return d
					}
				}
			}
			return 0
		}
		order := make([]int, n)
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, compareAt)
		var groups [][]int // members in order of appearance
		for i, p := range order {
			if i > 0 && compareAt(order[i-1], p) == 0 {
				groups[len(groups)-1] = append(groups[len(groups)-1], p)
				continue
			}
			groups = append(groups, []int{p})
		}
		if !sorted {
			slices.SortFunc(groups, func(p, q []int) int { return p[0] - q[0] })
		}
		shape[a] = len(groups)
		out, err := c.output(0, x.dt, shape...)
		if err != nil {
			return err
		}
		first, err := c.output(1, i64, len(groups))
		if err != nil {
			return err
		}
		inverse, err := c.output(2, i64, n)
		if err != nil {
			return err
		}
		counts, err := c.output(3, i64, len(groups))
		if err != nil {
			return err
		}
		for g, members := range groups {
			for o := range outer {
				copyRange(out, (o*len(groups)+g)*inner, x, (o*n+members[0])*inner, inner)
			}
			view[int64](first)[g] = int64(members[0])
			view[int64](counts)[g] = int64(len(members))
			for _, m := range members {
				view[int64](inverse)[m] = int64(g)
			}
		}
		return nil
	}, nil
}
