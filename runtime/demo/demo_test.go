package demo

import (
	"bytes"
	"encoding/binary"
	"image/png"
	"math"
	"testing"
)

func TestItemsAreTheSameEveryTime(t *testing.T) {
	seen := map[string]bool{}
	for _, item := range Items() {
		a, err := item.Encode()
		if err != nil {
			t.Fatal(err)
		}
		b, err := item.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("%s differs from call to call", item.Name)
		}
		if seen[item.File()] {
			t.Errorf("two items are called %s", item.File())
		}
		seen[item.File()] = true
		if item.IsPicture() == (item.Samples() != nil) || item.IsPicture() == (item.Image() == nil) {
			t.Errorf("%s is both or neither picture and sound", item.Name)
		}
	}
}

// TestDrawingsShowSomething: drawings fill part of their square.
func TestDrawingsShowSomething(t *testing.T) {
	for _, item := range Items() {
		if item.draw == nil {
			continue
		}
		data, err := item.Encode()
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if img.Bounds().Dx() != Size || img.Bounds().Dy() != Size {
			t.Errorf("%s is %v", item.Name, img.Bounds())
		}
		opaque := 0
		for y := range Size {
			for x := range Size {
				if _, _, _, a := img.At(x, y).RGBA(); a > 0x8000 {
					opaque++
				}
			}
		}
		if share := float64(opaque) / Size / Size; share < 0.2 || share > 0.8 {
			t.Errorf("%s covers %.0f %% of its picture", item.Name, 100*share)
		}
	}
}

func TestSoundsSound(t *testing.T) {
	for _, item := range Items() {
		if item.IsPicture() {
			continue
		}
		x := item.Samples()
		var peak, sum float64
		for _, v := range x {
			if math.IsNaN(float64(v)) {
				t.Fatalf("%s is not a number somewhere", item.Name)
			}
			peak = math.Max(peak, math.Abs(float64(v)))
			sum += float64(v) * float64(v)
		}
		if rms := math.Sqrt(sum / float64(len(x))); peak < 0.7 || peak > 0.81 || rms < 0.02 {
			t.Errorf("%s: peak %.2f, root mean square %.3f", item.Name, peak, rms)
		}
		wav, err := item.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if string(wav[:4]) != "RIFF" || int(binary.LittleEndian.Uint32(wav[4:]))+8 != len(wav) || len(wav) != 44+2*len(x) {
			t.Errorf("%s: the WAV header does not fit its %d bytes", item.Name, len(wav))
		}
	}
}
