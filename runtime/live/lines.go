package live

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/wiring"
)

// Lines are samples of any senses as JSON, one a line:
//
//	{"sense": "image", "t": 1.25, "path": "cat.png"}
//	{"sense": "sound", "t": 1.5, "data": "UklGR…"}
//	{"sense": "question", "text": "what is it?"}
//	{"sense": "vector", "values": [1, 2.5]}
//	{"t": 3}
//
// t are seconds from the stream's beginning, or a date of RFC 3339; either all
// lines have one, in order, or none, and they are stamped as they arrive. A line
// with t alone says that all before has been given. Files and base64 are pictures,
// sounds and texts. A source for one sense need not name it. A line that cannot be
// read is reported and left out.
type Lines struct {
	From   From
	Senses []*wiring.Sense // that lines may name
}

// maxLine bounds a line, in bytes.
const maxLine = 1 << 26

// maxStamp bounds a stamp, so that the span between two is a duration.
const maxStamp = 4e9 // seconds

type line struct {
	Sense  string          `json:"sense"`
	T      json.RawMessage `json:"t"`
	Path   *string         `json:"path"`
	Data   *[]byte         `json:"data"`
	Text   *string         `json:"text"`
	Values *[]float32      `json:"values"`
}

// Run implements [Source].
func (l *Lines) Run(ctx context.Context, f *Feed) error {
	began := time.Now().Add(-f.Now())
	return l.From.read(ctx, func(r io.Reader, _ bool) error {
		scanner := bufio.NewScanner(r)
		scanner.Buffer(nil, maxLine)
		stamped, known := false, false
		n := 0
		for scanner.Scan() {
			n++
			text := bytes.TrimSpace(scanner.Bytes())
			if len(text) == 0 {
				continue
			}
			x, column, err := parseLine(text)
			if err != nil {
				f.Bad("", l.From.at(err, ":%d:%d", n, column))
				continue
			}
			if !known {
				if stamped, known = x.T != nil, true; !stamped {
					f.ByClock()
				}
			}
			sense, sample, err := l.sample(&x, began, stamped)
			if err != nil {
				f.Bad(sense, l.From.at(err, ":%d", n))
				continue
			}
			if sample == nil {
				t, _ := stamp(x.T, began)
				f.Reach(t)
				continue
			}
			if sample.Name == "" {
				sample.Name = fmt.Sprintf("%s:%d", l.From.Name, n)
			}
			if err := f.Push(ctx, sense, *sample); err != nil {
				return err
			}
		}
		if errors.Is(scanner.Err(), bufio.ErrTooLong) {
			return l.From.at(fmt.Errorf("the line is longer than %d bytes", maxLine), ":%d", n+1)
		}
		return scanner.Err()
	})
}

// parseLine reads a line; column says where it is wrong.
func parseLine(text []byte) (x line, column int64, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&x); err != nil {
		column = d.InputOffset() + 1
		var syntax *json.SyntaxError
		var kind *json.UnmarshalTypeError
		switch {
		case errors.As(err, &syntax):
			column = syntax.Offset
		case errors.As(err, &kind):
			column = kind.Offset
		case errors.Is(err, io.ErrUnexpectedEOF):
			column, err = int64(len(text)), errors.New("the line ends within its JSON")
		default: // an unknown field
			if _, name, ok := strings.Cut(err.Error(), "unknown field "); ok {
				column = int64(max(0, bytes.Index(text, []byte(name)))) + 1
			}
		}
		return x, column, errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	if rest := bytes.TrimSpace(text[d.InputOffset():]); len(rest) > 0 {
		return x, d.InputOffset() + 1, errors.New("something stands behind the line's JSON")
	}
	return x, 0, nil
}

// stamp reads a time.
func stamp(t json.RawMessage, began time.Time) (time.Duration, error) {
	var date string
	if json.Unmarshal(t, &date) == nil {
		at, err := time.Parse(time.RFC3339Nano, date)
		if err != nil {
			return 0, fmt.Errorf("t is %q: want seconds from the stream's beginning, or a date such as 2026-05-01T12:00:00Z", date)
		}
		if d := at.Sub(began); math.Abs(d.Seconds()) <= maxStamp {
			return d, nil
		}
		return 0, fmt.Errorf("t is %q, more than %.0e seconds away", date, maxStamp)
	}
	var seconds float64
	if err := json.Unmarshal(t, &seconds); err != nil || !(math.Abs(seconds) <= maxStamp) {
		return 0, fmt.Errorf("t is %s: want seconds from the stream's beginning, −%.0e to %[2]v, or a date such as 2026-05-01T12:00:00Z", t, maxStamp)
	}
	return time.Duration(math.Round(seconds * float64(time.Second))), nil
}

// sample makes a line's sample; nil for one that only says how late it is.
func (l *Lines) sample(x *line, began time.Time, stamped bool) (name string, _ *Sample, err error) {
	out := &Sample{}
	if stamped != (x.T != nil) {
		return x.Sense, nil, errors.New("either all lines have a time t, or none: this one differs from the first")
	}
	if stamped {
		if out.At, err = stamp(x.T, began); err != nil {
			return x.Sense, nil, err
		}
	}
	count := 0
	for _, there := range []bool{x.Path != nil, x.Data != nil, x.Text != nil, x.Values != nil} {
		if there {
			count++
		}
	}
	if count == 0 && stamped && x.Sense == "" {
		return "", nil, nil
	}
	if count != 1 {
		return x.Sense, nil, fmt.Errorf("%d of path, data, text and values are given; want one", count)
	}
	sense, err := l.sense(x.Sense)
	if err != nil {
		return x.Sense, nil, err
	}
	switch {
	case x.Values != nil:
		value, err := numbers(sense, *x.Values)
		out.Read = given(value)
		return sense.Name, out, err
	case x.Text != nil:
		if !takes(sense, modules.KindText) {
			return sense.Name, nil, fmt.Errorf("sense %q takes %s and was given a text", sense.Name, sense.Kind)
		}
		out.Read = given(*x.Text)
		return sense.Name, out, nil
	}
	if sense.Kind == wiring.KindVector || sense.Kind == wiring.KindSeries {
		return sense.Name, nil, fmt.Errorf("sense %q takes numbers: give them as values", sense.Name)
	}
	kind := sense.Kind
	if x.Path != nil {
		out.Name = *x.Path
		if k := kindFor(sense, *x.Path); k != "" {
			kind = k
		}
	}
	out.Read = func() (any, error) {
		if x.Data != nil {
			return answer.Decode(kind, *x.Data)
		}
		data, err := readFile(*x.Path)
		if err != nil {
			return nil, err
		}
		return answer.Decode(kind, data)
	}
	return sense.Name, out, nil
}

// sense finds the sense that a line names.
func (l *Lines) sense(name string) (*wiring.Sense, error) {
	if name == "" && len(l.Senses) == 1 {
		return l.Senses[0], nil
	}
	var names []string
	for _, s := range l.Senses {
		names = append(names, s.Name)
	}
	if i := slices.Index(names, name); i >= 0 {
		return l.Senses[i], nil
	}
	if name == "" {
		return nil, fmt.Errorf("it names no sense; there are %s", strings.Join(names, ", "))
	}
	return nil, fmt.Errorf("there is no sense %q to give anything; there are %s", name, strings.Join(names, ", "))
}
