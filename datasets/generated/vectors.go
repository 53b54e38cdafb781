package generated

import (
	"fmt"
	"math"

	"github.com/connectomewire/wire/datasets/own"
)

// VectorOptions say how many vectors are made.
type VectorOptions struct {
	// Rows in all; 0 is 1,000. Every other one is of the second class.
	Rows int
	// Noise is the spread that is added to each number; 0 is 0.1.
	Noise float64
	Seed  uint64
}

func (o VectorOptions) withDefaults() (VectorOptions, error) {
	if o.Rows == 0 {
		o.Rows = 1000
	}
	if o.Noise == 0 {
		o.Noise = 0.1
	}
	if o.Rows < 0 || o.Rows > maxValues || !(o.Noise > 0) || math.IsInf(o.Noise, 0) {
		return o, fmt.Errorf("%d rows with noise of %g: both must be positive, and the rows at most %d", o.Rows, o.Noise, maxValues)
	}
	return o, nil
}

// Spirals are two spirals about each other, of the classes "left" and "right"
// (Lang & Witbrock, Proc Connectionist Models Summer School, 1988): no line
// parts them.
func Spirals(o VectorOptions) (*own.Dataset, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	r := random(o.Seed, 5)
	return twoClasses("spirals", [2]string{"left", "right"}, o, func(class int) []float32 {
		radius := math.Sqrt(r.Float64())
		angle := 3*math.Pi*radius + math.Pi*float64(class)
		return []float32{
			float32(2*radius*math.Cos(angle) + o.Noise*r.NormFloat64()/2),
			float32(2*radius*math.Sin(angle) + o.Noise*r.NormFloat64()/2),
		}
	})
}

// Blobs are two clouds about (−1, −1) and (1, 1), of the classes "low" and
// "high": a line parts them.
func Blobs(o VectorOptions) (*own.Dataset, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	r := random(o.Seed, 6)
	return twoClasses("blobs", [2]string{"low", "high"}, o, func(class int) []float32 {
		centre := float64(2*class - 1)
		return []float32{float32(centre + o.Noise*r.NormFloat64()), float32(centre + o.Noise*r.NormFloat64())}
	})
}

func twoClasses(name string, classes [2]string, o VectorOptions, draw func(class int) []float32) (*own.Dataset, error) {
	rows := make([]*own.Row, o.Rows)
	for i := range rows {
		rows[i] = &own.Row{ID: fmt.Sprintf("%06d", i), Values: []own.Value{{Data: draw(i % 2)}, {Texts: []string{classes[i%2]}}}}
	}
	columns := []own.Column{{Name: "vector", Kind: own.Vector}, {Name: "label", Kind: own.Label}}
	return own.New(name, columns, rows, own.Options{
		Inputs: map[string]string{"vector": "vector"}, Targets: map[string]string{"label": "label"}, Seed: o.Seed,
	})
}
