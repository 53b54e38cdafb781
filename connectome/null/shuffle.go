package null

import (
	"math/rand/v2"

	"github.com/connectomewire/wire/connectome"
)

// weightShuffle permutes the weights over the tracts.
func weightShuffle(e *edges, _ Options, rng *rand.Rand) (string, error) {
	rng.Shuffle(len(e.list), func(i, j int) {
		e.list[i].weight, e.list[j].weight = e.list[j].weight, e.list[i].weight
	})
	return "", nil
}

// shuffleLabels moves regions, names and positions together, to other nodes
// of their hemisphere; the tracts between the nodes stay.
func shuffleLabels(c *connectome.Connectome, rng *rand.Rand) {
	for _, side := range []connectome.Hemisphere{connectome.UnknownHemisphere, connectome.Left, connectome.Right, connectome.Midline} {
		var at []int
		for i := range c.Regions {
			if c.Regions[i].Hemisphere == side {
				at = append(at, i)
			}
		}
		rng.Shuffle(len(at), func(i, j int) {
			c.Regions[at[i]], c.Regions[at[j]] = c.Regions[at[j]], c.Regions[at[i]]
		})
	}
}
