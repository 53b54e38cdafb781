package frozen

import (
	"context"
	"errors"
	"fmt"
	"image"
	"slices"
	"strings"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/modules/picture"
	"github.com/connectomewire/wire/modules/sound"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/part"
	"github.com/connectomewire/wire/wiring/task"
)

// Modules are a plan's frozen modules, opened. They are safe for concurrent
// use.
type Modules struct {
	plan      *wiring.Plan
	modules   map[string]*modules.Module
	decoders  map[string]*Decoder // that effectors steer
	pins      map[string]string
	key       string
	languages []*Language // by effector; nil for one that does not speak
	parts     []part.Module
	more      []*modules.Module // opened for parts alone
}

// Open opens the modules of a plan. A trained plan insists on those it was
// trained with; an untrained one takes any of the same widths.
func Open(p *wiring.Plan, f library.Finder, engine modules.Engine) (*Modules, error) {
	m := &Modules{plan: p, modules: map[string]*modules.Module{}, decoders: map[string]*Decoder{}, pins: map[string]string{}}
	if err := m.open(f, engine); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

func (m *Modules) open(f library.Finder, engine modules.Engine) error {
	all := map[string]library.Found{}
	for _, ref := range m.plan.Modules {
		sum := ref.SHA256
		if !m.plan.Trained {
			sum = ""
		}
		found, err := f.FindPinned(ref.Name, ref.Source, sum)
		if err != nil {
			return err
		}
		all[ref.Name] = found
		if m.pins[ref.Name], err = library.Pin(found.Files); err != nil {
			return err
		}
		if m.steered(ref.Name) {
			if m.decoders[ref.Name], err = OpenDecoder(found.Files, ref.Name, found.Dir); err != nil {
				return err
			}
			m.key += ref.Name + " " + m.pins[ref.Name] + " steered on " + m.decoders[ref.Name].Engine() + "\n"
			if !m.otherwise(ref.Name) {
				continue
			}
		}
		on := engine
		if m.partsOnly(ref.Name) {
			on = goengine.New()
		}
		opened, err := modules.Open(found.Files, ref.Name, on, modules.Options{Path: found.Dir})
		if err != nil {
			return err
		}
		m.modules[ref.Name] = opened
		m.key += ref.Name + " " + m.pins[ref.Name] + " on " + opened.Engine() + "\n"
	}
	for i := range m.plan.Senses {
		if err := m.checkSense(&m.plan.Senses[i]); err != nil {
			return err
		}
	}
	m.languages = make([]*Language, len(m.plan.Effectors))
	for i := range m.plan.Effectors {
		if m.plan.Effectors[i].Head != head.NameLanguage {
			continue
		}
		var err error
		if m.languages[i], err = m.connectLanguage(i); err != nil {
			return err
		}
	}
	return m.openParts(context.Background(), all)
}

// checkSense finds the ports that a sense needs, at their widths.
func (m *Modules) checkSense(s *wiring.Sense) error {
	for _, e := range s.All() {
		if e.Module == "" {
			continue // numbers, given as they are
		}
		module := m.modules[e.Module]
		if module == nil {
			return fmt.Errorf("plan %q: sense %q needs module %q, which its list of modules lacks", m.plan.Name, s.Name, e.Module)
		}
		kind := e.Kind
		if kind == wiring.KindMemory {
			kind = modules.KindText // it understands the values that come back
		}
		if _, err := inputOf(module, kind); err != nil {
			return fmt.Errorf("sense %q: %w", s.Name, err)
		}
		out := module.Manifest.Output(e.Port)
		if out == nil {
			return fmt.Errorf("module %q has no output %q, which sense %q needs", e.Module, e.Port, s.Name)
		}
		if o := port(module.Manifest, out); o.Width != s.Width || o.Places != s.Places {
			return fmt.Errorf("module %q: output %q is %s; the plan was built for %d numbers", e.Module, e.Port, o, s.Numbers())
		}
	}
	return nil
}

// inputOf returns the name of a module's one input of a kind.
func inputOf(m *modules.Module, kind string) (string, error) {
	var have []string
	for _, p := range m.Manifest.Inputs {
		if p.Kind == kind {
			return p.Name, nil
		}
		have = append(have, p.Name+" ("+p.Kind+")")
	}
	return "", fmt.Errorf("module %q has no input of kind %s; it takes %s", m.Manifest.Name, kind, strings.Join(have, ", "))
}

// Close releases the modules.
func (m *Modules) Close() error {
	var all []error
	for _, ref := range m.plan.Modules {
		if opened := m.modules[ref.Name]; opened != nil {
			all = append(all, opened.Close())
		}
		if opened := m.decoders[ref.Name]; opened != nil {
			all = append(all, opened.Close())
		}
	}
	for _, opened := range m.more {
		all = append(all, opened.Close())
	}
	return errors.Join(all...)
}

// Module returns an opened module of the plan, or nil.
func (m *Modules) Module(name string) *modules.Module { return m.modules[name] }

// Engine names the engine that runs the modules; several are joined by "+".
func (m *Modules) Engine() string {
	var names []string
	for _, ref := range m.plan.Modules {
		engine := ""
		if d := m.decoders[ref.Name]; d != nil {
			engine = d.Engine()
		}
		if x := m.modules[ref.Name]; x != nil {
			engine += "+" + x.Engine()
		}
		for _, n := range strings.Split(engine, "+") {
			if n != "" && !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	return strings.Join(names, "+")
}

// Pin makes a plan insist on these modules from now on; training does.
func (m *Modules) Pin(p *wiring.Plan) {
	for i := range p.Modules {
		if sum, ok := m.pins[p.Modules[i].Name]; ok {
			p.Modules[i].SHA256 = sum
		}
	}
}

// Key identifies the modules, by their checksums, and the engines that run
// them: two engines give different last bits.
func (m *Modules) Key() string { return m.key }

// EncoderFor returns the sense's way in for inputs of a kind.
func EncoderFor(s *wiring.Sense, kind string) (wiring.Encoder, bool) {
	all := s.All()
	if i := slices.IndexFunc(all, func(e wiring.Encoder) bool { return e.Kind == kind }); i >= 0 {
		return all[i], true
	}
	return wiring.Encoder{}, false
}

// Encode returns what a sense's module makes of values of one kind, [values,
// numbers]: pictures (image.Image), sounds ([task.Sound]) or texts (string).
// Pictures go through the module together.
func (m *Modules) Encode(ctx context.Context, s *wiring.Sense, kind string, values []any) ([]float32, error) {
	e, ok := EncoderFor(s, kind)
	if !ok {
		return nil, fmt.Errorf("sense %q takes no input of kind %s", s.Name, kind)
	}
	module := m.modules[e.Module]
	if kind == modules.KindText {
		texts := make([]string, len(values))
		for i, v := range values {
			texts[i], _ = v.(string)
		}
		return encodeTexts(ctx, module, e.Port, s.Numbers(), texts)
	}
	out, err := look(ctx, module, s, kind, []want{{e.Port, s.Numbers()}}, values)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// look runs a module over pictures and sounds and returns outputs, each
// [values, numbers]: of a picture that the sense takes several views of, the
// mean over them.
func look(ctx context.Context, module *modules.Module, s *wiring.Sense, kind string, wants []want, values []any) ([][]float32, error) {
	in, err := inputsOf(s, kind, values)
	if err != nil {
		return nil, err
	}
	out, err := run(ctx, module, kind, wants, in)
	if err != nil || len(in) == len(values) {
		return out, err
	}
	views := len(in) / len(values)
	for k, w := range wants {
		mean := make([]float32, len(values)*w.numbers)
		for i, x := range out[k] {
			mean[i/(w.numbers*views)*w.numbers+i%w.numbers] += x / float32(views)
		}
		out[k] = mean
	}
	return out, nil
}

// inputsOf makes a module's inputs of pictures, in every view that the sense
// takes, and sounds.
func inputsOf(s *wiring.Sense, kind string, values []any) ([]modules.Input, error) {
	in := make([]modules.Input, 0, len(values))
	for _, v := range values {
		switch v := v.(type) {
		case image.Image:
			for view := range max(s.Views, 1) {
				in = append(in, picture.Look{Image: picture.Image{Image: v}, View: picture.View(view)})
			}
		case task.Sound:
			in = append(in, sound.Clip{Samples: v.Samples, Rate: v.Rate})
		default:
			return nil, fmt.Errorf("sense %q of kind %s was given %T", s.Name, kind, v)
		}
	}
	return in, nil
}

// want is an output and its numbers for one input.
type want struct {
	port    string
	numbers int
}

// ports are the outputs' names.
func ports(wants []want) []string {
	names := make([]string, len(wants))
	for i, w := range wants {
		names[i] = w.port
	}
	return names
}

// run prepares inputs, runs them as a batch, and returns outputs, each [inputs,
// numbers]. Inputs that the module takes in chunks run one by one, and the
// vectors of their chunks are averaged.
func run(ctx context.Context, module *modules.Module, kind string, wants []want, in []modules.Input) ([][]float32, error) {
	name, err := inputOf(module, kind)
	if err != nil {
		return nil, err
	}
	if p := module.Manifest.Input(name); p.Sound != nil && p.Sound.Chunk > 0 || len(module.Manifest.States) > 0 {
		return runChunks(ctx, module, name, wants, in)
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
	out, err := module.Run(ctx, map[string]*modules.Tensor{name: batch}, ports(wants)...)
	if err != nil {
		return nil, err
	}
	all := make([][]float32, len(wants))
	for k, w := range wants {
		if all[k] = out[w.port].F32; len(all[k]) != len(in)*w.numbers {
			// Sounds of several windows: a row each, which can only be told
			// apart one input at a time.
			return runChunks(ctx, module, name, wants, in)
		}
	}
	return all, nil
}

func runChunks(ctx context.Context, module *modules.Module, name string, wants []want, in []modules.Input) ([][]float32, error) {
	all := make([][]float32, len(wants))
	for _, x := range in {
		out, err := module.Encode(ctx, map[string]modules.Input{name: x}, ports(wants)...)
		if err != nil {
			return nil, err
		}
		for k, w := range wants {
			v := out[w.port].F32
			if len(v) == 0 || len(v)%w.numbers != 0 {
				return nil, fmt.Errorf("module %q: output %q has %d numbers; want rows of %d", module.Manifest.Name, w.port, len(v), w.numbers)
			}
			mean := make([]float32, w.numbers)
			rows := len(v) / w.numbers
			for i, x := range v {
				mean[i%w.numbers] += x / float32(rows)
			}
			all[k] = append(all[k], mean...)
		}
	}
	return all, nil
}

// encodeTexts returns the vector of each text, [texts, width]; zero for a text
// without a known word.
func encodeTexts(ctx context.Context, module *modules.Module, port string, width int, texts []string) ([]float32, error) {
	const batch = 512
	name, err := inputOf(module, modules.KindText)
	if err != nil {
		return nil, err
	}
	out := make([]float32, len(texts)*width)
	tokenizer := module.Tokenizer(name)
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
			got, err := module.Run(ctx, map[string]*modules.Tensor{name: modules.Ints(flat, len(group), length)}, port)
			if err != nil {
				return nil, err
			}
			if len(got[port].F32) != len(group)*width {
				return nil, fmt.Errorf("module %q: output %q has %d numbers for %d texts; want %d each", module.Manifest.Name, port, len(got[port].F32), len(group), width)
			}
			for k, i := range group {
				copy(out[i*width:][:width], got[port].F32[k*width:][:width])
			}
		}
	}
	return out, nil
}

// EncodeValues returns the vectors of a memory's values, texts, [values,
// width]: what its module makes of them.
func (m *Modules) EncodeValues(ctx context.Context, memory *wiring.Sense, values []string) ([]float32, error) {
	return encodeTexts(ctx, m.modules[memory.Module], memory.Port, memory.Width, values)
}

// textPort is the output of a module that gives its input's vector in the space
// of texts.
const textPort = "text_embedding"

// EncodeWithText is [Modules.Encode] of one value, and beside it the value's
// vector in the space of texts, of the given width: the module's output
// "text_embedding", from the same run, or the sense's own port when it is as
// wide; nil where there is neither.
func (m *Modules) EncodeWithText(ctx context.Context, s *wiring.Sense, kind string, value any, semantic int) (vector, text []float32, err error) {
	e, _ := EncoderFor(s, kind)
	if module := m.modules[e.Module]; module != nil && semantic > 0 {
		beside := module.Manifest.Output(textPort)
		if own := beside != nil && beside.Name != e.Port && beside.Width() == semantic; own && kind == modules.KindText {
			words, _ := value.(string)
			if text, err = encodeTexts(ctx, module, textPort, semantic, []string{words}); err != nil {
				return nil, nil, err
			}
			vector, err = m.Encode(ctx, s, kind, []any{value})
			return vector, text, err
		} else if own {
			out, err := look(ctx, module, s, kind, []want{{e.Port, s.Numbers()}, {textPort, semantic}}, []any{value})
			if err != nil {
				return nil, nil, err
			}
			return out[0], out[1], nil
		}
	}
	if vector, err = m.Encode(ctx, s, kind, []any{value}); err == nil && semantic > 0 && s.Numbers() == semantic {
		text = vector
	}
	return vector, text, err
}
