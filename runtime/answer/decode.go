package answer

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/internal/npy"
	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/modules/picture"
	"github.com/connectomewire/wire/modules/sound"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
)

// Numbers is the kind of files that vectors and series are read from.
const Numbers = "numbers"

// Decode turns a file's content into what a sense of a kind is given: a picture, a
// sound, a text, a vector, or a series, one line or row a step.
func Decode(kind string, data []byte) (any, error) {
	switch kind {
	case modules.KindImage:
		m, err := picture.Decode(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		return m.Image, nil
	case modules.KindSound:
		clip, err := sound.Decode(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		return task.Sound{Samples: clip.Samples, Rate: clip.Rate}, nil
	case modules.KindText:
		return strings.TrimSpace(string(data)), nil
	}
	return parseNumbers(kind, string(data))
}

// parseNumbers reads a vector, numbers separated by commas or spaces, or a
// series, one line a step.
func parseNumbers(kind, text string) (any, error) {
	if strings.HasPrefix(text, "\x93NUMPY") {
		return parseArray(kind, text)
	}
	var steps [][]float32
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, line := range lines {
		row, err := Row(line)
		if err != nil && i == 0 && len(lines) > 1 {
			continue // a header
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		if row != nil {
			steps = append(steps, row)
		}
	}
	if len(steps) == 0 {
		return nil, errors.New("it holds no numbers")
	}
	if kind == wiring.KindVector {
		return slices.Concat(steps...), nil
	}
	s := task.Series{Steps: len(steps), Width: len(steps[0])}
	for i, row := range steps {
		if len(row) != s.Width {
			return nil, fmt.Errorf("step %d has %d numbers, the first has %d", i+1, len(row), s.Width)
		}
		s.Values = append(s.Values, row...)
	}
	return s, nil
}

// Row reads the numbers of a line, separated by commas, semicolons or spaces; nil
// where there are none.
func Row(line string) ([]float32, error) {
	var row []float32
	for _, field := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(", ;\t\r", r) }) {
		v, err := strconv.ParseFloat(field, 32)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%q is no finite number", field)
		}
		row = append(row, float32(v))
	}
	return row, nil
}

// parseArray reads a NumPy array: a vector of one dimension, or a series, one
// step a row.
func parseArray(kind, data string) (any, error) {
	r, err := npy.NewReader(strings.NewReader(data))
	if err != nil {
		return nil, err
	}
	values := make([]float32, r.Len())
	if err := r.Float32s(values); err != nil {
		return nil, err
	}
	switch {
	case kind == wiring.KindVector:
		return values, nil
	case r.Fortran || len(r.Shape) < 1 || len(r.Shape) > 2 || r.Shape[0] == 0:
		return nil, fmt.Errorf("an array of shape %v; a series has one row a step", r.Shape)
	}
	return task.Series{Steps: r.Shape[0], Width: len(values) / r.Shape[0], Values: values}, nil
}

// KindOfFile is the kind of input that a file is, by its name: image, sound, text,
// or Numbers, which a vector or a series may be; "" for others.
func KindOfFile(name string) string {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif":
		return modules.KindImage
	case ".wav", ".ogg", ".oga", ".mp3", ".flac", ".aiff", ".aif", ".m4a", ".opus":
		return modules.KindSound
	case ".txt":
		return modules.KindText
	case ".csv", ".tsv", ".npy":
		return Numbers
	}
	return ""
}
