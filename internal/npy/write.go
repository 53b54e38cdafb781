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
	for _, n := range shape {
		count *= n
	}
	if count != len(data) {
		return fmt.Errorf("npy: %d numbers for shape %v", len(data), shape)
	}
	if err := writeHeader(w, "<f4", shape...); err != nil {
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

// writeHeader writes what stands before an array's data, which begin at a
// multiple of 64 bytes.
func writeHeader(w io.Writer, descr string, shape ...int) error {
	var dims strings.Builder
	for _, n := range shape {
		fmt.Fprintf(&dims, "%d, ", n)
	}
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, strings.TrimSuffix(dims.String(), " "))
	length := (len(header)+1+10+63)/64*64 - 10
	prefix := append([]byte(magic), 1, 0, byte(length), byte(length>>8))
	_, err := fmt.Fprintf(w, "%s%-*s\n", prefix, length-1, header)
	return err
}

// WriteTexts writes texts as a NumPy array of strings, one dimension.
func WriteTexts(w io.Writer, texts []string) error {
	longest := 1
	runes := make([][]rune, len(texts))
	for i, t := range texts {
		runes[i] = []rune(t)
		longest = max(longest, len(runes[i]))
	}
	if err := writeHeader(w, fmt.Sprintf("<U%d", longest), len(texts)); err != nil {
		return err
	}
	row := make([]byte, 4*longest)
	for _, t := range runes {
		clear(row)
		for k, c := range t {
			binary.LittleEndian.PutUint32(row[4*k:], uint32(c))
		}
		if _, err := w.Write(row); err != nil {
			return err
		}
	}
	return nil
}
