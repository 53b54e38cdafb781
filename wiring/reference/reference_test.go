// Package reference_test holds wire to the bits that it gave before.
//
// testdata/hashes.json has SHA-256 hashes of the bits of parameters, AdamW's
// means, losses, word probabilities and meanings, for every level of the
// kernels that they were measured at (see [kernel.Level]): AVX2, and plain Go
// on amd64 (GOAMD64=v1). At a level without hashes the test skips by name.
// After a change that is meant to give other bits:
//
//	go test ./wiring/reference -update
package reference_test

import (
	"encoding/json"
	"flag"
	"maps"
	"math"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"testing"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/runtime/demo"
)

var update = flag.Bool("update", false, "store what this machine gives as the reference")

// raced is set under the race detector, which makes all this many times
// slower and changes no bit; learn and runtime have tests of their own for it.
var raced bool

// reference is one case: what it comes to must have the stored hashes.
type reference struct {
	name string
	do   func(t *testing.T) parts
}

func references() []reference {
	plain := fitting{epochs: toyEpochs, batch: toyBatch, shards: 1, workers: 1, rate: 3e-3}
	sharded := func(f fitting, workers int) fitting {
		f.shards, f.workers = 4, workers
		return f
	}
	noisy, dropping, patient := plain, plain, plain
	noisy.noise, dropping.dropSense = 0.5, 0.5
	patient.patience, patient.rate = toyEpochs, 0.3 // too fast: the last epoch is not the best
	all := fitting{epochs: toyEpochs, batch: toyBatch, rate: 3e-3, noise: 0.5, dropSense: 0.5}
	everything := toyOptions{memory: true, several: true, ragged: true, validation: true, repeats: true}
	return []reference{
		{"toy, from the seed", fromSeed(toyPlan)},
		{"toy's adapter, from the seed", fromSeed(toyAdapter)},
		{"default plan, from the seed", fromSeed(freshPlan)},
		{"default plan's adapter, from the seed", fromSeed(func(t testing.TB) *plan { return adapterOf(t, defaultPlan(t)) })},

		{"toy, plain", learnToy(toyPlan, toyOptions{}, plain)},
		{"toy, 4 shards", learnToy(toyPlan, toyOptions{}, sharded(plain, 1), sharded(plain, 2))},
		{"toy, noise", learnToy(toyPlan, toyOptions{}, noisy)},
		{"toy, dropped senses", learnToy(toyPlan, toyOptions{}, dropping)},
		{"toy, memory", learnToy(toyPlan, toyOptions{memory: true}, plain)},
		{"toy, several captions", learnToy(toyPlan, toyOptions{several: true}, plain)},
		{"toy, repeated examples", learnToy(toyPlan, toyOptions{repeats: true}, plain)},
		{"toy, ragged last batch", learnToy(toyPlan, toyOptions{ragged: true}, sharded(plain, 1), sharded(plain, 2))},
		{"toy, validation", learnToy(toyPlan, toyOptions{validation: true}, plain)},
		{"toy, best epoch kept", learnToy(toyPlan, toyOptions{several: true, validation: true}, patient)},
		{"toy, everything", learnToy(toyPlan, everything, sharded(all, 1), sharded(all, 2))},
		{"toy's adapter, everything", learnToy(toyAdapter, everything, sharded(all, 1), sharded(all, 2))},

		{"default plan, says", sayDemo},
		{"default plan, learns on", learnDemo(defaultPlan)},
		{"default plan's adapter, learns", learnDemo(func(t testing.TB) *plan { return adapterOf(t, defaultPlan(t)) })},
	}
}

func toyAdapter(t testing.TB) *plan { return adapterOf(t, toyPlan(t)) }

// fromSeed hashes untrained parameters.
func fromSeed(open func(t testing.TB) *plan) func(t *testing.T) parts {
	return func(t *testing.T) parts {
		layout, values := parameters(open(t))
		return parts{"layout": newDigest().texts(layout...).hex(), "parameters": newDigest().floats(values).hex()}
	}
}

// learnToy hashes fifty steps of training. Several fittings must come to the
// same.
func learnToy(open func(t testing.TB) *plan, o toyOptions, ways ...fitting) func(t *testing.T) parts {
	return func(t *testing.T) parts {
		var first parts
		for _, f := range ways {
			p := open(t)
			fitted := fit(t, p, toyData(t, p, newToy(o)), f)
			if f.patience > 0 && slices.Equal(fitted.kept, fitted.end.params) {
				t.Error("the last epoch is the best: the case shows nothing")
			}
			got := fitted.parts()
			if first == nil {
				first = got
			} else if !maps.Equal(first, got) {
				t.Errorf("%d workers come to other bits than %d", f.workers, ways[0].workers)
			}
		}
		return first
	}
}

func (f fitted) parts() parts {
	return parts{
		"parameters after 1 step": newDigest().floats(f.once.params).hex(),
		"means after 1 step":      newDigest().floats(f.once.first, f.once.second).hex(),
		"parameters at the end":   newDigest().floats(f.end.params).hex(),
		"means at the end":        newDigest().floats(f.end.first, f.end.second).hex(),
		"parameters kept":         newDigest().floats(f.kept).hex(),
		"losses":                  newDigest().doubles(f.losses...).hex(),
		"validation":              newDigest().doubles(f.validation...).hex(),
	}
}

// demoExample is an item of the demonstration with captions.
type demoExample struct {
	item     demo.Item
	captions []string
}

func demoItems(t testing.TB, names ...string) (list []demo.Item) {
	t.Helper()
	for _, name := range names {
		i := slices.IndexFunc(demo.Items(), func(it demo.Item) bool { return it.Name == name })
		if i < 0 {
			t.Fatalf("the demonstration has no %q", name)
		}
		list = append(list, demo.Items()[i])
	}
	return list
}

// sayDemo hashes what the default plan says of drawn pictures and sounds.
func sayDemo(t *testing.T) parts {
	p := defaultPlan(t)
	e := encode(t, p, openModels(t, p), demoItems(t, "apple", "fish", "cat", "bell", "rain"))
	return e.parts(t, greedily, beamMBR, memoryAlone)
}

func (e encoded) parts(t testing.TB, ways ...decoding) parts {
	out := parts{
		"senses":  e.hash(),
		"meaning": newDigest().floats(e.meanings(t)...).hex(),
		"trace":   e.trace(t),
	}
	for _, how := range ways {
		captions, probabilities := e.say(t, how)
		out[string(how)] = newDigest().texts(captions...).doubles(probabilities...).hex()
	}
	return out
}

// learnDemo hashes a few steps of training on items of the demonstration as
// the frozen modules give them, and what the plan says afterwards, when told
// and of itself.
func learnDemo(open func(t testing.TB) *plan) func(t *testing.T) parts {
	return func(t *testing.T) parts {
		p := open(t)
		m := openModels(t, p)
		var train, val []demoExample
		for _, x := range []struct {
			item     string
			captions []string
		}{
			{"apple", []string{"a red apple", "an apple"}}, {"sun", []string{"the sun"}}, {"house", []string{"a house", "a red house"}},
			{"tree", []string{"a green tree"}}, {"bell", []string{"a bell"}}, {"bird", []string{"a bird", "the sound of a bird"}},
		} {
			train = append(train, demoExample{demoItems(t, x.item)[0], x.captions})
		}
		val = []demoExample{{demoItems(t, "flower")[0], []string{"a red apple"}}, {demoItems(t, "siren")[0], []string{"a bell"}}}
		d := demoData(t, p, m, train, val)
		out := hashData(p, d)
		// Eight examples an epoch, since sounds come twice: batches of 3, 3 and 2.
		f := fit(t, p, d, fitting{epochs: 1, batch: 3, shards: 2, workers: 2, rate: 3e-3, noise: 0.5, dropSense: 0.5})
		maps.Copy(out, f.parts())
		out["told"] = newDigest().doubles(evaluate(t, p, d)...).hex()
		maps.Copy(out, encode(t, p, m, demoItems(t, "apple", "bell")).parts(t, greedily))
		return out
	}
}

// stored are the hashes of testdata: by level, case and part.
type stored map[string]map[string]parts

var storedFile = filepath.Join("testdata", "hashes.json")

func readStored(t *testing.T) stored {
	t.Helper()
	file, err := os.ReadFile(storedFile)
	if err != nil {
		t.Fatal(err)
	}
	s := stored{}
	if err := json.Unmarshal(file, &s); err != nil {
		t.Fatalf("%s: %v", storedFile, err)
	}
	return s
}

func (s stored) write(t *testing.T) {
	t.Helper()
	file, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(storedFile, append(file, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// atLevel runs do with the kernels at a level.
func atLevel(l kernel.Level, do func()) {
	defer kernel.SetLevel(kernel.SetLevel(l))
	do()
}

func levelName(l kernel.Level) string { return goruntime.GOARCH + " " + l.String() }

func TestReference(t *testing.T) {
	if raced {
		t.Skip("the race detector changes no bit")
	}
	if testing.Short() {
		t.Skip("takes seconds a level")
	}
	if goruntime.GOARCH == "amd64" && !slices.Contains(kernel.Levels(), kernel.AVX2) {
		t.Skip("the hashes are of machines with FMA, which math.Exp uses where it is")
	}
	want := readStored(t)
	cases := references()
	for _, level := range kernel.Levels() {
		name := levelName(level)
		t.Run(name, func(t *testing.T) {
			if len(want[name]) == 0 && !*update {
				t.Skipf("%s has no hashes of level %q", storedFile, name)
			}
			atLevel(level, func() {
				got := map[string]parts{}
				for _, c := range cases {
					t.Run(c.name, func(t *testing.T) {
						got[c.name] = c.do(t)
						if !*update {
							compare(t, got[c.name], want[name][c.name])
						}
					})
				}
				if *update {
					if want[name] == nil {
						want[name] = map[string]parts{}
					}
					maps.Copy(want[name], got)
				}
			})
			known := func(name string) bool {
				return slices.ContainsFunc(cases, func(c reference) bool { return c.name == name })
			}
			for stale := range want[name] {
				if !known(stale) && *update {
					delete(want[name], stale)
				} else if !known(stale) {
					t.Errorf("%s: no case %q is left to compare", storedFile, stale)
				}
			}
		})
	}
	if *update && !t.Failed() {
		want.write(t)
	}
}

// compare reports the parts whose bits are others than they were.
func compare(t *testing.T, got, want parts) {
	t.Helper()
	for _, part := range slices.Sorted(maps.Keys(got)) {
		if want[part] == "" {
			t.Errorf("%s: no hash is stored; run with -update at a commit whose bits are right", part)
		} else if got[part] != want[part] {
			t.Errorf("%s: %.16s, want %.16s: the bits changed", part, got[part], want[part])
		}
	}
	for part := range want {
		if got[part] == "" {
			t.Errorf("%s: it is stored, and no longer computed", part)
		}
	}
}

// TestReferenceSeesOneUnitInTheLastPlace changes one number that goes in by
// one unit in its last place: what comes out has other hashes.
func TestReferenceSeesOneUnitInTheLastPlace(t *testing.T) {
	if raced || testing.Short() {
		t.Skip("see TestReference")
	}
	if !slices.Contains(kernel.Levels(), kernel.AVX2) {
		t.Skip("which bits drown was measured with AVX2")
	}
	defer kernel.SetLevel(kernel.SetLevel(kernel.AVX2))
	nudge := func(v []float32, at int) { v[at] = math.Nextafter32(v[at], float32(math.Inf(1))) }
	// The last bit of a small number drowns in a sum.
	nudgeLargest := func(v []float32) {
		at := 0
		for i, x := range v {
			if math.Abs(float64(x)) > math.Abs(float64(v[at])) {
				at = i
			}
		}
		nudge(v, at)
	}

	t.Run("hash", func(t *testing.T) {
		_, values := parameters(toyPlan(t))
		before := newDigest().floats(values).hex()
		for at := 0; at < len(values); at += 97 {
			old := values[at]
			nudge(values, at)
			if newDigest().floats(values).hex() == before {
				t.Fatalf("number %d changed, the hash did not", at)
			}
			values[at] = old
		}
		if newDigest().floats(values).hex() != before {
			t.Error("the same numbers have another hash")
		}
	})

	t.Run("learning", func(t *testing.T) {
		o := toyOptions{memory: true, several: true, ragged: true, validation: true, repeats: true}
		run := func(change func(p *plan, y *toy)) parts {
			p, y := toyPlan(t), newToy(o)
			change(p, y)
			f := fit(t, p, toyData(t, p, y), fitting{epochs: toyEpochs, batch: toyBatch, shards: 4, workers: 2, rate: 3e-3, noise: 0.5, dropSense: 0.5})
			return f.parts()
		}
		before := run(func(*plan, *toy) {})
		atEnd := []string{"parameters at the end", "means at the end", "parameters kept", "losses", "validation"}
		all := append([]string{"parameters after 1 step", "means after 1 step"}, atEnd...)
		tensor := func(name string) func(p *plan, y *toy) {
			return func(p *plan, _ *toy) { nudgeLargest(parameter(t, p, name)) }
		}
		for _, c := range []struct {
			name   string
			change func(p *plan, y *toy)
			parts  []string // that must change
		}{
			{"an axon", tensor("regionA/axon"), all},
			{"a synapse", tensor("regionF/synapse"), all},
			{"a leak", tensor("regionD/leak"), atEnd},
			{"a sense's matrix", tensor("sense:image/regionB"), all},
			{"the residual", tensor("effector:caption/residual"), all},
			{"the feedback", tensor("effector:caption/feedback"), all},
			{"kappa", tensor("effector:caption/kappa"), all},
			{"a picture", func(_ *plan, y *toy) { nudgeLargest(y.train[5].image) }, atEnd},
			{"a sound", func(_ *plan, y *toy) { nudgeLargest(y.train[4].sound) }, atEnd},
			{"a hidden state", func(_ *plan, y *toy) { nudgeLargest(y.captions[2].hidden) }, atEnd},
			{"the language module's head", func(_ *plan, y *toy) { nudgeLargest(y.headWeight) }, all},
			{"a word's vector", func(_ *plan, y *toy) { nudgeLargest(y.vectors) }, all},
			{"what validation sees", func(_ *plan, y *toy) { nudgeLargest(y.val[7].image) }, []string{"validation"}},
		} {
			after := run(c.change)
			for _, part := range c.parts {
				if after[part] == before[part] {
					t.Errorf("%s: its last bit changed, %s did not", c.name, part)
				}
			}
		}
	})

	t.Run("saying", func(t *testing.T) {
		p := defaultPlan(t)
		m := openModels(t, p)
		items := demoItems(t, "apple", "cat", "bell")
		before := encode(t, p, m, items).parts(t, greedily, beamMBR, memoryAlone)
		said := []string{string(greedily), string(beamMBR), string(memoryAlone)}
		for _, c := range []struct {
			tensor string
			whole  bool     // change all its numbers, where one drowns
			parts  []string // that must change
		}{
			{"lh-pericalcarine/axon", false, append(said, "trace")},
			{"lh-parsopercularis/synapse", false, append(said, "trace", "meaning")},
			{"sense:image/mean", false, append(said, "trace", "meaning")},
			{"sense:image/lh-pericalcarine", true, append(said, "trace", "meaning")},
			{"effector:caption/residual", true, said},
			{"effector:caption/feedback", true, append(said, "trace")},
			{"effector:caption/semantic", true, append(said, "meaning")},
			{"effector:caption/kappa", false, append(said, "meaning")},
		} {
			q := defaultPlan(t)
			v := parameter(t, q, c.tensor)
			if c.whole {
				for i := range v {
					nudge(v, i)
				}
			} else {
				nudgeLargest(v)
			}
			after := encode(t, q, m, items).parts(t, greedily, beamMBR, memoryAlone)
			for _, part := range c.parts {
				if after[part] == before[part] {
					t.Errorf("%s: its last bit changed, %s did not", c.tensor, part)
				}
			}
		}
	})
}
