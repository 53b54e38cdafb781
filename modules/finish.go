package modules

import (
	"fmt"
	"math"
	"slices"
)

// finish does what the manifest says is done to an output.
func (m *Module) finish(p *Port, c *call) (*Tensor, error) {
	if p.Boxes != nil {
		boxes, err := m.boxes(p, c)
		return boxesTensor(boxes), err
	}
	return p.finish(c.computed[m.Manifest.partOf(p)][p.tensorName()])
}

func (p *Port) finish(t *Tensor) (*Tensor, error) {
	if t.DType != Float32 {
		return t, nil
	}
	if p.Layout == "nchw" {
		if len(t.Shape) != 4 {
			return nil, fmt.Errorf("the model gave shape %v, the layout is nchw", t.Shape)
		}
		t = cellsLast(t)
	}
	if p.Kind == KindGrid && len(t.Shape) == 4 { // [batch, rows, columns, width]
		t = Floats(t.F32, t.Shape[0], t.Shape[1]*t.Shape[2], t.Shape[3])
	}
	if p.Pooling != "" {
		if p.Kind == KindLogits && len(t.Shape) == 2 { // frames of one sound
			t = Floats(t.F32, 1, t.Shape[0], t.Shape[1])
		}
		if len(t.Shape) != 3 {
			return nil, fmt.Errorf("the model gave shape %v, pooling needs [batch, cells, width]", t.Shape)
		}
		t = pool(t, p.Pooling)
	}
	if p.Kind == KindEmbedding && len(t.Shape) > 2 { // drop dimensions of size 1
		t = Floats(t.F32, t.Shape[0], t.Len()/max(t.Shape[0], 1))
	}
	if p.Normalize {
		t = rowwise(t, unit)
	}
	if p.Softmax {
		t = rowwise(t, softmax)
	}
	return t, nil
}

// cellsLast turns [batch, width, rows, columns] into [batch, cells, width].
func cellsLast(t *Tensor) *Tensor {
	batch, width, cells := t.Shape[0], t.Shape[1], t.Shape[2]*t.Shape[3]
	out := make([]float32, len(t.F32))
	for b := range batch {
		from, to := t.F32[b*width*cells:], out[b*width*cells:]
		for c := range width {
			for i := range cells {
				to[i*width+c] = from[c*cells+i]
			}
		}
	}
	return Floats(out, batch, cells, width)
}

// pool makes [batch, width] of [batch, cells, width].
func pool(t *Tensor, how string) *Tensor {
	batch, cells, width := t.Shape[0], t.Shape[1], t.Shape[2]
	out := make([]float32, batch*width)
	for b := range batch {
		row := out[b*width : (b+1)*width]
		for i := range cells {
			cell := t.F32[(b*cells+i)*width:][:width]
			for c, v := range cell {
				switch {
				case how == "mean":
					row[c] += v / float32(cells)
				case how == "max" && (i == 0 || v > row[c]), how == "first" && i == 0, how == "last" && i == cells-1:
					row[c] = v
				}
			}
		}
	}
	return Floats(out, batch, width)
}

// rowwise applies f to a copy of every last-dimension row.
func rowwise(t *Tensor, f func(row []float32)) *Tensor {
	out := slices.Clone(t.F32)
	if len(t.Shape) > 0 {
		width := t.Shape[len(t.Shape)-1]
		for i := 0; width > 0 && i+width <= len(out); i += width {
			f(out[i : i+width])
		}
	}
	return Floats(out, t.Shape...)
}

func unit(row []float32) {
	var sum float64
	for _, v := range row {
		sum += float64(v) * float64(v)
	}
	if sum == 0 {
		return
	}
	scale := float32(1 / math.Sqrt(sum))
	for i := range row {
		row[i] *= scale
	}
}

func softmax(row []float32) {
	largest := slices.Max(row)
	var sum float64
	for i, v := range row {
		e := math.Exp(float64(v - largest))
		row[i] = float32(e)
		sum += e
	}
	for i := range row {
		row[i] = float32(float64(row[i]) / sum)
	}
}
