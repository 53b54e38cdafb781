package metrics_test

import (
	"fmt"

	"github.com/connectomewire/wire/connectome/metrics"
	"github.com/connectomewire/wire/connectome/synthetic"
)

func ExampleFactsOf() {
	f := metrics.FactsOf(synthetic.Default())
	fmt.Printf("%d regions, %d tracts, density %.2f, hub %s\n", f.Nodes, f.EdgesOffdiag, f.Density, f.TopStrengthLabel)
	// Output:
	// 82 regions, 1196 tracts, density 0.36, hub lh-thalamus
}
