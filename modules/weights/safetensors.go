package weights

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
)

// maxHeader is the largest header that the format allows.
const maxHeader = 100_000_000

// readSafetensors reads a length, a JSON object of that length, and data.
func readSafetensors(b []byte) (*File, error) {
	length := binary.LittleEndian.Uint64(b)
	if length > maxHeader || length > uint64(len(b)-8) {
		return nil, fmt.Errorf("%w: a header of %d bytes in a file of %d", ErrDamaged, length, len(b))
	}
	var header map[string]json.RawMessage
	if err := json.Unmarshal(b[8:8+length], &header); err != nil {
		return nil, fmt.Errorf("%w: header: %v", ErrDamaged, err)
	}
	data := b[8+length:]
	f := &File{Format: "safetensors", Tensors: map[string]*Tensor{}}
	for name, raw := range header {
		if name == "__metadata__" {
			continue
		}
		var h struct {
			Elem    Elem   `json:"dtype"`
			Shape   []int  `json:"shape"`
			Offsets [2]int `json:"data_offsets"`
		}
		if err := json.Unmarshal(raw, &h); err != nil {
			return nil, fmt.Errorf("%w: tensor %q: %v", ErrDamaged, name, err)
		}
		from, to := h.Offsets[0], h.Offsets[1]
		if from < 0 || to < from || to > len(data) {
			return nil, fmt.Errorf("%w: tensor %q lies from %d to %d in %d bytes", ErrDamaged, name, from, to, len(data))
		}
		t, err := newTensor(h.Elem, h.Shape, nil, 0, data[from:to])
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		if t.Len()*elemSizes[t.Elem] != to-from {
			return nil, fmt.Errorf("%w: tensor %q of shape %v has %d bytes", ErrDamaged, name, h.Shape, to-from)
		}
		f.Tensors[name] = t
	}
	return f, nil
}
