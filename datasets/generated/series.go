package generated

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/datasets/own"
)

// SeriesOptions say how much of a series is made.
type SeriesOptions struct {
	// Rows and Steps of each; 0 is 100 rows of 100 steps.
	Rows, Steps int
	Seed        uint64
	// Back is how far back [NBack] asks; 0 is two steps. Others take none.
	Back int
}

func (o SeriesOptions) withDefaults() (SeriesOptions, error) {
	if o.Rows == 0 {
		o.Rows = 100
	}
	if o.Steps == 0 {
		o.Steps = 100
	}
	if o.Rows < 0 || o.Steps < 0 || o.Rows > maxValues/o.Steps {
		return o, fmt.Errorf("%d rows of %d steps: both must be positive, and their product at most %d", o.Rows, o.Steps, maxValues)
	}
	return o, nil
}

// maxValues bounds what is made at once.
const maxValues = 64 << 20

// random is the stream of a seed and a name.
func random(seed uint64, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }

// MackeyGlass is the series of Mackey & Glass (Science 197:287, 1977) with a
// delay of 17, at which it is chaotic:
//
//	dx/dt = 0.2 x(t−17) / (1 + x(t−17)¹⁰) − 0.1 x(t)
//
// by Runge–Kutta of order four in steps of 0.1, the delayed value interpolated
// linearly, sampled at every whole t after 1,000 of settling; the seed draws
// the past that it starts from. The column "series" is input and target.
func MackeyGlass(o SeriesOptions) (*own.Dataset, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	const delay, step = 17, 10 // step: integration steps in one t
	r := random(o.Seed, 1)
	past := make([]float64, delay*step+1) // a ring of the last 17 t
	for i := range past {
		past[i] = 1.2 + 0.2*(r.Float64()-0.5)
	}
	at, x := 0, past[len(past)-1]
	slope := func(x, late float64) float64 { return 0.2*late/(1+math.Pow(late, 10)) - 0.1*x }
	advance := func() {
		for range step {
			const h = 1.0 / step
			now, next := past[(at+1)%len(past)], past[(at+2)%len(past)]
			middle := (now + next) / 2
			k1 := slope(x, now)
			k2 := slope(x+h/2*k1, middle)
			k3 := slope(x+h/2*k2, middle)
			k4 := slope(x+h*k3, next)
			x += h / 6 * (k1 + 2*k2 + 2*k3 + k4)
			at = (at + 1) % len(past)
			past[at] = x
		}
	}
	for range 1000 {
		advance()
	}
	return trajectory("mackey-glass", o, 1, func(to []float32) {
		advance()
		to[0] = float32(x)
	})
}

// Lorenz is the series of Lorenz (J Atmos Sci 20:130, 1963) in three numbers
// a step:
//
//	dx/dt = 10 (y − x), dy/dt = x (28 − z) − y, dz/dt = x y − 8/3 z
//
// by Runge–Kutta of order four, ten integration steps in 0.05 of time a step;
// the seed draws the start. The column "series" is input and target.
func Lorenz(o SeriesOptions) (*own.Dataset, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	r := random(o.Seed, 2)
	s := [3]float64{r.NormFloat64(), 1 + r.NormFloat64(), 25 + r.NormFloat64()}
	slope := func(s [3]float64) [3]float64 {
		return [3]float64{10 * (s[1] - s[0]), s[0]*(28-s[2]) - s[1], s[0]*s[1] - 8.0/3*s[2]}
	}
	plus := func(s, k [3]float64, h float64) [3]float64 {
		return [3]float64{s[0] + h*k[0], s[1] + h*k[1], s[2] + h*k[2]}
	}
	advance := func() {
		for range 10 {
			const h = 0.005
			k1 := slope(s)
			k2 := slope(plus(s, k1, h/2))
			k3 := slope(plus(s, k2, h/2))
			k4 := slope(plus(s, k3, h))
			for i := range s {
				s[i] += h / 6 * (k1[i] + 2*k2[i] + 2*k3[i] + k4[i])
			}
		}
	}
	for range 200 {
		advance()
	}
	return trajectory("lorenz", o, 3, func(to []float32) {
		advance()
		for i := range s {
			to[i] = float32(s[i])
		}
	})
}

// Sines is a sum of three sines whose periods, between 5 and 50 steps, and
// phases the seed draws, and of noise of a spread of 0.05. The column "series"
// is input and target.
func Sines(o SeriesOptions) (*own.Dataset, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	r := random(o.Seed, 3)
	var period, phase [3]float64
	for i := range period {
		period[i], phase[i] = 5+45*r.Float64(), 2*math.Pi*r.Float64()
	}
	t := 0.0
	return trajectory("sines", o, 1, func(to []float32) {
		sum := 0.05 * r.NormFloat64()
		for i := range period {
			sum += math.Sin(2*math.Pi*t/period[i]+phase[i]) / float64(len(period))
		}
		to[0] = float32(sum)
		t++
	})
}

// NARMA10 is the task of Atiya & Parlos (IEEE Trans Neural Netw 11:697, 2000):
// from u(t), drawn evenly from 0 to 0.5, to compute
//
//	y(t+1) = 0.3 y(t) + 0.05 y(t) Σ_{i=0..9} y(t−i) + 1.5 u(t−9) u(t) + 0.1
//
// The column "series" is u, the input; "output" is y(t+1) at u(t), the target.
// A trajectory that leaves 0..1 is begun anew from zero.
func NARMA10(o SeriesOptions) (*own.Dataset, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	r := random(o.Seed, 4)
	var u, y [10]float64 // the last ten, newest first
	next := func() {
		copy(u[1:], u[:9])
		u[0] = r.Float64() / 2
		sum := 0.0
		for _, v := range y {
			sum += v
		}
		v := 0.3*y[0] + 0.05*y[0]*sum + 1.5*u[9]*u[0] + 0.1
		if !(v <= 1) {
			v, y = 0, [10]float64{}
		}
		copy(y[1:], y[:9])
		y[0] = v
	}
	for range 200 {
		next()
	}
	columns := []own.Column{{Name: "series", Kind: own.Series}, {Name: "output", Kind: own.Series}}
	rows := make([]*own.Row, o.Rows)
	for i := range rows {
		in, out := make([]float32, o.Steps), make([]float32, o.Steps)
		for t := range in {
			next()
			in[t], out[t] = float32(u[0]), float32(y[0])
		}
		rows[i] = timed(i, o.Rows, own.Value{Data: in, Steps: o.Steps}, own.Value{Data: out, Steps: o.Steps})
	}
	return own.New("narma-10", columns, rows, own.Options{
		Inputs: map[string]string{"series": "series"}, Targets: map[string]string{"value": "output"}, Seed: o.Seed,
	})
}

// trajectory cuts a series of steps of a width into rows.
func trajectory(name string, o SeriesOptions, width int, step func(to []float32)) (*own.Dataset, error) {
	rows := make([]*own.Row, o.Rows)
	for i := range rows {
		data := make([]float32, o.Steps*width)
		for t := range o.Steps {
			step(data[t*width : (t+1)*width])
		}
		rows[i] = timed(i, o.Rows, own.Value{Data: data, Steps: o.Steps})
	}
	return own.New(name, []own.Column{{Name: "series", Kind: own.Series}}, rows, own.Options{
		Inputs: map[string]string{"series": "series"}, Targets: map[string]string{"next": "series"}, Seed: o.Seed,
	})
}

// timed is row i of n, in the split of its time: the first 80 % are for
// training, then 10 % for validation, then 10 % for the test.
func timed(i, n int, values ...own.Value) *own.Row {
	split := datasets.Train
	switch {
	case 10*i >= 9*n:
		split = datasets.Test
	case 10*i >= 8*n:
		split = datasets.Val
	}
	return &own.Row{ID: fmt.Sprintf("%06d", i), Split: split, Values: values}
}
