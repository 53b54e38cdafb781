package wire

import (
	"context"
	"errors"
	"fmt"
	"os"
	goruntime "runtime"
	"sync"

	"github.com/connectomewire/wire/modules/engine"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
	_ "github.com/connectomewire/wire/wiring/task/all" // the kinds of tasks that plans name
)

// ErrClosed reports a [Runner] that was closed.
var ErrClosed = errors.New("wire: the plan is closed")

// maxNetworks bounds the default pool: a network keeps a goroutine a region
// busy, so that a few of them fill any machine.
const maxNetworks = 4

// maxBatch is how many waiting requests a network answers together.
const maxBatch = 16

// Options say how a plan is run. The zero value suits most programs.
type Options struct {
	// Engine runs the modules: "auto" (the default), "go" or "onnxruntime".
	Engine string
	// Modules is a directory whose subdirectories are preferred to the
	// built-in modules.
	Modules string
	// Networks is the size of the pool: how many batches of requests are
	// stepped at once. 0 is one a processor (GOMAXPROCS), at most 4. Each costs
	// the states of all regions, about 10 MB for 82 regions of 128 numbers and
	// a full batch; parameters and modules are shared.
	Networks int
	// Decoding is how sentences are found; the zero value is greedy, see
	// [answer.Better]. With its Trace, answers have a trace and are made one by
	// one.
	Decoding answer.Options
	// Lesions silence regions, by label, or tracts, as "FROM:TO".
	Lesions []string
	// Config is what to do when modules fail; nil is [runtime.Default].
	Config *runtime.Config
}

// Runner is an opened plan. It is safe for concurrent use.
type Runner struct {
	plan    *wiring.Plan
	modules *frozen.Modules
	session *answer.Session // encodes
	decode  answer.Options
	queue   chan *request

	encoding chan struct{} // holds one for each input that is encoded

	ctx     context.Context // ends when the runner is closed
	cancel  context.CancelFunc
	workers sync.WaitGroup
	mu      sync.RWMutex // held by calls, and taken by Close
	closed  bool
}

// Open opens the plan in a directory; "default" is the built-in plan where
// there is no directory of that name.
func Open(ctx context.Context, plan string, o Options) (*Runner, error) {
	if _, err := os.Stat(plan); err != nil && plan == "default" {
		p, err := wiring.DefaultPlan()
		if err != nil {
			return nil, err
		}
		return OpenPlan(ctx, p, "", o)
	}
	p, err := wiring.Load(plan)
	if err != nil {
		return nil, err
	}
	return OpenPlan(ctx, p, plan, o)
}

// OpenPlan opens a plan that is in memory and may not be changed until the
// runner is closed. Modules that it names by relative paths are looked for from
// the directory base; "" for none.
func OpenPlan(ctx context.Context, p *wiring.Plan, base string, o Options) (*Runner, error) {
	config := runtime.Default()
	if o.Config != nil {
		config = *o.Config
	}
	if o.Networks < 0 {
		return nil, fmt.Errorf("wire: a pool of %d networks; want 1 or more, or 0 for the default", o.Networks)
	}
	if err := o.Decoding.Validate(); err != nil {
		return nil, err
	}
	if err := config.Lesion(p, o.Lesions); err != nil {
		return nil, err
	}
	m, err := openModules(p, base, o.Engine, o.Modules)
	if err != nil {
		return nil, err
	}
	r := &Runner{plan: p, modules: m, decode: o.Decoding, queue: make(chan *request), encoding: make(chan struct{}, goruntime.GOMAXPROCS(0))}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	if err := r.start(ctx, config, o.Networks); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// openModules opens a plan's modules on an engine.
func openModules(p *wiring.Plan, base, name, dir string) (*frozen.Modules, error) {
	if name == "" {
		name = engine.NameAuto
	}
	e, err := engine.Open(name, engine.Options{})
	if err != nil {
		return nil, err
	}
	return frozen.Open(p, library.Finder{Dir: dir, Base: base}, e)
}

// start makes the pool.
func (r *Runner) start(ctx context.Context, config runtime.Config, networks int) error {
	if networks == 0 {
		networks = min(goruntime.GOMAXPROCS(0), maxNetworks)
	}
	var err error
	if r.session, err = answer.New(ctx, r.plan, r.modules, config); err != nil {
		return err
	}
	for i := range networks {
		s := r.session
		if i > 0 {
			if s, err = r.session.Another(); err != nil {
				return err
			}
		}
		r.workers.Go(func() { r.work(s) })
	}
	return nil
}

// Plan returns the runner's plan, which may not be changed.
func (r *Runner) Plan() *wiring.Plan { return r.plan }

// Engine names the engine that runs the modules.
func (r *Runner) Engine() string { return r.modules.Engine() }

// Run answers one input: the modules run over what each sense is given, and
// the network until every effector has answered. A sense that is given nothing
// is blank. It returns early when ctx ends.
func (r *Runner) Run(ctx context.Context, in Inputs) (*Answer, error) {
	return r.Listen(ctx, in, nil)
}

// Listen is [Runner.Run] that lets a sentence be heard while it is said: heard
// is called after each word, with the effector and the sentence so far, one call
// at a time and none after Listen has returned. Requests answered together wait
// for it: it should return at once.
func (r *Runner) Listen(ctx context.Context, in Inputs, heard func(effector, sentence string)) (*Answer, error) {
	var out *Answer
	err := r.within(ctx, func(ctx context.Context) error {
		encoded, err := r.encode(ctx, in)
		if err != nil {
			return err
		}
		if heard != nil {
			e := &ear{heard: heard, words: map[string]int{}}
			defer e.close()
			encoded.Heard = e.hear
		}
		a, err := r.ask(ctx, encoded)
		if err != nil {
			return err
		}
		out = &Answer{*a}
		return nil
	})
	return out, err
}

// encode lets the modules run, of so many inputs at once as there are
// processors: more would take memory and no less time.
func (r *Runner) encode(ctx context.Context, in Inputs) (*answer.Encoded, error) {
	select {
	case r.encoding <- struct{}{}:
		defer func() { <-r.encoding }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return r.session.Encode(ctx, in)
}

// ear passes each word on once, until it is closed.
type ear struct {
	mu     sync.Mutex
	heard  func(effector, sentence string)
	words  map[string]int // by effector
	closed bool
}

func (e *ear) hear(effector string, words int, sentence string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || words <= e.words[effector] {
		return
	}
	e.words[effector] = words
	e.heard(effector, sentence)
}

func (e *ear) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
}

// within does something that ends when the runner is closed, with [ErrClosed],
// and that closing waits for.
func (r *Runner) within(ctx context.Context, do func(context.Context) error) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.closed {
		return ErrClosed
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(r.ctx, func() { cancel(ErrClosed) })
	defer stop()
	if err := do(ctx); err != nil {
		return why(ctx, err)
	}
	return nil
}

// why is the reason for which a context ended, where that made the error.
func why(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// Close ends what is running, with [ErrClosed], and releases the modules.
// Closing twice is no error.
func (r *Runner) Close() error {
	r.cancel()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	r.workers.Wait()
	return r.modules.Close()
}
