package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// WriteFloat64 writes an array of float64, as [WriteFloat32] one of float32.
func WriteFloat64(w io.Writer, data []float64, shape ...int) error {
	count := 1
	for _, n := range shape {
		count *= n
	}
	if count != len(data) {
		return fmt.Errorf("npy: %d numbers for shape %v", len(data), shape)
	}
	if err := writeHeader(w, "<f8", shape...); err != nil {
		return err
	}
	buffer := make([]byte, 0, 8*chunk)
	for len(data) > 0 {
		n := min(len(data), chunk)
		buffer = buffer[:0]
		for _, v := range data[:n] {
			buffer = binary.LittleEndian.AppendUint64(buffer, math.Float64bits(v))
		}
		if _, err := w.Write(buffer); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}
