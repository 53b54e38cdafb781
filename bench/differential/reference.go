package main

import (
	"bufio"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"

	"github.com/connectomewire/wire/modules"
)

//go:embed reference.py
var referenceScript string

// reference is a Python process that runs models by ONNX's reference
// implementation.
type reference struct {
	in  *json.Encoder
	out *json.Decoder
}

// question and reply are a line each; bytes are base64 in JSON.
type question struct {
	Model []byte `json:"model"`
	Shape []int  `json:"shape"`
	Input []byte `json:"input"` // little-endian float32
}

type reply struct {
	Error   string   `json:"error"`
	Outputs [][]byte `json:"outputs"`
}

func startReference(python string) (*reference, error) {
	cmd := exec.Command(python, "-c", referenceScript)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("reference implementation: %w", err)
	}
	return &reference{json.NewEncoder(in), json.NewDecoder(bufio.NewReader(out))}, nil
}

func (r *reference) on(x *modules.Tensor) runner {
	return func(g *graph, all bool) ([][]float32, error) {
		q := question{Model: g.model(all).Bytes(), Shape: x.Shape}
		for _, v := range x.F32 {
			q.Input = binary.LittleEndian.AppendUint32(q.Input, math.Float32bits(v))
		}
		if err := r.in.Encode(q); err != nil {
			return nil, err
		}
		var a reply
		if err := r.out.Decode(&a); err != nil {
			return nil, fmt.Errorf("reference implementation: %w", err)
		}
		if a.Error != "" {
			return nil, errors.New(a.Error)
		}
		var out [][]float32
		for _, raw := range a.Outputs {
			values := make([]float32, len(raw)/4)
			for i := range values {
				values[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
			}
			out = append(out, values)
		}
		return out, nil
	}
}
