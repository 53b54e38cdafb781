package goengine

import (
	"fmt"
	"slices"
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
	b, crd := s.int("blocksize", 0), s.str("mode", "DCR") == "CRD"
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
		if crd { // output index: n, c, by, bx, h, w
			copyStrided(out, 0, x, 0, []int{n, ch, b, b, h / b, w / b}, []int{ch * h * w, h * w, w, 1, b * w, b})
			return nil
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
