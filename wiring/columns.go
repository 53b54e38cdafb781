package wiring

import "github.com/connectomewire/wire/internal/kernel"

// columnsFrom is the batch from which on what is one number or a few of an episode
// lies in columns: vectors then hold as many episodes as they have lanes.
const columnsFrom = 16

// Columns says how the messages of a batch lie fastest, see [Tick.Columns]: 0 for
// rows. Cells that keep their matrices in halves have no columns.
func Columns(batch int, half bool) int {
	if half || batch < columnsFrom {
		return 0
	}
	return kernel.Columns(batch)
}

// Pitch is how far apart rows of columns are in a tick's gated messages, see
// [Tick.Columns]; it is no less than the columns.
func Pitch(batch int) int { return kernel.Pitch(batch) }

// gateColumns is what [Cell.gateRows] does, where messages lie in columns; and it
// leaves the gated ones so.
func (c *Cell) gateColumns(batch int, t *Tick) {
	gates := t.Gates[:len(c.In)*t.Columns]
	if c.weights.GateBias == nil {
		for i := range gates {
			gates[i] = restingGate
		}
	} else {
		c.turn(batch, t, t.PrevNorm)
		c.gate.columns(t.Columns, t.Turned, gates, t.Columns)
		kernel.GatherColumns(c.Rank, t.Columns, t.In, c.weights.GateSignal, c.weights.GateBias, gates)
		kernel.Sigmoid(gates, gates)
	}
	kernel.ScaleColumns(c.Rank, t.Columns, Pitch(batch), t.Mixed, t.In, c.scale, gates)
}

// turn lays a batch of states, [batch, d], in columns, as products read them best.
func (c *Cell) turn(batch int, t *Tick, states []float32) {
	kernel.PackB(t.Turned, states, c.Width, true, c.Width, batch)
}

// TurnedLen is how many numbers of scratch columns of a batch of states of so many
// numbers need, see [Tick.Turned].
func TurnedLen(width, batch int) int { return kernel.PackedLen(width, batch) }
