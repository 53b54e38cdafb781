package goengine

import (
	"fmt"
	"math"
	"math/bits"
	"math/cmplx"
	"slices"

	"github.com/connectomewire/wire/modules/onnxfile"
)

var signalTable = map[string]operator{
	"DFT":             {build: buildDFT},
	"STFT":            {build: buildSTFT},
	"HannWindow":      {build: cosineWindow(0.5, 0.5, 0)},
	"HammingWindow":   {build: cosineWindow(25.0/46, 21.0/46, 0)},
	"BlackmanWindow":  {build: cosineWindow(0.42, 0.5, 0.08)},
	"MelWeightMatrix": {build: buildMelWeights},
}

// fourier transforms x in place: radix 2 where the length is a power of two,
// by definition elsewhere.
func fourier(x []complex128, inverse bool) {
	n := len(x)
	sign := -2 * math.Pi
	if inverse {
		sign = -sign
	}
	if n&(n-1) != 0 {
		roots := make([]complex128, n)
		for i := range roots {
			roots[i] = cmplx.Rect(1, sign*float64(i)/float64(n))
		}
		src := slices.Clone(x)
		for k := range x {
			var sum complex128
			for i, v := range src {
				sum += v * roots[i*k%n]
			}
			x[k] = sum
		}
	} else if n > 1 {
		shift := 64 - bits.TrailingZeros(uint(n))
		for i := range x {
			if j := int(bits.Reverse64(uint64(i)) >> shift); j > i {
				x[i], x[j] = x[j], x[i]
			}
		}
		for size := 2; size <= n; size *= 2 {
			half := size / 2
			for k := range half {
				w := cmplx.Rect(1, sign*float64(k)/float64(size))
				for i := k; i < n; i += size {
					a, b := x[i], x[i+half]*w
					x[i], x[i+half] = a+b, a-b
				}
			}
		}
	}
	if inverse {
		for i := range x {
			x[i] /= complex(float64(n), 0)
		}
	}
}

// mirror fills the upper half of a real signal's spectrum from the lower.
func mirror(x []complex128) {
	n := len(x)
	x[0] = complex(real(x[0]), 0)
	if n%2 == 0 {
		x[n/2] = complex(real(x[n/2]), 0)
	}
	for k := n/2 + 1; k < n; k++ {
		x[k] = cmplx.Conj(x[n-k])
	}
}

func buildDFT(s *spec) (operation, error) {
	axisAttr, inverse, onesided := s.int("axis", 1), s.int("inverse", 0) == 1, s.int("onesided", 0) == 1
	axisInput := s.opset >= 20
	if axisInput {
		axisAttr = -2
	}
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		axis := axisAttr
		if axisInput && c.input(2) != nil {
			axis = int(c.in[2].at(0))
		}
		rank := len(x.shape)
		if rank < 2 || (x.shape[rank-1] != 1 && x.shape[rank-1] != 2) {
			return fmt.Errorf("wants [batch, …, 1 or 2], got %v", x.shape)
		}
		a, err := axisOf(axis, rank)
		if err != nil || a == rank-1 {
			return fmt.Errorf("axis %d is out of range for %v", axis, x.shape)
		}
		n := x.shape[a]
		if inverse && onesided {
			n = 2 * (n - 1)
		}
		if t := c.input(1); t != nil && t.n > 0 {
			n = int(t.at(0))
		}
		if n < 1 {
			return fmt.Errorf("length %d", n)
		}
		bins, cells := n, 2
		switch {
		case onesided && inverse: // a spectrum's half gives a real signal
			cells = 1
		case onesided:
			bins = n/2 + 1
		}
		shape := slices.Clone(x.shape)
		shape[a], shape[rank-1] = bins, cells
		out, err := c.output(0, x.dt, shape...)
		if err != nil {
			return err
		}
		parts := x.shape[rank-1]
		outer, have, inner := product(x.shape[:a]), x.shape[a], product(x.shape[a+1:rank-1])
		vals := make([]float64, out.n)
		buf := make([]complex128, n)
		for o := range outer {
			for i := range inner {
				clear(buf)
				for k := range min(n, have) {
					at := ((o*have+k)*inner + i) * parts
					im := 0.0
					if parts == 2 {
						im = x.at(at + 1)
					}
					buf[k] = complex(x.at(at), im)
				}
				if cells == 1 {
					mirror(buf)
				}
				fourier(buf, inverse)
				for k := range bins {
					at := ((o*bins+k)*inner + i) * cells
					vals[at] = real(buf[k])
					if cells == 2 {
						vals[at+1] = imag(buf[k])
					}
				}
			}
		}
		return castFrom(out, vals)
	}, nil
}

func buildSTFT(s *spec) (operation, error) {
	onesided := s.int("onesided", 1) == 1
	return func(c *call) error {
		x, stepT, err := c.pair()
		if err != nil {
			return err
		}
		window, lengthT := c.input(2), c.input(3)
		hop, size := int(stepT.at(0)), 0
		switch {
		case lengthT != nil && lengthT.n > 0:
			size = int(lengthT.at(0))
		case window != nil:
			size = window.n
		}
		if len(x.shape) < 2 || size < 1 || hop < 1 || size > x.shape[1] || (window != nil && window.n != size) {
			return fmt.Errorf("frames of %d every %d samples do not fit: %s", size, hop, describeAll(c.in))
		}
		parts := 1
		if len(x.shape) == 3 {
			parts = x.shape[2]
		}
		frames := (x.shape[1]-size)/hop + 1
		bins := size
		if onesided {
			bins = size/2 + 1
		}
		out, err := c.output(0, x.dt, x.shape[0], frames, bins, 2)
		if err != nil {
			return err
		}
		vals := make([]float64, out.n)
		buf := make([]complex128, size)
		at := 0
		for b := range x.shape[0] {
			for f := range frames {
				for k := range buf {
					i := (b*x.shape[1] + f*hop + k) * parts
					im := 0.0
					if parts == 2 {
						im = x.at(i + 1)
					}
					w := 1.0
					if window != nil {
						w = window.at(k)
					}
					buf[k] = complex(x.at(i)*w, im*w)
				}
				fourier(buf, false)
				for k := range bins {
					vals[at], vals[at+1] = real(buf[k]), imag(buf[k])
					at += 2
				}
			}
		}
		return castFrom(out, vals)
	}, nil
}

// cosineWindow is a − b·cos(2πi/N) + c·cos(4πi/N).
func cosineWindow(a, b, c2 float64) builder {
	return func(s *spec) (operation, error) {
		dt, periodic := onnxfile.ElemType(s.int("output_datatype", int(f32))), s.int("periodic", 1) == 1
		return func(c *call) error {
			t, err := c.need(0)
			if err != nil {
				return err
			}
			n := int(t.at(0))
			out, err := c.output(0, dt, n)
			if err != nil {
				return err
			}
			span := float64(n)
			if !periodic {
				span = float64(max(n-1, 1))
			}
			vals := make([]float64, n)
			for i := range vals {
				p := 2 * math.Pi * float64(i) / span
				vals[i] = a - b*math.Cos(p) + c2*math.Cos(2*p)
			}
			return castFrom(out, vals)
		}, nil
	}
}

// buildMelWeights makes the matrix from spectrum bins to mel bands, on the
// HTK scale, as ONNX's reference does.
func buildMelWeights(s *spec) (operation, error) {
	dt := onnxfile.ElemType(s.int("output_datatype", int(f32)))
	return func(c *call) error {
		for i := range 5 {
			if t, err := c.need(i); err != nil {
				return err
			} else if t.n != 1 {
				return fmt.Errorf("input %d is no scalar", i)
			}
		}
		bands, size, rate := int(c.in[0].at(0)), int(c.in[1].at(0)), c.in[2].at(0)
		mel := func(hz float64) float64 { return 2595 * math.Log10(1+hz/700) }
		lo, hi := mel(c.in[3].at(0)), mel(c.in[4].at(0))
		if bands < 1 || size < 1 || rate <= 0 {
			return fmt.Errorf("%d bands, length %d, rate %v", bands, size, rate)
		}
		bins := size/2 + 1
		edges := make([]int, bands+2)
		for i := range edges {
			m := lo + float64(i)*(hi-lo)/float64(len(edges))
			hz := 700 * (math.Pow(10, m/2595) - 1)
			edges[i] = int(math.Floor(float64(size+1) * hz / rate))
		}
		if edges[0] < 0 || edges[bands+1] > bins {
			return fmt.Errorf("bands reach beyond half the sample rate")
		}
		out, err := c.output(0, dt, bins, bands)
		if err != nil {
			return err
		}
		vals := make([]float64, bins*bands)
		for b := range bands {
			lower, centre, higher := edges[b], edges[b+1], edges[b+2]
			if lower == centre {
				vals[centre*bands+b] = 1
			} else {
				for j := lower; j <= centre && j < bins; j++ {
					vals[j*bands+b] = float64(j-lower) / float64(centre-lower)
				}
			}
			for j := centre; j < higher && j < bins; j++ {
				vals[j*bands+b] = float64(higher-j) / float64(higher-centre)
			}
		}
		return castFrom(out, vals)
	}, nil
}
