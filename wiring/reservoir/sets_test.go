package reservoir_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/connectomewire/wire/connectome/synthetic"
	"github.com/connectomewire/wire/wiring/reservoir"
)

func TestSelect(t *testing.T) {
	c := synthetic.Default()
	for set, want := range map[string]int{"": 0, "all": 0, "random=0.25": 21, "role=primary visual": 2, c.Names()[3] + "," + c.Names()[0]: 2} {
		got, err := reservoir.Select(c, set, 1)
		if err != nil || len(got) != want {
			t.Errorf("%q: %q (%v), want %d", set, got, err, want)
		}
	}
	left, err := reservoir.Select(c, "hemisphere=left", 1)
	if err != nil || len(left) == 0 || slices.ContainsFunc(left, func(l string) bool { return strings.HasPrefix(l, "rh-") }) {
		t.Errorf("left: %q, %v", left, err)
	}
	a, _ := reservoir.Select(c, "random=0.5", 1)
	b, _ := reservoir.Select(c, "random=0.5", 2)
	again, _ := reservoir.Select(c, "random=0.5", 1)
	if slices.Equal(a, b) || !slices.Equal(a, again) {
		t.Error("what is drawn does not follow from the seed")
	}
	for set, want := range map[string]string{
		"lobe=tail": "there are", "role=cooking": "role", "random=2": "want a share", "size=3": "want all, hemisphere=", "nowhere": `no region "nowhere"`,
	} {
		if _, err := reservoir.Select(c, set, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v", set, err)
		}
	}
}

// TestStateNoise: it is there, follows from its seed, and memory is worse for it.
func TestStateNoise(t *testing.T) {
	p := built(t, drawn(t, 30, 0.3, 1), reservoir.Options{Rho: 0.9, Signs: reservoir.SignsAsymmetric})
	task, err := reservoir.Find("memory-capacity")
	if err != nil {
		t.Fatal(err)
	}
	d, err := task.Generate(reservoir.TaskOptions{Steps: 2000, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	capacity := func(noise float64, seed uint64) float64 {
		r, err := reservoir.Fit(p, task, d, reservoir.FitOptions{Ridge: 1e-6, Washout: -1, Noise: noise, NoiseSeed: seed})
		if err != nil {
			t.Fatal(err)
		}
		return *r.Capacity
	}
	still, little, much := capacity(0, 1), capacity(0.01, 1), capacity(0.3, 1)
	if !(still > little && little > much) || capacity(0.01, 2) == little || capacity(0.01, 1) != little {
		t.Errorf("capacities %v, %v, %v", still, little, much)
	}
	if _, err := reservoir.Fit(p, task, d, reservoir.FitOptions{Noise: -1}); err == nil {
		t.Error("noise of -1, and no error")
	}
}

// TestLearned: what is chosen by is part of what is learned from.
func TestLearned(t *testing.T) {
	for name, d := range map[string]*reservoir.Data{
		"one series": {Inputs: 1, Outputs: []string{"y"}, Sequences: []reservoir.Sequence{{Steps: 100, Inputs: make([]float64, 100), Targets: make([]float64, 100)}}},
		"splits": {Inputs: 1, Outputs: []string{"y"}, Sequences: []reservoir.Sequence{
			{Steps: 10, Split: "train", Inputs: make([]float64, 10), Targets: make([]float64, 10)},
			{Steps: 10, Split: "test", Inputs: make([]float64, 10), Targets: make([]float64, 10)}}},
	} {
		task, err := reservoir.Find("narma-10")
		if err != nil {
			t.Fatal(err)
		}
		q, err := d.Learned(task, reservoir.FitOptions{Washout: 0, Share: 0.6})
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]int{"one series": 60, "splits": 10}[name]
		if len(q.Sequences) != 1 || q.Sequences[0].Steps != want || len(q.Sequences[0].Inputs) != want {
			t.Errorf("%s: %d series", name, len(q.Sequences))
		}
	}
}
