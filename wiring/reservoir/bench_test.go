package reservoir_test

import (
	"testing"

	"github.com/connectomewire/wire/wiring/reservoir"
)

// The work of bench/reservoir: 4,050 steps of 68 regions, and 60 readouts.
func BenchmarkSteps(b *testing.B) {
	p := built(b, drawn(b, 68, 0.3, 1), reservoir.Options{Rho: 0.95, Signs: reservoir.SignsAsymmetric, InputGain: 0.01, Seed: 1})
	u := make([]float64, 4050)
	for i := range u {
		u[i] = float64(i*7919%1000)/500 - 1
	}
	stepper, err := p.RateStepper()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := stepper.Run([][]float64{u}, len(u)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFit(b *testing.B) {
	p := built(b, drawn(b, 68, 0.3, 1), reservoir.Options{Rho: 0.95, Signs: reservoir.SignsAsymmetric, InputGain: 0.01, Seed: 1})
	task, err := reservoir.Find("memory-capacity")
	if err != nil {
		b.Fatal(err)
	}
	data, err := task.Generate(reservoir.TaskOptions{Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := reservoir.Fit(p, task, data, reservoir.FitOptions{Ridge: 1e-6, Washout: -1}); err != nil {
			b.Fatal(err)
		}
	}
}
