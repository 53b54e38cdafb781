package bridge

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/connectomewire/wire/modules/weights"
)

// Files of a module that say what its bridge was fitted on.
const (
	namesFile   = "photographs.txt"         // the photographs' files, a line each
	tensorsFile = "photographs.safetensors" // influence [photographs, columns] × 1000, targets [photographs, text]
	magnified   = 1000
)

// Ports of such a module, beside its embedding: what the regression takes of a
// picture, and the point it gives before it has length 1.
const (
	ColumnsPort = "columns"
	PointPort   = "point"
)

// ErrNone says that a module's bridge was fitted on nothing that is known.
var ErrNone = errors.New("the module does not say what its bridge was fitted on")

// Influence is what each photograph that a bridge was fitted on added to it.
type Influence struct {
	// Names are the photographs' files.
	Names []string
	// influence is x (XᵀX + …)⁻¹ of each photograph's columns x, targets what
	// it was to give.
	influence, targets *mat.Dense
}

// Read reads what a module's bridge was fitted on; [ErrNone] for a module that
// does not say.
func Read(module fs.FS) (*Influence, error) {
	names, err := fs.ReadFile(module, namesFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNone
	}
	if err != nil {
		return nil, err
	}
	data, err := fs.ReadFile(module, tensorsFile)
	if err != nil {
		return nil, err
	}
	f, err := weights.Read(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", tensorsFile, err)
	}
	in := &Influence{}
	for lines := bufio.NewScanner(bytes.NewReader(names)); lines.Scan(); {
		in.Names = append(in.Names, lines.Text())
	}
	read := func(name string, by float64) (*mat.Dense, error) {
		t := f.Tensors[name]
		if t == nil || len(t.Shape) != 2 || t.Shape[0] != len(in.Names) || t.Len() == 0 {
			return nil, fmt.Errorf("%s: no tensor %q with a row for each of the %d photographs of %s", tensorsFile, name, len(in.Names), namesFile)
		}
		values := t.Float32s()
		out := make([]float64, len(values))
		for i, v := range values {
			out[i] = float64(v) / by
		}
		return mat.NewDense(t.Shape[0], t.Shape[1], out), nil
	}
	if in.influence, err = read("influence", magnified); err != nil {
		return nil, err
	}
	if in.targets, err = read("targets", 1); err != nil {
		return nil, err
	}
	return in, nil
}

// Index is a photograph's place among those that the bridge was fitted on; −1
// for one that it never saw.
func (in *Influence) Index(name string) int { return slices.Index(in.Names, name) }

// Seen is what a module gives of a photograph that its bridge was fitted on.
type Seen struct {
	Index          int
	Columns, Point []float32
}

// Without is a bridge that never saw some photographs.
type Without struct{ influence, correction *mat.Dense }

// Without takes photographs out of the bridge. With X their columns, Y their
// targets, K their influence and W the bridge's weights, it is
// W + Kᵀ(1 − XKᵀ)⁻¹(XW − Y).
func (in *Influence) Without(seen []Seen) (*Without, error) {
	_, columns := in.influence.Dims()
	_, text := in.targets.Dims()
	n := len(seen)
	if n == 0 {
		return nil, errors.New("bridge: no photographs to take out")
	}
	x, k, miss := mat.NewDense(n, columns, nil), mat.NewDense(n, columns, nil), mat.NewDense(n, text, nil)
	for i, s := range seen {
		if s.Index < 0 || s.Index >= len(in.Names) || len(s.Columns) != columns || len(s.Point) != text {
			return nil, fmt.Errorf("bridge: photograph %d has %d columns and a point of %d numbers, want %d and %d", s.Index, len(s.Columns), len(s.Point), columns, text)
		}
		for j, v := range s.Columns {
			x.Set(i, j, float64(v))
		}
		for j, v := range s.Point {
			miss.Set(i, j, float64(v)-in.targets.At(s.Index, j))
		}
		k.SetRow(i, in.influence.RawRowView(s.Index))
	}
	var rest mat.Dense
	rest.Mul(x, k.T())
	rest.Scale(-1, &rest)
	for i := range n {
		rest.Set(i, i, rest.At(i, i)+1)
	}
	w := &Without{influence: k, correction: &mat.Dense{}}
	if err := w.correction.Solve(&rest, miss); err != nil {
		return nil, fmt.Errorf("bridge: %w", err)
	}
	return w, nil
}

// Place returns where the bridge puts a picture, at length 1.
func (w *Without) Place(columns, point []float32) []float32 {
	n, width := w.influence.Dims()
	out := make([]float64, len(point))
	for j, v := range point {
		out[j] = float64(v)
	}
	for i := range n {
		share := 0.0
		for j, v := range w.influence.RawRowView(i)[:min(width, len(columns))] {
			share += v * float64(columns[j])
		}
		for j, v := range w.correction.RawRowView(i) {
			out[j] += share * v
		}
	}
	length := 0.0
	for _, v := range out {
		length += v * v
	}
	length = math.Max(math.Sqrt(length), 1e-12)
	unit := make([]float32, len(out))
	for j, v := range out {
		unit[j] = float32(v / length)
	}
	return unit
}
