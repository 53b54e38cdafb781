package audio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/hajimehoshi/go-mp3"
	"github.com/jfreymuth/oggvorbis"
	"github.com/mewkiz/flac"
)

// decodeVorbis reads Ogg Vorbis.
func decodeVorbis(b []byte, most limit) (Clip, error) {
	r, err := oggvorbis.NewReader(bytes.NewReader(b))
	if err != nil {
		return Clip{}, fmt.Errorf("%w: %v", ErrDamaged, err)
	}
	m, err := newMixer(r.SampleRate(), r.Channels(), most)
	if err != nil {
		return Clip{}, err
	}
	buffer := make([]float32, 8192)
	for {
		n, err := r.Read(buffer)
		for _, v := range buffer[:n] {
			if err := m.add(v); err != nil {
				return Clip{}, err
			}
		}
		if errors.Is(err, io.EOF) {
			return m.clip, nil
		}
		if err != nil {
			return Clip{}, fmt.Errorf("%w: %v", ErrDamaged, err)
		}
	}
}

// decodeMP3 reads MPEG audio layer III; go-mp3 gives 16-bit stereo.
func decodeMP3(b []byte, most limit) (Clip, error) {
	d, err := mp3.NewDecoder(bytes.NewReader(b))
	if err != nil {
		return Clip{}, fmt.Errorf("%w: %v", ErrDamaged, err)
	}
	m, err := newMixer(d.SampleRate(), 2, most)
	if err != nil {
		return Clip{}, err
	}
	buffer := make([]byte, 16384)
	for {
		n, err := io.ReadFull(d, buffer)
		for i := 0; i+1 < n; i += 2 {
			if err := m.add(float32(int16(binary.LittleEndian.Uint16(buffer[i:]))) / (1 << 15)); err != nil {
				return Clip{}, err
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return m.clip, nil
		}
		if err != nil {
			return Clip{}, fmt.Errorf("%w: %v", ErrDamaged, err)
		}
	}
}

// decodeFLAC reads FLAC.
func decodeFLAC(b []byte, most limit) (Clip, error) {
	s, err := flac.New(bytes.NewReader(b))
	if err != nil {
		return Clip{}, fmt.Errorf("%w: %v", ErrDamaged, err)
	}
	m, err := newMixer(int(s.Info.SampleRate), int(s.Info.NChannels), most)
	if err != nil {
		return Clip{}, err
	}
	if s.Info.BitsPerSample < 4 || s.Info.BitsPerSample > 32 {
		return Clip{}, fmt.Errorf("%w: %d bits a sample", ErrDamaged, s.Info.BitsPerSample)
	}
	scale := 1 / float32(uint64(1)<<(s.Info.BitsPerSample-1))
	for {
		f, err := s.ParseNext()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Clip{}, fmt.Errorf("%w: %v", ErrDamaged, err)
		}
		if len(f.Subframes) != m.channels {
			return Clip{}, fmt.Errorf("%w: a frame has %d channels, the file %d", ErrDamaged, len(f.Subframes), m.channels)
		}
		for i := range f.Subframes[0].Samples {
			for _, sub := range f.Subframes {
				if err := m.add(float32(sub.Samples[i]) * scale); err != nil {
					return Clip{}, err
				}
			}
		}
	}
	if want := s.Info.NSamples; want > 0 && uint64(len(m.clip.Samples)) < want {
		return Clip{}, fmt.Errorf("%w: %d of %d samples are there", ErrDamaged, len(m.clip.Samples), want)
	}
	return m.clip, nil
}
