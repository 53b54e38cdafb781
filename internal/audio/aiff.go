package audio

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// isAIFF tells Apple's Audio Interchange File Format and its successor.
func isAIFF(b []byte) bool {
	return len(b) >= 12 && string(b[:4]) == "FORM" && (string(b[8:12]) == "AIFF" || string(b[8:12]) == "AIFC")
}

// decodeAIFF reads uncompressed AIFF and AIFF-C: chunks as in WAV, but
// big-endian.
func decodeAIFF(b []byte, most limit) (Clip, error) {
	var format *wavFormat
	var swapped, signed8 bool // little-endian samples; 8-bit integers with a sign
	var data []byte
	for at := 12; at+8 <= len(b); {
		id, size := string(b[at:at+4]), int(binary.BigEndian.Uint32(b[at+4:]))
		body := b[at+8:]
		if size > len(body) {
			return Clip{}, fmt.Errorf("%w: chunk %q says %d bytes, the file has %d", ErrDamaged, id, size, len(body))
		}
		body = body[:size]
		switch id {
		case "COMM":
			if size < 18 {
				return Clip{}, fmt.Errorf("%w: the common chunk has %d bytes", ErrDamaged, size)
			}
			format = &wavFormat{encoding: wavPCM, channels: int(binary.BigEndian.Uint16(body)), bits: int(binary.BigEndian.Uint16(body[6:]))}
			format.bits = (format.bits + 7) / 8 * 8 // narrower samples lie at the top of whole bytes
			format.rate = int(min(extended(body[8:18]), MaxRate+1))
			signed8 = true
			if size >= 22 && string(b[8:12]) == "AIFC" {
				switch kind := string(body[18:22]); kind {
				case "NONE", "twos":
				case "sowt":
					swapped = true
				case "fl32", "FL32", "fl64", "FL64":
					format.encoding = wavFloat
				case "raw ":
					signed8 = false
				case "alaw", "ALAW":
					format.encoding, format.bits = wavALaw, 8
				case "ulaw", "ULAW":
					format.encoding, format.bits = wavMuLaw, 8
				default:
					return Clip{}, fmt.Errorf("%w: AIFF-C compressed as %q", ErrFormat, kind)
				}
			}
		case "SSND":
			if size < 8 {
				return Clip{}, fmt.Errorf("%w: the sound chunk has %d bytes", ErrDamaged, size)
			}
			offset := int(binary.BigEndian.Uint32(body))
			if offset > size-8 {
				return Clip{}, fmt.Errorf("%w: the samples begin after their chunk", ErrDamaged)
			}
			data = body[8+offset:]
		}
		at += 8 + size + size%2
	}
	if format == nil || data == nil {
		return Clip{}, fmt.Errorf("%w: it has no format or no samples", ErrDamaged)
	}
	return format.samples(asWAV(data, format, swapped, signed8), most)
}

// asWAV lays samples out as WAV has them.
func asWAV(data []byte, f *wavFormat, swapped, signed8 bool) []byte {
	size := f.bits / 8
	if size == 1 && (f.encoding != wavPCM || !signed8) || size > 1 && swapped || size < 1 {
		return data
	}
	out := slices.Clone(data[:len(data)/size*size])
	for s := range slices.Chunk(out, size) {
		slices.Reverse(s)
		if size == 1 {
			s[0] ^= 0x80
		}
	}
	return out
}

// extended is a positive number of 80 bits (IEEE 754 extended precision).
func extended(b []byte) float64 {
	exponent := int(binary.BigEndian.Uint16(b)) - 16383 - 63
	v := math.Ldexp(float64(binary.BigEndian.Uint64(b[2:])), exponent)
	if !(v >= 0) {
		return 0
	}
	return v
}
