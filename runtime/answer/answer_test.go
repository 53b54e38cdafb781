package answer

import (
	"context"
	"errors"
	"math"
	goruntime "runtime"
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/connectome/synthetic"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/demo"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
	_ "github.com/connectomewire/wire/wiring/task/captioning" // what the tests learn
)

// build makes an untrained plan on the default connectome with the embedded
// modules, small so that tests are quick.
func build(t testing.TB) *wiring.Plan {
	t.Helper()
	recipe, err := wiring.OpenRecipe("remembering")
	if err != nil {
		t.Fatal(err)
	}
	info, err := frozen.Describe(recipe, library.Finder{})
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := wiring.Build(synthetic.Default(), recipe, wiring.BuildOptions{Modules: info, Width: 16, Rank: 4, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func open(t testing.TB, p *wiring.Plan) *frozen.Modules {
	t.Helper()
	m, err := frozen.Open(p, library.Finder{}, goengine.New())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func item(t testing.TB, name string) Inputs {
	t.Helper()
	for _, it := range demo.Items() {
		if it.Name == name {
			if it.IsPicture() {
				return Inputs{"image": it.Image()}
			}
			return Inputs{"sound": task.Sound{Samples: it.Samples(), Rate: demo.Rate}}
		}
	}
	t.Fatalf("no item %q", name)
	return nil
}

// TestLearnedIsWhatIsSaid trains a little on the demonstration's pictures and
// checks that the network of goroutines gives the captions exactly the
// probabilities that training computed: same ticks, same feedback, same logits.
func TestLearnedIsWhatIsSaid(t *testing.T) {
	ctx := context.Background()
	p := build(t)
	m := open(t, p)
	var examples []task.Example
	for name, text := range map[string]string{"apple": "a red apple", "fish": "an orange fish", "bell": "a bell"} {
		e := task.Example{ID: name, Inputs: map[string]task.Input{}, Targets: map[string]any{"caption": text}}
		for sense, v := range item(t, name) {
			e.Inputs[sense] = task.Given(sense, v)
		}
		examples = append(examples, e)
	}
	slices.SortFunc(examples, func(a, b task.Example) int { return strings.Compare(a.ID, b.ID) })
	o := prepare.Default()
	o.Views = 1
	data, _, err := prepare.Prepare(ctx, p, m, examples, examples, o)
	if err != nil {
		t.Fatal(err)
	}
	options := learn.Default()
	options.Epochs, options.Batch, options.Shards, options.Noise = 40, 3, 1, 0
	res, err := learn.Fit(ctx, p, data, options)
	if err != nil {
		t.Fatal(err)
	}

	c, err := New(ctx, p, m, runtime.Default())
	if err != nil {
		t.Fatal(err)
	}
	var encoded []*Encoded
	var told [][]int32
	for i, e := range examples {
		x, err := c.Encode(ctx, item(t, e.ID))
		if err != nil {
			t.Fatal(err)
		}
		// In training nothing is reminded of itself.
		memory, _ := p.MemorySense()
		x.Senses[memory] = data.Train[i].Inputs[memory]
		encoded = append(encoded, x)
		var words []int32
		for _, r := range data.Train[i].Targets[0][0].Rows[1:] {
			words = append(words, r.Classes...)
		}
		told = append(told, words[:len(words)-1])
	}
	voice := &greedy{body: c.body(0, len(encoded)), told: told, said: make([]utterance, len(encoded))}
	inputs, _ := Standardised(c.plan, encoded, 1)
	if _, err := c.plain.Run(ctx, runtime.Episode{Batch: len(encoded), Inputs: inputs, Ticks: c.ticks(0), Actors: []runtime.Actor{voice}}); err != nil {
		t.Fatal(err)
	}
	var loss, n float64
	for _, u := range voice.said {
		for _, q := range u.probs {
			loss -= math.Log(q)
			n++
		}
	}
	learned := res.Val.Metrics["caption token loss"]
	if loss /= n; math.Abs(loss-learned) > 1e-3*(1+loss) {
		t.Errorf("said with a loss of %.5f a word, learned with %.5f", loss, learned)
	}
	said, err := c.Answer(ctx, encoded, Greedy())
	if err != nil {
		t.Fatal(err)
	}
	if learned < 0.1 {
		for i, e := range examples {
			if said[i].By["caption"].Text != e.Targets["caption"] {
				t.Errorf("%s: said %q, learned %q", e.ID, said[i].By["caption"].Text, e.Targets["caption"])
			}
		}
	}

	t.Run("one by one, in batches, on any number of threads", func(t *testing.T) {
		for _, o := range []Options{Greedy(), {Beam: 3, Temperature: 0.1}} {
			together, err := c.Answer(ctx, encoded, o)
			if err != nil {
				t.Fatal(err)
			}
			for i, x := range encoded {
				old := goruntime.GOMAXPROCS(1 + 7*(i%2))
				o.Trace = i == 1
				alone, err := c.Answer(ctx, []*Encoded{x}, o)
				goruntime.GOMAXPROCS(old)
				if err != nil {
					t.Fatal(err)
				}
				one, two := alone[0].By["caption"], together[i].By["caption"]
				if one.Text != two.Text || math.Abs(one.Confidence-two.Confidence) > 1e-6 {
					t.Errorf("%d beams, %s: %q (%.6f) alone, %q (%.6f) together", o.Beam, examples[i].ID,
						one.Text, one.Confidence, two.Text, two.Confidence)
				}
				if o.Trace {
					tr := alone[0].Trace
					if tr == nil || tr.Ticks != p.Ticks.Settle+len(one.Tokens)+1 || len(tr.Modules) == 0 || tr.Strongest(1)[0].Flow <= 0 {
						t.Errorf("trace %+v", tr)
					}
				}
			}
		}
	})

	t.Run("a trained plan insists on its modules", func(t *testing.T) {
		m.Pin(p)
		if _, err := frozen.Open(p, library.Finder{}, goengine.New()); err != nil {
			t.Errorf("its own modules: %v", err)
		}
		other := *p
		other.Modules = slices.Clone(p.Modules)
		other.Modules[0].SHA256 = strings.Repeat("0", 64)
		if _, err := frozen.Open(&other, library.Finder{}, goengine.New()); err == nil || !strings.Contains(err.Error(), "train the plan again") {
			t.Errorf("other modules: %v", err)
		}
	})
}

func TestFailingModuleIsContained(t *testing.T) {
	ctx := context.Background()
	p := build(t)
	m := open(t, p)
	broken := Inputs{"image": item(t, "apple")["image"], "sound": task.Sound{Samples: []float32{float32(math.NaN()), 1, 2}, Rate: -1}}
	c, err := New(ctx, p, m, runtime.Default())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Encode(ctx, broken); err == nil || !strings.Contains(err.Error(), `"sound"`) {
		t.Errorf("policy fail: %v", err)
	}
	config := runtime.Default()
	config.Policy = runtime.Silence
	c, err = New(ctx, p, m, config)
	if err != nil {
		t.Fatal(err)
	}
	x, err := c.Encode(ctx, broken)
	if err != nil {
		t.Fatal(err)
	}
	if x.Senses[0] == nil || x.Senses[1] != nil || len(x.Faults) != 1 {
		t.Errorf("policy silence: senses %v %v, faults %q", x.Senses[0] != nil, x.Senses[1] != nil, x.Faults)
	}
	said, err := c.Answer(ctx, []*Encoded{x}, Options{Trace: true})
	if err != nil {
		t.Fatal(err)
	}
	if said[0].By["caption"].Text == "" || len(said[0].Faults) != 1 || !slices.ContainsFunc(said[0].Trace.Notes, func(n string) bool { return strings.Contains(n, "silenced") }) {
		t.Errorf("said %q, faults %q, notes %q", said[0].By["caption"].Text, said[0].Faults, said[0].Trace.Notes)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := c.Answer(cancelled, []*Encoded{x}, Greedy()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestConsensus(t *testing.T) {
	red, apple, a, ball := int32(1), int32(2), int32(3), int32(4)
	candidates := [][]int32{{a, ball}, {a, red, apple}, {a, apple}}
	alike := func(i, j int) float64 { return likeness(candidates[i], candidates[j]) }
	even := []float64{1. / 3, 1. / 3, 1. / 3}
	if got := consensus(candidates, even, alike); got != 2 {
		t.Errorf("chose %v; want the one that is most like the others", candidates[got])
	}
	if got := consensus(candidates, []float64{0.9, 0.05, 0.05}, alike); got != 0 {
		t.Errorf("chose %v against a weight of 0.9", candidates[got])
	}
	if l := likeness(candidates[1], candidates[1]); l != 1 {
		t.Errorf("a caption is like itself by %g", l)
	}
	if l := likeness([]int32{red}, []int32{apple}); l != 0 {
		t.Errorf("captions without a common word are alike by %g", l)
	}
	w := softmax(suits([]float32{1, 0}, []float32{2, 0, 0, 3, -1, 0}, 0.1))
	if !(w[0] > 0.99 && w[1] > w[2]) || math.Abs(w[0]+w[1]+w[2]-1) > 1e-12 {
		t.Errorf("weights %v; want the caption in the input's direction first", w)
	}
}

// TestBelieve gives an untrained plan a memory and checks how what comes back
// joins what it would say.
func TestBelieve(t *testing.T) {
	ctx := context.Background()
	p := build(t)
	m := open(t, p)
	captions := []string{"a red apple", "a fish", "a bell"}
	values, err := m.Language(0).Vectors(ctx, captions)
	if err != nil {
		t.Fatal(err)
	}
	sense, cue := p.MemorySense()
	plain, err := New(ctx, p, m, runtime.Default())
	if err != nil {
		t.Fatal(err)
	}
	var keys []float32
	for _, name := range []string{"apple", "fish"} {
		x, err := plain.Encode(ctx, item(t, name))
		if err != nil {
			t.Fatal(err)
		}
		if x.Senses[sense] != nil || x.Recalled != nil {
			t.Fatal("a plan without a memory recalls something")
		}
		keys = append(keys, x.Senses[cue]...)
	}
	p.Memory, err = wiring.NewMemory([]string{"1", "2"}, keys, p.Senses[cue].Width, []int32{0, 1}, captions, values, p.Senses[sense].Width)
	if err != nil {
		t.Fatal(err)
	}
	in, err := plain.Encode(ctx, item(t, "apple"))
	if err != nil {
		t.Fatal(err)
	}
	if len(in.Recalled) != 2 || in.Recalled[0].Episode != 0 || in.Recalled[0].Cosine < 0.99 || len(in.Senses[sense]) != p.Senses[sense].Width {
		t.Fatalf("an apple recalls %+v", in.Recalled)
	}
	fish := plain.speakers[0].Lexicon().Parse("a fish")
	half := Options{Beam: 8, Temperature: 0.1, Spoken: 0.5, Sharpness: wiring.RecallSharpness}
	candidates, weights, err := plain.believe(ctx, 0, in, []hypothesis{{fish, -1}}, half)
	if err != nil {
		t.Fatal(err)
	}
	var sum float64
	for _, w := range weights {
		sum += w
	}
	if len(candidates) != 3 || !slices.Equal(candidates[1], plain.speakers[0].Lexicon().Parse("a red apple")) || math.Abs(sum-1) > 1e-9 ||
		math.Abs(weights[0]-half.Spoken) > 1e-9 || weights[1] <= weights[2] {
		t.Errorf("candidates %v with chances %v", candidates, weights)
	}
	// With nothing to speak for the beams, only what is remembered counts.
	if candidates, weights, err = plain.believe(ctx, 0, in, []hypothesis{{fish, -1}}, MemoryAlone()); err != nil || len(candidates) != 2 || len(weights) != 2 {
		t.Errorf("memory alone: candidates %v with chances %v, %v", candidates, weights, err)
	}
	// A plan without a memory does not borrow another's.
	own := plain.plan.Memory
	plain.plan.Memory = nil
	if candidates, _, err = plain.believe(ctx, 0, in, []hypothesis{{fish, -1}}, Better()); err != nil || len(candidates) != 1 {
		t.Errorf("no memory: candidates %v, %v", candidates, err)
	}
	plain.plan.Memory = own
	// Among captions that share a word, rare words decide.
	who, err := New(ctx, p, m, runtime.Default())
	if err != nil {
		t.Fatal(err)
	}
	alike := who.likeness(plain.speakers[0].Lexicon(), [][]int32{plain.speakers[0].Lexicon().Parse("a red apple"), plain.speakers[0].Lexicon().Parse("a red fish"), plain.speakers[0].Lexicon().Parse("a bell")})
	if !(alike(0, 0) > alike(0, 1) && alike(0, 1) > alike(0, 2)) {
		t.Errorf("a red apple is like itself by %g, a red fish %g, a bell %g", alike(0, 0), alike(0, 1), alike(0, 2))
	}
	// A sound recalls nothing; nor does a plan that has lost its hippocampi.
	bell, err := plain.Encode(ctx, item(t, "bell"))
	if err != nil {
		t.Fatal(err)
	}
	if bell.Recalled != nil {
		t.Error("a sound brings back a picture")
	}
	config := runtime.Default()
	config.LesionRegions = p.Senses[sense].Regions
	lesioned, err := New(ctx, p, m, config)
	if err != nil {
		t.Fatal(err)
	}
	if in, err = lesioned.Encode(ctx, item(t, "apple")); err != nil || in.Recalled != nil || in.Senses[sense] != nil {
		t.Errorf("without hippocampi an apple recalls %+v, %v", in.Recalled, err)
	}
}

// TestNoWordFollowsItself: whatever the logits, neither greedy decoding nor a
// beam says a word twice running, nor ends before the first word.
func TestNoWordFollowsItself(t *testing.T) {
	p := build(t)
	m := open(t, p)
	l := m.Language(0)
	// Three words: the end is the first of them.
	var tokens []int32
	for _, w := range []string{"flower", "red"} {
		found := l.Tokens(w, -1)
		if slices.Contains(found, -1) {
			t.Fatalf("%q is unknown", w)
		}
		tokens = append(tokens, found...)
	}
	p.Params.SetList(head.WordList("caption"), slices.Sorted(slices.Values(append(tokens, l.End()))))
	readout, err := l.Bind(context.Background(), p, 0)
	if err != nil {
		t.Fatal(err)
	}
	x := readout.Lexicon()
	end := x.End
	place := func(w string) int32 { return int32(slices.Index(x.Text, w)) }
	row := func(ends, flower, red float32) []float32 {
		v := make([]float32, 3)
		v[end], v[place("flower")], v[place("red")] = ends, flower, red
		return v
	}
	for _, c := range []struct {
		name string
		said []int32
		row  []float32
		want int32
	}{
		{"nothing said, the end is likeliest", nil, row(9, 5, 1), place("flower")},
		{"the same word is likeliest", []int32{place("flower")}, row(3, 9, 1), int32(end)},
		{"said before, but not last", []int32{place("flower"), place("red")}, row(3, 9, 1), place("flower")},
	} {
		if got := best(c.row, func(w int) bool { return !readout.Sayable(c.said, w) }); got != int(c.want) {
			t.Errorf("greedy, %s: %q, want %q", c.name, x.Text[got], x.Text[c.want])
		}
		s := &beams{body: body{readout: readout, scratch: make([]float32, 3)}, width: 1, inputs: 1, alive: []hypothesis{{words: c.said}}}
		if got := s.continuations(0, c.row)[0].word; got != c.want {
			t.Errorf("beam, %s: %q, want %q", c.name, x.Text[got], x.Text[c.want])
		}
	}
}

func TestTop(t *testing.T) {
	x := []float32{3, 9, 1, 9, 5}
	if got := top(x, 3); !slices.Equal(got, []int32{1, 3, 4}) {
		t.Errorf("top 3 of %v: %v", x, got)
	}
	if got := top(x, 10); len(got) != 5 || got[4] != 2 {
		t.Errorf("top 10 of %v: %v", x, got)
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []Options{{Beam: -1}, {Beam: 5000}, {Beam: 8}, {Beam: 8, Temperature: math.NaN()}, {Beam: 8, Temperature: 0.1, Spoken: 2}} {
		if o.Validate() == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
	if err := errors.Join(Greedy().Validate(), Better().Validate(), MemoryAlone().Validate()); err != nil {
		t.Error(err)
	}
}

func TestInputsThatNoSenseTakes(t *testing.T) {
	p := build(t)
	s, err := New(context.Background(), p, open(t, p), runtime.Default())
	if err != nil {
		t.Fatal(err)
	}
	for want, in := range map[string]Inputs{
		"it has image, sound":       {"smell": "roses"},
		`"image" takes image`:       {"image": "a text"},
		"int is no input":           {"image": 7},
		`no sense "memory" to give`: {"memory": "a text"},
	} {
		if _, err := s.Encode(context.Background(), in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want one with %q", in, err, want)
		}
	}
}
