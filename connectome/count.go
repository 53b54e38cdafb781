package connectome

// TractCount counts the tracts between different regions: ordered pairs of a
// directed connectome, unordered pairs of an undirected one, each of which is
// stored in both directions.
func (c *Connectome) TractCount() int {
	n := 0
	for i := range c.Regions {
		lo, hi := c.Tracts.Row(i)
		for k := lo; k < hi; k++ {
			if j := int(c.Tracts.Target[k]); j != i && (c.Directed || i < j) {
				n++
			}
		}
	}
	return n
}
