package goengine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/modules/onnxfile"
)

// gcall is what a pullback sees: the values of its step, the gradients of the
// outputs, and where to put those of the inputs. Gradients are float32
// whatever the values are; values of other float types come widened or
// narrowed to float32.
type gcall struct {
	*call           // frame, step, threads, scratch; in and out are the step's values
	dout  []*tensor // by output, nil for none
	want  []bool
}

// bufferPtr is where a buffer begins.
func bufferPtr(b *buffer) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b.mem)) }

// gradient makes a float32 tensor of unknown content.
func (f *frame) gradient(shape []int) *tensor {
	t := &tensor{dt: f32, shape: append([]int{}, shape...), n: product(shape)}
	if t.n > 0 {
		f.own(t)
	}
	return t
}

// drop releases a gradient.
func (f *frame) drop(id int) {
	if t := f.tape.grads[id]; t != nil {
		f.free(t)
		f.tape.grads[id] = nil
	}
}

// free releases a gradient's memory, also that of a sequence's elements.
func (f *frame) free(t *tensor) {
	for _, e := range t.seq {
		if e != nil {
			f.free(e)
		}
	}
	f.release(t)
}

// add makes t part of the gradient of a value; it takes over t's memory.
func (f *frame) add(id int, t *tensor) { f.tape.grads[id] = f.sum(f.tape.grads[id], t) }

// sum adds two gradients, in the memory of one of them where nobody else
// reads that; either may be nil.
func (f *frame) sum(a, b *tensor) *tensor {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case a.kind == onnxfile.SequenceKind:
		for i := range a.seq {
			a.seq[i] = f.sum(a.seq[i], b.seq[i])
		}
		return a
	case a.n == 0:
		f.release(b)
		return a
	}
	into := a
	if a.buf.refs > 1 {
		if into = b; b.buf.refs > 1 {
			into = f.gradient(a.shape)
		}
	}
	kernel.Add(view[float32](into), view[float32](a), view[float32](b))
	if into != a {
		f.release(a)
	}
	if into != b {
		f.release(b)
	}
	return into
}

// pull walks steps backwards.
func (f *frame) pull(ctx context.Context, from, to int) error {
	p := f.plan
	g := gcall{call: &f.call}
	for i := to - 1; i >= from; i-- {
		s, r := &p.steps[i], &p.reverse[i]
		if r.pullback == nil {
			f.dropOuts(s)
			continue
		}
		any := false
		g.dout = g.dout[:0]
		for _, id := range s.out {
			var d *tensor
			if id >= 0 {
				d = f.tape.grads[id]
			}
			g.dout = append(g.dout, d)
			any = any || d != nil
		}
		if !any {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		f.ctx = ctx
		if err := f.pullStep(&g, s, r); err != nil {
			return err
		}
		f.dropOuts(s)
	}
	return nil
}

func (f *frame) dropOuts(s *step) {
	for _, id := range s.out {
		if id >= 0 {
			f.drop(id)
		}
	}
}

// pullStep calls a step's pullback.
func (f *frame) pullStep(g *gcall, s *step, r *reverseStep) error {
	c := &f.call
	c.step, g.want = s, r.want
	f.lists = f.lists[:0]
	c.in, c.out = c.in[:0], c.out[:0]
	native := len(s.bodies) > 0
	for k, id := range s.in {
		var t *tensor
		if id >= 0 {
			t = f.vals[id]
			if r.pullback.in.has(k) && !native {
				t = asFloat32(t)
			}
		}
		c.in = append(c.in, t)
	}
	for k, id := range s.out {
		var t *tensor
		if id >= 0 {
			t = f.vals[id]
			if r.pullback.out.has(k) && !native {
				t = asFloat32(t)
			}
		}
		c.out = append(c.out, t)
	}
	err := safePull(g, s, r)
	for _, b := range c.scratch {
		f.arena.put(b)
	}
	c.scratch = c.scratch[:0]
	return err
}

// asFloat32 converts other floats; everything else stays.
func asFloat32(t *tensor) *tensor {
	switch {
	case t.kind != onnxfile.TensorKind || t.ptr == nil && t.n > 0:
	case t.dt == f16 || t.dt == bf16:
		return widen(t)
	case t.dt == f64:
		n := newTensor(f32, t.shape...)
		convert[float32](n, view[float64](t))
		return n
	}
	return t
}

// safePull turns a panic into an error and names the node.
func safePull(g *gcall, s *step, r *reverseStep) (err error) {
	defer func() {
		if p := recover(); p != nil {
			if lost := onnxfile.Fault(p); lost != nil {
				err = fmt.Errorf("%v: %w", s.node, lost)
				return
			}
			err = fmt.Errorf("%v: pulling gradients: %v (inputs %s)", s.node, p, describeAll(g.in))
		}
	}()
	if err := r.pullback.pull(g); err != nil {
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		return fmt.Errorf("%v: pulling gradients: %w", s.node, err)
	}
	return nil
}

// wants says whether the gradient of input i is asked for.
func (g *gcall) wants(i int) bool {
	return i < len(g.want) && g.want[i] && (isFloat(g.in[i].dt) || g.in[i].kind == onnxfile.SequenceKind)
}

// give adds t, which may be nil, to the gradient of input i and takes over its
// memory: t has to be finished.
func (g *gcall) give(i int, t *tensor) { g.frame.add(g.step.in[i], t) }

// fresh is a tensor for the gradient of input i, of unknown content.
func (g *gcall) fresh(i int) *tensor { return g.frame.gradient(g.in[i].shape) }

// zero is fresh with zeros.
func (g *gcall) zero(i int) *tensor {
	t := g.fresh(i)
	clear(view[float32](t))
	return t
}

// over is a tensor for the gradient of input i in the memory of that of
// output j where that is as large and nobody else reads it: for element-wise
// products, which may read what they overwrite. It must be asked for at most
// once, for the last gradient that reads output j's.
func (g *gcall) over(i, j int) *tensor {
	d := g.dout[j]
	if d.buf == nil || d.buf.refs != 1 || d.n != product(g.in[i].shape) {
		return g.fresh(i)
	}
	return g.share(i, d)
}

// share is a tensor of input i's shape over the memory of d.
func (g *gcall) share(i int, d *tensor) *tensor {
	if d.kind == onnxfile.SequenceKind {
		return shared(d)
	}
	t := &tensor{dt: f32, shape: append([]int{}, g.in[i].shape...), n: d.n, ptr: d.ptr, buf: d.buf}
	if t.buf != nil {
		t.buf.refs++
	}
	return t
}

// shared is d once more, over the same memory; nil for nil.
func shared(d *tensor) *tensor {
	if d == nil {
		return nil
	}
	t := *d
	t.shape, t.seq = slices.Clone(d.shape), nil
	if t.buf != nil {
		t.buf.refs++
	}
	for _, e := range d.seq {
		t.seq = append(t.seq, shared(e))
	}
	return &t
}

// giveShared gives input i the gradient of output j as it is, summed over the
// dimensions that broadcasting repeated it in.
func (g *gcall) giveShared(i, j int) {
	d := g.dout[j]
	if d.n == product(g.in[i].shape) {
		g.give(i, g.share(i, d))
		return
	}
	t := g.zero(i)
	sumInto(t, d)
	g.give(i, t)
}

// giveReduced gives input i a gradient of the output's shape that broadcasting
// repeated it in; it takes over d's memory.
func (g *gcall) giveReduced(i int, d *tensor) {
	if d.n == product(g.in[i].shape) {
		d.shape = append(d.shape[:0], g.in[i].shape...)
		g.give(i, d)
		return
	}
	t := g.zero(i)
	sumInto(t, d)
	g.frame.release(d)
	g.give(i, t)
}

// sumInto adds src to dst, summed over what dst is repeated in.
func sumInto(dst, src *tensor) {
	if src.n == 0 {
		return
	}
	w := newWalk2(src.shape, dst.shape, src.shape)
	d, s := view[float32](dst), view[float32](src)
	w.each(func(_, a, b int) {
		if w.sa == 0 {
			d[a] += kernel.Sum(s[b : b+w.n])
			return
		}
		kernel.Add(d[a:a+w.n], d[a:a+w.n], s[b:b+w.n])
	})
}
