package goengine

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/gif" // formats of ImageDecoder
	_ "image/jpeg"
	_ "image/png"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"
)

var decodeTable = map[string]operator{
	"ImageDecoder": {native: true, build: buildImageDecoder},
}

// maxPixels bounds a decoded picture.
const maxPixels = 1 << 27

// buildImageDecoder decodes the bytes of a picture: JPEG, PNG, BMP, TIFF, WebP,
// GIF and the portable maps (PBM, PGM, PPM).
func buildImageDecoder(s *spec) (operation, error) {
	format := s.str("pixel_format", "RGB")
	channels := 3
	switch format {
	case "RGB", "BGR":
	case "Grayscale":
		channels = 1
	default:
		return nil, fmt.Errorf("pixel format %q is not known", format)
	}
	return func(c *call) error {
		x, err := c.need(0)
		if err != nil {
			return err
		}
		if x.dt != u8 {
			return fmt.Errorf("wants bytes, got %v", x.dt)
		}
		if c.frame.dry {
			return errors.New("the size of the picture is not known before the run")
		}
		img, err := decodeImage(view[uint8](x))
		if err != nil {
			return err
		}
		b := img.Bounds()
		out, err := c.output(0, u8, b.Dy(), b.Dx(), channels)
		if err != nil {
			return err
		}
		dst, at := view[uint8](out), 0
		for y := b.Min.Y; y < b.Max.Y; y++ {
			for xx := b.Min.X; xx < b.Max.X; xx++ {
				p := color.NRGBAModel.Convert(img.At(xx, y)).(color.NRGBA)
				switch format {
				case "RGB":
					dst[at], dst[at+1], dst[at+2] = p.R, p.G, p.B
				case "BGR":
					dst[at], dst[at+1], dst[at+2] = p.B, p.G, p.R
				default: // ITU-R 601, in 16 bits as most decoders do
					dst[at] = uint8((19595*uint32(p.R) + 38470*uint32(p.G) + 7471*uint32(p.B) + 1<<15) >> 16)
				}
				at += channels
			}
		}
		return nil
	}, nil
}

func decodeImage(data []byte) (image.Image, error) {
	if len(data) > 2 && data[0] == 'P' && data[1] >= '1' && data[1] <= '6' {
		return decodePortable(data)
	}
	size, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("the picture is in no known format: %w", err)
	}
	if size.Width < 1 || size.Height < 1 || size.Width > maxPixels/size.Height {
		return nil, fmt.Errorf("a picture of %d × %d pixels", size.Width, size.Height)
	}
	img, format, err := image.Decode(bytes.NewReader(data))
	if planes, ok := img.(*image.YCbCr); ok && format == "webp" {
		return studioRange(planes), err
	}
	return img, err
}

// studioRange converts WebP's colours, whose luma goes from 16 to 235 (ITU-R
// 601); the image package takes all for JPEG's, which go from 0 to 255.
func studioRange(p *image.YCbCr) image.Image {
	out := image.NewNRGBA(p.Rect)
	level := func(v float64) uint8 { return uint8(max(0, min(255, v+0.5))) }
	for y := p.Rect.Min.Y; y < p.Rect.Max.Y; y++ {
		for x := p.Rect.Min.X; x < p.Rect.Max.X; x++ {
			c := p.YCbCrAt(x, y)
			l, u, v := 1.164383*(float64(c.Y)-16), float64(c.Cb)-128, float64(c.Cr)-128
			out.SetNRGBA(x, y, color.NRGBA{level(l + 1.596027*v), level(l - 0.391762*u - 0.812968*v), level(l + 2.017232*u), 255})
		}
	}
	return out
}

// decodePortable reads the formats of Netpbm.
func decodePortable(data []byte) (image.Image, error) {
	kind, at := data[1], 2
	number := func() (int, error) {
		for at < len(data) { // white space and comments
			if data[at] == '#' {
				for at < len(data) && data[at] != '\n' {
					at++
				}
			} else if data[at] > ' ' {
				break
			} else {
				at++
			}
		}
		v, start := 0, at
		for ; at < len(data) && data[at] >= '0' && data[at] <= '9' && v < 1<<24; at++ {
			v = 10*v + int(data[at]-'0')
		}
		if at == start {
			return 0, errors.New("a portable map is malformed")
		}
		return v, nil
	}
	var head [3]int
	head[2] = 1
	for i := range head {
		if i == 2 && (kind == '1' || kind == '4') {
			break
		}
		v, err := number()
		if err != nil {
			return nil, err
		}
		head[i] = v
	}
	w, h, most := head[0], head[1], head[2]
	if w < 1 || h < 1 || w > maxPixels/h || most < 1 || most > 65535 {
		return nil, fmt.Errorf("a portable map of %d × %d pixels up to %d", w, h, most)
	}
	at++ // one white space before binary data
	bit, width := 0, 1
	if most > 255 {
		width = 2
	}
	next := func() (uint8, error) {
		v := 0
		switch {
		case kind == '1':
			for at < len(data) && data[at] != '0' && data[at] != '1' {
				at++
			}
			if at >= len(data) {
				return 0, errors.New("a portable map is truncated")
			}
			v = int('1' - data[at])
			at++
		case kind < '4':
			n, err := number()
			if err != nil {
				return 0, err
			}
			v = n
		case kind == '4':
			if at >= len(data) {
				return 0, errors.New("a portable map is truncated")
			}
			v = 1 - int(data[at]>>(7-bit)&1)
			if bit++; bit == 8 {
				bit, at = 0, at+1
			}
		default:
			if at+width > len(data) {
				return 0, errors.New("a portable map is truncated")
			}
			for range width {
				v, at = v<<8|int(data[at]), at+1
			}
		}
		return uint8((min(v, most)*255 + most/2) / most), nil
	}
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			var rgb [3]uint8
			for k := range rgb {
				if k > 0 && kind != '3' && kind != '6' {
					rgb[k] = rgb[0]
					continue
				}
				v, err := next()
				if err != nil {
					return nil, err
				}
				rgb[k] = v
			}
			img.SetNRGBA(x, y, color.NRGBA{rgb[0], rgb[1], rgb[2], 255})
		}
		if bit > 0 {
			bit, at = 0, at+1
		}
	}
	return img, nil
}
