package strangers

import (
	"math"
	"math/rand/v2"
	"strings"
)

// Rate of the sounds, samples/s.
const Rate = 22050

// Sounds returns n sounds of one to five seconds, of every kind in turn, in
// [-1, 1] at [Rate].
func Sounds(n int, seed uint64) [][]float32 {
	out := make([][]float32, n)
	for i := range out {
		r := rand.New(rand.NewPCG(seed, 1<<32+uint64(i)))
		samples := make([]float32, Rate+r.IntN(4*Rate))
		f := soundKinds[i%len(soundKinds)](r)
		for t := range samples {
			samples[t] = float32(min(max(f(t), -1), 1))
		}
		out[i] = samples
	}
	return out
}

// soundKinds each give a sound as a function of its samples, asked in order.
var soundKinds = []func(r *rand.Rand) func(t int) float64{silence, hiss, hum, rumble, chirp, clicks, buzz}

// silence is nothing, nearly nothing, or a constant.
func silence(r *rand.Rand) func(int) float64 {
	level, around := 0.0, 0.0
	switch r.IntN(3) {
	case 0:
		level = math.Pow(10, -3-3*r.Float64())
	case 1:
		around = r.Float64() - 0.5
	}
	return func(int) float64 { return around + level*r.NormFloat64() }
}

func loudness(r *rand.Rand) float64 { return 0.5 * math.Pow(10, -2*r.Float64()) }

func hiss(r *rand.Rand) func(int) float64 {
	level := loudness(r)
	return func(int) float64 { return level * r.NormFloat64() }
}

func hum(r *rand.Rand) func(int) float64 {
	level, step := loudness(r), 2*math.Pi*50*math.Pow(120, r.Float64())/Rate
	return func(t int) float64 { return level * math.Sin(step*float64(t)) }
}

// rumble is noise through one pole: between white and brown.
func rumble(r *rand.Rand) func(int) float64 {
	level, keep, last := loudness(r), 1-math.Pow(10, -3*r.Float64()), 0.0
	return func(int) float64 {
		last = keep*last + (1-keep)*r.NormFloat64()
		return level * last / math.Sqrt((1-keep)/(1+keep))
	}
}

func chirp(r *rand.Rand) func(int) float64 {
	level, from, to := loudness(r), 50*math.Pow(40, r.Float64()), 50*math.Pow(100, r.Float64())
	phase := 0.0
	return func(t int) float64 {
		at := math.Mod(float64(t)/(2*Rate), 1)
		phase += 2 * math.Pi * (from + at*(to-from)) / Rate
		return level * math.Sin(phase)
	}
}

func clicks(r *rand.Rand) func(int) float64 {
	often := math.Pow(10, -4+2.5*r.Float64())
	return func(int) float64 {
		if r.Float64() < often {
			return 0.5 * r.NormFloat64()
		}
		return 0
	}
}

func buzz(r *rand.Rand) func(int) float64 {
	level, period := loudness(r), float64(Rate)/(40*math.Pow(40, r.Float64()))
	return func(t int) float64 {
		if math.Mod(float64(t), period) < period/2 {
			return level
		}
		return -level
	}
}

// Texts returns n texts of letters by chance.
func Texts(n int, seed uint64) []string {
	out := make([]string, n)
	for i := range out {
		r := rand.New(rand.NewPCG(seed, 2<<32+uint64(i)))
		words := make([]string, 1+r.IntN(10))
		for k := range words {
			letters := make([]byte, 1+r.IntN(9))
			for j := range letters {
				letters[j] = byte('a' + r.IntN(26))
			}
			words[k] = string(letters)
		}
		out[i] = strings.Join(words, " ")
	}
	return out
}
