package record

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/connectomewire/wire/internal/kernel"
	"github.com/connectomewire/wire/runtime"
	"github.com/connectomewire/wire/runtime/answer"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/task"
)

// kind is what a recording calls itself.
const kind = "wire recording 1"

// Head says what ran.
type Head struct {
	Wire string `json:"wire"`
	// Plan is its name, Fingerprint that of its tracts and parameters.
	Plan        string `json:"plan"`
	Fingerprint string `json:"fingerprint"`
	// Kernel is the level of the kernels: go, avx2, avx512 or neon.
	Kernel string `json:"kernel"`
	// Engine ran the modules.
	Engine string `json:"engine"`
	// How it was run.
	Beam    bool           `json:"beam,omitempty"`
	Sure    float64        `json:"sure,omitempty"`
	Limit   int            `json:"ticks,omitempty"`
	Half    bool           `json:"float16,omitempty"`
	Policy  runtime.Policy `json:"policy"`
	Lesions []string       `json:"lesions,omitempty"`
	// Stream says how senses went by clocks of their own; nil where they did not.
	Stream *Stream `json:"stream,omitempty"`
}

// Stream is how a stream was made: the period of its steps and the longest wait,
// in nanoseconds, and what fed each sense.
type Stream struct {
	Period time.Duration    `json:"period_ns,omitempty"`
	Wait   time.Duration    `json:"wait_ns,omitempty"`
	Senses map[string]Sense `json:"senses"`
}

// Sense is one sense of a stream.
type Sense struct {
	Source string        `json:"source"`
	Policy string        `json:"policy"`
	Queue  int           `json:"queue"`
	Age    time.Duration `json:"age_ns"` // the most; of samples that are held forever the largest number
}

// Moment is the step of a stream that a take is of.
type Moment struct {
	Step int           `json:"step"`
	At   time.Duration `json:"at_ns"`
	// Continues says that the plan's state went on from the take before.
	Continues bool `json:"continues,omitempty"`
	// Samples are those that the step chose, by sense; Lost what senses lost since
	// the step before.
	Samples map[string]Sample `json:"samples"`
	Lost    map[string]Lost   `json:"lost,omitempty"`
}

// Sample is a sample that was chosen: its number among the sense's, its stamp, and
// where it came from.
type Sample struct {
	Number int           `json:"number"`
	At     time.Duration `json:"at_ns"`
	Name   string        `json:"name,omitempty"`
}

// Lost are samples that no step had: for which there was no room, that came late,
// and after which came another by the time of the step.
type Lost struct {
	Dropped int `json:"dropped,omitempty"`
	Late    int `json:"late,omitempty"`
	Skipped int `json:"skipped,omitempty"`
}

// NewHead is the head of a recording of a plan.
func NewHead(p *wiring.Plan, engine string) Head {
	return Head{Wire: kind, Plan: p.Name, Fingerprint: Fingerprint(p), Kernel: kernel.Current().String(), Engine: engine, Policy: runtime.Fail}
}

// Take is one input and what was made of it.
type Take struct {
	// Name is the input's, for people.
	Name string `json:"name,omitempty"`
	// Moment is the step of a stream that it is; nil for an input by itself.
	Moment *Moment `json:"moment,omitempty"`
	// Senses are what the modules made of it, by the plan's senses; nil for one
	// that got nothing. Steps is how many steps its series has.
	Senses []Floats `json:"senses"`
	Steps  int      `json:"steps,omitempty"`
	// Text is the input's vector among texts, by which beams are chosen.
	Text Floats `json:"text,omitempty"`
	// Digests are of what every tract was given, [tick][tract], see
	// [runtime.Config.Digests].
	Digests []Words `json:"digests"`
	// Answers are by effector; Faults what was silenced.
	Answers map[string]task.Answer `json:"answers"`
	Faults  []string               `json:"faults,omitempty"`
}

// Floats are numbers whose bits are kept.
type Floats []float32

// Words are digests.
type Words []uint64

// MarshalJSON writes base64 of the numbers' bytes, little-endian.
func (f Floats) MarshalJSON() ([]byte, error) {
	if f == nil {
		return []byte("null"), nil
	}
	data := make([]byte, 0, 4*len(f))
	for _, v := range f {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	return json.Marshal(data)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (f *Floats) UnmarshalJSON(text []byte) error {
	data, err := bytesOf(text, 4)
	if err != nil || data == nil {
		return err
	}
	*f = make(Floats, len(data)/4)
	for i := range *f {
		(*f)[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return nil
}

// MarshalJSON writes base64 of the digests' bytes, little-endian.
func (w Words) MarshalJSON() ([]byte, error) {
	data := make([]byte, 0, 8*len(w))
	for _, v := range w {
		data = binary.LittleEndian.AppendUint64(data, v)
	}
	return json.Marshal(data)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (w *Words) UnmarshalJSON(text []byte) error {
	data, err := bytesOf(text, 8)
	if err != nil {
		return err
	}
	*w = make(Words, len(data)/8)
	for i := range *w {
		(*w)[i] = binary.LittleEndian.Uint64(data[8*i:])
	}
	return nil
}

// bytesOf decodes base64 of whole numbers of a size.
func bytesOf(text []byte, size int) (data []byte, err error) {
	if err := json.Unmarshal(text, &data); err != nil {
		return nil, err
	}
	if len(data)%size != 0 {
		return nil, fmt.Errorf("%d bytes are no numbers of %d bytes each", len(data), size)
	}
	return data, nil
}

// Fingerprint is a checksum of a plan's regions, tracts, senses, effectors and
// parameters.
func Fingerprint(p *wiring.Plan) string {
	h := sha256.New()
	put := func(v ...any) {
		for _, x := range v {
			binary.Write(h, binary.LittleEndian, x) //nolint:errcheck // a hash takes everything
		}
	}
	fmt.Fprintf(h, "%d %d %v\n", p.Width, p.Rank, p.Ticks)
	for i := range p.Regions {
		fmt.Fprintf(h, "%q\n", p.Regions[i].Label)
	}
	if p.Burst != nil {
		fmt.Fprintf(h, "%+v\n", *p.Burst)
	}
	for _, t := range p.Tracts {
		put(int64(t.From), int64(t.To), int64(t.Delay), t.Scale)
	}
	for _, s := range p.Senses {
		fmt.Fprintf(h, "%q %v %d %v %q\n", s.Name, s.Regions, s.Width, s.PerTick, s.Read)
	}
	for _, e := range p.Effectors {
		fmt.Fprintf(h, "%q %q %v %v\n", e.Name, e.Head, e.Regions, e.Feedback)
	}
	if p.Params != nil {
		put(p.Params.Data)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Writer writes a recording.
type Writer struct{ to *json.Encoder }

// NewWriter begins a recording.
func NewWriter(w io.Writer, h Head) (*Writer, error) {
	r := &Writer{json.NewEncoder(w)}
	return r, r.to.Encode(h)
}

// Write adds a take.
func (w *Writer) Write(t *Take) error { return w.to.Encode(t) }

// maxLine bounds one line of a recording, in bytes.
const maxLine = 1 << 28

// Reader reads a recording.
type Reader struct {
	Head  Head
	lines *bufio.Scanner
	line  int
}

// NewReader reads a recording's head.
func NewReader(r io.Reader) (*Reader, error) {
	x := &Reader{lines: bufio.NewScanner(r)}
	x.lines.Buffer(nil, maxLine)
	if err := x.next(&x.Head); errors.Is(err, io.EOF) {
		return nil, errors.New("line 1: it is empty, and no recording")
	} else if err != nil {
		return nil, err
	}
	if x.Head.Wire != kind {
		return nil, fmt.Errorf("line 1: it is no recording of wire run --record: %q where %q is expected", x.Head.Wire, kind)
	}
	return x, nil
}

// Next reads the next take; [io.EOF] after the last.
func (r *Reader) Next() (*Take, error) {
	t := &Take{}
	if err := r.next(t); err != nil {
		return nil, err
	}
	return t, nil
}

func (r *Reader) next(v any) error {
	if !r.lines.Scan() {
		if err := r.lines.Err(); err != nil {
			return fmt.Errorf("line %d: %w", r.line+1, err)
		}
		return io.EOF
	}
	r.line++
	if err := json.Unmarshal(r.lines.Bytes(), v); err != nil {
		return fmt.Errorf("line %d: %w", r.line, err)
	}
	return nil
}

// Fits checks that a take was recorded of a plan of this shape.
func (t *Take) Fits(p *wiring.Plan) error {
	if len(t.Senses) != len(p.Senses) || t.Steps < 0 {
		return fmt.Errorf("%d senses and %d steps; plan %q has %d senses", len(t.Senses), t.Steps, p.Name, len(p.Senses))
	}
	for i, x := range t.Senses {
		want := p.Senses[i].Numbers()
		if p.Senses[i].PerTick {
			want *= t.Steps
		}
		if x != nil && len(x) != want {
			return fmt.Errorf("sense %q has %d numbers, want %d", p.Senses[i].Name, len(x), want)
		}
	}
	for tick, d := range t.Digests {
		if len(d) != len(p.Tracts) {
			return fmt.Errorf("tick %d has digests of %d tracts; plan %q has %d", tick, len(d), p.Name, len(p.Tracts))
		}
	}
	return nil
}

// Follows checks that a take of a stream can come after another, nil for the
// first: steps are counted, and neither they nor the samples of a sense go back.
func (t *Take) Follows(before *Take) error {
	m := t.Moment
	if m == nil {
		return nil
	}
	var was Moment
	if before != nil && before.Moment != nil {
		if was = *before.Moment; m.Step <= was.Step || m.At <= was.At {
			return fmt.Errorf("step %d at %v comes after step %d at %v", m.Step, m.At, was.Step, was.At)
		}
	} else if m.Continues {
		return fmt.Errorf("step %d goes on from a step that is not there", m.Step)
	}
	for name, x := range m.Samples {
		if x.At > m.At {
			return fmt.Errorf("step %d at %v has a sample of sense %q that is stamped %v", m.Step, m.At, name, x.At)
		}
		if y, had := was.Samples[name]; had && (x.Number < y.Number || x.At < y.At) {
			return fmt.Errorf("step %d has sample %d of sense %q, the step before has %d", m.Step, x.Number, name, y.Number)
		}
	}
	return nil
}

// Lose adds what the take says of lost samples to sums by sense.
func (t *Take) Lose(sums map[string]Lost) {
	if t.Moment == nil {
		return
	}
	for name, x := range t.Moment.Lost {
		sums[name] = sums[name].Plus(x)
	}
}

// Plus is the sum of both.
func (x Lost) Plus(y Lost) Lost {
	return Lost{x.Dropped + y.Dropped, x.Late + y.Late, x.Skipped + y.Skipped}
}

// Of is the take of an input and what a session answered about it, with a trace
// that has digests.
func Of(name string, in *answer.Encoded, a *answer.Answers) *Take {
	t := &Take{Name: name, Steps: in.Steps, Text: in.Text, Answers: maps.Clone(a.By), Faults: a.Faults}
	for _, x := range in.Senses {
		t.Senses = append(t.Senses, x)
	}
	for _, d := range a.Trace.Digests[:a.Trace.Ticks] {
		t.Digests = append(t.Digests, d)
	}
	return t
}

// Input is what was recorded, encoded as it was.
func (t *Take) Input(s *answer.Session) *answer.Encoded {
	senses := make([][]float32, len(t.Senses))
	for i, x := range t.Senses {
		senses[i] = x
	}
	in := s.Encoded(senses, t.Steps)
	in.Text = t.Text
	return in
}

// Again does what the take says again, with a session that has digests.
func (t *Take) Again(ctx context.Context, s *answer.Session, o answer.Options) (*Take, error) {
	o.Trace, o.Continue = true, t.Moment != nil && t.Moment.Continues
	in := t.Input(s)
	answers, err := s.Answer(ctx, []*answer.Encoded{in}, o)
	if err != nil {
		return nil, err
	}
	return Of(t.Name, in, &answers[0]), nil
}

// Differ says where two takes of a plan part, "" where they have the same bits:
// the first tick and, in it, the first tract whose message differs, or else what
// was answered.
func Differ(p *wiring.Plan, was, now *Take) string {
	for tick := range min(len(was.Digests), len(now.Digests)) {
		a, b := was.Digests[tick], now.Digests[tick]
		differ := 0
		first := -1
		for k := range a {
			if a[k] != b[k] {
				if differ++; first < 0 {
					first = k
				}
			}
		}
		if first >= 0 {
			return fmt.Sprintf("tick %d, tract %s: another message than recorded (%d of %d tracts differ in this tick)", tick, p.TractName(first), differ, len(a))
		}
	}
	if len(was.Digests) != len(now.Digests) {
		return fmt.Sprintf("it lasts %d ticks, %d were recorded", len(now.Digests), len(was.Digests))
	}
	for _, e := range p.Effectors {
		a, _ := json.Marshal(was.Answers[e.Name])
		b, _ := json.Marshal(now.Answers[e.Name])
		if !slices.Equal(a, b) {
			return fmt.Sprintf("effector %q answers %s, recorded is %s", e.Name, b, a)
		}
	}
	return ""
}
