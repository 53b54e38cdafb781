package caption

import "github.com/connectomewire/wire/wiring"

// Inputs are encoded inputs as an episode takes them: for each of the plan's
// senses the standardised vectors of the group, each repeated, [group ×
// repeat, width]; nil for a sense that no input has.
func Inputs(p *wiring.Plan, group []*Encoded, repeat int) [][]float32 {
	out := make([][]float32, len(p.Senses))
	for s := range p.Senses {
		width := p.Senses[s].Width
		for i, in := range group {
			if s >= len(in.Senses) || in.Senses[s] == nil {
				continue
			}
			if out[s] == nil {
				out[s] = make([]float32, len(group)*repeat*width)
			}
			row := out[s][i*repeat*width:]
			p.Standardise(row, s, in.Senses[s], 1)
			for k := 1; k < repeat; k++ {
				copy(row[k*width:][:width], row[:width])
			}
		}
	}
	return out
}
