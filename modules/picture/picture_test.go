package picture

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math"
	"strings"
	"testing"
)

// gradient is a picture whose pixel (x, y) is (x, y, 128) scaled to bytes.
func gradient(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetNRGBA(x, y, color.NRGBA{uint8(255 * x / max(w-1, 1)), uint8(255 * y / max(h-1, 1)), 128, 255})
		}
	}
	return img
}

func encodePNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A lossless WebP of one red pixel.
const onePixelWebP = "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA=="

func TestFormats(t *testing.T) {
	var jpegFile, gifFile bytes.Buffer
	if err := jpeg.Encode(&jpegFile, gradient(32, 16), &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	if err := gif.Encode(&gifFile, gradient(32, 16), nil); err != nil {
		t.Fatal(err)
	}
	webpFile, err := base64.StdEncoding.DecodeString(onePixelWebP)
	if err != nil {
		t.Fatal(err)
	}
	svgFile := []byte(`<?xml version="1.0"?><!-- drawn --><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 10"><rect width="10" height="10" fill="#ff0000"/></svg>`)
	for _, c := range []struct {
		format string
		file   []byte
		w, h   int
	}{
		{"png", encodePNG(t, gradient(32, 16)), 32, 16},
		{"jpeg", jpegFile.Bytes(), 32, 16},
		{"gif", gifFile.Bytes(), 32, 16},
		{"webp", webpFile, 1, 1},
		{"svg", svgFile, SVGSide, SVGSide / 2},
	} {
		t.Run(c.format, func(t *testing.T) {
			img, err := Decode(bytes.NewReader(c.file))
			if err != nil {
				t.Fatal(err)
			}
			if b := img.Bounds(); img.Format != c.format || b.Dx() != c.w || b.Dy() != c.h {
				t.Errorf("got %s of %v", img.Format, b)
			}
		})
	}
	img, err := Decode(bytes.NewReader(svgFile))
	if err != nil {
		t.Fatal(err)
	}
	if r, _, _, a := img.At(10, 10).RGBA(); r>>8 != 255 || a>>8 != 255 {
		t.Errorf("the rectangle is not red: %v", img.At(10, 10))
	}
	if _, _, _, a := img.At(400, 10).RGBA(); a != 0 {
		t.Errorf("the ground is not transparent: %v", img.At(400, 10))
	}
}

func TestBadPictures(t *testing.T) {
	good := encodePNG(t, gradient(64, 64))
	bomb := bytes.Clone(encodePNG(t, gradient(1, 1)))
	binary.BigEndian.PutUint32(bomb[16:], 60000)
	binary.BigEndian.PutUint32(bomb[20:], 60000)
	binary.BigEndian.PutUint32(bomb[29:], crc32.ChecksumIEEE(bomb[12:29]))
	for _, c := range []struct {
		name string
		file []byte
		want error
	}{
		{"empty", nil, ErrDamaged},
		{"truncated", good[:len(good)/2], ErrDamaged},
		{"header only", good[:20], ErrDamaged},
		{"bomb", bomb, ErrTooLarge},
		{"text", []byte("not a picture"), ErrFormat},
		{"jpeg start", []byte("\xff\xd8\xff\xe0"), ErrDamaged},
		{"webp start", []byte("RIFF\x10\x00\x00\x00WEBPVP8 "), ErrDamaged},
		{"blank drawing", []byte(`<svg viewBox="0 0 10 10"><text>hello</text></svg>`), ErrDamaged},
		{"drawing without a size", []byte(`<svg><rect width="10" height="10"/></svg>`), ErrDamaged},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Decode(bytes.NewReader(c.file)); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encodePNG(f, gradient(4, 4)))
	f.Add([]byte(`<svg viewBox="0 0 4 4"><path d="M0 0L4 4"/></svg>`))
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x20Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		img, err := Decode(bytes.NewReader(b))
		if err == nil && img.Bounds().Empty() {
			t.Error("an empty picture without an error")
		}
	})
}

// exif puts an orientation into a JPEG file.
func exif(file []byte, orientation byte) []byte {
	segment := append([]byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00"), orientation, 0, 0, 0, 0, 0, 0)
	out := append([]byte{0xff, 0xd8, 0xff, 0xe1, 0, byte(len(segment) + 2)}, segment...)
	return append(out, file[2:]...)
}

func TestOrientation(t *testing.T) {
	// Red at the top left, blue at the top right, of a picture 32 by 16.
	src := image.NewNRGBA(image.Rect(0, 0, 32, 16))
	for y := range 16 {
		for x := range 32 {
			c := color.NRGBA{0, 0, 0, 255}
			switch {
			case x < 16 && y < 8:
				c.R = 255
			case x >= 16 && y < 8:
				c.B = 255
			}
			src.SetNRGBA(x, y, c)
		}
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, src, &jpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	// Where red and blue come to lie (as fractions of the size).
	type spot struct{ x, y float64 }
	left, right := 0.2, 0.8
	for o, want := range map[byte][2]spot{
		1: {{left, left}, {right, left}},
		2: {{right, left}, {left, left}},
		3: {{right, right}, {left, right}},
		4: {{left, right}, {right, right}},
		5: {{left, left}, {left, right}},
		6: {{right, left}, {right, right}},
		7: {{right, right}, {right, left}},
		8: {{left, right}, {left, left}},
	} {
		img, err := Decode(bytes.NewReader(exif(file.Bytes(), o)))
		if err != nil {
			t.Fatal(err)
		}
		b := img.Bounds()
		if turned := o >= 5; turned != (b.Dx() == 16) {
			t.Errorf("orientation %d: the picture is %v", o, b)
		}
		pixel := func(s spot) color.NRGBA {
			return color.NRGBAModel.Convert(img.At(int(s.x*float64(b.Dx())), int(s.y*float64(b.Dy())))).(color.NRGBA)
		}
		if red, blue := pixel(want[0]), pixel(want[1]); red.R < 200 || blue.B < 200 {
			t.Errorf("orientation %d: red is %v, blue is %v", o, red, blue)
		}
	}
}

func prepare(t *testing.T, s Spec, img image.Image) ([]float32, []int) {
	t.Helper()
	data, shape, err := s.Prepare(Image{Image: img})
	if err != nil {
		t.Fatal(err)
	}
	return data, shape
}

func TestNormalizeAndLayout(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 2, 1))
	img.SetNRGBA(0, 0, color.NRGBA{255, 0, 51, 255})
	img.SetNRGBA(1, 0, color.NRGBA{0, 102, 0, 255})
	for _, c := range []struct {
		spec  Spec
		shape []int
		want  []float32
	}{
		{Spec{}, []int{3, 1, 2}, []float32{1, 0, 0, 0.4, 0.2, 0}},
		{Spec{Layout: "nhwc"}, []int{1, 2, 3}, []float32{1, 0, 0.2, 0, 0.4, 0}},
		{Spec{Order: "bgr", Layout: "nhwc"}, []int{1, 2, 3}, []float32{0.2, 0, 1, 0, 0.4, 0}},
		{Spec{Range: []float64{0, 255}}, []int{3, 1, 2}, []float32{255, 0, 0, 102, 51, 0}},
		{Spec{Mean: []float64{0.5}, Std: []float64{0.5}}, []int{3, 1, 2}, []float32{1, -1, -1, -0.2, -0.6, -1}},
		{Spec{Mean: []float64{1, 0, 0}, Std: []float64{1, 2, 1}}, []int{3, 1, 2}, []float32{0, -1, 0, 0.2, 0.2, 0}},
		{Spec{Order: "gray", Range: []float64{0, 255}}, []int{1, 1, 2}, []float32{82, 60}},
	} {
		data, shape := prepare(t, c.spec, img)
		if len(shape) != 3 || shape[0] != c.shape[0] || shape[1] != c.shape[1] || shape[2] != c.shape[2] {
			t.Errorf("%+v: shape %v, want %v", c.spec, shape, c.shape)
			continue
		}
		for i := range c.want {
			if math.Abs(float64(data[i]-c.want[i])) > 1e-6 {
				t.Errorf("%+v: got %v, want %v", c.spec, data, c.want)
				break
			}
		}
	}
}

func TestBackground(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 1, 1)) // transparent
	for ground, want := range map[string][]float32{"": {1, 1, 1}, "#ff8000": {1, 128.0 / 255, 0}} {
		data, _ := prepare(t, Spec{Background: ground}, img)
		for i := range want {
			if data[i] != want[i] {
				t.Errorf("over %q: %v, want %v", ground, data, want)
			}
		}
	}
	half := image.NewNRGBA(image.Rect(0, 0, 1, 1))
	half.SetNRGBA(0, 0, color.NRGBA{0, 0, 0, 128})
	if data, _ := prepare(t, Spec{}, half); math.Abs(float64(data[0])-127.0/255) > 0.005 {
		t.Errorf("half-transparent black over white is %g", data[0])
	}
}

func TestFits(t *testing.T) {
	img := gradient(200, 100)
	for _, c := range []struct {
		spec  Spec
		shape [2]int
	}{
		{Spec{Size: []int{32, 32}}, [2]int{32, 32}},
		{Spec{Size: []int{32, 32}, Edge: 40}, [2]int{32, 32}},
		{Spec{Size: []int{32, 48}, Fit: "stretch"}, [2]int{32, 48}},
		{Spec{Size: []int{32, 32}, Fit: "pad"}, [2]int{32, 32}},
		{Spec{Size: []int{48, 0}}, [2]int{48, 96}},
		{Spec{Size: []int{48, 0}, Multiple: 32}, [2]int{48, 96}},
		{Spec{MaxSide: 100}, [2]int{50, 100}},
		{Spec{MaxSide: 150, Multiple: 32}, [2]int{64, 160}},
	} {
		_, shape := prepare(t, c.spec, img)
		if shape[1] != c.shape[0] || shape[2] != c.shape[1] {
			t.Errorf("%+v: %v, want %v", c.spec, shape[1:], c.shape)
		}
	}
	// A crop keeps the middle: the left and right quarters are gone.
	data, _ := prepare(t, Spec{Size: []int{50, 50}}, img)
	if left, right := data[0], data[49]; math.Abs(float64(left)-0.25) > 0.02 || math.Abs(float64(right)-0.75) > 0.02 {
		t.Errorf("the crop runs from %g to %g, want 0.25 to 0.75", left, right)
	}
	// Padding puts the background above and below.
	data, _ = prepare(t, Spec{Size: []int{40, 40}, Fit: "pad", Background: "#0000ff"}, img)
	blue := data[2*1600:]
	if blue[0] != 1 || blue[1599] != 1 || blue[20*40+20] == 1 {
		t.Errorf("corners %g %g, centre %g", blue[0], blue[1599], blue[20*40+20])
	}
}

// TestFilters compares shrinking a ramp of 8 grey levels 0, 32, …, 224 to 4
// with what Pillow's definition gives by hand: the weights of a kernel
// widened to the ratio 2, normalised over the pixels there are.
func TestFilters(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 8, 1))
	for x := range 8 {
		img.SetGray(x, 0, color.Gray{uint8(32 * x)})
	}
	for _, c := range []struct {
		filter      string
		noAntialias bool
		want        []float32
	}{
		{"nearest", false, []float32{32, 96, 160, 224}},
		{"box", false, []float32{16, 80, 144, 208}},
		// Pixels at ±¼, ±¾ of the widened triangle: weights 3:3:1:1; at the
		// left end 3·0+3·32+1·64 over 7.
		{"bilinear", false, []float32{160.0 / 7, 80, 144, (3*192 + 3*224 + 160) / 7.0}},
		{"bilinear", true, []float32{16, 80, 144, 208}},
	} {
		data, _ := prepare(t, Spec{Size: []int{1, 4}, Fit: "stretch", Filter: c.filter, NoAntialias: c.noAntialias, Order: "gray", Range: []float64{0, 255}}, img)
		for i := range c.want {
			if math.Abs(float64(data[i]-c.want[i])) > 0.51 {
				t.Errorf("%s (no antialias: %v): got %v, want %v", c.filter, c.noAntialias, data, c.want)
				break
			}
		}
	}
	for _, filter := range filters { // a flat picture stays flat
		data, _ := prepare(t, Spec{Size: []int{9, 5}, Fit: "stretch", Filter: filter, Range: []float64{0, 255}}, &image.RGBA{Pix: bytes.Repeat([]byte{77, 77, 77, 255}, 31*17), Stride: 4 * 31, Rect: image.Rect(0, 0, 31, 17)})
		for i, v := range data {
			if math.Abs(float64(v)-77) > 1 {
				t.Errorf("%s: value %d of a flat picture is %g", filter, i, v)
				break
			}
		}
	}
}

func TestSpecMistakesNameTheirKey(t *testing.T) {
	for key, s := range map[string]Spec{
		"size":       {Size: []int{64}},
		"fit":        {Fit: "squeeze"},
		"filter":     {Filter: "bicubik"},
		"mean":       {Mean: []float64{1, 2}},
		"std":        {Std: []float64{0}},
		"background": {Background: "white"},
		"range":      {Range: []float64{1}},
	} {
		if err := s.Check(); err == nil || !strings.HasPrefix(err.Error(), key+":") {
			t.Errorf("%+v: got %v, want a complaint about %s", s, err, key)
		}
	}
	if _, _, err := new(Spec).Prepare(Image{}); err == nil {
		t.Error("no picture gave no error")
	}
}
