package connectome_test

import (
	"fmt"

	"github.com/connectomewire/wire/connectome"
)

func ExampleConnectome_Graph() {
	m, err := connectome.FromDense([][]float64{{0, 2, 0}, {0, 0, 1}, {0, 0, 0}}, nil)
	if err != nil {
		panic(err)
	}
	c := &connectome.Connectome{Directed: true, Regions: []connectome.Region{{Label: "V1"}, {Label: "V2"}, {Label: "MT"}}, Tracts: m}
	g := c.Graph()
	for to := g.From(0); to.Next(); {
		w, _ := g.Weight(0, to.Node().ID())
		fmt.Println("V1 →", c.Regions[to.Node().ID()].Label, w)
	}
	// Output: V1 → V2 2
}
