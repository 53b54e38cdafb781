package graphs_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/graphs"
)

func ExampleDiagram_Render() {
	c := &connectome.Connectome{
		Name: "pair",
		Regions: []connectome.Region{
			{Label: "lh-pericalcarine", Hemisphere: connectome.Left, Lobe: "occipital"},
			{Label: "rh-pericalcarine", Hemisphere: connectome.Right, Lobe: "occipital"},
		},
	}
	var err error
	if c.Tracts, err = connectome.FromTracts(2, []connectome.Tract{{From: 0, To: 1, Weight: 3}}); err != nil {
		fmt.Println(err)
		return
	}
	var dot strings.Builder
	if err := graphs.FromConnectome(c).Render(&dot, graphs.DOT, graphs.RenderOptions{}); err != nil {
		fmt.Println(err)
		return
	}
	for _, line := range strings.Split(dot.String(), "\n") {
		if strings.Contains(line, "->") && strings.Contains(line, "pericalcarine") {
			edge, _, _ := strings.Cut(line, " [")
			fmt.Fprintln(os.Stdout, strings.TrimSpace(edge))
		}
	}
	// Output: "lh-pericalcarine" -> "rh-pericalcarine"
}
