package format

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// JSON whose objects keep the order of their members, which is the order of
// regions.

type jsonObject []jsonMember

type jsonMember struct {
	key   string
	value any // nil, bool, string, json.Number, []any or jsonObject
}

func (o jsonObject) get(key string) any {
	for _, m := range o {
		if m.key == key {
			return m.value
		}
	}
	return nil
}

// maxJSONDepth bounds values within values.
const maxJSONDepth = 64

var errJSONDepth = errors.New("values nested too deep")

// decodeOrdered reads the next value.
func decodeOrdered(d *json.Decoder, depth int) (any, error) {
	if depth > maxJSONDepth {
		return nil, errJSONDepth
	}
	tok, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch tok {
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := decodeOrdered(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = d.Token()
		return list, err
	case json.Delim('{'):
		o := jsonObject{}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			name, _ := key.(string)
			v, err := decodeOrdered(d, depth+1)
			if err != nil {
				return nil, err
			}
			o = append(o, jsonMember{name, v})
		}
		_, err = d.Token()
		return o, err
	}
	return tok, nil
}

// orderedJSON reads the whole document.
func (s *source) orderedJSON() (any, error) {
	text, closer, err := s.text()
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	r := &nodelinkReader{s: s, d: json.NewDecoder(text)}
	r.d.UseNumber()
	v, err := decodeOrdered(r.d, 0)
	if errors.Is(err, errJSONDepth) {
		return nil, r.fail(ErrUnsupported, "is this a connectome?", "values nested more than %d deep", maxJSONDepth)
	}
	if err != nil {
		return nil, r.locate(err)
	}
	return v, nil
}

// jsonNumber reads a number; null is NaN, true and false are 1 and 0.
func jsonNumber(v any) (float64, bool) {
	switch x := v.(type) {
	case nil:
		return math.NaN(), true
	case bool:
		if x {
			return 1, true
		}
		return 0, true
	case json.Number:
		f, err := strconv.ParseFloat(string(x), 64)
		return f, err == nil || math.IsInf(f, 0)
	}
	return 0, false
}

// jsonRow reads a list of numbers.
func jsonRow(v any) ([]float64, bool) {
	list, ok := v.([]any)
	if !ok {
		return nil, false
	}
	row := make([]float64, len(list))
	for i, e := range list {
		if row[i], ok = jsonNumber(e); !ok {
			return nil, false
		}
	}
	return row, true
}

// jsonArray reads a list of numbers, of texts, or a list of equally long
// lists of numbers.
func jsonArray(name string, v any) (*array, error) {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return nil, nil
	}
	if row, ok := jsonRow(v); ok {
		return &array{name: name, shape: []int{len(row)}, data: row}, nil
	}
	if _, ok := list[0].(string); ok {
		a := &array{name: name, shape: []int{len(list)}, text: make([]string, len(list))}
		for i, e := range list {
			if a.text[i], ok = jsonText(e); !ok {
				return nil, nil
			}
		}
		return a, nil
	}
	a := &array{name: name, shape: []int{len(list), 0}}
	for i, e := range list {
		row, ok := jsonRow(e)
		if !ok {
			return nil, nil
		}
		if i == 0 {
			a.shape[1] = len(row)
		}
		if len(row) != a.shape[1] {
			return nil, fmt.Errorf("row %d of %q has %d values where the first has %d", i+1, name, len(row), a.shape[1])
		}
		a.data = append(a.data, row...)
	}
	return a, nil
}
