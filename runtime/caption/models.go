package caption

import (
	"context"
	"errors"
	"fmt"
	"image"
	"slices"
	"strings"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/picture"
	"github.com/connectomewire/wire/modules/sound"
	"github.com/connectomewire/wire/wiring"
)

// Marks in a language module's vocabulary.
const (
	markStart = "<caption>"
	markEnd   = "<eos>"
)

// Models are a plan's frozen modules, opened. They are safe for concurrent
// use and are what [learn.Prepare] and a [Captioner] run.
type Models struct {
	plan    *wiring.Plan
	modules map[string]*modules.Module
	pins    map[string]string
	key     string

	language, text *modules.Module
	lang           languagePorts
	textIn         string // port
	textOut        string
	vocabulary     []string
	tokens         map[string]int32
	start, end     int32
}

// languagePorts are the ports of a language module by what they are for.
type languagePorts struct {
	token, state, next, hidden string
	headHidden, logits         string
}

// Open opens the modules of a plan. A trained plan insists on those it was
// trained with; an untrained one takes any of the same widths.
func Open(p *wiring.Plan, l Library, engine modules.Engine) (*Models, error) {
	m := &Models{plan: p, modules: map[string]*modules.Module{}, pins: map[string]string{}}
	for _, ref := range p.Modules {
		if !p.Trained {
			ref.SHA256 = ""
		}
		found, err := l.FindRef(ref)
		if err != nil {
			m.Close()
			return nil, err
		}
		opened, err := modules.Open(found.Files, ref.Name, engine, modules.Options{Path: found.Dir})
		if err != nil {
			m.Close()
			return nil, err
		}
		m.modules[ref.Name] = opened
		sum, err := pin(found.Files)
		if err != nil {
			m.Close()
			return nil, err
		}
		m.pins[ref.Name] = sum
		m.key += ref.Name + " " + sum + "\n"
	}
	if err := m.connect(); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// connect finds the ports that the plan's senses and effector need.
func (m *Models) connect() error {
	for i := range m.plan.Senses {
		s := &m.plan.Senses[i]
		module := m.modules[s.Module]
		if module == nil {
			return fmt.Errorf("plan %q: sense %q needs module %q, which its list of modules lacks", m.plan.Name, s.Name, s.Module)
		}
		kind := s.Kind
		if kind == wiring.KindMemory {
			kind = modules.KindText // it understands the captions that come back
		}
		if _, err := inputOf(module, kind); err != nil {
			return err
		}
		out := module.Manifest.Output(s.Port)
		if out == nil {
			return fmt.Errorf("module %q has no output %q, which sense %q needs", s.Module, s.Port, s.Name)
		}
		if w := out.Width(); w != s.Width {
			return fmt.Errorf("module %q: output %q is %d wide; the plan was built for %d", s.Module, s.Port, w, s.Width)
		}
	}
	if len(m.plan.Effectors) == 0 {
		return fmt.Errorf("plan %q has no effector: it cannot speak", m.plan.Name)
	}
	e := &m.plan.Effectors[0]
	m.language, m.text = m.modules[e.Module], m.modules[e.Text]
	if m.language == nil || m.text == nil {
		return fmt.Errorf("plan %q: effector %q needs modules %q and %q", m.plan.Name, e.Name, e.Module, e.Text)
	}
	if err := m.connectLanguage(e); err != nil {
		return err
	}
	var err error
	if m.textIn, err = inputOf(m.text, modules.KindText); err != nil {
		return err
	}
	for _, out := range m.text.Manifest.Outputs {
		if out.Kind == modules.KindEmbedding {
			if w := out.Width(); w != e.Semantic {
				return fmt.Errorf("module %q: output %q is %d wide; the plan was built for %d", e.Text, out.Name, w, e.Semantic)
			}
			m.textOut = out.Name
			return nil
		}
	}
	return fmt.Errorf("module %q has no output of kind %s", e.Text, modules.KindEmbedding)
}

func (m *Models) connectLanguage(e *wiring.Effector) error {
	manifest := m.language.Manifest
	if len(manifest.States) != 1 {
		return fmt.Errorf("module %q has %d state loops; a language module has one", e.Module, len(manifest.States))
	}
	m.lang.state, m.lang.next = manifest.States[0].Input, manifest.States[0].Output
	var err error
	if m.lang.token, err = inputOf(m.language, modules.KindTokens); err != nil {
		return err
	}
	for i := range manifest.Outputs {
		out := &manifest.Outputs[i]
		switch {
		case out.Kind == modules.KindLogits:
			m.lang.logits = out.Name
			m.vocabulary = m.language.Labels(out.Name)
			for _, in := range manifest.Inputs {
				if in.Part == out.Part && in.Kind == modules.KindEmbedding {
					m.lang.headHidden = in.Name
				}
			}
		case out.Kind == modules.KindEmbedding:
			m.lang.hidden = out.Name
			if w := out.Width(); w != e.Hidden {
				return fmt.Errorf("module %q: output %q is %d wide; the plan was built for %d", e.Module, out.Name, w, e.Hidden)
			}
		}
	}
	switch {
	case m.lang.hidden == "":
		return fmt.Errorf("module %q has no output of kind %s", e.Module, modules.KindEmbedding)
	case m.lang.logits == "" || m.lang.headHidden == "":
		return fmt.Errorf("module %q has no head: a part from an input of kind %s to an output of kind %s", e.Module, modules.KindEmbedding, modules.KindLogits)
	case len(m.vocabulary) == 0:
		return fmt.Errorf("module %q: output %q has no labels, so its tokens have no words", e.Module, m.lang.logits)
	}
	m.tokens = make(map[string]int32, len(m.vocabulary))
	for i, w := range m.vocabulary {
		m.tokens[w] = int32(i)
	}
	for mark, at := range map[string]*int32{markStart: &m.start, markEnd: &m.end} {
		t, ok := m.tokens[mark]
		if !ok {
			return fmt.Errorf("module %q: its vocabulary has no %s", e.Module, mark)
		}
		*at = t
	}
	return nil
}

// inputOf returns the name of a module's one input of a kind.
func inputOf(m *modules.Module, kind string) (string, error) {
	for _, p := range m.Manifest.Inputs {
		if p.Kind == kind {
			return p.Name, nil
		}
	}
	return "", fmt.Errorf("module %q has no input of kind %s", m.Manifest.Name, kind)
}

// Close releases the modules.
func (m *Models) Close() error {
	var all []error
	for _, ref := range m.plan.Modules {
		if opened := m.modules[ref.Name]; opened != nil {
			all = append(all, opened.Close())
		}
	}
	return errors.Join(all...)
}

// Engine names the engine that runs the modules; several are joined by "+".
func (m *Models) Engine() string {
	var names []string
	for _, ref := range m.plan.Modules {
		for _, n := range strings.Split(m.modules[ref.Name].Engine(), "+") {
			if n != "" && !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	return strings.Join(names, "+")
}

// Pin makes a plan insist on these modules from now on; training does.
func (m *Models) Pin(p *wiring.Plan) {
	for i := range p.Modules {
		if sum, ok := m.pins[p.Modules[i].Name]; ok {
			p.Modules[i].SHA256 = sum
		}
	}
}

// Key identifies the modules by their checksums.
func (m *Models) Key() string { return m.key }

// Image returns what a sense's module makes of pictures, [pictures, width].
func (m *Models) Image(ctx context.Context, s *wiring.Sense, pictures []image.Image) ([]float32, error) {
	in := make([]modules.Input, len(pictures))
	for i, p := range pictures {
		in[i] = picture.Image{Image: p}
	}
	return m.encode(ctx, m.modules[s.Module], s.Kind, s.Port, in)
}

// Sound returns what a sense's module makes of one mono sound, [width].
func (m *Models) Sound(ctx context.Context, s *wiring.Sense, samples []float32, rate int) ([]float32, error) {
	return m.encode(ctx, m.modules[s.Module], s.Kind, s.Port, []modules.Input{clip(samples, rate)})
}

func clip(samples []float32, rate int) sound.Clip {
	return sound.Clip{Samples: samples, Rate: rate}
}

// encode prepares inputs, runs them as a batch and returns one output.
func (m *Models) encode(ctx context.Context, module *modules.Module, kind, port string, in []modules.Input) ([]float32, error) {
	name, err := inputOf(module, kind)
	if err != nil {
		return nil, err
	}
	parts := make([]*modules.Tensor, len(in))
	for i := range in {
		if parts[i], err = module.Prepare(name, in[i]); err != nil {
			return nil, err
		}
	}
	batch, err := modules.Stack(parts...)
	if err != nil {
		return nil, fmt.Errorf("module %q: %w", module.Manifest.Name, err)
	}
	out, err := module.Run(ctx, map[string]*modules.Tensor{name: batch}, port)
	if err != nil {
		return nil, err
	}
	return out[port].F32, nil
}

// Vocabulary lists the language module's tokens.
func (m *Models) Vocabulary() []string { return m.vocabulary }

// Start and End are the tokens before and after a caption.
func (m *Models) Start() int32 { return m.start }

// End is the token after a caption.
func (m *Models) End() int32 { return m.end }

// Tokens turns a text into tokens; ok is false when a word is unknown.
func (m *Models) Tokens(text string) (tokens []int32, ok bool) {
	for _, w := range datasets.Tokenize(text) {
		t, known := m.tokens[w]
		if !known {
			return nil, false
		}
		tokens = append(tokens, t)
	}
	return tokens, true
}

// Body takes one step of the language module for a batch: tokens [n] and
// states [n, hidden], nil for the first step.
func (m *Models) Body(ctx context.Context, tokens []int32, states []float32) (hidden, next []float32, err error) {
	n := len(tokens)
	wide := make([]int64, n)
	for i, t := range tokens {
		wide[i] = int64(t)
	}
	in := map[string]*modules.Tensor{m.lang.token: modules.Ints(wide, n)}
	if states == nil {
		states = make([]float32, n*m.language.Manifest.Input(m.lang.state).Width())
	}
	in[m.lang.state] = modules.Floats(states, n, len(states)/n)
	out, err := m.language.Run(ctx, in, m.lang.hidden, m.lang.next)
	if err != nil {
		return nil, nil, err
	}
	return out[m.lang.hidden].F32, out[m.lang.next].F32, nil
}

// Head turns hidden states, [n, hidden], into scores, [n, vocabulary].
func (m *Models) Head(ctx context.Context, hidden []float32, n int) ([]float32, error) {
	in := map[string]*modules.Tensor{m.lang.headHidden: modules.Floats(hidden, n, len(hidden)/n)}
	out, err := m.language.Run(ctx, in, m.lang.logits)
	if err != nil {
		return nil, err
	}
	return out[m.lang.logits].F32, nil
}

// Vectors returns the text tower's vector of each text, a word or more,
// [texts, semantic]; zero for a text without a known word.
func (m *Models) Vectors(ctx context.Context, texts []string) ([]float32, error) {
	const batch = 512
	width := m.plan.Effectors[0].Semantic
	out := make([]float32, len(texts)*width)
	tokenizer := m.text.Tokenizer(m.textIn)
	// Texts of one length share a batch, so that none is padded.
	byLength := map[int][]int{}
	ids := make([][]int64, len(texts))
	longest := 0
	for i, t := range texts {
		one, err := tokenizer.Encode(t)
		if err != nil {
			continue // no word of it is known: its vector stays zero
		}
		ids[i] = one
		byLength[len(one)] = append(byLength[len(one)], i)
		longest = max(longest, len(one))
	}
	for length := 1; length <= longest; length++ {
		for group := range slices.Chunk(byLength[length], batch) {
			flat := make([]int64, 0, len(group)*length)
			for _, i := range group {
				flat = append(flat, ids[i]...)
			}
			got, err := m.text.Run(ctx, map[string]*modules.Tensor{m.textIn: modules.Ints(flat, len(group), length)}, m.textOut)
			if err != nil {
				return nil, err
			}
			for k, i := range group {
				copy(out[i*width:][:width], got[m.textOut].F32[k*width:][:width])
			}
		}
	}
	return out, nil
}
