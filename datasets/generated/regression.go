package generated

import (
	"fmt"
	"math"

	"github.com/connectomewire/wire/datasets/own"
)

// Friedman is the regression of Friedman (Ann Stat 19:1, 1991): ten numbers
// drawn evenly from 0 to 1, of which five matter,
//
//	y = 10 sin(π x₁ x₂) + 20 (x₃ − ½)² + 10 x₄ + 5 x₅ + noise
//
// Noise of the options is the spread of the noise, 1 where they say 0.
func Friedman(o VectorOptions) (*own.Dataset, error) {
	if o.Noise == 0 {
		o.Noise = 1
	}
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	r := random(o.Seed, 7)
	columns := []own.Column{}
	for k := range 10 {
		columns = append(columns, own.Column{Name: fmt.Sprintf("x%d", k+1), Kind: own.Number})
	}
	columns = append(columns, own.Column{Name: "y", Kind: own.Number})
	rows := make([]*own.Row, o.Rows)
	for i := range rows {
		var x [10]float64
		rows[i] = &own.Row{ID: fmt.Sprintf("%06d", i)}
		for k := range x {
			x[k] = r.Float64()
			rows[i].Values = append(rows[i].Values, own.Value{Number: x[k]})
		}
		y := 10*math.Sin(math.Pi*x[0]*x[1]) + 20*(x[2]-0.5)*(x[2]-0.5) + 10*x[3] + 5*x[4] + o.Noise*r.NormFloat64()
		rows[i].Values = append(rows[i].Values, own.Value{Number: y})
	}
	return own.New("friedman", columns, rows, own.Options{
		Inputs: map[string]string{"vector": "*"}, Targets: map[string]string{"y": "y"}, Seed: o.Seed,
	})
}
