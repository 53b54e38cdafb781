package goengine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/onnxfile"
)

// Engine is the pure-Go engine. The zero value is ready to use.
type Engine struct{}

// New returns the engine.
func New() *Engine { return &Engine{} }

// Name is "go".
func (*Engine) Name() string { return "go" }

// Load implements [modules.Engine].
func (*Engine) Load(model []byte, opt modules.LoadOptions) (modules.Session, error) {
	m, err := onnxfile.Read(model, opt.Path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", modules.ErrModel, err)
	}
	return load(m, opt)
}

// LoadFile is [Engine.Load] for the model in a file, whose weights stay in the
// file's pages where the engine has no packed copy of them: see [onnxfile.Map]
// for what may happen to the file meanwhile. If it is cut short, runs give an
// error that wraps [onnxfile.ErrLost]. Closing the session gives the file
// back, once no recording needs it any more.
func (*Engine) LoadFile(path string, opt modules.LoadOptions) (modules.Session, error) {
	m, err := onnxfile.Map(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", modules.ErrModel, err)
	}
	s, err := loadMapped(m, opt)
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	if m.Mapped() {
		s.mapped = m
		s.unmap = runtime.AddCleanup(s, func(m *onnxfile.Model) { m.Close() }, m)
	}
	return s, nil
}

// loadMapped is load of a model whose file may be lost meanwhile.
func loadMapped(m *onnxfile.Model, opt modules.LoadOptions) (s *Session, err error) {
	defer watch(&err)()
	return load(m, opt)
}

// watch makes an error of a fault while it is deferred.
func watch(err *error) func() {
	before := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(before)
		if p := recover(); p != nil {
			lost := onnxfile.Fault(p)
			if lost == nil {
				panic(p)
			}
			*err = lost
		}
	}
}

// LoadGraph prepares a model that was read already.
func (*Engine) LoadGraph(m *onnxfile.Model, opt modules.LoadOptions) (modules.Session, error) {
	return load(m, opt)
}

func load(m *onnxfile.Model, opt modules.LoadOptions) (s *Session, err error) {
	defer func() {
		if r := recover(); r != nil {
			if lost := onnxfile.Fault(r); lost != nil {
				r = lost
			}
			s, err = nil, fmt.Errorf("%w: %v", modules.ErrModel, r)
		}
	}()
	if v := m.Opset(); v > maxOpset {
		return nil, &modules.UnsupportedError{Engine: "go", Reason: fmt.Sprintf("operator set %d; the nearest that is known is %d", v, maxOpset)}
	}
	g, err := feed(m.Graph, opt)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", modules.ErrModel, err)
	}
	s = &Session{graph: g}
	for _, v := range g.Inputs {
		ti, err := info(v)
		if err != nil {
			return nil, &modules.UnsupportedError{Engine: "go", Reason: err.Error()}
		}
		s.inputs = append(s.inputs, ti)
	}
	for _, v := range g.Outputs {
		ti, err := info(v)
		if err != nil {
			return nil, &modules.UnsupportedError{Engine: "go", Reason: err.Error()}
		}
		s.outputs = append(s.outputs, ti)
	}
	var keep []string
	for _, name := range opt.Taps {
		if modulesHas(s.outputs, name) {
			continue
		}
		keep = append(keep, name)
		v, ok := g.Values[name]
		ti, err := info(v)
		if !ok || err != nil {
			ti = modules.TensorInfo{DType: modules.Float32}
		}
		ti.Name = name
		s.outputs = append(s.outputs, ti)
	}
	threads := max(opt.Threads, 1)
	p, err := compile(s.graph, m.Opsets, threads, nil, keep)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", modules.ErrModel, err)
	}
	if len(p.unsupported) > 0 {
		return nil, &modules.UnsupportedError{Engine: "go", Operators: p.unsupported,
			Reason: fmt.Sprintf("asked for by %s; operator sets up to %d are known", strings.Join(p.lacking, ", "), maxOpset)}
	}
	p.planMemory(nil) // where the model leaves no dimension open
	s.plan = p
	return s, nil
}

// feed makes inner tensors inputs and leaves out outputs that nobody wants. What
// only served to compute them is gone, unless it is tapped.
func feed(g *onnxfile.Graph, opt modules.LoadOptions) (*onnxfile.Graph, error) {
	if len(opt.Feeds) == 0 && opt.Outputs == nil {
		return g, nil
	}
	for _, name := range slices.Concat(opt.Feeds, opt.Taps) {
		g = g.Unfold(name)
	}
	fed := *g
	fed.Inputs, fed.Nodes = slices.Clone(g.Inputs), slices.Clone(g.Nodes)
	for _, name := range opt.Feeds {
		at := slices.IndexFunc(fed.Nodes, func(n *onnxfile.Node) bool { return slices.Contains(n.Outputs, name) })
		if at < 0 || name == "" {
			return nil, fmt.Errorf("the model computes no inner tensor %q to feed", name)
		}
		n := clone(fed.Nodes[at])
		n.Outputs[slices.Index(n.Outputs, name)] = ""
		fed.Nodes[at] = n
		v, ok := g.Values[name]
		if i := slices.IndexFunc(g.Outputs, func(o onnxfile.Value) bool { return o.Name == name }); i >= 0 {
			v, ok = g.Outputs[i], true
		}
		if !ok || v.Elem == onnxfile.Undefined {
			v = onnxfile.Value{Elem: f32}
		}
		v.Name = name
		fed.Inputs = append(fed.Inputs, v)
	}
	if opt.Outputs != nil {
		fed.Outputs = nil
		for _, v := range g.Outputs {
			if slices.Contains(opt.Outputs, v.Name) {
				fed.Outputs = append(fed.Outputs, v)
			}
		}
		for _, name := range opt.Outputs {
			if !slices.ContainsFunc(fed.Outputs, func(v onnxfile.Value) bool { return v.Name == name }) {
				return nil, fmt.Errorf("the model has no output %q", name)
			}
		}
	}
	outputs := slices.Clone(opt.Taps)
	for _, v := range fed.Outputs {
		outputs = append(outputs, v.Name)
	}
	return live(&fed, outputs), nil
}

func modulesHas(infos []modules.TensorInfo, name string) bool {
	for i := range infos {
		if infos[i].Name == name {
			return true
		}
	}
	return false
}

// Session is a loaded model. It is safe for concurrent use: every run that is
// under way has memory of its own, which the next one takes over.
type Session struct {
	plan            *plan
	inputs, outputs []modules.TensorInfo

	running sync.RWMutex // held for reading by runs, for writing by Close
	closed  bool
	mu      sync.Mutex
	idle    []*frame

	mapped *onnxfile.Model // whose weights the session reads; nil for one that is in memory
	unmap  runtime.Cleanup

	graph     *onnxfile.Graph      // for recordings
	recorders map[string]*recorder // by outputs and inputs
}

var (
	_ modules.IntoSession    = (*Session)(nil)
	_ modules.Differentiable = (*Session)(nil)
)

// Inputs implements [modules.Session].
func (s *Session) Inputs() []modules.TensorInfo { return s.inputs }

// Outputs implements [modules.Session].
func (s *Session) Outputs() []modules.TensorInfo { return s.outputs }

// EngineName is "go".
func (s *Session) EngineName() string { return "go" }

// Stats says what loading made of the model: steps that run, nodes computed
// at load and nodes merged into others.
func (s *Session) Stats() (steps, folded, fused int) {
	return len(s.plan.steps), s.plan.folded, s.plan.fusions
}

// Run implements [modules.Session].
func (s *Session) Run(ctx context.Context, inputs map[string]*modules.Tensor, outputs []string) (map[string]*modules.Tensor, error) {
	result := make(map[string]*modules.Tensor, len(s.outputs))
	if outputs == nil {
		for i := range s.outputs {
			result[s.outputs[i].Name] = &modules.Tensor{}
		}
	}
	for _, name := range outputs {
		result[name] = &modules.Tensor{}
	}
	if err := s.RunInto(ctx, inputs, result); err != nil {
		return nil, err
	}
	return result, nil
}

// RunInto implements [modules.IntoSession].
func (s *Session) RunInto(ctx context.Context, inputs, outputs map[string]*modules.Tensor) error {
	if s.mapped == nil {
		return s.runInto(ctx, inputs, outputs)
	}
	var err error
	func() {
		defer watch(&err)()
		err = s.runInto(ctx, inputs, outputs)
	}()
	return err
}

func (s *Session) runInto(ctx context.Context, inputs, outputs map[string]*modules.Tensor) error {
	s.running.RLock()
	defer s.running.RUnlock()
	if s.closed {
		return modules.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := modules.CheckInputs(s.inputs, inputs); err != nil {
		return err
	}
	for name := range outputs {
		if !modulesHas(s.outputs, name) {
			return modules.UnknownOutput(s.outputs, name)
		}
	}
	f := s.acquire()
	defer s.giveBack(f)
	for i := range s.inputs {
		f.vals[s.plan.inputs[i]].fromPort(inputs[s.inputs[i].Name])
	}
	if err := f.run(ctx); err != nil {
		return err
	}
	for i := range s.outputs {
		t := outputs[s.outputs[i].Name]
		if t == nil {
			continue
		}
		if err := f.vals[s.plan.outputs[i]].toPort(t); err != nil {
			return fmt.Errorf("output %q %w", s.outputs[i].Name, err)
		}
	}
	return nil
}

func (s *Session) acquire() *frame {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.idle); n > 0 {
		f := s.idle[n-1]
		s.idle = s.idle[:n-1]
		return f
	}
	a := &arena{}
	for _, words := range s.plan.buffers {
		a.free = append(a.free, &buffer{mem: make([]uint64, words), words: words})
	}
	return s.plan.newFrame(a)
}

func (s *Session) giveBack(f *frame) {
	f.reset()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle = append(s.idle, f)
}

// Close implements [modules.Session].
func (s *Session) Close() error {
	s.running.Lock()
	defer s.running.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	recorded := s.recorders != nil
	s.idle, s.recorders = nil, nil
	if s.mapped == nil || recorded { // recordings hold the session: the file goes with the last
		return nil
	}
	s.unmap.Stop()
	return s.mapped.Close()
}

var errShape = errors.New("shapes do not fit")
