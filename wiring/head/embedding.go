package head

import (
	"fmt"
	"math"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/wiring"
)

// NameEmbedding is the head of an effector that answers with a vector of
// length 1: a place in a space in which neighbours are sought.
const NameEmbedding = "embedding"

// settingWidth is the width of the embedding's space.
const settingWidth = "width"

func init() { wiring.RegisterHead(NameEmbedding, embedding{}) }

type embedding struct{}

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

// Modules implements [wiring.Head].
func (embedding) Modules(*wiring.Effector) []string { return nil }

// Tensors implements [wiring.Head]: weight W [dimensions, width].
func (embedding) Tensors(e *wiring.Effector, width int) []wiring.TensorSpec {
	return []wiring.TensorSpec{{
		Name: "weight", Shape: []int{e.Settings.Int(settingWidth), width}, Deviation: 1 / math.Sqrt(float64(width)), Decay: true,
	}}
}

// Embedding is the arithmetic of the embedding head: y = W n / ‖W n‖.
type Embedding struct {
	name     string
	width, n int
	weight   []float32
}

func bindEmbedding(p *wiring.Plan, e *wiring.Effector) (*Embedding, error) {
	t, err := tensors(p, e, p.Params, "weight")
	if err != nil {
		return nil, err
	}
	return &Embedding{name: e.Name, width: stateWidth(p, e), n: e.Settings.Int(settingWidth), weight: t[0]}, nil
}

// Readings implements [Readout].
func (m *Embedding) Readings() int { return 1 }

// Context implements [Readout].
func (m *Embedding) Context(int) int { return 0 }

// Width implements [Readout].
func (m *Embedding) Width() int { return m.n }

// Refresh implements [Readout]; there is nothing to refresh.
func (m *Embedding) Refresh() {}

// Tape implements [Readout].
func (m *Embedding) Tape() Tape { return &embeddingTape{m: m} }

type embeddingTape struct {
	m    *Embedding
	unit []float32 // y [rows, n]
	inv  []float32 // 1/‖W n‖ [rows]
	dRaw []float32
}

// Forward implements [Tape].
func (t *embeddingTape) Forward(dst []float32, r *Rows) error {
	m, rows := t.m, r.total()
	kernel.Gemm(false, true, rows, m.n, m.width, r.Norm, m.weight, dst, false)
	t.unit, t.inv = grow(t.unit, rows*m.n), grow(t.inv, rows)
	for i := range rows {
		y := dst[i*m.n:][:m.n]
		t.inv[i] = wiring.InverseLength(y)
		kernel.MulScalar(y, y, t.inv[i])
	}
	copy(t.unit, dst[:rows*m.n])
	return nil
}

// Backward implements [Tape].
func (t *embeddingTape) Backward(dNorm, dOut []float32, r *Rows, grads *wiring.Params) error {
	m, rows := t.m, r.total()
	t.dRaw = grow(t.dRaw, rows*m.n)
	for i := range rows {
		y, dy, dr := t.unit[i*m.n:][:m.n], dOut[i*m.n:][:m.n], t.dRaw[i*m.n:][:m.n]
		dot := kernel.Dot(dy, y)
		for k, v := range dy {
			dr[k] = t.inv[i] * (v - y[k]*dot)
		}
	}
	kernel.Gemm(true, false, m.n, m.width, rows, t.dRaw, r.Norm, grads.Get(wiring.EffectorName(m.name, "weight")), true)
	kernel.Gemm(false, false, rows, m.width, m.n, t.dRaw, m.weight, dNorm, false)
	return nil
}
