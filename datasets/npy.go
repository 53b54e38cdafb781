package datasets

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"strings"
)

// npyHeader is the length of the header that is written: room for any shape.
const npyHeader = 128

// npyWriter writes an array in NumPy's format (NEP 1, version 1.0) whose
// first dimension is known only at the end.
type npyWriter struct {
	file     *os.File
	buffered *bufio.Writer
	kind     string // "|u1", "<f4"
	inner    []int  // dimensions after the first
	rows     int
	scratch  [4]byte
}

func newNPY(name, kind string, inner ...int) (*npyWriter, error) {
	file, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	w := &npyWriter{file: file, buffered: bufio.NewWriterSize(file, 1<<20), kind: kind, inner: inner}
	_, err = w.buffered.Write(make([]byte, npyHeader))
	return w, err
}

// bytes writes rows of uint8.
func (w *npyWriter) bytes(data []byte, rows int) error {
	w.rows += rows
	_, err := w.buffered.Write(data)
	return err
}

// floats writes one row a value.
func (w *npyWriter) floats(values []float32) error {
	w.rows += len(values)
	for _, v := range values {
		binary.LittleEndian.PutUint32(w.scratch[:], math.Float32bits(v))
		if _, err := w.buffered.Write(w.scratch[:]); err != nil {
			return err
		}
	}
	return nil
}

// close completes the header.
func (w *npyWriter) close() error {
	if err := w.buffered.Flush(); err != nil {
		w.file.Close()
		return err
	}
	shape := fmt.Sprintf("%d,", w.rows)
	for _, n := range w.inner {
		shape += fmt.Sprintf(" %d,", n)
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", w.kind, shape)
	header := "\x93NUMPY\x01\x00" + string([]byte{npyHeader - 10, 0}) + text
	header += strings.Repeat(" ", npyHeader-1-len(header)) + "\n"
	if _, err := w.file.WriteAt([]byte(header), 0); err != nil {
		w.file.Close()
		return err
	}
	return w.file.Close()
}
