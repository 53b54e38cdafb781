package strangers

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
)

// Pictures returns n pictures, of every kind in turn.
func Pictures(n int, seed uint64) []image.Image {
	out := make([]image.Image, n)
	for i := range out {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		out[i] = pictureKinds[i%len(pictureKinds)](r)
	}
	return out
}

const pictureWide, pictureHigh = 320, 256

// pictureKinds each draw one picture.
var pictureKinds = []func(r *rand.Rand) image.Image{
	plain, whiteNoise, greyNoise, blocks, clouds, gradient, stripes, checks, cloudyNoise, scribble, bars, dots,
}

// draw fills a picture by a function of each place, channels 0 to 1.
func draw(f func(x, y int) [3]float64) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, pictureWide, pictureHigh))
	for y := range pictureHigh {
		for x := range pictureWide {
			c := f(x, y)
			level := func(v float64) uint8 { return uint8(math.Round(255 * min(max(v, 0), 1))) }
			img.SetNRGBA(x, y, color.NRGBA{level(c[0]), level(c[1]), level(c[2]), 255})
		}
	}
	return img
}

func chance(r *rand.Rand) [3]float64 { return [3]float64{r.Float64(), r.Float64(), r.Float64()} }

// plain is one colour: often black, white or grey.
func plain(r *rand.Rand) image.Image {
	c := chance(r)
	switch r.IntN(5) {
	case 0:
		c = [3]float64{}
	case 1:
		c = [3]float64{1, 1, 1}
	case 2:
		c = [3]float64{c[0], c[0], c[0]}
	}
	return draw(func(int, int) [3]float64 { return c })
}

func whiteNoise(r *rand.Rand) image.Image {
	if r.IntN(2) == 0 {
		return draw(func(int, int) [3]float64 { return chance(r) })
	}
	around, by := chance(r), 0.05+0.4*r.Float64()
	return draw(func(int, int) [3]float64 {
		c := around
		for k := range c {
			c[k] += by * r.NormFloat64()
		}
		return c
	})
}

func greyNoise(r *rand.Rand) image.Image {
	around, by := r.Float64(), 0.05+0.4*r.Float64()
	return draw(func(int, int) [3]float64 {
		v := around + by*r.NormFloat64()
		return [3]float64{v, v, v}
	})
}

// lattice is a table of colours of chance, one for every so many pixels.
type lattice struct {
	step  int
	wide  int
	cells [][3]float64
}

func newLattice(r *rand.Rand, step int) lattice {
	l := lattice{step: step, wide: pictureWide/step + 2}
	for range l.wide * (pictureHigh/step + 2) {
		l.cells = append(l.cells, chance(r))
	}
	return l
}

// between interpolates linearly.
func (l lattice) between(x, y int) (c [3]float64) {
	fx, fy := float64(x%l.step)/float64(l.step), float64(y%l.step)/float64(l.step)
	at := y/l.step*l.wide + x/l.step
	for k := range c {
		top := l.cells[at][k]*(1-fx) + l.cells[at+1][k]*fx
		below := l.cells[at+l.wide][k]*(1-fx) + l.cells[at+l.wide+1][k]*fx
		c[k] = top*(1-fy) + below*fy
	}
	return c
}

func blocks(r *rand.Rand) image.Image {
	l := newLattice(r, 4<<r.IntN(5))
	return draw(func(x, y int) [3]float64 { return l.cells[y/l.step*l.wide+x/l.step] })
}

func clouds(r *rand.Rand) image.Image {
	l := newLattice(r, 6<<r.IntN(5))
	return draw(l.between)
}

// cloudyNoise adds lattices of halving steps, which is near 1/f noise.
func cloudyNoise(r *rand.Rand) image.Image {
	var all []lattice
	for step := 64; step >= 2; step /= 2 {
		all = append(all, newLattice(r, step))
	}
	grey := r.IntN(2) == 0
	return draw(func(x, y int) (c [3]float64) {
		weight, total := 1.0, 0.0
		for _, l := range all {
			at := l.between(x, y)
			for k := range c {
				c[k] += weight * at[k]
			}
			total += weight
			weight *= 0.6
		}
		for k := range c {
			c[k] = 0.5 + 2*(c[k]/total-0.5)
		}
		if grey {
			c = [3]float64{c[0], c[0], c[0]}
		}
		return c
	})
}

// direction returns a place's distance along a line of chance, 0 to 1 over the
// picture.
func direction(r *rand.Rand) func(x, y int) float64 {
	angle := math.Pi / 4 * float64(r.IntN(8))
	dx, dy := math.Cos(angle)/pictureWide, math.Sin(angle)/pictureWide
	return func(x, y int) float64 { return math.Mod(float64(x)*dx+float64(y)*dy+2, 1) }
}

func gradient(r *rand.Rand) image.Image {
	from, to, along := chance(r), chance(r), direction(r)
	return draw(func(x, y int) (c [3]float64) {
		t := along(x, y)
		for k := range c {
			c[k] = from[k]*(1-t) + to[k]*t
		}
		return c
	})
}

// two are colours, black and white as often as others.
func two(r *rand.Rand) (a, b [3]float64) {
	if r.IntN(2) == 0 {
		return [3]float64{}, [3]float64{1, 1, 1}
	}
	return chance(r), chance(r)
}

func stripes(r *rand.Rand) image.Image {
	a, b := two(r)
	along, n := direction(r), float64(int(4)<<r.IntN(5))
	return draw(func(x, y int) [3]float64 {
		if int(along(x, y)*n)%2 == 0 {
			return a
		}
		return b
	})
}

func checks(r *rand.Rand) image.Image {
	a, b := two(r)
	step := 2 << r.IntN(6)
	return draw(func(x, y int) [3]float64 {
		if (x/step+y/step)%2 == 0 {
			return a
		}
		return b
	})
}

// scribble looks like a page of writing from afar.
func scribble(r *rand.Rand) image.Image {
	const line, letter = 13, 6
	marks := make([]uint64, (pictureWide/letter+1)*(pictureHigh/line+1))
	for i := range marks {
		if r.IntN(6) > 0 {
			marks[i] = r.Uint64()
		}
	}
	return draw(func(x, y int) [3]float64 {
		u, v := x%letter, y%line
		if x > 8 && x < pictureWide-12 && u < 5 && v >= 2 && v < 10 && marks[y/line*(pictureWide/letter+1)+x/letter]>>(8*uint(u)+uint(v-2))&1 == 1 {
			return [3]float64{}
		}
		return [3]float64{1, 1, 1}
	})
}

// bars is a chart without words.
func bars(r *rand.Rand) image.Image {
	c := chance(r)
	high := make([]float64, 4+r.IntN(10))
	for i := range high {
		high[i] = 0.1 + 0.8*r.Float64()
	}
	return draw(func(x, y int) [3]float64 {
		at := float64(x) / pictureWide * float64(len(high))
		if at-math.Floor(at) < 0.7 && 1-float64(y)/pictureHigh < high[int(at)] {
			return c
		}
		return [3]float64{1, 1, 1}
	})
}

func dots(r *rand.Rand) image.Image {
	ground := chance(r)
	type dot struct {
		x, y, radius float64
		c            [3]float64
	}
	all := make([]dot, 3+r.IntN(40))
	for i := range all {
		all[i] = dot{pictureWide * r.Float64(), pictureHigh * r.Float64(), 3 + 30*r.Float64(), chance(r)}
	}
	return draw(func(x, y int) [3]float64 {
		c := ground
		for _, d := range all {
			if math.Hypot(float64(x)-d.x, float64(y)-d.y) < d.radius {
				c = d.c
			}
		}
		return c
	})
}
