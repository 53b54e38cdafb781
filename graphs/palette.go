package graphs

import (
	"fmt"
	"image/color"
	"math"
	"sort"
)

// The page and its ink.
var (
	paper   = color.NRGBA{0xFD, 0xFC, 0xFA, 0xFF}
	ink     = color.NRGBA{0x26, 0x2B, 0x33, 0xFF}
	soft    = color.NRGBA{0x6C, 0x75, 0x80, 0xFF}
	neutral = color.NRGBA{0x8A, 0x93, 0x9E, 0xFF}

	senseColor    = color.NRGBA{0x1F, 0x7A, 0x8C, 0xFF}
	moduleColor   = color.NRGBA{0x2F, 0x3E, 0x55, 0xFF}
	effectorColor = color.NRGBA{0xB8, 0x3B, 0x5E, 0xFF}
)

// groupOrder lists the known groups from the front of the brain to its back;
// nuclei come last because they lie inside.
var groupOrder = []string{"frontal", "insula", "limbic", "cingulate", "parietal", "temporal", "occipital", "subcortical", "cerebellum", "brainstem"}

var groupColors = map[string]color.NRGBA{
	"frontal":     {0x4C, 0x78, 0xA8, 0xFF},
	"insula":      {0xE0, 0x8E, 0x79, 0xFF},
	"limbic":      {0x8E, 0x7C, 0xC3, 0xFF},
	"cingulate":   {0x8E, 0x7C, 0xC3, 0xFF},
	"parietal":    {0x5B, 0xA0, 0x8C, 0xFF},
	"temporal":    {0xD3, 0x9B, 0x3A, 0xFF},
	"occipital":   {0xB5, 0x57, 0x7C, 0xFF},
	"subcortical": {0x7C, 0x84, 0x90, 0xFF},
	"cerebellum":  {0x9C, 0x7A, 0x5E, 0xFF},
	"brainstem":   {0x6E, 0x6A, 0x66, 0xFF},
}

// spare colours go to groups the package does not know, in order of name.
var spare = []color.NRGBA{
	{0x4C, 0x78, 0xA8, 0xFF}, {0xD3, 0x9B, 0x3A, 0xFF}, {0x5B, 0xA0, 0x8C, 0xFF}, {0xB5, 0x57, 0x7C, 0xFF},
	{0x8E, 0x7C, 0xC3, 0xFF}, {0xE0, 0x8E, 0x79, 0xFF}, {0x7F, 0x9C, 0x4F, 0xFF}, {0x9C, 0x7A, 0x5E, 0xFF},
}

// inner says that a group lies inside the outline.
func inner(group string) bool {
	return group == "subcortical" || group == "cerebellum" || group == "brainstem"
}

// palette gives every group of the diagram a rank and a colour.
type palette struct {
	order []string
	rank  map[string]int
	color map[string]color.NRGBA
}

func newPalette(nodes []Node) palette {
	p := palette{rank: map[string]int{}, color: map[string]color.NRGBA{}}
	present := map[string]bool{}
	for _, n := range nodes {
		present[n.Group] = true
	}
	for _, g := range groupOrder {
		if present[g] {
			p.order = append(p.order, g)
			p.color[g] = groupColors[g]
			delete(present, g)
		}
	}
	var rest []string
	for g := range present {
		rest = append(rest, g)
	}
	sort.Strings(rest)
	for i, g := range rest {
		p.order = append(p.order, g)
		p.color[g] = spare[i%len(spare)]
		if g == "" {
			p.color[g] = neutral
		}
	}
	for i, g := range p.order {
		p.rank[g] = i
	}
	return p
}

// heat is the colour of a flow in 0..1: sand, orange, crimson.
func heat(f float64) color.NRGBA {
	stops := []color.NRGBA{{0xF2, 0xC1, 0x6B, 0xFF}, {0xE8, 0x7A, 0x3D, 0xFF}, {0xC2, 0x2F, 0x4F, 0xFF}}
	f = math.Max(0, math.Min(1, f)) * float64(len(stops)-1)
	i := min(int(f), len(stops)-2)
	return mix(stops[i], stops[i+1], f-float64(i))
}

func mix(a, b color.NRGBA, t float64) color.NRGBA {
	f := func(x, y uint8) uint8 { return uint8(math.Round(float64(x) + t*(float64(y)-float64(x)))) }
	return color.NRGBA{f(a.R, b.R), f(a.G, b.G), f(a.B, b.B), f(a.A, b.A)}
}

func alpha(c color.NRGBA, a float64) color.NRGBA {
	c.A = uint8(math.Round(255 * math.Max(0, math.Min(1, a))))
	return c
}

// hex writes a colour as Graphviz wants it.
func hex(c color.NRGBA) string {
	if c.A == 0xFF {
		return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B)
	}
	return fmt.Sprintf("#%02x%02x%02x%02x", c.R, c.G, c.B, c.A)
}
