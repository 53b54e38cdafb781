package wiring

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/internal/edit"
)

// planFile is plan.yaml.
const (
	gatesLearned = "learned"
	gatesFixed   = "fixed"
)

type planFile struct {
	Format     int             `yaml:"format"`
	Name       string          `yaml:"name"`
	Cell       string          `yaml:"cell"`
	Activation string          `yaml:"activation"` // of rate cells
	Gates      string          `yaml:"gates"`      // "learned", "" or "fixed"
	Burst      *burstFile      `yaml:"burst"`
	Width      int             `yaml:"width"`
	Rank       int             `yaml:"rank"`
	Ticks      ticksFile       `yaml:"ticks"`
	Stare      int             `yaml:"stare"`      // of format 1
	MaxSteps   int             `yaml:"max_tokens"` // of format 1
	Provenance provenanceFile  `yaml:"provenance"`
	Modules    []moduleFile    `yaml:"modules"`
	Senses     []senseFile     `yaml:"senses"`
	Effectors  []effectorFile  `yaml:"effectors"`
	Parts      []partFile      `yaml:"parts"`
	Tasks      []taskFile      `yaml:"tasks"`
	Regions    []regionFileRow `yaml:"regions"`
}

type provenanceFile struct {
	Connectome string `yaml:"connectome"`
	Synthetic  bool   `yaml:"synthetic"`
	File       string `yaml:"file"`
	SHA256     string `yaml:"sha256"`
	License    string `yaml:"license"`
	Recipe     string `yaml:"recipe"`
	Seed       uint64 `yaml:"seed"`
	Command    string `yaml:"command"`
	Version    string `yaml:"version"`
}

type moduleFile struct {
	Name   string `yaml:"name"`
	Source string `yaml:"source"`
	SHA256 string `yaml:"sha256"`
}

type ticksFile struct {
	Settle int `yaml:"settle"`
	Max    int `yaml:"max"`
}

type senseFile struct {
	Name     string        `yaml:"name"`
	Kind     string        `yaml:"kind"`
	Module   string        `yaml:"module"`
	Port     string        `yaml:"port"`
	Encoders []encoderFile `yaml:"encoders"`
	Of       string        `yaml:"of"`
	PerTick  bool          `yaml:"per_tick"`
	Read     string        `yaml:"read"`
	Places   int           `yaml:"places"`
	Views    int           `yaml:"views"`
	Width    int           `yaml:"width"`
	Regions  []string      `yaml:"regions"`
}

type encoderFile struct {
	Kind   string `yaml:"kind"`
	Module string `yaml:"module"`
	Port   string `yaml:"port"`
}

type effectorFile struct {
	Name          string   `yaml:"name"`
	Head          string   `yaml:"head"`
	Module        string   `yaml:"module"`
	Regions       []string `yaml:"regions"`
	Feedback      labels   `yaml:"feedback"`
	FeedbackWidth int      `yaml:"feedback_width"`
	Settings      Settings `yaml:"settings"`

	// What only an effector of format 1 has.
	Kind     string `yaml:"kind"`
	Text     string `yaml:"text"`
	Region   string `yaml:"region"`
	Hidden   int    `yaml:"hidden"`
	Semantic int    `yaml:"semantic"`
}

type partFile struct {
	Name   string         `yaml:"name"`
	Module string         `yaml:"module"`
	Input  string         `yaml:"input"`
	Output string         `yaml:"output"`
	Region string         `yaml:"region"`
	Into   string         `yaml:"into"`
	Every  int            `yaml:"every"`
	Takes  int            `yaml:"takes"`
	Gives  int            `yaml:"gives"`
	Ranks  ranksFile      `yaml:"ranks"`
	Sizes  map[string]int `yaml:"sizes"`
	Detach bool           `yaml:"detach"`
}

type ranksFile struct {
	In  int `yaml:"in"`
	Out int `yaml:"out"`
}

// labels is a list of regions, or, in format 1, one.
type labels []string

// UnmarshalYAML reads a list or a single label.
func (l *labels) UnmarshalYAML(read func(any) error) error {
	var one string
	if read(&one) == nil {
		*l = labels{one}
		return nil
	}
	var many []string
	if err := read(&many); err != nil {
		return err
	}
	*l = many
	return nil
}

type taskFile struct {
	Kind     string   `yaml:"kind"`
	Effector string   `yaml:"effector"`
	Target   string   `yaml:"target"`
	Weight   float64  `yaml:"weight"`
	Settings Settings `yaml:"settings"`
}

type regionFileRow struct {
	Label      string    `yaml:"label"`
	Canonical  string    `yaml:"canonical"`
	Hemisphere string    `yaml:"hemisphere"`
	Lobe       string    `yaml:"lobe"`
	Position   []float64 `yaml:"position"`
	Slot       string    `yaml:"slot"`
	Why        string    `yaml:"why"`
}

// IsPlan says whether a name is a plan's directory.
func IsPlan(dir string) bool {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return false
	}
	_, err := os.Stat(filepath.Join(dir, planFileName))
	return err == nil
}

// Load reads a plan from a directory. Every mistake is an [Error] with its
// file, line and column. A plan without learned parameters is initialised
// from its seed, see [Plan.Init].
func Load(dir string) (*Plan, error) {
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no plan %s (%w); `wire build` writes one", dir, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("load plan: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("load plan: %s is a file; a plan is a directory, as `wire build` writes it", dir)
	}
	p, err := LoadFS(os.DirFS(dir))
	if err != nil {
		return nil, fmt.Errorf("load plan %s: %w", dir, err)
	}
	return p, nil
}

// LoadFS reads a plan from the root of a file system.
func LoadFS(fsys fs.FS) (*Plan, error) {
	data, err := readFile(fsys, planFileName, maxYAML)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("it holds no %s and is no plan's directory; `wire build` writes one", planFileName)
		}
		return nil, err
	}
	var f planFile
	doc, err := readYAML(planFileName, data, &f)
	if err != nil {
		return nil, err
	}
	p, err := f.plan(doc)
	if err != nil {
		return nil, err
	}
	lines, err := p.readTracts(fsys)
	if err != nil {
		return nil, err
	}
	if pr := p.check(); pr != nil {
		return nil, locate(pr, doc, lines)
	}
	if p.IsRate() {
		if err := p.loadRates(fsys, f.Activation); err != nil {
			if e := (*Error)(nil); errors.As(err, &e) {
				return nil, err
			}
			return nil, locate(err, doc, lines)
		}
		p.Params = p.NewParams()
		p.History, err = readHistory(fsys)
		return p, err
	}
	tensors, err := readFile(fsys, tensorsFileName, maxTensors)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p.Init(p.Provenance.Seed)
	case err != nil:
		return nil, err
	default:
		p.Params = p.NewParams()
		if err := p.Params.decode(tensors); err != nil {
			return nil, &Error{File: tensorsFileName, Msg: err.Error(), Err: err}
		}
		if f.Format == 1 {
			p.Params.upgrade(p)
		}
		p.Trained = true
		if err := p.checkParams(); err != nil {
			return nil, &Error{File: tensorsFileName, Msg: err.Error(), Err: err}
		}
		if err := p.loadMemory(fsys); err != nil {
			return nil, err
		}
		if err := p.loadCalibration(fsys); err != nil {
			return nil, err
		}
	}
	if p.History, err = readHistory(fsys); err != nil {
		return nil, err
	}
	return p, nil
}

// loadMemory reads what a trained plan remembers, if it has a memory.
func (p *Plan) loadMemory(fsys fs.FS) error {
	sense, _ := p.MemorySense()
	if sense < 0 {
		return nil
	}
	table, err := readFile(fsys, memoryFileName, maxTensors)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // trained without anything to remember
	}
	if err != nil {
		return err
	}
	tensors, err := readFile(fsys, memoryTensorsName, maxTensors)
	if err != nil {
		return err
	}
	if p.Memory, err = readMemory(table, tensors); err != nil {
		return err
	}
	if err := p.checkMemorySense(sense); err != nil {
		return &Error{File: memoryTensorsName, Msg: err.Error(), Err: err}
	}
	return nil
}

// readFile reads a whole file, but no more than limit bytes.
func readFile(fsys fs.FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if int64(len(data)) > limit {
		return nil, &Error{File: name, Msg: fmt.Sprintf("is larger than %d bytes", limit)}
	}
	return data, nil
}

// locate turns a problem into an error at its place in the plan's files.
func locate(err error, doc *document, tractLines []int) error {
	var pr *problem
	if !errors.As(err, &pr) {
		return err
	}
	if pr.tract >= 0 && pr.tract < len(tractLines) {
		return &Error{File: tractsFileName, Line: tractLines[pr.tract], Msg: pr.msg, Err: err}
	}
	if pr.path != "" {
		return doc.errorf(pr.path, "%s", pr.msg)
	}
	return &Error{File: planFileName, Msg: pr.msg, Err: err}
}

// plan turns the file into a plan; regions must resolve.
func (f *planFile) plan(doc *document) (*Plan, error) {
	switch f.Format {
	case 1:
		if err := f.upgrade(doc); err != nil {
			return nil, err
		}
	case FormatVersion:
		if err := f.only2(doc); err != nil {
			return nil, err
		}
	default:
		return nil, doc.errorf("$.format", "plan format %d is not known; this wire reads formats 1 and %d", f.Format, FormatVersion)
	}
	if f.Activation != "" && f.Cell != CellRate {
		return nil, doc.errorf("$.activation", "activation %q is of rate cells; write `cell: %s` before it, or leave it out", f.Activation, CellRate)
	}
	if f.Gates != "" && f.Gates != gatesLearned && f.Gates != gatesFixed {
		return nil, doc.errorf("$.gates", "gates are %q, want %s or %s", f.Gates, gatesLearned, gatesFixed)
	}
	p := &Plan{
		Name: f.Name, Cell: f.Cell, FixedGates: f.Gates == gatesFixed, Width: f.Width, Rank: f.Rank, Ticks: Ticks(f.Ticks),
		Provenance: Provenance(f.Provenance),
	}
	at := make(map[string]int, len(f.Regions))
	for i, r := range f.Regions {
		g := Region{Label: r.Label, Canonical: r.Canonical, Hemisphere: r.Hemisphere, Lobe: r.Lobe, Slot: r.Slot, Why: r.Why}
		switch len(r.Position) {
		case 0:
		case 3:
			copy(g.Position[:], r.Position)
			g.Located = true
		default:
			return nil, doc.errorf(fmt.Sprintf("$.regions[%d].position", i), "position of %q has %d numbers, want 3 (mm, RAS+)", r.Label, len(r.Position))
		}
		switch r.Hemisphere {
		case "left", "right", "midline", "unknown":
		case "":
			g.Hemisphere = "unknown"
		default:
			return nil, doc.errorf(fmt.Sprintf("$.regions[%d].hemisphere", i), "hemisphere of %q is %q, want left, right, midline or unknown", r.Label, r.Hemisphere)
		}
		if _, twice := at[r.Label]; !twice {
			at[r.Label] = i
		}
		p.Regions = append(p.Regions, g)
	}
	find := func(path, label string) (int, error) {
		if i, ok := at[label]; ok {
			return i, nil
		}
		return 0, doc.errorf(path, "region %q is not among the plan's regions%s", label, edit.Suggestion(label, p.labels()))
	}
	for _, m := range f.Modules {
		p.Modules = append(p.Modules, ModuleRef(m))
	}
	findAll := func(path string, labels []string) (regions []int, err error) {
		for k, label := range labels {
			j, err := find(fmt.Sprintf("%s[%d]", path, k), label)
			if err != nil {
				return nil, err
			}
			regions = append(regions, j)
		}
		return regions, nil
	}
	var err error
	if b := f.Burst; b != nil {
		p.Burst = &Burst{Gain: b.Gain, Rise: b.Rise, Fall: b.Fall}
		if p.Burst.Regions, err = findAll("$.burst.regions", b.Regions); err != nil {
			return nil, err
		}
		slices.Sort(p.Burst.Regions)
	}
	for i, s := range f.Senses {
		sense := Sense{Name: s.Name, Kind: s.Kind, Module: s.Module, Port: s.Port, Of: s.Of, PerTick: s.PerTick, Read: s.Read, Places: s.Places, Views: s.Views, Width: s.Width}
		if sense.Read == "" {
			sense.Read = ReadWhole
		}
		for _, e := range s.Encoders {
			sense.Encoders = append(sense.Encoders, Encoder(e))
		}
		if sense.Regions, err = findAll(fmt.Sprintf("$.senses[%d].regions", i), s.Regions); err != nil {
			return nil, err
		}
		p.Senses = append(p.Senses, sense)
	}
	for i, e := range f.Effectors {
		path := fmt.Sprintf("$.effectors[%d]", i)
		effector := Effector{Name: e.Name, Head: e.Head, Module: e.Module, FeedbackWidth: e.FeedbackWidth, Settings: e.Settings}
		if effector.Regions, err = findAll(path+".regions", e.Regions); err != nil {
			return nil, err
		}
		if effector.Feedback, err = findAll(path+".feedback", e.Feedback); err != nil {
			return nil, err
		}
		if err := effector.Settings.tidy(); err != nil {
			return nil, doc.errorf(path+".settings", "effector %q: %v", e.Name, err)
		}
		p.Effectors = append(p.Effectors, effector)
	}
	for i, x := range f.Parts {
		path := fmt.Sprintf("$.parts[%d]", i)
		part := Part{Name: x.Name, Module: x.Module, Input: x.Input, Output: x.Output, Every: x.Every, Takes: x.Takes, Gives: x.Gives,
			RankIn: x.Ranks.In, RankOut: x.Ranks.Out, Sizes: x.Sizes, Detach: x.Detach}
		if part.Region, err = find(path+".region", x.Region); err != nil {
			return nil, err
		}
		if part.Into = part.Region; x.Into != "" {
			if part.Into, err = find(path+".into", x.Into); err != nil {
				return nil, err
			}
		}
		p.Parts = append(p.Parts, part)
	}
	for i, t := range f.Tasks {
		if err := t.Settings.tidy(); err != nil {
			return nil, doc.errorf(fmt.Sprintf("$.tasks[%d].settings", i), "task %q: %v", t.Kind, err)
		}
		p.Tasks = append(p.Tasks, Task(t))
	}
	return p, nil
}

// readTracts reads tracts.tsv and returns the line of each tract.
func (p *Plan) readTracts(fsys fs.FS) (lines []int, err error) {
	const limit = 1 << 30
	data, err := readFile(fsys, tractsFileName, limit)
	if err != nil {
		return nil, err
	}
	at := make(map[string]int, len(p.Regions))
	for i := range p.Regions {
		at[p.Regions[i].Label] = i
	}
	scan := bufio.NewScanner(bytes.NewReader(data))
	scan.Buffer(nil, 1<<20)
	n := 0
	for scan.Scan() {
		n++
		fields := strings.Split(strings.TrimSuffix(scan.Text(), "\r"), "\t")
		bad := func(column int, format string, args ...any) error {
			col := 1
			for _, f := range fields[:min(column, len(fields))] {
				col += len(f) + 1
			}
			return &Error{File: tractsFileName, Line: n, Column: col, Msg: fmt.Sprintf(format, args...)}
		}
		if n == 1 {
			if strings.Join(fields, "\t") != strings.Join(tractColumns, "\t") {
				return nil, bad(0, "the header is %q, want the columns %s separated by tabs", scan.Text(), strings.Join(tractColumns, ", "))
			}
			continue
		}
		if len(fields) == 1 && fields[0] == "" {
			continue
		}
		if len(fields) != len(tractColumns) {
			return nil, bad(0, "%d columns, want %d (%s)", len(fields), len(tractColumns), strings.Join(tractColumns, ", "))
		}
		var t Tract
		for c, to := range []*int{&t.From, &t.To} {
			i, ok := at[fields[c]]
			if !ok {
				return nil, bad(c, "region %q is not in plan.yaml%s", fields[c], edit.Suggestion(fields[c], p.labels()))
			}
			*to = i
		}
		for i, to := range []*float64{&t.Weight, &t.Scale, &t.LengthMM} {
			c := 2 + i
			if c == 4 && fields[c] == missing {
				*to = math.NaN()
				continue
			}
			v, err := strconv.ParseFloat(fields[c], 64)
			if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, bad(c, "%s is %q, want a number", tractColumns[c], fields[c])
			}
			*to = v
		}
		if t.Delay, err = strconv.Atoi(fields[5]); err != nil {
			return nil, bad(5, "delay is %q, want a whole number of ticks", fields[5])
		}
		if rank, err := strconv.Atoi(fields[6]); err != nil || rank != p.Rank {
			return nil, bad(6, "rank is %q, want %d as in plan.yaml: all tracts of a plan have the same", fields[6], p.Rank)
		}
		p.Tracts = append(p.Tracts, t)
		lines = append(lines, n)
	}
	if err := scan.Err(); err != nil {
		return nil, &Error{File: tractsFileName, Line: n + 1, Msg: err.Error(), Err: err}
	}
	if n == 0 {
		return nil, &Error{File: tractsFileName, Msg: "the file is empty, want a header and one row a tract"}
	}
	return lines, nil
}

func readHistory(fsys fs.FS) ([]Event, error) {
	data, err := readFile(fsys, historyFileName, maxYAML)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var events []Event
	for i, line := range bytes.Split(data, []byte("\n")) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var e Event
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, &Error{File: historyFileName, Line: i + 1, Msg: err.Error(), Err: err}
		}
		events = append(events, e)
	}
	return events, nil
}
