package wiring

import (
	"math"
	"reflect"
	"strings"
	"testing"
)

// remembering is a plan with a memory of a few random episodes, of which two
// have one caption.
func remembering(t testing.TB) (*Plan, []float32) {
	t.Helper()
	p, _ := testPlan(t)
	rng := Stream(5, "memory test")
	gauss := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
		return v
	}
	memory, cue := p.MemorySense()
	keys := gauss(4 * p.Senses[cue].Width)
	m, err := NewMemory([]string{"a/1", "a/2", "b/1", "c"}, keys, p.Senses[cue].Width,
		[]int32{0, 1, 0, 2}, []string{"a cat", "a dog , lying", "a hat"}, gauss(3*p.Senses[memory].Width), p.Senses[memory].Width)
	if err != nil {
		t.Fatal(err)
	}
	p.Memory, p.Trained = m, true
	return p, keys
}

func TestMemoryRecallsTheNearest(t *testing.T) {
	p, keys := remembering(t)
	m := p.Memory
	for e := range m.Episodes {
		cue := keys[e*m.KeyWidth:][:m.KeyWidth]
		found := m.Recall(cue, 3, nil)
		if len(found) != 3 || found[0].Episode != e || found[0].Cosine < 0.999 || found[1].Cosine < found[2].Cosine {
			t.Fatalf("the key of episode %d recalls %+v", e, found)
		}
		for _, r := range m.Recall(cue, 9, func(i int) bool { return i == e }) {
			if r.Episode == e {
				t.Errorf("episode %d came back although it was not allowed to", e)
			}
		}
		// The weights are those of softmax(β cos).
		got, want := make([]float32, m.ValueWidth), make([]float64, m.ValueWidth)
		m.Remember(got, found)
		var sum float64
		for _, r := range found {
			w := math.Exp(RecallSharpness * float64(r.Cosine))
			sum += w
			for i, v := range m.meaning[int(m.Payload[r.Episode])*m.ValueWidth:][:m.ValueWidth] {
				want[i] += w * float64(v)
			}
		}
		for i := range want {
			if math.Abs(want[i]/sum-float64(got[i])) > 1e-5 {
				t.Fatalf("number %d that comes back is %v, want %v", i, got[i], want[i]/sum)
			}
		}
	}
}

func TestMemorySurvivesTheDisk(t *testing.T) {
	p, _ := remembering(t)
	files := saved(t, p)
	q, err := LoadFS(files)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(p.Memory, q.Memory) {
		t.Error("the memory changed on disk")
	}
	q.Init(1)
	if q.Memory != nil {
		t.Error("an untrained plan remembers its training")
	}
	for _, c := range []struct {
		file  string
		edit  func(string) string
		wants string
	}{
		{memoryFileName, func(s string) string { return strings.Replace(s, "value", "words", 1) }, "memory.tsv:1:1"},
		{memoryFileName, func(s string) string { return strings.Replace(s, "a/2\t", "a/2 ", 1) }, "memory.tsv:3:1"},
		{memoryFileName, func(s string) string { return strings.Replace(s, "c\ta hat\n", "", 1) }, "want 3 rows"},
		{memoryTensorsName, func(s string) string { return s[:len(s)-1] }, "offsets"},
		{memoryTensorsName, func(s string) string { return s[:5] }, "too short"},
		{planFileName, func(s string) string { return strings.Replace(s, "of: image", "of: smell", 1) }, "smell"},
		{planFileName, func(s string) string { return strings.Replace(s, "of: image", "of: sound", 1) }, "wide"},
	} {
		broken := saved(t, p)
		edited := c.edit(string(broken[c.file].Data))
		if edited == string(broken[c.file].Data) {
			t.Fatalf("%s: the edit did nothing", c.file)
		}
		broken[c.file].Data = []byte(edited)
		if _, err := LoadFS(broken); err == nil || !strings.Contains(err.Error(), c.wants) {
			t.Errorf("%s damaged: error %v, want one with %q", c.file, err, c.wants)
		}
	}
	delete(files, memoryTensorsName)
	if _, err := LoadFS(files); err == nil || !strings.Contains(err.Error(), memoryTensorsName) {
		t.Errorf("half a memory: error %v", err)
	}
}

func TestMemoryRecipeMistakes(t *testing.T) {
	recipe, err := recipeFiles.ReadFile("recipes/remembering.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][3]string{
		{"of: image", "of: smell", "smell"},
		{"of: image", "of: memory", "brings it back"},
		{"kind: memory", "kind: sound", "of kind memory"},
	} {
		edited := strings.Replace(string(recipe), c[0], c[1], 1)
		if _, err := ParseRecipe("r.yaml", []byte(edited)); err == nil || !strings.Contains(err.Error(), c[2]) {
			t.Errorf("%s: error %v, want one with %q", c[1], err, c[2])
		}
	}
}
