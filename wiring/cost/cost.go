package cost

import (
	"context"
	"errors"
	"runtime/debug"
	"slices"
	"time"

	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/part"
	"github.com/connectomewire/wire/wiring/task"
)

// Estimate is what a training will take.
type Estimate struct {
	// Parameters are learned.
	Parameters int `json:"parameters"`
	// Steps are at most taken, each of Batch examples at most, in Epochs.
	Steps  int `json:"steps"`
	Batch  int `json:"batch"`
	Epochs int `json:"epochs"`
	// MultiplyAdds of all steps, there and back, in tracts, senses, heads, and the
	// frozen modules that gradients pass: those in regions, and language models
	// that are steered.
	MultiplyAdds float64 `json:"multiply_adds"`
	// Timed is how many steps were tried; Seconds is what all steps and
	// validations would take at their pace, 0 when none was tried.
	Timed   int     `json:"timed_steps"`
	Seconds float64 `json:"seconds"`
	// Memory is the most that the process held so far, the tried steps
	// among it, in bytes.
	Memory int64 `json:"memory_bytes"`
}

// trial is how many steps are tried at most; the first of them makes its
// buffers and is not timed where there are others.
const trial = 3

// trialShare is how many steps a training has at least for each one tried.
const trialShare = 4

// Of estimates what [learn.Fit] will take. It learns a few steps on a copy; the
// plan stays as it is.
func Of(ctx context.Context, p *wiring.Plan, d *learn.Data, o learn.Options) (*Estimate, error) {
	order := len(d.Train)
	for i := range d.Train {
		order += max(d.Train[i].Repeat, 1) - 1
	}
	perEpoch := (order + o.Batch - 1) / o.Batch
	e := &Estimate{Steps: perEpoch * o.Epochs, Batch: min(o.Batch, order), Epochs: o.Epochs}
	for _, t := range p.Layout() {
		if !t.Frozen {
			e.Parameters += t.Len()
		}
	}
	// Learning is the way there and, twice as long, back: gradients of what
	// entered and of the matrices.
	const thereAndBack = 3
	count, err := newCounter(p, d)
	if err != nil {
		return nil, err
	}
	for i := range d.Train {
		n, err := count.example(&d.Train[i])
		if err != nil {
			return nil, err
		}
		e.MultiplyAdds += thereAndBack * float64(o.Epochs) * float64(max(d.Train[i].Repeat, 1)) * n
	}
	steps := min(trial, e.Steps/trialShare)
	if steps == 0 {
		e.Memory = peak()
		return e, nil
	}
	step, err := try(ctx, p, d, o, steps)
	if err != nil {
		return nil, err
	}
	e.Timed = steps
	e.Seconds = step.Seconds() * (float64(e.Steps) + float64(o.Epochs)*float64(len(d.Val))/float64(e.Batch)/thereAndBack)
	e.Memory = peak()
	debug.FreeOSMemory() // the real run starts where this one did
	return e, nil
}

// try learns some steps on a copy of the plan and returns the time that one
// took.
func try(ctx context.Context, p *wiring.Plan, d *learn.Data, o learn.Options, steps int) (time.Duration, error) {
	few := *d
	few.Train, few.Val = spread(d.Train, min(steps*o.Batch, len(d.Train))), nil
	o.Batch = min(o.Batch, len(few.Train))
	o.Shards = min(o.Shards, o.Batch)
	o.Epochs = steps
	o.Checkpoint, o.Every, o.Patience = "", 0, 0
	var at []time.Time
	enough := errors.New("enough")
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	o.Progress = func(s learn.Progress) {
		if s.EpochDone {
			return
		}
		if at = append(at, time.Now()); len(at) == steps {
			stop(enough)
		}
	}
	began := time.Now()
	copied := *p
	copied.History = slices.Clip(p.History)
	if _, err := learn.Fit(ctx, &copied, &few, o); err != nil && context.Cause(ctx) != enough {
		return 0, err
	}
	if len(at) < 2 {
		return at[0].Sub(began), nil
	}
	return at[len(at)-1].Sub(at[0]) / time.Duration(len(at)-1), nil
}

// spread takes n samples from all over, each once.
func spread(list []learn.Sample, n int) []learn.Sample {
	out := make([]learn.Sample, n)
	for i := range out {
		out[i] = list[i*len(list)/n]
		out[i].Repeat = 0
	}
	return out
}

// counter counts the multiply-adds of the way there.
type counter struct {
	plan    *wiring.Plan
	data    *learn.Data
	region  []float64        // a tick of a region: its tracts' ends, its gates
	ticksTo []int            // to the nearest effector that learns; −1 for never
	row     []float64        // by aim: of one row
	steered []*head.Language // by aim: that steers a module; else nil
}

func newCounter(p *wiring.Plan, d *learn.Data) (*counter, error) {
	c := &counter{plan: p, data: d, region: make([]float64, len(p.Regions))}
	w, r := float64(p.Width), float64(p.Rank)
	for _, t := range p.Tracts {
		c.region[t.From] += w * r       // axon
		c.region[t.To] += w*r + w + 2*r // synapse, gate, what passes it
	}
	if p.Cell == wiring.CellGRU {
		for j := range c.region {
			c.region[j] += 5 * w * w
		}
	}
	var read []int
	for i := range d.Aims {
		e := &p.Effectors[d.Aims[i].Effector]
		read = append(read, e.Regions...)
		c.row = append(c.row, rowOf(p, e, len(d.Aims[i].Lists[head.WordList(e.Name)])))
		var steered *head.Language
		if e.Head == head.NameLanguage && head.Steered(e) {
			r, err := d.Aims[i].Readout(p)
			if err != nil {
				return nil, err
			}
			steered, _ = r.(*head.Language)
		}
		c.steered = append(c.steered, steered)
	}
	c.ticksTo = p.TicksTo(read...)
	return c, nil
}

// rowOf counts one row of an effector's head: its matrices, and, for the words
// it may say, those of its module's last layer and of their meanings.
func rowOf(p *wiring.Plan, e *wiring.Effector, words int) float64 {
	h, err := wiring.HeadOf(e.Head)
	if err != nil {
		return 0
	}
	var n float64
	for _, t := range h.Tensors(e, p.Width*len(e.Regions)) {
		if len(t.Shape) == 2 && !t.Frozen {
			n += float64(t.Shape[0]) * float64(t.Shape[1])
		}
	}
	if e.Head == head.NameLanguage {
		hidden, semantic := head.Widths(e)
		n += float64(words) * float64(hidden+semantic)
	}
	return n
}

// example counts one example: every side of it where they are episodes of their
// own.
func (c *counter) example(s *learn.Sample) (float64, error) {
	p := c.plan
	last := p.Ticks.Settle
	var rows float64
	for i, list := range s.Targets {
		if len(list) == 0 {
			continue
		}
		last = max(last, list[0].Last())
		rows += c.row[i] * float64(len(list[0].Rows))
		if c.steered[i] != nil {
			n, err := c.steered[i].Work(wordsOf(list[0]))
			if err != nil {
				return 0, err
			}
			rows += n
		}
	}
	episodes := 0
	var enter float64
	width := float64(p.Width)
	for k, x := range s.Inputs {
		if len(x) == 0 {
			continue
		}
		episodes++
		sense := &p.Senses[k]
		in := width * float64(sense.Width) * float64(len(sense.Regions))
		switch {
		case sense.PerTick:
			in *= float64(s.Steps)
		case sense.Read == wiring.ReadGlimpse:
			// At every tick: the query, its products with all places, their
			// mean, and what enters of it.
			in = float64(last) * (2*in + 2*float64(sense.Places*sense.Width*len(sense.Regions)))
		}
		enter += in
	}
	if !s.Apart {
		episodes = min(episodes, 1)
	}
	var tick float64
	for j, n := range c.region {
		if c.ticksTo[j] >= 0 {
			tick += n * float64(max(last-c.ticksTo[j], 0))
		}
	}
	for i := range p.Effectors {
		e := &p.Effectors[i]
		tick += float64(max(last-p.Ticks.Settle, 0)) * width * float64(e.FeedbackWidth) * float64(len(e.Feedback))
	}
	for i := range p.Parts {
		x := &p.Parts[i]
		runs := float64(max(last-1, 0) / x.Every)
		tick += runs * (adapter(p.Width, x.Takes, x.RankIn) + adapter(p.Width, x.Gives, x.RankOut))
		if i < len(c.data.Parts) {
			if w, ok := c.data.Parts[i].(part.Worker); ok {
				tick += runs * w.Work()
			}
		}
	}
	return enter + float64(episodes)*(tick+rows), nil
}

// adapter is the work of a matrix, or of two of a rank.
func adapter(width, port, rank int) float64 {
	if rank > 0 {
		return float64(rank) * float64(width+port)
	}
	return float64(width) * float64(port)
}

// wordsOf is how many words a target asks for.
func wordsOf(t *task.Target) int {
	n := 0
	for _, r := range t.Rows {
		if r.Reading == head.ReadWord {
			n++
		}
	}
	return n
}
