package head

import (
	"fmt"
	"math"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
)

// NameEmbedding is the head of an effector that answers with a vector of
// length 1: a place in a space in which neighbours are sought.
const NameEmbedding = "embedding"

// settingWidth is the width of the embedding's space.
const settingWidth = "width"

func init() { wiring.RegisterHead(NameEmbedding, embedding{}) }

type embedding struct{ wiring.BareHead }

// Place implements [wiring.Head].
func (h embedding) Place(e *wiring.Effector, _ wiring.Ports) error {
	if e.Settings.Int(settingWidth) == 0 {
		return fmt.Errorf("the width of its space is not known: write `settings: {width: 128}`")
	}
	return h.Check(e)
}

// Check implements [wiring.Head].
func (embedding) Check(e *wiring.Effector) error {
	if err := e.Settings.Check(settingWidth); err != nil {
		return err
	}
	const most = 1 << 16
	if w := e.Settings.Int(settingWidth); w < 1 || w > most {
		return fmt.Errorf("its space has %d dimensions, want 1 to %d", w, most)
	}
	return nil
}

// Tensors implements [wiring.Head]: weight W [dimensions, width].
func (embedding) Tensors(e *wiring.Effector, width int) []wiring.TensorSpec {
	return []wiring.TensorSpec{{
		Name: "weight", Shape: []int{e.Settings.Int(settingWidth), width}, Deviation: 1 / math.Sqrt(float64(width)), Decay: true,
	}}
}

// Bind implements [Arithmetic].
func (embedding) Bind(p *wiring.Plan, effector int) (Readout, error) {
	e := &p.Effectors[effector]
	t, err := tensors(p, e, p.Params, "weight")
	if err != nil {
		return nil, err
	}
	width, n := stateWidth(p, e), e.Settings.Int(settingWidth)
	return Once(n, func() Tape { return &embeddingTape{name: e.Name, width: width, n: n, weight: t[0]} }), nil
}

// Answer implements [Arithmetic]: the vector.
func (embedding) Answer(_ *wiring.Plan, _ int, predictions []float32) task.Answer {
	row := make([]float64, len(predictions))
	for k, v := range predictions {
		row[k] = float64(v)
	}
	return task.Answer{Values: [][]float64{row}}
}

// embeddingTape computes y = W n / ‖W n‖.
type embeddingTape struct {
	name     string
	width, n int
	weight   []float32

	unit []float32 // y [rows, n]
	inv  []float32 // 1/‖W n‖ [rows]
	dRaw []float32
}

// Forward implements [Tape].
func (t *embeddingTape) Forward(dst []float32, r *Rows) error {
	rows := r.total()
	kernel.Gemm(false, true, rows, t.n, t.width, r.Norm, t.weight, dst, false)
	t.unit, t.inv = grow(t.unit, rows*t.n), grow(t.inv, rows)
	for i := range rows {
		y := dst[i*t.n:][:t.n]
		t.inv[i] = wiring.InverseLength(y)
		kernel.MulScalar(y, y, t.inv[i])
	}
	copy(t.unit, dst[:rows*t.n])
	return nil
}

// Backward implements [Tape].
func (t *embeddingTape) Backward(dNorm, dOut []float32, r *Rows, grads *wiring.Params) error {
	rows := r.total()
	t.dRaw = grow(t.dRaw, rows*t.n)
	for i := range rows {
		y, dy, dr := t.unit[i*t.n:][:t.n], dOut[i*t.n:][:t.n], t.dRaw[i*t.n:][:t.n]
		dot := kernel.Dot(dy, y)
		for k, v := range dy {
			dr[k] = t.inv[i] * (v - y[k]*dot)
		}
	}
	kernel.Gemm(true, false, t.n, t.width, rows, t.dRaw, r.Norm, grads.Get(wiring.EffectorName(t.name, "weight")), true)
	kernel.Gemm(false, false, rows, t.width, t.n, t.dRaw, t.weight, dNorm, false)
	return nil
}
