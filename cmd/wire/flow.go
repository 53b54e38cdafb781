package main

import (
	"github.com/connectomewire/wire/connectome/synthetic"
	"github.com/connectomewire/wire/graphs"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/wiring"
)

// checkDrawing refuses the name of a drawing that has no known format.
func checkDrawing(name string) error {
	if _, err := graphs.FormatOf(name); err != nil {
		return usageError{err}
	}
	return nil
}

// flowDiagram is the plan with what an episode sent through its tracts.
func flowDiagram(p *wiring.Plan, t *runtime.Trace, said string) *graphs.Diagram {
	d := graphs.FromPlan(p)
	d.LocateBy(synthetic.Default())
	d.Flow = &graphs.Flow{Edges: t.MeanFlow(), Nodes: t.MeanState(), Unit: "mean flow (gate × scale × signal)", Said: said}
	if t.Contribution != nil {
		d.Flow.Unit = contributionUnit(p) + " that the answer loses without the tract"
		for k, c := range t.Contribution {
			d.Flow.Edges[k] = max(c, 0) // a tract that argued for other words carried none of these
		}
	}
	return d
}

// drawFlow writes the drawing of an episode's flow.
func drawFlow(p *wiring.Plan, t told, name string) error {
	return flowDiagram(p, t.trace, t.text).RenderFile(name, graphs.RenderOptions{})
}
