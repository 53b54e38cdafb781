package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
)

// WriteFloat32 writes an array of float32 in C order, version 1.0 of the
// format. len(data) must be the product of the shape.
func WriteFloat32(w io.Writer, data []float32, shape ...int) error {
	count := 1
	var dims strings.Builder
	for _, n := range shape {
		count *= n
		fmt.Fprintf(&dims, "%d, ", n)
	}
	if count != len(data) {
		return fmt.Errorf("npy: %d numbers for shape (%s)", len(data), strings.TrimSuffix(dims.String(), " "))
	}
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }", strings.TrimSuffix(dims.String(), " "))
	// The data begin at a multiple of 64 bytes.
	length := (len(header)+1+10+63)/64*64 - 10
	prefix := append([]byte(magic), 1, 0, byte(length), byte(length>>8))
	if _, err := fmt.Fprintf(w, "%s%-*s\n", prefix, length-1, header); err != nil {
		return err
	}
	buffer := make([]byte, 0, 4*chunk)
	for len(data) > 0 {
		n := min(len(data), chunk)
		buffer = buffer[:0]
		for _, v := range data[:n] {
			buffer = binary.LittleEndian.AppendUint32(buffer, math.Float32bits(v))
		}
		if _, err := w.Write(buffer); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}
