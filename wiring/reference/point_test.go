package reference_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/synthetic"
	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/runtime/demo"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
	"github.com/connectomewire/wire/wiring/task/captioning"
)

// This file alone knows how plans are built, taught and asked. When that
// changes, these functions are pointed at the new way and the hashes stay.

type (
	plan     = wiring.Plan
	prepared = learn.Data
	models   = frozen.Modules
)

// fitting is what the cases vary of training.
type fitting struct {
	epochs, batch, shards, workers, patience int
	noise, dropSense, rate                   float64
}

// moment is where training stands after some steps.
type moment struct{ params, first, second []float32 }

// fitted is what training came to.
type fitted struct {
	once, end moment // after one step, and after the last
	kept      []float32
	// losses are token, bag, right and named of the epoch so far after every
	// step, the rate after them; validation those of the validation samples
	// after every epoch, and last those of the parameters kept.
	losses, validation []float64
}

// toyPlan is a plan of nine regions with loops, delays of one to three ticks,
// a region that cannot reach the speech region, and words that come back in
// another region.
func toyPlan(t testing.TB) *plan {
	t.Helper()
	const n = 9
	var tracts []connectome.Tract
	for i := range n {
		for j := range n {
			if i != j && (i*3+j*5)%4 != 0 && i != n-1 {
				tracts = append(tracts, connectome.Tract{From: i, To: j, Weight: 1 + float64((i+2*j)%5), Length: 60 * float64(1+(i+j)%5)})
			}
		}
	}
	csr, err := connectome.FromTracts(n, tracts)
	if err != nil {
		t.Fatal(err)
	}
	c := &connectome.Connectome{Name: "toy", Directed: true, Tracts: csr}
	for i := range n {
		c.Regions = append(c.Regions, connectome.Region{Label: "region" + string(rune('A'+i))})
	}
	r, err := wiring.OpenRecipe("testdata/drawings.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := wiring.Build(c, r, wiring.BuildOptions{
		Modules: map[string]wiring.ModuleInfo{
			"vision":   {Outputs: map[string]wiring.PortInfo{"embedding": {Width: toyImage}}},
			"sound":    {Outputs: map[string]wiring.PortInfo{"embedding": {Width: toySound}}},
			"language": {Outputs: map[string]wiring.PortInfo{"hidden": {Width: toyHidden}}},
			"text":     {Outputs: map[string]wiring.PortInfo{"embedding": {Width: toySemantic}}},
		},
		Seed: 3, Width: 20, Rank: 5, Settle: 3, Max: toyMaxTokens,
		Place: map[string][]string{
			"image": {"regionA", "regionB"}, "sound": {"regionC"}, "memory": {"regionG"}, "caption": {"regionF"}, "caption.feedback": {"regionD"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if p.MaxDelay() < 2 || !slices.Contains(p.TicksTo(p.Effectors[0].Regions...), -1) {
		t.Fatal("the toy's plan has no delay above 1 or no region that cannot reach speech")
	}
	return p
}

// freshPlan is what the default plan was before training.
func freshPlan(t testing.TB) *plan {
	t.Helper()
	r, err := wiring.OpenRecipe("testdata/drawings.yaml")
	if err != nil {
		t.Fatal(err)
	}
	info, err := frozen.Describe(r, library.Finder{Dir: "testdata/plan/modules"})
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := wiring.Build(synthetic.Default(), r, wiring.BuildOptions{Modules: info, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func defaultPlan(t testing.TB) *plan {
	t.Helper()
	p, err := wiring.Load("testdata/plan")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func adapterOf(t testing.TB, p *plan) *plan {
	t.Helper()
	a, err := wiring.Adapter(p)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// parameters are a plan's, which may be changed, and their names and shapes.
func parameters(p *plan) (layout []string, values []float32) {
	for i := range p.Params.Layout {
		x := &p.Params.Layout[i]
		layout = append(layout, fmt.Sprint(x.Name, x.Shape))
	}
	return layout, p.Params.Data
}

// parameter is one tensor, which may be changed.
func parameter(t testing.TB, p *plan, name string) []float32 {
	t.Helper()
	v := p.Params.Get(name)
	if v == nil {
		t.Fatalf("the plan has no parameter %q", name)
	}
	return v
}

// toyData gives a toy the shape that training takes. A memory recalls for
// each example what the others bring back.
func toyData(t testing.TB, p *plan, y *toy) *prepared {
	t.Helper()
	d := &learn.Data{}
	for _, s := range p.Senses {
		d.Senses, d.Numbers = append(d.Senses, s.Name), append(d.Numbers, s.Width)
	}
	x := &head.Lexicon{Hidden: y.hiddenWidth, Semantic: y.semanticWidth, Weight: y.headWeight, Bias: y.headBias, Vectors: y.vectors}
	for w := range y.words {
		x.Tokens = append(x.Tokens, int32(2*w+1))
	}
	d.Aims = []learn.Aim{{
		Weight: 1, Loss: captioning.Loss(0.5),
		Bind:  func(p *wiring.Plan) (head.Readout, error) { return head.BindLanguage(p, 0, x) },
		Lists: map[string][]int32{head.WordList("caption"): x.Tokens},
	}}
	var targets []*task.Target
	for i, c := range y.captions {
		one := &task.Target{Name: fmt.Sprint("caption ", i), Context: c.hidden, Feedback: c.hidden}
		one.Rows = append(one.Rows, task.Row{Reading: head.ReadMeaning, Tick: p.Ticks.Settle, Classes: c.bag})
		for k, w := range c.words {
			one.Rows = append(one.Rows, task.Row{Reading: head.ReadWord, Tick: p.Ticks.Settle + 1 + k, Classes: []int32{w}})
		}
		targets = append(targets, one)
	}
	sample := func(id string, e toyExample) learn.Sample {
		s := learn.Sample{ID: id, Repeat: e.repeat, Inputs: make([][]float32, len(p.Senses)), Targets: make([][]*task.Target, 1)}
		for _, c := range e.captions {
			s.Targets[0] = append(s.Targets[0], targets[c])
		}
		for k, sense := range d.Senses {
			switch sense {
			case "image":
				s.Inputs[k] = e.image
			case "sound":
				s.Inputs[k] = e.sound
			}
		}
		return s
	}
	for i, e := range y.train {
		d.Train = append(d.Train, sample(fmt.Sprint("train ", i), e))
	}
	for i, e := range y.val {
		d.Val = append(d.Val, sample(fmt.Sprint("val ", i), e))
	}
	if !y.memory {
		return d
	}
	var (
		episodes, texts []string
		keys            []float32
		of              []int32
	)
	index := map[*task.Target]int32{}
	for i, one := range targets {
		texts, index[one] = append(texts, one.Name), int32(i)
	}
	memory, cue := p.MemorySense()
	for _, s := range d.Train {
		if x := s.Inputs[cue]; x != nil {
			episodes, of = append(episodes, s.ID), append(of, index[s.Targets[0][0]])
			keys = append(keys, x[:y.image]...)
		}
	}
	m, err := wiring.NewMemory(episodes, keys, y.image, of, texts, y.memories, y.semanticWidth)
	if err != nil {
		t.Fatal(err)
	}
	d.Memory = m
	for _, set := range [][]learn.Sample{d.Train, d.Val} {
		for i := range set {
			s := &set[i]
			for x := s.Inputs[cue]; len(x) > 0; x = x[y.image:] {
				value := make([]float32, y.semanticWidth)
				m.Remember(value, m.Recall(x[:y.image], wiring.RecallEpisodes, func(e int) bool { return episodes[e] == s.ID }))
				s.Inputs[memory] = append(s.Inputs[memory], value...)
			}
		}
	}
	return d
}

// openModels opens a plan's modules with the engine that is pure Go.
func openModels(t testing.TB, p *plan) *models {
	t.Helper()
	m, err := frozen.Open(p, library.Finder{Base: "testdata/plan"}, goengine.New())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// demoData prepares demonstration items with a plan's modules and an empty
// cache.
func demoData(t testing.TB, p *plan, m *models, train, val []demoExample) *prepared {
	t.Helper()
	examples := func(list []demoExample) (out []task.Example) {
		for _, x := range list {
			e := task.Example{ID: x.item.Name, Mirror: true, Inputs: map[string]task.Input{}, Targets: map[string]any{"caption": x.captions}}
			if x.item.IsPicture() {
				e.Inputs["image"] = task.Given("image", x.item.Image())
			} else {
				e.Inputs["sound"] = task.Given("sound", task.Sound{Samples: x.item.Samples(), Rate: datasets.SampleRate})
				e.Repeat = 2
			}
			out = append(out, e)
		}
		return out
	}
	o := prepare.Default()
	o.Views, o.Cache = 2, t.TempDir()
	d, report, err := prepare.Prepare(context.Background(), p, m, examples(train), examples(val), o)
	if err != nil {
		t.Fatal(err)
	}
	if report.Train != len(train) || report.Val != len(val) {
		t.Fatalf("%d and %d examples were kept of %d and %d: %v", report.Train, report.Val, len(train), len(val), report.Unreadable)
	}
	return d
}

// hashData hashes all that training sees of prepared data.
func hashData(p *plan, d *prepared) parts {
	inputs, captions := newDigest(), newDigest()
	index := map[*task.Target]int32{}
	var all []*task.Target
	for _, set := range [][]learn.Sample{d.Train, d.Val} {
		for _, s := range set {
			inputs.texts(s.ID).floats(s.Inputs...).ints(int32(s.Repeat))
			for _, one := range s.Targets[0] {
				if _, known := index[one]; !known {
					index[one] = int32(len(all))
					all = append(all, one)
				}
				captions.ints(index[one])
			}
		}
	}
	for _, one := range all {
		var words []int32
		for _, r := range one.Rows[1:] {
			words = append(words, r.Classes...)
		}
		captions.texts(one.Name).ints(words...).ints(one.Rows[0].Classes...).floats(one.Context)
	}
	// The aim's words are the plan's once it has learned; bound to a plan that
	// has them, its readout shows the frozen layer.
	bound := *p
	bound.Params = p.Params.Clone()
	for name, list := range d.Aims[0].Lists {
		bound.Params.SetList(name, list)
	}
	readout, err := d.Aims[0].Bind(&bound)
	if err != nil {
		panic(err)
	}
	x := readout.(*head.Language).Lexicon()
	return parts{
		"data inputs":   inputs.hex(),
		"data captions": captions.hex(),
		"data language": newDigest().ints(x.Tokens...).floats(x.Weight, x.Bias, x.Vectors).hex(),
	}
}

// four are the parts of a loss that the hashes know.
func four(l learn.Loss) []float64 {
	m := l.Metrics
	return []float64{m["caption token loss"], m["caption bag loss"], m["caption right"], m["caption named"]}
}

// fit teaches a plan. It stops after one step to look at the checkpoint and
// goes on from there.
func fit(t testing.TB, p *plan, d *prepared, f fitting) fitted {
	t.Helper()
	o := learn.Default()
	o.Epochs, o.Batch, o.Shards, o.Workers, o.Patience = f.epochs, f.batch, f.shards, f.workers, f.patience
	o.Noise, o.DropSense, o.Rate = f.noise, f.dropSense, f.rate
	o.Checkpoint = filepath.Join(t.TempDir(), "checkpoint")
	var out fitted
	add := func(to *[]float64, l learn.Loss) { *to = append(*to, four(l)...) }
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var last learn.Loss // of the last epoch, whichever is kept
	o.Progress = func(r learn.Progress) {
		last = r.Train
		if r.EpochDone {
			if r.Val != nil {
				add(&out.validation, *r.Val)
			} else {
				add(&out.validation, r.Train)
			}
			return
		}
		add(&out.losses, r.Train)
		out.losses = append(out.losses, r.Rate)
		stop()
	}
	if _, err := learn.Fit(ctx, p, d, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want training to stop after one step", err)
	}
	out.once = checkpoint(t, o.Checkpoint, 1)
	res, err := learn.Fit(context.Background(), p, d, o)
	if err != nil {
		t.Fatal(err)
	}
	out.end = checkpoint(t, o.Checkpoint, res.Steps)
	add(&out.losses, last)
	if res.Val != nil {
		add(&out.validation, *res.Val)
	} else {
		add(&out.validation, res.Train)
	}
	out.kept = slices.Clone(p.Params.Data)
	return out
}

// checkpoint reads parameters and AdamW's means from a checkpoint: a line of
// JSON and the arrays, see package learn.
func checkpoint(t testing.TB, path string, steps int) moment {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	line, rest, _ := bytes.Cut(file, []byte("\n"))
	var head struct{ Moment, Floats int }
	if err := json.Unmarshal(line, &head); err != nil {
		t.Fatal(err)
	}
	if head.Moment != steps {
		t.Fatalf("the checkpoint is of step %d, want %d", head.Moment, steps)
	}
	array := func(k int) []float32 {
		v := make([]float32, head.Floats)
		for i := range v {
			v[i] = math.Float32frombits(binary.LittleEndian.Uint32(rest[4*(k*head.Floats+i):]))
		}
		return v
	}
	return moment{array(0), array(1), array(2)}
}

// evaluate is the loss of every sample told its first caption: token, bag,
// right and named.
func evaluate(t testing.TB, p *plan, d *prepared) (losses []float64) {
	t.Helper()
	for _, set := range [][]learn.Sample{d.Train, d.Val} {
		for i := range set {
			l, err := learn.Evaluate(p, d, set[i:i+1])
			if err != nil {
				t.Fatal(err)
			}
			losses = append(losses, four(l)...)
		}
	}
	return losses
}

// encoded is what the modules and the memory made of inputs.
type encoded struct {
	captioner *answer.Session
	inputs    []*answer.Encoded
}

func encode(t testing.TB, p *plan, m *models, items []demo.Item) encoded {
	t.Helper()
	c, err := answer.New(context.Background(), p, m, runtime.Default())
	if err != nil {
		t.Fatal(err)
	}
	e := encoded{captioner: c}
	for _, it := range items {
		in := answer.Inputs{"sound": task.Sound{Samples: it.Samples(), Rate: demo.Rate}}
		if it.IsPicture() {
			in = answer.Inputs{"image": it.Image()}
		}
		x, err := c.Encode(context.Background(), in)
		if err != nil {
			t.Fatal(err)
		}
		e.inputs = append(e.inputs, x)
	}
	return e
}

// hash is that of the senses' vectors, those in the text space, and what was
// recalled.
func (e encoded) hash() string {
	h := newDigest()
	for _, x := range e.inputs {
		h.floats(x.Senses...).floats(x.Text)
		for _, r := range x.Recalled {
			h.ints(int32(r.Episode)).floats([]float32{r.Cosine})
		}
	}
	return h.hex()
}

// decoding names a way to choose captions.
type decoding string

const (
	greedily    decoding = "greedy"
	beamMBR     decoding = "beam and minimum Bayes risk"
	memoryAlone decoding = "memory alone"
)

// say decodes all inputs: the captions, and for each the mean probability of
// its words and end. Captions chosen by beam or by memory are told to the plan
// once more for their probabilities.
func (e encoded) say(t testing.TB, how decoding) (captions []string, probabilities []float64) {
	t.Helper()
	o := map[decoding]answer.Options{greedily: answer.Greedy(), beamMBR: {Beam: 16, Temperature: 0.03, Likelihood: 0.3, Spoken: 0.85, Sharpness: wiring.RecallSharpness}, memoryAlone: answer.MemoryAlone()}[how]
	o.Beam = min(o.Beam, 4)
	said, err := e.captioner.Answer(context.Background(), e.inputs, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range said {
		captions, probabilities = append(captions, s.By["caption"].Text), append(probabilities, s.By["caption"].Confidence)
	}
	return captions, probabilities
}

// meanings are the points in the text space that the plan makes of the inputs.
func (e encoded) meanings(t testing.TB) (out [][]float32) {
	t.Helper()
	for _, x := range e.inputs {
		v, err := e.captioner.Meaning(context.Background(), 0, x)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// trace is the hash of what every region and tract did, tick by tick, while
// the first input was captioned greedily.
func (e encoded) trace(t testing.TB) string {
	t.Helper()
	o := answer.Greedy()
	o.Trace = true
	said, err := e.captioner.Answer(context.Background(), e.inputs[:1], o)
	if err != nil {
		t.Fatal(err)
	}
	tr := said[0].Trace
	h := newDigest()
	for _, series := range [][][]float32{tr.State, tr.Gate, tr.Flow} {
		for _, v := range series {
			h.floats(v[:tr.Ticks])
		}
	}
	return h.hex()
}
