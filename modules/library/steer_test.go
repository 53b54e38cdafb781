package library_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/engine/goengine"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/modules/moduletest"
)

// describeDecoder puts a small decoder into the library, with the part that makes
// its tokens' vectors where it takes those.
func describeDecoder(t *testing.T, kind decoderKind, configs map[string]string) library.Entry {
	t.Helper()
	if kind.embeds {
		return describe(t, map[string]*moduletest.Model{"embed_tokens.onnx": tinyEmbedder(), "decoder_model.onnx": tinyDecoder(kind)},
			[]string{"embed_tokens.onnx", "decoder_model.onnx"}, configs)
	}
	if kind.inside {
		return describe(t, map[string]*moduletest.Model{"decoder_model_merged.onnx": mergedDecoder()}, []string{"decoder_model_merged.onnx"}, configs)
	}
	return describe(t, map[string]*moduletest.Model{"model.onnx": tinyDecoder(kind)}, []string{"model.onnx"}, configs)
}

// TestSteer: however a decoder was exported, it is cut open so that vectors go in
// where tokens did, says what it says whole, and reads step by step what it reads
// at once.
func TestSteer(t *testing.T) {
	configs := map[string]string{"config.json": tinyConfig, "tokenizer.json": tinyWords()}
	ctx := context.Background()
	for name, kind := range map[string]decoderKind{
		"whole text":                         {},
		"mask and positions":                 {mask: true, positions: true},
		"cache, mask and positions":          {cache: true, mask: true, positions: true},
		"merged":                             {cache: true, branch: true, mask: true},
		"merged, all of it inside":           {cache: true, inside: true},
		"vectors":                            {embeds: true},
		"vectors, cache, mask and positions": {embeds: true, cache: true, mask: true, positions: true},
	} {
		t.Run(name, func(t *testing.T) {
			e := describeDecoder(t, kind, configs)
			s := e.Manifest.Generate.Steer
			if s == nil || s.Width != tinyWidth || s.HiddenWidth != tinyWidth {
				t.Fatalf("generate.steer is %+v", s)
			}
			d, err := modules.OpenDecoder(e.FS, e.Name, goengine.New(), modules.Options{Path: e.Dir})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if d.Cached() != kind.cache {
				t.Errorf("cached: %v", d.Cached())
			}
			m, err := modules.OpenDir(e.Dir, goengine.New(), modules.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			said, err := m.Generate(ctx, map[string]modules.Input{"input_ids": modules.Text("w1 w2 w3")}, 6)
			if err != nil {
				t.Fatal(err)
			}
			all := append([]int64{1, 2, 3}, said.Tokens...)
			x, err := d.Embeddings(ctx, all)
			if err != nil {
				t.Fatal(err)
			}
			// A second text beside it must not matter.
			rows := slices.Concat(x, make([]float32, len(x)))
			rec, err := d.Record(ctx, rows, 2, len(all), 0)
			if err != nil {
				t.Fatal(err)
			}
			defer rec.Close()
			whole := rec.Output()[:len(all)*tinyWidth]
			scores, err := d.Last(ctx, whole, len(all))
			if err != nil {
				t.Fatal(err)
			}
			for i, id := range said.Tokens {
				row := scores[(i+2)*tinyEntries:][:tinyEntries]
				if best := slices.Index(row, slices.Max(row)); int64(best) != id {
					t.Errorf("place %d: token %d, whole it says %d", i, best, id)
				}
			}
			// Step by step; the texts change places in between, as beams do.
			var r *modules.Reading
			step := func(from, to int, first, second []float32) []float32 {
				t.Helper()
				var hidden []float32
				hidden, r, err = d.Read(ctx, r, slices.Concat(first[from*tinyWidth:to*tinyWidth], second[from*tinyWidth:to*tinyWidth]), 2, to-from)
				if err != nil {
					t.Fatal(err)
				}
				return hidden
			}
			near := func(got []float32, place int) {
				t.Helper()
				for i, v := range got {
					if want := whole[place*tinyWidth+i]; math.Abs(float64(v-want)) > 1e-4 {
						t.Fatalf("place %d, number %d: %v step by step, %v at once", place, i, v, want)
					}
				}
			}
			zero := make([]float32, len(x))
			near(step(0, 3, x, zero)[:tinyWidth], 2)
			near(step(3, 4, x, zero)[:tinyWidth], 3)
			r = d.Follow(r, []int32{1, 0})
			near(step(4, 5, zero, x)[tinyWidth:], 4)
			r = d.Follow(r, []int32{1, 1})
			both := step(5, 6, x, x)
			near(both[:tinyWidth], 5)
			near(both[tinyWidth:], 5)
			gradients(t, d, x, len(all))
		})
	}
}

// gradients compares the gradient of vectors with differences.
func gradients(t *testing.T, d *modules.Decoder, x []float32, length int) {
	t.Helper()
	ctx := context.Background()
	run := func(x []float32) *modules.DecoderRecording {
		rec, err := d.Record(ctx, x, 1, length, 0)
		if err != nil {
			t.Fatal(err)
		}
		return rec
	}
	rec := run(x)
	defer rec.Close()
	out := rec.Output()
	weigh := func(i int) float32 { return float32(math.Sin(float64(i))) }
	dy := make([]float32, len(out))
	for i := range dy {
		dy[i] = weigh(i)
	}
	dx, err := rec.Pull(ctx, dy)
	if err != nil {
		t.Fatal(err)
	}
	value := func(x []float32) (sum float64) {
		rec := run(x)
		defer rec.Close()
		for i, v := range rec.Output() {
			sum += float64(v) * float64(weigh(i))
		}
		return sum
	}
	const h = 1e-2
	var along, square float64
	up, down := slices.Clone(x), slices.Clone(x)
	for i, v := range dx {
		along += float64(v) * float64(weigh(3*i+1))
		square += float64(v) * float64(v)
		up[i] += h * weigh(3*i+1)
		down[i] -= h * weigh(3*i+1)
	}
	if diff := (value(up) - value(down)) / (2 * h); math.Abs(diff-along) > 0.02*math.Sqrt(square)+1e-3 {
		t.Errorf("the gradient's slope is %g, differences give %g (length %g)", along, diff, math.Sqrt(square))
	}
}

// TestSteerRefuses: a decoder that reads what an encoder gives is no plan's to steer,
// and the reason is told.
func TestSteerRefuses(t *testing.T) {
	from := t.TempDir()
	paths := []string{write(t, from, "encoder_model.onnx", tinyEncoder("pixel_values").Bytes()), write(t, from, "decoder_model.onnx", tinyDecoder(decoderKind{cross: true}).Bytes())}
	write(t, from, "config.json", []byte(tinyConfig))
	l := &library.Library{Dir: t.TempDir()}
	e, notes, err := l.Add(context.Background(), paths, library.PullOptions{License: "MIT"})
	if err != nil {
		t.Fatal(err)
	}
	if e.Manifest.Generate == nil || e.Manifest.Generate.Steer != nil || !strings.Contains(strings.Join(notes, "\n"), "cannot steer this decoder: its decoder reads what another part gives") {
		t.Errorf("generate %+v, notes %q", e.Manifest.Generate, notes)
	}
	if _, err := modules.OpenDecoder(e.FS, e.Name, goengine.New(), modules.Options{Path: e.Dir}); err == nil || !strings.Contains(err.Error(), "cannot be steered") {
		t.Errorf("opened: %v", err)
	}
}
