package wiring

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/connectomewire/wire/connectome/atlas"
	"github.com/connectomewire/wire/internal/edit"
	"github.com/connectomewire/wire/modules"
)

//go:embed recipes/*.yaml
var recipeFiles embed.FS

// Recipe says which modules a plan uses, where they go, and the plan's size.
// It knows nothing of a particular connectome: places are roles, lobes or
// names. A recipe is a short YAML file, see recipes/captioning.yaml.
type Recipe struct {
	Format      int    `yaml:"format"`
	Name        string `yaml:"name"`
	Description string `yaml:"description,omitempty"`
	// Width is d, Rank is r.
	Width int `yaml:"width"`
	Rank  int `yaml:"rank"`
	// Ticks are the lengths of an episode's phases. Build lengthens the
	// settling when a sense cannot reach an effector in time.
	Ticks ticksFile `yaml:"ticks"`
	// Stare and MaxSteps are what format 1 called settle and max.
	Stare    int `yaml:"stare,omitempty"`
	MaxSteps int `yaml:"max_tokens,omitempty"`
	// Neighbours is the number of strongest incoming tracts kept for each
	// region; 0 keeps all.
	Neighbours int `yaml:"neighbours"`
	// Velocity is the conduction velocity in m/s, Tick the length of a tick
	// in ms. A tract of length l takes max(1, ⌈l / (Velocity·Tick)⌉) ticks.
	Velocity float64 `yaml:"velocity"`
	Tick     float64 `yaml:"tick"`

	// Senses are the inputs. DefaultSenses, where it is given, names those that
	// are used unless others are chosen, see [Recipe.Choose].
	DefaultSenses []string         `yaml:"default_senses,omitempty"`
	Senses        []RecipeSense    `yaml:"senses"`
	Effectors     []RecipeEffector `yaml:"effectors"`
	// Parts are frozen modules inside regions.
	Parts []RecipePart `yaml:"parts,omitempty"`
	// Burst gives regions two modes.
	Burst *RecipeBurst `yaml:"burst,omitempty"`
	// Tasks say what the effectors learn.
	Tasks []RecipeTask `yaml:"tasks"`

	doc *document
}

// RecipeSense is an input of a recipe; see [Sense].
type RecipeSense struct {
	Name string `yaml:"name"`
	// Kind is "image", "sound" or "text", which a module encodes; "vector" or
	// "series", given as numbers; or "memory".
	Kind   string `yaml:"kind"`
	Module string `yaml:"module"`
	Port   string `yaml:"port"`
	// Encoders are further modules whose outputs lie in the same space.
	Encoders []encoderFile `yaml:"encoders,omitempty"`
	// Width of a sense of kind vector or series; 0 takes that of the data.
	Width int `yaml:"width,omitempty"`
	// Views is how often a picture is looked at, see [Sense].
	Views int `yaml:"views,omitempty"`
	// Read is "whole" (the default), or "glimpse" for a port that gives a grid.
	Read string `yaml:"read,omitempty"`
	// Of names the sense that cues a memory, see [Sense]; it stands before.
	// A memory that finds no place recalls where its cue enters.
	Of    string  `yaml:"of,omitempty"`
	Place []Place `yaml:"place"`
}

// RecipeEffector is an output of a recipe; see [Effector].
type RecipeEffector struct {
	Name   string `yaml:"name"`
	Head   string `yaml:"head"`
	Module string `yaml:"module"`
	// Settings are the head's own. What depends on the data, such as a list of
	// labels, may be left to them.
	Settings Settings `yaml:"settings,omitempty"`
	Place    []Place  `yaml:"place"`
	// Spread keeps all regions that the places give, read side by side, and all
	// that feedback enters; else the left of each is taken.
	Spread bool `yaml:"spread,omitempty"`
	// Feedback is where what the effector does comes back in; none without.
	Feedback []Place `yaml:"feedback,omitempty"`

	// Kind and Text are of format 1.
	Kind string `yaml:"kind,omitempty"`
	Text string `yaml:"text,omitempty"`
}

// RecipePart is a frozen module inside a region; see [Part].
type RecipePart struct {
	Name   string `yaml:"name"`
	Module string `yaml:"module"`
	// Input and Output are ports of the module.
	Input  string `yaml:"input"`
	Output string `yaml:"output"`
	// Every is after how many ticks the module runs again; 0 means 1.
	Every int `yaml:"every,omitempty"`
	// Ranks of the adapters before and behind it; 0 leaves a matrix whole.
	Ranks ranksFile `yaml:"ranks,omitempty"`
	// Sizes of the input port's open dimensions, by name.
	Sizes map[string]int `yaml:"sizes,omitempty"`
	// Detach stops gradients at the module.
	Detach bool    `yaml:"detach,omitempty"`
	Place  []Place `yaml:"place"`
	// Into is where the output joins; without it, the region that is read.
	Into []Place `yaml:"into,omitempty"`
}

// RecipeTask is what an effector learns; see [Task].
type RecipeTask struct {
	Kind     string   `yaml:"kind"`
	Effector string   `yaml:"effector"`
	Target   string   `yaml:"target,omitempty"` // default: the effector's name
	Weight   float64  `yaml:"weight,omitempty"`
	Settings Settings `yaml:"settings,omitempty"`
}

// Place is one way to find regions. Exactly one of Role, Region, Strongest
// and Same is given; Hemisphere narrows the choice.
type Place struct {
	// Role is an atlas role: of the regions that name it earliest among their
	// roles, the strongest of each hemisphere.
	Role string `yaml:"role,omitempty"`
	// Region is a label or canonical name.
	Region string `yaml:"region,omitempty"`
	// Strongest is a lobe: its region of highest strength (summed weights in
	// and out), one for each hemisphere.
	Strongest string `yaml:"strongest,omitempty"`
	// Same is "effector": where the effector itself went. Only for feedback.
	Same string `yaml:"same,omitempty"`
	// Hemisphere is "left" or "right"; empty for both.
	Hemisphere string `yaml:"hemisphere,omitempty"`
	// Most is how many regions of each hemisphere a role or lobe gives at
	// most, the strongest first; 0 means one.
	Most int `yaml:"most,omitempty"`
	// Also lists places that are taken besides this one, where the
	// connectome has them. Only for senses.
	Also []Place `yaml:"also,omitempty"`
}

// String describes the place for people.
func (p Place) String() string {
	var s string
	switch {
	case p.Role != "":
		s = "role " + p.Role
	case p.Region != "":
		s = "region " + p.Region
	case p.Strongest != "":
		s = "strongest " + p.Strongest + " region"
	case p.Same != "":
		s = "same as the " + p.Same
	}
	if p.Hemisphere != "" {
		s += ", " + p.Hemisphere
	}
	for _, a := range p.Also {
		s += " and " + a.String()
	}
	return s
}

// RecipeNames lists the recipes that ship with wire.
func RecipeNames() []string {
	entries, err := fs.ReadDir(recipeFiles, "recipes")
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	sort.Strings(names)
	return names
}

// OpenRecipe returns the shipped recipe of that name, or reads a recipe file
// when the name ends in .yaml or .yml or holds a path separator.
func OpenRecipe(name string) (*Recipe, error) {
	if strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml") || strings.ContainsAny(name, `/\`) {
		info, err := os.Stat(name)
		if err != nil {
			return nil, fmt.Errorf("open recipe: %w", err)
		}
		if info.Size() > maxYAML {
			return nil, &Error{File: name, Msg: "too large for a recipe"}
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("open recipe: %w", err)
		}
		return ParseRecipe(name, data)
	}
	data, err := RecipeText(name)
	if err != nil {
		return nil, err
	}
	return ParseRecipe("recipes/"+name+".yaml", data)
}

// RecipeText returns the file of the shipped recipe of that name.
func RecipeText(name string) ([]byte, error) {
	data, err := recipeFiles.ReadFile(path.Join("recipes", name+".yaml"))
	if err != nil {
		names := RecipeNames()
		return nil, fmt.Errorf("no recipe %q%s; wire ships: %s; a file of your own must end in .yaml",
			name, edit.Suggestion(name, names), strings.Join(names, ", "))
	}
	return data, nil
}

// ParseRecipe reads a recipe; file is its name in messages. Every mistake is
// an [Error] with its line and column.
func ParseRecipe(file string, data []byte) (*Recipe, error) {
	r := &Recipe{}
	doc, err := readYAML(file, data, r)
	if err != nil {
		return nil, err
	}
	r.doc = doc
	if err := r.Validate(); err != nil {
		return nil, err
	}
	return r, nil
}

// The largest sizes a plan may ask for: they bound memory, not ambition.
const (
	maxWidth = 4096
	maxRank  = 512
	maxTicks = 1000
	maxSteps = 256
	maxPort  = 1 << 16
)

// Validate reports the first mistake of the recipe.
func (r *Recipe) Validate() error {
	switch r.Format {
	case 1:
		if err := r.upgrade(); err != nil {
			return err
		}
	case FormatVersion:
		if r.Stare != 0 || r.MaxSteps != 0 {
			return r.fail("$.stare", "`stare` and `max_tokens` are of format 1; write `ticks: {settle: %d, max: %d}`", r.Stare, r.MaxSteps)
		}
	default:
		return r.fail("$.format", "recipe format %d is not known; this wire reads formats 1 and %d", r.Format, FormatVersion)
	}
	if r.Name == "" {
		return r.fail("$.name", "the recipe has no name")
	}
	for _, n := range []struct {
		key      string
		v, lo, m int
	}{
		{"width", r.Width, 1, maxWidth}, {"rank", r.Rank, 1, maxRank}, {"ticks.settle", r.Ticks.Settle, 1, maxTicks},
		{"ticks.max", r.Ticks.Max, 0, maxSteps}, {"neighbours", r.Neighbours, 0, maxNeighbours},
	} {
		if n.v < n.lo || n.v > n.m {
			return r.fail("$."+n.key, "%s is %d, want %d to %d", n.key, n.v, n.lo, n.m)
		}
	}
	if !(r.Velocity > 0) || math.IsInf(r.Velocity, 0) {
		return r.fail("$.velocity", "velocity is %v m/s, want a positive number (6 is usual for myelinated tracts)", r.Velocity)
	}
	if !(r.Tick > 0) || math.IsInf(r.Tick, 0) {
		return r.fail("$.tick", "tick is %v ms, want a positive number", r.Tick)
	}
	if len(r.Senses) == 0 {
		return r.fail("$.senses", "the recipe has no senses")
	}
	for i, name := range r.DefaultSenses {
		if !slices.ContainsFunc(r.Senses, func(s RecipeSense) bool { return s.Name == name }) {
			return r.fail(fmt.Sprintf("$.default_senses[%d]", i), "the recipe has no sense %q", name)
		}
	}
	if len(r.Effectors) == 0 {
		return r.fail("$.effectors", "the recipe has no effectors")
	}
	seen := map[string]bool{} // names of senses, effectors and parts
	for i := range r.Senses {
		if err := r.checkSense(i, seen); err != nil {
			return err
		}
	}
	for i := range r.Effectors {
		if err := r.checkEffector(i, seen); err != nil {
			return err
		}
	}
	for i := range r.Parts {
		if err := r.checkPart(i, seen); err != nil {
			return err
		}
	}
	for i := range r.Tasks {
		if err := r.checkTask(i); err != nil {
			return err
		}
	}
	return r.checkBurst()
}

// fail makes an error of what is wrong at a path, located where the recipe
// came from a file.
func (r *Recipe) fail(path, format string, args ...any) error {
	if r.doc == nil {
		return &Error{File: "recipe " + r.Name, Msg: strings.TrimPrefix(path, "$.") + ": " + fmt.Sprintf(format, args...)}
	}
	return r.doc.errorf(path, format, args...)
}

// checkName checks that a name is new.
func (r *Recipe) checkName(path, name string, seen map[string]bool) error {
	switch {
	case name == "":
		return r.fail(path, "a name is missing")
	case seen[name]:
		return r.fail(path+".name", "the name %q is used twice", name)
	}
	seen[name] = true
	return nil
}

func (r *Recipe) checkSense(i int, seen map[string]bool) error {
	s := r.Senses[i]
	at := fmt.Sprintf("$.senses[%d]", i)
	if err := r.checkName(at, s.Name, seen); err != nil {
		return err
	}
	kinds := []string{"image", "sound", "text", KindVector, KindSeries, KindMemory}
	if !slices.Contains(kinds, s.Kind) {
		return r.fail(at+".kind", "sense %q is of kind %q%s; there are %s", s.Name, s.Kind, edit.Suggestion(s.Kind, kinds), strings.Join(kinds, ", "))
	}
	cue := slices.IndexFunc(r.Senses[:i], func(c RecipeSense) bool { return c.Name == s.Of && c.Kind != KindMemory })
	switch {
	case s.Kind != KindMemory && s.Of != "":
		return r.fail(at+".of", "`of` is for a sense of kind memory, %q is of kind %s", s.Name, s.Kind)
	case s.Kind == KindMemory && cue < 0:
		return r.fail(at, "memory %q needs `of`, the sense that brings it back; %q is none", s.Name, s.Of)
	case s.Kind == KindMemory && slices.ContainsFunc(r.Senses[:i], func(c RecipeSense) bool { return c.Kind == KindMemory }):
		return r.fail(at, "memory %q is the second; a plan has one", s.Name)
	}
	if err := r.checkEntry(at, &s); err != nil {
		return err
	}
	if err := r.checkPlaces(at+".place", s.Place, false, true); err != nil {
		return err
	}
	return nil
}

// checkEntry checks what is said of a sense's modules, or of its numbers.
func (r *Recipe) checkEntry(at string, s *RecipeSense) error {
	given := s.Kind == KindVector || s.Kind == KindSeries
	switch {
	case given && (s.Module != "" || s.Port != "" || len(s.Encoders) > 0):
		return r.fail(at+".module", "sense %q is of kind %s: its numbers are given, no module makes them", s.Name, s.Kind)
	case !given && (s.Module == "" || s.Port == ""):
		return r.fail(at, "sense %q needs a module and a port", s.Name)
	case !given && s.Width != 0:
		return r.fail(at+".width", "the width of sense %q is that of its module's port; leave it out", s.Name)
	case s.Width < 0 || s.Width > maxPort:
		return r.fail(at+".width", "width of sense %q is %d, want 1 to %d, or nothing to take that of the data", s.Name, s.Width, maxPort)
	case s.Views < 0 || s.Views > MaxViews || s.Views > 1 && s.Kind != modules.KindImage:
		return r.fail(at+".views", "sense %q takes %d views; a picture can be looked at in 1 to %d ways, nothing else in more than one", s.Name, s.Views, MaxViews)
	case s.Read != "" && s.Read != ReadWhole && s.Read != ReadGlimpse:
		return r.fail(at+".read", "sense %q is read %q, want %s or %s", s.Name, s.Read, ReadWhole, ReadGlimpse)
	case s.Read == ReadGlimpse && (given || s.Kind == KindMemory || len(s.Encoders) > 0):
		return r.fail(at+".read", "sense %q: a glimpse needs one module that gives a grid", s.Name)
	}
	for k, e := range s.Encoders {
		if e.Kind == "" || e.Module == "" || e.Port == "" || s.Kind == KindMemory {
			return r.fail(fmt.Sprintf("%s.encoders[%d]", at, k), "an encoder of sense %q needs kind, module and port", s.Name)
		}
	}
	return nil
}

func (r *Recipe) checkEffector(i int, seen map[string]bool) error {
	e := &r.Effectors[i]
	at := fmt.Sprintf("$.effectors[%d]", i)
	if err := r.checkName(at, e.Name, seen); err != nil {
		return err
	}
	if e.Kind != "" || e.Text != "" {
		return r.fail(at, "effector %q: `kind` and `text` are of format 1; format 2 has `head` and `settings`", e.Name)
	}
	if _, err := HeadOf(e.Head); err != nil {
		return r.fail(at+".head", "effector %q: %v", e.Name, err)
	}
	if err := e.Settings.tidy(); err != nil {
		return r.fail(at+".settings", "effector %q: %v", e.Name, err)
	}
	if err := r.checkPlaces(at+".place", e.Place, false, false); err != nil {
		return err
	}
	if len(e.Feedback) == 0 {
		return nil
	}
	return r.checkPlaces(at+".feedback", e.Feedback, true, false)
}

func (r *Recipe) checkPart(i int, seen map[string]bool) error {
	x := &r.Parts[i]
	at := fmt.Sprintf("$.parts[%d]", i)
	if err := r.checkName(at, x.Name, seen); err != nil {
		return err
	}
	if x.Module == "" || x.Input == "" || x.Output == "" {
		return r.fail(at, "part %q needs a module, an input and an output, for example `module: my-model`, `input: picture`, `output: embedding`", x.Name)
	}
	for _, n := range []struct {
		key   string
		v, hi int
	}{{"every", x.Every, maxTicks}, {"ranks.in", x.Ranks.In, maxWidth}, {"ranks.out", x.Ranks.Out, maxWidth}} {
		if n.v < 0 || n.v > n.hi {
			return r.fail(at+"."+n.key, "%s of part %q is %d, want 1 to %d, or leave it out", n.key, x.Name, n.v, n.hi)
		}
	}
	for _, dim := range slices.Sorted(maps.Keys(x.Sizes)) {
		if n := x.Sizes[dim]; n < 1 || n > maxPartPort {
			return r.fail(at+".sizes."+dim, "size %s of part %q is %d, want 1 to %d", dim, x.Name, n, maxPartPort)
		}
	}
	if err := r.checkPlaces(at+".place", x.Place, false, false); err != nil {
		return err
	}
	if len(x.Into) == 0 {
		return nil
	}
	return r.checkPlaces(at+".into", x.Into, false, false)
}

func (r *Recipe) checkTask(i int) error {
	t := &r.Tasks[i]
	at := fmt.Sprintf("$.tasks[%d]", i)
	var names []string
	for _, e := range r.Effectors {
		names = append(names, e.Name)
	}
	switch {
	case t.Kind == "":
		return r.fail(at, "a task needs a kind, for example `kind: labelling`")
	case !slices.Contains(names, t.Effector):
		return r.fail(at+".effector", "task %q: the recipe has no effector %q%s; it has %s", t.Kind, t.Effector, edit.Suggestion(t.Effector, names), strings.Join(names, ", "))
	case !(t.Weight >= 0) || math.IsInf(t.Weight, 0):
		return r.fail(at+".weight", "weight is %v, want a number above 0", t.Weight)
	}
	if err := t.Settings.tidy(); err != nil {
		return r.fail(at+".settings", "task %q: %v", t.Kind, err)
	}
	return nil
}

// checkPlaces checks the places of a part: `same` is allowed for feedback,
// `also` for senses.
func (r *Recipe) checkPlaces(at string, places []Place, same, also bool) error {
	if len(places) == 0 {
		return r.fail(at, "no place is given; write for example `- role: primary visual`")
	}
	for i, p := range places {
		at := fmt.Sprintf("%s[%d]", at, i)
		n := 0
		for _, s := range []string{p.Role, p.Region, p.Strongest, p.Same} {
			if s != "" {
				n++
			}
		}
		if n != 1 {
			return r.fail(at, "a place gives exactly one of role, region, strongest or same")
		}
		if p.Role != "" {
			if _, err := atlas.Lookup(p.Role); err != nil {
				return r.fail(at+".role", "%v", err)
			}
		}
		if p.Same != "" && (!same || p.Same != "effector") {
			return r.fail(at+".same", "`same: effector` is for feedback only")
		}
		if p.Hemisphere != "" && p.Hemisphere != "left" && p.Hemisphere != "right" {
			return r.fail(at+".hemisphere", "hemisphere is %q, want left or right%s", p.Hemisphere, edit.Suggestion(p.Hemisphere, []string{"left", "right"}))
		}
		if p.Most < 0 {
			return r.fail(at+".most", "most is %d, want 1 or more", p.Most)
		}
		if len(p.Also) > 0 {
			if !also {
				return r.fail(at+".also", "`also` is for the places of senses, and not inside another")
			}
			if err := r.checkPlaces(at+".also", p.Also, false, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// Modules lists the modules that the recipe names, each once, in order of
// first mention.
func (r *Recipe) Modules() []string {
	var names []string
	add := func(name string) {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, s := range r.Senses {
		add(s.Module)
		for _, e := range s.Encoders {
			add(e.Module)
		}
	}
	for _, x := range r.Parts {
		add(x.Module)
	}
	for _, e := range r.Effectors {
		add(e.Module)
		if h, err := HeadOf(e.Head); err == nil {
			for _, m := range h.Modules(&Effector{Name: e.Name, Head: e.Head, Module: e.Module, Settings: e.Settings}) {
				add(m)
			}
		}
	}
	return names
}

// Choose returns the recipe with only some of its senses: those named, or
// those used by default; a memory stays with the sense that cues it. A recipe
// that lists no default uses all of them.
func (r *Recipe) Choose(senses []string) (*Recipe, error) {
	if len(senses) == 0 {
		senses = r.DefaultSenses
	}
	if len(senses) == 0 {
		return r, nil
	}
	var names []string
	for _, s := range r.Senses {
		names = append(names, s.Name)
	}
	for _, name := range senses {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("recipe %q has no sense %q%s; it has %s", r.Name, name, edit.Suggestion(name, names), strings.Join(names, ", "))
		}
	}
	chosen := *r
	chosen.doc, chosen.DefaultSenses = nil, nil // places in the file no longer match
	chosen.Senses = slices.DeleteFunc(slices.Clone(r.Senses), func(s RecipeSense) bool {
		return !slices.Contains(senses, s.Name) && !(s.Kind == KindMemory && slices.Contains(senses, s.Of))
	})
	return &chosen, nil
}
