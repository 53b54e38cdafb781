package draft

import (
	"fmt"
	"slices"
	"strings"

	"github.com/connectomewire/wire/datasets/own"
	"github.com/connectomewire/wire/wiring"
	"github.com/connectomewire/wire/wiring/head"
)

// options are the settings of tasks and heads that a recipe may add, with what
// they do: as they would stand under `settings`.
var options = map[string][]option{
	"labelling": {{"balance", true, "rare labels weigh as much as common ones"}},
	"answering": {{"balance", true, "rare answers weigh as much as common ones"}},
	"retrieval": {{"sharpness", 20.0, "what multiplies the cosines: the inverse temperature"}},
	"captioning": {
		{"bag", 0.5, "weight of the words of a sentence, whatever their order"},
		{"partial", true, "learn also of sentences with unknown words, which are heard and not said, and the beginnings of long ones"},
	},
	"forecasting": {{"horizon", 1, "how many steps ahead"}, {"warm", 0, "steps at the beginning that nothing is asked of"}},
}

type option struct {
	key   string
	value any
	what  string
}

// wrapAt is the width of comments.
const wrapAt = 96

// text writes the recipe.
func (d *draft) text() []byte {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	r := &d.recipe
	d.preface(line)
	line("format: %d", r.Format)
	line("name: %s", wiring.SettingYAML(r.Name))
	line("width: %-6d # d, numbers in a region's state: more hold more, and cost more", r.Width)
	line("rank: %-7d # r, numbers that travel on a tract each tick", r.Rank)
	if r.Ticks.Max > 0 {
		line("ticks: {settle: %d, max: %d} # ticks until the effectors are read, and words at most", r.Ticks.Settle, r.Ticks.Max)
	} else {
		line("ticks: {settle: %d, max: 0} # ticks until the effectors are read, or that a step of a series lasts", r.Ticks.Settle)
	}
	line("neighbours: %-2d # strongest incoming tracts kept for each region; 0 keeps all", r.Neighbours)
	line("velocity: %g   # conduction velocity, m/s", r.Velocity)
	line("tick: %g      # ms a tick: a tract of length l takes l / (velocity · tick), at least 1 tick", r.Tick)
	line("")
	line("# What comes in. Under `place`, the first that a connectome has is taken, and with it what stands")
	line("# under `also`: a role of its atlas, the strongest region of a lobe, or `region: LABEL`.")
	line("senses:")
	for i := range r.Senses {
		d.sense(&b, &r.Senses[i])
	}
	line("")
	line("# What goes out.")
	line("effectors:")
	for i := range r.Effectors {
		d.effector(&b, &r.Effectors[i])
	}
	line("")
	line("# What is learned; the loss is the sum, each by its weight.")
	line("tasks:")
	for i := range r.Tasks {
		d.task(&b, &r.Tasks[i])
	}
	return []byte(b.String())
}

// preface says what the recipe is and how it is used.
func (d *draft) preface(line func(string, ...any)) {
	var kinds []string
	for _, t := range d.Tasks {
		kinds = append(kinds, t.Kind)
	}
	line("# A recipe for %s. Change what you like; what does not fit is refused when it is built,", strings.Join(kinds, " and "))
	line("# with the ports and widths that there are.")
	if len(d.Next) > 0 {
		line("#")
	}
	for _, n := range d.Next {
		line("#   %s", n)
	}
	if d.Data == nil {
		return
	}
	line("#")
	line("# %s: %d rows.", oneLine(d.Data.Name), len(d.Data.Rows))
	for _, b := range d.Data.Inputs {
		line("#   %s gets %s", b.Name, column(&d.Data.Columns[b.Column]))
	}
	for _, b := range d.Data.Targets {
		line("#   %s is %s", b.Name, column(&d.Data.Columns[b.Column]))
	}
}

// column describes a column of data.
func column(c *own.Column) string {
	s := fmt.Sprintf("the column %s, %s", oneLine(c.Name), c.Kind)
	switch {
	case c.Kind == own.Label:
		s += fmt.Sprintf(", %d classes", len(c.Classes))
	case c.Width > 0:
		s += fmt.Sprintf(", %d wide", c.Width)
	}
	return s
}

func (d *draft) sense(b *strings.Builder, s *wiring.RecipeSense) {
	if s.Module != "" {
		comment(b, "  ", s.Module+": "+d.about[s.Module])
		comment(b, "  ", "Its ports: "+outputs(d.info[s.Module])+"; those that are a grid, N × WIDTH, are looked at with `read: glimpse`.")
	}
	fmt.Fprintf(b, "  - name: %s\n    kind: %s\n", wiring.SettingYAML(s.Name), s.Kind)
	switch {
	case s.Module != "":
		fmt.Fprintf(b, "    module: %s\n    port: %s # %s\n", wiring.SettingYAML(s.Module), wiring.SettingYAML(s.Port), d.info[s.Module].Outputs[s.Port])
		if s.Read != "" {
			fmt.Fprintf(b, "    read: %s\n", s.Read)
		}
	case s.Width > 0:
		fmt.Fprintf(b, "    width: %d # numbers, as the data have them\n", s.Width)
	default:
		fmt.Fprintf(b, "    # width: 3 # numbers; without it, those of the data that the plan is built with\n")
	}
	if len(s.Encoders) > 0 {
		b.WriteString("    encoders: # other modules of the same space: an example gives any one of them\n")
		for _, e := range s.Encoders {
			fmt.Fprintf(b, "      - {kind: %s, module: %s, port: %s}\n", e.Kind, wiring.SettingYAML(e.Module), wiring.SettingYAML(e.Port))
		}
	}
	if s.Of != "" {
		fmt.Fprintf(b, "    of: %s # the sense that brings it back\n", wiring.SettingYAML(s.Of))
	}
	b.WriteString("    place:\n")
	places(b, "      ", s.Place)
}

func (d *draft) effector(b *strings.Builder, e *wiring.RecipeEffector) {
	switch e.Head {
	case head.NameSoftmax:
		comment(b, "  ", "One of several labels, or, with `many: true`, any of them.")
	case head.NameLinear:
		comment(b, "  ", "Numbers, in the units of the data.")
	case head.NameEmbedding:
		comment(b, "  ", "A vector of length 1, near that of what belongs with it.")
	case head.NameLanguage:
		comment(b, "  ", e.Module+": "+d.about[e.Module])
	}
	fmt.Fprintf(b, "  - name: %s\n    head: %s\n", wiring.SettingYAML(e.Name), e.Head)
	if e.Module != "" {
		fmt.Fprintf(b, "    module: %s\n", wiring.SettingYAML(e.Module))
	}
	switch {
	case len(e.Settings) > 0:
		b.WriteString("    settings:\n")
		for _, key := range sortedKeys(e.Settings) {
			setting(b, "      ", key, e.Settings[key])
		}
	case e.Head == head.NameSoftmax:
		b.WriteString("    # settings: {labels: [cat, dog]} # without them, those of the data that the plan is built with\n")
	case e.Head == head.NameLinear:
		b.WriteString("    # settings: {names: [height]} # without them, those of the data that the plan is built with\n")
	}
	b.WriteString("    place:\n")
	places(b, "      ", e.Place)
	if len(e.Feedback) > 0 {
		b.WriteString("    feedback: # where what it does comes back in\n")
		places(b, "      ", e.Feedback)
	}
}

func (d *draft) task(b *strings.Builder, t *wiring.RecipeTask) {
	fmt.Fprintf(b, "  - kind: %s\n    effector: %s\n", t.Kind, wiring.SettingYAML(t.Effector))
	if t.Target != "" && t.Target != t.Effector {
		fmt.Fprintf(b, "    target: %s # what the data call it\n", wiring.SettingYAML(t.Target))
	}
	if len(d.recipe.Tasks) > 1 {
		b.WriteString("    weight: 1\n")
	}
	said := slices.DeleteFunc(slices.Clone(options[t.Kind]), func(o option) bool { _, ok := t.Settings[o.key]; return !ok })
	if len(said) > 0 {
		b.WriteString("    settings:\n")
	}
	for _, o := range said {
		fmt.Fprintf(b, "      %s: %s # %s\n", o.key, wiring.SettingYAML(t.Settings[o.key]), o.what)
	}
	for _, o := range options[t.Kind] {
		if _, ok := t.Settings[o.key]; !ok {
			fmt.Fprintf(b, "    # settings: {%s: %s} # %s\n", o.key, wiring.SettingYAML(o.value), o.what)
		}
	}
}

// setting writes one setting; a long list has several lines.
func setting(b *strings.Builder, indent, key string, v any) {
	list, ok := v.([]string)
	if one := wiring.SettingYAML(v); !ok || len(indent)+len(key)+2+len(one) <= wrapAt {
		fmt.Fprintf(b, "%s%s: %s\n", indent, key, one)
		return
	}
	fmt.Fprintf(b, "%s%s:\n", indent, key)
	for _, x := range list {
		fmt.Fprintf(b, "%s  - %s\n", indent, wiring.SettingYAML(x))
	}
}

// places writes alternatives.
func places(b *strings.Builder, indent string, list []wiring.Place) {
	for _, p := range list {
		mark := "- "
		pair := func(key, value string) {
			if value != "" {
				fmt.Fprintf(b, "%s%s%s: %s\n", indent, mark, key, wiring.SettingYAML(value))
				mark = "  "
			}
		}
		pair("role", p.Role)
		pair("region", p.Region)
		pair("strongest", p.Strongest)
		pair("same", p.Same)
		pair("hemisphere", p.Hemisphere)
		if p.Most > 0 {
			fmt.Fprintf(b, "%s%smost: %d\n", indent, mark, p.Most)
		}
		if len(p.Also) > 0 {
			fmt.Fprintf(b, "%s  also:\n", indent)
			places(b, indent+"    ", p.Also)
		}
	}
}

// comment writes a text as wrapped comment lines.
func comment(b *strings.Builder, indent, text string) {
	at := 0
	for _, w := range strings.Fields(text) {
		switch {
		case at == 0:
			b.WriteString(indent + "#")
			at = len(indent) + 1
		case at+1+len(w) > wrapAt:
			b.WriteString("\n" + indent + "#")
			at = len(indent) + 1
		}
		b.WriteString(" " + w)
		at += 1 + len(w)
	}
	if at > 0 {
		b.WriteString("\n")
	}
}

// oneLine keeps a name from ending a comment.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func sortedKeys(s wiring.Settings) []string {
	keys := make([]string, 0, len(s))
	for k := range s {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
