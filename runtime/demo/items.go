package demo

import (
	"bytes"
	"embed"
	"encoding/binary"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"math"
)

// Size is the width and height of the pictures in pixels.
const Size = 256

// Rate is the sampling rate of the sounds in samples a second.
const Rate = 16000

// Item is a picture or a sound of the demonstration.
type Item struct {
	// Name of the item and stem of its file, for example "apple".
	Name string
	// Shows says what it is, in words; it is not given to any module.
	Shows string
	photo bool // in photographs/
	draw  func() image.Image
	sing  func() []float32
}

// photographs are of free licences; photographs/SOURCES.tsv names them.
//
//go:embed photographs
var photographs embed.FS

// Items returns the photographs, the drawings, then the sounds.
func Items() []Item {
	return []Item{
		{Name: "horses", Shows: "two riders on a beach", photo: true},
		{Name: "motorcycle", Shows: "a motorcycle in fog", photo: true},
		{Name: "bear", Shows: "a bear", photo: true},
		{Name: "cat-and-bird", Shows: "a cat and a budgerigar", photo: true},
		{Name: "pizza", Shows: "a pizza", photo: true},
		{Name: "apple", Shows: "a red apple", draw: apple},
		{Name: "sun", Shows: "the sun", draw: sun},
		{Name: "house", Shows: "a house", draw: house},
		{Name: "fish", Shows: "a fish", draw: fish},
		{Name: "tree", Shows: "a tree", draw: tree},
		{Name: "cat", Shows: "a cat's face", draw: cat},
		{Name: "car", Shows: "a blue car", draw: car},
		{Name: "flower", Shows: "a flower", draw: flower},
		{Name: "bell", Shows: "a bell", sing: bell},
		{Name: "bird", Shows: "a bird", sing: bird},
		{Name: "bark", Shows: "a dog", sing: bark},
		{Name: "rain", Shows: "rain", sing: rain},
		{Name: "siren", Shows: "a siren", sing: siren},
	}
}

// IsPhotograph says that the item is a photograph.
func (i Item) IsPhotograph() bool { return i.photo }

// IsPicture says whether the item is a picture; otherwise it is a sound.
func (i Item) IsPicture() bool { return i.photo || i.draw != nil }

// File is the name of the item's file.
func (i Item) File() string {
	switch {
	case i.photo:
		return i.Name + ".jpg"
	case i.IsPicture():
		return i.Name + ".png"
	}
	return i.Name + ".wav"
}

// Image decodes a photograph or draws a picture; nil for a sound.
func (i Item) Image() image.Image {
	if i.photo {
		data, err := i.Encode()
		if err != nil {
			return nil
		}
		m, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			return nil
		}
		return m
	}
	if i.draw == nil {
		return nil
	}
	return i.draw()
}

// Samples synthesises a sound at [Rate], in −1..1; nil for a picture.
func (i Item) Samples() []float32 {
	if i.sing == nil {
		return nil
	}
	return i.sing()
}

// Encode returns the item's file: a JPEG photograph, a PNG picture, or a 16-bit
// mono WAV sound.
func (i Item) Encode() ([]byte, error) {
	if i.photo {
		return photographs.ReadFile("photographs/" + i.File())
	}
	if !i.IsPicture() {
		return encodeWAV(i.Samples()), nil
	}
	var b bytes.Buffer
	if err := png.Encode(&b, i.Image()); err != nil {
		return nil, fmt.Errorf("demo picture %s: %w", i.Name, err)
	}
	return b.Bytes(), nil
}

// encodeWAV writes RIFF/WAVE, PCM, 16 bits, mono, [Rate].
func encodeWAV(samples []float32) []byte {
	var b bytes.Buffer
	le := binary.LittleEndian
	n := uint32(2 * len(samples))
	b.WriteString("RIFF")
	b.Write(le.AppendUint32(nil, 36+n))
	b.WriteString("WAVEfmt ")
	b.Write(le.AppendUint32(nil, 16))
	b.Write(le.AppendUint16(nil, 1)) // PCM
	b.Write(le.AppendUint16(nil, 1)) // mono
	b.Write(le.AppendUint32(nil, Rate))
	b.Write(le.AppendUint32(nil, 2*Rate))
	b.Write(le.AppendUint16(nil, 2))
	b.Write(le.AppendUint16(nil, 16))
	b.WriteString("data")
	b.Write(le.AppendUint32(nil, n))
	for _, s := range samples {
		v := math.Round(32767 * math.Max(-1, math.Min(1, float64(s))))
		b.Write(le.AppendUint16(nil, uint16(int16(v))))
	}
	return b.Bytes()
}
