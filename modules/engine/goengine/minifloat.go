package goengine

import (
	"math"

	"github.com/connectomewire/wire/modules/onnxfile"
)

// minifloat is a floating-point type of at most eight bits.
type minifloat struct {
	values   [256]float32 // by code
	nan, inf int          // codes of NaN and +infinity, -1 where there is none
	codes    int          // how many numbers are not negative, NaN and infinity left out
	sign     int          // the sign's bit
	uz       bool         // no −0: its code is NaN
	power    bool         // an exponent only
}

// minifloats are the types by element type. Their numbers are 0.m·2^(1−bias)
// for a zero exponent and 1.m·2^(e−bias) above.
var minifloats = map[onnxfile.ElemType]*minifloat{
	onnxfile.Float8E4M3FN:   newMinifloat(4, 3, 7, 0x7f, -1, false),
	onnxfile.Float8E4M3FNUZ: newMinifloat(4, 3, 8, 0x80, -1, true),
	onnxfile.Float8E5M2:     newMinifloat(5, 2, 15, 0x7f, 0x7c, false),
	onnxfile.Float8E5M2FNUZ: newMinifloat(5, 2, 16, 0x80, -1, true),
	onnxfile.Float4E2M1:     newMinifloat(2, 1, 1, -1, -1, false),
	onnxfile.Float6E2M3:     newMinifloat(2, 3, 1, -1, -1, false),
	onnxfile.Float6E3M2:     newMinifloat(3, 2, 3, -1, -1, false),
	onnxfile.Float8E8M0:     newE8M0(),
}

func newMinifloat(exponent, mantissa, bias, nan, inf int, uz bool) *minifloat {
	m := &minifloat{nan: nan, inf: inf, uz: uz, sign: 1 << (exponent + mantissa)}
	m.codes = m.sign
	switch {
	case inf >= 0:
		m.codes = inf
	case nan >= 0 && !uz:
		m.codes = nan
	}
	for code := range m.sign {
		e, frac := code>>mantissa, float64(code&(1<<mantissa-1))/float64(int(1)<<mantissa)
		v := math.Ldexp(frac, 1-bias)
		if e > 0 {
			v = math.Ldexp(1+frac, e-bias)
		}
		switch {
		case code == inf:
			v = math.Inf(1)
		case code >= m.codes:
			v = math.NaN()
		}
		m.values[code], m.values[code|m.sign] = float32(v), float32(-v)
	}
	if uz {
		m.values[0x80] = float32(math.NaN())
	}
	return m
}

// newE8M0 makes the powers of two that scale blocks.
func newE8M0() *minifloat {
	m := &minifloat{nan: 0xff, inf: -1, codes: 0xff, power: true}
	for code := range 0xff {
		m.values[code] = float32(math.Ldexp(1, code-127))
	}
	m.values[0xff] = float32(math.NaN())
	return m
}

// limits says what becomes of numbers that are too large.
type limits struct {
	saturate bool
	// round of E8M0: "up", "down" or "nearest".
	round string
}

// encode rounds to the nearest code, ties to even. Numbers beyond the largest
// become it if they shall saturate or the type has neither NaN nor infinity,
// else infinity or NaN.
func (m *minifloat) encode(f float32, l limits) uint8 {
	if m.power {
		return m.encodePower(f, l)
	}
	if f != f {
		if m.nan < 0 {
			return uint8(m.sign) // there is none; ONNX's reference gives −0
		}
		if m.uz {
			return uint8(m.nan)
		}
		return uint8(m.nan | m.signBit(f))
	}
	sign := m.signBit(f)
	a := f
	if a < 0 {
		a = -a
	}
	if math.IsInf(float64(a), 0) {
		switch {
		case !l.saturate && m.inf >= 0:
			return uint8(m.inf | sign)
		case !l.saturate && m.nan >= 0:
			return m.overflow(sign)
		}
		return uint8(m.codes - 1 | sign)
	}
	// the codes of one sign are in the order of their values
	lo, hi := 0, m.codes-1
	for lo < hi {
		mid := (lo + hi + 1) / 2
		if m.values[mid] <= a {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	if lo == m.codes-1 {
		// the gap goes on as if the type went on
		gap := float64(m.values[lo]) - float64(m.values[lo-1])
		if beyond := float64(a) - float64(m.values[lo]); beyond > gap/2 || (beyond == gap/2 && lo&1 == 1) {
			switch {
			case l.saturate || (m.inf < 0 && m.nan < 0):
			case m.inf >= 0:
				return uint8(m.inf | sign)
			default:
				return m.overflow(sign)
			}
		}
	} else {
		down, up := float64(a)-float64(m.values[lo]), float64(m.values[lo+1])-float64(a)
		if up < down || (up == down && lo&1 == 1) {
			lo++
		}
	}
	if lo == 0 && m.uz {
		sign = 0
	}
	return uint8(lo | sign)
}

func (m *minifloat) overflow(sign int) uint8 {
	if m.uz {
		return uint8(m.nan)
	}
	return uint8(m.nan | sign)
}

func (m *minifloat) signBit(f float32) int {
	if math.Signbit(float64(f)) {
		return m.sign
	}
	return 0
}

// encodePower writes the exponent of f.
func (m *minifloat) encodePower(f float32, l limits) uint8 {
	bits := math.Float32bits(f)
	exponent, mantissa := int(bits>>23&0xff), bits&0x7fffff
	if exponent == 0xff {
		if mantissa == 0 && l.saturate {
			return 0xfe
		}
		return 0xff
	}
	up := false
	switch l.round {
	case "up":
		up = mantissa > 0
		if exponent == 0 { // below the least normal number
			up = mantissa > 0x400000
		}
	case "nearest":
		up = mantissa >= 0x400000
		if exponent == 0 {
			up = mantissa > 0x600000
		}
	}
	if up && (exponent < 0xfe || !l.saturate) {
		exponent++
	}
	return uint8(exponent)
}
