package pixels

import (
	"bytes"
	"encoding/binary"
	"image"
)

// orientation reads the EXIF orientation (1–8) of a JPEG file, or 1. It is
// read here because the Go libraries for EXIF are many thousand lines for
// this one number.
//
// Exif 2.3, tag 0x0112 in the first image file directory of the APP1 segment.
func orientation(b []byte) int {
	for b = b[2:]; len(b) >= 4 && b[0] == 0xff; {
		marker, size := b[1], int(binary.BigEndian.Uint16(b[2:]))
		const app1, startOfScan = 0xe1, 0xda
		if marker == startOfScan || size < 2 || len(b) < 2+size {
			return 1
		}
		if segment := b[4 : 2+size]; marker == app1 && bytes.HasPrefix(segment, []byte("Exif\x00\x00")) {
			return tiffOrientation(segment[6:])
		}
		b = b[2+size:]
	}
	return 1
}

func tiffOrientation(b []byte) int {
	if len(b) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	if b[0] == 'M' {
		order = binary.BigEndian
	}
	at := int(order.Uint32(b[4:]))
	if at < 8 || at > len(b)-2 {
		return 1
	}
	entries := int(order.Uint16(b[at:]))
	for i := range entries {
		e := at + 2 + 12*i
		if e > len(b)-12 {
			return 1
		}
		const orientationTag = 0x0112
		if order.Uint16(b[e:]) == orientationTag {
			if v := int(order.Uint16(b[e+8:])); v >= 1 && v <= 8 {
				return v
			}
			return 1
		}
	}
	return 1
}

// upright undoes an EXIF orientation.
func upright(img image.Image, orientation int) image.Image {
	if orientation <= 1 {
		return img
	}
	src := img.Bounds()
	w, h := src.Dx(), src.Dy()
	size := image.Rect(0, 0, w, h)
	if orientation >= 5 {
		size = image.Rect(0, 0, h, w)
	}
	out := image.NewNRGBA(size)
	for y := range h {
		for x := range w {
			u, v := x, y
			switch orientation {
			case 2: // mirrored
				u = w - 1 - x
			case 3: // upside down
				u, v = w-1-x, h-1-y
			case 4: // mirrored upside down
				v = h - 1 - y
			case 5: // transposed
				u, v = y, x
			case 6: // to be turned clockwise
				u, v = h-1-y, x
			case 7: // transposed the other way
				u, v = h-1-y, w-1-x
			case 8: // to be turned anticlockwise
				u, v = y, w-1-x
			}
			out.Set(u, v, img.At(src.Min.X+x, src.Min.Y+y))
		}
	}
	return out
}
