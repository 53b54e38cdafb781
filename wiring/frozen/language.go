package frozen

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/connectomewire/wire/internal/words"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/head"
)

// Marks in a language module's vocabulary.
const (
	markStart = "<caption>"
	markEnd   = "<eos>"
	markOther = "<unk>"
)

// Language is the language module of an effector that speaks, with the text
// module that understands what it says. It is safe for concurrent use.
type Language struct {
	effector      *wiring.Effector
	decoder       *Decoder        // of an effector that steers its module; then module is nil
	module, text  *modules.Module // text is nil without a semantic readout
	ports         languagePorts
	textPort      string
	vocabulary    []string
	tokens        map[string]int32
	start, end    int32
	semanticWidth int
	hiddenWidth   int
}

// languagePorts are the ports of a language module by what they are for.
type languagePorts struct {
	token, state, next, hidden string
	headHidden, logits         string
}

// Language returns the language module of an effector; nil for one that does
// not speak.
func (m *Modules) Language(effector int) *Language { return m.languages[effector] }

func (m *Modules) connectLanguage(effector int) (*Language, error) {
	e := &m.plan.Effectors[effector]
	l := &Language{effector: e, module: m.modules[e.Module], decoder: m.decoders[e.Module], text: m.modules[head.TextModule(e)]}
	l.hiddenWidth, l.semanticWidth = head.Widths(e)
	text := head.TextModule(e)
	if l.module == nil && l.decoder == nil || l.text == nil && text != "" {
		return nil, fmt.Errorf("plan %q: effector %q needs modules %q and %q", m.plan.Name, e.Name, e.Module, text)
	}
	connect := l.connect
	if head.Steered(e) {
		connect = func() error { return l.connectDecoder(m.plan) }
	}
	if err := connect(); err != nil {
		return nil, err
	}
	if text == "" {
		return l, nil
	}
	in, err := inputOf(l.text, modules.KindText)
	if err != nil {
		return nil, err
	}
	tower := l.text.Manifest.Input(in).Part // of several in one module
	for _, out := range l.text.Manifest.Outputs {
		if out.Kind == modules.KindEmbedding && out.Width() == l.semanticWidth && out.Part == tower {
			l.textPort = out.Name
			return l, nil
		}
	}
	return nil, fmt.Errorf("module %q has no output of kind %s that is %d wide, for which the plan was built", head.TextModule(e), modules.KindEmbedding, l.semanticWidth)
}

func (l *Language) connect() error {
	name, manifest := l.effector.Module, l.module.Manifest
	if len(manifest.States) != 1 {
		return fmt.Errorf("module %q has %d state loops; a language module has one", name, len(manifest.States))
	}
	l.ports.state, l.ports.next = manifest.States[0].Input, manifest.States[0].Output
	var err error
	if l.ports.token, err = inputOf(l.module, modules.KindTokens); err != nil {
		return err
	}
	for i := range manifest.Outputs {
		out := &manifest.Outputs[i]
		switch {
		case out.Kind == modules.KindLogits:
			l.ports.logits = out.Name
			l.vocabulary = l.module.Labels(out.Name)
			for _, in := range manifest.Inputs {
				if in.Part == out.Part && in.Kind == modules.KindEmbedding {
					l.ports.headHidden = in.Name
				}
			}
		case out.Kind == modules.KindEmbedding:
			l.ports.hidden = out.Name
			if w := out.Width(); w != l.hiddenWidth {
				return fmt.Errorf("module %q: output %q is %d wide; the plan was built for %d", name, out.Name, w, l.hiddenWidth)
			}
		}
	}
	switch {
	case l.ports.hidden == "":
		return fmt.Errorf("module %q has no output of kind %s", name, modules.KindEmbedding)
	case l.ports.logits == "" || l.ports.headHidden == "":
		return fmt.Errorf("module %q has no head: a part from an input of kind %s to an output of kind %s", name, modules.KindEmbedding, modules.KindLogits)
	case len(l.vocabulary) == 0:
		return fmt.Errorf("module %q: output %q has no labels, so its tokens have no words", name, l.ports.logits)
	}
	l.tokens = make(map[string]int32, len(l.vocabulary))
	for i, w := range l.vocabulary {
		l.tokens[w] = int32(i)
	}
	for mark, at := range map[string]*int32{markStart: &l.start, markEnd: &l.end} {
		t, ok := l.tokens[mark]
		if !ok {
			return fmt.Errorf("module %q: its vocabulary has no %s", name, mark)
		}
		*at = t
	}
	return nil
}

// Vocabulary lists the language module's tokens.
func (l *Language) Vocabulary() []string { return l.vocabulary }

// Start and End are the tokens before and after a text.
func (l *Language) Start() int32 { return l.start }

// End is the token after a text.
func (l *Language) End() int32 { return l.end }

// Unknown is the token that stands for words that the module does not know; −1
// for a module without one.
func (l *Language) Unknown() int32 {
	if t, ok := l.tokens[markOther]; ok {
		return t
	}
	return -1
}

// Tokens turns a text into tokens, a word that the module does not know into
// unknown. A tokenizer of pieces of words knows every word.
func (l *Language) Tokens(text string, unknown int32) []int32 {
	if l.decoder != nil {
		return l.decoder.Tokens(text)
	}
	var tokens []int32
	for _, w := range words.Split(text) {
		t, known := l.tokens[w]
		if !known {
			t = unknown
		}
		tokens = append(tokens, t)
	}
	return tokens
}

// step takes one step of a module that goes from state to state, for a batch:
// tokens [n] and states [n, hidden], nil for the first step.
func (l *Language) step(ctx context.Context, tokens []int32, states []float32) (hidden, next []float32, err error) {
	n := len(tokens)
	wide := make([]int64, n)
	for i, t := range tokens {
		wide[i] = int64(t)
	}
	in := map[string]*modules.Tensor{l.ports.token: modules.Ints(wide, n)}
	if states == nil {
		states = make([]float32, n*l.module.Manifest.Input(l.ports.state).Width())
	}
	in[l.ports.state] = modules.Floats(states, n, len(states)/n)
	out, err := l.module.Run(ctx, in, l.ports.hidden, l.ports.next)
	if err != nil {
		return nil, nil, err
	}
	return out[l.ports.hidden].F32, out[l.ports.next].F32, nil
}

// Vectors returns the text tower's vector of each text, a word or more,
// [texts, semantic]; zero for a text without a known word.
func (l *Language) Vectors(ctx context.Context, texts []string) ([]float32, error) {
	if l.text == nil {
		return nil, fmt.Errorf("effector %q has no text module: name one as its setting \"text\"", l.effector.Name)
	}
	return encodeTexts(ctx, l.text, l.textPort, l.semanticWidth, texts)
}

// Allowed lists the tokens that an effector of a plan may use: those of its
// list of words, or, without one, all that are no marks but the end.
func (l *Language) Allowed(p *wiring.Plan) []int32 {
	if list, ok := p.Params.Lists[head.WordList(l.effector.Name)]; ok {
		return list
	}
	if l.decoder != nil {
		return l.decoder.allowed()
	}
	var all []int32
	for t, w := range l.vocabulary {
		if mark := strings.HasPrefix(w, "<") && strings.HasSuffix(w, ">"); !mark || int32(t) == l.end {
			all = append(all, int32(t))
		}
	}
	return all
}

// Lexicon reads the last layer for some tokens, ascending, and their vectors.
// The layer is linear, so its answers to zero and to the unit vectors are its
// bias and weights. It is an error if the end is not among the tokens.
func (l *Language) Lexicon(ctx context.Context, tokens []int32) (*head.Lexicon, error) {
	x := &head.Lexicon{Tokens: tokens, Hidden: l.hiddenWidth, Semantic: l.semanticWidth}
	at, ok := slices.BinarySearch(tokens, l.end)
	if !ok {
		return nil, fmt.Errorf("effector %q: its words lack the end token, so nothing it says would end", l.effector.Name)
	}
	x.End = at
	if l.decoder != nil {
		if err := l.decoder.lexicon(ctx, x); err != nil {
			return nil, err
		}
		return x, l.meanings(ctx, x)
	}
	n := x.Hidden + 1
	units := make([]float32, n*x.Hidden)
	for i := range x.Hidden {
		units[(i+1)*x.Hidden+i] = 1
	}
	out, err := l.module.Run(ctx, map[string]*modules.Tensor{l.ports.headHidden: modules.Floats(units, n, x.Hidden)}, l.ports.logits)
	if err != nil {
		return nil, err
	}
	scores, size := out[l.ports.logits].F32, len(l.vocabulary)
	if len(scores) != n*size {
		return nil, fmt.Errorf("module %q: its head gave %d scores for %d states and %d words", l.effector.Module, len(scores), n, size)
	}
	x.Weight, x.Bias = make([]float32, len(tokens)*x.Hidden), make([]float32, len(tokens))
	for i, w := range tokens {
		if w < 0 || int(w) >= size {
			return nil, fmt.Errorf("effector %q: token %d is not in the vocabulary of %d", l.effector.Name, w, size)
		}
		x.Text = append(x.Text, l.vocabulary[w])
		x.Bias[i] = scores[w]
		for k := range x.Hidden {
			x.Weight[i*x.Hidden+k] = scores[(k+1)*size+int(w)] - scores[w]
		}
	}
	return x, l.meanings(ctx, x)
}

// meanings adds the vectors of the tokens that are words.
func (l *Language) meanings(ctx context.Context, x *head.Lexicon) error {
	x.Vectors = make([]float32, len(x.Tokens)*x.Semantic)
	if l.text == nil {
		return nil
	}
	var texts []string
	var places []int
	for i := range x.Tokens {
		if w := x.Word(i); w != "" && i != x.End { // no mark
			texts, places = append(texts, w), append(places, i)
		}
	}
	vectors, err := l.Vectors(ctx, texts)
	if err != nil {
		return err
	}
	for k, i := range places {
		v := x.Vectors[i*x.Semantic:][:x.Semantic]
		copy(v, vectors[k*x.Semantic:])
		wiring.UnitLength(v)
	}
	return nil
}

// Bind returns the readout of the effector in a plan, with the words that the
// plan allows it.
func (l *Language) Bind(ctx context.Context, p *wiring.Plan, effector int) (*head.Language, error) {
	x, err := l.Lexicon(ctx, l.Allowed(p))
	if err != nil {
		return nil, err
	}
	return l.BindWith(p, effector, x)
}

// BindWith is [Language.Bind] with words that are at hand.
func (l *Language) BindWith(p *wiring.Plan, effector int, x *head.Lexicon) (*head.Language, error) {
	if l.decoder != nil {
		return head.BindSteered(p, effector, x, l.decoder)
	}
	return head.BindLanguage(p, effector, x)
}
