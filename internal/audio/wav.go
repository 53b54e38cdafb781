package audio

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Encodings of a WAV file's format chunk (RFC 2361).
const (
	wavPCM        = 1
	wavFloat      = 3
	wavALaw       = 6
	wavMuLaw      = 7
	wavExtensible = 0xfffe
)

// streaming is about the size, or less, that tools write that cannot seek.
const streaming = 0x7fff0000

type wavFormat struct {
	encoding, channels, rate, bits int
}

// decodeWAV reads RIFF WAVE. A data chunk that claims more than the file
// holds, as recorders that were interrupted leave it, is damage.
func decodeWAV(b []byte, most limit) (Clip, error) {
	var format *wavFormat
	for at := 12; at+8 <= len(b); {
		id, size := string(b[at:at+4]), int(binary.LittleEndian.Uint32(b[at+4:]))
		body := b[at+8:]
		switch id {
		case "fmt ":
			if size > len(body) {
				return Clip{}, fmt.Errorf("%w: the format chunk ends after the file", ErrDamaged)
			}
			var err error
			if format, err = parseWAVFormat(body[:size]); err != nil {
				return Clip{}, err
			}
		case "data":
			if format == nil {
				return Clip{}, fmt.Errorf("%w: the samples come before their format", ErrDamaged)
			}
			if size >= streaming {
				size = min(size, len(body))
			}
			if size > len(body) {
				return Clip{}, fmt.Errorf("%w: the header says %d bytes of samples, the file has %d", ErrDamaged, size, len(body))
			}
			return format.samples(body[:size], most)
		}
		at += 8 + size + size%2
	}
	return Clip{}, fmt.Errorf("%w: there is no data chunk", ErrDamaged)
}

func parseWAVFormat(b []byte) (*wavFormat, error) {
	if len(b) < 16 {
		return nil, fmt.Errorf("%w: the format chunk has %d bytes", ErrDamaged, len(b))
	}
	f := &wavFormat{
		encoding: int(binary.LittleEndian.Uint16(b)),
		channels: int(binary.LittleEndian.Uint16(b[2:])),
		rate:     int(binary.LittleEndian.Uint32(b[4:])),
		bits:     int(binary.LittleEndian.Uint16(b[14:])),
	}
	if f.encoding == wavExtensible {
		if len(b) < 40 {
			return nil, fmt.Errorf("%w: the extensible format chunk has %d bytes", ErrDamaged, len(b))
		}
		f.encoding = int(binary.LittleEndian.Uint16(b[24:])) // first word of the sub-format
	}
	return f, nil
}

// sample returns how one sample is read, and its bytes.
func (f *wavFormat) sample() (read func([]byte) float32, size int) {
	switch {
	case f.encoding == wavPCM && f.bits == 8:
		return func(b []byte) float32 { return (float32(b[0]) - 128) / 128 }, 1
	case f.encoding == wavPCM && f.bits == 16:
		return func(b []byte) float32 { return float32(int16(binary.LittleEndian.Uint16(b))) / (1 << 15) }, 2
	case f.encoding == wavPCM && f.bits == 24:
		return func(b []byte) float32 {
			return float32(int32(uint32(b[0])<<8|uint32(b[1])<<16|uint32(b[2])<<24)>>8) / (1 << 23)
		}, 3
	case f.encoding == wavPCM && f.bits == 32:
		return func(b []byte) float32 { return float32(float64(int32(binary.LittleEndian.Uint32(b))) / (1 << 31)) }, 4
	case f.encoding == wavFloat && f.bits == 32:
		return func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }, 4
	case f.encoding == wavFloat && f.bits == 64:
		return func(b []byte) float32 { return float32(math.Float64frombits(binary.LittleEndian.Uint64(b))) }, 8
	case f.encoding == wavALaw && f.bits == 8:
		return func(b []byte) float32 { return aLaw(b[0]) }, 1
	case f.encoding == wavMuLaw && f.bits == 8:
		return func(b []byte) float32 { return muLaw(b[0]) }, 1
	}
	return nil, 0
}

// unknown is the error of an encoding that is not read.
func (f *wavFormat) unknown() error {
	return fmt.Errorf("%w: WAV encoding %d with %d bits; known are integers of 8, 16, 24 and 32 bits, floats of 32 and 64, A-law and µ-law", ErrFormat, f.encoding, f.bits)
}

func (f *wavFormat) samples(b []byte, most limit) (Clip, error) {
	read, size := f.sample()
	if read == nil {
		return Clip{}, f.unknown()
	}
	m, err := newMixer(f.rate, f.channels, most)
	if err != nil {
		return Clip{}, err
	}
	m.clip.Samples = make([]float32, 0, min(len(b)/size/f.channels, m.most))
	for ; len(b) >= size; b = b[size:] {
		if err := m.add(read(b)); err != nil {
			return Clip{}, err
		}
	}
	return m.clip, nil
}

// aLaw expands a sample of ITU-T G.711 A-law.
func aLaw(v byte) float32 {
	v ^= 0x55
	exponent, mantissa := int(v>>4&7), int(v&0xf)
	x := mantissa<<4 + 8
	if exponent > 0 {
		x = (x + 0x100) << (exponent - 1)
	}
	if v&0x80 == 0 {
		x = -x
	}
	return float32(x) / (1 << 15)
}

// muLaw expands a sample of ITU-T G.711 µ-law.
func muLaw(v byte) float32 {
	v = ^v
	exponent, mantissa := int(v>>4&7), int(v&0xf)
	x := (mantissa<<3+0x84)<<exponent - 0x84
	if v&0x80 != 0 {
		x = -x
	}
	return float32(x) / (1 << 15)
}
