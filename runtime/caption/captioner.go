package caption

import (
	"context"
	"errors"
	"fmt"
	"image"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/connectomewire/wire/datasets/metrics"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/picture"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/wiring"
)

// Captioner says what it sees and hears. It is safe for concurrent use;
// captions of several goroutines are made one after the other.
type Captioner struct {
	plan    *wiring.Plan
	models  *Models
	config  runtime.Config
	lexicon *lexicon
	readout *wiring.Readout
	plain   *runtime.Network // fast
	traced  *runtime.Network // made when first asked for
	cider   *metrics.CIDEr   // of remembered captions; nil without a memory
	mu      sync.Mutex
}

// New makes a captioner of a plan and its opened modules. config.Trace is
// ignored: each call says whether it wants a trace.
func New(ctx context.Context, p *wiring.Plan, m *Models, config runtime.Config) (*Captioner, error) {
	config.Trace = false
	net, err := runtime.New(p, config)
	if err != nil {
		return nil, err
	}
	readout, err := p.Readout(0)
	if err != nil {
		return nil, err
	}
	words, err := newLexicon(ctx, p, m)
	if err != nil {
		return nil, err
	}
	c := &Captioner{plan: p, models: m, config: config, lexicon: words, readout: readout, plain: net}
	if p.Memory != nil {
		documents := make([][]string, len(p.Memory.Captions))
		for i, caption := range p.Memory.Captions {
			documents[i] = []string{caption}
		}
		c.cider = metrics.NewCIDEr(documents)
	}
	return c, nil
}

// Engine names the engine that runs the modules.
func (c *Captioner) Engine() string { return c.models.Engine() }

// Input is a picture, a sound, or both.
type Input struct {
	Image image.Image // nil for none
	Sound []float32   // mono samples; nil for none
	Rate  int         // samples a second
}

// Encoded is what the modules made of an input.
type Encoded struct {
	// Senses holds each sense's vector as the module gave it, by the plan's
	// senses; nil for a sense that got nothing.
	Senses [][]float32
	// Text is the input's vector in the contrastive text space, nil when no
	// module gives one. Only minimum-Bayes-risk decoding uses it.
	Text []float32
	// Recalled are the episodes of the plan's memory that came to mind, the
	// likest first.
	Recalled []wiring.Recollection
	memory   *wiring.Memory // that Recalled belongs to
	// Calls are the modules' calls, with times since Began.
	Calls []runtime.Call
	Began time.Time
	// Faults say which modules were silenced.
	Faults []string
}

// Encode runs the senses' modules over one input, side by side.
func (c *Captioner) Encode(ctx context.Context, in Input) (*Encoded, error) {
	out := &Encoded{Senses: make([][]float32, len(c.plan.Senses)), Began: time.Now()}
	type answer struct {
		vector, text []float32
		call         runtime.Call
		err          error
	}
	answers := make([]*answer, len(c.plan.Senses))
	var wg sync.WaitGroup
	for i := range c.plan.Senses {
		s := &c.plan.Senses[i]
		var given modules.Input
		switch {
		case s.Kind == modules.KindImage && in.Image != nil:
			given = picture.Image{Image: in.Image}
		case s.Kind == modules.KindSound && in.Sound != nil:
			given = clip(in.Sound, in.Rate)
		default:
			continue
		}
		a := &answer{}
		answers[i] = a
		wg.Go(func() {
			begin := time.Since(out.Began)
			a.vector, a.text, a.err = c.sense(ctx, s, given)
			a.call = runtime.Call{Module: s.Module, Begin: begin, End: time.Since(out.Began)}
		})
	}
	wg.Wait()
	texts := 0
	for i, a := range answers {
		if a == nil {
			continue
		}
		out.Calls = append(out.Calls, a.call)
		if errors.Is(a.err, runtime.ErrSilenced) {
			out.Faults = append(out.Faults, a.err.Error())
			continue
		}
		if a.err != nil {
			return nil, a.err
		}
		out.Senses[i] = a.vector
		if a.text == nil {
			continue
		}
		if out.Text == nil {
			out.Text = make([]float32, len(a.text))
		}
		f := wiring.InverseLength(a.text)
		for k, v := range a.text {
			out.Text[k] += f * v
		}
		texts++
	}
	c.remember(out)
	return out, nil
}

// remember lets the input bring back episodes.
func (c *Captioner) remember(in *Encoded) {
	memory, cue := c.plan.MemorySense()
	m := c.plan.Memory
	if m == nil || memory < 0 || cue < 0 || in.Senses[cue] == nil || c.forgetful(memory) {
		return
	}
	in.memory = m
	in.Recalled = m.Recall(in.Senses[cue], wiring.RecallEpisodes, nil)
	in.Senses[memory] = make([]float32, m.ValueWidth)
	m.Remember(in.Senses[memory], in.Recalled)
}

// forgetful says whether every region of the memory is lesioned.
func (c *Captioner) forgetful(memory int) bool {
	for _, j := range c.plan.Senses[memory].Regions {
		if !slices.Contains(c.config.LesionRegions, j) {
			return false
		}
	}
	return true
}

// sense runs one sense's module, guarded.
func (c *Captioner) sense(ctx context.Context, s *wiring.Sense, in modules.Input) (vector, text []float32, err error) {
	type pair struct{ vector, text []float32 }
	answer := make(chan pair, 1)
	module := c.models.modules[s.Module]
	err = c.config.Guard(ctx, s.Module, func(ctx context.Context) error {
		name, err := inputOf(module, s.Kind)
		if err != nil {
			return err
		}
		ports := []string{s.Port}
		textPort := c.textPort(s)
		if textPort != "" && textPort != s.Port {
			ports = append(ports, textPort)
		}
		out, err := module.Encode(ctx, map[string]modules.Input{name: in}, ports...)
		if err != nil {
			return err
		}
		p := pair{vector: out[s.Port].F32}
		if textPort != "" {
			p.text = out[textPort].F32
		}
		if len(p.vector) != s.Width {
			return fmt.Errorf("its output %q has %d numbers; want %d", s.Port, len(p.vector), s.Width)
		}
		if err := errors.Join(runtime.CheckFinite(p.vector), runtime.CheckFinite(p.text)); err != nil {
			return err
		}
		answer <- p
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	p := <-answer
	return p.vector, p.text, nil
}

// textPort is the output of a sense's module that lies in the text space:
// "text_embedding", or the sense's own port when it is as wide.
func (c *Captioner) textPort(s *wiring.Sense) string {
	manifest := c.models.modules[s.Module].Manifest
	if out := manifest.Output("text_embedding"); out != nil && out.Width() == c.lexicon.semantic {
		return out.Name
	}
	if s.Width == c.lexicon.semantic {
		return s.Port
	}
	return ""
}

// Options say how captions are decoded.
type Options struct {
	// Beam is the number of beams; 0 or 1 is greedy decoding. More than one
	// chooses among the found captions by minimum Bayes risk.
	Beam int
	// Temperature of the candidates' weights; lower trusts the input's
	// likeness to a caption more.
	Temperature float64
	// Likelihood is the power of a spoken caption's own probability in its
	// weight, beside its likeness to the input.
	Likelihood float64
	// Spoken is the share of belief, 0 to 1, that goes to what the beams
	// found; the rest goes to the captions of the episodes that the plan's
	// memory recalls. With 0 only those captions can be chosen. It does not
	// matter for an input that recalls nothing.
	Spoken float64
	// Sharpness of belief in recalled captions: it multiplies the cosine of
	// their episodes; more trusts the likest episode more.
	Sharpness float64
	// Trace records what the network did for each caption.
	Trace bool
}

// Greedy is the plan's own decoding.
func Greedy() Options { return Options{} }

// Better is beam search with sixteen beams and minimum-Bayes-risk choice: most
// belief goes to what the beams found, and of that to what is likest the input;
// the rest to what the plan remembers. Chosen on validation data, two seeds of
// the shipped plan: shares of 0.7 to 1 and temperatures of 0.03 to 0.05 do
// about equally well.
func Better() Options {
	return Options{Beam: 16, Temperature: 0.03, Likelihood: 0.3, Spoken: 0.85, Sharpness: wiring.RecallSharpness}
}

// MemoryAlone chooses among recalled captions only, as if nothing were spoken.
func MemoryAlone() Options {
	return Options{Beam: 16, Temperature: 0.1, Spoken: 0, Sharpness: wiring.RecallSharpness}
}

// Validate reports the first option out of range.
func (o Options) Validate() error {
	if o.Beam < 0 || o.Beam > 1024 {
		return fmt.Errorf("caption: %d beams; want 0 (greedy) to 1024", o.Beam)
	}
	if o.Beam > 1 && !(o.Temperature > 0) {
		return fmt.Errorf("caption: temperature %v; want more than 0", o.Temperature)
	}
	if !(o.Likelihood >= 0 && o.Likelihood <= 1e3) {
		return fmt.Errorf("caption: a likelihood of power %v; want 0 or more", o.Likelihood)
	}
	if !(o.Spoken >= 0 && o.Spoken <= 1) {
		return fmt.Errorf("caption: a share of %v for what is spoken; want 0 to 1", o.Spoken)
	}
	if !(o.Sharpness >= 0 && o.Sharpness <= 1e6) {
		return fmt.Errorf("caption: a sharpness of %v; want 0 or more", o.Sharpness)
	}
	return nil
}

// Caption is what was said.
type Caption struct {
	Text   string
	Tokens []string
	// Confidence is the mean probability of the caption's words and of its
	// end, each given the words before: how sure the plan was of its words,
	// not how likely they are right.
	Confidence float64
	// Trace is nil unless asked for.
	Trace *runtime.Trace
	// Faults say what was silenced on the way.
	Faults []string
}

// rows bounds how many captions, or beams, are stepped side by side.
const rows = 128

// Captions captions encoded inputs. The result does not depend on how many
// are given at once.
func (c *Captioner) Captions(ctx context.Context, inputs []*Encoded, o Options) ([]Caption, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []Caption
	size := max(1, rows/max(o.Beam, 1))
	for lo := 0; lo < len(inputs); lo += size {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		group := inputs[lo:min(lo+size, len(inputs))]
		var err error
		var said []Caption
		if o.Beam > 1 {
			said, err = c.better(ctx, group, o)
		} else if !o.Trace {
			said, err = c.say(ctx, c.plain, group, nil)
		} else {
			said, err = c.trace(ctx, group, nil)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, said...)
	}
	return out, nil
}

// trace says captions one by one in the traced network: chosen greedily, or
// as told.
func (c *Captioner) trace(ctx context.Context, group []*Encoded, told [][]int32) ([]Caption, error) {
	if c.traced == nil {
		config := c.config
		config.Trace = true
		net, err := runtime.New(c.plan, config)
		if err != nil {
			return nil, err
		}
		c.traced = net
	}
	var out []Caption
	for i, in := range group {
		var words [][]int32
		if told != nil {
			words = told[i : i+1]
		}
		one, err := c.say(ctx, c.traced, []*Encoded{in}, words)
		if err != nil {
			return nil, err
		}
		t := one[0].Trace
		shift := in.Began.Sub(t.Started)
		for _, call := range in.Calls {
			t.Modules = append(t.Modules, runtime.Call{Module: call.Module, Begin: call.Begin + shift, End: call.End + shift})
		}
		t.Notes = append(t.Notes, in.Faults...)
		t.Said = append(make([]string, c.plan.Stare), one[0].Tokens...)
		out = append(out, one[0])
	}
	return out, nil
}

func (c *Captioner) body(batch int) body {
	return body{
		speaker: &speaker{lexicon: c.lexicon, readout: c.readout},
		models:  c.models, guard: c.config, batch: batch, stares: c.plan.Stare, maxTokens: c.plan.MaxTokens,
		start:  c.models.start,
		record: func(_ string, do func() error) error { return do() },
	}
}

// say runs an episode in which captions are chosen greedily, or are as told.
func (c *Captioner) say(ctx context.Context, net *runtime.Network, group []*Encoded, told [][]int32) ([]Caption, error) {
	voice := &greedy{body: c.body(len(group)), told: told, said: make([]utterance, len(group))}
	var calls []runtime.Call
	began := time.Now()
	if net.Config().Trace {
		voice.record = func(module string, do func() error) error {
			from := time.Since(began)
			err := do()
			calls = append(calls, runtime.Call{Module: module, Begin: from, End: time.Since(began)})
			return err
		}
	}
	res, err := net.Run(ctx, runtime.Episode{
		Batch: len(group), Inputs: Inputs(c.plan, group, 1), Ticks: c.plan.Stare + c.plan.MaxTokens + 1, Voice: voice,
	})
	if err != nil {
		return nil, err
	}
	out := make([]Caption, len(group))
	for i := range out {
		u := &voice.said[i]
		out[i] = c.caption(u.words, u.confidence())
		out[i].Faults = append(append(out[i].Faults, group[i].Faults...), res.Faults...)
		if voice.fault != nil {
			out[i].Faults = append(out[i].Faults, voice.fault.Error())
		}
	}
	if res.Trace != nil {
		shift := began.Sub(res.Trace.Started)
		for _, call := range calls {
			res.Trace.Modules = append(res.Trace.Modules, runtime.Call{Module: call.Module, Begin: call.Begin + shift, End: call.End + shift})
		}
		out[0].Trace = res.Trace
	}
	return out, nil
}

// better runs beam search and minimum-Bayes-risk choice, and then says the
// chosen captions once more for their words' probabilities and the trace.
func (c *Captioner) better(ctx context.Context, group []*Encoded, o Options) ([]Caption, error) {
	voice := &beams{body: c.body(len(group) * o.Beam), width: o.Beam, inputs: len(group)}
	_, err := c.plain.Run(ctx, runtime.Episode{
		Batch: len(group) * o.Beam, Inputs: Inputs(c.plan, group, o.Beam), Ticks: c.plan.Stare + c.plan.MaxTokens + 1, Voice: voice,
	})
	if err != nil {
		return nil, err
	}
	told := make([][]int32, len(group))
	for i, in := range group {
		found := voice.finished[i]
		if len(found) == 0 {
			continue // silenced
		}
		candidates, weights, err := c.believe(ctx, in, found, o)
		if err != nil {
			return nil, err
		}
		told[i] = candidates[consensus(candidates, weights, c.likeness(candidates))]
	}
	if o.Trace {
		return c.trace(ctx, group, told)
	}
	return c.say(ctx, c.plain, group, told)
}

func (c *Captioner) caption(words []int32, confidence float64) Caption {
	out := Caption{Text: c.text(words), Confidence: confidence, Tokens: []string{}}
	for _, w := range words {
		out.Tokens = append(out.Tokens, c.lexicon.Text[w])
	}
	return out
}

func (c *Captioner) text(words []int32) string {
	parts := make([]string, len(words))
	for i, w := range words {
		parts[i] = c.lexicon.Text[w]
	}
	return strings.ReplaceAll(strings.Join(parts, " "), " ,", ",")
}
