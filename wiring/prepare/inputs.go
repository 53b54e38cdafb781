package prepare

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"sync"
	"syscall"

	"github.com/connectomewire/wire/internal/fit"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/task"
)

// chunk is the number of examples whose outputs are cached together.
const chunk = 256

// given is what the modules made of one example.
type given struct {
	vectors [][]float32 // by sense, [views, numbers]
	steps   int
	bad     []string // why an input could not be read
	passing bool     // for a reason that may pass
}

// inputs encodes examples chunk by chunk, from the cache where it has them.
func (r *preparer) inputs(ctx context.Context, what string, examples []task.Example, views int) ([]given, error) {
	out := make([]given, len(examples))
	chunks := (len(examples) + chunk - 1) / chunk
	done := 0
	var mu sync.Mutex
	err := r.parallel(ctx, chunks, func(ctx context.Context, c int) error {
		lo, hi := c*chunk, min((c+1)*chunk, len(examples))
		rows, err := r.chunk(ctx, examples[lo:hi], views)
		if err != nil {
			return err
		}
		copy(out[lo:hi], rows)
		mu.Lock()
		defer mu.Unlock()
		done += hi - lo
		r.o.Progress(what, done, len(examples))
		return nil
	})
	return out, err
}

// chunk encodes some examples. What is permanently unreadable is remembered
// with what was read; where something failed for a reason that may pass,
// nothing is.
func (r *preparer) chunk(ctx context.Context, examples []task.Example, views int) ([]given, error) {
	if r.o.Memo == nil {
		return r.encode(ctx, examples, views)
	}
	rows := make([]given, len(examples))
	keys := make([]string, len(examples))
	var missing []task.Example
	var at []int
	for i := range examples {
		keys[i] = r.chunkKey(examples[i:i+1], views)
		if known, ok := r.o.Memo.rows.Load(keys[i]); ok {
			rows[i] = known.(given)
			rows[i].vectors = slices.Clone(rows[i].vectors) // a memory is added to it
			continue
		}
		missing, at = append(missing, examples[i]), append(at, i)
	}
	if len(missing) == 0 {
		return rows, nil
	}
	fresh, err := r.encode(ctx, missing, views)
	if err != nil {
		return nil, err
	}
	for k, i := range at {
		rows[i] = fresh[k]
		if !fresh[k].passing {
			fresh[k].vectors = slices.Clone(fresh[k].vectors)
			r.o.Memo.rows.Store(keys[i], fresh[k])
		}
	}
	return rows, nil
}

// Memo keeps, while a program runs, what the modules made of single examples:
// folds and seeds meet the same ones again in other company. The zero value is
// empty; it is safe for concurrent use.
type Memo struct{ rows sync.Map }

// encode encodes some examples, from the cache where it has all of them.
func (r *preparer) encode(ctx context.Context, examples []task.Example, views int) ([]given, error) {
	key := r.chunkKey(examples, views)
	if rows, ok := loadChunk(r.o.Cache, key, len(examples), r.data.Numbers); ok {
		return rows, nil
	}
	rows := make([]given, len(examples))
	for i := range rows {
		rows[i].vectors = make([][]float32, len(r.plan.Senses))
	}
	for k := range r.plan.Senses {
		if r.plan.Senses[k].Kind == wiring.KindMemory {
			continue // comes when all episodes are known
		}
		if err := r.sense(ctx, k, examples, views, rows); err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(rows, func(g given) bool { return g.passing }) {
		return rows, nil
	}
	return rows, saveChunk(r.o.Cache, key, rows)
}

// sense encodes what examples give one sense. Pictures go through their module
// in batches. Where the sense takes several views of a picture, a random one of
// training stands for them all.
func (r *preparer) sense(ctx context.Context, k int, examples []task.Example, views int, rows []given) error {
	const batch = 32
	s := &r.plan.Senses[k]
	once := *s
	once.Views = 0
	encode := func(how *wiring.Sense, pictures []any, owner []int) error {
		if len(pictures) == 0 {
			return nil
		}
		v, err := r.modules.Encode(ctx, how, modules.KindImage, pictures)
		if err != nil {
			return fmt.Errorf("prepare: %s: %w", examples[owner[0]].ID, err)
		}
		if err := checkNumbers(v, len(pictures)*s.Numbers()); err != nil {
			return fmt.Errorf("prepare: sense %q on pictures from %s on: %w", s.Name, examples[owner[0]].ID, err)
		}
		for i, at := range owner {
			rows[at].vectors[k] = append(rows[at].vectors[k], v[i*s.Numbers():][:s.Numbers()]...)
		}
		return nil
	}
	var pictures []any
	var owner []int
	for i := range examples {
		e := &examples[i]
		in, ok := e.Inputs[s.Name]
		if !ok {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		value, err := in.Read()
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			rows[i].note(e.ID, err)
			continue
		}
		m, picture := value.(image.Image)
		if !picture {
			if err := r.one(ctx, k, e.ID, in.Kind, value, &rows[i]); err != nil {
				return err
			}
			continue
		}
		if s.Views > 1 {
			if err := encode(s, []any{m}, []int{i}); err != nil {
				return err
			}
		} else {
			pictures, owner = append(pictures, m), append(owner, i)
		}
		if n := viewsOf(e, views); n > 1 {
			from, to := r.viewSides(s)
			square := fit.Square(m, from)
			rng := wiring.Stream(r.o.Seed, "views of "+e.ID)
			for range n - 1 {
				pictures, owner = append(pictures, augment(square, to, e.Mirror, rng)), append(owner, i)
			}
		}
		if len(pictures) >= batch {
			if err := encode(&once, pictures, owner); err != nil {
				return err
			}
			pictures, owner = pictures[:0], owner[:0]
		}
	}
	return encode(&once, pictures, owner)
}

// viewsOf is the number of views of an example's pictures, where there are to
// be so many of others.
func viewsOf(e *task.Example, views int) int {
	if views > 1 && e.Views > 0 {
		return e.Views
	}
	return views
}

// one encodes a single value: a sound or a text by its module, numbers as they
// are.
func (r *preparer) one(ctx context.Context, k int, id, kind string, value any, row *given) error {
	s := &r.plan.Senses[k]
	vector, steps, err := Numbers(s, value)
	if vector == nil && err == nil {
		vector, err = r.modules.Encode(ctx, s, kind, []any{value})
	}
	if err == nil {
		err = checkNumbers(vector, max(steps, 1)*s.Numbers())
	}
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		row.note(id, err)
		return nil
	}
	row.vectors[k] = vector
	row.steps = max(row.steps, steps)
	return nil
}

// Numbers returns what a sense of numbers is given; nil for a value that a
// module must encode first.
func Numbers(s *wiring.Sense, value any) (vector []float32, steps int, err error) {
	switch v := value.(type) {
	case []float32:
		if s.PerTick || len(v) != s.Width {
			return nil, 0, fmt.Errorf("sense %q of kind %s, %d wide, was given a vector of %d numbers", s.Name, s.Kind, s.Width, len(v))
		}
		return v, 0, nil
	case task.Series:
		if !s.PerTick || v.Width != s.Width || v.Steps < 1 || len(v.Values) != v.Steps*v.Width {
			return nil, 0, fmt.Errorf("sense %q of kind %s, %d wide, was given a series of %d steps of %d numbers", s.Name, s.Kind, s.Width, v.Steps, v.Width)
		}
		return v.Values, v.Steps, nil
	}
	return nil, 0, nil
}

// checkNumbers checks the count and that all are numbers.
func checkNumbers(v []float32, want int) error {
	if len(v) != want {
		return fmt.Errorf("%d numbers, want %d", len(v), want)
	}
	if i := slices.IndexFunc(v, func(x float32) bool { return math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) }); i >= 0 {
		return fmt.Errorf("number %d is %v", i, v[i])
	}
	return nil
}

// note notes an input that could not be read.
func (g *given) note(id string, err error) {
	g.bad = append(g.bad, fmt.Sprintf("%s: %v", id, err))
	g.passing = g.passing || mayPass(err)
}

// mayPass says that an error is no fault of the file: it may be gone when the
// same is tried again.
func mayPass(err error) bool {
	for _, passing := range []error{
		context.Canceled, context.DeadlineExceeded, os.ErrDeadlineExceeded, io.ErrClosedPipe, os.ErrClosed, os.ErrPermission, os.ErrNotExist,
		syscall.EMFILE, syscall.ENFILE, syscall.EAGAIN, syscall.EINTR, syscall.ENOMEM, syscall.EIO, syscall.ENOSPC,
	} {
		if errors.Is(err, passing) {
			return true
		}
	}
	return false
}

// viewSides are the sides, in pixels, of the square that views are cut from
// and of the views: the module's own size, and half as much again.
func (r *preparer) viewSides(s *wiring.Sense) (from, to int) {
	to = 64
	if e, ok := frozen.EncoderFor(s, modules.KindImage); ok {
		if m := r.modules.Module(e.Module); m != nil {
			for _, p := range m.Manifest.Inputs {
				if p.Image != nil && len(p.Image.Size) == 2 {
					to = min(p.Image.Size[0], p.Image.Size[1])
				}
			}
		}
	}
	return to * 3 / 2, to
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// Vectors are what the senses' modules made of one example, by sense; nil where
// there is nothing. Steps is that of its series.
type Vectors struct {
	Senses [][]float32
	Steps  int
	// Bad says why an input could not be read.
	Bad []string
}

// Inputs runs the modules over examples, from the cache where they ran before;
// a memory gets nothing.
func Inputs(ctx context.Context, p *wiring.Plan, m *frozen.Modules, examples []task.Example, o Options) ([]Vectors, error) {
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	r := &preparer{plan: p, modules: m, o: o, data: &learn.Data{}}
	for i := range p.Senses {
		r.data.Numbers = append(r.data.Numbers, p.Senses[i].Numbers())
	}
	all, err := r.inputs(ctx, "examples", examples, 1)
	if err != nil {
		return nil, err
	}
	out := make([]Vectors, len(all))
	for i, g := range all {
		out[i] = Vectors{Senses: g.vectors, Steps: g.steps, Bad: g.bad}
	}
	return out, nil
}

// Features lays what the senses gave side by side, each standardised by the
// first examples given, which are the training examples: zeros for a sense that
// an example lacks, nil for an example that has none. Of a series it is the mean
// and the deviation over steps. spans says where each sense's stand: from, to.
func Features(p *wiring.Plan, train []Vectors, more ...[]Vectors) (sets [][][]float32, spans map[string][2]int) {
	raw := func(v *Vectors) [][]float32 {
		out := make([][]float32, len(p.Senses))
		for k, x := range v.Senses {
			switch s := &p.Senses[k]; {
			case len(x) == 0:
			case s.PerTick:
				out[k] = overSteps(x, s.Width)
			default:
				out[k] = x[:min(len(x), s.Numbers())]
			}
		}
		return out
	}
	type moments struct {
		mean  []float64
		scale float64
		n     int
	}
	stats := make([]moments, len(p.Senses))
	for pass := range 2 {
		for i := range train {
			for k, x := range raw(&train[i]) {
				s := &stats[k]
				if x == nil {
					continue
				}
				if s.mean == nil {
					s.mean = make([]float64, len(x))
				}
				if pass == 0 {
					s.n++
				}
				for j, v := range x {
					if pass == 0 {
						s.mean[j] += float64(v)
					} else {
						e := float64(v) - s.mean[j]
						s.scale += e * e / float64(s.n*len(x))
					}
				}
			}
		}
		for k := range stats {
			s := &stats[k]
			if pass == 0 {
				for j := range s.mean {
					s.mean[j] /= float64(s.n)
				}
			} else if s.scale = math.Sqrt(s.scale); s.scale == 0 {
				s.scale = 1
			}
		}
	}
	spans = map[string][2]int{}
	at := 0
	for k := range stats {
		if n := len(stats[k].mean); n > 0 {
			spans[p.Senses[k].Name] = [2]int{at, at + n}
			at += n
		}
	}
	for _, set := range append([][]Vectors{train}, more...) {
		rows := make([][]float32, len(set))
		for i := range set {
			some := false
			var row []float32
			for k, x := range raw(&set[i]) {
				s := &stats[k]
				for j := range s.mean {
					v := 0.0
					if x != nil {
						v = (float64(x[j]) - s.mean[j]) / s.scale
					}
					row = append(row, float32(v))
				}
				some = some || x != nil
			}
			if some {
				rows[i] = row
			}
		}
		sets = append(sets, rows)
	}
	return sets, spans
}

// overSteps is the mean and the deviation of each number over steps.
func overSteps(x []float32, width int) []float32 {
	out := make([]float32, 2*width)
	n := float32(len(x) / width)
	for i, v := range x {
		out[i%width] += v / n
	}
	for i, v := range x {
		e := v - out[i%width]
		out[width+i%width] += e * e / n
	}
	for i := width; i < 2*width; i++ {
		out[i] = float32(math.Sqrt(float64(out[i])))
	}
	return out
}
