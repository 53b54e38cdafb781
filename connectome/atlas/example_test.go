package atlas_test

import (
	"fmt"

	"github.com/connectomewire/wire/connectome"
	"github.com/connectomewire/wire/connectome/atlas"
)

func ExampleAnnotate() {
	c := &connectome.Connectome{Regions: []connectome.Region{
		{Label: "ctx-lh-pericalcarine"}, {Label: "Rthal"}, {Label: "lh.lingul"},
	}}
	match := atlas.Annotate(c)
	fmt.Println(match)
	for _, r := range c.Regions {
		fmt.Printf("%s: %q %s %v\n", r.Label, r.Canonical, r.Lobe, r.Roles)
	}
	fmt.Println("did you mean", match.Unknown[0].Suggestion)
	// Output:
	// Desikan–Killiany: 2 of 3 regions
	// ctx-lh-pericalcarine: "lh-pericalcarine" occipital [primary visual]
	// Rthal: "rh-thalamus" subcortical [thalamus]
	// lh.lingul: ""  []
	// did you mean lh-lingual
}

func ExampleLookup() {
	role, _ := atlas.Lookup("Broca's area")
	fmt.Println(role)
	_, err := atlas.Lookup("primary visul")
	fmt.Println(err)
	// Output:
	// broca
	// no role "primary visul"; did you mean "primary visual"?
}
