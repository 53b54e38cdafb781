package demo

import (
	"math"
	"math/rand/v2"
)

// tone samples f over some seconds; t is in seconds.
func tone(seconds float64, f func(t float64) float64) []float32 {
	out := make([]float32, int(seconds*Rate))
	for i := range out {
		out[i] = float32(f(float64(i) / Rate))
	}
	return normal(out)
}

// normal scales a sound to a peak of 0.8 and fades its ends over 5 ms.
func normal(x []float32) []float32 {
	var peak float32
	for _, v := range x {
		peak = max(peak, max(v, -v))
	}
	if peak == 0 {
		return x
	}
	const fade = Rate / 200
	for i := range x {
		g := 0.8 / peak
		if i < fade {
			g *= float32(i) / fade
		}
		if j := len(x) - 1 - i; j < fade {
			g *= float32(j) / fade
		}
		x[i] *= g
	}
	return x
}

// bell: the partials of a church bell (hum, prime, tierce, quint, nominal and
// above), struck twice; the higher a partial the sooner it dies away.
func bell() []float32 {
	partials := [][2]float64{{0.5, 0.7}, {1, 1}, {1.19, 0.9}, {1.5, 0.5}, {2, 1}, {2.51, 0.4}, {2.66, 0.35}, {3.01, 0.4}, {4.1, 0.25}}
	strike := func(t float64) float64 {
		if t < 0 {
			return 0
		}
		var s float64
		for _, p := range partials {
			s += p[1] * math.Sin(2*math.Pi*523*p[0]*t) * math.Exp(-t*(0.8+0.9*p[0]))
		}
		return s * (1 - math.Exp(-t*900))
	}
	return tone(3, func(t float64) float64 { return strike(t-0.05) + strike(t-1.5) })
}

// bird: phrases of quick chirps that sweep between 3 and 6 kHz.
func bird() []float32 {
	type chirp struct{ at, length, from, to float64 }
	var song []chirp
	for _, start := range []float64{0.1, 1.1, 2.0} {
		for k := range 5 {
			song = append(song, chirp{start + 0.13*float64(k), 0.09, 3200 + 250*float64(k%3), 5600 - 300*float64(k%2)})
		}
	}
	out := make([]float32, int(2.8*Rate))
	for _, c := range song {
		phase := 0.0
		n := int(c.length * Rate)
		for i := range n {
			u := float64(i) / float64(n)
			f := c.from + (c.to-c.from)*math.Sin(math.Pi*u)
			phase += 2 * math.Pi * f / Rate
			out[int(c.at*Rate)+i] += float32(math.Sin(math.Pi*u) * (math.Sin(phase) + 0.15*math.Sin(2*phase)))
		}
	}
	return normal(out)
}

// resonator is a two-pole filter: a formant of a throat.
type resonator struct{ a1, a2, gain, y1, y2 float64 }

func newResonator(hz, bandwidth float64) *resonator {
	r := math.Exp(-math.Pi * bandwidth / Rate)
	return &resonator{a1: 2 * r * math.Cos(2*math.Pi*hz/Rate), a2: -r * r, gain: 1 - r}
}

func (f *resonator) next(x float64) float64 {
	y := f.gain*x + f.a1*f.y1 + f.a2*f.y2
	f.y2, f.y1 = f.y1, y
	return y
}

// bark: a dog's bark is a short, rough burst whose pitch rises and falls,
// shaped by the throat's formants; three of them.
func bark() []float32 {
	r := rand.New(rand.NewPCG(1, 1))
	out := make([]float32, int(2.2*Rate))
	for _, at := range []float64{0.1, 0.55, 1.35} {
		formants := []*resonator{newResonator(620, 160), newResonator(1150, 220), newResonator(2400, 420)}
		weights := []float64{1, 0.9, 0.5}
		phase := 0.0
		n := int(0.19 * Rate)
		for i := range n {
			u := float64(i) / float64(n)
			pitch := (210 + 240*math.Sin(math.Pi*math.Pow(u, 0.7))) * (1 + 0.06*r.NormFloat64())
			phase += pitch / Rate
			source := 2*(phase-math.Floor(phase)) - 1 + 0.7*r.NormFloat64()
			envelope := math.Min(1, u*18) * math.Pow(1-u, 1.2)
			var s float64
			for k, f := range formants {
				s += weights[k] * f.next(source*envelope)
			}
			out[int(at*Rate)+i] += float32(s)
		}
	}
	return normal(out)
}

// rain: a steady hiss without the lowest tones, and single drops on top.
func rain() []float32 {
	r := rand.New(rand.NewPCG(2, 2))
	out := make([]float32, 3*Rate)
	var low float64
	for i := range out {
		white := r.NormFloat64()
		low += 0.15 * (white - low)
		out[i] = float32(0.35 * (white - low))
	}
	for range 260 {
		at, f, loud := r.IntN(len(out)-800), 1500+4000*r.Float64(), 0.3+r.Float64()
		for i := range 500 {
			t := float64(i) / Rate
			out[at+i] += float32(loud * math.Sin(2*math.Pi*f*t) * math.Exp(-t*260))
		}
	}
	return normal(out)
}

// siren: a wail that climbs from 600 to 1,400 Hz and falls back, rich in
// overtones.
func siren() []float32 {
	phase := 0.0
	return tone(3, func(t float64) float64 {
		f := 1000 - 400*math.Cos(2*math.Pi*t/1.5)
		phase += 2 * math.Pi * f / Rate
		return math.Sin(phase) + 0.4*math.Sin(2*phase) + 0.25*math.Sin(3*phase)
	})
}
