package learn

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/task"
)

// TestGradientThroughASteeredModel compares the gradient of every tensor of a plan
// that steers a real GPT-2, small, with differences: through the residual and the
// last layer, the model, the vectors that steer it, and the tracts over all ticks,
// with a word's vector coming back; with a semantic readout and without, and with a
// model whose texts start with two tokens.
func TestGradientThroughASteeredModel(t *testing.T) {
	l := &library.Library{Dir: t.TempDir()}
	e, _, err := l.Add(t.Context(), []string{"../../bench/steered/testdata/gpt2"}, library.PullOptions{Name: "gpt2"})
	if err != nil {
		t.Fatal(err)
	}
	manifest := filepath.Join(e.Dir, "module.yaml")
	for i, semantic := range []int{0, 10, 0} {
		name := fmt.Sprint("semantic ", semantic)
		if i == 2 {
			name = "two start tokens"
			b, err := os.ReadFile(manifest)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(manifest, regexp.MustCompile(`start: \[.*\]`).ReplaceAll(b, []byte("start: [7, 3]")), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		decoder, err := frozen.OpenDecoder(e.FS, "gpt2", e.Dir)
		if err != nil {
			t.Fatal(err)
		}
		defer decoder.Close()
		if got := len(decoder.Lead()); got != i/2*decoder.Width() {
			t.Fatalf("%s: %d numbers before the text", name, got)
		}
		t.Run(name, func(t *testing.T) {
			p := smallPlan(t, 12, 3)
			x := &p.Effectors[0]
			x.Module, x.FeedbackWidth = "gpt2", decoder.Width()
			x.Settings = wiring.Settings{"hidden": decoder.Hidden(), "embedding": decoder.Width(), "prefix": 2, "semantic": semantic}
			want := []string{"residual", "gain", "prefix", "prefix.bias", "feedback"}
			if semantic > 0 {
				x.Settings["text"] = "text"
				want = append(want, "semantic", "kappa")
			}
			p.Init(3)
			kinds := checkGradients(t, p, steeredData(t, p, decoder, semantic), "regionI")
			for _, kind := range want {
				if kinds[kind] == 0 {
					t.Errorf("no tensor of kind %s was checked", kind)
				}
			}
		})
	}
}

// steeredData asks for sentences of two to five tokens.
func steeredData(t *testing.T, p *wiring.Plan, decoder *frozen.Decoder, semantic int) *Data {
	t.Helper()
	rng := wiring.Stream(12, "steered data")
	gauss := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(0.3 * rng.NormFloat64())
		}
		return v
	}
	const words = 20
	x := &head.Lexicon{Hidden: decoder.Hidden(), Semantic: semantic, Weight: gauss(words * decoder.Hidden()), Bias: gauss(words), Vectors: gauss(words * semantic)}
	for i := range words {
		x.Tokens = append(x.Tokens, int32(5*i))
	}
	for row := range slices.Chunk(x.Vectors, max(semantic, 1)) {
		wiring.UnitLength(row)
	}
	parts := []task.Reading{head.ReadMeaning: {Name: "bag loss", Weight: 0.5}, head.ReadWord: {Name: "token loss", Weight: 1}}
	d := numbersFor(p, 12, 0)
	addAim(d, p, 0, &task.CrossEntropy{Parts: parts}, func(i int) *task.Target {
		target := &task.Target{Rows: []task.Row{{Reading: head.ReadMeaning, Tick: p.Ticks.Settle}}}
		if semantic > 0 {
			target.Rows[0].Classes = []int32{int32(1 + i)}
		}
		heard := []int64{0}
		for k := range 2 + i%4 {
			word := int32((i*7 + k*3) % words)
			target.Rows = append(target.Rows, task.Row{Reading: head.ReadWord, Tick: p.Ticks.Settle + 1 + k, Classes: []int32{word}})
			heard = append(heard, int64(x.Tokens[word]))
		}
		var err error
		if target.Context, err = decoder.Embeddings(t.Context(), heard[:len(heard)-1]); err != nil {
			t.Fatal(err)
		}
		target.Feedback = target.Context
		return target
	})
	d.Aims[0].Bind = func(p *wiring.Plan) (head.Readout, error) { return head.BindSteered(p, 0, x, decoder) }
	return d
}
