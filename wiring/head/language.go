package head

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/internal/words"
	"github.com/connectomewire/wire/wiring"
)

// NameLanguage is the head of an effector that speaks: the regions' state
// corrects what a frozen language module says, and points at words.
const NameLanguage = "language"

// Readings of the language head.
const (
	// ReadMeaning scores words by the semantic readout alone.
	ReadMeaning = iota
	// ReadWord scores the next word by everything; its context is the language
	// module's hidden state after the words so far.
	ReadWord
)

// Starting values of the language head.
const (
	initGain  = 0.3 // γ: the residual's gate is tanh(0.3)
	initKappa = 5   // κ: semantic logits are 20 cos at the start
)

// Settings of the language head.
const (
	settingText     = "text"     // module whose text tower gives the words' vectors
	settingHidden   = "hidden"   // width of the language module's hidden state
	settingSemantic = "semantic" // width of the text tower's space
	settingPort     = "port"     // the language module's port of hidden states
	settingTextPort = "text_port"
	settingOnce     = "once" // no word that names something is said twice
	// Of a module that is steered:
	settingPrefix    = "prefix"    // how many vectors steer it
	settingEmbedding = "embedding" // width of its tokens' vectors
)

// Names under which [wiring.Ports] tells the widths of a module that can be
// steered: of its tokens' vectors, and of what its last layer reads.
const (
	PortEmbedding = "steer.embedding"
	PortHidden    = "steer.hidden"
)

// defaultPrefix is how many vectors steer a module where the settings do not say.
const defaultPrefix = 8

func init() { wiring.RegisterHead(NameLanguage, language{}) }

type language struct{}

// Place implements [wiring.Head]: the widths are the modules'.
func (language) Place(e *wiring.Effector, ports wiring.Ports) error {
	s := e.Settings
	if e.Module == "" {
		return fmt.Errorf("it needs a language module")
	}
	port := func(key, otherwise string) string {
		if p := s.Text(key); p != "" {
			return p
		}
		return otherwise
	}
	embedding, steerable := ports(e.Module, PortEmbedding)
	if steerable == nil {
		return placeSteered(e, embedding, ports, port(settingTextPort, "embedding"))
	}
	if _, asked := s[settingPrefix]; asked {
		return fmt.Errorf("it has the setting %q, and module %q cannot be steered: `wire modules inspect %[2]s` says why", settingPrefix, e.Module)
	}
	text := TextModule(e)
	hidden, err := ports(e.Module, port(settingPort, "hidden"))
	if err != nil {
		return err
	}
	semantic, err := ports(text, port(settingTextPort, "embedding"))
	if err != nil {
		return err
	}
	s[settingText], s[settingHidden], s[settingSemantic] = text, hidden, semantic
	e.FeedbackWidth = hidden
	return nil
}

// placeSteered completes the settings of an effector that steers its module; a
// text module is had only by those that name one.
func placeSteered(e *wiring.Effector, embedding int, ports wiring.Ports, textPort string) error {
	s := e.Settings
	hidden, err := ports(e.Module, PortHidden)
	if err != nil {
		return err
	}
	semantic := 0
	if text := s.Text(settingText); text != "" {
		if semantic, err = ports(text, textPort); err != nil {
			return err
		}
	}
	if _, given := s[settingPrefix]; !given {
		s[settingPrefix] = defaultPrefix
	}
	s[settingHidden], s[settingEmbedding], s[settingSemantic] = hidden, embedding, semantic
	e.FeedbackWidth = embedding
	return nil
}

// Check implements [wiring.Head].
func (language) Check(e *wiring.Effector) error {
	s := e.Settings
	if err := s.Check(settingText, settingHidden, settingSemantic, settingPort, settingTextPort, settingOnce, settingPrefix, settingEmbedding); err != nil {
		return err
	}
	const most = 1 << 16
	hidden, semantic := Widths(e)
	feedback, what, least := hidden, "the language module's hidden state", 1
	if Steered(e) {
		feedback, what, least = s.Int(settingEmbedding), "the vector of a token", 0
		if n := s.Int(settingPrefix); n < 0 || n > 256 || feedback < 1 || feedback > most {
			return fmt.Errorf("%d vectors of width %d steer its module; want 0 to 256, of 1 to %d numbers", n, feedback, most)
		}
		if (semantic > 0) != (s.Text(settingText) != "") {
			return fmt.Errorf("a semantic readout of width %d does not go with the text module %q", semantic, s.Text(settingText))
		}
	} else if s.Text(settingText) == "" {
		return fmt.Errorf("it needs a language module and, as its setting %q, a text module", settingText)
	}
	if hidden < 1 || hidden > most || semantic < least || semantic > most {
		return fmt.Errorf("hidden %d and semantic %d must be 1 to %d", hidden, semantic, most)
	}
	if e.Module == "" {
		return fmt.Errorf("it needs a language module")
	}
	if len(e.Feedback) > 0 && e.FeedbackWidth != feedback {
		return fmt.Errorf("its feedback is %d wide; it is %s, which is %d", e.FeedbackWidth, what, feedback)
	}
	return nil
}

// Modules implements [wiring.Head].
func (language) Modules(e *wiring.Effector) []string {
	if text := TextModule(e); text != "" {
		return []string{text}
	}
	return nil
}

// Tensors implements [wiring.Head]:
//
//	residual     D [hidden, width]
//	gain         γ [hidden]          the residual's gate is tanh(γ)
//	semantic     D_s [semantic, width]
//	kappa        κ [1]
//	prefix       W [vectors·embedding, width], of a module that is steered
//	prefix.bias  b [vectors·embedding]
func (language) Tensors(e *wiring.Effector, width int) []wiring.TensorSpec {
	hidden, semantic := Widths(e)
	deviation := 1 / math.Sqrt(float64(width))
	specs := []wiring.TensorSpec{
		{Name: "residual", Shape: []int{hidden, width}, Deviation: deviation, Decay: true},
		{Name: "gain", Shape: []int{hidden}, Value: initGain},
	}
	if semantic > 0 {
		specs = append(specs,
			wiring.TensorSpec{Name: "semantic", Shape: []int{semantic, width}, Deviation: deviation, Decay: true},
			wiring.TensorSpec{Name: "kappa", Shape: []int{1}, Value: initKappa})
	}
	if n := e.Settings.Int(settingPrefix) * e.Settings.Int(settingEmbedding); n > 0 {
		specs = append(specs,
			wiring.TensorSpec{Name: "prefix", Shape: []int{n, width}, Deviation: deviation, Decay: true},
			wiring.TensorSpec{Name: "prefix.bias", Shape: []int{n}})
	}
	return specs
}

// WordList is the name of the list ([wiring.Params]) of the language module's
// tokens that an effector may use.
func WordList(effector string) string { return wiring.EffectorName(effector, "words") }

// Widths returns the widths of a language effector's module: its hidden state
// and the space of its text tower.
func Widths(e *wiring.Effector) (hidden, semantic int) {
	return e.Settings.Int(settingHidden), e.Settings.Int(settingSemantic)
}

// Steered says that a language effector's module is a decoder, which vectors
// steer ([BindSteered]), and not one of ours, which goes from state to state.
func Steered(e *wiring.Effector) bool {
	return e.Head == NameLanguage && e.Settings.Int(settingEmbedding) > 0
}

// Prefix is how many vectors steer a language effector's module, and how wide
// they are.
func Prefix(e *wiring.Effector) (vectors, width int) {
	return e.Settings.Int(settingPrefix), e.Settings.Int(settingEmbedding)
}

// TextModule names the module of a language effector's text tower; it is
// "text" where the settings do not say, and "" for one that steers its module
// without a semantic readout.
func TextModule(e *wiring.Effector) string {
	if text := e.Settings.Text(settingText); text != "" || Steered(e) {
		return text
	}
	return "text"
}

// Alone is a plan whose effectors that speak say what their language modules
// say by themselves: nothing steers them, and the brain's residual and its
// pointing at words are zero.
func Alone(p *wiring.Plan) (*wiring.Plan, error) {
	q := *p
	q.Name = "language of " + p.Name
	q.Params = p.Params.Clone()
	q.Effectors = slices.Clone(p.Effectors)
	for i := range q.Effectors {
		e := &q.Effectors[i]
		if e.Head != NameLanguage {
			continue
		}
		names := []string{"gain"}
		if _, semantic := Widths(e); semantic > 0 {
			names = append(names, "kappa")
		}
		t, err := tensors(&q, e, q.Params, names...)
		if err != nil {
			return nil, err
		}
		for _, v := range t {
			clear(v)
		}
		if Steered(e) {
			e.Settings = e.Settings.Clone()
			e.Settings[settingPrefix] = 0
		}
	}
	return &q, nil
}

// Lexicon is what of a language module the head works with: its last layer
// for the words that may be said, and the words' vectors.
type Lexicon struct {
	// Tokens are the words' numbers in the module's vocabulary, ascending;
	// Text is how they are written.
	Tokens []int32
	Text   []string
	// Words are those that a token is a whole one of, "" for a piece of one; nil
	// where every token is a word.
	Words []string
	// Write and Split turn places of tokens into a text and back, Split into nil
	// where it cannot be said; nil where tokens are words.
	Write func(places []int32) string
	Split func(text string) []int32
	// End is the index among them of the mark that ends a text.
	End int
	// Hidden and Semantic are the widths of the module's hidden state and of
	// the text tower's space.
	Hidden, Semantic int
	// Weight and Bias are the last layer for those words: logits = Weight·h +
	// Bias, [words, hidden] and [words].
	Weight, Bias []float32
	// Vectors are the words' unit vectors, [words, semantic]; zero for the end
	// and for words that the text tower does not know.
	Vectors []float32

	forward, backward    sync.Once
	head, headBack       []float32 // packed
	vectors, vectorsBack []float32
}

// Check reports lengths that do not fit.
func (x *Lexicon) Check() error {
	v := len(x.Tokens)
	if v == 0 || len(x.Weight) != v*x.Hidden || x.Words != nil && len(x.Words) != v || len(x.Bias) != v || len(x.Vectors) != v*x.Semantic || x.End < 0 || x.End >= v {
		return fmt.Errorf("the %d words do not match their last layer (%d weights, %d biases), vectors (%d) or end (%d)",
			v, len(x.Weight), len(x.Bias), len(x.Vectors), x.End)
	}
	return nil
}

// Content says that a word names something: the text tower knows it, and it is
// no function word.
func (x *Lexicon) Content(word int) bool {
	if word == x.End || words.IsFunction(x.Word(word)) {
		return false
	}
	for _, v := range x.Vectors[word*x.Semantic:][:x.Semantic] {
		if v != 0 {
			return true
		}
	}
	return false
}

// Word is the word that a token is, "" for a piece of one.
func (x *Lexicon) Word(token int) string {
	if x.Words != nil {
		return x.Words[token]
	}
	return x.Text[token]
}

// Sentence writes tokens out.
func (x *Lexicon) Sentence(places []int32) string {
	if x.Write != nil {
		return x.Write(places)
	}
	parts := make([]string, len(places))
	for i, w := range places {
		parts[i] = x.Text[w]
	}
	return strings.ReplaceAll(strings.Join(parts, " "), " ,", ",")
}

func (x *Lexicon) packForward() {
	x.forward.Do(func() {
		v := len(x.Tokens)
		x.head = packed(x.Weight, x.Hidden, true, x.Hidden, v)
		x.vectors = packed(x.Vectors, x.Semantic, true, x.Semantic, v)
	})
}

func (x *Lexicon) packBackward() {
	x.backward.Do(func() {
		v := len(x.Tokens)
		x.headBack = packed(x.Weight, x.Hidden, false, v, x.Hidden)
		x.vectorsBack = packed(x.Vectors, x.Semantic, false, v, x.Semantic)
	})
}

// Language is the arithmetic of an effector that speaks. Every word is scored
// as
//
//	logits = head(h_lm + tanh(γ) ⊙ D n) + 4κ · cos(D_s n, w)
//
// with n the normalised state of the effector's regions, h_lm the language
// module's hidden state after the words so far, and w the word's vector. The
// first term corrects the language model, the second, the semantic readout,
// points at words; [ReadMeaning] is the second alone. A module that is steered
// may have the first alone; see [BindSteered].
type Language struct {
	lexicon                               *Lexicon
	name                                  string
	width                                 int // of a state
	kappa                                 float32
	once                                  bool
	steer                                 *steering // nil for a module that nothing steers
	gain                                  []float32 // tanh(γ) [hidden]
	residual, rawGain, semantic, rawKappa []float32

	back                       sync.Once
	packs                      bool
	residualBack, semanticBack []float32
}

// BindLanguage returns the readout of an effector that speaks with a lexicon.
func BindLanguage(p *wiring.Plan, effector int, x *Lexicon) (*Language, error) {
	e, err := of(p, effector)
	if err != nil {
		return nil, err
	}
	if Steered(e) {
		return nil, fmt.Errorf("effector %q steers its module, see BindSteered", e.Name)
	}
	return bindLanguage(p, e, x)
}

func bindLanguage(p *wiring.Plan, e *wiring.Effector, x *Lexicon) (*Language, error) {
	if e.Head != NameLanguage {
		return nil, fmt.Errorf("effector %q has the head %q and cannot speak", e.Name, e.Head)
	}
	if hidden, semantic := Widths(e); hidden != x.Hidden || semantic != x.Semantic {
		return nil, fmt.Errorf("effector %q works with widths of %d and %d, its modules have %d and %d", e.Name, hidden, semantic, x.Hidden, x.Semantic)
	}
	if err := x.Check(); err != nil {
		return nil, fmt.Errorf("effector %q: %w", e.Name, err)
	}
	t, err := tensors(p, e, p.Params, "residual", "gain")
	if err != nil {
		return nil, err
	}
	l := &Language{lexicon: x, name: e.Name, once: e.Settings.Bool(settingOnce), width: stateWidth(p, e), gain: make([]float32, x.Hidden),
		residual: t[0], rawGain: t[1]}
	if x.Semantic > 0 {
		if t, err = tensors(p, e, p.Params, "semantic", "kappa"); err != nil {
			return nil, err
		}
		l.semantic, l.rawKappa = t[0], t[1]
	}
	x.packForward()
	l.Refresh()
	return l, nil
}

// Lexicon returns the words that can be said; it may not be changed.
func (l *Language) Lexicon() *Lexicon { return l.lexicon }

// Sayable says whether a word may follow those said: nothing ends before it
// began, and no word follows itself. Hardly any sentence has such a pair, but
// the semantic readout, which points at the same words at every tick, would now
// and then call a flower a "flower flower". With the setting "once" no word that
// names something is said twice at all.
func (l *Language) Sayable(said []int32, word int) bool {
	if len(said) == 0 {
		return word != l.lexicon.End
	}
	if word == int(said[len(said)-1]) && l.lexicon.Semantic > 0 {
		return false
	}
	return !l.once || !slices.Contains(said, int32(word)) || !l.lexicon.Content(word)
}

// Readings implements [Readout].
func (l *Language) Readings() int { return 2 }

// Context implements [Readout].
func (l *Language) Context(reading int) int {
	switch {
	case reading != ReadWord:
		return 0
	case l.steer != nil && l.steer.vectors > 0:
		return l.steer.width
	}
	return l.lexicon.Hidden
}

// Width implements [Readout]: a score for every word.
func (l *Language) Width() int { return len(l.lexicon.Tokens) }

// Refresh implements [Readout].
func (l *Language) Refresh() {
	kernel.Tanh(l.gain, l.rawGain)
	if l.packs {
		kernel.PackB(l.residualBack, l.residual, l.width, false, l.lexicon.Hidden, l.width)
	}
	if l.semantic == nil {
		return
	}
	l.kappa = l.rawKappa[0]
	if l.packs {
		kernel.PackB(l.semanticBack, l.semantic, l.width, false, l.lexicon.Semantic, l.width)
	}
}

// packBack packs what only the way back needs, once asked for.
func (l *Language) packBack() {
	l.lexicon.packBackward()
	l.back.Do(func() {
		l.residualBack = packed(l.residual, l.width, false, l.lexicon.Hidden, l.width)
		l.semanticBack = packed(l.semantic, l.width, false, l.lexicon.Semantic, l.width)
		l.packs = true
	})
}

// Meaning writes 4κ·q/‖q‖ with q = D_s norm to dst, [rows, semantic]: the
// point in the text space that the states mean. Its product with a word's unit
// vector is what the semantic readout adds to that word's score.
func (l *Language) Meaning(dst, norm []float32, rows int) {
	w := l.lexicon.Semantic
	if w == 0 {
		return
	}
	kernel.Gemm(false, true, rows, w, l.width, norm, l.semantic, dst, false)
	for b := range rows {
		q := dst[b*w:][:w]
		f := 4 * l.kappa * wiring.InverseLength(q)
		for i := range q {
			q[i] *= f
		}
	}
}

// Tape implements [Readout]. A head whose module vectors steer runs it.
func (l *Language) Tape() Tape {
	if l.steer != nil && l.steer.vectors > 0 {
		return &steeredTape{l: l, words: languageTape{l: l}}
	}
	return l.Speech()
}

// Speech returns a tape for which the module has been run: the context of a word
// is the module's hidden state before it, whatever steers the module.
func (l *Language) Speech() Tape { return &languageTape{l: l} }

type languageTape struct {
	l       *Language
	delta   []float32 // D n [words, hidden]
	fixed   []float32 // h' [words, hidden]
	query   []float32 // D_s n [rows, semantic]
	inv     []float32 // 1/‖query‖ [rows]
	point   []float32 // 4κ query/‖query‖ [rows, semantic]
	dFixed  []float32 // [words, hidden]
	dHidden []float32 // the same before the residual's gate, kept for those who ask
	keep    bool      // dHidden
	dPoint  []float32 // [rows, semantic]
}

// Forward implements [Tape].
func (t *languageTape) Forward(dst []float32, r *Rows) error {
	l := t.l
	x := l.lexicon
	d, hw, ew, vw := l.width, x.Hidden, x.Semantic, len(x.Tokens)
	rows := r.total()
	meanings, words := r.Counts[ReadMeaning], r.Counts[ReadWord]

	// Residual: h' = hidden + tanh(γ) ⊙ D n.
	spoken := r.Norm[meanings*d:]
	t.delta, t.fixed = grow(t.delta, words*hw), grow(t.fixed, words*hw)
	kernel.Gemm(false, true, words, hw, d, spoken, l.residual, t.delta, false)
	for b := range words {
		hidden, delta := r.Context[b*hw:][:hw], t.delta[b*hw:][:hw]
		for i, v := range delta {
			t.fixed[b*hw+i] = hidden[i] + l.gain[i]*v
		}
	}
	if ew > 0 {
		// Semantic: 4κ q/‖q‖ with q = D_s n.
		t.query, t.point, t.inv = grow(t.query, rows*ew), grow(t.point, rows*ew), grow(t.inv, rows)
		kernel.Gemm(false, true, rows, ew, d, r.Norm, l.semantic, t.query, false)
		for i := range rows {
			q, to := t.query[i*ew:][:ew], t.point[i*ew:][:ew]
			t.inv[i] = wiring.InverseLength(q)
			f := 4 * l.kappa * t.inv[i]
			for k, v := range q {
				to[k] = v * f
			}
		}
		kernel.GemmPacked(rows, vw, ew, t.point, ew, x.vectors, dst, vw, false)
	} else {
		clear(dst[:rows*vw])
	}
	scores := dst[meanings*vw:]
	kernel.GemmPacked(words, vw, hw, t.fixed, hw, x.head, scores, vw, true)
	for i := range words {
		row := scores[i*vw:][:vw]
		kernel.Add(row, row, x.Bias)
	}
	return nil
}

// Backward implements [Tape].
func (t *languageTape) Backward(dNorm, dOut []float32, r *Rows, grads *wiring.Params) error {
	l := t.l
	l.packBack()
	x := l.lexicon
	d, hw, ew, vw := l.width, x.Hidden, x.Semantic, len(x.Tokens)
	rows := r.total()
	meanings, words := r.Counts[ReadMeaning], r.Counts[ReadWord]
	get := func(name string) []float32 { return grads.Get(wiring.EffectorName(l.name, name)) }
	spoken := r.Norm[meanings*d:]

	// Residual: h' = hidden + tanh(γ) ⊙ D n.
	t.dFixed = grow(t.dFixed, words*hw)
	kernel.GemmPacked(words, hw, vw, dOut[meanings*vw:], vw, x.headBack, t.dFixed, hw, false)
	if t.keep {
		t.dHidden = append(t.dHidden[:0], t.dFixed...)
	}
	dGain := get("gain")
	for i := range words {
		df, de := t.dFixed[i*hw:][:hw], t.delta[i*hw:][:hw]
		for k, v := range df {
			dGain[k] += v * de[k] * (1 - l.gain[k]*l.gain[k])
			df[k] = v * l.gain[k]
		}
	}
	kernel.Gemm(true, false, hw, d, words, t.dFixed, spoken, get("residual"), true)

	if ew > 0 {
		// Semantic: 4κ x/‖x‖ with x = D_s n.
		t.dPoint = grow(t.dPoint, rows*ew)
		kernel.GemmPacked(rows, ew, vw, dOut, vw, x.vectorsBack, t.dPoint, ew, false)
		dKappa := get("kappa")
		for i := range rows {
			dp, q := t.dPoint[i*ew:][:ew], t.query[i*ew:][:ew]
			inv := t.inv[i]
			dot := kernel.Dot(dp, q) * inv
			dKappa[0] += 4 * dot
			f := 4 * l.kappa * inv
			for k, v := range q {
				dp[k] = f * (dp[k] - v*inv*dot)
			}
		}
		kernel.Gemm(true, false, ew, d, rows, t.dPoint, r.Norm, get("semantic"), true)
		kernel.GemmPacked(rows, d, ew, t.dPoint, ew, l.semanticBack, dNorm, d, false)
	} else {
		clear(dNorm[:rows*d])
	}
	kernel.GemmPacked(words, d, hw, t.dFixed, hw, l.residualBack, dNorm[meanings*d:], d, true)
	return nil
}

// Parse returns the places of a text's words, or nil when one of them cannot
// be said.
func (x *Lexicon) Parse(text string) []int32 {
	if x.Split != nil {
		return x.Split(text)
	}
	var places []int32
	for _, w := range words.Split(text) {
		i := slices.Index(x.Text, w)
		if i < 0 || i == x.End {
			return nil
		}
		places = append(places, int32(i))
	}
	return places
}
