package lesion

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/connectomewire/wire/modules/engine"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/runtime/demo"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/task"
)

// heard is what a plan said of an input, and the logits of all words before
// each of them.
type heard struct {
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

func (l *listener) Act(ctx context.Context, tick int, norm []float32) (runtime.Reply, error) {
	r, err := l.reciter.Act(ctx, tick, norm)
	if tick >= l.settle {
		l.heard = append(l.heard, slices.Clone(l.logits))
	}
	return r, err
}

// answers captions every item of the demonstration on an engine.
func answers(t *testing.T, name string) []heard {
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
	m, err := frozen.Open(p, library.Finder{}, e)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	c, err := answer.New(ctx, p, m, runtime.Default())
	if err != nil {
		t.Fatal(err)
	}
	s := study(t, p, m, runtime.Default())
	var out []heard
	for _, item := range demo.Items() {
		input := answer.Inputs{"sound": task.Sound{Samples: item.Samples(), Rate: demo.Rate}}
		if item.IsPicture() {
			input = answer.Inputs{"image": item.Image()}
		}
		in, err := c.Encode(ctx, input)
		if err != nil {
			t.Fatal(err)
		}
		said, err := c.Answer(ctx, []*answer.Encoded{in}, answer.Greedy())
		if err != nil {
			t.Fatal(err)
		}
		a := said[0].By["caption"]
		v, err := s.reciter(ctx, 0, s.session.Readout(0).(*head.Language), a.Tokens)
		if err != nil {
			t.Fatal(err)
		}
		ticks := v.begin(1)
		inputs, _ := answer.Standardised(p, []*answer.Encoded{in}, 1)
		l := &listener{reciter: v}
		if _, err := s.net.Run(ctx, runtime.Episode{Inputs: inputs, Ticks: ticks, Actors: []runtime.Actor{l}}); err != nil {
			t.Fatal(err)
		}
		out = append(out, heard{a.Text, l.heard})
	}
	return out
}
