// Package cases reads the folders of models that bench/engines/models.py writes,
// each with a description of its inputs.
package cases

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/connectomewire/wire/internal/half"
	"github.com/connectomewire/wire/modules"
)

// Case is a folder that models.py wrote: model.onnx and case.json.
type Case struct {
	Title  string           // of the row
	Source string           // package and version, or "made"
	Kind   string           // "model" or "operator"
	Inputs map[string]Input // by port

	Dir string
}

// Model is the path of the case's model.
func (c *Case) Model() string { return filepath.Join(c.Dir, "model.onnx") }

// Input says how an input is drawn; the same values at every run.
type Input struct {
	Type  string
	Shape []int
	Fill  *float64 // every element, or
	Below int      // whole numbers from 0, or
	Scale float64  // normal, with this deviation (0: a half)
}

// Read reads the cases below a folder whose folders' names contain only.
func Read(dir, only string) ([]Case, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*", "case.json"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no */case.json below %q; models.py writes them", dir)
	}
	slices.Sort(files)
	var cases []Case
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		c := Case{Dir: filepath.Dir(file)}
		if err := json.Unmarshal(data, &c); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if c.Kind != "model" && c.Kind != "operator" {
			return nil, fmt.Errorf("%s: kind %q; known: model, operator", file, c.Kind)
		}
		if !strings.Contains(filepath.Base(c.Dir), only) {
			continue
		}
		cases = append(cases, c)
	}
	return cases, nil
}

// Draw makes the case's inputs.
func (c *Case) Draw() (map[string]*modules.Tensor, error) {
	inputs := map[string]*modules.Tensor{}
	for name, in := range c.Inputs {
		t, err := in.draw()
		if err != nil {
			return nil, fmt.Errorf("%s: input %q: %w", c.Dir, name, err)
		}
		inputs[name] = t
	}
	return inputs, nil
}

func (in Input) draw() (*modules.Tensor, error) {
	d, err := modules.ParseDType(in.Type)
	if err != nil {
		return nil, err
	}
	n, err := modules.Elements(in.Shape)
	if err != nil {
		return nil, err
	}
	r := rand.New(rand.NewPCG(1, uint64(n)))
	value := func() float64 {
		switch {
		case in.Fill != nil:
			return *in.Fill
		case in.Below > 0:
			return float64(r.IntN(in.Below))
		case in.Scale != 0:
			return r.NormFloat64() * in.Scale
		}
		return r.NormFloat64() / 2
	}
	t := &modules.Tensor{DType: d, Shape: in.Shape}
	for range n {
		v := value()
		switch d {
		case modules.Float32:
			t.F32 = append(t.F32, float32(v))
		case modules.Float64:
			t.F64 = append(t.F64, v)
		case modules.Int64:
			t.I64 = append(t.I64, int64(v))
		case modules.Int32:
			t.I32 = append(t.I32, int32(v))
		case modules.Uint8, modules.Bool:
			t.U8 = append(t.U8, uint8(v))
		case modules.Int8:
			t.Raw = append(t.Raw, byte(int8(v)))
		case modules.Float16:
			h := half.To(float32(v))
			t.Raw = append(t.Raw, byte(h), byte(h>>8))
		default:
			return nil, fmt.Errorf("cannot draw %v", d)
		}
	}
	return t, nil
}
