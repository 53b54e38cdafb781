package reservoir

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/connectomewire/wire/datasets"
	"github.com/connectomewire/wire/datasets/own"
)

// Sequence is one series, or one trial, that a reservoir runs from silence.
type Sequence struct {
	ID string
	// Split says what the steps are for, where the data say so.
	Split datasets.Split
	Steps int
	// Inputs are [Steps, inputs], Targets [Steps, outputs]; NaN where nothing
	// is asked.
	Inputs, Targets []float64
}

// Data is what a task is learned from.
type Data struct {
	// Name of the file, or of the task that made them.
	Name      string
	Inputs    int
	Outputs   []string
	Sequences []Sequence
}

// readData reads a table of series. Of a table with a header the columns
// "series" (or "trial") and "split" tell the series from each other, "t" counts
// steps, those that begin with "output" are targets and all others inputs. Of
// one without, the last column is the target where the task has one, and all
// rows are one series.
func readData(path string, targets bool) (*Data, error) {
	t, err := readTable(path)
	if err != nil {
		return nil, err
	}
	d := &Data{Name: path}
	series, split := -1, -1
	var in, out []int
	for k := range t.rows[0] {
		name := ""
		if t.header != nil {
			name = strings.ToLower(t.header[k])
		}
		switch {
		case name == "series" && len(t.rows[0]) > 1 || name == "trial":
			series = k
		case name == "split":
			split = k
		case name == "t":
		case strings.HasPrefix(name, "output") || t.header == nil && targets && k == len(t.rows[0])-1:
			out = append(out, k)
		default:
			in = append(in, k)
		}
	}
	if len(in) == 0 {
		return nil, fmt.Errorf("%s: no column of inputs", path)
	}
	if targets && len(out) == 0 {
		return nil, fmt.Errorf("%s: no column whose name begins with \"output\", which the task learns; the columns are %s", path, strings.Join(t.header, ", "))
	}
	if !targets {
		out = nil // what is asked follows from the inputs
	}
	for i, k := range out {
		name := fmt.Sprintf("output%d", i+1)
		if t.header != nil {
			name = t.header[k]
		}
		d.Outputs = append(d.Outputs, name)
	}
	d.Inputs = len(in)
	seen := map[string]bool{}
	for i := range t.rows {
		id := ""
		if series >= 0 {
			id = t.rows[i][series]
		}
		if n := len(d.Sequences); n == 0 || d.Sequences[n-1].ID != id {
			if seen[id] {
				return nil, fmt.Errorf("%s:%d: series %q goes on after another; the steps of a series stand together", path, t.lines[i], id)
			}
			seen[id] = true
			s := Sequence{ID: id}
			if split >= 0 {
				if s.Split, err = splitOf(t.rows[i][split]); err != nil {
					return nil, fmt.Errorf("%s:%d: %w", path, t.lines[i], err)
				}
			}
			d.Sequences = append(d.Sequences, s)
		}
		s := &d.Sequences[len(d.Sequences)-1]
		s.Steps++
		for _, k := range in {
			v, err := t.number(i, k)
			if err != nil {
				return nil, err
			}
			s.Inputs = append(s.Inputs, v)
		}
		for _, k := range out {
			v, err := t.number(i, k)
			if err != nil {
				return nil, err
			}
			s.Targets = append(s.Targets, v)
		}
	}
	return d, nil
}

// ReadSeries reads series of inputs from a table; columns of targets are left
// out.
func ReadSeries(path string) (*Data, error) { return readData(path, false) }

func splitOf(name string) (datasets.Split, error) {
	switch strings.ToLower(name) {
	case "train", "training":
		return datasets.Train, nil
	case "val", "validation", "dev":
		return datasets.Val, nil
	case "test":
		return datasets.Test, nil
	}
	return "", fmt.Errorf("the split is %q, want train, validation or test", name)
}

// ofDataset takes generated series.
func ofDataset(g *own.Dataset) *Data {
	d := &Data{Name: g.Name, Inputs: max(g.Columns[0].Width, 1)}
	targets := len(g.Columns) > 1
	if targets {
		d.Outputs = []string{g.Columns[1].Name}
	}
	for _, r := range g.Rows {
		s := Sequence{ID: r.ID, Split: r.Split, Steps: r.Values[0].Steps, Inputs: double64(r.Values[0].Data)}
		if targets {
			s.Targets = double64(r.Values[1].Data)
		}
		d.Sequences = append(d.Sequences, s)
	}
	return d
}

func double64(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

// step is a step that is asked about.
type step struct{ sequence, t int }

// Learned returns the part of the data that a readout fitted with these options
// learns from: what may be chosen by is scored on it alone. It is divided again
// by the same share.
func (d *Data) Learned(k *Task, o FitOptions) (*Data, error) {
	o, err := o.withDefaults(k)
	if err != nil {
		return nil, err
	}
	train, _, err := d.divide(o.Washout, o.Share)
	if err != nil {
		return nil, err
	}
	out := &Data{Name: "what is learned from of " + d.Name, Inputs: d.Inputs, Outputs: d.Outputs}
	for i := range d.Sequences {
		last := -1
		for _, a := range train {
			if a.sequence == i {
				last = max(last, a.t)
			}
		}
		if last < 0 {
			continue
		}
		s := d.Sequences[i]
		s.Split, s.Steps = "", last+1
		s.Inputs, s.Targets = s.Inputs[:s.Steps*d.Inputs], s.Targets[:s.Steps*len(d.Outputs)]
		out.Sequences = append(out.Sequences, s)
	}
	return out, nil
}

// divide lists the steps that are learned from and those that are tested on:
// of those after the washout and with a target. Where the data have no splits,
// or one alone, the first share of the steps of a single series, or of several
// series, is learned from.
func (d *Data) divide(washout int, share float64) (train, test []step, err error) {
	splits := map[datasets.Split]int{}
	for _, s := range d.Sequences {
		if s.Split == datasets.Test {
			splits[datasets.Test]++
		} else if s.Split != "" {
			splits[datasets.Train]++
		}
	}
	var asked []step
	steps := 0
	for i := range d.Sequences {
		s := &d.Sequences[i]
		steps += s.Steps
		for t := washout; t < s.Steps; t++ {
			if !slices.ContainsFunc(s.Targets[t*len(d.Outputs):][:len(d.Outputs)], math.IsNaN) {
				asked = append(asked, step{i, t})
			}
		}
	}
	given := splits[datasets.Train] > 0 && splits[datasets.Test] > 0
	border := int(math.Round(share * float64(len(d.Sequences))))
	last := int(math.Round(share * float64(len(asked))))
	for k, a := range asked {
		learned := d.Sequences[a.sequence].Split != datasets.Test
		switch {
		case given:
		case len(d.Sequences) > 1:
			learned = a.sequence < border
		default:
			learned = k < last
		}
		if learned {
			train = append(train, a)
		} else {
			test = append(test, a)
		}
	}
	if len(train) == 0 || len(test) == 0 {
		return nil, nil, fmt.Errorf("%s: of %d series with %d steps, %d are left to learn from and %d to test on, with a washout of %d steps each: give more steps, a shorter washout or another share",
			d.Name, len(d.Sequences), steps, len(train), len(test), washout)
	}
	return train, test, nil
}
