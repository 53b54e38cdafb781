package lesion

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/connectomewire/wire/modules/engine"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/caption"
	"github.com/connectomewire/wire/runtime/demo"
	"github.com/connectomewire/wire/wiring"
)

// answer is what a plan said of an input, and the logits of all words before
// each of them.
type answer struct {
	text   string
	logits [][]float32
}

// TestEnginesGiveTheSameLogits captions the demonstration's pictures and
// sounds with the shipped plan on both engines.
func TestEnginesGiveTheSameLogits(t *testing.T) {
	if e, err := engine.Open(engine.NameONNXRuntime, engine.Options{}); err != nil {
		t.Skip("ONNX Runtime: ", err)
	} else if e.Name() == engine.NameGo {
		t.Fatal("ONNX Runtime is the pure-Go engine")
	}
	native, pure := answers(t, engine.NameONNXRuntime), answers(t, engine.NameGo)
	for i, item := range demo.Items() {
		a, b := native[i], pure[i]
		if a.text != b.text || len(a.logits) != len(b.logits) || len(a.logits) == 0 {
			t.Errorf("%s: ONNX Runtime says %q, pure Go %q", item.Name, a.text, b.text)
			continue
		}
		worst := 0.0
		for w := range a.logits {
			for k, x := range a.logits[w] {
				worst = max(worst, math.Abs(float64(x-b.logits[w][k])))
			}
		}
		if !(worst < 1e-3) {
			t.Errorf("%s, %q: logits differ by %g", item.Name, a.text, worst)
		}
	}
}

// listener notes the logits before each word.
type listener struct {
	*reciter
	heard [][]float32
}

func (l *listener) Hear(ctx context.Context, tick int, norm []float32) (runtime.Reply, error) {
	r, err := l.reciter.Hear(ctx, tick, norm)
	if tick >= l.study.plan.Stare {
		l.heard = append(l.heard, slices.Clone(l.logits))
	}
	return r, err
}

// answers captions every item of the demonstration on an engine.
func answers(t *testing.T, name string) []answer {
	t.Helper()
	ctx := context.Background()
	e, err := engine.Open(name, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := wiring.DefaultPlan()
	if err != nil {
		t.Fatal(err)
	}
	m, err := caption.Open(p, caption.Library{}, e)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	c, err := caption.New(ctx, p, m, runtime.Default())
	if err != nil {
		t.Fatal(err)
	}
	s := study(t, p, m, runtime.Default())
	var out []answer
	for _, item := range demo.Items() {
		var input caption.Input
		if item.IsPicture() {
			input.Image = item.Image()
		} else {
			input.Sound, input.Rate = item.Samples(), demo.Rate
		}
		in, err := c.Encode(ctx, input)
		if err != nil {
			t.Fatal(err)
		}
		said, err := c.Captions(ctx, []*caption.Encoded{in}, caption.Greedy())
		if err != nil {
			t.Fatal(err)
		}
		v, err := s.voice(ctx, said[0].Tokens)
		if err != nil {
			t.Fatal(err)
		}
		v.batch, v.chance = 1, make([]float64, 1)
		l := &listener{reciter: v}
		if _, err := s.net.Run(ctx, runtime.Episode{Inputs: caption.Inputs(p, []*caption.Encoded{in}, 1), Ticks: p.Stare + len(v.say), Voice: l}); err != nil {
			t.Fatal(err)
		}
		out = append(out, answer{said[0].Text, l.heard})
	}
	return out
}
