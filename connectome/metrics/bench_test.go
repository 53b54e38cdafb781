package metrics_test

import (
	"testing"

	"github.com/connectomewire/wire/connectome/metrics"
	"github.com/connectomewire/wire/connectome/synthetic"
)

func BenchmarkFacts(b *testing.B) {
	c := synthetic.Default()
	for b.Loop() {
		metrics.FactsOf(c)
	}
}

func BenchmarkClustering1000(b *testing.B) {
	c := random(b, 1000, 0.05, true, 1)
	for b.Loop() {
		metrics.Clustering(c)
	}
}

func BenchmarkPathLength1000(b *testing.B) {
	c := random(b, 1000, 0.05, true, 1)
	for b.Loop() {
		metrics.PathLength(c)
	}
}

func BenchmarkSpectralRadius1000(b *testing.B) {
	c := random(b, 1000, 0.05, true, 1)
	for b.Loop() {
		if _, err := metrics.SpectralRadius(c); err != nil {
			b.Fatal(err)
		}
	}
}
