package wiring

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/internal/atomicfile"
)

// Files of a plan's directory.
const (
	planFileName    = "plan.yaml"
	tractsFileName  = "tracts.tsv"
	tensorsFileName = "tracts.safetensors"
	historyFileName = "history.jsonl"

	memoryFileName    = "memory.tsv"
	memoryTensorsName = "memory.safetensors"

	calibrationFileName = "calibration.json"
)

// Save writes the plan to a directory:
//
//	plan.yaml           sizes, regions with slots, senses, effectors, provenance
//	tracts.tsv          one row a tract: from, to, weight, scale, length_mm, delay, rank
//	tracts.safetensors  the learned parameters, once the plan is trained; float32, or
//	                    float16 where that loses nothing
//	memory.tsv          one row an episode that it remembers: its name and value
//	memory.safetensors  the episodes' keys and the vectors of the values, in 8-bit steps
//	rates.tsv           of rate cells: one row a region with leak, bias and input weights
//	readout.tsv         of rate cells, once they are fitted: one row a region
//	calibration.json    how likely its answers are right, by which signs, once that is fitted
//	history.jsonl       what was done to it, one event a line
//
// The same plan gives the same bytes. A new directory appears complete or not
// at all; in an existing one each file is replaced atomically, and files that
// are not the plan's are left alone.
func (p *Plan) Save(dir string) error {
	if err := p.Validate(); err != nil {
		return err
	}
	files := []struct {
		name string
		data []byte
	}{
		{tensorsFileName, nil},
		{memoryTensorsName, nil},
		{memoryFileName, nil},
		{tractsFileName, p.tractsTSV()},
		{historyFileName, nil},
		{calibrationFileName, nil},
		{ratesFileName, nil},
		{readoutFileName, nil},
		{planFileName, p.planYAML()},
	}
	if p.IsRate() {
		files[6].data = p.ratesTSV()
	}
	if p.Readout != nil {
		files[7].data = p.readoutTSV()
	}
	if p.Trained && !p.IsRate() {
		files[0].data = p.Params.encode()
		if p.Memory != nil {
			files[1].data, files[2].data = p.Memory.tensors(), p.Memory.tsv()
		}
	}
	var err error
	if p.Trained && p.Calibration != nil {
		if files[5].data, err = p.Calibration.encode(); err != nil {
			return err
		}
	}
	if files[4].data, err = encodeHistory(p.History); err != nil {
		return err
	}
	dir = filepath.Clean(dir)
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
			return fmt.Errorf("save plan: %w", err)
		}
		tmp, err := atomicfile.TempDir(dir)
		if err != nil {
			return fmt.Errorf("save plan: %w", err)
		}
		defer os.RemoveAll(tmp)
		for _, f := range files {
			if f.data == nil {
				continue
			}
			if err := atomicfile.WriteBytes(filepath.Join(tmp, f.name), f.data); err != nil {
				return fmt.Errorf("save plan: %w", err)
			}
		}
		if err := os.Chmod(tmp, 0o755); err != nil {
			return fmt.Errorf("save plan: %w", err)
		}
		if err := os.Rename(tmp, dir); err != nil {
			return fmt.Errorf("save plan: %w", err)
		}
		return nil
	case err != nil:
		return fmt.Errorf("save plan: %w", err)
	case !info.IsDir():
		return fmt.Errorf("save plan: %s is a file; a plan is a directory", dir)
	}
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		if f.data == nil {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("save plan: %w", err)
			}
			continue
		}
		if err := atomicfile.WriteBytes(path, f.data); err != nil {
			return fmt.Errorf("save plan: %w", err)
		}
	}
	return nil
}

// planYAML writes plan.yaml by hand, one region a line, so that it reads and
// diffs well.
func (p *Plan) planYAML() []byte {
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	pair := func(indent, key, value string) {
		if value != "" {
			line("%s%s: %s", indent, key, scalar(value))
		}
	}
	labels := func(regions []int) string {
		out := make([]string, len(regions))
		for i, j := range regions {
			out[i] = scalar(p.Regions[j].Label)
		}
		return "[" + strings.Join(out, ", ") + "]"
	}
	if p.IsRate() {
		line("# A wiring plan of rate cells: x ← (1−a)x + a·tanh(W x + w_in u + b). W are the scales in %s;", tractsFileName)
		line("# leaks a, biases b and input weights stand in %s, the readout in %s once it is fitted.", ratesFileName, readoutFileName)
	} else {
		line("# A wiring plan. The tracts stand in %s, learned parameters in %s.", tractsFileName, tensorsFileName)
	}
	line("format: %d", FormatVersion)
	line("name: %s", scalar(p.Name))
	if p.IsRate() {
		line("cell: %s", p.Cell)
		line("activation: %s", p.Rates.Activation)
	} else if p.Cell == CellGRU {
		line("cell: %s        # each region a gated recurrent unit", p.Cell)
	}
	if p.FixedGates {
		line("gates: fixed     # at one half")
	}
	if b := p.Burst; b != nil {
		line("burst:           # after inhibition these regions answer excitation with more")
		line("  {gain: %v, rise: %v, fall: %v, regions: %s}", b.Gain, b.Rise, b.Fall, labels(b.Regions))
	}
	line("width: %d       # d, numbers in a region's state", p.Width)
	line("rank: %d         # r, numbers that travel on a tract each tick", p.Rank)
	line("ticks: {settle: %d, max: %d}  # ticks until effectors are read, steps that they may then act", p.Ticks.Settle, p.Ticks.Max)
	line("provenance:")
	v := &p.Provenance
	pair("  ", "connectome", v.Connectome)
	line("  synthetic: %t", v.Synthetic)
	pair("  ", "file", v.File)
	pair("  ", "sha256", v.SHA256)
	pair("  ", "license", v.License)
	pair("  ", "recipe", v.Recipe)
	line("  seed: %d", v.Seed)
	pair("  ", "command", v.Command)
	pair("  ", "version", v.Version)
	line("modules:")
	for _, m := range p.Modules {
		line("  - name: %s", scalar(m.Name))
		pair("    ", "source", m.Source)
		pair("    ", "sha256", m.SHA256)
	}
	line("senses:")
	settings := func(s Settings) {
		if len(s) > 0 {
			line("    settings:")
		}
		for _, key := range s.keys() {
			line("      %s: %s", scalar(key), SettingYAML(s[key]))
		}
	}
	for _, s := range p.Senses {
		line("  - name: %s", scalar(s.Name))
		pair("    ", "kind", s.Kind)
		pair("    ", "module", s.Module)
		pair("    ", "port", s.Port)
		if len(s.Encoders) > 0 {
			line("    encoders: # other ways into the same space")
		}
		for _, e := range s.Encoders {
			line("      - {kind: %s, module: %s, port: %s}", scalar(e.Kind), scalar(e.Module), scalar(e.Port))
		}
		pair("    ", "of", s.Of)
		if s.PerTick {
			line("    per_tick: true")
		}
		if s.Read != ReadWhole {
			pair("    ", "read", s.Read)
			line("    places: %d", s.Places)
		}
		if s.Views > 1 {
			line("    views: %d", s.Views)
		}
		line("    width: %d", s.Width)
		line("    regions: %s", labels(s.Regions))
	}
	line("effectors:")
	for _, e := range p.Effectors {
		line("  - name: %s", scalar(e.Name))
		pair("    ", "head", e.Head)
		pair("    ", "module", e.Module)
		line("    regions: %s", labels(e.Regions))
		if len(e.Feedback) > 0 {
			line("    feedback: %s", labels(e.Feedback))
			line("    feedback_width: %d", e.FeedbackWidth)
		}
		settings(e.Settings)
	}
	if len(p.Parts) > 0 {
		line("parts: # frozen modules inside regions")
	}
	for _, x := range p.Parts {
		line("  - name: %s", scalar(x.Name))
		pair("    ", "module", x.Module)
		pair("    ", "input", x.Input)
		pair("    ", "output", x.Output)
		pair("    ", "region", p.Regions[x.Region].Label)
		if x.Into != x.Region {
			pair("    ", "into", p.Regions[x.Into].Label)
		}
		line("    every: %d", x.Every)
		line("    takes: %d", x.Takes)
		line("    gives: %d", x.Gives)
		if x.RankIn > 0 || x.RankOut > 0 {
			line("    ranks: {in: %d, out: %d}", x.RankIn, x.RankOut)
		}
		if len(x.Sizes) > 0 {
			line("    sizes:")
		}
		for _, dim := range slices.Sorted(maps.Keys(x.Sizes)) {
			line("      %s: %d", scalar(dim), x.Sizes[dim])
		}
		if x.Detach {
			line("    detach: true")
		}
	}
	if len(p.Tasks) > 0 {
		line("tasks:")
	}
	for _, t := range p.Tasks {
		line("  - kind: %s", scalar(t.Kind))
		pair("    ", "effector", t.Effector)
		pair("    ", "target", t.Target)
		if t.Weight != 0 {
			line("    weight: %s", number(t.Weight))
		}
		settings(t.Settings)
	}
	line("regions:")
	for _, r := range p.Regions {
		fields := []string{"label: " + scalar(r.Label)}
		add := func(key, value string) {
			if value != "" {
				fields = append(fields, key+": "+scalar(value))
			}
		}
		add("canonical", r.Canonical)
		add("hemisphere", r.Hemisphere)
		add("lobe", r.Lobe)
		if r.Located {
			fields = append(fields, fmt.Sprintf("position: [%s, %s, %s]", number(r.Position[0]), number(r.Position[1]), number(r.Position[2])))
		}
		add("slot", r.Slot)
		add("why", r.Why)
		line("  - {%s}", strings.Join(fields, ", "))
	}
	return b.Bytes()
}

// scalar writes a YAML string: plain where that is safe, else quoted.
func scalar(s string) string {
	plain := s != ""
	for i, c := range s {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || !(c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.')) {
			plain = false
			break
		}
	}
	switch strings.ToLower(s) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
		plain = false
	}
	if plain {
		return s
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return `""` // strings always encode
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// number writes a float so that YAML reads it as one and loses nothing.
func number(v float64) string {
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// tractColumns is the header of tracts.tsv.
var tractColumns = []string{"from", "to", "weight", "scale", "length_mm", "delay", "rank"}

// missing marks an unknown length in tracts.tsv.
const missing = "n/a"

func (p *Plan) tractsTSV() []byte {
	var b bytes.Buffer
	b.WriteString(strings.Join(tractColumns, "\t") + "\n")
	float := func(v float64) string {
		if math.IsNaN(v) {
			return missing
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	for _, t := range p.Tracts {
		fmt.Fprintf(&b, "%s\t%s\t%s\t%s\t%s\t%d\t%d\n", p.Regions[t.From].Label, p.Regions[t.To].Label,
			float(t.Weight), float(t.Scale), float(t.LengthMM), t.Delay, p.Rank)
	}
	return b.Bytes()
}

func encodeHistory(events []Event) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for _, e := range events {
		if err := enc.Encode(e); err != nil {
			return nil, fmt.Errorf("save plan: history: %w", err)
		}
	}
	return b.Bytes(), nil
}
