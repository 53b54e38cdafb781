package draft

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/connectomewire/wire/connectome/synthetic"
	"github.com/connectomewire/wire/datasets/own"
	"github.com/connectomewire/wire/internal/edit"
	"github.com/connectomewire/wire/modules/library"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/examples"
	"github.com/connectomewire/wire/wiring/frozen"
	"github.com/connectomewire/wire/wiring/head"
	"github.com/connectomewire/wire/wiring/prepare"
	"github.com/connectomewire/wire/wiring/task"
)

// Options say what a recipe is for.
type Options struct {
	// Name of the recipe.
	Name string
	// Tasks are what it learns, at least one.
	Tasks []Task
	// Senses are its inputs; none takes those that the data have or that Modules
	// name, and, without both, the usual ones of the tasks.
	Senses []string
	// Modules name the module of a sense or an effector, by its name, as MODULE
	// or MODULE.PORT. A name that the tasks' recipes do not have becomes a
	// sense of its own.
	Modules map[string]string
	// Set gives settings of tasks, by KEY, or EFFECTOR.KEY where several tasks
	// have it; values are as in YAML.
	Set map[string]string
	// Finder finds the modules.
	Finder library.Finder
	// Data say what labels there are and how wide numbers are; nil leaves that
	// to the data with which a plan is built.
	Data *own.Dataset
	// Next are commands that use the recipe, for its head.
	Next []string
}

// Task is something to learn. The kind is the name of a recipe that ships; the
// effector's name may be left out for the one there.
type Task struct{ Kind, Effector string }

// ParseTask reads KIND or KIND=EFFECTOR.
func ParseTask(text string) Task {
	kind, effector, _ := strings.Cut(text, "=")
	return Task{kind, effector}
}

// Target is what the task learns: of its effector's name or, where none is
// given, of that in the recipe that ships; "" of a task that is not known.
func (t Task) Target() string {
	if t.Effector != "" {
		return t.Effector
	}
	if r, err := wiring.OpenRecipe(t.Kind); err == nil && len(r.Tasks) > 0 {
		return r.Tasks[0].Effector
	}
	return ""
}

// draft is a recipe on its way.
type draft struct {
	Options
	recipe wiring.Recipe
	info   map[string]wiring.ModuleInfo
	about  map[string]string // modules, in words
	said   map[string]wiring.Settings
	// offered are the senses of the tasks' recipes; usual are those they take.
	offered []wiring.RecipeSense
	usual   []string
}

// Write writes the recipe. Where it says everything, it has been built once on
// the built-in connectome, so that no mistake is found only later.
func Write(o Options) ([]byte, error) {
	d := &draft{Options: o, info: map[string]wiring.ModuleInfo{}, about: map[string]string{}, said: map[string]wiring.Settings{}}
	for _, step := range []func() error{d.tasks, d.set, d.senses, d.modules, d.data} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	text := d.text()
	return text, d.try(text)
}

// tasks takes over the effectors, tasks and offered senses of the recipes that
// ship.
func (d *draft) tasks() error {
	if len(d.Tasks) == 0 {
		return fmt.Errorf("no task is named; there are %s", strings.Join(wiring.RecipeNames(), ", "))
	}
	r := &d.recipe
	r.Format, r.Name = wiring.FormatVersion, d.Name
	taken := map[string]bool{}
	for _, t := range d.Tasks {
		if names := wiring.RecipeNames(); !slices.Contains(names, t.Kind) {
			return fmt.Errorf("there is no recipe for a task %q%s; there are %s", t.Kind, edit.Suggestion(t.Kind, names), strings.Join(names, ", "))
		}
		base, err := wiring.OpenRecipe(t.Kind)
		if err != nil {
			return err
		}
		r.Width, r.Rank, r.Neighbours = max(r.Width, base.Width), max(r.Rank, base.Rank), max(r.Neighbours, base.Neighbours)
		r.Ticks.Settle, r.Ticks.Max = max(r.Ticks.Settle, base.Ticks.Settle), max(r.Ticks.Max, base.Ticks.Max)
		r.Velocity, r.Tick = base.Velocity, base.Tick
		e, x := base.Effectors[0], base.Tasks[0]
		if t.Effector != "" {
			e.Name, x.Target = t.Effector, ""
		}
		if taken[e.Name] {
			return fmt.Errorf("two tasks have an effector %q: name them, for example %s=first %s=second", e.Name, t.Kind, t.Kind)
		}
		taken[e.Name] = true
		x.Effector = e.Name
		r.Effectors, r.Tasks = append(r.Effectors, e), append(r.Tasks, x)
		usual := base.DefaultSenses
		for _, s := range base.Senses {
			if !slices.ContainsFunc(d.offered, func(o wiring.RecipeSense) bool { return o.Name == s.Name }) {
				d.offered = append(d.offered, s)
			}
			if len(base.DefaultSenses) == 0 {
				usual = append(usual, s.Name)
			}
		}
		for _, name := range usual {
			if !slices.Contains(d.usual, name) {
				d.usual = append(d.usual, name)
			}
		}
	}
	return nil
}

// set gives the tasks the settings that are asked for.
func (d *draft) set() error {
	for _, key := range slices.Sorted(maps.Keys(d.Set)) {
		effector, name, named := strings.Cut(key, ".")
		if !named {
			effector, name = "", key
		}
		var at []int
		var known []string
		for i, t := range d.recipe.Tasks {
			for _, o := range options[t.Kind] {
				known = append(known, t.Effector+"."+o.key)
				if o.key == name && (!named || t.Effector == effector) {
					at = append(at, i)
				}
			}
		}
		switch {
		case len(at) == 0 && len(known) == 0:
			return fmt.Errorf("--set %s=%s: these tasks have no settings", key, d.Set[key])
		case len(at) != 1:
			return fmt.Errorf("--set %s=%s: %d of the tasks have this setting; there are %s", key, d.Set[key], len(at), strings.Join(known, ", "))
		}
		t := &d.recipe.Tasks[at[0]]
		t.Settings = t.Settings.Clone()
		if t.Settings == nil {
			t.Settings = wiring.Settings{}
		}
		t.Settings[name] = value(d.Set[key])
	}
	return nil
}

// value reads a number, a truth value or a text.
func value(text string) any {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	if x, err := strconv.ParseFloat(text, 64); err == nil {
		return x
	}
	if b, err := strconv.ParseBool(text); err == nil {
		return b
	}
	return text
}

// senses chooses the senses.
func (d *draft) senses() error {
	named := slices.DeleteFunc(slices.Sorted(maps.Keys(d.Modules)), d.isEffector)
	for _, name := range named {
		if !d.offers(name) {
			if err := d.add(name); err != nil {
				return err
			}
		}
	}
	chosen := d.Senses
	switch {
	case len(chosen) > 0:
	case d.Data != nil:
		for _, b := range d.Data.Inputs {
			if d.offers(b.Name) {
				chosen = append(chosen, b.Name)
			}
		}
		if len(chosen) == 0 {
			return fmt.Errorf("%s gives %s; the senses are %s: say which column is which with --input SENSE=COLUMN; its columns are %s", d.Data.Name, examples.Bound(d.Data.Inputs), strings.Join(d.offering(), ", "), examples.Columns(d.Data))
		}
	default:
		// Named ones, filled up from the end of the usual ones: a question stays
		// beside a sound that takes the place of the picture.
		chosen = named
		usual := slices.DeleteFunc(slices.Clone(d.usual), func(name string) bool { return slices.Contains(named, name) })
		for i := len(usual) - 1; i >= 0 && len(chosen) < len(d.usual); i-- {
			chosen = append(chosen, usual[i])
		}
	}
	for _, name := range chosen {
		if !d.offers(name) {
			return fmt.Errorf("there is no sense %q%s; there are %s, and any name with a module of its own: --module %s=MODULE", name, edit.Suggestion(name, d.offering()), strings.Join(d.offering(), ", "), name)
		}
		if d.Data != nil && !slices.ContainsFunc(d.Data.Inputs, func(b own.Binding) bool { return b.Name == name }) && d.kind(name) != wiring.KindMemory {
			return fmt.Errorf("%s gives %s and nothing for the sense %q: say which column it gets with --input %s=COLUMN", d.Data.Name, examples.Bound(d.Data.Inputs), name, name)
		}
	}
	for _, name := range named {
		if !slices.Contains(chosen, name) {
			return fmt.Errorf("--module %s=%s: the sense %q is not among those chosen, %s", name, d.Modules[name], name, strings.Join(chosen, ", "))
		}
	}
	for _, s := range d.offered {
		if slices.Contains(chosen, s.Name) || s.Kind == wiring.KindMemory && slices.Contains(chosen, s.Of) {
			if s.Kind == wiring.KindMemory && !slices.Contains(chosen, s.Of) {
				continue
			}
			d.recipe.Senses = append(d.recipe.Senses, s)
		}
	}
	return nil
}

func (d *draft) isEffector(name string) bool {
	return slices.ContainsFunc(d.recipe.Effectors, func(e wiring.RecipeEffector) bool { return e.Name == name })
}

func (d *draft) offers(name string) bool { return d.kind(name) != "" }

// kind of an offered sense; "" for one that is not.
func (d *draft) kind(name string) string {
	for _, s := range d.offered {
		if s.Name == name {
			return s.Kind
		}
	}
	return ""
}

func (d *draft) offering() []string {
	var names []string
	for _, s := range d.offered {
		names = append(names, s.Name)
	}
	return names
}

// add offers a sense of its own: of the kind that its module takes, where such
// a sense usually enters.
func (d *draft) add(name string) error {
	module, _ := d.cutPort(d.Modules[name])
	info, err := d.describe(module)
	if err != nil {
		return fmt.Errorf("--module %s=%s: %w", name, d.Modules[name], err)
	}
	for _, s := range d.offered {
		if s.Kind != wiring.KindMemory && takes(info, s.Kind) {
			s.Name, s.Encoders = name, nil
			d.offered = append(d.offered, s)
			return nil
		}
	}
	return fmt.Errorf("--module %s=%s: there is no sense or effector %q, and the module takes %s, which makes none; there are the senses %s and the effectors %s",
		name, d.Modules[name], name, inputs(info), strings.Join(d.offering(), ", "), strings.Join(d.effectors(), ", "))
}

func (d *draft) effectors() []string {
	var names []string
	for _, e := range d.recipe.Effectors {
		names = append(names, e.Name)
	}
	return names
}

// modules puts the modules that are named into the recipe, and finds what all
// of them give.
func (d *draft) modules() error {
	for i := range d.recipe.Senses {
		s := &d.recipe.Senses[i]
		given, named := d.Modules[s.Name]
		if s.Module == "" && named {
			return fmt.Errorf("--module %s=%s: sense %q is of kind %s: its numbers are given, no module makes them", s.Name, given, s.Name, s.Kind)
		}
		if s.Module == "" {
			continue
		}
		usual := s.Port
		if named {
			s.Module, s.Port = d.cutPort(given)
			s.Encoders, s.Read = nil, ""
		}
		info, err := d.describe(s.Module)
		if err != nil && named {
			return fmt.Errorf("--module %s=%s: %w", s.Name, given, err)
		}
		if err != nil {
			return err
		}
		if named {
			kind := s.Kind
			if kind == wiring.KindMemory {
				kind = "text"
			}
			if !takes(info, kind) {
				return fmt.Errorf("--module %s=%s: module %q takes %s; sense %q is of kind %s", s.Name, given, s.Module, inputs(info), s.Name, kind)
			}
			if s.Port, s.Read, err = choosePort(info, s.Port, usual); err != nil {
				return fmt.Errorf("--module %s=%s: module %q %w", s.Name, given, s.Module, err)
			}
		}
	}
	for i := range d.recipe.Effectors {
		e := &d.recipe.Effectors[i]
		if given, named := d.Modules[e.Name]; named {
			if e.Head != head.NameLanguage {
				return fmt.Errorf("--module %s=%s: effector %q has the head %q, which needs no module", e.Name, given, e.Name, e.Head)
			}
			e.Module = given
		}
	}
	for _, name := range d.recipe.Modules() {
		if _, err := d.describe(name); err != nil {
			return err
		}
	}
	return nil
}

// describe finds a module and what it gives.
func (d *draft) describe(name string) (wiring.ModuleInfo, error) {
	if info, ok := d.info[name]; ok {
		return info, nil
	}
	found, err := d.Finder.Find(name)
	if err != nil {
		return wiring.ModuleInfo{}, err
	}
	info, manifest, err := frozen.DescribeModule(found, name)
	if err != nil {
		return wiring.ModuleInfo{}, err
	}
	d.info[name], d.about[name] = info, manifest.Description
	return info, nil
}

// data takes over labels, names and widths from the data.
func (d *draft) data() error {
	if d.Data == nil {
		return nil
	}
	widths := examples.Widths(d.Data)
	for i := range d.recipe.Senses {
		s := &d.recipe.Senses[i]
		if w := widths[s.Name]; s.Kind == wiring.KindVector || s.Kind == wiring.KindSeries {
			if w == 0 {
				return fmt.Errorf("%s has no numbers for the sense %q of kind %s; it gives %s", d.Data.Name, s.Name, s.Kind, d.inputs())
			}
			s.Width = w
		}
	}
	all := examples.OfRows(d.Data, d.Data.Rows)
	for i := range d.recipe.Tasks {
		if err := d.learn(i, all); err != nil {
			return err
		}
	}
	return nil
}

// learn finds out what the data say of a task's effector. Where the effector was
// not named, the data's only target is its target, whatever it is called.
func (d *draft) learn(i int, all []task.Example) error {
	t := &d.recipe.Tasks[i]
	kind, err := prepare.Lookup(t.Kind)
	if err != nil {
		return err
	}
	target := t.Target
	if target == "" {
		target = t.Effector
	}
	if d.Tasks[i].Effector == "" && len(d.Data.Targets) == 1 && d.Data.Targets[0].Name != target {
		target = d.Data.Targets[0].Name
		t.Target = target
	}
	s, err := kind.Settings(target, all)
	if err != nil {
		return fmt.Errorf("%s: task %q: %w; its targets are %s (say which with --target %s=COLUMN; its columns are %s)", d.Data.Name, t.Kind, err, examples.Bound(d.Data.Targets), target, examples.Columns(d.Data))
	}
	e := &d.recipe.Effectors[i]
	e.Settings = e.Settings.Clone()
	for key, v := range s {
		if e.Settings == nil {
			e.Settings = wiring.Settings{}
		}
		e.Settings[key] = v
	}
	d.said[e.Name] = s
	return nil
}

// inputs are what the data give, with kinds.
func (d *draft) inputs() string {
	var list []string
	for _, b := range d.Data.Inputs {
		list = append(list, fmt.Sprintf("%s (%s)", b.Name, d.Data.Columns[b.Column].Kind))
	}
	return strings.Join(list, ", ")
}

// complete says that the recipe leaves nothing to data.
func (d *draft) complete() bool {
	open := slices.ContainsFunc(d.recipe.Senses, func(s wiring.RecipeSense) bool {
		return (s.Kind == wiring.KindVector || s.Kind == wiring.KindSeries) && s.Width == 0
	})
	for _, e := range d.recipe.Effectors {
		open = open || (e.Head == head.NameSoftmax || e.Head == head.NameLinear) && len(d.said[e.Name]) == 0
	}
	return !open
}

// try reads the recipe and, where it is complete, builds a plan of it.
func (d *draft) try(text []byte) error {
	r, err := wiring.ParseRecipe(d.Name+".yaml", text)
	if err != nil || !d.complete() {
		return err
	}
	_, _, err = wiring.Build(synthetic.Default(), r, wiring.BuildOptions{Modules: d.info, Seed: 1})
	return err
}

// cutPort reads MODULE or MODULE.PORT, where a module's name may hold dots too.
func (d *draft) cutPort(text string) (module, port string) {
	i := strings.LastIndexByte(text, '.')
	if i <= 0 {
		return text, ""
	}
	if _, err := d.Finder.Find(text); err == nil {
		return text, ""
	}
	return text[:i], text[i+1:]
}

// choosePort returns the port that is asked for, or the usual one, or, where the
// module lacks that, its widest vector. A grid is read by glimpses.
func choosePort(info wiring.ModuleInfo, asked, usual string) (port, read string, err error) {
	if o, ok := info.Outputs[asked]; asked != "" {
		switch {
		case !ok:
			return "", "", fmt.Errorf("has no output %q%s; it gives %s", asked, edit.Suggestion(asked, slices.Collect(maps.Keys(info.Outputs))), outputs(info))
		case o.Width == 0:
			return "", "", fmt.Errorf("gives %s at %q, no vector of one width; it gives %s", o, asked, outputs(info))
		case o.Places > 0:
			read = wiring.ReadGlimpse
		}
		return asked, read, nil
	}
	if o := info.Outputs[usual]; o.Width > 0 && o.Places == 0 {
		return usual, "", nil
	}
	for _, name := range slices.Sorted(maps.Keys(info.Outputs)) {
		if o := info.Outputs[name]; o.Places == 0 && o.Width > info.Outputs[port].Width {
			port = name
		}
	}
	if port == "" {
		return "", "", fmt.Errorf("gives no vector of one width: %s", outputs(info))
	}
	return port, "", nil
}

// takes says whether a module has an input of a kind.
func takes(info wiring.ModuleInfo, kind string) bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(info.Inputs)), func(in wiring.PortInfo) bool { return in.Kind == kind })
}

func inputs(info wiring.ModuleInfo) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(info.Inputs)) {
		list = append(list, fmt.Sprintf("%s (%s)", name, info.Inputs[name].Kind))
	}
	return strings.Join(list, ", ")
}

// outputs lists ports with their widths.
func outputs(info wiring.ModuleInfo) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(info.Outputs)) {
		list = append(list, fmt.Sprintf("%s (%s)", name, info.Outputs[name]))
	}
	return strings.Join(list, ", ")
}
