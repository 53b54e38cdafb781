package main

import (
	"fmt"
	"io"

	"github.com/connectomewire/wire/graphs/chart"
)

// figure draws ticks a second by workers, in a panel for each way to divide regions.
func figure(w io.Writer, all []point) error {
	var panels []chart.Panel
	for _, space := range []bool{true, false} {
		how := map[bool]string{true: "neighbours together", false: "regions at random"}[space]
		p := chart.Panel{Title: fmt.Sprintf("%d regions, %d tracts each, computed: %s", regions, tracts, how), X: "workers", Y: "ticks a second", LogX: true, LogY: true}
		for _, s := range sizes {
			c := chart.Curve{Name: fmt.Sprintf("d %d, r %d, inputs %d", s.d, s.r, s.batch)}
			for _, x := range all {
				if x.size == s && x.space == space {
					c.Points = append(c.Points, [2]float64{float64(x.workers), 1 / x.tick})
				}
			}
			p.Curves = append(p.Curves, c)
		}
		panels = append(panels, p)
	}
	return chart.Measured(w, panels)
}
