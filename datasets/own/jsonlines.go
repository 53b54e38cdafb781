package own

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/connectomewire/wire/datasets"
)

// Bounds of a line of JSON.
const (
	maxLine  = 64 << 20
	maxDepth = 8
)

// readJSONLines reads an object a line.
func (b *builder) readJSONLines(path string, split datasets.Split) error {
	return b.withFile(path, func(r io.Reader) error { return b.parseJSONLines(r, path, split) })
}

func (b *builder) parseJSONLines(r io.Reader, path string, split datasets.Split) error {
	in := bufio.NewReaderSize(r, 1<<16)
	skipMark(in)
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	for line := 1; lines.Scan(); line++ {
		text := bytes.TrimSpace(lines.Bytes())
		if len(text) == 0 {
			continue
		}
		if b.left -= valueBytes; b.left < 0 {
			return b.tooLarge(Place{path, line})
		}
		fields, at, err := parseObject(text)
		if err != nil {
			b.bad(Problem{Fault: FaultSyntax, Place: Place{path, line}, Text: fmt.Sprintf("at character %d: %v", at+1, err)})
			continue
		}
		if err := b.object(b.row(Place{path, line}, split), fields); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w; a line may have %d bytes", path, err, maxLine)
	}
	return nil
}

// object gives a row the fields of an object.
func (b *builder) object(r *Row, fields []field) error {
	for _, f := range fields {
		k, ok := b.places[f.name]
		if !ok && len(b.places) >= maxColumns {
			return fmt.Errorf("%s: more than %d columns", r.Place, maxColumns)
		}
		if !ok {
			k = b.column(f.name, "")
		}
		if err := b.set(r, k, f.value); err != nil {
			return err
		}
		if f.fault != "" {
			b.f.cell(r, k, FaultSyntax, "%s", f.fault)
		}
	}
	return nil
}

// field is a value of an object; those of an object in it are called
// "outer.inner".
type field struct {
	name  string
	value Value
	fault string
}

// parseObject reads an object and gives its fields in the order in which they
// stand, or where it goes wrong.
func parseObject(text []byte) (fields []field, at int64, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if fields, err = decodeObject(d, "", 0); err != nil {
		return nil, d.InputOffset(), err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, d.InputOffset(), errors.New("more than one object in a line")
	}
	seen := map[string]bool{}
	for _, f := range fields {
		if seen[f.name] {
			return nil, 0, fmt.Errorf("%q occurs twice", f.name)
		}
		seen[f.name] = true
	}
	return fields, 0, nil
}

func decodeObject(d *json.Decoder, before string, depth int) ([]field, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	if t != json.Delim('{') {
		return nil, fmt.Errorf("%v where an object is wanted, such as {\"image\": \"a.png\", \"label\": \"cat\"}", t)
	}
	return decodeFields(d, before, depth)
}

// decodeFields reads an object after its brace.
func decodeFields(d *json.Decoder, before string, depth int) ([]field, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("objects nested deeper than %d", maxDepth)
	}
	var fields []field
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		key, ok := t.(string)
		if !ok {
			return nil, fmt.Errorf("%v where a name is wanted", t)
		}
		name := before + key
		if t, err = d.Token(); err != nil {
			return nil, err
		}
		f := field{name: name}
		switch x := t.(type) {
		case json.Delim:
			if x == '{' {
				inner, err := decodeFields(d, name+".", depth+1)
				if err != nil {
					return nil, err
				}
				fields = append(fields, inner...)
				continue
			}
			if f.value, f.fault, err = decodeArray(d, depth+1); err != nil {
				return nil, err
			}
		case nil:
			f.value.Missing = true
		default:
			f.value.Texts = []string{scalar(x)}
			f.value.Missing = f.value.Texts[0] == ""
		}
		fields = append(fields, f)
	}
	_, err := d.Token()
	return fields, err
}

func scalar(t json.Token) string {
	switch x := t.(type) {
	case string:
		return x
	case json.Number:
		return x.String()
	case bool:
		return strconv.FormatBool(x)
	}
	return ""
}

// decodeArray reads an array after its bracket: texts, numbers, or steps of
// numbers. fault says why an array is none of these.
func decodeArray(d *json.Decoder, depth int) (v Value, fault string, err error) {
	var texts []string
	numbers := []float32{}
	steps, width, scalars := 0, -1, 0
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return v, "", err
		}
		switch x := t.(type) {
		case json.Number:
			scalars++
			f, err := strconv.ParseFloat(x.String(), 32)
			if err != nil {
				fault = fmt.Sprintf("%s is out of range", x)
			}
			numbers = append(numbers, float32(f))
		case string, bool:
			texts = append(texts, scalar(x))
		case json.Delim:
			if depth > maxDepth {
				return v, "", fmt.Errorf("lists nested deeper than %d", maxDepth)
			}
			if x == '{' {
				if _, err := decodeFields(d, "", depth+1); err != nil {
					return v, "", err
				}
				fault = "a list of objects is not read"
				continue
			}
			inner, why, err := decodeArray(d, depth+1)
			if err != nil {
				return v, "", err
			}
			switch {
			case why != "":
				fault = why
			case inner.Texts != nil || inner.Steps > 0:
				fault = "a list of lists of words, or deeper, is not read"
			case width >= 0 && len(inner.Data) != width:
				fault = fmt.Sprintf("step %d has %d numbers, the first %d", steps+1, len(inner.Data), width)
			default:
				width = len(inner.Data)
			}
			steps++
			numbers = append(numbers, inner.Data...)
		default: // null
			fault = "null in a list"
		}
	}
	if _, err := d.Token(); err != nil {
		return v, "", err
	}
	switch {
	case fault != "":
		return Value{Texts: []string{""}}, fault, nil
	case texts != nil && len(numbers)+steps > 0, scalars > 0 && steps > 0:
		return Value{Texts: []string{""}}, "a list of different things", nil
	case texts != nil:
		return Value{Texts: texts}, "", nil
	case len(numbers) == 0:
		return Value{Missing: true}, "", nil
	}
	return Value{Data: numbers, Steps: steps}, "", nil
}
