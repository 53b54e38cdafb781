package prepare

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/connectomewire/wire/modules"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/learn"
	"github.com/connectomewire/wire/wiring/task"
)

// Record is what a training was given, so far as it decides what is learned:
// a plan keeps it in its history, and whatever is compared with the plan is
// given the same.
type Record struct {
	Epochs, Batch, Patience int
	Rate, Noise, DropSense  float64
	Seed                    uint64
	// Only is what learned; all where it is empty.
	Only []string
	// Views of each picture, and how many examples were taken of all, evenly
	// spread; 0 took all.
	Views, Limit int
	// Blur of all examples; those of a mixture have each their own.
	Blur float64
	// Sets are the packaged sets; none for data of one's own.
	Sets []string
	// Mixture is the text of the mixture of sources, and MixtureFile the file
	// that held it; empty where there was none.
	Mixture, MixtureFile string
	// Examples is the [Fingerprint] of what was learned from, Command what did it.
	Examples, Command string
}

// trained is what [learn.Fit] calls its event.
const trained = "train"

// RecordOf is the record of a training with options on examples.
func RecordOf(o learn.Options, p Options, train []task.Example) Record {
	return Record{
		Epochs: o.Epochs, Batch: o.Batch, Patience: o.Patience, Rate: o.Rate, Noise: o.Noise, DropSense: o.DropSense,
		Seed: o.Seed, Only: o.Only, Views: p.Views, Examples: Fingerprint(train),
	}
}

// Note adds the record to the plan's last training, which [learn.Fit] left in
// its history.
func (r Record) Note(p *wiring.Plan) {
	n := len(p.History) - 1
	if n < 0 || p.History[n].What != trained {
		return
	}
	e := &p.History[n]
	e.Seed, e.Command = r.Seed, r.Command
	e.Facts = maps.Clone(e.Facts)
	for key, v := range r.facts() {
		e.Facts[key] = v
	}
	e.Given = &wiring.Given{Only: r.Only, Sets: r.Sets, Mixture: r.Mixture, MixtureFile: r.MixtureFile, Examples: r.Examples}
}

// Forget returns a history without its trainings, for a plan whose parameters
// are untrained again.
func Forget(history []wiring.Event) []wiring.Event {
	return slices.DeleteFunc(slices.Clone(history), func(e wiring.Event) bool { return e.What == trained })
}

// facts are the record's figures by their names in a history.
func (r *Record) facts() map[string]float64 {
	return map[string]float64{
		"epochs_asked": float64(r.Epochs), "batch": float64(r.Batch), "patience": float64(r.Patience),
		"rate": r.Rate, "noise": r.Noise, "drop_sense": r.DropSense, "views": float64(r.Views), "limit": float64(r.Limit),
		"blur": r.Blur,
	}
}

// Records are those of a plan's trainings, oldest first; none where one of them
// left none.
func Records(p *wiring.Plan) []Record {
	var list []Record
	for _, e := range p.History {
		if e.What != trained {
			continue
		}
		if e.Given == nil {
			return nil
		}
		f := e.Facts
		list = append(list, Record{
			Epochs: int(f["epochs_asked"]), Batch: int(f["batch"]), Patience: int(f["patience"]), Rate: f["rate"], Noise: f["noise"], DropSense: f["drop_sense"],
			Seed: e.Seed, Views: int(f["views"]), Limit: int(f["limit"]), Blur: f["blur"],
			Only: e.Given.Only, Sets: e.Given.Sets, Mixture: e.Given.Mixture, MixtureFile: e.Given.MixtureFile, Examples: e.Given.Examples, Command: e.Command,
		})
	}
	return list
}

// Options are those of the recorded training; what it does not say is as in o.
func (r Record) Options(o learn.Options) learn.Options {
	o.Epochs, o.Batch, o.Patience, o.Rate, o.Noise, o.DropSense, o.Seed = r.Epochs, r.Batch, r.Patience, r.Rate, r.Noise, r.DropSense, r.Seed
	o.Only, o.Shards = r.Only, min(o.Shards, o.Batch)
	return o
}

// Check compares what was learned from with other examples: it is an error when
// they differ.
func (r Record) Check(train []task.Example) error {
	if have := Fingerprint(train); r.Examples != "" && have != r.Examples {
		return fmt.Errorf("the plan learned from other examples than the training examples here, so that nothing here can be compared with it: "+
			"its command was: %s", r.Command)
	}
	return nil
}

// Fingerprint identifies examples: their names and groups, what they want, and
// the numbers and texts that they give, in their order. It is the same
// wherever the files of pictures and sounds lie.
func Fingerprint(examples []task.Example) string {
	h := sha256.New()
	for i := range examples {
		e := &examples[i]
		fmt.Fprintf(h, "%q %q %t %d\n", e.ID, e.Group, e.Mirror, e.Repeat)
		for _, name := range sortedKeys(e.Inputs) {
			in := e.Inputs[name]
			fmt.Fprintf(h, " %q %s\n", name, in.Kind)
			if in.Kind == modules.KindImage || in.Kind == modules.KindSound {
				continue
			}
			switch v, _ := in.Read(); v := v.(type) {
			case []float32:
				binary.Write(h, binary.LittleEndian, v) //nolint:errcheck // a hash takes everything
			case task.Series:
				binary.Write(h, binary.LittleEndian, v.Values) //nolint:errcheck // as above
			default:
				fmt.Fprintf(h, "%v\n", v)
			}
		}
		for _, name := range sortedKeys(e.Targets) {
			fmt.Fprintf(h, " %q %v\n", name, e.Targets[name])
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
