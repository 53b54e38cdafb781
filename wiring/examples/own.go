package examples

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/datasets/own"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
)

// OfRows makes examples of rows of one's own data: what its bindings say is
// given to senses, and what effectors are to learn.
func OfRows(d *own.Dataset, rows []*own.Row) []task.Example {
	out := make([]task.Example, 0, len(rows))
	for _, r := range rows {
		e := task.Example{ID: r.ID, Group: r.Group, Inputs: map[string]task.Input{}, Targets: map[string]any{}}
		for _, b := range d.Inputs {
			if v := &r.Values[b.Column]; !v.Missing {
				e.Inputs[b.Name] = input(&d.Columns[b.Column], v)
				e.Key += b.Name + " " + contentKey(&d.Columns[b.Column], v) + ";"
			}
		}
		for _, b := range d.Targets {
			if v := &r.Values[b.Column]; !v.Missing {
				e.Targets[b.Name] = target(&d.Columns[b.Column], v)
			}
		}
		out = append(out, e)
	}
	return out
}

// contentKey changes when a value does: it is the checksum of a file, or of the
// numbers or text themselves.
func contentKey(c *own.Column, v *own.Value) string {
	sum := v.Sum
	if !c.Kind.IsFile() {
		h := sha256.New()
		fmt.Fprintf(h, "%v %d %q ", v.Number, v.Steps, v.Texts)
		binary.Write(h, binary.LittleEndian, v.Data) //nolint:errcheck // a hash takes everything
		sum = [sha256.Size]byte(h.Sum(nil))
	}
	return hex.EncodeToString(sum[:8])
}

// Split returns the examples of the training, validation and test splits.
func Split(d *own.Dataset) (train, val, test []task.Example) {
	return OfRows(d, d.Split(datasets.Train)), OfRows(d, d.Split(datasets.Val)), OfRows(d, d.Split(datasets.Test))
}

// input is what a row gives a sense.
func input(c *own.Column, v *own.Value) task.Input {
	switch c.Kind {
	case own.Image:
		return task.Input{Kind: Image, Read: func() (any, error) {
			m, err := v.Picture()
			return m, err
		}}
	case own.Sound:
		return task.Input{Kind: Sound, Read: func() (any, error) {
			samples, rate, err := v.Sound()
			return task.Sound{Samples: samples, Rate: rate}, err
		}}
	case own.Vector:
		return task.Given(wiring.KindVector, v.Data)
	case own.Number:
		return task.Given(wiring.KindVector, []float32{float32(v.Number)})
	case own.Series:
		return task.Given(wiring.KindSeries, task.Series{Steps: v.Steps, Width: c.Width, Values: v.Data})
	}
	return task.Given("text", v.Text())
}

// target is what a row asks of an effector.
func target(c *own.Column, v *own.Value) any {
	switch c.Kind {
	case own.Number:
		return v.Number
	case own.Vector:
		return floats(v.Data)
	case own.Series:
		out := make([][]float64, v.Steps)
		for i := range out {
			out[i] = floats(v.Data[i*c.Width:][:c.Width])
		}
		return out
	case own.Label:
		if !c.Many {
			return v.Text()
		}
	}
	return v.Texts
}

func floats(v []float32) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}

// Widths are those of the senses whose numbers the data give.
func Widths(d *own.Dataset) map[string]int {
	out := map[string]int{}
	for _, b := range d.Inputs {
		switch c := &d.Columns[b.Column]; c.Kind {
		case own.Vector, own.Series:
			out[b.Name] = c.Width
		case own.Number:
			out[b.Name] = 1
		}
	}
	return out
}
